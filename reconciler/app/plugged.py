"""Schemas with what other distributions add: made only where a manifest or a store names what is not built in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any, TypeVar

from reconciler import plugins, schema
from reconciler.errors import ManifestInvalid, ReconcilerError
from reconciler.model import Problem, Severity, Traits
from reconciler.references import BUILT_IN
from reconciler.state import Record, Rejection, Snapshot

T = TypeVar("T")

_FOREIGN = ("unknown-provider", "unknown-scheme")


def installed() -> dict[str, Any]:
    """The schema for all providers that are installed here. Raises ReconcilerError where one of them is broken."""
    document, faults = _schema(plugins.provider_names(installed=True))
    if faults:
        raise faults[0]
    return document


def _schema(names: Iterable[str]) -> tuple[dict[str, Any], list[ReconcilerError]]:
    """The schema for those of the providers that can be used, and why the others cannot."""
    from reconciler.app import schemas

    made, faults = plugins.usable(names, plugins.provider)
    whole = []
    for provider in made:
        try:
            schemas.build([provider])
            whole.append(provider)
        except ValueError as error:
            faults.append(ReconcilerError("plugin-broken", str(error)))
    return schemas.build(whole), faults


def for_manifest(read: Callable[[dict[str, Any], Collection[str]], T]) -> tuple[T, dict[str, Any]]:
    """Read a manifest with the schema that it needs: ``read`` is given a schema and the reference schemes.

    Answers what ``read`` gives, and the schema. That is the built-in one, unless it refuses a provider or a scheme and
    plug-ins are installed: then ``read`` is called once more, with all that can be used. Raises what ``read`` raises;
    where that is still for want of a provider or a scheme, with a warning for each plug-in that is broken.
    """
    document = schema.builtin()
    try:
        return read(document, BUILT_IN), document
    except ManifestInvalid as invalid:
        if not _foreign(invalid) or not plugins.added():
            raise
    document, faults = _schema(plugins.provider_names(installed=True))
    try:
        return read(document, plugins.resolver_schemes(installed=True)), document
    except ManifestInvalid as invalid:
        if not _foreign(invalid):
            raise
        told = warnings(faults)
        raise ManifestInvalid([*invalid.problems, *told], invalid.declared, invalid.files) from None


def warnings(faults: Iterable[ReconcilerError]) -> tuple[Problem, ...]:
    """What is wrong with plug-ins that the run can do without."""
    return tuple(replace(fault.problem(), severity=Severity.WARNING) for fault in faults)


def _foreign(invalid: ManifestInvalid) -> bool:
    return any(problem.code in _FOREIGN for problem in invalid.problems)


def traits(snapshot: Snapshot) -> dict[str, Traits]:
    """What there is to know of the providers of what is stored."""
    rows: tuple[Record | Rejection, ...] = (*snapshot.records.values(), *snapshot.rejections.values())
    return traits_of({row.declared.provider for row in rows})


def traits_of(providers: AbstractSet[str]) -> dict[str, Traits]:
    """What there is to know of providers: plug-ins are asked only where one is named.

    A provider that is installed no longer, or broken, is not in it: what is stored can still be shown.
    """
    return schema.traits(document_of(providers))


def document_of(providers: AbstractSet[str]) -> dict[str, Any]:
    """The schema that knows these providers, as far as they are installed and whole."""
    builtin = plugins.provider_names()
    if foreign := providers - set(builtin):
        foreign = foreign & set(plugins.provider_names(installed=True))
    return _schema([*builtin, *sorted(foreign)])[0] if foreign else schema.builtin()
