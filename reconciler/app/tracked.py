"""Which files of the folder of secrets git keeps: such a secret is in every clone, and in every copy of its history.

Asks :mod:`reconciler.git` once for each repository, and only where a folder has one: above the folder of secrets, or in
it. All that a file lies in are asked: a repository may keep a file that another one inside of it does not know. Kept is
what is in the index or in the last commit: a file that was taken out of the index alone is still there.
What only older commits hold is not looked for. Where git gives no answer, nothing is refused; it is told apart.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from reconciler import git
from reconciler.codes import CODES
from reconciler.model import Problem, Severity

TOLD = 10
"""So many files of one repository are named."""


class Tracked:
    """Knows the files below one folder that git keeps."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._root = os.path.realpath(folder)
        self._folders: dict[str, str] = {}
        self._around: dict[str, tuple[str, ...]] = {"": ()}
        self._kept: dict[str, frozenset[str] | None] = {}
        self._untold: dict[str, str] = {}

    @property
    def untold(self) -> Mapping[str, str]:
        """Of the files that were looked for and not found, those in a repository that git gave no answer about."""
        return self._untold

    def __contains__(self, path: str) -> bool:
        """Whether git keeps what ``path``, relative to the folder, leads to: a link's target, not the link."""
        real = self._real(path)
        found = {top: self._listed(top) for top in self._repositories(real.rpartition("/")[0])}
        if any(real in kept for kept in found.values() if kept):
            return True
        for top, kept in found.items():
            if kept is None:
                self._untold[path] = top
        return False

    def _real(self, path: str) -> str:
        folder, _, name = path.rpartition("/")
        if folder not in self._folders:
            # most secrets share a few folders, and to take links apart costs more than the rest
            self._folders[folder] = os.path.realpath(os.path.join(self._root, folder))  # noqa: PTH118
        whole = f"{self._folders[folder]}/{name}"
        return os.path.realpath(whole) if Path(whole).is_symlink() else whole

    def _repositories(self, folder: str) -> tuple[str, ...]:
        """The folders of the repositories that a folder is in, submodules included."""
        if folder not in self._around:
            here = (folder,) if Path(f"{folder}/.git").exists() else ()
            self._around[folder] = here + self._repositories(folder.rpartition("/")[0])
        return self._around[folder]

    def _listed(self, top: str) -> frozenset[str] | None:
        """What a repository keeps in the folder of secrets, whole paths; None where git does not say."""
        if top not in self._kept:
            self._kept[top] = self._asked(top)
        return self._kept[top]

    def _asked(self, top: str) -> frozenset[str] | None:
        """A repository above the folder of secrets tells no more than is in that."""
        within = ("--", self._root.removeprefix(f"{top}/")) if self._root.startswith(f"{top}/") else ()
        index = self._git(top, "ls-files", "-z", *within)
        last = self._git(top, "ls-tree", "-r", "-z", "--name-only", "HEAD", *within)
        if last is None and self._unborn(top):
            last = ""
        if index is None or last is None:
            return None
        return frozenset(f"{top}/{name}" for name in (index + last).split("\0") if name)

    def _unborn(self, top: str) -> bool:
        """Whether nothing was committed yet."""
        branch = self._git(top, "symbolic-ref", "-q", "HEAD")
        return branch is not None and self._git(top, "for-each-ref", branch.strip()) == ""

    def _git(self, top: str, *words: str) -> str | None:
        return git.asked(("--literal-pathspecs", *words), top, self._environ)


def warnings(untold: Mapping[str, str]) -> tuple[Problem, ...]:
    """One for each repository that git gave no answer about, with the files that may be in it."""
    code = CODES["git-silent"]
    told = []
    for top in sorted(set(untold.values())):
        paths = sorted(path for path, where in untold.items() if where == top)
        more = f" and {len(paths) - TOLD} more" if len(paths) > TOLD else ""
        files = ", ".join(f"file://{path}" for path in paths[:TOLD]) + more
        told.append(Problem(code.name, code.summary, detail=f"{files}: git gives no answer about {top}",
                            hint=code.hint, severity=Severity.WARNING))  # fmt: skip
    return tuple(told)
