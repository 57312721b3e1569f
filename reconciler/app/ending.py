"""How a run ends that stored something: the report comes whatever happened."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from reconciler import audit
from reconciler.engine import Run
from reconciler.errors import StoreError, unforeseen
from reconciler.report import Report, rows
from reconciler.stores.base import Store


def ended(report: Report, made: Run, store: Store, names: Collection[str]) -> Report:
    """The report with what became of each change, what stopped the run, and what is stored now under these names.

    Where the store is gone by now, without that; a store that fails here, or a bug, is one of the problems.
    """
    problems = [*report.problems, *([made.error.problem()] if made.error else [])]
    problems += [unforeseen(made.bug)] if made.bug else []
    report = replace(
        report, problems=tuple(problems), outcomes=made.results(), interrupted=made.interrupted, bug=made.bug
    )
    workspace = report.header.workspace if report.header else ""
    try:
        everything = rows(store.load(workspace), report.traits)
        head = store.head(workspace)
    except StoreError as error:
        return report if made.error else replace(report, problems=(*problems, error.problem()))
    except Exception as bug:  # noqa: BLE001 -- what was done is told whatever the list comes to
        return replace(report, problems=(*problems, unforeseen(bug)), bug=bug)
    return replace(
        report,
        rows=tuple(row for row in everything if row.name in names),
        total=len(everything),
        anchor=audit.anchor(*head) if head else "",
    )
