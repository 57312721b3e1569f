"""A plan as a file: what it holds, its id, its signature. Pure; holds no secret's value, ciphertext, length or prefix.

Whoever applies it needs no manifest: each change carries the whole declared content of its entry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.audit import Check, Mac, shown
from reconciler.canonical import joined, to_json
from reconciler.digest import digest
from reconciler.errors import Refused
from reconciler.gates import refusals
from reconciler.model import Action, Credential, Declared, Mode, SecretState
from reconciler.plans import Change, FieldChange, Plan
from reconciler.scope import Known, Scope
from reconciler.state import Rejection

FORMAT_VERSION = 1
_ID_DIGITS = 32
_KEY_BYTES = 8


@dataclass(frozen=True, slots=True)
class Made:
    """From what, by whom and for how long a plan was made."""

    manifest: str
    """SHA-256 of what the manifest declares, whatever its files, order and comments."""
    declared: int
    files: int
    created: str
    expires: str
    creator: Mapping[str, str]
    """As in events: :func:`reconciler.audit.who`."""
    program: str
    commit: str = ""
    dirty: bool | None = None
    """Whether the manifest's folders differed from the commit; None where nobody could tell."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The store that a plan is for, as it was found."""

    mode: Mode
    address: str
    """For people, without a password."""
    serial: int
    records: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A rejection as it waited when the plan was made: with another attempt it is another one."""

    attempts: int
    last_at: str


@dataclass(frozen=True, slots=True)
class PlanFile:
    """One plan file."""

    plan: Plan
    scope: Scope
    stored: Stored
    made: Made
    fingerprints: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """8 hex digits of each value that was had, by (name, key)."""
    rejections: Mapping[str, Seen] = field(default_factory=dict)
    """Those that waited under a name of its changes: what came later, it does not drop."""
    id: str = ""
    signature: bytes = b""
    """The id of the data key (8 bytes) and a mac (32 bytes); empty where no key was at hand."""

    @property
    def key_id(self) -> str:
        """The data key that signed it, or empty."""
        return self.signature[:_KEY_BYTES].hex()

    def fingerprints_of(self, change: Change) -> dict[str, str]:
        """Those of one change, by key."""
        return {key: self.fingerprints.get((change.name, key), "") for key in change.secrets}


def manifest_digest(credentials: Mapping[str, Credential]) -> str:
    """SHA-256, in hex, of what entries declare."""
    said = {name: {**_declared(c.declared), "moved_from": c.moved_from} for name, c in credentials.items()}
    return hashlib.sha256(to_json(said).encode()).hexdigest()


def build(
    plan: Plan, scope: Scope, stored: Stored, made: Made, known: Known, mac: Mac | None,
    rejections: Mapping[str, Rejection],
) -> PlanFile:  # fmt: skip
    """The file of a plan, signed where there is a ``mac``. ``rejections`` are those that wait."""
    names = {change.name for change in plan.changes if change.secrets}
    marks = {where: shown(value) for where, value in known.fingerprints.items() if where[0] in names}
    file = PlanFile(plan, scope, stored, made, marks, seen(plan.changes, rejections))
    file = replace(file, id=_id(_content(file)))
    return replace(file, signature=mac(_signed(file))) if mac else file


def seen(changes: Iterable[Change], rejections: Mapping[str, Rejection]) -> dict[str, Seen]:
    """The rejections that wait under a name of some changes, old names included."""
    names = {name for change in changes for name in (change.name, change.stored_name)}
    return {name: Seen(rejections[name].attempts, rejections[name].last_at) for name in names & rejections.keys()}


def text(file: PlanFile) -> str:
    """The file as it is written: one line of canonical JSON."""
    mac = file.signature[_KEY_BYTES:].hex()
    signature = {"key": file.key_id, "mac": mac} if file.signature else None
    return f"{to_json({**_content(file), 'id': file.id, 'signature': signature})}\n"


def signed(file: PlanFile, check: Check) -> bool:
    """Whether the signature is that of this content. Raises StoreError ``key-wrong`` where its key is not at hand."""
    return check(_signed(file), file.signature)


def _signed(file: PlanFile) -> bytes:
    return joined("reconciler-plan-1", to_json({**_content(file), "id": file.id}))


def _id(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(to_json(content).encode()).hexdigest()[:_ID_DIGITS]


def _content(file: PlanFile) -> dict[str, Any]:
    """All but id and signature."""
    plan, scope, made = file.plan, file.scope, file.made
    return {
        "format_version": FORMAT_VERSION,
        "digest": plan.digest,
        "store": {
            "id": scope.store_id, "mode": file.stored.mode, "address": file.stored.address,
            "serial": file.stored.serial, "records": file.stored.records,
        },
        "workspace": scope.workspace,
        "selection": {
            "only": list(scope.only), "prune": scope.prune, "max_deletes": scope.max_deletes,
            "secrets_only": scope.secrets_only,
        },
        "secrets": {"total": plan.secrets_total, "compared": plan.secrets_compared if plan.compared else None},
        "manifest": {"digest": made.manifest, "declared": made.declared, "files": made.files},
        "git": {"commit": made.commit, "dirty": made.dirty},
        "created": made.created,
        "expires": made.expires,
        "creator": dict(made.creator),
        "program": made.program,
        "changes": [_change(change, file.fingerprints_of(change)) for change in plan.changes],
        "unchanged": list(plan.kept),
        "rejections": {name: [seen.attempts, seen.last_at] for name, seen in file.rejections.items()},
    }  # fmt: skip


def _change(change: Change, fingerprints: Mapping[str, str]) -> dict[str, Any]:
    credential = change.credential
    return {
        "action": change.action,
        "name": change.name,
        "provider": change.provider,
        "reasons": list(change.reasons),
        "fields": [{"field": f.field, "before": f.before, "after": f.after} for f in change.fields],
        "secrets": {k: {"state": s, "fingerprint": fingerprints[k]} for k, s in change.secrets.items()},
        "unresolved": dict(change.unresolved),
        "expected_version": change.expected_version,
        **({"last_version": change.last_version} if change.last_version else {}),
        "asks_provider": change.asks,
        "blocked": change.blocked,
        "entry": _entry(credential) if credential else None,
    }


def _entry(credential: Credential) -> dict[str, Any]:
    return {
        **_declared(credential.declared),
        "moved_from": credential.moved_from,
        "file": credential.file,
        "places": {key: list(place) for key, place in credential.marks.items()},
    }


def _declared(declared: Declared) -> dict[str, Any]:
    return {
        "provider": declared.provider,
        "common": declared.common,
        "settings": declared.settings,
        "references": declared.references,
    }


def parse(given: str, document: Mapping[str, Any]) -> PlanFile:
    """A plan file from its text and what the text says, which fits the schema.

    Raises Refused ``plan-altered`` where a byte of it is not as it was written, as far as that shows without a key.
    """
    file = _file(document)
    if text(file) != given:
        raise Refused("plan-altered", "it is not in the one form that this program writes")
    if _id(_content(file)) != file.id:
        raise Refused("plan-altered", "its content does not belong to its id")
    if digest(file.plan.changes, Known(compared=file.plan.compared), file.scope) != file.plan.digest:
        raise Refused("plan-altered", "its changes do not belong to its digest")
    return file


def _file(said: Mapping[str, Any]) -> PlanFile:
    store, chosen, manifest, git = said["store"], said["selection"], said["manifest"], said["git"]
    scope = Scope(store["id"], said["workspace"], tuple(chosen["only"]), chosen["prune"], chosen["max_deletes"],
                  chosen["secrets_only"])  # fmt: skip
    signature = said["signature"]
    return PlanFile(
        _plan(said, scope),
        scope,
        Stored(Mode(store["mode"]), store["address"], store["serial"], store["records"]),
        Made(manifest["digest"], manifest["declared"], manifest["files"], said["created"], said["expires"],
             said["creator"], said["program"], git["commit"], git["dirty"]),
        {(c["name"], k): s["fingerprint"] for c in said["changes"] for k, s in c["secrets"].items()},
        {name: Seen(*seen) for name, seen in said["rejections"].items()},
        said["id"],
        bytes.fromhex(signature["key"] + signature["mac"]) if signature else b"",
    )  # fmt: skip


def _plan(said: Mapping[str, Any], scope: Scope) -> Plan:
    changes = tuple(map(_change_of, said["changes"]))
    compared = said["secrets"]["compared"]
    return Plan(
        changes=changes,
        kept=tuple(said["unchanged"]),
        secrets_total=said["secrets"]["total"],
        secrets_compared=compared or 0,
        compared=compared is not None,
        digest=said["digest"],
        partial=bool(scope.only),
        secrets_only=scope.secrets_only,
        refusals=refusals(changes, said["store"]["records"], scope),
    )


def _change_of(said: Mapping[str, Any]) -> Change:
    entry = said["entry"]
    return Change(
        action=Action(said["action"]),
        name=said["name"],
        provider=said["provider"],
        reasons=tuple(said["reasons"]),
        fields=tuple(FieldChange(f["field"], f["before"], f["after"]) for f in said["fields"]),
        secrets={key: SecretState(one["state"]) for key, one in said["secrets"].items()},
        expected_version=said["expected_version"],
        last_version=said.get("last_version", 0),
        credential=_credential(said["name"], entry) if entry else None,
        asks=said["asks_provider"],
        blocked=said["blocked"],
        unresolved=said["unresolved"],
    )


def _credential(name: str, entry: Mapping[str, Any]) -> Credential:
    declared = Declared(entry["provider"], entry["common"], entry["settings"], entry["references"])
    marks = {key: (place[0], place[1]) for key, place in entry["places"].items()}
    return Credential(name, declared, entry["file"], marks, entry["moved_from"])
