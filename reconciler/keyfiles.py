"""Files that hold a key: where they are, written 0600 and never overwritten, read only where nobody else could."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Mapping
from pathlib import Path

from reconciler import private, subkeys
from reconciler.errors import StoreError, UsageError
from reconciler.keys import Key
from reconciler.secret import Secret

_KEY = re.compile(r"[A-Za-z0-9+/_-]{43}=?|eyJ[A-Za-z0-9+/_=-]{40,}", re.ASCII)
"""What a wrapping key or a handed one looks like, and no path does."""


def default_key_file(store_id: str, environ: Mapping[str, str]) -> Path:
    """Where a store's key is kept: ``~/.config/reconciler/keys/<store id>.key``, or below ``XDG_CONFIG_HOME``.

    A relative ``XDG_CONFIG_HOME`` is ignored, as the XDG base directory specification asks. Raises StoreError
    ``key-missing`` where this user has no home.
    """
    config = Path(environ.get("XDG_CONFIG_HOME", ""))
    if not config.is_absolute():
        config = Path(environ.get("HOME") or _home()) / ".config"
    return config / "reconciler" / "keys" / f"{store_id}.key"


def _home() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        # a container may run under a number that no user database knows
        raise StoreError("key-missing", "this user has no home folder") from None


def is_key(text: str) -> bool:
    """Whether a text has the form of a key, ours or a handed one."""
    return _KEY.fullmatch(text.strip()) is not None


def named(text: str) -> Path:
    """The path of a key file as somebody gave it.

    Raises UsageError where a key itself stands there, without repeating it: it would be shown as a file's name is.
    """
    if is_key(text):
        raise UsageError("usage", "--key-file takes the path of a file, and this is a key itself (not repeated here)",
                         "put it into a file of mode 0600, or into RECONCILER_KEY; it was on a command line, so "
                         "other users of this machine may have seen it")  # fmt: skip
    return Path(text)


def write_key_file(path: Path, key: Secret) -> None:
    """Keep a wrapping key: 0600, folders made 0700, an existing file never touched.

    Raises StoreError ``key-refused-file`` where it cannot be written.
    """
    Key.of(key)
    try:
        private.make_folders(path.parent)
        private.make_file(path, f"{key.reveal().strip()}\n".encode())
    except FileExistsError:
        raise StoreError("key-refused-file", f"{path} exists and is never overwritten", "name another file") from None
    except OSError as error:
        raise StoreError("key-refused-file", f"{path} cannot be written: {error.strerror}") from None


def read_key_file(path: Path) -> Secret:
    """Read a wrapping key.

    Raises StoreError: ``key-missing``; ``key-refused-file`` (with the command that mends it) where others could read or
    swap it; ``key-malformed``.
    """
    key = _text_of(path)
    if not subkeys.parse(key):
        Key.of(key)
    return key


def _text_of(path: Path) -> Secret:
    try:
        return Secret(private.read_file(path, "key-refused-file").decode("ascii", "replace").strip())
    except (FileNotFoundError, NotADirectoryError):
        raise StoreError("key-missing", f"there is no {path}") from None
    except OSError as error:
        raise StoreError("key-refused-file", f"{path} cannot be read: {error.strerror}") from None
