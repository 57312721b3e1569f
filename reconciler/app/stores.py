"""Use cases on a store as a whole: make one."""

from __future__ import annotations

from reconciler.app.wiring import Where, create_store
from reconciler.report import Report


def create(where: Where) -> Report:
    """Make a store and its key. Raises StoreError ``store-exists``, ``key-refused-file``, ``store-unreachable``."""
    store, key = create_store(where)
    info = store.info
    store.close()
    return Report("store create", facts={"mode": info.mode, "store": info.display, "id": info.id, "key": key})
