"""Files that are ours alone: made 0600 in folders of 0700, and refused where anybody else could read or swap them."""

from __future__ import annotations

import errno
import os
import shlex
import stat
from pathlib import Path

from reconciler.errors import StoreError


def make_folders(folder: Path) -> None:
    """Make the folder and its missing parents, each 0700; those that exist stay as they are. Raises OSError."""
    if folder.is_dir():
        return
    make_folders(folder.parent)
    try:
        # another process may make it at the same moment
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, f"{folder} is not a folder") from None


def make_file(path: Path, content: bytes = b"") -> None:
    """Make the file, 0600 from its first moment, and see it on the disk.

    Raises FileExistsError where anything has that name, a dangling link included; other OSError as they come.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        # whatever umask or inherited rules made of it
        os.fchmod(descriptor, 0o600)
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def read_file(path: Path, code: str, limit: int = 4096) -> bytes:
    """The beginning of a file that is ours alone.

    Raises StoreError ``code`` where it is not, with the command that mends it; FileNotFoundError where it is absent.
    """
    check(path, path.lstat(), code)
    # opened without following a link, and looked at again: what was checked is what is read
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        check(path, os.fstat(descriptor), code)
        return file.read(limit)


def check(path: Path, found: os.stat_result, code: str) -> None:
    """Raise StoreError ``code`` unless ``found`` is a regular file of ours that nobody else may read or write."""
    quoted = shlex.quote(str(path))
    us = os.geteuid()
    if stat.S_ISLNK(found.st_mode):
        raise StoreError(code, f"{path} is a link", "name the file that it leads to")
    if not stat.S_ISREG(found.st_mode):
        raise StoreError(code, f"{path} is not a regular file", "name a regular file")
    if found.st_uid != us:
        raise StoreError(
            code, f"{path} belongs to user {found.st_uid}, and this runs as user {us}", f"sudo chown {us} {quoted}"
        )
    if found.st_mode & 0o077:
        mode = stat.S_IMODE(found.st_mode)
        raise StoreError(code, f"{path} is open to others (mode {mode:04o})", f"chmod 600 {quoted}")


def check_folder(folder: Path, code: str) -> None:
    """Raise StoreError ``code`` where somebody else could put another file in the place of one in this folder.

    A folder with the sticky bit lets nobody do that to a file that is not theirs.
    """
    found = folder.stat()
    if found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX:
        who = "anybody" if found.st_mode & stat.S_IWOTH else "its group"
        hint = f"chmod go-w {shlex.quote(str(folder))}, or name a path in a folder of its own"
        raise StoreError(code, f"{who} may replace files in {folder}", hint)
