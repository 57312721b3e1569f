"""Use cases that only look: validate, plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.app.prepared import Prepared
from reconciler.app.preparing import What, prepare, read
from reconciler.app.wiring import Where
from reconciler.context import now
from reconciler.due import due_after
from reconciler.errors import ManifestInvalid
from reconciler.report import Filed, Report

if TYPE_CHECKING:
    from reconciler.app.planfiles import Out


def validate(where: Where, what: What) -> Report:
    """Check the manifest offline: nothing is asked, no secret is read, no store is opened."""
    try:
        manifest, _ = read(where, what)
    except ManifestInvalid as invalid:
        return Report("validate", problems=invalid.problems, declared=invalid.declared, files=invalid.files)
    return Report("validate", problems=manifest.warnings, declared=len(manifest.credentials),
                  files=len(manifest.files))  # fmt: skip


def plan(where: Where, what: What, out: Out | None = None) -> Report:
    """Compare the manifest with the store, and keep the plan as a file. Asks no provider, writes nothing else."""
    prepared = prepare(where, what)
    try:
        filed = kept(where, what, prepared, out)
    finally:
        prepared.close()
    return planned(prepared, "plan", filed)


def kept(where: Where, what: What, prepared: Prepared, out: Out | None) -> Filed | None:
    """Write the plan file, where one is wanted. Raises UsageError where there is no store, or it cannot be written."""
    if out is None:
        return None
    from reconciler.app import planfiles

    file = planfiles.save(where, what, prepared, out)
    return Filed(str(out.path), file, signed=True if file.signature else None)


def planned(prepared: Prepared, command: str, filed: Filed | None = None) -> Report:
    """A plan as a report."""
    return Report(
        command,
        origin=prepared.origin,
        header=prepared.header,
        problems=prepared.problems,
        plan=prepared.plan,
        filed=filed or prepared.filed,
        approved=prepared.approved,
        done_before=prepared.done,
        traits=prepared.traits,
        declared=prepared.declared,
        files=prepared.files,
        due=due_after(prepared.plan, prepared.snapshot.records, prepared.credentials, now()[:10]),
    )
