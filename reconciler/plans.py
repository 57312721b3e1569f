"""What a plan is made of, and what became of it: changes, field changes, outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.model import Action, Credential, Declared, Problem, Result, SecretState, Verdict
from reconciler.state import Record, Rejection


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One key before and after; ``None`` where it is absent."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    """One planned step with its reasons and the version that it expects to find."""

    action: Action
    name: str
    provider: str
    reasons: tuple[str, ...]
    fields: tuple[FieldChange, ...] = ()
    secrets: Mapping[str, SecretState] = field(default_factory=dict)
    expected_version: int = 0
    last_version: int = 0
    """Of a create: the highest version that the name had before it was deleted or renamed; 0 for a new name."""
    credential: Credential | None = None
    record: Record | None = None
    rejection: Rejection | None = None
    refused_before: bool = False
    """Whether the rejection is of this very submission: the same settings, and secrets known to be the same."""
    former: Record | None = None
    """The former version that is put back, as it is to be; None where nothing is."""
    asks: bool = False
    """Whether the provider must be asked before it is stored."""
    blocked: str = ""
    """The code of the gate that refuses it (``protected``), or empty."""
    unresolved: Mapping[str, str] = field(default_factory=dict)
    """Secret keys whose value could not be had, with the code why: ``apply`` will fail this change."""

    @property
    def declared(self) -> Declared:
        """What is to be so, or what is so where nothing is declared any more."""
        source = self.credential or self.former or self.record or self.rejection
        if source is None:
            raise ValueError("a change is about a credential, a record or a rejection")
        return source.declared

    @property
    def old_name(self) -> str:
        """The name from which it is renamed; empty where it is not."""
        return self.credential.moved_from if self.action is Action.RENAME and self.credential else ""

    @property
    def stored_name(self) -> str:
        """The name under which its record is stored until it is carried out."""
        return self.old_name or self.name

    @property
    def replaces_account(self) -> bool:
        return "account" in self.reasons

    @property
    def drops_rejection(self) -> bool:
        """Whether all that it does is to remove a rejection that lost its reason."""
        return self.action is Action.NOTE and self.rejection is not None and "undeclared" not in self.reasons

    @property
    def lifts_protection(self) -> bool:
        """Whether it takes a protection away from what stays."""
        lifted = any(f.field == "protected" and f.before and not f.after for f in self.fields)
        return lifted and self.action is not Action.DELETE


@dataclass(frozen=True, slots=True)
class Plan:
    """All changes with their reasons and the versions that they expect to find, in order of name."""

    changes: tuple[Change, ...]
    """All but keeps."""
    kept: tuple[str, ...]
    secrets_total: int
    secrets_compared: int
    compared: bool = True
    """False where secrets were skipped, or no key is here to compare them."""
    digest: str = ""
    """``c1-`` or ``s1-`` and 32 hex digits; empty without a store."""
    partial: bool = False
    """Whether it is of a selection only (``--only``)."""
    secrets_only: bool = False
    """Whether it takes up nothing but secrets and earlier submissions."""
    refusals: tuple[Problem, ...] = ()
    """What ``apply`` refuses of it."""

    def of(self, *actions: Action) -> tuple[Change, ...]:
        return tuple(c for c in self.changes if c.action in actions)

    @property
    def effective(self) -> tuple[Change, ...]:
        """The changes that write something."""
        return tuple(c for c in self.changes if c.action is not Action.NOTE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one change."""

    change: Change
    result: Result
    version: int = 0
    """The version now stored; 0 where nothing is."""
    verdict: Verdict | None = None
    problem: Problem | None = None
    seconds: float = 0.0
    kept_until: str = ""
    """Of a delete: until when it can be restored; empty: not at all."""
