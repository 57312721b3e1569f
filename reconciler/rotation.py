"""What ``--secrets-only`` leaves of a manifest: new values of stored secrets, and earlier submissions again. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.model import Credential
from reconciler.state import Record, Rejection


@dataclass(frozen=True, slots=True)
class Rotation:
    """The entries to plan, and those of which something waits for a whole apply."""

    credentials: Mapping[str, Credential]
    """As they are stored, or as they were submitted before."""
    left_out: tuple[str, ...]


def only_secrets(
    credentials: Mapping[str, Credential], records: Mapping[str, Record], rejections: Mapping[str, Rejection]
) -> Rotation:
    """Each entry as it is stored already, or as it was refused before; whatever else it says is left out."""
    kept: dict[str, Credential] = {}
    left_out: list[str] = []
    for name, credential in credentials.items():
        rejection = rejections.get(name)
        renames = credential.moved_from in records and name not in records
        if rejection and rejection.declared == credential.declared and not renames:
            kept[name] = credential
            continue
        stored = _as_stored(credential, records)
        if stored:
            kept[stored.name] = stored
        if stored != credential:
            left_out.append(name)
    return Rotation(kept, tuple(left_out))


def _as_stored(credential: Credential, records: Mapping[str, Record]) -> Credential | None:
    """The entry as its record has it, under the old name where it waits to be renamed; None where nothing is stored."""
    record = records.get(credential.name) or records.get(credential.moved_from)
    if record is None:
        return None
    return replace(credential, name=record.name, declared=record.declared, moved_from=record.old_name)
