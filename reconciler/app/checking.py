"""The use case check: ask again about what is stored, and remember what the providers say now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reconciler import audit, sealing, verdicts
from reconciler.app import naming, plugged
from reconciler.app.asking import Asking
from reconciler.app.interrupts import Interrupts
from reconciler.app.leasing import holding
from reconciler.app.running import Watcher, only_look, run
from reconciler.app.wiring import Where, header_of, keyring, known_workspace, open_store
from reconciler.codes import CODES
from reconciler.context import now
from reconciler.due import due
from reconciler.engine import BATCH, Run, Task
from reconciler.errors import StoreError, UsageError, unforeseen
from reconciler.model import Action, Answer, Origin, Problem, Severity, Traits
from reconciler.plans import Change, Outcome
from reconciler.report import Checkup, Report, Row, rows
from reconciler.sealing import Keyring
from reconciler.state import Record, Snapshot
from reconciler.stores.base import Checked, Store
from reconciler.trouble import nearest


@dataclass(frozen=True, slots=True)
class Selection:
    """Which stored credentials to ask about."""

    names: tuple[str, ...] = ()
    """Empty means all."""
    max_age: timedelta | None = None
    """Skip those accepted so recently."""
    asking: Asking = field(default_factory=Asking)


def check(where: Where, selection: Selection, watcher: Watcher) -> Report:
    """Ask about stored credentials. Changes no version and no secret.

    Raises UsageError for an unknown name, StoreError.
    """
    with Interrupts() as interrupts, closing(open_store(where)) as store:
        workspace = known_workspace(where, store)
        snapshot = store.load(workspace)
        keys = keyring(where, store)
        keys.need(workspace, sealing.SEALING, sealing.AUDIT)
        selection, warned = _renamed(snapshot, selection)
        chosen = _chosen(where, snapshot, selection)
        wanted = [record for record in chosen if not _recent(record, selection.max_age)]
        known = plugged.traits(snapshot)
        tasks = [_task(record, store, keys, workspace) for record in wanted]
        made = run(tasks, selection.asking, only_look, watcher, sandbox=where.sandbox, tells=True)
        checkups = _checkups(made)
        forgotten = _remembered(where, store, keys, workspace, checkups, made, interrupts)
        left = _left(store, snapshot, made)
        head = header_of(store, snapshot)
    return Report(
        "check",
        header=head,
        problems=(*warned, *_unasked(made), *((made.error.problem(),) if made.error else ()), *forgotten),
        checkups=checkups,
        waiting=_waiting(left, selection, known),
        traits=known,
        skipped=len(snapshot.records) - len(checkups),
        due=due(chosen, now()[:10]),
        interrupted=made.interrupted,
        bug=made.bug,
        total=len(snapshot.records),
    )


def _renamed(snapshot: Snapshot, selection: Selection) -> tuple[Selection, tuple[Problem, ...]]:
    """The selection by present names, with a warning for each old one."""
    names: list[str] = []
    warned: list[Problem] = []
    for name in selection.names:
        record = None if name in snapshot.rejections else naming.find(snapshot.records, name)
        names.append(record.name if record else name)
        warned += naming.warnings(name, record) if record else ()
    return replace(selection, names=tuple(dict.fromkeys(names))), tuple(warned)


def _chosen(where: Where, snapshot: Snapshot, selection: Selection) -> list[Record]:
    unknown = [name for name in selection.names if name not in snapshot.records.keys() | snapshot.rejections.keys()]
    if unknown:
        close = nearest(unknown[0], snapshot.records)
        hint = f"did you mean {close}?" if close else where.next("list", snapshot.workspace)
        raise UsageError("no-such-name", f"not stored in {snapshot.workspace}: {', '.join(unknown)}", hint)
    names = selection.names or sorted(snapshot.records)
    return [snapshot.records[name] for name in names if name in snapshot.records]


def _waiting(snapshot: Snapshot, selection: Selection, traits: Mapping[str, Traits]) -> tuple[Row, ...]:
    """Refused submissions: nobody can ask about them, since a store keeps no refused secret."""
    named = selection.names or snapshot.rejections
    return tuple(row for row in rows(snapshot, traits) if row.rejection and row.name in named)


def _recent(record: Record, max_age: timedelta | None) -> bool:
    if max_age is None or record.verdict.answer is not Answer.VALID or not record.verdict.at:
        return False
    return datetime.fromisoformat(now()) - datetime.fromisoformat(record.verdict.at) < max_age


def _task(record: Record, store: Store, keys: Keyring, workspace: str) -> Task:
    provider = record.declared.provider
    secrets = {
        sealed.field: keys.unseal(workspace, record.name, provider, sealed)
        for sealed in store.sealed(workspace, record.name)
    }
    change = Change(Action.KEEP, record.name, provider, ("check",), asks=True, record=record,
                    expected_version=record.version)  # fmt: skip
    return Task(change, secrets)


def _checkups(made: Run) -> tuple[Checkup, ...]:
    return tuple(
        _checkup(outcome.change.record, outcome)
        for outcome in made.results()
        if outcome.verdict and outcome.change.record
    )


def _unasked(made: Run) -> Iterator[Problem]:
    """Why nobody could be asked about some: a credential that is not checked must not look like one that is fine."""
    unasked = [(o.change.name, o.problem) for o in made.results() if o.problem and not o.verdict]
    for name, problem in unasked:
        yield replace(problem, subject=name)
    if made.bug and all(problem.code != "bug" for _, problem in unasked):
        yield unforeseen(made.bug)


def _checkup(record: Record, outcome: Outcome) -> Checkup:
    verdict = outcome.verdict
    if verdict is None:
        raise ValueError("only what was asked about is a checkup")
    before = verdicts.status(record, None)
    return Checkup(record, verdict, before, verdicts.after_check(record, verdict))


def _remembered(
    where: Where, store: Store, keys: Keyring, workspace: str, checkups: Sequence[Checkup], made: Run,
    interrupts: Interrupts,
) -> tuple[Problem, ...]:  # fmt: skip
    """Write the verdicts; where that fails, what the providers said is told all the same, and that it is not stored."""
    try:
        _remember(where, store, keys, workspace, checkups, interrupts)
    except StoreError as error:
        made.error = made.error or error
    except KeyboardInterrupt:
        made.interrupt()
    except Exception as bug:  # noqa: BLE001 -- told beside what was answered
        made.bug = made.bug or bug
    else:
        return ()
    finally:
        interrupts.note()
    code = CODES["not-remembered"]
    return (Problem(code.name, code.summary, hint=code.hint, severity=Severity.WARNING),)


def _left(store: Store, snapshot: Snapshot, made: Run) -> Snapshot:
    """What waits is told beside what is known by now; where the store is gone, as it was before."""
    if not snapshot.rejections or made.error or made.bug:
        return snapshot
    try:
        return store.load(snapshot.workspace)
    except StoreError as error:
        made.error = error
        return snapshot


def _remember(
    where: Where, store: Store, keys: Keyring, workspace: str, checkups: Sequence[Checkup], interrupts: Interrupts
) -> None:
    """Write the verdicts, with an event for each status that changed; an unknown takes no refusal back."""
    writes = [_write(c, where.origin) for c in checkups if verdicts.overwrites(c.record, c.verdict)]
    if not writes:
        return
    with holding(store, workspace, where.origin, where.patience) as lease:
        # a wait for the lease may be interrupted; what is written from here on is told
        interrupts.note()
        for start in range(0, len(writes), BATCH):
            store.commit(lease, writes[start : start + BATCH], keys.mac(workspace))


def _write(checkup: Checkup, origin: Origin) -> Checked:
    record, time = checkup.record, now()
    verdict = checkup.verdict if checkup.verdict.at else replace(checkup.verdict, at=time)
    event = None
    if checkup.before != checkup.after:
        event = audit.checked(
            record.name, record.declared.provider, checkup.before, checkup.after, verdict, origin, time
        )
    return Checked(record.name, record.version, verdict, event, audit.who(origin))
