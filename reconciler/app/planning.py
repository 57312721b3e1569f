"""Use cases that only look: validate, plan."""

from __future__ import annotations

from reconciler.app.preparing import Prepared, What, prepare, read
from reconciler.app.wiring import Where
from reconciler.context import now
from reconciler.due import due
from reconciler.errors import ManifestInvalid
from reconciler.report import Report


def validate(where: Where, what: What) -> Report:
    """Check the manifest offline: nothing is asked, no secret is read, no store is opened."""
    try:
        manifest, _ = read(where, what)
    except ManifestInvalid as invalid:
        return Report("validate", problems=invalid.problems, declared=invalid.declared, files=invalid.files)
    return Report("validate", problems=manifest.warnings, declared=len(manifest.credentials),
                  files=len(manifest.files))  # fmt: skip


def plan(where: Where, what: What) -> Report:
    """Compare the manifest with the store. Writes nothing, asks no provider."""
    prepared = prepare(where, what)
    prepared.close()
    return planned(prepared, "plan")


def planned(prepared: Prepared, command: str) -> Report:
    """A plan as a report."""
    return Report(
        command,
        origin=prepared.origin,
        header=prepared.header,
        problems=prepared.problems,
        plan=prepared.plan,
        traits=prepared.traits,
        declared=len(prepared.manifest.credentials),
        files=len(prepared.manifest.files),
        due=due(prepared.snapshot.records.values(), now()[:10]),
    )
