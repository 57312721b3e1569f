"""Use cases of the sandbox: serve it, and tell which secrets it accepts for a manifest."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from reconciler import manifest as manifests
from reconciler import regular, sandbox
from reconciler.app import plugged
from reconciler.app.preparing import What
from reconciler.errors import UsageError
from reconciler.model import Reference
from reconciler.resolvers.keyed import compose

LARGEST = 64 * 1024
"""Bytes of a file that may be the sandbox's own."""


def serve(port: int, delay: float, ready: Callable[[str], None]) -> None:
    """Serve the three providers on loopback until interrupted; ``ready`` is called with the address."""
    sandbox.run(port, ready, delay=delay)


@dataclass(frozen=True, slots=True)
class Values:
    """What the sandbox accepts for the references of a manifest."""

    variables: dict[str, str]
    left_out: tuple[str, ...]
    """Files that are wanted and were not written, since no folder was named."""


def environment(what: What, folder: Path | None, *, rotated: bool = False, force: bool = False) -> Values:
    """The value that the sandbox accepts for each ``env://`` reference; those of ``file://`` go into ``folder``.

    ``rotated``: the second secret of each account. ``force``: over files that are there; else over none but the
    sandbox's own. Raises UsageError where that, or the folder, forbids one, before any is written; and where two
    credentials of different accounts share one reference: no value suits both.
    """
    texts, others = _texts(what, rotated=rotated), _texts(what, rotated=not rotated)
    files = {path: text for (scheme, path), text in texts.items() if scheme == "file"}
    if folder:
        for path, text in files.items():
            _writable(folder, path, () if force else (text, others["file", path]))
        for path, text in files.items():
            _write(folder / path, text)
    variables = {path: text for (scheme, path), text in texts.items() if scheme == "env"}
    return Values(variables, () if folder else tuple(files))


def _texts(what: What, *, rotated: bool) -> dict[tuple[str, str], str]:
    """What each source must hold, by scheme and path."""
    sources: dict[tuple[str, str], dict[str, str]] = {}
    for text, value in _values(what, rotated=rotated).items():
        reference = Reference.parse(text)
        sources.setdefault((reference.scheme, reference.path), {})[reference.key] = value
    return {source: _text(source[1], values) for source, values in sources.items()}


def _text(path: str, values: dict[str, str]) -> str:
    """What a source must hold: the one value, or all its keys."""
    return values[""] if "" in values else compose(path, values)


def _values(what: What, *, rotated: bool) -> dict[str, str]:
    manifest, _ = plugged.for_manifest(
        lambda document, schemes: manifests.read(
            what.files, document, workspace=None, allow_empty=True, schemes=schemes
        )
    )
    found: dict[str, str] = {}
    for name, credential in manifest.credentials.items():
        declared = credential.declared
        if declared.provider not in sandbox.PROVIDERS:
            continue
        for key, text in declared.references.items():
            value = sandbox.right_secret(declared.provider, declared.settings, key, rotated=rotated)
            if found.setdefault(text, value) != value:
                raise UsageError("shared-reference", f"{text} stands at {name} and at another account's credential")
    return found


def _writable(folder: Path, relative: str, own: Collection[str]) -> None:
    """Raise UsageError where a file would be lost that is not the sandbox's ``own``, or a link leads out of the folder.

    A manifest names the files, and the folder may be one that holds real secrets under these names.
    """
    target = folder / relative
    if not target.parent.resolve().is_relative_to(folder.resolve()):
        raise UsageError("unreadable", f"{target}: a link leads out of {folder}", "name another folder")
    if not os.path.lexists(target):
        return
    if target.is_symlink() or not target.is_file():
        raise UsageError("unreadable", f"{target} is not a regular file", "name another folder")
    if own and regular.read(target, LARGEST).decode("utf-8", "replace").removesuffix("\n") not in own:
        raise UsageError("file-exists", f"{target}, and it holds none of the sandbox's secrets",
                         "name another folder, or overwrite it with --force")  # fmt: skip


def _write(target: Path, value: str) -> None:
    """One file, 0600, in a folder that the operator named."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(value + "\n")
    except OSError as error:
        raise UsageError("unreadable", f"{target}: {error.strerror}") from None
