"""What a run did, as a comment: an apply after the merge, a scheduled check, a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from reconciler.model import Answer, Declared, Result, Status, Verdict
from reconciler.plans import Outcome, Plan
from reconciler.render import _md as md
from reconciler.render import _planned as planned
from reconciler.render import rows as say
from reconciler.render._list import commands
from reconciler.render._md_decide import fixes
from reconciler.report import UNSTORED, Checkup, Report, Row, applied_summary

_BAD = (Result.REJECTED, Result.FAILED)


def apply_page(report: Report, plan: Plan, problems: tuple[md.Section, ...]) -> md.Page:
    """What became of every change; how to mend those that were refused."""
    last = [f"{md.prose(line)}.\n" for line in planned.done_before(report)]
    last += [f"{applied_summary(report.outcomes, len(plan.kept))}\n"]
    last += [f"{len(report.dropped)} dropped: {md.names(report.dropped)}.\n"] if report.dropped else []
    last += [f"Digest {md.code(plan.digest)}.\n"] if plan.digest else []
    sections = (
        md.Section((say.interrupted(report),) * report.interrupted),
        *problems,
        md.table(("", "credential", "result", "version", "answer"), map(_outcome, report.outcomes)),
        md.Section(tuple(fixes(report))),
    )
    return _page(report, "apply", _applied(report, plan), sections, "".join(last))


def _applied(report: Report, plan: Plan) -> str:
    """``✅ applied 3 of 4, otp-apac rejected · anchor 412:9c1e77a0d2b45f18``."""
    if not report.outcomes:
        return f"⚪ {planned.no_changes(plan)}"
    by = {result: [o.change.name for o in report.outcomes if o.result is result] for result in Result}
    done = len(report.outcomes) - sum(len(by[result]) for result in (*_BAD, *UNSTORED))
    parts = [f"applied {done} of {len(report.outcomes)}"]
    parts += [f"{md.names(by[result])} {result}" for result in _BAD if by[result]]
    parts += [f"{len(by[Result.ACCEPTED])} accepted, not stored"] if by[Result.ACCEPTED] else []
    parts += [f"{len(by[Result.SKIPPED])} not attempted"] if by[Result.SKIPPED] else []
    parts += [f"**stopped by {md.names([p.code for p in report.errors])}**"] if report.errors else []
    anchor = f" · anchor {md.code(report.anchor)}" if report.anchor else ""
    return f"{'✅' if done and not report.errors else '🔴'} {', '.join(parts)}{anchor}"


def restore_page(report: Report, problems: tuple[md.Section, ...]) -> md.Page:
    """What was put back, or why not."""
    sections = (
        *problems,
        md.table(("", "credential", "result", "version", "answer"), map(_outcome, report.outcomes)),
        md.Section(tuple(_another(report, o.change.name, o.verdict) for o in report.outcomes if o.result in _BAD)),
    )
    return _page(report, "restore", _restored(report), sections, "")


def _another(report: Report, name: str, verdict: Verdict | None) -> str:
    likely = f"likely {', or '.join(map(md.prose, verdict.likely))}; " if verdict and verdict.likely else ""
    return f"{likely}choose another version: {md.code(f'reconciler get {name}{report.place}')}"


def _restored(report: Report) -> str:
    name = md.code(report.facts["name"])
    anchor = f" · anchor {md.code(report.anchor)}" if report.anchor else ""
    for outcome in report.outcomes:
        if outcome.result in _BAD or outcome.result in UNSTORED:
            return f"🔴 {name} not restored: {md.word(say.result(outcome))}{anchor}"
        return f"✅ {name} is v{outcome.version}, as it was in v{report.facts['version']}{anchor}"
    return f"⚪ no changes: {name} is as it was in v{report.facts['version']}"


def _outcome(outcome: Outcome) -> str:
    change, verdict = outcome.change, outcome.verdict
    sign = "🔴" if outcome.result in _BAD else "⚪" if outcome.result in UNSTORED else "✅"
    said = md.cell(say.provider_answer(change.provider, verdict)) if verdict else say.DASH
    name = f"{md.cell(change.name)} {md.word(change.provider)}"
    return md.row(sign, name, md.prose(say.result(outcome)), say.versions(outcome), said)


def check_page(report: Report, problems: tuple[md.Section, ...]) -> md.Page:
    """Whom a person must look after, then what is due."""
    told = [c for c in report.checkups if _trouble(c)]
    told.sort(key=lambda c: (c.after.startswith("ready"), c.record.name))
    due = [md.row("🟠", md.cell(one.name), "due", md.cell(one.key), md.prose(say.due(one))) for one in report.due]
    waiting = sorted(report.waiting, key=lambda row: row.ready)
    rows = [*(_checkup(one, report) for one in told), *(_waiting(row, report) for row in waiting), *due]
    last = f"Asked {len(report.checkups)}, skipped {report.skipped}. No secret was changed.\n"
    sections = (*problems, md.table(("", "credential", "found", "answer", "what to do"), rows))
    return _page(report, "check", _checked(report), sections, last)


def _trouble(checkup: Checkup) -> bool:
    return checkup.after is not Status.READY or checkup.verdict.answer is Answer.UNKNOWN


def _found(checkup: Checkup) -> str:
    """Of a refusal that could not be confirmed now, both are true: it is refused, and was not reached."""
    if checkup.after.startswith("ready") and checkup.verdict.answer is Answer.UNKNOWN:
        return "not reached"
    return checkup.after


def _checked(report: Report) -> str:
    found = Counter(_found(c).partition(", ")[2] or _found(c) for c in report.checkups if _trouble(c))
    ready = sum(1 for c in report.checkups if c.after.startswith("ready"))
    bad = ready < len(report.checkups) or any(not row.ready for row in report.waiting)
    due = len({one.name for one in report.due})
    parts = [f"{ready} of {len(report.checkups)} ready"]
    parts += [f"{number} {what}" for what, number in sorted(found.items())]
    never = sum(1 for row in report.waiting if row.record is None)
    waiting = len(report.waiting) - never
    parts += [f"{never} never accepted"] if never else []
    parts += [f"{say.count(waiting, 'update')} waiting"] if waiting else []
    parts += [f"{due} due"] if due else []
    parts += ["interrupted"] if report.interrupted else []
    sign = "🔴" if bad else "🟢" if len(parts) == 1 else "🟠"
    return f"{sign} {', '.join(parts)}"


def _checkup(checkup: Checkup, report: Report) -> str:
    record, verdict = checkup.record, checkup.verdict
    sign = "🟠" if checkup.after.startswith("ready") else "🔴"
    answer = md.cell(say.verdict_facts(record.declared.provider, verdict))
    refused = verdict.answer is Answer.REJECTED
    todo = _ways(record.name, record.declared, verdict, report) if refused else "; ".join(_advice(verdict))
    return md.row(sign, md.cell(record.name), _found(checkup), answer, todo)


def _waiting(row: Row, report: Report) -> str:
    rejection = row.rejection
    if rejection is None:
        return ""
    answer = md.cell(say.verdict_facts(rejection.declared.provider, rejection.verdict))
    todo = _ways(row.name, rejection.declared, rejection.verdict, report, discard=True)
    advice = f"{md.prose(say.rejection_state(rejection, row.record))} {todo}"
    return md.row("🟠" if row.ready else "🔴", md.cell(row.name), row.status, answer, advice)


def _advice(verdict: Verdict) -> Iterator[str]:
    yield from map(md.prose, verdict.notes)
    if verdict.likely:
        yield f"likely {', or '.join(map(md.prose, verdict.likely))}"
    if say.hint(verdict.code):
        yield md.prose(say.hint(verdict.code))


def _ways(name: str, declared: Declared, verdict: Verdict, report: Report, *, discard: bool = False) -> str:
    """What is likely behind a refusal, where the secret is, where a new one is had, and the commands that follow."""
    apply, cancel = commands(name, report)
    traits = report.traits.get(declared.provider)
    finds = dict(traits.find) if traits and verdict.code == "key-refused" else {}
    said = list(_advice(verdict))
    for key, reference in declared.references.items():
        said += [f"{md.cell(key)} is {md.cell(reference)}"]
        said += [f"a new one: {md.prose(finds[key]).rstrip('.')}"] if key in finds else []
    said += [f"then {md.cell(apply)}"]
    return "; ".join([*said, f"or discard it: {md.cell(cancel)}"] if discard else said)


def list_page(report: Report, problems: tuple[md.Section, ...], now: str) -> md.Page:
    """All rows, then those that need a person, then what is due."""
    filters = [f"{key}={value}" for key, value in report.filters.items()]
    last = f"{len(report.rows)} of {report.total} shown" + (f": {md.names(filters)}" if filters else "")
    last += f". Creators: {md.names(report.creators)}" if filters and not report.rows else ""
    columns = ("", "name", "label", "provider", "service id", "created by", "created", "status", "checked")
    sections = (
        *problems,
        md.table(columns, (_row(row, now) for row in report.rows)),
        md.table(
            ("needs a person", "why", "what to do"), (_needs(row, report) for row in report.rows if row.needs_a_person)
        ),
        md.Section(tuple(_notes(report))),
    )
    return _page(report, "list", _listed(report), sections, f"{last}.\n")


def _listed(report: Report) -> str:
    ready = sum(1 for row in report.rows if row.ready)
    waiting = sum(1 for row in report.rows if row.needs_a_person)
    missed = report.required > ready
    nothing = "nothing is stored; the history tells what was tried" if report.facts.get("tried") else "nothing to show"
    said = f"{ready} of {len(report.rows)} ready" if report.rows else nothing
    said += f", {waiting} need{'s' if waiting == 1 else ''} a person" if waiting else ""
    said += f", {report.required} required" if missed else ""
    bad = ready < len(report.rows) or missed
    return f"{'🔴' if bad else '🟠' if waiting else '🟢' if report.rows else '⚪'} {said}"


def _row(row: Row, now: str) -> str:
    record, rejection = row.record, row.rejection
    checked = rejection.last_at if rejection else record.verdict.at if record else ""
    free = map(md.cell, (say.service_id(row), row.created_by))
    created = say.day(record.created_at if record else "")
    return md.row(say.sign(row.status), md.cell(row.name), md.cell(row.label), md.word(row.provider), *free, created,
                  row.status, say.ago(checked, now))  # fmt: skip


def _needs(row: Row, report: Report) -> str:
    rejection, record = row.rejection, row.record
    if rejection:
        declared, verdict = rejection.declared, rejection.verdict
        tried = f"Attempt {rejection.attempts}, by {md.cell(rejection.by)}, {say.clock(rejection.last_at)}."
        died = f"Accepted {say.clock(record.accepted_at)}, refused since. " if record and not row.ready else ""
        why = f"{died}{md.prose(say.rejection_state(rejection, record))} {tried}"
    elif record:
        declared, verdict = record.declared, record.verdict
        why = f"Accepted {say.clock(record.accepted_at)}, refused {say.clock(verdict.at)}: sending fails."
    else:
        return ""
    facts = md.cell(say.verdict_facts(declared.provider, verdict))
    todo = _ways(row.name, declared, verdict, report, discard=rejection is not None)
    return md.row(md.cell(row.name), f"{why} {facts}", todo)


def _notes(report: Report) -> Iterator[str]:
    for row in report.rows:
        if row.ready and row.record:
            notes = row.record.verdict.notes
            yield from (f"- {md.code(row.name)} {md.prose(say.noted(row.status, note))}" for note in notes)
    yield from (f"- {md.code(one.name)} {md.prose(say.due(one))}" for one in report.due)


def _page(report: Report, kind: str, verdict: str, sections: tuple[md.Section, ...], last: str) -> md.Page:
    head = report.header
    cut = f"{verdict} (✂️ cut to fit)"
    return md.Page(kind, head.store_id if head else "", head.workspace if head else "", verdict, sections, last, cut)
