"""The form of what events say, for those who look into them: a log may hold what somebody else wrote. Pure.

Whether an event is one of ours is what its mac tells, and ``audit verify`` needs no more. What shows, replays or
follows events takes their bodies for what this program writes, and would break on another form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.audit import Link
from reconciler.errors import StoreError

_TEXTS = dict.fromkeys(("provider", "from", "to", "problem", "how", "digest", "plan"), str)
_NUMBERS = dict.fromkeys(("restores", "given", "read"), int)
_LISTS = {key: [str] for key in ("reasons", "keys", "secrets_gone")}
_LEASE = dict.fromkeys(("id", "actor", "host", "since"), str) | {"pid": int}
_ANY = object
FORM: Mapping[str, Any] = {
    **_TEXTS, **_NUMBERS, **_LISTS,
    "versions": [int],
    "fields": [(str, _ANY, _ANY)],
    "secrets": {str: str},
    "fingerprints": {str: (str, str)},
    "verdict": {"answer": str, "code": str, "http_status": int, "provider_code": str, "request_id": str},
    "status": (str, str),
    "kept": {"version": int, "until": str},
    "who": {str: str},
    "lease": _LEASE,
}  # fmt: skip
"""What each key of a body holds, where it is there: a type, ``[each]``, ``(each, in order)``, ``{str: each}`` or
``{key: its form}``. Keys that are not named here may hold anything: a later program may have more to say."""


def formed(workspace: str, chain: Iterable[Link]) -> None:
    """Raise StoreError ``tampered`` for the first event whose body has another form than one that is written here."""
    for seq, event, _ in chain:
        for key, value in event.body.items():
            if not _fits(value, FORM.get(key, _ANY)):
                raise StoreError("tampered", f"event {seq} of {workspace} cannot be read: its {key} has another form")


def _fits(value: Any, form: Any) -> bool:
    match form:
        case tuple():
            return isinstance(value, list) and len(value) == len(form) and all(map(_fits, value, form))
        case [each]:
            return isinstance(value, list) and all(_fits(one, each) for one in value)
        case dict():
            if not isinstance(value, dict):
                return False
            return all(_fits(one, form.get(str, form.get(key, _ANY))) for key, one in value.items())
    return isinstance(value, form) and (form is not int or not isinstance(value, bool))
