"""What an apply is held to: a manifest as it stands, the digest that was approved, or a plan file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from reconciler import planner
from reconciler.app.prepared import Prepared
from reconciler.app.preparing import Secrets, What, prepare
from reconciler.app.wiring import Where
from reconciler.errors import UsageError
from reconciler.expected import hold, left_out
from reconciler.scope import Known
from reconciler.stores.base import Store

UNCOVERED = "their secrets changed, and a digest that begins with s1- was approved without comparing any"


class Source(Protocol):
    """What is applied."""

    @property
    def consented(self) -> bool:
        """Whether it is consent by itself, so that nobody is asked."""

    @property
    def makes_store(self) -> bool:
        """Whether a store may be made for it."""

    def prepare(self, where: Where, store: Store | None = None) -> Prepared:
        """The plan as it would be carried out now. Called again under the lease.

        Raises Refused where it is not what was approved, and whatever the steps up to a plan raise.
        """


@dataclass(frozen=True, slots=True)
class FromManifest:
    """A manifest, planned again; with ``expected``, held to that digest."""

    what: What
    expected: str = ""
    consented: bool = False

    @property
    def makes_store(self) -> bool:
        """Nothing can have been approved of a store that is not there."""
        return not self.expected

    def __post_init__(self) -> None:
        if self.what.secrets is Secrets.SKIP:
            raise UsageError("usage", "apply needs the secrets: --secrets skip is for plan")

    def prepare(self, where: Where, store: Store | None = None) -> Prepared:
        prepared = prepare(where, self.what, store)
        return _held(prepared, self.expected) if self.expected and prepared.store else prepared


def _held(prepared: Prepared, expected: str) -> Prepared:
    snapshot, scope = prepared.snapshot, prepared.scope
    blind = planner.plan(prepared.credentials, snapshot.records, snapshot.rejections, Known(compared=False),
                         prepared.traits, scope)  # fmt: skip
    held = hold(prepared.plan, blind, expected, scope, len(snapshot.records))
    problems = (*prepared.problems, *left_out(held.left_out, UNCOVERED))
    return replace(prepared, plan=held.plan, problems=problems, approved=True).sparing_undigested()
