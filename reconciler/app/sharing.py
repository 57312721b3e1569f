"""Credentials of one run whose references give the same secret: more often a slip than meant. Never the value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reconciler.app.resolving import Resolved
from reconciler.codes import CODES
from reconciler.model import Credential, Problem, Severity
from reconciler.secret import Secret, alike

TOLD = 10
"""So many secrets in common are told, and so many credentials of each."""

Where = tuple[str, str]
"""Name and key."""


def shared(credentials: Mapping[str, Credential], resolved: Resolved) -> tuple[Problem, ...]:
    """A warning for each secret that several credentials have, at the place of the last one."""
    found = [
        places
        for places in alike(_secrets(credentials, resolved))
        if len({name for name, _ in places}) > 1
    ]  # fmt: skip
    code = CODES["secret-shared"]
    told = [_problem(credentials, places) for places in found[:TOLD]]
    if len(found) > TOLD:
        more = f"{len(found) - TOLD} more secrets are common to several credentials"
        told.append(Problem(code.name, more, hint=code.hint, severity=Severity.WARNING))
    return tuple(told)


def _secrets(credentials: Mapping[str, Credential], resolved: Resolved) -> Iterator[tuple[Where, Secret]]:
    values = resolved.values
    for name, credential in credentials.items():
        for key, text in credential.declared.references.items():
            if text in values:
                yield (name, key), values[text]


def _problem(credentials: Mapping[str, Credential], places: Sequence[Where]) -> Problem:
    code, (name, key) = CODES["secret-shared"], places[-1]
    others = [f"{other}.{field}" for other, field in places[:-1]]
    rest = f" and {len(others) - TOLD} more" if len(others) > TOLD else ""
    detail = f"the same value as {', '.join(others[:TOLD])}{rest}"
    return Problem(code.name, code.summary, credentials[name].place(key), f"{name}.{key}", detail, code.hint,
                   Severity.WARNING)  # fmt: skip
