"""Which providers and resolvers there are: a static table, and entry points for names that are not in it.

Each is imported when it is asked for, not before. What is built in cannot be replaced by another distribution, and
costs no look at what is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from reconciler.providers.base import Provider
    from reconciler.resolvers.base import Resolver

T = TypeVar("T")

PROVIDERS = "reconciler.providers"
RESOLVERS = "reconciler.resolvers"
"""The groups of entry points."""

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


def provider_names(*, installed: bool = False) -> tuple[str, ...]:
    """The providers built in, in order of name; with ``installed`` those of other distributions as well."""
    return _names(BUILTIN_PROVIDERS, PROVIDERS, installed)


def resolver_schemes(*, installed: bool = False) -> tuple[str, ...]:
    """The reference schemes built in, in order; with ``installed`` those of other distributions as well."""
    return _names(BUILTIN_RESOLVERS, RESOLVERS, installed)


@cache
def provider(name: str) -> Provider:
    """The provider of this name.

    Raises ReconcilerError: ``unknown-provider``, which lists those installed; ``plugin-conflict`` where two
    distributions offer the name; ``plugin-broken`` where the one that does cannot be used, and why.
    """
    made: Provider = _made(name, BUILTIN_PROVIDERS, PROVIDERS, "unknown-provider", _provider_fault)
    return made


@cache
def resolver(scheme: str) -> Resolver:
    """The resolver of this scheme. Raises ReconcilerError as :func:`provider` does, and ``unknown-scheme``."""
    made: Resolver = _made(scheme, BUILTIN_RESOLVERS, RESOLVERS, "unknown-scheme", _resolver_fault)
    return made


def added() -> bool:
    """Whether any other distribution offers a provider or a resolver. Looks at what is installed, imports nothing."""
    return bool(_offered(PROVIDERS).keys() - BUILTIN_PROVIDERS or _offered(RESOLVERS).keys() - BUILTIN_RESOLVERS)


def usable(names: Iterable[str], kind: Callable[[str], T]) -> tuple[list[T], list[ReconcilerError]]:
    """Those of the names that :func:`provider` or :func:`resolver`, the ``kind``, can give; and why not the others."""
    made: list[T] = []
    faults: list[ReconcilerError] = []
    for name in names:
        try:
            made.append(kind(name))
        except ReconcilerError as error:
            faults.append(error)
    return made, faults


def _names(builtin: Mapping[str, str], group: str, installed: bool) -> tuple[str, ...]:
    return tuple(sorted({*builtin, *(_offered(group) if installed else ())}))


def _made(name: str, builtin: Mapping[str, str], group: str, unknown: str, fault: Callable[[str, Any], str]) -> Any:
    if name in builtin:
        module, _, attribute = builtin[name].partition(":")
        return getattr(import_module(module), attribute)()
    offers = _offered(group).get(name)
    if not offers:
        raise ReconcilerError(unknown, f"{name!r}; installed: {', '.join(_names(builtin, group, installed=True))}")
    if len(offers) > 1:
        raise ReconcilerError("plugin-conflict", f"{name!r}: {' and '.join(sorted(map(_distribution, offers)))}")
    found = _loaded(offers[0])
    if why := fault(name, found):
        raise _broken(offers[0], why)
    return found


@cache
def _offered(group: str) -> Mapping[str, list[EntryPoint]]:
    """What other distributions offer, by name."""
    from importlib.metadata import entry_points

    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=group):
        found.setdefault(point.name, []).append(point)
    return found


def _loaded(point: EntryPoint) -> Any:
    """The object of an entry point, made where it is a class. Whatever goes wrong in it is its distribution's fault.

    The texts of its errors are not repeated: they may hold anything.
    """
    try:
        found = point.load()
        return found() if isinstance(found, type) else found
    except ModuleNotFoundError as error:
        missing = error.name or "a module"
        why, hint = f"needs {missing}, which is not installed", f"install {missing}, or {_named(point)} again"
    except ImportError as error:
        module = error.name or "a module"
        why = f"needs a name that {module} does not have"
        hint = f"install the version of {module.partition('.')[0]} that {_named(point)} was made for"
    except AttributeError:
        raise _broken(point, f"{point.value} is not there") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it is somebody else's code, and must not end the run
        raise _broken(point, f"{point.value} fails with {type(error).__name__}") from None
    extras = f"pip install '{_named(point)}[{','.join(point.extras)}]'" if point.extras else ""
    raise _broken(point, f"{point.value} {why}", extras or hint)


def _named(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "it"


def _broken(point: EntryPoint, why: str, hint: str = "") -> ReconcilerError:
    return ReconcilerError("plugin-broken", f"{_distribution(point)}, which offers {point.name!r}: {why}", hint)


def _distribution(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unnamed distribution"


def _provider_fault(name: str, found: Any) -> str:
    """Why an object is not the provider that its entry point says, or an empty text."""
    from reconciler.providers.base import fault

    return fault(name, found)


def _resolver_fault(name: str, found: Any) -> str:
    if not callable(getattr(found, "resolve", None)):
        return "it is no resolver: it has no resolve"
    scheme = getattr(found, "scheme", None)
    return "" if scheme == name else f"its scheme is {scheme!r}"
