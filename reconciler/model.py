"""The values that every part hands to every other: frozen, typed, without behaviour that reaches outside.

A time is text: RFC 3339, UTC, milliseconds, ``2026-11-23T14:02:08.125Z``. A version counts from 1; 0 means "none".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Action(StrEnum):
    """One planned step."""

    CREATE = "create"
    UPDATE = "update"
    RENAME = "rename"
    DELETE = "delete"
    KEEP = "keep"
    NOTE = "note"
    """Nothing to do, something to say."""


class Result(StrEnum):
    """What became of a change."""

    CREATED = "created"
    UPDATED = "updated"
    RENAMED = "renamed"
    DELETED = "deleted"
    KEPT = "kept"
    REJECTED = "rejected"
    FAILED = "failed"
    ACCEPTED = "accepted"
    """By its provider, and not stored: it was all or nothing, and another one stopped it."""
    SKIPPED = "skipped"
    """Not attempted."""


class Answer(StrEnum):
    """The three things that a provider can tell about a credential."""

    VALID = "valid"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    """It could not be asked; says nothing about the credential."""


class SecretState(StrEnum):
    """What a plan knows of one secret against the stored one."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    NOT_COMPARED = "not compared"


class Status(StrEnum):
    """What ``list`` shows; the first word answers "can this credential send?"."""

    READY = "ready"
    LIMITED = "ready, limited"
    UPDATE_REJECTED = "ready, update rejected"
    NOT_REACHED = "ready, not reached"
    REJECTED = "not ready, rejected"
    """Never stored."""
    REFUSED_NOW = "not ready, refused now"
    """Stored, and refused since."""
    SUSPENDED = "not ready, suspended"


class Mode(StrEnum):
    """Whether a store holds real credentials; fixed when the store is made."""

    LIVE = "live"
    SANDBOX = "sandbox"


class Severity(StrEnum):
    """Whether a problem stops the run."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in a manifest; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to tell the user; ``summary``, ``detail`` and ``hint`` never hold a secret's value."""

    code: str
    summary: str
    place: Place | None = None
    subject: str = ""
    """Which entry and key: ``marketing-us.auth_token``."""
    detail: str = ""
    hint: str = ""
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a secret value is, never the value: ``scheme://path`` with an optional ``#key``."""

    scheme: str
    path: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.path}" + (f"#{self.key}" if self.key else "")

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Split a text that the schema has accepted as a reference."""
        scheme, _, rest = text.partition("://")
        path, _, key = rest.partition("#")
        return cls(scheme, path, key)


@dataclass(frozen=True, slots=True)
class Traits:
    """All that the plan path knows of a provider, read from its part of the schema (the ``x-`` annotations)."""

    name: str
    title: str
    secrets: frozenset[str]
    """Keys whose value is a reference."""
    identifier: str
    """The key shown as Service ID."""
    account: tuple[str, ...]
    """Keys that say which account it is: a change of one is another account."""
    region: str = ""
    """The key that names the region, if the provider has one."""
    docs: str = ""
    """The address of the provider's documentation."""
    support: str = ""
    """The address of the provider's support."""
    find: tuple[tuple[str, str], ...] = ()
    """Each secret key with where the provider's console shows its value."""
    titles: tuple[tuple[str, str], ...] = ()
    """Each secret key with what people call it: ``API key``."""
    variables: Mapping[str, str | Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    """By key: the environment variable that programs read it from, or several with what each value becomes in them."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What a manifest says of one credential: what a plan compares and the store remembers."""

    provider: str
    common: Mapping[str, Any]
    """label, description, owner, tags, protected, expires_on, rotate_every: those present."""
    settings: Mapping[str, Any]
    """The provider's keys that are not secret."""
    references: Mapping[str, str]
    """The provider's secret keys: reference texts."""

    @property
    def label(self) -> str:
        return str(self.common.get("label", ""))

    @property
    def protected(self) -> bool:
        return bool(self.common.get("protected", False))


@dataclass(frozen=True, slots=True)
class Credential:
    """One entry of a manifest."""

    name: str
    declared: Declared
    file: str
    marks: Mapping[str, tuple[int, int]]
    """Line and column of the value of each key, from 1; the entry's own name under ``""``."""
    moved_from: str = ""

    def place(self, key: str = "") -> Place:
        """Where ``key`` stands, or the entry itself."""
        line, column = self.marks.get(key) or self.marks[""]
        return Place(self.file, line, column)


@dataclass(frozen=True, slots=True)
class Account:
    """What the provider says of the account behind a credential; empty text where it says nothing."""

    id: str = ""
    name: str = ""
    type: str = ""
    status: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the provider answered. Holds no secret and no body, only allow-listed facts."""

    answer: Answer
    code: str
    """A name of :data:`reconciler.codes.CODES`."""
    account: Account = Account()
    http_status: int | None = None
    provider_code: str = ""
    """The provider's own error code, such as ``20003`` or ``UNAUTHORIZED``."""
    request_id: str = ""
    asked: str = ""
    """``GET https://host/path``, without credentials."""
    at: str = ""
    notes: tuple[str, ...] = ()
    """What else a person should know, such as a missing scope that sending does not need."""
    likely: tuple[str, ...] = ()
    """Probable causes, the likeliest first; nothing where it was accepted."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who runs this, and where."""

    actor: str
    source: str
    """``flag`` (claimed), ``ci``, ``os`` or ``database``."""
    host: str = ""
    ci: str = ""
    """The CI system, or empty: outside CI."""
    commit: str = ""
    commit_author: str = ""
    triggered_by: str = ""
    pull_request: str = ""
    run_url: str = ""

    @property
    def creator(self) -> str:
        """Whom ``created_by`` names: the commit's author where CI tells it."""
        return self.commit_author or self.actor


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the audit log, before it is chained."""

    time: str
    what: str
    """create, update, rename, delete, check, cancel, restore, read, ..."""
    result: str
    name: str = ""
    version: int = 0
    row_hash: str = ""
    """Hash of the row that it left behind; empty where it left none."""
    body: Mapping[str, Any] = field(default_factory=dict)
