"""Which files of the folder of secrets git keeps: such a secret is in every clone, and in every copy of its history.

Asks :mod:`reconciler.git` once for each repository, and only where a folder has one: above the folder of secrets, or in
it. Kept is what is in the index or in the last commit: a file that was taken out of the index alone is still there.
What only older commits hold is not looked for. Where git gives no answer, nothing is known, and nothing refused.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from reconciler import git


class Tracked:
    """Knows the files below one folder that git keeps."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._root = os.path.realpath(folder)
        self._folders: dict[str, str] = {}
        self._tops: dict[str, str] = {}
        self._kept: dict[str, frozenset[str]] = {"": frozenset()}

    def __contains__(self, path: str) -> bool:
        """Whether git keeps what ``path``, relative to the folder, leads to: a link's target, not the link."""
        real = self._real(path)
        top = self._top(real.rpartition("/")[0])
        if top not in self._kept:
            self._kept[top] = self._listed(top)
        return real in self._kept[top]

    def _real(self, path: str) -> str:
        folder, _, name = path.rpartition("/")
        if folder not in self._folders:
            # most secrets share a few folders, and to take links apart costs more than the rest
            self._folders[folder] = os.path.realpath(os.path.join(self._root, folder))  # noqa: PTH118
        whole = f"{self._folders[folder]}/{name}"
        return os.path.realpath(whole) if Path(whole).is_symlink() else whole

    def _top(self, folder: str) -> str:
        """The folder of the nearest repository that a folder is in, a submodule's included; empty where there is none.

        The folder of secrets stands for all above it: git is asked there, and tells no more than is below.
        """
        if folder not in self._tops:
            above = folder.rpartition("/")[0]
            if Path(f"{folder}/.git").exists():
                self._tops[folder] = self._root if self._root.startswith(f"{folder}/") else folder
            else:
                self._tops[folder] = self._top(above) if folder else ""
        return self._tops[folder]

    def _listed(self, folder: str) -> frozenset[str]:
        """What the repository of a folder keeps below it, whole paths."""
        asked = (("ls-files", "-z"), ("ls-tree", "-r", "-z", "--name-only", "HEAD"))
        said = (git.asked(words, folder, self._environ) or "" for words in asked)
        return frozenset(f"{folder}/{name}" for names in said for name in names.split("\0") if name)
