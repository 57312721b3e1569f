"""Writing to stdout and stderr, where a reader may go away at any time, and a disk may be full.

A reader that went away (``| head``, a terminal that was closed) changes no result and is not told. Anything else that
keeps the product from being written is: it is cut off, and must not look whole.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import suppress
from typing import IO

import click


def out(text: str, *, err: bool = False) -> str:
    """Write; answers why the product on stdout could not be written, where there is somebody to read it."""
    try:
        click.echo(text, nl=False, err=err)
    except OSError as error:
        stream = sys.stderr if err else sys.stdout
        why = "" if err or reader_gone(error, stream) else f"stdout: {error.strerror}"
        forget(stream)
        return why
    return ""


def tell(text: str) -> None:
    """One line on stderr; where the terminal went away, nobody is left to be told, and the work goes on."""
    out(f"{text}\n", err=True)


def reader_gone(error: OSError, stream: IO[str] | None) -> bool:
    """Whether it failed because nobody reads any more: a pipe without a reader, a terminal that was closed."""
    return isinstance(error, BrokenPipeError) or (error.errno == errno.EIO and _is_device(stream))


def _is_device(stream: IO[str] | None) -> bool:
    # a terminal that was closed does not call itself one any more
    with suppress(OSError, ValueError):
        return stream is not None and stat.S_ISCHR(os.fstat(stream.fileno()).st_mode)
    return False


def forget(stream: IO[str] | None) -> None:
    """Let nothing that is still buffered fail again when the program ends."""
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
