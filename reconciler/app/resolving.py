"""References to values, in memory, each reference once a run; values to fingerprints. Needs no asyncio."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from reconciler import plugins
from reconciler.errors import SecretUnavailable
from reconciler.model import Credential, Reference
from reconciler.planner import Known
from reconciler.resolvers.base import Surroundings
from reconciler.secret import Secret

Fingerprint = Callable[[str, str, Secret], bytes]


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the references of a run gave here."""

    values: Mapping[str, Secret] = field(default_factory=dict)
    """By reference text."""
    missing: Mapping[str, SecretUnavailable] = field(default_factory=dict)
    """Why there is none, by reference text."""

    def of(self, credential: Credential) -> dict[str, Secret]:
        """The values of one credential by key; those missing left out."""
        references = credential.declared.references
        return {key: self.values[text] for key, text in references.items() if text in self.values}


def resolve(credentials: Iterable[Credential], around: Surroundings) -> Resolved:
    """Resolve every reference once, however many credentials share it."""
    values: dict[str, Secret] = {}
    missing: dict[str, SecretUnavailable] = {}
    for credential in credentials:
        for text in credential.declared.references.values():
            if text in values or text in missing:
                continue
            reference = Reference.parse(text)
            try:
                values[text] = plugins.resolver(reference.scheme).resolve(reference.path, around)
            except SecretUnavailable as error:
                missing[text] = error
    return Resolved(values, missing)


def known(credentials: Iterable[Credential], resolved: Resolved, fingerprint: Fingerprint | None) -> Known:
    """What a plan may know of the secrets: fingerprints of what resolved, codes for what did not.

    Without a ``fingerprint`` (a store that is still to be made) there is nothing to compare with: every value is new.
    """
    fingerprints: dict[tuple[str, str], bytes] = {}
    missing: dict[tuple[str, str], str] = {}
    for credential in credentials:
        name = credential.name
        for key, text in credential.declared.references.items():
            value = resolved.values.get(text)
            if value is None:
                missing[name, key] = resolved.missing[text].code.name
            else:
                fingerprints[name, key] = fingerprint(name, key, value) if fingerprint else b""
    return Known(fingerprints, missing)
