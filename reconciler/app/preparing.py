"""The steps that plan and apply share: read the manifest, open the store, resolve, compare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path

from reconciler import manifest as manifests
from reconciler import planner, renames, schema
from reconciler.app import literals, plugged, tracked
from reconciler.app.prepared import Prepared, new_workspace, secrets_folder
from reconciler.app.resolving import Fingerprint, Resolved, known, resolve
from reconciler.app.sharing import shared
from reconciler.app.wiring import Where, choose_workspace, header_of, keyring, open_store
from reconciler.codes import CODES
from reconciler.collector import collector_off
from reconciler.errors import ManifestInvalid, StoreError, UsageError
from reconciler.expected import left_out
from reconciler.manifest import Manifest
from reconciler.model import Credential, Problem, SecretState, Severity, Traits
from reconciler.plans import Change, Plan
from reconciler.report import Header
from reconciler.resolvers.base import Surroundings
from reconciler.rotation import only_secrets
from reconciler.scope import Known, Scope, selects
from reconciler.sealing import Keyring
from reconciler.state import Snapshot
from reconciler.stores.base import Store

TOLD = 10
"""How many secrets that could not be compared are named one by one."""


class Secrets(StrEnum):
    """How much of the secrets a plan compares (D19)."""

    AUTO = "auto"
    REQUIRE = "require"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class What:
    """Which entries of which manifest, and how."""

    files: tuple[Path, ...]
    only: tuple[str, ...] = ()
    secrets: Secrets | None = None
    """``None``: as fits the run, see :attr:`comparing`."""
    secrets_dir: Path | None = None
    allow_empty: bool = False
    prune: bool = False
    max_deletes: int | None = None
    secrets_only: bool = False
    """Whether nothing but new secret values and earlier submissions is taken up (D19)."""

    def __post_init__(self) -> None:
        if self.secrets_only and self.secrets is Secrets.SKIP:
            raise UsageError("usage", "--secrets-only is about the secrets: drop --secrets skip")
        if self.secrets_only and self.prune:
            raise UsageError("usage", "--secrets-only changes nothing else: drop --prune")

    @property
    def comparing(self) -> Secrets:
        """How much is compared. A run that does nothing but compare insists: a miss must not pass for success."""
        return self.secrets or (Secrets.REQUIRE if self.secrets_only else Secrets.AUTO)


def read(where: Where, what: What) -> tuple[Manifest, Mapping[str, Traits]]:
    """Read and check the manifest. Raises UsageError, ManifestInvalid."""
    manifest, document = plugged.for_manifest(
        lambda document, schemes: manifests.read(
            what.files, document, workspace=where.workspace or None, allow_empty=what.allow_empty, schemes=schemes
        )
    )
    return manifest, schema.traits(document)


def prepare(where: Where, what: What, store: Store | None = None) -> Prepared:
    """Everything up to the plan; asks no provider, writes nothing, makes no store.

    ``store``: one already open; else it is opened if it is there. Raises UsageError, ManifestInvalid, StoreError.
    """
    with collector_off():
        return _prepare(where, what, store)


def _prepare(where: Where, what: What, opened: Store | None) -> Prepared:
    manifest, traits = read(where, what)
    store = opened or _existing(where)
    try:
        workspace = choose_workspace(where.workspace or manifest.workspace, store, manifest.files)
        snapshot = store.load(workspace) if store else Snapshot(workspace, 0, {}, {})
        _known_globs(what, manifest, snapshot)
        keys, problems = _keys(where, what, store)
        scope = Scope(store.info.id if store else "", workspace, what.only, what.prune, what.max_deletes,
                      what.secrets_only, _last_versions(store, workspace, manifest, snapshot))  # fmt: skip
        entries, waiting = _entries(manifest, snapshot, scope)
        resolved, found = _secrets(where, what, entries, store, keys, snapshot)
        literals.refuse(manifest.credentials, resolved, manifest.hidden)
        plan = planner.plan(entries, snapshot.records, snapshot.rejections, found, traits, scope)
    except BaseException:
        if store and not opened:
            store.close()
        raise
    header = _header(where, store, workspace, snapshot)
    unseen = _not_compared(entries, resolved, found, plan)
    alike = shared(entries, resolved)
    git = tracked.warnings(resolved.untold)
    new = new_workspace(store, snapshot, manifest.named_at)
    problems = (*manifest.warnings, *problems, *alike, *git, *unseen, *new, *waiting,
                *renames.notes(plan.changes), *_renamed(plan, traits, resolved, keys, workspace))  # fmt: skip
    counts = len(manifest.credentials), len(manifest.files)
    return Prepared(manifest.credentials, entries, *counts, traits, store, keys, snapshot, resolved, found, scope, plan,
                    header, problems, where.origin, sources=manifest.files)  # fmt: skip


def _entries(
    manifest: Manifest, snapshot: Snapshot, scope: Scope
) -> tuple[Mapping[str, Credential], tuple[Problem, ...]]:
    """The entries to plan; with ``--secrets-only`` as they are stored, and a warning that names what waits."""
    if not scope.secrets_only:
        return manifest.credentials, ()
    found = only_secrets(manifest.credentials, snapshot.records, snapshot.rejections)
    waiting = [name for name in found.left_out if scope.selects(name)]
    return found.credentials, left_out(waiting, "--secrets-only takes up no other change of the manifest")


def _last_versions(store: Store | None, workspace: str, manifest: Manifest, snapshot: Snapshot) -> Mapping[str, int]:
    """Of names under which nothing is stored: what an earlier life of the name came to."""
    names = manifest.credentials.keys() - snapshot.records.keys()
    return store.last_versions(workspace, sorted(names)) if store and snapshot.serial else {}


def _existing(where: Where) -> Store | None:
    try:
        return open_store(where)
    except StoreError as error:
        if error.code.name == "store-missing":
            return None
        raise


def _keys(where: Where, what: What, store: Store | None) -> tuple[Keyring | None, tuple[Problem, ...]]:
    """The key to compare secrets with; without one, ``auto`` is as ``skip``, with a note."""
    if store is None or what.comparing is Secrets.SKIP:
        return None, ()
    try:
        return keyring(where, store), ()
    except StoreError as error:
        if error.code.name != "key-missing" or what.comparing is Secrets.REQUIRE:
            raise
        return None, (Problem("key-missing", "secrets are not compared: " + error.code.summary, detail=error.detail,
                              hint=error.hint, severity=Severity.WARNING),)  # fmt: skip


def _secrets(
    where: Where,
    what: What,
    entries: Mapping[str, Credential],
    store: Store | None,
    keys: Keyring | None,
    snapshot: Snapshot,
) -> tuple[Resolved, Known]:
    if what.comparing is Secrets.SKIP or (store and not keys):
        return Resolved(), Known(compared=False)
    wanted = [c for c in entries.values() if selects(what.only, c.name)]
    resolved = resolve(wanted, Surroundings(where.environ, _folder(what, wanted)), where.beat)
    fingerprint = keys.fingerprinter(snapshot.workspace) if keys else None
    found = known(wanted, resolved, fingerprint, snapshot.records)
    if what.comparing is Secrets.REQUIRE and found.missing:
        raise ManifestInvalid(_unresolved(entries, resolved, found))
    return resolved, found


def _folder(what: What, wanted: Iterable[Credential]) -> Path:
    folders = {path if path.is_dir() else path.parent for path in what.files}
    return secrets_folder(what.secrets_dir, folders, wanted)


def _known_globs(what: What, manifest: Manifest, snapshot: Snapshot) -> None:
    """Raise UsageError for an ``--only`` that selects nothing: a typing error must not look like success."""
    names = {*manifest.credentials, *snapshot.records, *snapshot.rejections}
    for glob in what.only:
        if not any(selects((glob,), name) for name in names):
            close = get_close_matches(glob, names, 1)
            raise UsageError("no-such-name", f"--only {glob}", f"did you mean {close[0]}?" if close else "")


def _unresolved(entries: Mapping[str, Credential], resolved: Resolved, found: Known) -> list[Problem]:
    code = CODES["secret-unresolved"]
    problems = []
    for name, key in sorted(found.missing):
        credential = entries[name]
        reference = credential.declared.references[key]
        problems.append(Problem(code.name, code.summary, credential.place(key), f"{name}.{key}",
                                f"{reference}: {resolved.missing[reference].detail}", code.hint))  # fmt: skip
    return problems


def _not_compared(
    entries: Mapping[str, Credential], resolved: Resolved, found: Known, plan: Plan
) -> tuple[Problem, ...]:
    """A warning for each stored secret that could not be had: nobody knows whether it changed.

    Beside other changes of its entry too; where the change itself needs it, the plan says so at the change.
    """
    kept, told = set(plan.kept), []
    beside = {
        (change.name, key)
        for change in plan.effective
        for key, state in change.secrets.items()
        if state is SecretState.NOT_COMPARED and key not in change.unresolved
    }
    for name, key in sorted(found.missing):
        if name in kept or (name, key) in beside:
            credential = entries[name]
            reference = credential.declared.references[key]
            error = resolved.missing[reference]
            told.append(Problem(error.code.name, "a stored secret was not compared: it cannot be had here",
                                credential.place(key), f"{name}.{key}", f"{reference}: {error.detail}", error.hint,
                                Severity.WARNING))  # fmt: skip
    if len(told) <= TOLD:
        return tuple(told)
    more = Problem("secret-missing", f"{len(told) - TOLD} more stored secrets were not compared",
                   hint="reconciler plan --secrets require  names every one", severity=Severity.WARNING)  # fmt: skip
    return (*told[:TOLD], more)


def _renamed(
    plan: Plan, traits: Mapping[str, Traits], resolved: Resolved, keys: Keyring | None, workspace: str
) -> Iterator[Problem]:
    """A warning for each create that is probably a rename; one whose secret is known to be another one is none."""
    pairs = list(renames.alike(plan.changes, traits))
    if pairs and keys:
        fingerprint = keys.fingerprinter(workspace)
        pairs = [pair for pair in pairs if not _another_secret(*pair, resolved, fingerprint)]
    return renames.unsaid(pairs)


def _another_secret(create: Change, other: Change, resolved: Resolved, fingerprint: Fingerprint) -> bool:
    """Compared under the old name, since a fingerprint contains it (D3); what is not at hand is not compared."""
    stored = other.record.fingerprints if other.record else {}
    had = {key: resolved.values.get(text) for key, text in create.declared.references.items()}
    return any(
        value is not None and fingerprint(other.name, key, value) != stored.get(key) for key, value in had.items()
    )


def _header(where: Where, store: Store | None, workspace: str, snapshot: Snapshot) -> Header:
    if store is None:
        # the whole path: in another folder than usual there is another store, or none
        return Header(workspace, where.mode, str(where.path.absolute()), exists=False)
    return header_of(store, snapshot)
