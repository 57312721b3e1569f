"""``file://path``: a file inside the folder of secrets, and nowhere else.

The path is walked one name at a time from the open folder, so that nothing on the way can be exchanged for a link to
somewhere else. Links are taken apart by hand and lead on only where they stay inside: mounted Kubernetes secrets are
links (``token -> ..data/token``, ``..data -> ..2026_11_23``).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from reconciler import references
from reconciler.errors import SecretUnavailable
from reconciler.resolvers.base import Surroundings, usable
from reconciler.secret import Secret

LARGEST = 64 * 1024
"""Bytes of one file."""

MOST_LINKS = 16

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""Never waits: opening a pipe that nobody writes to returns at once, and is refused afterwards."""


class FileResolver:
    """Reads regular files below ``secrets_dir``, up to :data:`LARGEST` bytes."""

    scheme = "file"

    def resolve(self, path: str, around: Surroundings) -> Secret:
        return usable(self.read(path, around))

    def read(self, path: str, around: Surroundings) -> str:
        """Give the file's text. Raises SecretUnavailable where there is none, or it is not a text inside the folder."""
        if why := references.bad_path(path):
            raise SecretUnavailable("secret-missing", why)
        try:
            descriptor = _open(path, around.secrets_dir)
        except OSError as error:
            why = (error.strerror or "it cannot be opened").lower()
            raise SecretUnavailable("secret-missing", f"in {around.secrets_dir.absolute()}: {why}") from None
        return _text(descriptor)


def _text(descriptor: int) -> str:
    """What a regular file holds; closes the descriptor."""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SecretUnavailable("secret-missing", "it is not a regular file")
        data = os.read(descriptor, LARGEST + 1)
    finally:
        os.close(descriptor)
    if len(data) > LARGEST:
        raise SecretUnavailable("secret-malformed", f"the file is larger than {LARGEST // 1024} KiB")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise SecretUnavailable("secret-malformed", "the file is not text") from None


def _open(path: str, root: Path) -> int:
    """Open what ``path`` leads to inside ``root``. Raises OSError, or SecretUnavailable where it leads out."""
    folders = [os.open(root, _FOLDER)]
    names, links = path.split("/")[::-1], 0
    try:
        while names:
            name = names.pop()
            target = _link(name, folders[-1])
            if target is not None:
                links += 1
                if links > MOST_LINKS:
                    raise SecretUnavailable("secret-missing", "too many links")
                names += _inside(target, root, folders)[::-1]
            elif name == "..":
                _leave(folders)
            elif names:
                folders.append(os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folders[-1]))
            else:
                return os.open(name, _FILE, dir_fd=folders[-1])
        raise SecretUnavailable("secret-missing", "it is a folder")
    finally:
        for folder in folders:
            os.close(folder)


def _link(name: str, folder: int) -> str | None:
    """Where a link leads; ``None`` for anything else, or nothing."""
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError:
        return None


def _inside(target: str, root: Path, folders: list[int]) -> list[str]:
    """The names that a link leads on to. An absolute one goes back to ``root``, if it begins there."""
    if target.startswith("/"):
        base = os.path.realpath(root)
        if not target.startswith(base + "/"):
            raise _outside()
        while len(folders) > 1:
            os.close(folders.pop())
        target = target.removeprefix(base)
    return [name for name in target.split("/") if name not in ("", ".")]


def _leave(folders: list[int]) -> None:
    if len(folders) == 1:
        raise _outside()
    os.close(folders.pop())


def _outside() -> SecretUnavailable:
    return SecretUnavailable("secret-missing", "a link leads out of the folder of secrets (--secrets-dir)")
