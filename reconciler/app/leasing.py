"""Hold a workspace's lease for as long as one block writes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from reconciler.errors import StoreError
from reconciler.model import Origin
from reconciler.stores.base import Holder, Lease, Store

LEASE_SECONDS = 120.0
"""Longer than one provider may take with all its retries; every commit renews it."""


@contextmanager
def holding(store: Store, workspace: str, origin: Origin) -> Iterator[Lease]:
    """Take the lease, and give it back. Raises StoreError ``lease-held``.

    A store that cannot take it back any more is no reason to lose what the block did: the lease expires by itself.
    """
    holder = Holder(origin.actor, origin.host, os.getpid(), origin.run_url)
    lease = store.acquire(workspace, holder, LEASE_SECONDS)
    try:
        yield lease
    finally:
        with suppress(StoreError):
            store.release(lease)
