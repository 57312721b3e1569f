"""The use case apply: show, gate, ask the person, then carry out what was shown."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

from reconciler import subkeys
from reconciler.app.approving import Source
from reconciler.app.asking import Asking
from reconciler.app.carrying import Listener, carry_out, gate, nothing_to_do
from reconciler.app.interrupts import Interrupts
from reconciler.app.planning import planned
from reconciler.app.wiring import Where, create_store, key_at_hand, open_store
from reconciler.errors import Refused, StoreError, UsageError
from reconciler.report import Report
from reconciler.stores.base import Store

WRITING = (subkeys.SEALING, subkeys.FINGERPRINTS, subkeys.AUDIT)
"""What a run that stores takes of the key."""


class Talk(Listener, Protocol):
    """What apply says and asks before it begins."""

    interactive: bool
    """Whether a person can be asked."""
    again: str
    """The command that runs, to be typed again."""

    def plan(self, report: Report) -> None:
        """Show what would be done."""

    def confirm(self, question: str) -> bool:
        """Ask for the literal word yes."""


@dataclass(frozen=True, slots=True)
class How:
    """The consents and limits of one run."""

    yes: bool = False
    new_workspace: bool = False
    atomic: bool = False
    """Store all or nothing."""
    asking: Asking = field(default_factory=Asking)


def apply(where: Where, source: Source, how: How, talk: Talk) -> Report:
    """Plan, show, gate, confirm, carry out. Raises ReconcilerError where nothing was begun."""
    agreed = how.yes or source.consented
    if not agreed and not talk.interactive:
        raise UsageError("not-confirmed", hint=f"in CI: {talk.again} --yes")
    with Interrupts() as interrupts, closing(_store(where, source, talk)) as store:
        _whole(where, store)
        prepared = source.prepare(where, store)
        if prepared.keyring is None:
            raise StoreError("key-missing", "; ".join(p.detail for p in prepared.problems if p.code == "key-missing"))
        if nothing_to_do(prepared) and not prepared.plan.refusals:
            return planned(prepared, "apply")
        talk.plan(planned(prepared, "apply"))
        gate(prepared, new_workspace=how.new_workspace)
        if prepared.plan.effective and not agreed and not talk.confirm("Apply these changes?"):
            raise Refused("declined")
        return carry_out(where, source, how.asking, talk, prepared, atomic=how.atomic, new_workspace=how.new_workspace,
                         interrupts=interrupts)  # fmt: skip


def _whole(where: Where, store: Store) -> None:
    """Raise StoreError ``key-lacks`` where the key here was handed out for one use: no such key writes anything."""
    key, _ = key_at_hand(where, store.info.id)
    handed = subkeys.parse(key) if key else None
    if handed and (lacking := handed.lacking(where.workspace or handed.workspace, WRITING)):
        raise lacking


def _store(where: Where, source: Source, talk: Talk) -> Store:
    """The store, made on purpose only: a sandbox one without asking, a live one after a question on a terminal."""
    try:
        return open_store(where)
    except StoreError as error:
        makes = source.makes_store and (where.sandbox or talk.interactive)
        if error.code.name != "store-missing" or not makes:
            raise
        source.prepare(where).close()
        if not where.sandbox and not talk.confirm(f"There is no store at {where.path}. Make it, with a new key?"):
            raise Refused("declined") from error
    store, key_file = create_store(where)
    kept = f"; its key is in {key_file}" if key_file else ""
    backup = (
        ": keep a copy of it elsewhere, without it nothing stored can be read" if key_file and not where.sandbox else ""
    )
    talk.tell(f"Made the {where.mode} store {where.path}{kept}{backup}.")
    return store
