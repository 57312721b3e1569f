"""Writing to stdout and stderr, where a reader may go away at any time."""

from __future__ import annotations

import os
import sys
from typing import IO

import click


def out(text: str, *, err: bool = False) -> None:
    """Write, where somebody reads: a reader that went away (``| head``) changes no result.

    Any other failure to write is told on stderr; the exit code stays the one of the work that was done.
    """
    try:
        click.echo(text, nl=False, err=err)
    except BrokenPipeError:
        forget(sys.stdout)
    except OSError as error:
        forget(sys.stdout)
        tell(f"error: the output could not be written: {error.strerror}")


def tell(text: str) -> None:
    """One line on stderr; where the terminal went away, nobody is left to be told, and the work goes on."""
    try:
        click.echo(text, err=True)
    except OSError:
        forget(sys.stderr)


def forget(stream: IO[str] | None) -> None:
    """Let nothing that is still buffered fail again when the program ends."""
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
