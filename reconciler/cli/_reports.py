"""``--report FORMAT=PATH``: more reports from the same run, each written whole or not at all."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import click

from reconciler.codes import CODES
from reconciler.model import Problem
from reconciler.render import FORMATS
from reconciler.report import Report

LOOKED_AT = 65_536
"""So many bytes tell what a file is that would be replaced."""
_KEY = re.compile(rb"[A-Za-z0-9+/=:_.-]+\s*")
_MANIFEST = re.compile(rb"^(credentials|version):", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Target:
    """One report to write."""

    format: str
    path: Path


def targets(_context: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[Target, ...]:
    """``FORMAT=PATH``, checked before anything is done: what cannot be written then is a usage error."""
    found = tuple(_target(value) for value in values)
    if len({target.path.absolute() for target in found}) < len(found):
        raise click.BadParameter("two reports cannot have one path")
    return found


def _target(value: str) -> Target:
    format_, equals, text = value.partition("=")
    if not equals or not text or format_ not in FORMATS:
        raise click.BadParameter(f"{value!r} is not FORMAT=PATH, where FORMAT is one of {', '.join(FORMATS)}")
    path = Path(text)
    if path.is_dir():
        raise click.BadParameter(f"{text!r} is a folder")
    if not path.parent.is_dir():
        raise click.BadParameter(f"there is no folder {str(path.parent)!r}")
    if path.is_file() and not _replaceable(format_, path):
        raise click.BadParameter(f"{text!r} is there, and no {format_} report: it is not replaced")
    if not os.access(path if _special(path) else path.parent, os.W_OK):
        raise click.BadParameter(f"{text!r} cannot be written")
    return Target(format_, path)


def _replaceable(format_: str, path: Path) -> bool:
    """Whether an existing file is an earlier report, or empty: a store, a key or a manifest is not lost to a slip."""
    try:
        with path.open("rb") as file:
            head = file.read(LOOKED_AT)
    except OSError:
        return False
    if not head:
        return True
    if format_ == "json":
        return head.startswith(b"{") and b'"format_version"' in head and b'"command"' in head
    if format_ == "markdown":
        return head.startswith(b"<!-- reconciler:")
    if format_ == "github":
        return all(line.startswith(b"::") for line in head.splitlines()[:1])
    return not (b"\0" in head or head.startswith(b"{") or _KEY.fullmatch(head) or _MANIFEST.search(head))


def _special(path: Path) -> bool:
    """A pipe or a terminal is written to; only a file can be replaced."""
    return path.exists() and not path.is_file()


def write(
    wanted: tuple[Target, ...], report: Report, text: Callable[[str, Report], str], *, again: bool = False
) -> Report:
    """Write them all. What could not be written is a problem of the report that comes back.

    ``again``: what a run came to last is written over what was written before; a pipe had its report already.
    """
    code, problems = CODES["not-written"], list(report.problems)
    for target in wanted:
        if again and _special(target.path):
            continue
        try:
            _replace(target.path, text(target.format, report))
        except OSError as error:
            detail = f"--report {target.format}={target.path}: {error.strerror}"
            problem = Problem(code.name, code.summary, detail=detail, hint=code.hint)
            problems += [] if problem in problems else [problem]
    return replace(report, problems=tuple(problems))


def _replace(path: Path, text: str) -> None:
    if _special(path):
        # a named pipe that nobody reads from is an error at once, and no wait without end
        to = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        os.set_blocking(to, True)
        with os.fdopen(to, "w", encoding="utf-8") as special:
            special.write(text)
        return
    scratch = path.with_name(f".{os.urandom(8).hex()}.part")
    try:
        with scratch.open("x", encoding="utf-8") as file:
            file.write(text)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
