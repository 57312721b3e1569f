"""Use cases that only explain: the providers installed, a code, the versions."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from reconciler import __version__, plugins
from reconciler.app.plugged import warnings
from reconciler.codes import CODES
from reconciler.errors import UsageError
from reconciler.providers.base import Provider
from reconciler.report import Report


def providers(name: str = "") -> Report:
    """What each provider is, or one of them with its keys and a paste-ready entry.

    Raises ReconcilerError where that one is unknown or broken; of all of them, a broken one is a warning.
    """
    installed = plugins.provider_names(installed=True)
    if name and name not in installed:
        raise UsageError("no-such-provider", f"{name!r}; installed: {', '.join(installed)}")
    if name:
        return Report("providers", facts={"providers": [_described(plugins.provider(name), whole=True)]})
    made, faults = plugins.usable(installed, plugins.provider)
    found = [_described(provider, whole=False) for provider in made]
    return Report("providers", facts={"providers": found}, problems=warnings(faults))


def _described(provider: Provider, *, whole: bool) -> dict[str, Any]:
    keys = _keys(provider)
    facts: dict[str, Any] = {
        "name": provider.name,
        "title": provider.title,
        "keys": [key["key"] for key in keys],
        "docs": provider.docs,
        "support": provider.support,
        "terms": provider.terms,
    }
    if whole:
        facts |= {"keys": keys, "hosts": list(provider.hosts), "entry": _entry(provider, keys)}
    return facts


def _keys(provider: Provider) -> list[dict[str, Any]]:
    schema = provider.fields.model_json_schema()
    required = schema.get("required", [])
    return [_key(key, rule, key in required) for key, rule in schema["properties"].items()]


def _key(key: str, rule: Mapping[str, Any], required: bool) -> dict[str, Any]:
    return {
        "key": key,
        "title": rule.get("title", key),
        "secret": bool(rule.get("x-secret")),
        "required": required,
        "choices": rule.get("enum", []),
        "find": rule.get("x-find", ""),
        "example": str(next(iter(rule.get("examples", rule.get("enum", []))), "")),
    }


def _entry(provider: Provider, keys: list[dict[str, Any]]) -> str:
    """An entry to paste under ``credentials:``, with the keys that are always needed and the first way to a secret."""
    schema = provider.fields.model_json_schema()
    first: list[str] = next(iter(schema.get("x-alternatives", [])), [])
    wanted = [key for key in keys if key["required"] or key["key"] in first]
    lines = [f"  my-{provider.name}:", f"    provider: {provider.name}"]
    for key in wanted:
        value = f"env://{provider.name}_{key['key']}".upper().replace("ENV://", "env://")
        lines.append(f"    {key['key']}: {value if key['secret'] else _quoted(key['example'])}")
    return "\n".join(lines) + "\n"


def _quoted(example: str) -> str:
    return f'"{example}"' if not example or example.isdecimal() else example


def explain(code: str) -> Report:
    """What a code means, whose turn it is and what to do. Raises UsageError with a did-you-mean."""
    found = CODES.get(code)
    if found is None:
        close = get_close_matches(code, CODES, 1)
        raise UsageError("no-such-code", f"{code!r}", f"did you mean {close[0]}?" if close else "")
    facts = {
        "code": found.name,
        "summary": found.summary,
        "fault": str(found.fault),
        "hint": found.hint,
        "exit_code": int(found.exit),
        "answer": str(found.answer) if found.answer else None,
        "status": str(found.status) if found.status else None,
    }
    return Report("explain", facts=facts)


def codes() -> Report:
    """Every code with its summary."""
    return Report("explain", facts={"codes": {code.name: code.summary for code in CODES.values()}})


def version() -> Report:
    """Which program, Python, schema of the store and providers this is."""
    from reconciler.stores._sql import VERSION

    facts = {
        "version": __version__,
        "python": platform.python_version(),
        "store_schema": VERSION,
        "providers": list(plugins.provider_names(installed=True)),
        "resolvers": list(plugins.resolver_schemes(installed=True)),
    }
    return Report("version", facts=facts)
