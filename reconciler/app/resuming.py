"""A plan file, made ready to be carried out: every refusal of it, before the first provider is asked."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler import planner, stale
from reconciler.app import literals, planfiles, tracked
from reconciler.app.plugged import traits_of
from reconciler.app.prepared import Prepared, new_workspace, secrets_folder
from reconciler.app.resolving import known, resolve
from reconciler.app.wiring import Where, header_of, keyring
from reconciler.collector import collector_off
from reconciler.context import now
from reconciler.errors import Refused, StoreError
from reconciler.gates import refusals
from reconciler.model import Action, Credential, Traits
from reconciler.planfile import PlanFile
from reconciler.plans import Change, Plan
from reconciler.report import Filed
from reconciler.resolvers.base import Surroundings
from reconciler.scope import Known, Scope
from reconciler.sealing import Keyring
from reconciler.state import Snapshot
from reconciler.stores.base import Store

DONE = frozenset({"created", "updated", "renamed", "deleted"})
"""Results of an event that stored a change."""


@dataclass(frozen=True, slots=True)
class FromFile:
    """A plan file; one that nobody can vouch for is held to the digest ``expected``."""

    path: Path
    file: PlanFile
    expected: str = ""
    secrets_dir: Path | None = None
    consented: bool = True
    makes_store: bool = False

    def prepare(self, where: Where, store: Store | None = None) -> Prepared:
        if store is None:
            raise StoreError("store-missing")
        with collector_off():
            return self._prepare(where, store)

    def _prepare(self, where: Where, store: Store) -> Prepared:
        file, scope = self.file, self.file.scope
        _refuse_other(file, where, store)
        keys = keyring(where, store)
        signed = self._vouched(keys)
        _refuse_late(file, store)
        snapshot = store.load(scope.workspace)
        done = _done(file, store)
        todo = [change for change in file.plan.changes if change.name not in done]
        wanted = [change.credential for change in todo if change.credential]
        folder = secrets_folder(self.secrets_dir, _folders(wanted) if signed else set(), wanted)
        resolved = resolve(wanted, Surroundings(where.environ, folder), where.beat)
        literals.refuse({c.name: c for c in wanted}, resolved)
        found = known(wanted, resolved, keys.fingerprinter(scope.workspace), snapshot.records)
        traits = traits_of({change.provider for change in todo})
        last = store.last_versions(scope.workspace, [c.name for c in wanted if c.name not in snapshot.records])
        scope = replace(scope, last_versions=last)
        again = _Again(file, todo, snapshot, {c.name: c for c in wanted}, scope)
        effective = [change for change in todo if change.action is not Action.NOTE]
        compared = {c.name: c for c in again.plan(stale.as_planned(file, found), traits).changes}
        stale.refuse_moved(file, effective, stale.Now(compared, snapshot.records, found))
        plan = again.plan(found, traits)
        later = stale.newer(plan.changes, snapshot.rejections, file.rejections)
        made = Prepared(
            manifest={}, credentials={c.name: c for c in wanted}, declared=file.made.declared, files=file.made.files,
            traits=traits, store=store, keyring=keys, snapshot=snapshot, resolved=resolved, known=found, scope=scope,
            plan=plan, header=header_of(store, snapshot),
            problems=(*tracked.warnings(resolved.untold), *new_workspace(store, snapshot)), origin=where.origin,
            approved=True, filed=Filed(str(self.path), file, signed or None), done=done,
        )  # fmt: skip
        kept = made.sparing(later, "it came after the plan was made")
        # what an unsigned file says that it saw, anybody may have written
        return kept if signed else kept.sparing_undigested()

    def _vouched(self, keys: Keyring) -> bool:
        """Whether the signature holds. Raises Refused where it does not, or where nothing vouches for the file."""
        file = self.file
        signed = planfiles.signature(file, keys)
        if signed is False:
            raise Refused("plan-altered", "its signature does not belong to its content")
        if self.expected and self.expected != file.plan.digest:
            raise Refused("plan-unexpected", f"approved was {self.expected}; the file has {file.plan.digest}")
        if signed is None and not self.expected:
            why = f"it names data key {file.key_id}, which is not here" if file.signature else "it has no signature"
            look = f"look at it with  reconciler show {shlex.quote(str(self.path))}"
            raise Refused("plan-unsigned", why, f"{look} , then name the digest that you approve: --expect DIGEST")
        return bool(signed)


def _refuse_other(file: PlanFile, where: Where, store: Store) -> None:
    scope = file.scope
    if store.info.id != scope.store_id:
        here = f"here is store {store.info.id} at {store.info.display}"
        raise Refused("plan-other-store", f"it is for store {scope.store_id} at {file.stored.address}; {here}")
    if where.workspace and where.workspace != scope.workspace:
        raise Refused("plan-other-workspace", f"it is for {scope.workspace}, and -w names {where.workspace}")


def _refuse_late(file: PlanFile, store: Store) -> None:
    time, made = now(), file.made
    if time > made.expires:
        raise Refused("plan-expired", f"made {made.created}, good until {made.expires}, and it is {time}")
    run = store.plan_run(file.scope.workspace, file.id)
    if run and run.finished_at:
        raise Refused("plan-finished", f"begun by {run.begun_by}, finished {run.finished_at}")


def _done(file: PlanFile, store: Store) -> tuple[str, ...]:
    """Names whose change an earlier run of this very plan has stored."""
    workspace = file.scope.workspace
    if not store.plan_run(workspace, file.id):
        return ()
    return tuple(change.name for change in file.plan.effective if _stored(store, workspace, change, file.id))


def _stored(store: Store, workspace: str, change: Change, plan: str) -> bool:
    events = store.events_about(workspace, change.name)
    return any(event.body.get("plan") == plan and event.result in DONE for _, event, _ in events)


def _folders(wanted: list[Credential]) -> set[Path]:
    """Where the manifest's files were: what ``file://`` meant when it was planned."""
    return {Path(credential.file).parent for credential in wanted}


@dataclass(frozen=True, slots=True)
class _Again:
    """The planner, once more, about the changes of a plan file alone."""

    file: PlanFile
    todo: list[Change]
    snapshot: Snapshot
    credentials: dict[str, Credential]
    scope: Scope

    def plan(self, found: Known, traits: Mapping[str, Traits]) -> Plan:
        """What would be done now, with the plan's own digest and counts."""
        names = {change.name for change in self.todo} | {c.moved_from for c in self.credentials.values()}
        records = {name: record for name, record in self.snapshot.records.items() if name in names}
        waiting = {name: one for name, one in self.snapshot.rejections.items() if name in names}
        made = planner.plan(self.credentials, records, waiting, found, traits, self.scope)
        wanted = {change.name for change in self.todo if change.action is not Action.NOTE}
        changes = tuple(c for c in made.changes if c.action is Action.NOTE or c.name in wanted)
        return replace(
            made, changes=changes, kept=self.file.plan.kept, digest=self.file.plan.digest,
            refusals=refusals(changes, len(self.snapshot.records), self.file.scope),
        )  # fmt: skip
