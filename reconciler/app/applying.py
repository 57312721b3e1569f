"""The use case apply: show, gate, ask the person, take the lease, look again, carry out, tell."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Protocol

from reconciler import audit
from reconciler.app.asking import Asking, asker
from reconciler.app.planning import planned
from reconciler.app.preparing import Prepared, Secrets, What, prepare
from reconciler.app.wiring import Where, create_store, open_store
from reconciler.context import now
from reconciler.engine import Run, Task, carry_out
from reconciler.errors import Refused, StoreError, UsageError
from reconciler.model import Action
from reconciler.plans import Change, Outcome, Plan
from reconciler.report import Report, rows
from reconciler.stores.base import Holder, Lease, Store
from reconciler.writing import Writer

LEASE_SECONDS = 120.0
"""Longer than one provider may take with all its retries; every commit renews it."""


class Talk(Protocol):
    """What apply says and asks while it runs."""

    interactive: bool
    """Whether a person can be asked."""

    def plan(self, report: Report) -> None:
        """Show what would be done."""

    def confirm(self, question: str) -> bool:
        """Ask for the literal word yes."""

    def asking(self, plan: Plan) -> None:
        """The work begins."""

    def outcome(self, outcome: Outcome) -> None:
        """One change is done and committed."""

    def tell(self, text: str) -> None:
        """One line for the person who runs it."""


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
        if problem.code == "key-missing":
            raise StoreError("key-missing", problem.detail)
    for refusal in prepared.plan.refusals:
        raise Refused(refusal.code, refusal.detail, refusal.hint)


def _under_lease(where: Where, what: What, how: How, talk: Talk, prepared: Prepared) -> Report:
    store = prepared.opened
    workspace = prepared.header.workspace
    origin = where.origin
    holder = Holder(origin.actor, origin.host, os.getpid(), origin.run_url)
    lease = store.acquire(workspace, holder, LEASE_SECONDS)
    try:
        again = _look_again(where, what, prepared)
        talk.asking(again.plan)
        writer = _writer(where, again, lease)
        run = _carry(where, how, talk, again, writer)
        stale = _stale(again.plan)
        if stale and not run.stopped:
            writer.drop_rejections(stale)
    finally:
        store.release(lease)
    return _ended(again, run, store)


def _look_again(where: Where, what: What, shown: Prepared) -> Prepared:
    """Versions and secrets, read again under the lease. Raises Refused where they are not those that were shown."""
    again = prepare(where, what, shown.store)
    names = {change.name for change in shown.plan.effective}
    before, after = ({k: v for k, v in p.known.fingerprints.items() if k[0] in names} for p in (shown, again))
    if again.plan.digest != shown.plan.digest or before != after:
        raise Refused("plan-stale")
    return again


def _writer(where: Where, prepared: Prepared, lease: Lease) -> Writer:
    store, keys = prepared.opened, prepared.keys
    names = [change.name for change in prepared.plan.of(Action.CREATE)]
    versions = store.last_versions(lease.workspace, names)
    return Writer(store, keys, lease, where.origin, prepared.plan.digest, now(), versions)


def _carry(where: Where, how: How, talk: Talk, prepared: Prepared, writer: Writer) -> Run:
    """Ask and commit. The first Ctrl-C finishes what is in flight; the second stops at once."""
    tasks = [
        Task(change, prepared.resolved.of(change.credential) if change.credential else {})
        for change in prepared.plan.effective
    ]

    async def main() -> Run:
        async with AsyncExitStack() as stack:
            ask = await asker(stack, how.asking, sandbox=where.sandbox)
            run = Run(tasks, ask, writer.commit, talk.outcome, how.asking.parallelism)
            _stop_on_signal(run, talk)
            await carry_out(run)
            return run

    return asyncio.run(main())


def _stop_on_signal(run: Run, talk: Talk) -> None:
    loop = asyncio.get_running_loop()

    def first() -> None:
        run.interrupt()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        talk.tell("Stopping: what is in flight is finished and stored. Ctrl-C again stops at once.")

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, first)


def _stale(plan: Plan) -> list[Change]:
    """Rejections to drop: only a plan of the whole manifest knows that nothing asks for them any more."""
    if plan.partial:
        return []
    return [c for c in plan.of(Action.NOTE) if c.rejection and "undeclared" not in c.reasons]


def _ended(prepared: Prepared, run: Run, store: Store) -> Report:
    outcomes = run.results()
    snapshot = store.load(prepared.header.workspace)
    touched = {o.change.name for o in outcomes}
    everything = rows(snapshot, prepared.traits)
    head = store.head(prepared.header.workspace)
    report = planned(prepared, "apply")
    return replace(
        report,
        problems=(*report.problems, *((run.error.problem(),) if run.error else ())),
        outcomes=outcomes,
        rows=tuple(row for row in everything if row.name in touched),
        total=len(everything),
        interrupted=run.interrupted,
        anchor=audit.anchor(*head) if head else "",
    )
