"""Schemas with what other distributions add: made only where a manifest or a store names what is not built in."""

from __future__ import annotations

from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet
from typing import Any, TypeVar

from reconciler import plugins, schema
from reconciler.errors import ManifestInvalid, ReconcilerError
from reconciler.model import Traits
from reconciler.references import BUILT_IN
from reconciler.state import Record, Rejection, Snapshot

T = TypeVar("T")

_FOREIGN = ("unknown-provider", "unknown-scheme")


def installed() -> dict[str, Any]:
    """The schema for all providers that are installed here. Raises ReconcilerError where one of them is broken."""
    from reconciler.app import schemas

    made = []
    for name in plugins.provider_names(installed=True):
        provider = plugins.provider(name)
        try:
            schemas.build([provider])
        except ValueError as error:
            raise ReconcilerError("plugin-broken", str(error)) from None
        made.append(provider)
    return schemas.build(made)


def for_manifest(read: Callable[[dict[str, Any], Collection[str]], T]) -> tuple[T, dict[str, Any]]:
    """Read a manifest with the schema that it needs: ``read`` is given a schema and the reference schemes.

    Answers what ``read`` gives, and the schema. That is the built-in one, unless it refuses a provider or a scheme and
    plug-ins are installed: then ``read`` is called once more, with theirs. Raises what ``read`` raises, and
    ReconcilerError where a plug-in is broken.
    """
    document = schema.builtin()
    try:
        return read(document, BUILT_IN), document
    except ManifestInvalid as invalid:
        if not any(problem.code in _FOREIGN for problem in invalid.problems) or not plugins.added():
            raise
    document = installed()
    return read(document, plugins.resolver_schemes(installed=True)), document


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
    foreign = providers - set(plugins.provider_names())
    try:
        if foreign and not foreign.isdisjoint(plugins.provider_names(installed=True)):
            return installed()
    except ReconcilerError:
        pass
    return schema.builtin()
