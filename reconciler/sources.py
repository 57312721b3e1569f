"""Paths given with ``-f`` to files and their texts: a folder's YAML files are read; what is left out is said."""

from __future__ import annotations

import os
import re
import shlex
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path

from reconciler import regular
from reconciler.codes import CODES
from reconciler.errors import UsageError
from reconciler.model import Place, Problem, Severity
from reconciler.trouble import Trouble
from reconciler.yamlreader import decode

STDIN = "-"
LARGEST = 64 * 1024 * 1024
"""Bytes of one file."""

SUFFIXES = (".yaml", ".yml")

_LOOKED_AT = 1024 * 1024
"""Bytes of a file that is not read, in which a manifest's key is looked for."""
_MOST_FILES = 2000
"""Files under one folder that are looked at so."""
_CREDENTIALS = re.compile(rb"^credentials:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Source:
    """One file as it was given, with its text or what is wrong with it as a whole."""

    name: str
    text: str = field(default="", repr=False)
    trouble: Trouble | None = None


def find(paths: Sequence[Path]) -> tuple[list[Path], list[Problem]]:
    """The files behind the paths, each once, and a warning for each thing that looks like one and is not read.

    Raises UsageError for a folder that cannot be listed.
    """
    files: dict[str, Path] = {}
    warnings = []
    for path in paths:
        if _is_folder(path):
            inside, left_out = _folder(path)
            warnings += left_out
        else:
            inside = [path]
        for file in inside:
            files.setdefault(_real(file), file)
    return list(files.values()), [_not_read(path) for path in warnings if os.path.realpath(path) not in files]


def load(path: Path) -> Source:
    """Read one file, or standard input for ``-``. Raises UsageError ``no-such-file`` or ``unreadable``."""
    data = (
        _standard_input()
        if str(path) == STDIN
        else regular.read(
            path, LARGEST, hint="pass a pipe as  -f -", absent="check the path and the folder; -f names the manifest"
        )
    )
    if len(data) > LARGEST:
        return Source(str(path), trouble=_whole("too-large"))
    try:
        return Source(str(path), decode(data))
    except ValueError as error:
        line, column, why = error.args
        return Source(str(path), trouble=_whole("not-utf8", why, (line, column)))


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise UsageError("unreadable", f"{path}: {error.strerror}") from None


def _real(path: Path) -> str:
    try:
        return os.path.realpath(path)
    except OSError as error:
        raise UsageError("unreadable", f"{path}: {error.strerror}") from None


@cache
def _standard_input() -> bytes:
    """Read once a run: apply reads its manifest again under the lease, and a pipe gives its content only once."""
    try:
        return sys.stdin.buffer.read(LARGEST + 1) if sys.stdin is not None else b""
    except OSError as error:
        raise UsageError("unreadable", f"-: {error.strerror}") from None


def _whole(code: str, detail: str = "", mark: tuple[int, int] = (1, 1)) -> Trouble:
    return Trouble(code, (), CODES[code].summary, detail, CODES[code].hint, mark=mark)


def _folder(folder: Path) -> tuple[list[Path], list[Path]]:
    """A folder's own YAML files in order of name, and what else in it holds a manifest's key."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise UsageError("unreadable", f"{folder}: {error.strerror}") from None
    read: list[Path] = []
    left_out: list[Path] = []
    for path in entries:
        if path.is_dir():
            inside = _below(path) if not path.name.startswith(".") else ()
            left_out += islice(filter(_holds_credentials, inside), 1)
        elif _is_yaml(path):
            read.append(path)
        elif _holds_credentials(path):
            left_out.append(path)
    for path in read:
        if path.exists() and not path.is_file():
            raise UsageError("unreadable", f"{path}: not a regular file")
    return read, left_out


def _is_yaml(path: Path) -> bool:
    """Files whose name begins with a dot are an editor's, not the manifest's."""
    return path.suffix in SUFFIXES and not path.name.startswith(".")


def _below(folder: Path) -> Iterator[Path]:
    """YAML files at any depth, up to a bound; links to folders are not followed."""
    seen = 0
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            seen += 1
            if seen > _MOST_FILES:
                return
            if Path(name).suffix in SUFFIXES:
                yield Path(root, name)


def _holds_credentials(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return _CREDENTIALS.search(file.read(_LOOKED_AT)) is not None
    except OSError:
        return False


def _not_read(path: Path) -> Problem:
    code = CODES["not-read"]
    detail, hint = "only *.yaml and *.yml are read", code.hint
    if _is_yaml(path):
        detail, hint = "a folder's sub-folders are not read", f"pass it too: -f {shlex.quote(str(path.parent))}"
    elif path.suffix in SUFFIXES:
        detail, hint = "a name that begins with a dot is an editor's", "pass it with -f, or rename it without the dot"
    return Problem(code.name, code.summary, Place(str(path), 1, 1), "", detail, hint, Severity.WARNING)
