"""Reports as Markdown, for a comment on a pull request or a job's summary. No free text has power over it."""

from __future__ import annotations

from reconciler.model import Problem, Severity
from reconciler.render import _md as md
from reconciler.render import rows as say
from reconciler.render import table
from reconciler.render._md_plan import plan_page
from reconciler.render._md_run import apply_page, check_page, list_page, restore_page
from reconciler.report import Report, exit_code

FENCED_WIDTH = 120


def render(report: Report, *, width: int, colour: bool, now: str) -> str:
    """A page of its own for what is reviewed; every other command as its table, in a fence."""
    return md.draw(_page(report, now))


def _page(report: Report, now: str) -> md.Page:
    problems = _problems(report)
    if report.command == "validate":
        return _validate(report, problems)
    if report.command in ("plan", "show") and report.plan:
        return plan_page(report, report.plan, problems)
    if report.command == "apply" and report.plan:
        return apply_page(report, report.plan, problems)
    if report.command == "restore" and report.plan:
        return restore_page(report, problems)
    if report.command == "check" and report.header:
        return check_page(report, problems)
    if report.command == "list" and report.header:
        return list_page(report, problems, now)
    return _failed(report, problems) if report.errors and not report.facts else _other(report, now)


def _problems(report: Report) -> tuple[md.Section, ...]:
    return (md.Section(tuple(map(_problem, report.problems))),)


def _problem(problem: Problem) -> str:
    """One item of a list: what, where, why, what to do."""
    sign = "🔴" if problem.severity is Severity.ERROR else "🟠"
    where = [md.code(part) for part in (problem.place, problem.subject) if part]
    said = [md.prose(part) for text in (problem.summary, problem.detail) for part in text.splitlines() if part.strip()]
    todo = [md.prose(part) for part in problem.hint.splitlines() if part.strip()]
    at = f" at {' '.join(where)}" if where else ""
    do = f" **To do**: {'; '.join(todo)}." if todo else ""
    return f"- {sign} {md.code(problem.code)}{at}: {'; '.join(said)}.{do}"


def _validate(report: Report, problems: tuple[md.Section, ...]) -> md.Page:
    counts = f"{say.count(report.declared, 'credential')} in {say.count(report.files, 'file')}"
    untouched = "no store, no secret, no provider was touched"
    errors = len(report.errors)
    verdict = f"⚫ validated only: {counts}; {untouched}"
    if errors:
        verdict = f"🔴 the manifest is invalid: {say.count(errors, 'error')}: {counts}; {untouched}"
    return _plain(report, verdict, problems)


def _failed(report: Report, problems: tuple[md.Section, ...]) -> md.Page:
    said = f"🔴 `{report.command}` did not run: {say.count(len(report.errors), 'error')} (exit {exit_code(report)})"
    return _plain(report, said, problems)


def _other(report: Report, now: str) -> md.Page:
    text = table.render(report, width=FENCED_WIDTH, colour=False, now=now)
    lines = [md.inert(line) for line in text.splitlines()]
    sign = "🔴" if report.errors else "⚪"
    return _plain(report, f"{sign} `{report.command}`", (md.fenced(lines, "text"),))


def _plain(report: Report, verdict: str, sections: tuple[md.Section, ...]) -> md.Page:
    head = report.header
    return md.Page(
        report.command, head.store_id if head else "", head.workspace if head else "", verdict, sections,
        cut=f"✂️ {verdict.partition(' ')[2]} (cut to fit)",
    )  # fmt: skip
