"""Use cases that give what is stored to a program or a person: which values, under which names."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler import exports, keyfiles, private, regular
from reconciler.app import revealing
from reconciler.app.revealing import Opened
from reconciler.app.wiring import Where
from reconciler.consumption import Revealed, prefix, together
from reconciler.errors import ReconcilerError, UsageError
from reconciler.report import Report
from reconciler.secret import Secret

OURS = "RECONCILER_"
"""Variables that begin so lead to the store and its key: no program that we start gets them."""
FIRST_LINE = 256
"""Bytes of a script that the system looks at."""
LOOKED_AT = 65_536
"""So many bytes tell what a file is that would be overwritten."""


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

    if not field:
        raise UsageError("no-such-field", "the name of the key is empty")

    def make(opened: Opened) -> tuple[Report, Secret]:
        (one,) = opened.revealed
        return report_of("read", opened, named=False), one.values[field]

    return revealing.reveal(where, [name], "read", make, field=field, public=not reveal)


def program(where: Where, names: Sequence[str], command: Sequence[str], *, prefixed: bool) -> tuple[Report, Program]:
    """The program with the credentials in its environment, everything of ours and of other accounts taken out.

    Raises ReconcilerError ``no-such-command`` and ``not-executable`` before anything is opened; UsageError
    ``variable-twice``; and as :func:`reconciler.app.revealing.reveal`.
    """
    path = _path(command[0], where.environ)

    def make(opened: Opened) -> tuple[Report, Program]:
        given = together(opened.revealed, prefixed=prefixed)
        _without_nul(given)
        # with prefixes no variable of a provider is set, and a left-over one would be another account's all the more
        given_to = (one.unset | (frozenset(one.variables) if prefixed else frozenset()) for one in opened.revealed)
        unset = frozenset[str]().union(*given_to) - given.keys()
        kept = {k: Secret(v) for k, v in where.environ.items() if not k.startswith(OURS) and k not in unset}
        return report_of("exec", opened, prefixed=prefixed), Program(path, tuple(command), {**kept, **given})

    return revealing.reveal(where, names, "exec", make)


@dataclass(frozen=True, slots=True)
class Target:
    """A file to write."""

    path: Path
    force: bool = False
    """Overwrite one that is there."""

    def check(self) -> None:
        """Raise UsageError where it cannot be written, before anything is read."""
        if not self.path.parent.is_dir():
            raise UsageError("no-such-file", f"--out {self.path}: there is no folder {self.path.parent}")
        if not os.path.lexists(self.path):
            return
        if self.path.is_symlink() or not self.path.is_file():
            raise UsageError("file-exists", str(self.path), "name another one")
        if not self.force:
            raise UsageError("file-exists", str(self.path))
        if _precious(regular.read(self.path, LOOKED_AT)):
            raise UsageError("file-exists", f"{self.path} is a database or a key", "name another one")

    def write(self, text: Secret) -> None:
        """Write it whole or not at all, 0600 from its first moment. Raises UsageError."""
        scratch = self.path.with_name(f".{os.urandom(8).hex()}.part")
        try:
            private.make_file(scratch, text.reveal().encode())
            if self.force:
                scratch.replace(self.path)
            else:
                # fails where somebody made it meanwhile
                self.path.hardlink_to(scratch)
        except FileExistsError:
            raise UsageError("file-exists", str(self.path)) from None
        except OSError as error:
            raise UsageError("not-written", f"{self.path}: {error.strerror}") from None
        finally:
            scratch.unlink(missing_ok=True)


def export(where: Where, names: Sequence[str], form: str, options: exports.Options) -> tuple[Report, Secret]:
    """Credentials as one file, all of the workspace where none is named.

    Raises UsageError where something has no place in this form, and as :func:`reconciler.app.revealing.reveal`.
    """

    def make(opened: Opened) -> tuple[Report, Secret]:
        text = exports.text(form, opened.revealed, replace(options, workspace=opened.header.workspace))
        return report_of("export", opened, prefixed=options.prefixed), Secret(text)

    return revealing.reveal(where, names or None, "export", make)


def _precious(beginning: bytes) -> bool:
    """Whether a file begins as a store or holds a key: what is lost with it no other file brings back."""
    return beginning.startswith(b"SQLite format 3\0") or keyfiles.is_key(beginning.decode("ascii", "replace"))


def _path(command: str, environ: Mapping[str, str]) -> str:
    """Where the program is. The two ways to fail are those of a shell."""
    search = environ.get("PATH", os.defpath)
    found = shutil.which(command, path=search)
    if found:
        _interpreter(found)
        return found
    there = command if "/" in command and os.path.lexists(command) else shutil.which(command, os.F_OK, search)
    if not there:
        raise ReconcilerError("no-such-command", command)
    if Path(there).is_dir():
        raise ReconcilerError("not-executable", f"{there} is a folder", "name a program")
    raise ReconcilerError("not-executable", f"{there} has no x bit", f"chmod +x {shlex.quote(there)}")


def _interpreter(path: str) -> None:
    """Raise ReconcilerError where a script's first line names an interpreter that is not there."""
    try:
        first = regular.read(Path(path), FIRST_LINE)
    except UsageError:
        # to run it does not take the right to read it
        return
    # not every white space ends the name: the carriage return of a file from Windows is a part of it
    line = re.match(rb"#![ \t]*([^ \t\n]+)", first)
    named = os.fsdecode(line[1]) if line else ""
    if named and not os.path.exists(named):  # noqa: PTH110 - never raises, whatever a file has there
        raise ReconcilerError("not-executable", f"{path}: its first line names {named!r}, and that is not there")


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
