"""Secrets of this run that stand in the plain text of its manifest as well, where no look can tell. Never the value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from reconciler.app.resolving import Resolved
from reconciler.codes import CODES
from reconciler.errors import ManifestInvalid
from reconciler.model import Credential, Problem
from reconciler.secret import Secret, holding
from reconciler.trouble import MOST

Where = tuple[str, str]
"""Name and key of a value; for the name itself the key is empty."""


def refuse(
    credentials: Mapping[str, Credential], resolved: Resolved, hidden: Iterable[tuple[Where, Secret]] = ()
) -> None:
    """Raise ManifestInvalid where a name, a setting or a free text contains a value that a reference gives here.

    ``hidden``: free texts that are in none of the credentials any more, since they look like a secret.
    """
    texts = (text for credential in credentials.values() for text in _texts(credential))
    found = dict.fromkeys(holding(chain(texts, hidden), resolved.values.values()))
    if found:
        names = {name for name, key in found if not key}
        raise ManifestInvalid([_problem(credentials[name], key, name in names) for name, key in [*found][:MOST]])


def _texts(credential: Credential) -> Iterator[tuple[Where, str | Secret]]:
    """Whatever an entry says that is shown and stored as it is; a reference is held to its own rules."""
    name, declared = credential.name, credential.declared
    yield (name, ""), name
    yield (name, "moved_from"), credential.moved_from
    for values in (declared.settings, declared.common):
        for key, value in values.items():
            if isinstance(value, str):
                yield (name, key), value
            elif isinstance(value, dict):
                yield from (((name, key), part) for pair in value.items() for part in pair)


def _problem(credential: Credential, key: str, hidden: bool) -> Problem:
    code = CODES["secret-literal"]
    subject = "?" if hidden else f"{credential.name}.{key}"
    detail = "it contains what a reference of this run gives; it is not shown here"
    return Problem(code.name, code.summary, credential.place(key), subject, detail, code.hint)
