"""Codes of handing out what is stored: ``exec``, ``read``, ``export`` and the Python interface."""

from __future__ import annotations

from reconciler.codes.base import Code, Exit, Fault, usage

ROWS = (
    usage("not-revealed", "this shows a secret", "if it is meant: --reveal"),
    usage("no-such-field", "the credential has no such key", "reconciler get NAME  shows its keys"),
    usage("variable-twice", "two credentials set the same variable", "name one of them, or give --prefix"),
    usage("not-quotable", "a value cannot be written so that its reader gets it back", "another --format"),
    usage("file-exists", "there is a file of that name", "name another one, or overwrite it with --force"),
    usage("not-written", "the output could not be written", "check the path, the disk and the permissions"),
    Code("no-such-command", Fault.PERSON, Exit.NO_COMMAND, "there is no such program", "check the name and PATH"),
    Code(
        "not-executable",
        Fault.PERSON,
        Exit.NOT_EXECUTABLE,
        "the program cannot be run",
        "a script needs a first line that names its interpreter; or name that yourself: exec NAME -- sh FILE",
    ),
)
