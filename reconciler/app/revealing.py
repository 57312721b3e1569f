"""The use case behind ``exec``, ``read``, ``export`` and the Python interface: open stored secrets, on the record.

The read is on the store's disk before a value is given: no read, no value. It takes no lease, so that an apply stops no
program that starts, and no program an apply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from reconciler import audit, schema
from reconciler.app import naming, plugged
from reconciler.app.wiring import Where, header_of, keyring, known_workspace, open_store
from reconciler.codes import CODES
from reconciler.consumption import Revealed, all_variables, variables
from reconciler.errors import StoreError, UsageError
from reconciler.model import Event, Problem, Severity, Traits
from reconciler.report import Header
from reconciler.sealing import Keyring
from reconciler.secret import Secret
from reconciler.state import Record, SealedSecret, Snapshot
from reconciler.stores.base import Store

T = TypeVar("T")
Found = tuple[Record, Sequence[SealedSecret]]


@dataclass(frozen=True, slots=True)
class Opened:
    """What was given out, and from where."""

    header: Header
    revealed: tuple[Revealed, ...]
    problems: tuple[Problem, ...] = ()
    """What a person should know of them; none stops the run."""


def reveal(
    where: Where, names: Sequence[str] | None, how: str, make: Callable[[Opened], T], *, field: str = "",
    public: bool = False, known: Callable[[Header, Revealed], bool] = lambda *_: False,
) -> T:  # fmt: skip
    """Open credentials, in this order, each once, and give what ``make`` makes of them.

    ``names``: None means all of the workspace. ``how`` is the command, for the record. ``field`` opens that key alone;
    ``public``: it must be no secret. ``known``: whether a read is on the record already. What ``make`` raises is as if
    nothing was read: it only prepares, in memory. Raises UsageError for a name or key that there is not; StoreError
    where the store, the key or the record of the read fails.
    """
    store = open_store(where)
    try:
        workspace = known_workspace(where, store)
        everything = Snapshot(workspace, 0, {}, {}) if names is not None else store.load(workspace)
        asked = dict.fromkeys(sorted(everything.records) if names is None else names)
        found = [_found(store, workspace, name) for name in asked]
        problems = tuple(p for name, (record, _) in zip(asked, found, strict=True) for p in _told(name, record))
        wanted = [(record, _only(record, sealed, field)) for record, sealed in found]
        if public and any(sealed for _, sealed in wanted):
            raise UsageError("not-revealed", f"{found[0][0].name}.{field}")
        opened = _open(where, store, workspace, wanted, field)
        header = header_of(store, everything)
        made = make(Opened(header, tuple(opened), problems))
        reads = [_read(where, one, how) for one in opened if one.secrets and not known(header, one)]
        if reads:
            store.add_reads(workspace, reads)
        return made
    finally:
        store.close()


def _found(store: Store, workspace: str, name: str) -> Found:
    found = store.find(workspace, name)
    if found:
        return found
    snapshot = store.load(workspace)
    if name in snapshot.rejections:
        raise UsageError("no-such-name", f"{name} was never accepted: nothing is stored",
                         f"reconciler list --search {name}   shows why")  # fmt: skip
    raise naming.unknown(name, snapshot.records)


def _told(asked: str, record: Record) -> Iterable[Problem]:
    """Warnings: it goes by another name, or its provider refuses it."""
    yield from naming.warnings(asked, record)
    code = CODES[record.verdict.code]
    if code.status and not code.status.startswith("ready"):
        detail = f"the provider refuses it since {record.verdict.at}: it will not send"
        yield Problem(code.name, code.summary, subject=record.name, detail=detail, hint=code.hint,
                      severity=Severity.WARNING)  # fmt: skip


def _open(where: Where, store: Store, workspace: str, found: Sequence[Found], field: str) -> list[Revealed]:
    document = plugged.document_of({record.declared.provider for record, _ in found})
    traits = schema.traits(document)
    _lawful(workspace, [record for record, sealed in found if sealed], document, traits)
    keys = keyring(where, store) if any(sealed for _, sealed in found) else None
    return [
        _revealed(record, sealed, _values(keys, workspace, record, sealed), traits, field) for record, sealed in found
    ]


def _lawful(workspace: str, records: Iterable[Record], document: dict[str, Any], traits: Mapping[str, Traits]) -> None:
    """Hold public settings to the provider's rules again before a secret goes where they say.

    Whoever can write to the store's file can change them and the hash beside them; the hosts of a provider they cannot.
    Raises StoreError ``tampered``.
    """
    entries = {
        record.name: {"provider": record.declared.provider, **record.declared.settings, **record.declared.references}
        for record in records
        if record.declared.provider in traits
    }
    for name in schema.refused(document, entries):
        raise StoreError("tampered", f"the settings of {name} in {workspace} are none that its provider has")


def _only(record: Record, sealed: Sequence[SealedSecret], field: str) -> list[SealedSecret]:
    """The secrets that are wanted. Raises UsageError ``no-such-field``."""
    known = [*record.declared.settings, *(secret.field for secret in sealed)]
    if field and field not in known:
        raise UsageError("no-such-field", f"{record.name} has no {field!r}; it has {', '.join(sorted(known))}")
    return [secret for secret in sealed if field in ("", secret.field)]


def _values(keys: Keyring | None, workspace: str, record: Record, sealed: Sequence[SealedSecret]) -> dict[str, Secret]:
    if keys is None:
        return {}
    return {s.field: keys.unseal(workspace, record.name, record.declared.provider, s) for s in sealed}


def _revealed(
    record: Record, sealed: Sequence[SealedSecret], secrets: dict[str, Secret], traits: dict[str, Traits], field: str
) -> Revealed:
    provider = record.declared.provider
    settings = {key: str(text) for key, text in record.declared.settings.items() if field in ("", key)}
    trait = traits.get(provider)
    public = {key: Secret(text) for key, text in settings.items()}
    made = variables(provider, {**public, **secrets}, trait)
    return Revealed(
        name=record.name,
        provider=provider,
        version=record.version,
        settings=settings,
        secrets=secrets,
        fingerprints={secret.field: audit.shown(secret.fingerprint) for secret in sealed},
        variables=made,
        identifier=settings.get(trait.identifier, "") if trait else "",
        unset=all_variables(trait) - made.keys() if trait else frozenset(),
    )


def _read(where: Where, one: Revealed, how: str) -> Event:
    return audit.read(one.name, one.provider, one.version, sorted(one.secrets), how, where.origin)
