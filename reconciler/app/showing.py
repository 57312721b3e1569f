"""The use case show: what a plan file would do, offline; its signature, where its store and key are at hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.app import planfiles
from reconciler.app.plugged import traits_of
from reconciler.app.wiring import Where, keyring, open_store
from reconciler.context import now
from reconciler.errors import Refused, StoreError
from reconciler.model import Mode
from reconciler.planfile import PlanFile
from reconciler.report import Filed, Header, Report


def show(where: Where, path: Path) -> Report:
    """Show a plan file. Raises Refused ``plan-newer``, and ``plan-altered`` where it is not as it was written."""
    file = planfiles.read(path, "plan")
    found = _beside(where, file)
    if found.signed is False:
        raise Refused("plan-altered", "its signature does not belong to its content")
    stored, made = file.stored, file.made
    header = Header(file.scope.workspace, stored.mode, stored.address, True, file.scope.store_id, stored.serial,
                    stored.records)  # fmt: skip
    filed = Filed(str(path), file, found.signed, found.why, now() > made.expires, found.finished)
    return Report("show", header=header, plan=file.plan, filed=filed, declared=made.declared, files=made.files,
                  traits=traits_of({change.provider for change in file.plan.changes}))  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Found:
    """What the store and the key at hand say of a plan file."""

    signed: bool | None = None
    why: str = ""
    """Why nobody can tell whether it was altered."""
    finished: str = ""


def _beside(where: Where, file: PlanFile) -> _Found:
    """Nothing that is missing or broken here is a reason not to show a file."""
    try:
        store = open_store(replace(where, sandbox=file.stored.mode is Mode.SANDBOX))
    except StoreError as error:
        return _Found(why=error.code.summary)
    try:
        if store.info.id != file.scope.store_id:
            return _Found(why="the store here is another one")
        run = store.plan_run(file.scope.workspace, file.id)
        finished = run.finished_at if run else ""
        if not file.signature:
            return _Found(why="it was made where no key was at hand", finished=finished)
        signed = planfiles.signature(file, keyring(where, store))
        return _Found(signed, "its key is not here" if signed is None else "", finished)
    except StoreError as error:
        return _Found(why=error.code.summary)
    finally:
        store.close()
