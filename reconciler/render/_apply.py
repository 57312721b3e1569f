"""The outcomes of an apply as lines: one for each, an error block for each that did not succeed, the counts."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from reconciler.codes import CODES
from reconciler.model import Action, Result, SecretState, Verdict
from reconciler.plans import Outcome
from reconciler.render import rows as say
from reconciler.render._page import STYLES, Line
from reconciler.report import Report, applied_summary

DONE = frozenset({Result.CREATED, Result.UPDATED, Result.RENAMED, Result.DELETED, Result.KEPT})


def outcome_line(outcome: Outcome) -> Text:
    """What became of one change, in one line."""
    change = outcome.change
    sign = say.SIGNS[change.action] if outcome.result in DONE else "✗"
    verdict = outcome.verdict
    facts = ""
    if verdict:
        who = say.account(verdict) if outcome.result in DONE else ""
        facts = " · ".join(part for part in (who, say.provider_answer(change.provider, verdict)) if part)
    took = f"{outcome.seconds:.1f} s" if change.asks else ""
    line = f"{change.name:<16} {say.result(outcome):<26} {facts:<46} {say.versions(outcome):<16} {took}"
    return Text.assemble("  ", (sign, STYLES.get(sign, "")), " ", line.rstrip())


def apply_lines(report: Report) -> Iterator[Line]:
    """What stands after the outcomes' own lines, which were shown as they came."""
    plan = report.plan
    if plan is None:
        return
    if not report.outcomes and not report.problems and not plan.effective:
        if report.header:
            yield say.header(report.header)
        yield "No changes: everything declared is stored as declared."
        return
    for outcome in report.outcomes:
        if outcome.result in (Result.REJECTED, Result.FAILED):
            yield ""
            yield from error_block(report, outcome)
    if report.interrupted:
        yield ""
        yield "Interrupted: what was in flight is stored; the rest was not attempted. Run the same command again."
    if report.outcomes:
        yield ""
        yield applied_summary(report.outcomes, len(plan.kept))
    if report.anchor:
        yield f"Anchor {report.anchor} (keep it outside the store)"


def error_block(report: Report, outcome: Outcome) -> Iterator[Line]:
    """Why one change is not stored, whose turn it is, and what to do."""
    change = outcome.change
    code = outcome.problem.code if outcome.problem else outcome.verdict.code if outcome.verdict else "bug"
    yield Text.assemble((f"error[{code}]", "red"), f": {CODES[code].summary}: {change.name}")
    if change.credential:
        key = _suspect(outcome)
        reference = change.credential.declared.references.get(key, "")
        yield f"  --> {say.safe(change.credential.place(key))}   {key}: {say.safe(reference)}"
    if outcome.verdict:
        yield f"  asked     {_asked(outcome.verdict)}"
    if outcome.problem and outcome.problem.detail:
        yield f"  why       {say.safe(outcome.problem.detail)}"
    yield f"  fault     {say.fault(code)}"
    if outcome.verdict:
        yield from (f"  likely    {say.safe(note)}" for note in outcome.verdict.notes)
    yield f"  state     {change.name}: {_state(outcome)}"
    yield f"  do        {say.hint(code)}"
    yield f"            reconciler apply{report.selection} --only {change.name}"
    if outcome.result is Result.REJECTED and report.header:
        yield (
            f"  or        discard it: take it out of the manifest, then  "
            f"reconciler cancel {change.name} -w {report.header.workspace}"
        )


def _suspect(outcome: Outcome) -> str:
    """The secret key to look at first: one that gave nothing, else one that changed, else the first."""
    change = outcome.change
    fresh = [k for k, state in change.secrets.items() if state in (SecretState.NEW, SecretState.CHANGED)]
    return next(iter([*change.unresolved, *fresh, *change.secrets]), "")


def _asked(verdict: Verdict) -> str:
    if verdict.http_status is None:
        return f"{say.safe(verdict.asked)} → no answer" + (f", {verdict.at[11:19]} UTC" if verdict.at else "")
    answer = f"{verdict.http_status} {say.safe(verdict.provider_code)}".strip()
    request = f"request {say.safe(verdict.request_id)}" if verdict.request_id else "no request id given"
    return f"{say.safe(verdict.asked)} → {answer}, {verdict.at[11:19]} UTC, {request}"


def _state(outcome: Outcome) -> str:
    if outcome.change.action is Action.UPDATE:
        return f"v{outcome.change.expected_version} keeps serving; your change is not stored"
    return "nothing stored"
