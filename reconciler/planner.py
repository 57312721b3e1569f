"""All policy, pure: what must be done. Limits and refusals are in :mod:`reconciler.gates`.

The same input gives the same plan and the same digest, whatever the order: no clock, no I/O, no randomness.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from reconciler import diff, renames
from reconciler.digest import digest
from reconciler.gates import refusals
from reconciler.model import Action, Credential, Declared, SecretState, Traits
from reconciler.plans import Change, FieldChange, Plan
from reconciler.scope import Known, Scope
from reconciler.state import Record, Rejection


def plan(
    credentials: Mapping[str, Credential],
    records: Mapping[str, Record],
    rejections: Mapping[str, Rejection],
    known: Known,
    traits: Mapping[str, Traits],
    scope: Scope,
) -> Plan:
    """Compare what is declared with what is stored."""
    changes: list[Change] = []
    kept: list[str] = []
    selected = {n: c for n, c in credentials.items() if scope.selects(n)} if scope.only else credentials
    for name, credential in selected.items():
        record = records.get(name)
        if credential.moved_from in records:
            changes.append(_rename(credential, records, rejections.get(name), known, traits))
        elif record and _as_stored(credential, record, known):
            kept.append(name)
            if credential.moved_from:
                changes.append(_spent(credential, record))
        else:
            change = _change(credential, record, rejections.get(name), known, traits)
            # a name that was deleted since is not the one that was approved
            last = 0 if record else scope.last_versions.get(name, 0)
            changes.append(replace(change, last_version=last) if last else change)
    changes.extend(_undeclared(credentials, records, rejections, scope))
    changes.extend(_stale(credentials, records, rejections, known, scope, set(kept)))
    changes.sort(key=lambda c: (c.name, c.action))
    total = sum(len(c.declared.references) for c in selected.values())
    return Plan(
        changes=tuple(changes),
        kept=tuple(sorted(kept)),
        secrets_total=total,
        compared=known.compared,
        secrets_compared=sum(1 for name, _ in known.fingerprints if name in selected) if known.compared else 0,
        digest=digest(changes, known, scope),
        partial=bool(scope.only),
        secrets_only=scope.secrets_only,
        refusals=refusals(changes, len(records), scope),
    )


def _as_stored(credential: Credential, record: Record, known: Known) -> bool:
    return (
        record.declared == credential.declared
        and record.old_name == credential.moved_from
        and _same_secrets(credential, record, known)
    )


def _same_secrets(credential: Credential, record: Record, known: Known) -> bool:
    """Whether no secret is known to differ; one that cannot be compared counts as the same (D19)."""
    if not known.compared:
        return True
    for key in credential.declared.references:
        found = known.fingerprints.get((credential.name, key))
        if found is not None and found != record.fingerprints.get(key):
            return False
    return True


def _change(
    credential: Credential,
    record: Record | None,
    rejection: Rejection | None,
    known: Known,
    traits: Mapping[str, Traits],
) -> Change:
    secrets = {key: _state(credential, key, record, known) for key in credential.declared.references}
    before = record.declared if record else None
    old_names = _old_names(credential, record)
    why = ("new",) if before is None else tuple(reasons(before, credential.declared, secrets, traits))
    why += ("moved-from",) if record and old_names else ()
    asks = before is None or _asks(before, credential.declared, secrets)
    return Change(
        action=Action.UPDATE if record else Action.CREATE,
        name=credential.name,
        provider=credential.declared.provider,
        reasons=why,
        fields=(*diff.changes(before, credential.declared), *old_names),
        secrets=secrets,
        expected_version=record.version if record else 0,
        credential=credential,
        record=record,
        rejection=rejection,
        refused_before=asks and _refused_before(credential, rejection, known),
        asks=asks,
        blocked="protected" if before and _blocked(before, credential.declared, why) else "",
        unresolved=_unresolved(credential, known) if asks else {},
    )


def _refused_before(credential: Credential, rejection: Rejection | None, known: Known) -> bool:
    if rejection is None or not known.compared:
        return False
    then, now, had = rejection.declared, credential.declared, rejection.fingerprints
    same = (then.provider, then.settings) == (now.provider, now.settings) and now.references.keys() == had.keys()
    return same and all(known.fingerprints.get((credential.name, key)) == mark for key, mark in had.items())


def _old_names(credential: Credential, record: Record | None) -> tuple[FieldChange, ...]:
    """Whether it begins or ceases to answer to an old name; a rename, which does, says so by itself."""
    before, after = record.old_name if record else "", credential.moved_from
    if before == after or (not before and record and record.name == after):
        return ()
    return (FieldChange("moved_from", before or None, after or None),)


def _rename(
    credential: Credential,
    records: Mapping[str, Record],
    rejection: Rejection | None,
    known: Known,
    traits: Mapping[str, Traits],
) -> Change:
    """An update that gives the record its new name as well; alone it is stored without asking."""
    record = records[credential.moved_from]
    if renames.taken(credential, records):
        return Change(Action.RENAME, credential.name, credential.declared.provider, ("renamed",),
                      expected_version=record.version, credential=credential, record=record, rejection=rejection,
                      blocked="name-taken")  # fmt: skip
    change = _change(credential, record, rejection, known, traits)
    others = tuple(reason for reason in change.reasons if reason != "moved-from")
    before, after = record.declared, credential.declared
    lifts = before.protected and not after.protected
    return replace(change, action=Action.RENAME, reasons=("renamed", *others),
                   blocked="protected" if lifts else change.blocked)  # fmt: skip


def _spent(credential: Credential, record: Record) -> Change:
    return Change(Action.NOTE, credential.name, credential.declared.provider, ("moved-from-spent",),
                  expected_version=record.version, credential=credential, record=record)  # fmt: skip


def _blocked(before: Declared, after: Declared, why: tuple[str, ...]) -> bool:
    """Whether the store's protection forbids an update: another account, or lifting it together with anything else."""
    if not before.protected:
        return False
    lifts_only = {f.field for f in diff.changes(before, after)} <= {"protected"} and "secret" not in why
    return "account" in why or (not after.protected and not lifts_only)


def _state(credential: Credential, key: str, record: Record | None, known: Known) -> SecretState:
    found = known.fingerprints.get((credential.name, key)) if known.compared else None
    stored = record.fingerprints.get(key) if record else None
    if record is None or stored is None or record.declared.provider != credential.declared.provider:
        return SecretState.NEW
    if found is None:
        return SecretState.NOT_COMPARED
    return SecretState.UNCHANGED if found == stored else SecretState.CHANGED


def reasons(
    before: Declared, after: Declared, secrets: Mapping[str, SecretState], traits: Mapping[str, Traits]
) -> Iterator[str]:
    """Why an update is one, most important first."""
    if before.provider != after.provider or _account(before, traits) != _account(after, traits):
        yield "account"
    if before.settings != after.settings:
        yield "settings"
    if {SecretState.NEW, SecretState.CHANGED} & set(secrets.values()):
        yield "secret"
    if before.references != after.references:
        yield "reference"
    if before.common != after.common:
        yield "common"


def _account(declared: Declared, traits: Mapping[str, Traits]) -> tuple[Any, ...]:
    keys = traits[declared.provider].account if declared.provider in traits else tuple(sorted(declared.settings))
    return tuple(declared.settings.get(key) for key in keys)


def _asks(before: Declared, after: Declared, secrets: Mapping[str, SecretState]) -> bool:
    """Whether an update needs the provider's word: all but common keys, or a new reference to the same value."""
    if before.provider != after.provider or before.settings != after.settings:
        return True
    if {SecretState.NEW, SecretState.CHANGED} & set(secrets.values()):
        return True
    moved = (key for key in after.references if before.references.get(key) != after.references[key])
    return any(secrets[key] is SecretState.NOT_COMPARED for key in moved)


def _unresolved(credential: Credential, known: Known) -> dict[str, str]:
    keys = credential.declared.references
    return {k: known.missing[credential.name, k] for k in keys if (credential.name, k) in known.missing}


def _undeclared(
    credentials: Mapping[str, Credential],
    records: Mapping[str, Record],
    rejections: Mapping[str, Rejection],
    scope: Scope,
) -> Iterator[Change]:
    """Records that no manifest declares: noted and kept, or with ``--prune`` deleted. Not those about to be renamed."""
    moving = {credential.moved_from for credential in credentials.values()}
    for name, record in records.items():
        if name in credentials or name in moving or not scope.selects(name):
            continue
        provider, version = record.declared.provider, record.version
        if scope.prune:
            blocked = "protected" if record.declared.protected else ""
            yield Change(Action.DELETE, name, provider, ("undeclared",), diff.changes(record.declared, None),
                         expected_version=version, record=record, rejection=rejections.get(name),
                         blocked=blocked)  # fmt: skip
        else:
            yield Change(Action.NOTE, name, provider, ("undeclared",), expected_version=version, record=record)


def _stale(
    credentials: Mapping[str, Credential],
    records: Mapping[str, Record],
    rejections: Mapping[str, Rejection],
    known: Known,
    scope: Scope,
    kept: set[str],
) -> Iterator[Change]:
    """Rejections that lost their reason: their entry is gone, or equals what is stored again.

    Only a plan of the whole manifest, with all that it says, can tell.
    """
    if scope.only or scope.secrets_only:
        return
    for name, rejection in rejections.items():
        if scope.prune and name not in credentials and name in records:
            continue
        provider = rejection.declared.provider
        if name not in credentials:
            yield Change(Action.NOTE, name, provider, ("rejection-gone",), rejection=rejection)
        elif name in kept and _all_compared(credentials[name], known):
            yield Change(Action.NOTE, name, provider, ("rejection-settled",), rejection=rejection,
                         record=records[name], credential=credentials[name])  # fmt: skip


def _all_compared(credential: Credential, known: Known) -> bool:
    return known.compared and all((credential.name, k) in known.fingerprints for k in credential.declared.references)
