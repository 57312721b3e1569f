"""What a store remembers of a workspace: records, sealed secrets, rejections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.model import Account, Action, Declared, Mode, Verdict


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A secret value encrypted for one place in one store."""

    field: str
    version: int
    """The credential's version in which it was sealed for this place; unchanged values keep theirs."""
    key_id: str
    sealed: bytes
    fingerprint: bytes
    """16 bytes; only the first 4 are ever shown."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A key of the store, wrapped by one wrapping key; every field is bound to what is wrapped."""

    key_id: str
    """The wrapping key's id, derived from it."""
    data_key_id: str
    wrapped: bytes
    generation: int = 1
    """Rises with every data key; the highest one seals what is new."""
    workspace: str = ""
    purpose: str = ""
    """Both empty: the whole data key. Else one subkey of it, handed out alone."""


@dataclass(frozen=True, slots=True)
class Record:
    """What the store remembers of one credential; the secrets are sealed beside it."""

    name: str
    declared: Declared
    version: int
    account: Account
    created_at: str
    created_by: str
    updated_at: str
    updated_by: str
    secret_changed_at: str
    accepted_at: str
    """When the provider last accepted it."""
    verdict: Verdict
    """The latest verdict: of the apply that stored it, or of a later check."""
    fingerprints: Mapping[str, bytes]
    secret_versions: Mapping[str, int]
    old_name: str = ""
    """The name that it had before, to which it answers as long as its entry says ``moved_from``."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A former version of a record, kept for a while."""

    record: Record
    sealed: tuple[SealedSecret, ...]
    """Its secrets, as far as they are still there."""
    whole: bool
    """Whether all its secrets are: only then can it be put back."""
    deleted: bool
    """Whether it was deleted, and nothing took its place."""
    replaced_at: str
    until: str
    """When it goes for good."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A submission that the provider refused: kept until it succeeds or is cancelled, without the secret."""

    name: str
    action: Action
    declared: Declared
    verdict: Verdict
    base_version: int
    """The version that keeps serving; 0 where nothing is stored."""
    fingerprints: Mapping[str, bytes]
    attempts: int
    first_at: str
    last_at: str
    by: str
    """The actor of the latest attempt."""


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """Which store this is."""

    id: str
    mode: Mode
    display: str
    """Its address for people, without a password."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One workspace as the store holds it at one moment."""

    workspace: str
    serial: int
    """Rises by one with every transaction that changed the workspace; 0 where the workspace is new."""
    records: Mapping[str, Record]
    rejections: Mapping[str, Rejection]
