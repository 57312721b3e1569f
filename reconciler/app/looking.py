"""The use case plan --check: a live look at creates and updates, storing nothing."""

from __future__ import annotations

from dataclasses import replace

from reconciler.app.asking import Asking
from reconciler.app.carrying import tasks_of
from reconciler.app.planfiles import Out
from reconciler.app.planning import kept, planned
from reconciler.app.preparing import Secrets, What, prepare
from reconciler.app.running import Watcher, only_look, run
from reconciler.app.wiring import Where
from reconciler.errors import StoreError, UsageError
from reconciler.report import Report


def plan_live(where: Where, what: What, asking: Asking, watcher: Watcher, out: Out | None = None) -> Report:
    """A plan with what the providers say of each create and update now. Needs their secrets; stores nothing."""
    if what.secrets is Secrets.SKIP:
        raise UsageError("usage", "--check needs the secrets: --secrets skip compares and asks nothing")
    prepared = prepare(where, what)
    try:
        if prepared.store and prepared.keyring is None:
            raise StoreError("key-missing", "without it nobody can tell which secrets changed")
        filed = kept(where, what, prepared, out)
    finally:
        prepared.close()
    tasks = [task for task in tasks_of(prepared.plan, prepared.resolved) if task.change.asks]
    made = run(tasks, asking, only_look, watcher, sandbox=where.sandbox)
    results = made.results()
    report = planned(prepared, "plan", filed)
    return replace(
        report,
        live={o.change.name: o.verdict for o in results if o.verdict},
        outcomes=tuple(o for o in results if o.problem),
        interrupted=made.interrupted,
    )
