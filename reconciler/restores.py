"""What putting a former version back means: a change like any other, which the provider is asked about. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler import diff, planner
from reconciler.model import Action, SecretState, Traits
from reconciler.plans import Change
from reconciler.state import Record


def restore(
    name: str, record: Record | None, former: Record, fingerprints: Mapping[str, bytes], traits: Mapping[str, Traits]
) -> Change | None:
    """The change that puts ``former`` back under ``name``; None where that is what is stored.

    ``record`` is what is stored now, ``fingerprints`` are of the former secrets as ``name`` would have them. Protection
    stays on: it is lifted by an apply that does only that (D6).
    """
    if record and record.declared.protected:
        declared = replace(former.declared, common={**former.declared.common, "protected": True})
        former = replace(former, declared=declared)
    before, after = record.declared if record else None, former.declared
    stored = record.fingerprints if record and record.declared.provider == after.provider else {}
    secrets = {key: _state(stored.get(key), fingerprints[key]) for key in after.references}
    if before == after and set(secrets.values()) <= {SecretState.UNCHANGED}:
        return None
    reasons = tuple(planner.reasons(before, after, secrets, traits)) if before else ("new",)
    return Change(
        action=Action.UPDATE if record else Action.CREATE,
        name=name,
        provider=after.provider,
        reasons=("restored", *reasons),
        fields=diff.changes(before, after),
        secrets=secrets,
        expected_version=record.version if record else 0,
        record=record,
        former=former,
        asks=True,
        blocked="protected" if before and before.protected and "account" in reasons else "",
    )


def _state(stored: bytes | None, former: bytes) -> SecretState:
    if stored is None:
        return SecretState.NEW
    return SecretState.UNCHANGED if stored == former else SecretState.CHANGED
