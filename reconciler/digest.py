"""The digest of a plan: what a reviewer approves, and ``apply --expect`` compares. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from reconciler import canonical
from reconciler.model import Action
from reconciler.plans import Change
from reconciler.scope import Known, Scope


def digest(changes: Sequence[Change], known: Known, scope: Scope) -> str:
    """What a reviewer approves, in 128 bits: D7 says what it covers, and what it leaves out on purpose."""
    if not scope.store_id:
        return ""
    covered = {
        "digest": 1,
        "compared": known.compared,
        "store": scope.store_id,
        "workspace": scope.workspace,
        "selection": _selection(scope),
        "changes": [of_change(change) for change in changes if change.action is not Action.NOTE],
    }
    text = canonical.to_json(covered)
    prefix = "c1" if known.compared else "s1"
    return f"{prefix}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _selection(scope: Scope) -> dict[str, Any]:
    limit = {} if scope.max_deletes is None else {"max_deletes": scope.max_deletes}
    return {"only": sorted(scope.only), "prune": scope.prune, "secrets_only": scope.secrets_only, **limit}


def of_change(change: Change) -> dict[str, Any]:
    """What the digest covers of one change."""
    declared = change.credential.declared if change.credential else None
    return {
        "action": change.action,
        "name": change.name,
        "provider": change.provider,
        "reasons": change.reasons,
        "fields": sorted([f.field, f.before, f.after] for f in change.fields),
        "references": dict(declared.references) if declared else {},
        "expected": change.expected_version,
        "secrets": dict(change.secrets),
        **({"from": change.old_name} if change.old_name else {}),
        **({"last": change.last_version} if change.last_version else {}),
    }
