"""Files that people name: read where they are regular files, and never waited for."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from reconciler.errors import UsageError


def read(path: Path, most: int, said: str = "", hint: str = "name a regular file", absent: str = "") -> bytes:
    """The file's bytes, one more than ``most`` where it has more. ``said`` is how a message names it, else its path.

    Raises UsageError ``no-such-file``, with ``absent`` as hint, and ``unreadable`` for a pipe, a device or a folder,
    with ``hint``.
    """
    said = said or str(path)
    try:
        # not waiting for a writer: a pipe by name could keep a run for ever
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UsageError("unreadable", f"{said} is not a regular file", hint)
            return file.read(most + 1)
    except (FileNotFoundError, NotADirectoryError):
        folder = "" if path.is_absolute() else f", in {Path.cwd()}"
        raise UsageError("no-such-file", f"{said}{folder}", absent) from None
    except OSError as error:
        raise UsageError("unreadable", f"{said}: {error.strerror}") from None
