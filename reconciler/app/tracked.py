"""Which files of the folder of secrets git keeps: such a secret is in every clone, and in every copy of its history.

Asks :mod:`reconciler.git` once a run, and only where a folder above holds a repository. Where it gives no answer,
nothing is known, and nothing refused.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from reconciler import git


class Tracked:
    """Knows the files below one folder that git keeps."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._root = os.path.realpath(folder)
        self._folders: dict[str, str] = {}

    def __contains__(self, path: str) -> bool:
        """Whether git keeps what ``path``, relative to the folder, leads to: a link's target, not the link."""
        return bool(self._files) and self._real(path) in self._files

    def _real(self, path: str) -> str:
        folder, _, name = path.rpartition("/")
        if folder not in self._folders:
            # most secrets share a few folders, and to take links apart costs more than the rest
            self._folders[folder] = os.path.realpath(os.path.join(self._root, folder))  # noqa: PTH118
        whole = f"{self._folders[folder]}/{name}"
        return os.path.realpath(whole) if Path(whole).is_symlink() else whole

    @cached_property
    def _files(self) -> frozenset[str]:
        if not any((above / ".git").exists() for above in (Path(self._root), *Path(self._root).parents)):
            return frozenset()
        return frozenset(f"{self._root}/{name}" for name in self._listed().split("\0") if name)

    def _listed(self) -> str:
        """Paths relative to the folder, each with a NUL behind it."""
        return git.asked(("ls-files", "-z"), self._root, self._environ) or ""
