"""A plan as a pull request's comment: the verdict, what a person must decide, what to look over, the rest folded."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.model import Action, Answer, SecretState, Verdict
from reconciler.plans import Change, Plan
from reconciler.render import _md as md
from reconciler.render import _planned as planned
from reconciler.render import rows as say
from reconciler.render._md_decide import decisions, fixes, icon
from reconciler.report import Header, Report


def plan_page(report: Report, plan: Plan, problems: tuple[md.Section, ...]) -> md.Page:
    """The whole comment."""
    head = report.header
    decided = decisions(report)
    updates = [c for c in plan.changes if c.action in (Action.UPDATE, Action.RENAME, Action.DELETE)]
    grave = [c for c in updates if c.name in decided]
    light = [c for c in updates if c.name not in decided]
    sections = (
        md.Section(tuple(_counts(report, plan))),
        *problems,
        md.table(("", "credential", "change", "why it needs you"), decided.values(),
                 before=f"#### Decide ({len(decided)})\n"),
        md.Section(tuple(fixes(report))),
        md.fenced((_entry(c, report.live.get(c.name)) for c in grave), "diff"),
        md.fenced((_entry(c, report.live.get(c.name)) for c in light), "diff",
                  before=f"#### Look over ({len(light)})\n"),
        _details(report, plan),
    )  # fmt: skip
    return md.Page(
        "plan", head.store_id if head else "", head.workspace if head else "", _verdict(report, plan), sections,
        last=_digest(report, plan) + NO_SECRET + _run(report),
        cut=f"✂️ {say.count(len(plan.effective), 'change')}, cut to fit: do not approve from this comment",
    )  # fmt: skip


_PLAIN_URL = re.compile(r"https://[A-Za-z0-9._~:/-]{1,500}")
NO_SECRET = "This text holds no secret.\n"  # noqa: S105 -- says that there is none


def _digest(report: Report, plan: Plan) -> str:
    """What to hold an apply to, and how."""
    if not plan.digest:
        return ""
    commands = planned.commands(report)
    exactly = f" To apply exactly this: {md.code(commands[-1])}." if commands else ""
    return f"Digest {md.code(plan.digest)}.{exactly} "


def _run(report: Report) -> str:
    """A link to the run that made this, where its address is a plain one."""
    url = report.origin.run_url if report.origin else ""
    return f"[Run]({url})\n" if _PLAIN_URL.fullmatch(url) else ""


def _verdict(report: Report, plan: Plan) -> str:
    """The one line that everybody reads."""
    number = len(plan.effective)
    if not number and not plan.refusals:
        return f"⚪ {planned.no_changes(plan)}"
    what = say.count(number, "SMS credential change")
    found = list(_grave(report, plan))
    sign = icon(report)
    if found:
        return f"{sign} {what}, {', '.join(found)}"
    asks = [c for c in plan.effective if c.asks]
    if not asks:
        return f"{sign} {what}, none of which needs a provider's word"
    if all(c.name in report.live for c in asks):
        return f"{sign} {what}, all accepted by their providers"
    return f"🟡 {what}, not asked live: apply asks before it stores"


def _grave(report: Report, plan: Plan) -> Iterator[str]:
    answers = [verdict.answer for verdict in report.live.values()]
    failing = {o.change.name for o in report.outcomes if o.problem}
    rejected, unknown = answers.count(Answer.REJECTED), answers.count(Answer.UNKNOWN)
    missing = sum(1 for c in plan.effective if c.unresolved and c.name not in failing)
    again = sum(1 for c in plan.effective if c.refused_before and c.name not in report.live)
    accounts = sum(1 for c in plan.effective if c.replaces_account)
    deletes = len(plan.of(Action.DELETE))
    parts = (
        (len(plan.refusals), "**apply will refuse all of it**"),
        (rejected, f"**{rejected} rejected by {'its provider' if rejected == 1 else 'their providers'}**"),
        (len(failing), f"**{len(failing)} could not be asked about**"),
        (unknown, f"{unknown} not reached"),
        (missing, f"{missing} without a secret here"),
        (again, f"{again} refused before"),
        (accounts, f"{accounts} replace{'s' if accounts == 1 else ''} an account"),
        (deletes, f"{deletes} to delete"),
        (sum(1 for c in plan.effective if c.lifts_protection), "protection lifted"),
    )
    return (text for number, text in parts if number)


def _counts(report: Report, plan: Plan) -> Iterator[str]:
    """How much of what, and how sure that is."""
    counts = {action: len(plan.of(action)) for action in Action}
    notes = [reason for change in plan.of(Action.NOTE) for reason in change.reasons]
    undeclared = notes.count("undeclared")
    parts = [
        f"{counts[Action.CREATE]} to create",
        f"{counts[Action.UPDATE]} to update",
        *([f"{counts[Action.RENAME]} to rename"] if counts[Action.RENAME] else []),
        f"{counts[Action.DELETE]} to delete",
        f"{len(plan.kept)} unchanged",
        *([f"{undeclared} undeclared (kept)"] if undeclared else []),
    ]
    yield f"{', '.join(parts)}."
    at = max((verdict.at for verdict in report.live.values()), default="")
    commit = report.origin.commit[:7] if report.origin else ""
    facts = [
        f"Commit {md.code(commit)}" if commit else "",
        *_store(report.header),
        _compared(plan),
        f"asked live {say.clock(at)}" if at else "",
        "of a selection only" if plan.partial else "",
        "of secrets only" if plan.secrets_only else "",
    ]
    yield " · ".join(fact for fact in facts if fact)
    if report.filed:
        yield "\n" + " · ".join(md.prose(line) for line in planned.plan_file(report.filed))
    for refusal in plan.refusals:
        yield f"\n**Apply will refuse this plan**: {md.prose(refusal.detail)}. To do: {md.prose(refusal.hint)}."


def _store(head: Header | None) -> Iterator[str]:
    if head:
        yield head.mode
        yield md.code(head.store)
        if not head.exists:
            yield "no store there yet: everything is a create"


def _compared(plan: Plan) -> str:
    if not plan.secrets_total:
        return "no secrets"
    if not plan.compared:
        return f"secrets not compared ({plan.secrets_total}): a changed secret does not show here"
    return f"secrets compared {plan.secrets_compared} of {plan.secrets_total}"


def _entry(change: Change, live: Verdict | None) -> str:
    """One change as lines of a diff: what it is, what goes, what comes, which secret."""
    place = str(change.credential.place()).rpartition(":")[0] if change.credential else ""
    said = f"live: {answered(live)}" if live else ""
    what = "" if change.action is Action.UPDATE else str(change.action)
    first = (f"{md.inert(change.name):<12}", f"{md.inert(change.provider):<8}", what, md.inert(place), said)
    return "\n".join([f"  {'  '.join(part for part in first if part)}".rstrip(), *_lines(change)])


def answered(verdict: Verdict) -> str:
    """``valid, "Acme US", Full``."""
    words = {Answer.VALID: "valid", Answer.REJECTED: "REJECTED", Answer.UNKNOWN: "not reached"}
    who = say.account(verdict) if verdict.answer is Answer.VALID else ""
    return ", ".join(part for part in (words[verdict.answer], md.inert(who)) if part)


def _lines(change: Change) -> Iterator[str]:
    references = change.declared.references
    gone = change.action is Action.DELETE
    for field in change.fields:
        if gone and field.field == "provider":
            continue
        for sign, value in (("-", field.before), ("+", field.after)):
            if value is not None:
                yield f"{sign}   {md.inert(field.field)}: {plain(value)}"
    for key, state in change.secrets.items():
        if state is not SecretState.UNCHANGED:
            said = f"{md.inert(key)}: {say.SECRET_STATES[state]}"
            yield f"!   {said:<33} ({md.inert(references.get(key, ''))})"
    if change.action is Action.RENAME and change.credential:
        rest = "" if change.reasons[1:] else "nothing else changes; "
        yield f"!   renamed from {md.inert(change.old_name)} ({rest}the old name reads on until moved_from goes)"


def plain(value: object) -> str:
    """A text as it stands, anything else as the manifest would say it."""
    return md.inert(value) if isinstance(value, str) and value else md.inert(say.value(value))


def _details(report: Report, plan: Plan) -> md.Section:
    """What is new, and what is merely said: folded, since it takes nothing away."""
    created, notes = plan.of(Action.CREATE), plan.of(Action.NOTE)
    undeclared = [c.name for c in notes if "undeclared" in c.reasons]
    groups = {
        "Created": [c.name for c in created],
        "undeclared": undeclared,
        "rejections without a reason": [c.name for c in notes if c.rejection and "undeclared" not in c.reasons],
        "spent moved_from": [c.name for c in notes if "moved-from-spent" in c.reasons],
    }
    said = [f"{what}: {md.names(found, md.tag)}" for what, found in groups.items() if found]
    said += [f"due: {md.tag(one.name)} {say.due(one)}" for one in report.due[:5]]
    items = [line for change in created for line in _created(change)]
    items += [md.row(md.cell(c.name), "", md.prose(say.NOTES[c.reasons[0]])) for c in notes]
    items += [md.row(md.cell(one.name), md.cell(one.key), md.prose(say.due(one))) for one in report.due]
    opening = f"<details><summary>{' · '.join(said)}</summary>\n"
    return md.table(("credential", "field", "value"), items, before=opening, tail="\n</details>")


def _created(change: Change) -> Iterator[str]:
    name = f"{md.cell(change.name)} {md.word(change.provider)}"
    for field in change.fields:
        if field.field == "provider":
            continue
        state = change.secrets.get(field.field)
        more = f", {say.SECRET_STATES[state]}" if state else ""
        yield md.row(name, md.cell(field.field), md.cell(plain(field.after)) + more)
        name = ""
