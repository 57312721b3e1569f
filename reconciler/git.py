"""What git says of a folder: the commit, and whether files differ. Starts no program that the repository names."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 10
_NO_PROGRAMS = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_PASSED = ("PATH", "HOME", "XDG_CONFIG_HOME")
"""What git may know of the environment: none of the secrets that references name."""


@dataclass(frozen=True, slots=True)
class State:
    """A commit, empty where there is none, and whether the files that were asked about differ from it."""

    commit: str = ""
    dirty: bool | None = None
    """None where nobody can tell."""


def state(paths: Sequence[Path], environ: Mapping[str, str]) -> State:
    """The commit of the first path's folder, and whether any path differs. Says nothing where git does not."""
    folder = paths[0] if paths[0].is_dir() else paths[0].parent
    command = ("git", "--no-optional-locks", *_NO_PROGRAMS, "-C", str(folder), "status", "--porcelain=v2", "--branch",
               "--untracked-files=all", "--ignored", "--", *(str(path.absolute()) for path in paths))  # fmt: skip
    env = {name: environ[name] for name in _PASSED if name in environ}
    try:
        done = subprocess.run(  # noqa: S603 -- a fixed command; paths stand behind --
            command, env=env | {"LC_ALL": "C"}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace", timeout=_SECONDS, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return State()
    return _read(done.stdout)


def _read(said: str) -> State:
    commit, dirty = "", False
    for line in said.splitlines():
        if line.startswith("# branch.oid "):
            commit = line.removeprefix("# branch.oid ")
        elif not line.startswith("#"):
            dirty = True
    return State(commit, dirty) if commit and commit != "(initial)" else State()
