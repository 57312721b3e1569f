"""References to values, in memory, each reference once a run; values to fingerprints. Needs no asyncio."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler import plugins, renames
from reconciler.app.leasing import no_beat
from reconciler.app.tracked import Tracked
from reconciler.errors import SecretUnavailable
from reconciler.model import Credential, Reference
from reconciler.resolvers.base import Resolver, Surroundings, Whole, usable
from reconciler.scope import Known
from reconciler.secret import Secret
from reconciler.state import Record

if TYPE_CHECKING:
    from reconciler.resolvers.keyed import Keys

Fingerprint = Callable[[str, str, Secret], bytes]


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the references of a run gave here."""

    values: Mapping[str, Secret] = field(default_factory=dict)
    """By reference text."""
    missing: Mapping[str, SecretUnavailable] = field(default_factory=dict)
    """Why there is none, by reference text."""
    untold: Mapping[str, str] = field(default_factory=dict)
    """Files that were read and of which nobody can tell whether git keeps them, with the repository."""

    def of(self, credential: Credential) -> dict[str, Secret]:
        """The values of one credential by key; those missing left out."""
        references = credential.declared.references
        return {key: self.values[text] for key, text in references.items() if text in self.values}

    def why(self, credential: Credential) -> dict[str, str]:
        """Why there is no value, of those keys that have none."""
        references = credential.declared.references
        return {key: self.missing[text].detail for key, text in references.items() if text in self.missing}


def resolve(credentials: Iterable[Credential], around: Surroundings, beat: Callable[[], None] = no_beat) -> Resolved:
    """Resolve every reference once, however many credentials share it; after each one ``beat`` is called."""
    values: dict[str, Secret] = {}
    missing: dict[str, SecretUnavailable] = {}
    sources = _Sources(around)
    for credential in credentials:
        for text in credential.declared.references.values():
            if text in values or text in missing:
                continue
            try:
                values[text] = sources.value(Reference.parse(text))
            except SecretUnavailable as error:
                missing[text] = error
            beat()
    return Resolved(values, missing, sources.tracked.untold)


class _Sources:
    """The texts of one run, each read once; gone when the references are resolved."""

    __slots__ = ("_around", "_keys", "_resolvers", "_texts", "tracked")

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self.tracked = Tracked(around.secrets_dir, around.environ)
        self._resolvers: dict[str, tuple[Resolver, Whole | None]] = {}
        self._texts: dict[tuple[str, str], str | SecretUnavailable] = {}
        self._keys: dict[tuple[str, str], Keys] = {}

    def value(self, reference: Reference) -> Secret:
        """Raises SecretUnavailable where the reference gives nothing usable here."""
        resolver, whole = self._resolver(reference.scheme)
        if whole:
            text = self._text(whole, reference)
            return self._key(reference, text) if reference.key else usable(text)
        if reference.key:
            raise SecretUnavailable("secret-missing", f"{reference.scheme}:// gives one value: it has no #key")
        return resolver.resolve(reference.path, self._around)

    def _resolver(self, scheme: str) -> tuple[Resolver, Whole | None]:
        """The scheme's resolver, and the same again where it can give a whole text: asked once, not for each value."""
        if scheme not in self._resolvers:
            resolver = plugins.resolver(scheme)
            self._resolvers[scheme] = resolver, resolver if isinstance(resolver, Whole) else None
        return self._resolvers[scheme]

    def _text(self, resolver: Whole, reference: Reference) -> str:
        where = reference.scheme, reference.path
        if where not in self._texts:
            try:
                self._texts[where] = self._read(resolver, reference)
            except SecretUnavailable as error:
                self._texts[where] = error
        found = self._texts[where]
        if isinstance(found, SecretUnavailable):
            raise found
        return found

    def _read(self, resolver: Whole, reference: Reference) -> str:
        text = resolver.read(reference.path, self._around)
        if reference.scheme == "file" and reference.path in self.tracked:
            raise SecretUnavailable("secret-tracked", f"git keeps {reference.path}")
        return text

    def _key(self, reference: Reference, text: str) -> Secret:
        from reconciler.resolvers.keyed import Keys

        where = reference.scheme, reference.path
        if where not in self._keys:
            self._keys[where] = Keys(reference.path, text)
        return self._keys[where].value(reference.key)


def known(
    credentials: Iterable[Credential],
    resolved: Resolved,
    fingerprint: Fingerprint | None,
    records: Mapping[str, Record],
) -> Known:
    """What a plan may know of the secrets: fingerprints of what resolved, codes for what did not.

    ``records`` tell under which name each is stored. Without a ``fingerprint`` (a store that is still to be made)
    there is nothing to compare with: every value is new.
    """
    fingerprints: dict[tuple[str, str], bytes] = {}
    missing: dict[tuple[str, str], str] = {}
    for credential in credentials:
        name, stored = credential.name, renames.stored_as(credential, records)
        for key, text in credential.declared.references.items():
            value = resolved.values.get(text)
            if value is None:
                missing[name, key] = resolved.missing[text].code.name
            else:
                fingerprints[name, key] = fingerprint(stored, key, value) if fingerprint else b""
    return Known(fingerprints, missing)
