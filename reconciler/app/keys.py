"""Use cases of the store's key: which one is wanted, which one is here, and a copy to keep elsewhere."""

from __future__ import annotations

from reconciler import sealing
from reconciler.app.wiring import Where, key_at_hand, open_store
from reconciler.errors import StoreError
from reconciler.report import Report
from reconciler.secret import Secret


def status(where: Where) -> Report:
    """Which keys open the store, and whether the one at hand is among them. Shows ids, never a key."""
    store = open_store(where)
    try:
        slots = store.slots()
        info = store.info
    finally:
        store.close()
    key, source = key_at_hand(where, info.id)
    here = sealing.wrapping_key_id(key) if key else ""
    wanted = [slot.key_id for slot in slots]
    facts = {
        "store": info.display,
        "store_id": info.id,
        "mode": str(info.mode),
        "opened_by": wanted,
        "at_hand": here,
        "source": source,
        "opens": here in wanted,
    }
    return Report("key status", facts=facts)


def backup(where: Where) -> Secret:
    """The wrapping key as base64, to be written to a safe place. Raises StoreError where it is not this store's."""
    store = open_store(where)
    try:
        slots, info = store.slots(), store.info
    finally:
        store.close()
    key, source = key_at_hand(where, info.id)
    if key is None:
        raise StoreError("key-missing", f"looked in {source}")
    sealing.open_keyring(info.id, slots, key)
    return key
