"""Use cases of the store's key: which one is wanted, which one is here, and a copy to keep elsewhere."""

from __future__ import annotations

from reconciler import sealing, subkeys
from reconciler.app.wiring import Where, header_at, key_at_hand, keyring, known_workspace, open_store
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
    handed = subkeys.parse(key) if key else None
    here = sealing.wrapping_key_id(key) if key and not handed else ""
    wanted = [slot.key_id for slot in slots]
    facts = {
        "store": info.display,
        "store_id": info.id,
        "mode": str(info.mode),
        "opened_by": wanted,
        "at_hand": here,
        "source": source,
        "opens": handed.store_id == info.id if handed else here in wanted,
        "for": handed.use if handed else "",
        "workspace": handed.workspace if handed else "",
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
    if handed := subkeys.parse(key):
        raise StoreError(
            "key-lacks", f"wanted: the store's own key; the one here is for {handed.use} alone", subkeys.OWN
        )
    sealing.open_keyring(info.id, slots, key)
    return key


def export(where: Where, use: str) -> tuple[Report, Secret]:
    """One use of one workspace as a key of its own. Raises StoreError where the key at hand does not have it."""
    store = open_store(where)
    try:
        workspace = known_workspace(where, store)
        handed = keyring(where, store).hand(workspace, use)
        header = header_at(store, workspace)
    finally:
        store.close()
    return Report("key export", header=header, facts={"for": use, "workspace": workspace}), handed.text()
