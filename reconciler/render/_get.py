"""One credential as lines: everything known of it but its secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.render import rows as say
from reconciler.render._page import Line
from reconciler.report import Report, Row
from reconciler.state import Record


def get_lines(report: Report) -> Iterator[Line]:
    """One row, whole; or what it was in one version."""
    if report.header is None:
        return
    if "version" in report.facts:
        yield say.header(report.header)
        yield from _version(report.facts, report.place)
    if not report.rows:
        return
    row = report.rows[0]
    yield say.header(report.header)
    yield f"{say.sign(row.status)} {row.name}  {row.status}"
    source = row.record or row.rejection
    if source is None:
        return
    declared = source.declared
    facts = {"provider": declared.provider, **declared.settings, **declared.references, **declared.common}
    yield from _facts({key: say.value(value) for key, value in facts.items()})
    if row.record:
        yield from _stored(row.record, report.facts.get("secrets", ()))
    if row.rejection:
        yield from _refused(row)
    yield from (f"  due               {say.due(one)}" for one in report.due)
    yield from (f"  former            {_kept(one)}" for one in report.facts.get("kept", ()))


def _kept(one: Mapping[str, Any]) -> str:
    """One former version, and until when it can be had back."""
    then = "" if one["whole"] else ", its secret is gone"
    return f"v{one['version']} as {say.safe(one['name'])}, kept until {say.clock(one['until'])}{then}"


def _version(facts: Mapping[str, Any], place: str) -> Iterator[Line]:
    named = "" if facts["was"] == facts["name"] else f", then {say.safe(facts['was'])}"
    yield f"{say.safe(facts['name'])} v{facts['version']}{named}"
    yield from _facts({key: say.value(value) for key, value in facts["declared"].items()})
    back = f"reconciler restore {facts['name']} --version {facts['version']}{place}"
    secrets = {
        "stored": "stored: this is the present version",
        "kept": f"kept until {say.clock(facts['until'])}: {back}",
        "gone": "gone for good",
    }
    yield from _facts({
        "stored": f"{say.clock(facts['at'])} by {say.safe(facts['by'])} ({facts['what']})",
        "account": say.safe(facts["account"]),
        "fingerprints": ", ".join(f"{key} {shown}" for key, shown in facts["fingerprints"].items()),
        "secret": secrets[facts["secret"]],
    })  # fmt: skip


def _facts(facts: dict[str, str]) -> Iterator[str]:
    yield from (f"  {key:<17} {value}" for key, value in facts.items() if value)


def _stored(record: Record, secrets: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    account = say.account(record.verdict) or say.safe(record.account.name or record.account.id)
    yield from _facts({
        "version": f"v{record.version}",
        "created": f"{say.clock(record.created_at)} by {say.safe(record.created_by)}",
        "updated": f"{say.clock(record.updated_at)} by {say.safe(record.updated_by)}",
        "secret changed": "; ".join(f"{one['field']} in v{one['version']}, {say.clock(one['at'])}" for one in secrets),
        "account": account,
        "accepted": say.clock(record.accepted_at),
        "checked": f"{say.clock(record.verdict.at)} · {record.verdict.code}",
        "notes": "; ".join(say.safe(note) for note in record.verdict.notes),
    })  # fmt: skip


def _refused(row: Row) -> Iterator[str]:
    if row.rejection is None:
        return
    verdict = row.rejection.verdict
    yield f"  refused           {say.rejection_state(row.rejection, row.record)}"
    yield from _facts({
        "attempts": f"{row.rejection.attempts}",
        "last": f"{say.clock(row.rejection.last_at)} by {say.safe(row.rejection.by)}",
        "answer": say.verdict_facts(row.rejection.declared.provider, verdict),
        "do": say.hint(verdict.code),
    })  # fmt: skip
