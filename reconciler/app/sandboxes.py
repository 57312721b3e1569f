"""Use cases of the sandbox: serve it, and tell which secrets it accepts for a manifest."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from reconciler import manifest as manifests
from reconciler import sandbox, schema
from reconciler.app.preparing import What
from reconciler.errors import UsageError
from reconciler.model import Reference


def serve(port: int, delay: float, ready: Callable[[str], None]) -> None:
    """Serve the three providers on loopback until interrupted; ``ready`` is called with the address."""
    sandbox.run(port, ready, delay=delay)


def environment(what: What, folder: Path | None) -> dict[str, str]:
    """The value that the sandbox accepts for each ``env://`` reference; those of ``file://`` go into ``folder``.

    Raises UsageError where two credentials of different accounts share one reference: no value suits both.
    """
    found = _values(what)
    files = {text: value for text, value in found.items() if Reference.parse(text).scheme == "file"}
    if folder:
        for text, value in files.items():
            _write(folder, Reference.parse(text).path, value)
    return {Reference.parse(text).path: value for text, value in found.items() if text.startswith("env://")}


def _values(what: What) -> dict[str, str]:
    manifest = manifests.read(what.files, schema.builtin(), workspace=None, allow_empty=True)
    found: dict[str, str] = {}
    for name, credential in manifest.credentials.items():
        declared = credential.declared
        for key, text in declared.references.items():
            value = sandbox.right_secret(declared.provider, declared.settings, key)
            if found.setdefault(text, value) != value:
                raise UsageError("shared-reference", f"{text} stands at {name} and at another account's credential")
    return found


def _write(folder: Path, relative: str, value: str) -> None:
    """One file, 0600, in a folder that the operator named; the reference's form keeps it inside."""
    target = folder / relative
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(value + "\n")
    except OSError as error:
        raise UsageError("unreadable", f"{target}: {error.strerror}") from None
