"""What several formats say of a plan as a whole, and of its file."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from reconciler.model import Action, Answer, Mode
from reconciler.plans import Plan
from reconciler.render import rows as say
from reconciler.report import Filed, Report


def grave(plan: Plan) -> str:
    """What of a plan cannot be taken back, in words that say so also where there is none."""
    deleted = [change.name for change in plan.of(Action.DELETE)]
    lifted = [change.name for change in plan.changes if change.lifts_protection]
    if not deleted and not lifted:
        return "No delete, no protection lifted."
    deletes = f"Deletes {say.names(deleted)}." if deleted else "No delete."
    lifts = f"Lifts the protection of {say.names(lifted)}." if lifted else "No protection lifted."
    return f"{deletes} {lifts}"


def unseen(plan: Plan) -> str:
    """What nobody knows of the secrets, behind the word changes; empty where all were compared."""
    number = plan.secrets_total - plan.secrets_compared
    if not number:
        return ""
    if not plan.compared:
        return f"in what was compared; {say.count(number, 'secret was', 'secrets were')} not"
    return f"in what could be compared; {say.count(number, 'secret')} could not be compared"


def no_changes(plan: Plan) -> str:
    """The same in a title, with how many are as declared."""
    return " ".join(part for part in ("no changes", unseen(plan), f"({len(plan.kept)} unchanged)") if part)


def exactly(report: Report) -> str:
    """The arguments of the apply that does what a plan says, and nothing else."""
    new = " --new-workspace" if any(problem.code == "new-workspace" for problem in report.problems) else ""
    if report.filed:
        sandbox = " --sandbox" if report.header and report.header.mode is Mode.SANDBOX else ""
        unsigned = "" if report.filed.file.signature else f" --expect {report.filed.file.plan.digest}"
        store = report.store_selection if sandbox in report.store_selection else report.store_selection + sandbox
        return f" {shlex.quote(say.safe(report.filed.path))}{unsigned}{store}{new}"
    digest = f" --expect {report.plan.digest}" if report.plan and report.plan.digest else ""
    return f"{report.selection}{digest}{new}"


def commands(report: Report) -> tuple[str, ...]:
    """What to type so that a plan is applied: the store first where there is none. Nothing where it leads nowhere."""
    if not can_be_applied(report):
        return ()
    head = report.header
    made_first = head is not None and not head.exists and head.mode is Mode.LIVE
    store = (f"reconciler store create{report.store_selection}",) if made_first else ()
    return (*store, f"reconciler apply{exactly(report)}")


def can_be_applied(report: Report) -> bool:
    """Whether there is any sense in it: apply would not refuse it and would store something, as far as is known."""
    plan, filed = report.plan, report.filed
    if plan is None or plan.refusals or (filed is not None and (filed.expired or filed.finished_at)):
        return False
    bad = {name for name, verdict in report.live.items() if verdict.answer is not Answer.VALID}
    return any(change.name not in bad and not change.unresolved for change in plan.effective)


def plan_file(filed: Filed) -> Iterator[str]:
    """Who made a plan file from what, how long it is good, and whether somebody altered it."""
    made = filed.file.made
    dirty = {True: " (with changes that are in no commit)", False: " (clean)", None: ""}[made.dirty]
    commit = f" · commit {say.safe(made.commit[:7])}{dirty}" if made.commit else ""
    by = say.safe(made.creator.get("actor", say.DASH))
    yield f"plan {filed.file.id[:8]} of {say.clock(made.created)}, by {by}{commit}"
    until = f"expired {say.clock(made.expires)}" if filed.expired else f"good until {say.clock(made.expires)}"
    done = f" · carried out {say.clock(filed.finished_at)}" if filed.finished_at else ""
    signed = "unaltered since" if filed.signed else f"nobody can tell whether it was altered: {filed.why}"
    yield f"{until}{done} · {signed}"


def done_before(report: Report) -> Iterator[str]:
    """What an earlier run of the same plan file has stored, and is not done again."""
    if report.done_before:
        yield f"resumed: an earlier run of this plan has stored {', '.join(report.done_before)}"
