"""A plan as lines: what it is about, each change with its fields, the counts, what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.text import Text

from reconciler.model import Action, Answer, SecretState, Verdict
from reconciler.plans import Change, Outcome, Plan
from reconciler.render import _planned as planned
from reconciler.render import rows as say
from reconciler.render._page import STYLES, Line
from reconciler.report import Report, plan_also, plan_summary

KEY = 15
"""Columns for a key: the longest of a built-in provider."""


def plan_lines(report: Report) -> Iterator[Line]:
    """A whole plan."""
    plan = report.plan
    if plan is None or report.header is None:
        return
    yield from _head(report)
    yield ""
    wide = min(30, max((len(c.name) for c in plan.changes), default=0))
    for change in sorted(plan.changes, key=lambda change: _urgency(change, report.live.get(change.name))):
        yield from change_lines(change, wide, report.live.get(change.name))
    if plan.changes:
        yield ""
    else:
        yield no_changes(report)
    yield plan_summary(plan)
    also = plan_also(plan)
    if also:
        yield also
    if report.live:
        yield _live_counts(report)
    yield from map(_not_asked, _unasked(report))
    yield from what_comes(report)
    yield from _next(report)


def _urgency(change: Change, live: Verdict | None) -> int:
    """What needs a person comes first, what is only noted last; between equals the plan's order stays."""
    if change.blocked or (live and live.answer is Answer.REJECTED):
        return 0
    if change.replaces_account or change.unresolved or (live and live.answer is Answer.UNKNOWN):
        return 1
    if change.refused_before and not live:
        return 1
    return 3 if change.action is Action.NOTE else 2


def _live_counts(report: Report) -> str:
    found = Counter(verdict.answer for verdict in report.live.values())
    return f"Live: {found[Answer.VALID]} valid, {found[Answer.REJECTED]} rejected, {found[Answer.UNKNOWN]} not reached."


def _unasked(report: Report) -> list[Outcome]:
    """What ``plan --check`` could not ask about."""
    return [outcome for outcome in report.outcomes if outcome.problem and report.command == "plan"]


def _not_asked(outcome: Outcome) -> str:
    said = outcome.problem
    return f"Not asked: {outcome.change.name}: {said.summary}: {say.safe(said.detail)}." if said else ""


def no_changes(report: Report) -> str:
    """What a plan without changes says, and no more than it knows."""
    what = "what was selected" if report.plan and report.plan.partial else "everything declared"
    if report.plan and report.plan.secrets_only:
        what = "every secret"
    if report.plan and (unseen := planned.unseen(report.plan)):
        return f"No changes {unseen}."
    return f"No changes: {what} is stored as declared."


def _head(report: Report) -> Iterator[Line]:
    head, plan = report.header, report.plan
    if head is None or plan is None:
        return
    files = f"{report.files} file{'' if report.files == 1 else 's'}"
    approved = f" · digest {plan.digest} as approved" if report.approved and not plan.refusals else ""
    yield say.header(head) + (f" · serial {head.serial}" if head.exists else "") + approved
    yield from _about_file(report)
    stored = f", {head.stored} stored" if head.exists else ""
    commit = report.origin.commit[:9] if report.origin else ""
    parts = [
        f"commit {say.safe(commit)}" if commit else "",
        f"{report.declared} declared in {files}{stored}",
        _compared(report),
        _asked(report, plan),
        "partial" if plan.partial else "",
        "secrets only" if plan.secrets_only else "",
    ]
    yield " · ".join(part for part in parts if part)


def _asked(report: Report, plan: Plan) -> str:
    """How many of those that a provider must be asked about were asked; nothing where nobody wanted to know."""
    total = sum(1 for change in plan.changes if change.asks)
    return (
        f"asked live: {len(report.live)} of {say.count(total, 'create or update', 'creates and updates')}"
        if report.live
        else ""
    )


def _compared(report: Report) -> str:
    plan = report.plan
    if plan is None or not plan.secrets_total:
        return "no secrets"
    if not plan.compared:
        return f"secrets not compared ({plan.secrets_total}): a changed secret does not show here"
    return f"secrets compared {plan.secrets_compared} of {plan.secrets_total}"


def change_lines(change: Change, wide: int, live: Verdict | None = None) -> Iterator[Line]:
    """One change: its own line, then a line for each field."""
    sign = say.SIGNS[change.action]
    place = str(change.credential.place()).rpartition(":")[0] if change.credential else _leave(change)
    said = say.action(change)
    if change.blocked:
        said += f", REFUSED: {change.blocked}"
    place += f"   {_live(live)}" if live else ""
    again = change.rejection if change.refused_before and not live else None
    attention = "!" if change.replaces_account or change.blocked or again else " "
    if live and live.answer is Answer.REJECTED:
        attention = "✗"
    yield Text.assemble(
        "  ", (attention, STYLES.get(attention, "")), " ", (sign, STYLES.get(sign, "")), f" {change.name:<{wide}}  ",
        f"{change.provider:<8} {said:<32}  {say.safe(place)}".rstrip(),
    )  # fmt: skip
    if live and live.answer is not Answer.VALID:
        yield f"        {live.answer:<{KEY}}  {say.verdict_facts(change.provider, live)}"
        yield from (f"        {'':<{KEY}}  {said}" for said in (*map(say.safe, live.notes), say.hint(live.code)))
    if again:
        for word, said in zip(("refused before", ""), say.refused_before(again), strict=True):
            yield f"        {word:<{KEY}}  {said}"
    if change.action in (Action.CREATE, Action.UPDATE, Action.RENAME):
        yield from _fields(change)


def _leave(change: Change) -> str:
    """How to be rid of what no manifest declares, as far as that can be."""
    if change.action is not Action.NOTE or "undeclared" not in change.reasons or change.record is None:
        return ""
    lift = "protected: lift that first" if change.record.declared.protected else "not protected"
    return f"delete with --prune ({lift})"


def _live(verdict: Verdict) -> str:
    """What the provider says now."""
    words = {Answer.VALID: "valid live", Answer.REJECTED: "REJECTED live", Answer.UNKNOWN: "not reached"}
    return words[verdict.answer]


def _fields(change: Change) -> Iterator[str]:
    references = change.declared.references
    for field in change.fields:
        if field.field not in references and not (change.action is Action.CREATE and field.field == "provider"):
            yield f"        {field.field:<{KEY}}  {say.field_change(field)}"
    moved = {field.field: field for field in change.fields}
    for key, state in change.secrets.items():
        if state is SecretState.UNCHANGED and key not in moved:
            continue
        shown = say.field_change(moved[key]) if key in moved else say.safe(references[key])
        yield f"        {key:<{KEY}}  {shown:<42}  {_state(change, key)}"


def _state(change: Change, key: str) -> str:
    if key in change.unresolved:
        return f"{change.unresolved[key]} here: apply will fail it"
    return say.SECRET_STATES[change.secrets[key]]


def _would(report: Report, plan: Plan) -> str:
    """What apply would make of it, if the providers say the same again."""
    by = {answer: [name for name, said in report.live.items() if said.answer is answer] for answer in Answer}
    refused, unknown = by[Answer.REJECTED], by[Answer.UNKNOWN]
    missing = [change.name for change in plan.effective if change.unresolved]
    left = len(plan.effective) - len(refused) - len(unknown) - len(missing)
    said = f"Apply would store {left} of {say.count(len(plan.effective), 'change')}"
    said += f" and refuse {say.names(refused)}" if refused else ""
    said += f"; not judged: {say.names(unknown)}" if unknown else ""
    said += f"; without a secret here: {say.names(missing)}" if missing else ""
    return f"{said}."


def what_comes(report: Report) -> Iterator[str]:
    """What apply would make of it, as far as providers were asked, and what cannot be taken back."""
    plan = report.plan
    if plan is None or not plan.effective:
        return
    yield ""
    # apply itself ends with the refusal
    for refusal in plan.refusals if report.command != "apply" else ():
        yield f"apply will refuse this plan: {refusal.code}: {say.safe(refusal.detail)}"
        yield f"  do   {say.safe(refusal.hint)}"
    if (report.live or _unasked(report)) and not plan.refusals:
        yield _would(report, plan)
    yield planned.grave(plan)


def _next(report: Report) -> Iterator[Line]:
    """The digest, and the command that applies exactly this."""
    plan = report.plan
    if plan is None or not plan.effective or report.command == "apply":
        return
    commands = planned.commands(report)
    if plan.digest:
        yield f"Digest {plan.digest}.{' Apply exactly this:' if commands else ''}"
    elif commands:
        yield "Make the store, then apply it:" if len(commands) > 1 else "Apply it:"
    yield from (f"  {command}" for command in commands)
    if report.filed and report.command == "plan":
        yield f"The plan is in {say.safe(report.filed.path)}, readable by you alone."


def _about_file(report: Report) -> Iterator[str]:
    """What there is to know of the plan's file before it is trusted."""
    if report.filed:
        yield from planned.plan_file(report.filed)
        yield from planned.done_before(report)
