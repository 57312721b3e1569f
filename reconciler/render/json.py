"""Reports for programs: one JSON object with a version of its own shape, whatever the classes behind it become."""

from __future__ import annotations

import json
from typing import Any

from reconciler.model import Problem, Verdict
from reconciler.plans import Change, Outcome, Plan
from reconciler.report import Header, Report, Row, exit_code
from reconciler.state import Rejection

FORMAT_VERSION = 1


def render(report: Report, *, width: int, colour: bool, now: str) -> str:
    """The report as one JSON object; ``width``, ``colour`` and ``now`` are for people and change nothing here."""
    return json.dumps(document(report), indent=2, ensure_ascii=False) + "\n"


def document(report: Report) -> dict[str, Any]:
    """The public shape."""
    parts: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "command": report.command,
        "exit_code": exit_code(report),
        "store": _header(report.header) if report.header else None,
        "problems": [_problem(p) for p in report.problems],
    }
    if report.plan:
        parts["plan"] = _plan(report.plan)
    if report.command == "apply":
        parts["outcomes"] = [_outcome(o) for o in report.outcomes]
        parts["interrupted"] = report.interrupted
        parts["anchor"] = report.anchor or None
    if report.command in ("list", "apply", "cancel"):
        parts["credentials"] = [_row(r) for r in report.rows]
        parts["shown"] = len(report.rows)
        parts["total"] = report.total
        parts["filters"] = dict(report.filters)
    if report.command == "validate":
        parts["declared"], parts["files"] = report.declared, report.files
    if report.facts:
        parts["facts"] = dict(report.facts)
    return parts


def _header(header: Header) -> dict[str, Any]:
    return {
        "workspace": header.workspace,
        "mode": header.mode,
        "address": header.store,
        "exists": header.exists,
        "id": header.store_id or None,
        "serial": header.serial,
    }


def _problem(problem: Problem) -> dict[str, Any]:
    place = problem.place
    return {
        "severity": problem.severity,
        "code": problem.code,
        "summary": problem.summary,
        "detail": problem.detail,
        "hint": problem.hint,
        "subject": problem.subject,
        "place": {"file": place.file, "line": place.line, "column": place.column} if place else None,
    }


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "digest": plan.digest or None,
        "partial": plan.partial,
        "secrets": {"total": plan.secrets_total, "compared": plan.secrets_compared},
        "changes": [_change(change) for change in plan.changes],
        "unchanged": list(plan.kept),
    }


def _change(change: Change) -> dict[str, Any]:
    place = change.credential.place() if change.credential else None
    return {
        "action": change.action,
        "name": change.name,
        "provider": change.provider,
        "reasons": list(change.reasons),
        "fields": [{"field": f.field, "before": f.before, "after": f.after} for f in change.fields],
        "secrets": dict(change.secrets),
        "unresolved": dict(change.unresolved),
        "expected_version": change.expected_version,
        "asks_provider": change.asks,
        "replaces_account": change.replaces_account,
        "blocked": change.blocked or None,
        "place": {"file": place.file, "line": place.line, "column": place.column} if place else None,
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "name": outcome.change.name,
        "action": outcome.change.action,
        "result": outcome.result,
        "version": outcome.version,
        "verdict": _verdict(outcome.verdict) if outcome.verdict else None,
        "problem": _problem(outcome.problem) if outcome.problem else None,
        "seconds": round(outcome.seconds, 3),
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    account = verdict.account
    return {
        "answer": verdict.answer,
        "code": verdict.code,
        "http_status": verdict.http_status,
        "provider_code": verdict.provider_code,
        "request_id": verdict.request_id,
        "asked": verdict.asked,
        "at": verdict.at,
        "notes": list(verdict.notes),
        "account": {
            "id": account.id,
            "name": account.name,
            "type": account.type,
            "status": account.status,
            "currency": account.currency,
        },
    }


def _row(row: Row) -> dict[str, Any]:
    record = row.record
    return {
        "name": row.name,
        "ready": row.ready,
        "status": row.status,
        "label": row.label,
        "provider": row.provider,
        "service_id": row.service_id,
        "region": row.region or None,
        "created_by": row.created_by,
        "created_at": record.created_at if record else None,
        "version": record.version if record else None,
        "secret_changed_at": record.secret_changed_at if record else None,
        "accepted_at": record.accepted_at if record else None,
        "verdict": _verdict(record.verdict) if record else None,
        "rejection": _rejection(row.rejection) if row.rejection else None,
    }


def _rejection(rejection: Rejection) -> dict[str, Any]:
    return {
        "action": rejection.action,
        "attempts": rejection.attempts,
        "first_at": rejection.first_at,
        "last_at": rejection.last_at,
        "by": rejection.by,
        "verdict": _verdict(rejection.verdict),
    }
