"""Which files of the folder of secrets git keeps: such a secret is in every clone, and in every copy of its history.

Asks ``git`` once a run, and only where a folder above holds a repository. A repository may come from anybody, so no
program that its configuration names is started: no file-system monitor, hook, filter, pager or transport. Without git,
or where it gives no answer (it may not trust the folder's owner), nothing is known, and nothing refused.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

LOG = logging.getLogger(__name__)
SECONDS = 10.0
_SAFELY = (
    "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "protocol.allow=never",
    "-c", "safe.bareRepository=explicit", "--no-optional-locks", "--no-pager",
)  # fmt: skip
_KEPT = ("PATH", "HOME", "XDG_CONFIG_HOME")
"""All that git gets of the environment: where its own settings are, and none that a run was given."""


class Tracked:
    """Knows the files below one folder that git keeps."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._environ = {name: environ[name] for name in _KEPT if name in environ}
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
        import shutil
        import subprocess

        git = shutil.which("git", path=self._environ.get("PATH"))
        if git is None:
            LOG.info("no git here: whether it keeps a secret's file is not known")
            return ""
        try:
            done = subprocess.run(  # noqa: S603 -- fixed words and an absolute program
                [git, *_SAFELY, "ls-files", "-z"], cwd=self._root, env=self._environ | {"LC_ALL": "C"},
                stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=True,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as error:
            LOG.info("git did not say which files it keeps: %s", type(error).__name__)
            return ""
        return os.fsdecode(done.stdout)
