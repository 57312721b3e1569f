"""Use cases for an auditor: is the log whole, do the stored rows agree with it, and the log to take along."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from reconciler import audit, regular
from reconciler.app.wiring import Where, header_at, keyring, known_workspace, open_store
from reconciler.codes import CODES
from reconciler.errors import UsageError
from reconciler.model import Problem
from reconciler.report import Report
from reconciler.stores.base import Store

LIMIT = 16 * 1024 * 1024
"""Bytes of a file of anchors."""


def verify(where: Where, anchors: Sequence[str]) -> Report:
    """Walk the whole chain, compare it with the anchors kept elsewhere, and every row with what the chain says of it.

    Needs the audit key. Each place that is broken is a problem of the report. Raises UsageError for what is no anchor.
    """
    store = open_store(where)
    try:
        workspace = known_workspace(where, store)
        check = keyring(where, store).checker(workspace)
        chain = store.events(workspace)
        missed = audit.verify_anchors(anchors, chain)
        strays = list(_strays(store, workspace))
        problems = [*audit.verify(workspace, chain, check), *missed, *strays]
        header = header_at(store, workspace)
        waiting = len(store.waiting_reads(workspace))
    finally:
        store.close()
    facts = {
        "first": chain[0][0] if chain else 0,
        "last": chain[-1][0] if chain else 0,
        "anchors": list(anchors),
        "anchors_missed": len(missed),
        "records": _as_left(chain, strays),
        "waiting": waiting,
    }
    head = audit.anchor(chain[-1][0], chain[-1][2]) if chain else ""
    return Report("audit verify", header=header, problems=tuple(problems), facts=facts | {"head": head})


def _as_left(chain: Sequence[audit.Link], strays: Sequence[Problem]) -> int:
    """How many records are stored as the log says: the header of a damaged workspace has no count."""
    left = {event.name: event.row_hash for _, event, _ in chain if event.name}
    altered = {problem.subject for problem in strays}
    return sum(f"record {name}" not in altered for name, row_hash in left.items() if row_hash)


def _strays(store: Store, workspace: str) -> Iterator[Problem]:
    code = CODES["tampered"]
    for subject, wrong in store.strays(workspace):
        yield Problem(code.name, code.summary, subject=subject, detail=f"it {wrong}", hint=code.hint)


def export(where: Where, since: str) -> Iterator[str]:
    """The log as lines of JSON, oldest first, from a time on. Needs no key; verifies nothing."""
    store = open_store(where)
    try:
        workspace = known_workspace(where, store)
        previous = b""
        for link in store.events(workspace):
            if link[1].time >= since:
                yield audit.line(workspace, link, previous)
            previous = link[2]
    finally:
        store.close()


def anchors_of(given: Sequence[str], file: Path | None) -> list[str]:
    """The anchors given, and those of a file: one a line, whatever follows it; empty lines and ``#`` pass.

    Raises UsageError where there is no such file, or it cannot be read.
    """
    if file is None:
        return list(given)
    data = regular.read(file, LIMIT, f"--anchors {file}", "one anchor alone: --anchor SEQ:HASH")
    if len(data) > LIMIT:
        raise UsageError("unreadable", f"--anchors {file} is larger than {LIMIT // 2**20} MiB", "split it")
    try:
        lines = data.decode().splitlines()
    except UnicodeDecodeError:
        raise UsageError("unreadable", f"--anchors {file} is not UTF-8") from None
    found = [line.split()[0] for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not found:
        # an artifact that came out empty must not look like an anchor that matches
        raise UsageError("usage", f"--anchors {file} holds no anchor", "one a line: 412:9c1e77a0d2b45f18")
    return [*given, *found]
