"""Plan files on the disk: written 0600 and whole or not at all, read without believing a byte."""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from reconciler import __version__, audit, git, planfile, private, regular, schema
from reconciler.app.prepared import Prepared
from reconciler.app.preparing import What
from reconciler.app.wiring import Where, keyring
from reconciler.context import now
from reconciler.errors import Refused, StoreError, UsageError
from reconciler.planfile import FORMAT_VERSION, Made, PlanFile, Stored
from reconciler.sealing import Keyring
from reconciler.stores.base import Store

SCHEMA = "plan.schema.json"
LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Out:
    """Where a plan file goes, and how long it is good."""

    path: Path
    lasts: timedelta


def check_target(path: Path) -> None:
    """Raise UsageError where ``path`` cannot become a plan file: only what is one already is ever replaced."""
    if not os.path.isdir(path.parent):  # noqa: PTH112
        raise UsageError("no-such-file", f"--out {path}: there is no folder {path.parent}")
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError("unreadable", f"--out {path} cannot be written: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode) or not _is_plan(path):
        raise UsageError("plan-not-replaced", str(path))


def _is_plan(path: Path) -> bool:
    try:
        read(path)
    except Refused as refused:
        # one that is too new, or that somebody wrote into, is a plan file all the same
        return refused.code.name == "plan-newer" or refused.detail != _NO_PLAN
    except UsageError as error:
        if error.code.name != "plan-is-manifest":
            raise
        return False
    return True


def save(where: Where, what: What, prepared: Prepared, out: Out) -> PlanFile:
    """Write the plan. Raises UsageError where there is no store, or the file cannot be written."""
    if prepared.store is None:
        raise UsageError("plan-no-store", hint=f"reconciler store create{where.flags}")
    check_target(out.path)
    file = _built(where, what, prepared, prepared.store, out)
    scratch = out.path.with_name(f".{os.urandom(8).hex()}.part")
    try:
        private.make_file(scratch, planfile.text(file).encode())
        scratch.replace(out.path)
    except OSError as error:
        raise UsageError("unreadable", f"--out {out.path} cannot be written: {error.strerror}") from None
    finally:
        scratch.unlink(missing_ok=True)
    return file


def _built(where: Where, what: What, prepared: Prepared, store: Store, out: Out) -> PlanFile:
    created = now()
    expires = (datetime.fromisoformat(created) + out.lasts).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    files = [] if Path("-") in what.files else [Path(name) for name in prepared.sources]
    found = git.state(files, where.environ) if files else git.State()
    head = prepared.header
    made = Made(
        manifest=planfile.manifest_digest(prepared.manifest),
        declared=prepared.declared,
        files=prepared.files,
        created=created,
        expires=expires,
        creator=audit.who(where.origin),
        program=__version__,
        commit=found.commit or where.origin.commit,
        dirty=found.dirty,
    )
    stored = Stored(head.mode, head.store, head.serial, head.stored)
    mac = _signer(where, store, prepared)
    return planfile.build(
        prepared.plan, prepared.scope, stored, made, prepared.known, mac, prepared.snapshot.rejections
    )


def _signer(where: Where, store: Store, prepared: Prepared) -> audit.Mac | None:
    """The key that signs, where it is at hand: also for a plan that compared no secret."""
    try:
        keys = prepared.keyring or keyring(where, store)
    except StoreError as error:
        if error.code.name != "key-missing":
            raise
        return None
    return keys.signer(prepared.header.workspace)


_NO_PLAN = "it is no plan file"


_MANIFEST = re.compile(rb"^(?:\xef\xbb\xbf)?[ \t{]*[\"']?credentials[\"']?[ \t]*:", re.MULTILINE)
"""A line that every manifest in YAML has and no plan file, whatever was done to it: that is one line, in braces."""


def read(path: Path, command: str = "apply") -> PlanFile:
    """Read a plan file; needs no key, and says nothing of the signature. ``command``: what wants it.

    Raises UsageError where there is no such file, or where it is a manifest; Refused ``plan-newer``, and
    ``plan-altered`` for whatever else is not exactly what this program writes.
    """
    given = _bytes(path, command)
    if _MANIFEST.search(given):
        raise _manifest(path, command)
    try:
        document = json.loads(given, parse_constant=_no_number)
        version = document.get("format_version")
    except (ValueError, RecursionError, AttributeError):
        raise Refused("plan-altered", _NO_PLAN) from None
    if not isinstance(version, int) or version < 1:
        raise Refused("plan-altered", _NO_PLAN)
    if version > FORMAT_VERSION:
        raise Refused("plan-newer", f"its format is {version}; this program knows {FORMAT_VERSION} and before")
    try:
        if not _fits(document):
            raise Refused("plan-altered", "it does not fit the schema of plan files")
        return planfile.parse(given.decode(), document)
    except (ValueError, RecursionError):
        raise Refused("plan-altered", "it holds what this program never writes") from None


def _manifest(path: Path, command: str) -> UsageError:
    return UsageError("plan-is-manifest", str(path), f"reconciler {command} -f {shlex.quote(str(path))}")


def _bytes(path: Path, command: str) -> bytes:
    # unlike Path.is_dir, a path that no system takes is none: it is told where it is read
    if os.path.isdir(path):  # noqa: PTH112
        raise _manifest(path, command)
    given = regular.read(path, LIMIT, hint="a plan is read from the file that  plan --out  wrote")
    if len(given) > LIMIT:
        raise Refused("plan-altered", _NO_PLAN)
    return given


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


def _fits(document: Any) -> bool:
    import jsonschema_rs

    validator = jsonschema_rs.Draft202012Validator(json.loads(schema.builtin_text(SCHEMA)), validate_formats=False)
    return validator.is_valid(document)


def signature(file: PlanFile, keys: Keyring | None) -> bool | None:
    """Whether the file is as its maker signed it; None where nobody can tell: no signature, or no key of it here."""
    if keys is None or not file.signature:
        return None
    try:
        return planfile.signed(file, keys.verifier(file.scope.workspace))
    except StoreError:
        # it names a data key that is not at hand
        return None
