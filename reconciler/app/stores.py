"""Use cases on a store as a whole: make one."""

from __future__ import annotations

from reconciler.app.wiring import Where, create_store
from reconciler.report import Report


def create(where: Where) -> Report:
    """Make a store and its key. Raises StoreError ``store-exists``, ``key-refused-file``, ``store-unreachable``."""
    store, key = create_store(where)
    info = store.info
    store.close()
    # the whole path: three slashes and an absolute one would make it in a folder that nobody meant
    facts = {"mode": info.mode, "store": str(where.path.absolute()), "id": info.id, "key": key}
    return Report("store create", facts=facts)
