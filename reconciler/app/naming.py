"""One credential by its name, or by the one that it had before: the same answer for every command that reads one."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from reconciler.codes import CODES
from reconciler.errors import UsageError
from reconciler.model import Problem, Severity
from reconciler.state import Record
from reconciler.trouble import nearest


def find(records: Mapping[str, Record], name: str) -> Record | None:
    """The record that answers to a name: its own or, while ``moved_from`` stands, the one before.

    The same as :meth:`reconciler.stores.base.Store.find` where everything is loaded already.
    """
    if name in records:
        return records[name]
    renamed = [record for record in records.values() if record.old_name == name]
    return renamed[0] if len(renamed) == 1 else None


def warnings(name: str, found: Record) -> tuple[Problem, ...]:
    """The warning that a name is an old one, where it is."""
    if found.name == name:
        return ()
    code = CODES["old-name"]
    detail = f"{name} is {found.name} now; the old name reads on until moved_from goes from its entry"
    hint = f"use {found.name} wherever {name} stands"
    return (Problem(code.name, code.summary, subject=name, detail=detail, hint=hint, severity=Severity.WARNING),)


def moved(name: str, new: str, command: str) -> UsageError:
    """That a name was left by a rename that is done; ``command`` does for the new one what was asked for."""
    return UsageError("no-such-name", f"{name} is {new} now", command)


def unknown(name: str, names: Collection[str], listing: str = "") -> UsageError:
    """That nothing answers to a name, with the one that was probably meant, else the command that lists them."""
    close = nearest(name, names)
    return UsageError("no-such-name", name, f"did you mean {close}?" if close else listing)
