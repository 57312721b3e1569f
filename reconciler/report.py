"""Everything that a renderer may look at, the counts, and the one place where the exit code is decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler import verdicts
from reconciler.codes import CODES, PRECEDENCE, Exit
from reconciler.due import Due
from reconciler.model import Action, Answer, Event, Mode, Origin, Problem, Result, Severity, Status, Traits, Verdict
from reconciler.planfile import PlanFile
from reconciler.plans import Outcome, Plan
from reconciler.state import Record, Rejection, Snapshot

UNSTORED = (Result.ACCEPTED, Result.SKIPPED)
"""Results of changes that came to no end of their own: they were stopped, by another one or by a person."""


@dataclass(frozen=True, slots=True)
class Header:
    """Which workspace of which store a command works on."""

    workspace: str
    mode: Mode
    store: str
    """The store's address for people, without a password."""
    exists: bool = True
    store_id: str = ""
    serial: int = 0
    stored: int = 0
    """How many records it holds."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list: a record, a rejection, or both."""

    name: str
    status: Status
    provider: str
    service_id: str
    region: str
    label: str
    created_by: str
    record: Record | None
    rejection: Rejection | None

    @property
    def ready(self) -> bool:
        return self.status.startswith("ready")

    @property
    def needs_a_person(self) -> bool:
        """Whether it cannot send, or a refused submission waits."""
        return self.rejection is not None or not self.ready


@dataclass(frozen=True, slots=True)
class Checkup:
    """What a scheduled check found of one stored credential."""

    record: Record
    """As it was before."""
    verdict: Verdict
    before: Status
    after: Status
    """``unknown`` never takes a refusal back."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history."""

    seq: int
    """0: a read that is not in the chain yet."""
    event: Event


@dataclass(frozen=True, slots=True)
class Filed:
    """A plan file that a command wrote, shows or carries out."""

    path: str
    file: PlanFile
    signed: bool | None
    """True: nothing was altered since it was made. None: nobody can tell here."""
    why: str = ""
    """Why nobody can tell."""
    expired: bool = False
    finished_at: str = ""
    """When it was carried out to its end, as far as the store at hand knows."""


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one command."""

    command: str
    header: Header | None = None
    problems: tuple[Problem, ...] = ()
    plan: Plan | None = None
    filed: Filed | None = None
    """The plan's file, where there is one."""
    approved: bool = False
    """Whether the plan is what somebody approved: a plan file, or by its digest."""
    done_before: tuple[str, ...] = ()
    """Names that an earlier run of the same plan file has stored."""
    outcomes: tuple[Outcome, ...] = ()
    rows: tuple[Row, ...] = ()
    total: int = 0
    """How many rows there are without a filter."""
    filters: Mapping[str, str] = field(default_factory=dict)
    creators: tuple[str, ...] = ()
    """For a filter without a match: who there is."""
    declared: int = 0
    files: int = 0
    origin: Origin | None = None
    """Who runs this and where, for a report that others read."""
    selection: str = ""
    """The flags that chose the manifest and the store, to be repeated in a next command."""
    found_by: str = ""
    """Of these, the ones that lead to manifest and store, without those that choose among the credentials."""
    store_selection: str = ""
    """Of these, the ones that chose the store."""
    detailed_exitcode: bool = False
    interrupted: bool = False
    bug: Exception | None = field(default=None, repr=False, compare=False)
    """What nobody foresaw in the middle of a run; it is one of the problems too. Its message could hold a secret."""
    dropped: tuple[str, ...] = ()
    """Names whose rejection lost its reason and was removed."""
    anchor: str = ""
    live: Mapping[str, Verdict] = field(default_factory=dict)
    """What providers answered to ``plan --check``, by name of the change."""
    checkups: tuple[Checkup, ...] = ()
    skipped: int = 0
    """Stored credentials that ``check`` did not ask about: not named, or proven recently."""
    waiting: tuple[Row, ...] = ()
    """Refused submissions that ``check`` found waiting, each with what is stored under its name."""
    entries: tuple[Entry, ...] = ()
    due: tuple[Due, ...] = ()
    """What expires or should be rotated soon, or is overdue."""
    required: int = 0
    """How many ready credentials ``list --require`` wants."""
    traits: Mapping[str, Traits] = field(default_factory=dict)
    """What there is to say of each provider, by name: its title, documentation and support."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What a small command has to say, by name."""

    @property
    def place(self) -> str:
        """The options that lead to this workspace of this store, for the commands that are suggested."""
        return f" -w {self.header.workspace}{self.store_selection}" if self.header else self.store_selection

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if p.severity is Severity.ERROR)


def exit_code(report: Report) -> int:
    """The command's exit code: the first of the documented order that applies, whatever the output format."""
    found = {CODES[p.code].exit for p in report.errors}
    if report.interrupted:
        found.add(Exit.INTERRUPTED)
    if any(o.result in (Result.REJECTED, Result.FAILED) for o in report.outcomes):
        found.add(Exit.ATTENTION)
    answers = {verdict.answer for verdict in report.live.values()}
    if answers & {Answer.REJECTED, Answer.UNKNOWN}:
        found.add(Exit.ATTENTION)
    found |= {_check_exit(checkup) for checkup in report.checkups}
    if any(not row.ready for row in report.waiting):
        found.add(Exit.ATTENTION)
    if report.required > sum(1 for row in report.rows if row.ready):
        found.add(Exit.ATTENTION)
    if report.plan and report.plan.refusals:
        # apply will refuse it: who reviews must not find out after the merge
        found.add(Exit.REFUSED)
    if report.detailed_exitcode and report.plan and report.plan.effective:
        found.add(Exit.CHANGES)
    return next((int(code) for code in PRECEDENCE if code in found), 0)


def _check_exit(checkup: Checkup) -> Exit:
    """A refusal wants a person; a provider that could not be asked wants another try."""
    if not checkup.after.startswith("ready"):
        return Exit.ATTENTION
    return Exit.INVALID if checkup.verdict.answer is Answer.UNKNOWN else Exit.DONE


def plan_summary(plan: Plan) -> str:
    """The line that scripts may rely on."""
    counts = {action: len(plan.of(action)) for action in Action}
    return (
        f"Plan: {counts[Action.CREATE]} to create, {counts[Action.UPDATE]} to update, "
        f"{counts[Action.DELETE]} to delete, {len(plan.kept)} unchanged."
    )


def plan_also(plan: Plan) -> str:
    """The second line: what the summary has no room for; empty where there is nothing."""
    notes = [reason for change in plan.of(Action.NOTE) for reason in change.reasons]
    spent, missed = notes.count("moved-from-spent"), plan.secrets_total - plan.secrets_compared
    stale = len(notes) - notes.count("undeclared") - spent
    parts = {
        "to rename": len(plan.of(Action.RENAME)),
        "undeclared": notes.count("undeclared"),
        "stale rejection" if stale == 1 else "stale rejections": stale,
        "spent moved_from": spent,
        "blocked": sum(1 for change in plan.changes if change.blocked),
        "secret not compared" if missed == 1 else "secrets not compared": missed,
    }
    said = ", ".join(f"{count} {what}" for what, count in parts.items() if count)
    return f"Also: {said}." if said else ""


def applied_summary(outcomes: tuple[Outcome, ...], unchanged: int) -> str:
    """How a run of ``apply`` ended, in one line."""
    counts = {result: sum(1 for o in outcomes if o.result is result) for result in Result}
    shown = ("created", "updated", "renamed", "deleted", "rejected", "failed")
    parts = [f"{counts[Result(word)]} {word}" for word in shown]
    parts += [f"{counts[Result.ACCEPTED]} accepted (not stored)"] if counts[Result.ACCEPTED] else []
    return f"Applied: {', '.join(parts)}, {counts[Result.SKIPPED]} not attempted; {unchanged} unchanged."


def unwritten(report: Report, why: str) -> Report:
    """The report of a run whose output was cut off: a problem more, which says as well what the run came to."""
    code, outcomes = CODES["not-written"], report.outcomes
    said = applied_summary(outcomes, len(report.plan.kept)) if outcomes and report.plan else ""
    detail = f"{why}; the run itself ended with exit code {exit_code(report)}. {said}".rstrip()
    return replace(report, problems=(*report.problems, Problem(code.name, code.summary, detail=detail, hint=code.hint)))


def rows(snapshot: Snapshot, traits: Mapping[str, Traits]) -> tuple[Row, ...]:
    """One row for each name that has a record, a rejection or both, in order of name."""
    names = sorted(snapshot.records.keys() | snapshot.rejections.keys())
    return tuple(_row(n, snapshot.records.get(n), snapshot.rejections.get(n), traits) for n in names)


def _row(name: str, record: Record | None, rejection: Rejection | None, traits: Mapping[str, Traits]) -> Row:
    declared = record.declared if record else rejection.declared if rejection else None
    if declared is None:
        raise ValueError("a row needs a record or a rejection")
    trait = traits.get(declared.provider)
    return Row(
        name=name,
        status=verdicts.status(record, rejection),
        provider=declared.provider,
        service_id=str(declared.settings.get(trait.identifier, "")) if trait else "",
        region=str(declared.settings.get(trait.region, "")) if trait and trait.region else "",
        label=declared.label,
        created_by=record.created_by if record else rejection.by if rejection else "",
        record=record,
        rejection=rejection,
    )
