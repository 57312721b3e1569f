"""What a schema says of each provider: its keys, which of them are secret or name the account, which exclude others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.model import Traits

OPTIONAL_SCHEME = "^(https://)?"
"""A pattern that begins so accepts two spellings of one host: ``name.example`` and ``https://name.example``."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One provider's part of a schema."""

    traits: Traits
    part: Mapping[str, Any] = field(repr=False)

    @property
    def keys(self) -> Mapping[str, Any]:
        """Every key that may stand there, the common ones included, with its schema."""
        keys: Mapping[str, Any] = self.part["properties"]
        return keys

    @property
    def own(self) -> dict[str, Any]:
        """The provider's keys alone."""
        return {key: rule for key, rule in self.keys.items() if "$ref" not in rule and key != "provider"}

    @property
    def alternatives(self) -> list[list[str]]:
        """Sets of keys of which one must stand there, and no key of another."""
        return list(self.part.get("x-alternatives", ()))

    @property
    def hosts(self) -> frozenset[str]:
        """Settings that name one host in two spellings."""
        return frozenset(k for k, rule in self.own.items() if str(rule.get("pattern")).startswith(OPTIONAL_SCHEME))


def kinds(schema: Mapping[str, Any]) -> dict[str, Kind]:
    """The providers that a schema knows, by name."""
    parts = (part for part in schema["$defs"].values() if "x-provider" in part)
    return {part["x-provider"]: Kind(_traits(part), part) for part in parts}


def traits(schema: Mapping[str, Any]) -> dict[str, Traits]:
    """All that planning must know of each provider, by name."""
    return {name: kind.traits for name, kind in kinds(schema).items()}


def variable(provider: str, key: str) -> str:
    """The environment variable of a key whose provider names none: ``PROVIDER_KEY``."""
    return re.sub("[^A-Z0-9]", "_", f"{provider}_{key}".upper())


def _traits(part: Mapping[str, Any]) -> Traits:
    own = ((key, rule) for key, rule in part["properties"].items() if "$ref" not in rule and key != "provider")
    return Traits(
        name=part["x-provider"],
        title=part["title"],
        secrets=frozenset(key for key, rule in part["properties"].items() if rule.get("x-secret")),
        identifier=part["x-identifier"],
        account=tuple(part["x-account"]),
        region=part.get("x-region", ""),
        docs=part.get("x-docs", ""),
        support=part.get("x-support", ""),
        find=tuple((k, rule.get("x-find", "")) for k, rule in part["properties"].items() if rule.get("x-secret")),
        titles=tuple((k, rule.get("title", k)) for k, rule in part["properties"].items() if rule.get("x-secret")),
        variables={key: rule.get("x-variable") or variable(part["x-provider"], key) for key, rule in own},
    )
