"""Subkeys handed out one by one: each opens one kind of thing in one workspace, and nothing else of the store.

The text that people keep says what it is: base64 of a JSON object, described in ``docs/formats.md``.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.canonical import to_json
from reconciler.errors import StoreError
from reconciler.keys import KEY_BYTES, Key
from reconciler.secret import Secret

SEALING, FINGERPRINTS, AUDIT, PLANS = "sealing", "fingerprints", "audit", "plans"
"""The purposes of subkeys."""

USES: Mapping[str, tuple[str, ...]] = {
    "plan": (FINGERPRINTS, PLANS),
    "consume": (SEALING,),
    "audit": (AUDIT,),
}
"""What a handed key is for, and the purposes that this takes: ``plan`` compares secrets and signs plan files."""

OWN = "bring the store's own key: no other does this"

_FORMAT = 1
_WORDS = {SEALING: "the sealing key (it opens secrets)", FINGERPRINTS: "the fingerprint key (it compares secrets)",
          AUDIT: "the audit key (it verifies events)", PLANS: "the plan key (it signs plan files)"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Handed:
    """One use of one workspace."""

    use: str
    """A word of :data:`USES`."""
    store_id: str
    workspace: str
    current: str
    """Id of the data key that the store worked with when it was made."""
    keys: Mapping[tuple[str, str], Key] = field(repr=False)
    """By data key id and purpose: one for each data key that the store still names."""

    def text(self) -> Secret:
        """As people keep it: one line."""
        keys = [
            {"data_key": data_key, "purpose": purpose, "id": _id(key), "key": key.text().reveal()}
            for (data_key, purpose), key in sorted(self.keys.items())
        ]
        whole = {"format": _FORMAT, "for": self.use, "store": self.store_id, "workspace": self.workspace,
                 "data_key": self.current, "keys": keys}  # fmt: skip
        return Secret(base64.b64encode(to_json(whole).encode()).decode())

    def lacking(self, workspace: str, purposes: Sequence[str]) -> StoreError | None:
        """What to raise where other purposes or another workspace are wanted: each that is not here, and who has it."""
        has = USES[self.use] if workspace == self.workspace else ()
        missing = [purpose for purpose in purposes if purpose not in has]
        if not missing:
            return None
        use = next((use for use, reaches in USES.items() if set(purposes) <= set(reaches)), "")
        hint = f"reconciler key export --for {use} -w {workspace}   makes one, with the store's own key" if use else OWN
        wanted = ", ".join(_WORDS[purpose] for purpose in missing)
        here = f"the key here is for {self.use} in {self.workspace}"
        return StoreError("key-lacks", f"wanted: {wanted} of {workspace}; {here}", hint)


def parse(text: Secret) -> Handed | None:
    """A handed key; None where the text is none, but perhaps a wrapping key.

    Raises StoreError ``key-malformed`` where it is one that was altered or copied incompletely.
    """
    try:
        found = base64.b64decode(text.reveal().strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(found) == KEY_BYTES or not found.startswith(b"{"):
        return None
    try:
        return _handed(json.loads(found))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise StoreError("key-malformed", "it begins as a handed key does, and is not whole")


def _handed(facts: Mapping[str, Any]) -> Handed:
    keys: dict[tuple[str, str], Key] = {}
    for one in facts["keys"]:
        key = Key.of(Secret(one["key"]))
        if _id(key) != one["id"]:
            raise ValueError("the key is not the one of its id")
        keys[one["data_key"], one["purpose"]] = key
    use, store_id, workspace, current = (facts[word] for word in ("for", "store", "workspace", "data_key"))
    whole = all(isinstance(text, str) for text in (use, store_id, workspace, current)) and facts["format"] == _FORMAT
    if not whole or use not in USES or {purpose for _, purpose in keys} != set(USES[use]):
        raise ValueError("it says something else than it holds")
    return Handed(use, store_id, workspace, current, keys)


def _id(key: Key) -> str:
    return key.id("reconciler-handed-key-id-1")
