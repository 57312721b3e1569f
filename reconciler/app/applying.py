"""The use case apply: show, gate, ask the person, take the lease, look again, carry out, tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from reconciler import audit
from reconciler.app.asking import Asking
from reconciler.app.leasing import heartbeat, holding
from reconciler.app.planning import planned
from reconciler.app.preparing import Prepared, Secrets, What, prepare
from reconciler.app.resolving import Resolved
from reconciler.app.running import Watcher, run
from reconciler.app.wiring import Where, create_store, open_store
from reconciler.context import now
from reconciler.engine import Run, Task
from reconciler.errors import Refused, StoreError, UsageError
from reconciler.model import Action
from reconciler.plans import Change, Plan
from reconciler.report import Report, rows
from reconciler.stores.base import Lease, Store
from reconciler.writing import Writer


class Talk(Watcher, Protocol):
    """What apply says and asks while it runs."""

    interactive: bool
    """Whether a person can be asked."""

    def plan(self, report: Report) -> None:
        """Show what would be done."""

    def confirm(self, question: str) -> bool:
        """Ask for the literal word yes."""

    def asking(self, plan: Plan) -> None:
        """The work begins."""


@dataclass(frozen=True, slots=True)
class How:
    """The consents and limits of one run."""

    yes: bool = False
    new_workspace: bool = False
    asking: Asking = field(default_factory=Asking)


def apply(where: Where, what: What, how: How, talk: Talk) -> Report:
    """Plan, show, gate, confirm, carry out. Raises ReconcilerError where nothing was begun."""
    if what.secrets is Secrets.SKIP:
        raise UsageError("usage", "apply needs the secrets: --secrets skip is for plan")
    if not how.yes and not talk.interactive:
        raise UsageError("not-confirmed")
    prepared = prepare(where, what, _store(where, what, talk))
    try:
        if prepared.keyring is None:
            raise StoreError("key-missing", "; ".join(p.detail for p in prepared.problems if p.code == "key-missing"))
        if not (prepared.plan.effective or _stale(prepared.plan)):
            return planned(prepared, "apply")
        talk.plan(planned(prepared, "apply"))
        _gate(prepared, how)
        if prepared.plan.effective and not how.yes and not talk.confirm("Apply these changes?"):
            raise Refused("declined")
        return _under_lease(where, what, how, talk, prepared)
    finally:
        prepared.close()


def _store(where: Where, what: What, talk: Talk) -> Store:
    """The store, made on purpose only: a sandbox one without asking, a live one after a question on a terminal."""
    try:
        return open_store(where)
    except StoreError as error:
        if error.code.name != "store-missing" or not (where.sandbox or talk.interactive):
            raise
        prepare(where, what).close()
        if not where.sandbox and not talk.confirm(f"There is no store at {where.path}. Make it, with a new key?"):
            raise Refused("declined") from error
    store, key_file = create_store(where)
    kept = f"; its key is in {key_file}" if key_file else ""
    backup = (
        ": keep a copy of it elsewhere, without it nothing stored can be read" if key_file and not where.sandbox else ""
    )
    talk.tell(f"Made the {where.mode} store {where.path}{kept}{backup}.")
    return store


def _gate(prepared: Prepared, how: How) -> None:
    """Refuse what a person must look at first. Raises Refused; nothing was written."""
    for problem in prepared.problems:
        if problem.code == "new-workspace" and not how.new_workspace:
            raise Refused("new-workspace", problem.detail, problem.hint)
    for refusal in prepared.plan.refusals:
        raise Refused(refusal.code, refusal.detail, refusal.hint)


def _under_lease(where: Where, what: What, how: How, talk: Talk, prepared: Prepared) -> Report:
    store = prepared.opened
    with holding(store, prepared.header.workspace, where.origin, where.patience) as lease:
        again = _look_again(where, what, prepared)
        talk.asking(again.plan)
        writer = _writer(where, again, lease)
        made = run(tasks_of(again.plan, again.resolved), how.asking, writer.commit, talk, sandbox=where.sandbox,
                   beat=heartbeat(store, lease))  # fmt: skip
        stale = [] if made.stopped else _stale(again.plan)
        if stale:
            writer.drop_rejections(stale)
    return _ended(again, made, store, stale)


def _look_again(where: Where, what: What, shown: Prepared) -> Prepared:
    """Versions and secrets, read again under the lease.

    Raises Refused where they are not those that were shown, StoreError ``tampered`` where a row was altered.
    """
    again = prepare(where, what, shown.store)
    names = {change.name for change in shown.plan.effective}
    before, after = ({k: v for k, v in p.known.fingerprints.items() if k[0] in names} for p in (shown, again))
    if again.plan.digest != shown.plan.digest or before != after:
        raise Refused("plan-stale")
    for change in again.plan.effective:
        if change.record:
            # compared with its latest event before anything is decided by it: an altered row vouches for nothing
            again.opened.sealed(again.header.workspace, change.stored_name)
    return again


def _writer(where: Where, prepared: Prepared, lease: Lease) -> Writer:
    store, keys = prepared.opened, prepared.keys
    names = [change.name for change in prepared.plan.of(Action.CREATE, Action.RENAME)]
    versions = store.last_versions(lease.workspace, names)
    return Writer(store, keys, lease, where.origin, prepared.plan.digest, now, versions)


def tasks_of(plan: Plan, resolved: Resolved) -> list[Task]:
    """The changes that write something, each with the secrets that were had for it."""
    return [Task(c, resolved.of(c.credential) if c.credential else {}) for c in plan.effective]


def _stale(plan: Plan) -> list[Change]:
    """Rejections to drop."""
    return [c for c in plan.of(Action.NOTE) if c.rejection and "undeclared" not in c.reasons]


def _ended(prepared: Prepared, made: Run, store: Store, dropped: Sequence[Change]) -> Report:
    """The report comes whatever happened: where the store is gone by now, without the list."""
    outcomes = made.results()
    problems = [*prepared.problems, *([made.error.problem()] if made.error else [])]
    report = replace(
        planned(prepared, "apply"),
        problems=tuple(problems),
        outcomes=outcomes,
        dropped=tuple(change.name for change in dropped),
        interrupted=made.interrupted,
    )
    try:
        everything = rows(store.load(prepared.header.workspace), prepared.traits)
        head = store.head(prepared.header.workspace)
    except StoreError as error:
        return report if made.error else replace(report, problems=(*problems, error.problem()))
    touched = {name for outcome in outcomes for name in (outcome.change.name, outcome.change.stored_name)}
    return replace(
        report,
        rows=tuple(row for row in everything if row.name in touched),
        total=len(everything),
        anchor=audit.anchor(*head) if head else "",
    )
