"""What of a plan or a run needs a person: a row for each change with its reasons, and how to mend what was refused."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.codes import CODES
from reconciler.model import Action, Answer, Result, Verdict
from reconciler.plans import Change, Outcome
from reconciler.render import _md as md
from reconciler.render import rows as say
from reconciler.render._failure import suspect
from reconciler.report import Report

Reason = tuple[str, str]
"""``🔴 rejected`` and why."""


def decisions(report: Report) -> dict[str, str]:
    """A row of the table for each change that needs a decision, the gravest first; by name."""
    grave = [(change, reasons) for change, reasons in _found(report) if reasons]
    grave.sort(key=lambda item: (not item[1][0][0].startswith("🔴"), item[0].name))
    return {change.name: _row(change, reasons) for change, reasons in grave}


def icon(report: Report) -> str:
    """Red where something is refused, orange where a person must decide, else green."""
    signs = {sign.partition(" ")[0] for _, reasons in _found(report) for sign, _ in reasons}
    refused = report.plan.refusals if report.plan else ()
    return "🔴" if "🔴" in signs or refused else "🟠" if signs else "🟢"


def _found(report: Report) -> Iterator[tuple[Change, list[Reason]]]:
    """Each change that writes something, with its reasons."""
    failures = {o.change.name: o.problem.summary for o in report.outcomes if o.problem}
    merging = _merging(report)
    for change in report.plan.effective if report.plan else ():
        live, failure = report.live.get(change.name), failures.get(change.name, "")
        yield change, list(_reasons(change, live, failure, merging))


def _row(change: Change, reasons: list[Reason]) -> str:
    signs = ", ".join(dict.fromkeys(sign.partition(" ")[2] for sign, _ in reasons))
    what = f"{change.action} v{change.expected_version}" if change.action is Action.UPDATE else str(change.action)
    why = " ".join(text for _, text in reasons)
    name = f"{md.cell(change.name)} {md.word(change.provider)}"
    return md.row(f"{reasons[0][0].partition(' ')[0]} {signs}", name, what, why)


def _reasons(change: Change, live: Verdict | None, failure: str, merging: str) -> Iterator[Reason]:
    """Why a change needs a person, the gravest first. ``failure``: why its provider was not asked."""
    if change.blocked:
        code = CODES[change.blocked]
        yield "🔴 refused", f"Apply refuses the plan: {md.prose(code.summary)}; {md.prose(code.hint)}."
    if live and live.answer is Answer.REJECTED:
        yield "🔴 rejected", f"{_answer(change, live)} {merging}"
    if failure:
        yield "🔴 not asked", f"{md.prose(failure)}."
    if live and live.answer is Answer.UNKNOWN:
        yield "🟠 not reached", f"{_answer(change, live)} It was not judged."
    if not live and not failure:
        yield from _missing(change)
        if change.refused_before and change.rejection:
            facts, again = say.refused_before(change.rejection)
            yield "🟠 refused before", f"{md.cell(facts)}. {md.prose(again)}."
    yield from _consequences(change, live)


def _missing(change: Change) -> Iterator[Reason]:
    for key, name in change.unresolved.items():
        summary = md.prose(CODES[name].summary)
        yield "🟠 no secret", f"{md.cell(key)}: {summary}; apply fails it unless its own machine has the value."


def _consequences(change: Change, live: Verdict | None) -> Iterator[Reason]:
    """What a change does that looks harmless in a diff."""
    if change.replaces_account:
        valid = " Live: valid." if live and live.answer is Answer.VALID else ""
        yield "🟠 account", f"Another account: messages go out, and are billed, there.{valid}"
    if change.action is Action.DELETE:
        yield "🟠 delete", "Nothing can send with it any more."
    if change.lifts_protection:
        yield "🟠 protection", "Its protection is lifted: the next plan may delete it or change its account."


def _answer(change: Change, verdict: Verdict) -> str:
    return f"{md.cell(say.provider_answer(change.provider, verdict))}: {md.prose(CODES[verdict.code].summary)}."


def _merging(report: Report) -> str:
    """What merging would do all the same."""
    if report.plan is None or report.plan.refusals:
        return ""
    bad = {n for n, verdict in report.live.items() if verdict.answer is not Answer.VALID}
    bad |= {outcome.change.name for outcome in report.outcomes if outcome.problem}
    rest = sum(1 for change in report.plan.effective if change.name not in bad)
    others = f"stores {say.count(rest, 'other change')} and " if rest else ""
    return f"Merging now {others}refuses this one."


def fixes(report: Report) -> list[str]:
    """How to mend each change that a provider refused, or that could not be asked about."""
    outcomes = [o for o in report.outcomes if o.result in (Result.REJECTED, Result.FAILED)]
    changes = report.plan.effective if report.plan else ()
    live = [(c, report.live[c.name]) for c in changes if c.name in report.live]
    outcomes += [Outcome(c, Result.REJECTED, verdict=v) for c, v in live if v.answer is not Answer.VALID]
    return [f"**{_todo(o)} {md.code(o.change.name)}**{_where(o)}: {'; '.join(_steps(report, o))}.\n" for o in outcomes]


def _todo(outcome: Outcome) -> str:
    unknown = outcome.verdict and outcome.verdict.answer is Answer.UNKNOWN and not outcome.problem
    return "To ask again:" if unknown else "To fix"


def _where(outcome: Outcome) -> str:
    credential = outcome.change.credential
    if credential is None:
        return ""
    return f" ({md.code(str(credential.place(suspect(outcome))).rpartition(':')[0])})"


def _steps(report: Report, outcome: Outcome) -> Iterator[str]:
    change, verdict, problem = outcome.change, outcome.verdict, outcome.problem
    name = problem.code if problem else verdict.code if verdict else "bug"
    if problem and problem.detail:
        yield md.prose(problem.detail)
    if verdict:
        yield from map(md.prose, verdict.notes)
        if verdict.likely:
            yield f"likely {', or '.join(map(md.prose, verdict.likely))}"
    yield md.prose(CODES[name].hint)
    key = suspect(outcome)
    if CODES[name].answer is Answer.REJECTED and key in change.declared.references:
        yield f"its reference is {md.code(change.declared.references[key])}"
    find = dict(report.traits[change.provider].find).get(key, "") if change.provider in report.traits else ""
    if find and name == "key-refused":
        yield f"a new one: {md.prose(find).rstrip('.')}"
