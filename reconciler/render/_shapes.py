"""The values of a report as JSON has them: each shape by name, whatever the classes behind it become."""

from __future__ import annotations

from typing import Any

from reconciler.due import Due
from reconciler.model import Declared, Place, Problem, Verdict
from reconciler.plans import Change, Outcome, Plan
from reconciler.report import Checkup, Entry, Filed, Header, Report, Row
from reconciler.state import Rejection


def store(header: Header) -> dict[str, Any]:
    return {
        "workspace": header.workspace,
        "mode": header.mode,
        "address": header.store,
        "exists": header.exists,
        "id": header.store_id or None,
        "serial": header.serial,
    }


def problem(one: Problem) -> dict[str, Any]:
    return {
        "severity": one.severity,
        "code": one.code,
        "summary": one.summary,
        "detail": one.detail,
        "hint": one.hint,
        "subject": one.subject,
        "place": _place(one.place),
    }


def _place(place: Place | None) -> dict[str, Any] | None:
    return {"file": place.file, "line": place.line, "column": place.column} if place else None


def plan(one: Plan, report: Report) -> dict[str, Any]:
    return {
        "digest": one.digest or None,
        "partial": one.partial,
        "secrets_only": one.secrets_only,
        "secrets": {"total": one.secrets_total, "compared": one.secrets_compared},
        "changes": [_change(change, report.live.get(change.name)) for change in one.changes],
        "unchanged": list(one.kept),
        "refusals": [problem(refusal) for refusal in one.refusals],
    }


def plan_file(one: Filed) -> dict[str, Any]:
    made = one.file.made
    return {
        "path": one.path,
        "id": one.file.id,
        "manifest": made.manifest,
        "commit": made.commit,
        "dirty": made.dirty,
        "creator": dict(made.creator),
        "created": made.created,
        "expires": made.expires,
        "expired": one.expired,
        "unaltered": one.signed,
        "finished_at": one.finished_at or None,
    }


def _change(change: Change, live: Verdict | None) -> dict[str, Any]:
    return {
        "action": change.action,
        "name": change.name,
        "provider": change.provider,
        "renamed_from": change.old_name or None,
        "restores": change.former.version if change.former else None,
        "reasons": list(change.reasons),
        "fields": [{"field": f.field, "before": f.before, "after": f.after} for f in change.fields],
        "secrets": dict(change.secrets),
        "unresolved": dict(change.unresolved),
        "expected_version": change.expected_version,
        "asks_provider": change.asks,
        "replaces_account": change.replaces_account,
        "blocked": change.blocked or None,
        "place": _place(change.credential.place() if change.credential else None),
        "live": verdict(live) if live else None,
        "refused_before": _rejection(change.rejection) if change.refused_before and change.rejection else None,
    }


def outcome(one: Outcome) -> dict[str, Any]:
    return {
        "name": one.change.name,
        "action": one.change.action,
        "result": one.result,
        "version": one.version,
        "verdict": verdict(one.verdict) if one.verdict else None,
        "problem": problem(one.problem) if one.problem else None,
        "seconds": round(one.seconds, 3),
        "kept_until": one.kept_until or None,
    }


def verdict(one: Verdict) -> dict[str, Any]:
    account = one.account
    return {
        "answer": one.answer,
        "code": one.code,
        "http_status": one.http_status,
        "provider_code": one.provider_code,
        "request_id": one.request_id,
        "asked": one.asked,
        "at": one.at,
        "notes": list(one.notes),
        "likely": list(one.likely),
        "account": {
            "id": account.id,
            "name": account.name,
            "type": account.type,
            "status": account.status,
            "currency": account.currency,
        },
    }


def row(one: Row) -> dict[str, Any]:
    record = one.record
    return {
        "name": one.name,
        "ready": one.ready,
        "status": one.status,
        "label": one.label,
        "provider": one.provider,
        "service_id": one.service_id,
        "region": one.region or None,
        "created_by": one.created_by,
        "created_at": record.created_at if record else None,
        "version": record.version if record else None,
        "secret_changed_at": record.secret_changed_at if record else None,
        "accepted_at": record.accepted_at if record else None,
        "verdict": verdict(record.verdict) if record else None,
        "rejection": _rejection(one.rejection) if one.rejection else None,
    }


def whole_row(one: Row, report: Report) -> dict[str, Any]:
    """A row with what is declared and who touched it last: for the command that shows one credential."""
    record, rejection = one.record, one.rejection
    return {
        **row(one),
        "updated_at": record.updated_at if record else None,
        "updated_by": record.updated_by if record else None,
        "secret_versions": {secret["field"]: secret["version"] for secret in report.facts.get("secrets", ())},
        "declared": _declared(record.declared) if record else None,
        "refused": _declared(rejection.declared) if rejection else None,
    }


def _declared(declared: Declared) -> dict[str, Any]:
    return {
        "provider": declared.provider,
        "common": dict(declared.common),
        "settings": dict(declared.settings),
        "references": dict(declared.references),
    }


def _rejection(rejection: Rejection) -> dict[str, Any]:
    return {
        "action": rejection.action,
        "attempts": rejection.attempts,
        "first_at": rejection.first_at,
        "last_at": rejection.last_at,
        "by": rejection.by,
        "verdict": verdict(rejection.verdict),
    }


def checkup(one: Checkup) -> dict[str, Any]:
    return {
        "name": one.record.name,
        "provider": one.record.declared.provider,
        "version": one.record.version,
        "accepted_at": one.record.accepted_at or None,
        "before": one.before,
        "after": one.after,
        "verdict": verdict(one.verdict),
    }


def entry(one: Entry) -> dict[str, Any]:
    """An event; its body shows of a fingerprint the 8 hex digits that anybody may see."""
    event = one.event
    return {
        "seq": one.seq or None,
        "time": event.time,
        "what": event.what,
        "result": event.result,
        "name": event.name,
        "version": event.version,
        "body": dict(event.body),
    }


def due(one: Due) -> dict[str, Any]:
    return {"name": one.name, "key": one.key, "day": one.day, "days": one.days}
