"""Carry a plan out: under the lease, looked at again, told whatever happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from reconciler import planfile, stale
from reconciler.app.approving import Source
from reconciler.app.asking import Asking
from reconciler.app.ending import ended
from reconciler.app.interrupts import Interrupts
from reconciler.app.leasing import heartbeat, holding, paced
from reconciler.app.planning import planned
from reconciler.app.prepared import Prepared
from reconciler.app.resolving import Resolved
from reconciler.app.running import Watcher, run
from reconciler.app.wiring import Where
from reconciler.codes import CODES
from reconciler.context import now
from reconciler.engine import SPOILS, Run, Task
from reconciler.errors import Refused, StoreError
from reconciler.model import Problem, Result
from reconciler.plans import Change, Outcome, Plan
from reconciler.report import UNSTORED, Report
from reconciler.stores.base import Lease, Store
from reconciler.writing import Writer


class Listener(Watcher, Protocol):
    """Who is told of the work."""

    def asking(self, plan: Plan) -> None:
        """It begins."""


def carry_out(
    where: Where, source: Source, asking: Asking, talk: Listener, prepared: Prepared, *, atomic: bool = False,
    new_workspace: bool = False, interrupts: Interrupts,
) -> Report:  # fmt: skip
    """Take the lease, look again, ask, store, tell. Raises Refused where something moved since it was shown.

    ``atomic``: one that is rejected or fails is enough to store nothing. ``new_workspace``: consent to make one.
    ``interrupts`` notes what comes from the asking on.
    """
    store = prepared.opened
    with holding(store, prepared.header.workspace, where.origin, where.patience) as lease:
        beat = heartbeat(store, lease)
        again = _look_again(replace(where, beat=paced(beat)), source, prepared)
        # others may have deleted, or made a workspace, since this one was let through
        gate(again, new_workspace=new_workspace)
        writer = _writer(where, again, lease)
        # from here on there is a report, whatever stops the run
        interrupts.note()
        talk.asking(again.plan)
        whole = writer.commit_whole if atomic else None
        made = run(tasks_of(again.plan, again.resolved), asking, writer.commit, talk, sandbox=where.sandbox,
                   beat=beat, whole=whole, interrupts=interrupts, tells=True)  # fmt: skip
        stale = _finish(again.plan, made, writer)
    return _ended(again, made, store, stale, atomic=atomic)


def gate(prepared: Prepared, *, new_workspace: bool) -> None:
    """Refuse what a person must look at first. Raises Refused; nothing was written."""
    for problem in prepared.problems:
        if problem.code == "new-workspace" and not new_workspace:
            raise Refused("new-workspace", problem.detail, problem.hint)
    for refusal in prepared.plan.refusals:
        raise Refused(refusal.code, refusal.detail, refusal.hint)


def _finish(plan: Plan, made: Run, writer: Writer) -> list[Change]:
    """What is left to write at the end; answers which rejections were dropped.

    A store that fails here is told in the report, like a bug: what was stored before stays.
    """
    stale = [] if made.stopped else _stale(plan)
    try:
        if stale:
            writer.drop_rejections(stale)
        if _settled(made):
            writer.finish_plan()
    except StoreError as error:
        made.error = made.error or error
        return []
    except Exception as bug:  # noqa: BLE001 -- told beside what is stored by now
        made.bug = bug
        return []
    return stale


def nothing_to_do(prepared: Prepared) -> bool:
    """Whether nothing is to be written: no change, no rejection to drop, no plan file to finish."""
    return not (prepared.plan.effective or _stale(prepared.plan) or prepared.done)


def _settled(made: Run) -> bool:
    """Whether every change came to an end, accepted or rejected: a plan file is not carried out a second time."""
    open_ = {*UNSTORED, Result.FAILED}
    return not made.stopped and not any(outcome.result in open_ for outcome in made.results())


def _look_again(where: Where, source: Source, shown: Prepared) -> Prepared:
    """Versions and secrets, read again under the lease.

    Raises Refused where they are not those that were shown, StoreError ``tampered`` where a row was altered.
    """
    again = source.prepare(where, shown.store)
    names = {change.name for change in shown.plan.effective}
    before, after = ({k: v for k, v in p.known.fingerprints.items() if k[0] in names} for p in (shown, again))
    if again.plan.digest != shown.plan.digest or before != after:
        raise Refused("plan-stale")
    for change in again.plan.effective:
        if change.record:
            # compared with its latest event before anything is decided by it: an altered row vouches for nothing
            again.opened.sealed(again.header.workspace, change.stored_name)
    seen = planfile.seen(shown.plan.changes, shown.snapshot.rejections)
    later = stale.newer(again.plan.changes, again.snapshot.rejections, seen) - again.staying
    return again.sparing(later, "it came after the plan was shown")


def _writer(where: Where, prepared: Prepared, lease: Lease) -> Writer:
    store, keys = prepared.opened, prepared.keys
    plan = prepared.filed.file.id if prepared.filed else ""
    return Writer(store, keys, lease, where.origin, prepared.plan.digest, now, prepared.scope.last_versions, plan,
                  prepared.staying)  # fmt: skip


def tasks_of(plan: Plan, resolved: Resolved) -> list[Task]:
    """The changes that write something, each with the secrets that were had for it."""
    return [
        Task(c, resolved.of(c.credential), resolved.why(c.credential)) if c.credential else Task(c, {})
        for c in plan.effective
    ]


def _stale(plan: Plan) -> list[Change]:
    """Rejections to drop."""
    return [change for change in plan.changes if change.drops_rejection]


def _ended(prepared: Prepared, made: Run, store: Store, dropped: Sequence[Change], *, atomic: bool) -> Report:
    report = replace(planned(prepared, "apply"), dropped=tuple(change.name for change in dropped))
    outcomes = made.results()
    touched = {name for outcome in outcomes for name in (outcome.change.name, outcome.change.stored_name)}
    report = ended(report, made, store, touched)
    stopped = _stopped(made, outcomes) if atomic else []
    return replace(report, problems=(*report.problems, *stopped))


def _stopped(made: Run, outcomes: Sequence[Outcome]) -> list[Problem]:
    """By which ones an all-or-nothing run came to nothing, or that it was interrupted before its end."""
    by = [o.change.name for o in outcomes if o.result in SPOILS]
    by += ["the interrupt"] if made.interrupted and any(o.result in UNSTORED for o in outcomes) else []
    if not by or made.error:
        return []
    code = CODES["atomic-stopped"]
    return [Problem(code.name, code.summary, detail=f"stopped by {', '.join(by)}", hint=code.hint)]
