"""What git says of a folder. A repository may come from anybody: no program that its configuration names is started.

No file-system monitor, hook, filter, pager or transport: so a folder of another owner, as a job in a container has it,
may be asked about too. Without git, or where it gives no answer, nothing is known.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

LOG = logging.getLogger(__name__)
SECONDS = 10.0
_SAFELY = (
    "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "protocol.allow=never",
    "-c", "safe.bareRepository=explicit", "-c", "safe.directory=*", "--no-optional-locks", "--no-pager",
)  # fmt: skip
_KEPT = ("PATH", "HOME", "XDG_CONFIG_HOME")
"""All that git gets of the environment: where its own settings are, and none that a run was given."""


@dataclass(frozen=True, slots=True)
class State:
    """A commit, empty where there is none, and whether the files that were asked about differ from it."""

    commit: str = ""
    dirty: bool | None = None
    """None where nobody can tell."""


def state(files: Sequence[Path], environ: Mapping[str, str]) -> State:
    """The commit of the folder of the first file, and whether any of them is not in it, byte for byte.

    ``git status`` would start the filters that a repository names; so the files are hashed here.
    """
    said = asked(("rev-parse", "HEAD", "--show-toplevel"), files[0].parent, environ)
    commit, _, top = (said or "").rstrip("\n").partition("\n")
    if not top:
        return State()
    try:
        names = [os.path.relpath(file.resolve(), top) for file in files]
        here = {name: _blob(file.read_bytes(), commit) for name, file in zip(names, files, strict=True)}
    except OSError:
        return State(commit)
    kept = asked(("ls-tree", "-z", "-r", "HEAD", "--", *names), top, environ)
    return (
        State(commit) if kept is None else State(commit, dirty=here != dict(map(_kept, filter(None, kept.split("\0")))))
    )


def _blob(content: bytes, commit: str) -> str:
    """The name that git gives to a file's content: SHA-1, or SHA-256 where commits are named so."""
    kind = hashlib.sha256 if len(commit) == 64 else partial(hashlib.sha1, usedforsecurity=False)
    return kind(b"blob %d\0" % len(content) + content).hexdigest()


def _kept(line: str) -> tuple[str, str]:
    """``MODE blob NAME<tab>PATH`` as path and name."""
    about, _, path = line.partition("\t")
    return path, about.split()[-1]


def asked(arguments: Sequence[str], folder: str | Path, environ: Mapping[str, str]) -> str | None:
    """What one command of git prints, run in a folder; None where it gives no answer."""
    import shutil
    import subprocess

    git = shutil.which("git", path=environ.get("PATH"))
    if git is None:
        LOG.info("no git here: what it knows is not known")
        return None
    env = {name: environ[name] for name in _KEPT if name in environ}
    try:
        done = subprocess.run(  # noqa: S603 -- an absolute program; what people name stands behind --
            [git, *_SAFELY, *arguments], cwd=folder, env=env | {"LC_ALL": "C"}, stdin=subprocess.DEVNULL,
            capture_output=True, timeout=SECONDS, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        LOG.info("git gave no answer: %s", type(error).__name__)
        return None
    return os.fsdecode(done.stdout)
