"""Use cases that give what is stored to a program or a person: which values, under which names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.app import revealing
from reconciler.app.revealing import Opened
from reconciler.app.wiring import Where
from reconciler.consumption import Revealed, prefix, together
from reconciler.errors import ReconcilerError, UsageError
from reconciler.report import Report
from reconciler.secret import Secret

OURS = "RECONCILER_"
"""Variables that begin so lead to the store and its key: no program that we start gets them."""


@dataclass(frozen=True, slots=True)
class Program:
    """What ``exec`` becomes."""

    path: str
    arguments: tuple[str, ...]
    environ: Mapping[str, Secret]


def read(where: Where, name: str, field: str, *, reveal: bool) -> tuple[Report, Secret]:
    """One value: a public one, or with ``reveal`` a secret.

    Raises UsageError ``not-revealed``, and as :func:`reconciler.app.revealing.reveal`.
    """
    opened = revealing.reveal(where, [name], "read", field, public=not reveal)
    (one,) = opened.revealed
    return report_of("read", opened, named=False), one.values[field]


def program(where: Where, names: Sequence[str], command: Sequence[str], *, prefixed: bool) -> tuple[Report, Program]:
    """The program with the credentials in its environment, everything of ours and of other accounts taken out.

    Raises ReconcilerError ``no-such-command`` and ``not-executable`` before anything is opened; UsageError
    ``variable-twice``; and as :func:`reconciler.app.revealing.reveal`.
    """
    path = _path(command[0], where.environ)
    opened = revealing.reveal(where, names, "exec")
    given = together(opened.revealed, prefixed=prefixed)
    _without_nul(given)
    unset = frozenset[str]() if prefixed else frozenset().union(*(one.unset for one in opened.revealed))
    kept = {k: Secret(v) for k, v in where.environ.items() if not k.startswith(OURS) and k not in unset}
    return report_of("exec", opened, prefixed=prefixed), Program(path, tuple(command), {**kept, **given})


def _path(command: str, environ: Mapping[str, str]) -> str:
    """Where the program is. The two ways to fail are those of a shell."""
    search = environ.get("PATH", os.defpath)
    found = shutil.which(command, path=search)
    if found:
        return found
    there = os.path.lexists(command) if "/" in command else shutil.which(command, os.F_OK, search)
    raise ReconcilerError("not-executable" if there else "no-such-command", command)


def _without_nul(given: Mapping[str, Secret]) -> None:
    """Raise UsageError where a value cannot stand in an environment. None that this tool stored holds such a one."""
    for name, value in given.items():
        if "\0" in value.reveal():
            raise UsageError("not-written", f"{name} holds a NUL, which no environment can hold")


def report_of(command: str, opened: Opened, *, prefixed: bool = False, named: bool = True) -> Report:
    """Which credentials were given to what; their values stand in no report."""
    given = [_given(one, prefixed=prefixed, named=named) for one in opened.revealed]
    return Report(command, header=opened.header, problems=opened.problems, facts={"given": given})


def _given(one: Revealed, *, prefixed: bool, named: bool) -> dict[str, object]:
    before = prefix(one.name) if prefixed else ""
    facts: dict[str, object] = {
        "name": one.name,
        "provider": one.provider,
        "version": one.version,
        "keys": sorted(one.values),
        "secrets": sorted(one.secrets),
    }
    return {**facts, "variables": sorted(before + name for name in one.variables)} if named else facts
