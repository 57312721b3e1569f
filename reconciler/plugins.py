"""Which providers and resolvers there are. A static table; each is imported when it is asked for, not before."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from reconciler.providers.base import Provider
    from reconciler.resolvers.base import Resolver

BUILTIN_PROVIDERS = {
    "infobip": "reconciler.providers.infobip:Infobip",
    "sinch": "reconciler.providers.sinch:Sinch",
    "twilio": "reconciler.providers.twilio:Twilio",
}
"""Name -> ``module:class``."""

BUILTIN_RESOLVERS = {
    "env": "reconciler.resolvers.env:EnvResolver",
    "file": "reconciler.resolvers.file:FileResolver",
}
"""Scheme -> ``module:class``."""


def provider_names() -> tuple[str, ...]:
    """The providers installed, in order of name."""
    return tuple(sorted(BUILTIN_PROVIDERS))


def resolver_schemes() -> tuple[str, ...]:
    """The reference schemes installed, in order."""
    return tuple(sorted(BUILTIN_RESOLVERS))


@cache
def provider(name: str) -> Provider:
    """The provider of this name. Raises ReconcilerError ``unknown-provider``, which lists those installed."""
    if name not in BUILTIN_PROVIDERS:
        raise ReconcilerError("unknown-provider", f"{name!r}; installed: {', '.join(provider_names())}")
    made: Provider = _make(BUILTIN_PROVIDERS[name])
    return made


@cache
def resolver(scheme: str) -> Resolver:
    """The resolver of this scheme. Raises ReconcilerError ``unknown-scheme``, which lists those installed."""
    if scheme not in BUILTIN_RESOLVERS:
        raise ReconcilerError("unknown-scheme", f"{scheme!r}; installed: {', '.join(resolver_schemes())}")
    made: Resolver = _make(BUILTIN_RESOLVERS[scheme])
    return made


def _make(where: str) -> Any:
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)()
