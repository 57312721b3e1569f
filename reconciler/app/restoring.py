"""The use case restore: put a former version back, once its provider says that it is good."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from reconciler import audit, lineage, restores, sealing
from reconciler.app import naming, plugged
from reconciler.app.applying import How, Talk
from reconciler.app.ending import ended
from reconciler.app.interrupts import Interrupts
from reconciler.app.leasing import heartbeat, holding
from reconciler.app.lives import kept, log_of
from reconciler.app.running import run
from reconciler.app.wiring import Where, header_of, keyring, known_workspace, open_store
from reconciler.codes import CODES
from reconciler.context import now
from reconciler.engine import Task
from reconciler.errors import Refused, UsageError
from reconciler.model import Problem, Severity
from reconciler.plans import Change, Plan
from reconciler.report import Report
from reconciler.sealing import Keyring
from reconciler.secret import Secret
from reconciler.state import Kept, Record
from reconciler.stores.base import Store
from reconciler.writing import STORED, Writer


@dataclass(frozen=True, slots=True)
class _Found:
    """What is to be put back, and where."""

    name: str
    record: Record | None
    kept: Kept
    change: Change | None
    """None where it is what is stored."""
    secrets: dict[str, Secret]
    report: Report


def restore(where: Where, name: str, version: int, how: How, talk: Talk) -> Report:
    """Ask the provider about a former version, and store it as a new one. ``version`` 0: the latest that is kept.

    Raises UsageError where it is not kept, StoreError, Refused.
    """
    if not how.yes and not talk.interactive:
        raise UsageError("not-confirmed", hint=f"in CI: {talk.again} --yes")
    with Interrupts() as interrupts, closing(open_store(where)) as store:
        workspace = known_workspace(where, store)
        keys = keyring(where, store)
        keys.need(workspace, sealing.SEALING, sealing.FINGERPRINTS, sealing.AUDIT)
        found = _find(where, store, keys, workspace, name, version)
        if found.change is None:
            return found.report
        talk.plan(found.report)
        _gate(found.change)
        if not how.yes and not talk.confirm(f"Restore v{found.kept.record.version} of {found.name}?"):
            raise Refused("declined")
        return _under_lease(where, how, talk, store, keys, found, interrupts)


def _find(where: Where, store: Store, keys: Keyring, workspace: str, name: str, version: int) -> _Found:
    snapshot = store.load(workspace)
    record = naming.find(snapshot.records, name)
    warned = naming.warnings(name, record) if record else ()
    name = record.name if record else name
    former = _former(where, store, workspace, name, version, record)
    if record:
        # compared with its latest event before anything is decided by it
        store.sealed(workspace, name)
    before, provider = former.record, former.record.declared.provider
    secrets = {s.field: keys.unseal(workspace, before.name, provider, s) for s in former.sealed}
    fingerprint = keys.fingerprinter(workspace)
    prints = {key: fingerprint(name, key, value) for key, value in secrets.items()}
    known = plugged.traits(replace(snapshot, records={**snapshot.records, name: before}))
    change = restores.restore(name, record, before, prints, known)
    changes = (change,) if change else ()
    report = Report(
        "restore",
        header=header_of(store, snapshot),
        problems=(*warned, *(_flips_back(c) for c in changes)),
        plan=Plan(changes, () if change else (name,), len(secrets), len(secrets)),
        origin=where.origin,
        traits=known,
        facts={"name": name, "version": before.version, "was": before.name},
    )
    return _Found(name, record, former, change, secrets, report)


def _former(where: Where, store: Store, workspace: str, name: str, version: int, record: Record | None) -> Kept:
    """The version to put back. Raises UsageError that says which there are."""
    chain = log_of(store, workspace, name)
    if record is None:
        _gone_where(where, store, chain, workspace, name, version)
    there = {number: one for number, one in kept(store, workspace, name, chain).items() if one.whole}
    if version in there:
        return there[version]
    if not version and there:
        return next(iter(there.values()))
    if record and version == record.version:
        raise UsageError("no-such-version", f"v{version} of {name} is what is stored now")
    said = ", ".join(f"v{number} until {one.until}" for number, one in there.items()) or "none"
    what = f"v{version} of {name} is not kept" if version else f"{name} has no former version that is kept"
    hint = where.next(f"get {name}", workspace) + "  lists the versions that are kept"
    if not there:
        hint = where.next(f"history {name}", workspace) + "  tells what it was"
    if other := lineage.of_another(chain, name, version) if version else lineage.before(chain, name):
        what, hint = f"{what}: before, the name was that of {other}", where.next(_again(other, version), workspace)
    raise UsageError("no-such-version", f"{what}; kept: {said}", hint)


def _again(name: str, version: int) -> str:
    return f"restore {name} --version {version}" if version else f"restore {name}"


def _gone_where(
    where: Where, store: Store, chain: Sequence[audit.Link], workspace: str, name: str, version: int
) -> None:
    """Raise UsageError where a name that has no record was never stored, or is another one now."""
    if new := lineage.moved(chain, name):
        raise naming.moved(name, new, where.next(_again(new, version), workspace))
    if not chain:
        raise naming.unknown(
            name, {event.name for _, event, _ in store.events(workspace)}, where.next("list", workspace)
        )


def _flips_back(change: Change) -> Problem:
    """That a manifest may still say something else: nobody is surprised by the next apply."""
    code = CODES["flips-back"]
    if change.record is None:
        detail = (
            f"if no entry declares {change.name}, the next plan notes it as undeclared, and --prune deletes it again"
        )
    else:
        detail = f"if an entry declares {change.name}, it probably still gives what is replaced: {_replaced(change)}"
    return Problem(
        code.name, code.summary, subject=change.name, detail=detail, hint=code.hint, severity=Severity.WARNING
    )


def _replaced(change: Change) -> str:
    """The keys that a restore changes, and the references that stay and behind which another value is."""
    keys = [field.field for field in change.fields]
    fresh = [key for key, state in change.secrets.items() if state != "unchanged" and key not in keys]
    values = [change.declared.references[key] for key in fresh]
    return ", ".join([*keys, *(f"the value behind {reference}" for reference in values)])


def _gate(change: Change) -> None:
    if change.blocked:
        raise Refused(change.blocked, f"{change.name} would become another account")


def _under_lease(
    where: Where, how: How, talk: Talk, store: Store, keys: Keyring, found: _Found, interrupts: Interrupts
) -> Report:
    workspace, change = found.report.header.workspace if found.report.header else "", found.change
    if change is None:
        raise ValueError("there is nothing to restore")
    with holding(store, workspace, where.origin, where.patience) as lease:
        again = _find(where, store, keys, workspace, found.name, found.kept.record.version)
        if again.change is None or again.record != found.record or again.kept != found.kept:
            raise Refused("plan-stale")
        versions = store.last_versions(workspace, [found.name])
        writer = Writer(store, keys, lease, where.origin, "", now, versions)
        # from here on there is a report, whatever stops the run
        interrupts.note()
        if again.report.plan:
            talk.asking(again.report.plan)
        made = run([Task(again.change, again.secrets)], how.asking, writer.commit, talk, sandbox=where.sandbox,
                   beat=heartbeat(store, lease), interrupts=interrupts, tells=True)  # fmt: skip
    stored = any(outcome.result in STORED for outcome in made.results())
    problems = [problem for problem in found.report.problems if stored or problem.code != "flips-back"]
    return ended(replace(found.report, problems=tuple(problems)), made, store, {found.name})
