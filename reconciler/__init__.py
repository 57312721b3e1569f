"""Terraform's workflow for SMS provider credentials.

``from reconciler import load_manifest, plan, apply, open_store`` is the Python interface, ``docs/api.md`` its page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reconciler.api import Credential as Credential
    from reconciler.api import CredentialWarning as CredentialWarning
    from reconciler.api import Manifest as Manifest
    from reconciler.api import ManifestInvalid as ManifestInvalid
    from reconciler.api import NotAsked as NotAsked
    from reconciler.api import Outcome as Outcome
    from reconciler.api import Plan as Plan
    from reconciler.api import Problem as Problem
    from reconciler.api import ReconcilerError as ReconcilerError
    from reconciler.api import Refused as Refused
    from reconciler.api import Report as Report
    from reconciler.api import Store as Store
    from reconciler.api import StoredCredential as StoredCredential
    from reconciler.api import StoreError as StoreError
    from reconciler.api import UsageError as UsageError
    from reconciler.api import apply as apply
    from reconciler.api import exit_code as exit_code
    from reconciler.api import load_manifest as load_manifest
    from reconciler.api import open_store as open_store
    from reconciler.api import plan as plan

__version__ = "0.1.0"


_INTERFACE = frozenset({
    "Credential", "CredentialWarning", "Manifest", "ManifestInvalid", "NotAsked", "Outcome", "Plan", "Problem",
    "ReconcilerError", "Refused", "Report", "Store", "StoreError", "StoredCredential", "UsageError", "apply",
    "exit_code", "load_manifest", "open_store", "plan",
})  # fmt: skip


def __getattr__(name: str) -> Any:
    """The names of the interface, imported when one of them is wanted: the command starts without them."""
    if name not in _INTERFACE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from reconciler import api

    return getattr(api, name)
