"""What is stored, handed to a program: as the environment variables that the services' own libraries read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.errors import UsageError
from reconciler.kinds import variable
from reconciler.model import Traits
from reconciler.secret import Secret


@dataclass(frozen=True, slots=True)
class Revealed:
    """One credential, opened."""

    name: str
    provider: str
    version: int
    settings: Mapping[str, str]
    """The provider's public keys."""
    secrets: Mapping[str, Secret]
    fingerprints: Mapping[str, str]
    """Of each secret the 8 hex digits that anybody may see."""
    variables: Mapping[str, Secret]
    """Each environment variable with its value, public ones included."""
    identifier: str = ""
    """What lists show as Service ID."""
    unset: frozenset[str] = frozenset()
    """Variables of the provider that this credential leaves out: left over, they would name another account."""

    @property
    def values(self) -> Mapping[str, Secret]:
        """Every key with its value."""
        return {**{key: Secret(text) for key, text in self.settings.items()}, **self.secrets}


def variables(provider: str, values: Mapping[str, Secret], traits: Traits | None) -> dict[str, Secret]:
    """What a program finds in its environment. ``traits`` are None where the provider is not installed any more."""
    found: dict[str, Secret] = {}
    for key, value in values.items():
        said = traits.variables.get(key, "") if traits else ""
        if isinstance(said, str):
            found[said or variable(provider, key)] = value
            continue
        # a value that goes by other names is a fixed choice, which is never secret
        found |= {name: Secret(names[value.reveal()]) for name, names in said.items() if value.reveal() in names}
    return found


def all_variables(traits: Traits) -> frozenset[str]:
    """Every variable that a credential of this provider may set."""
    said = traits.variables.values()
    return frozenset(name for one in said for name in ([one] if isinstance(one, str) else one))


def prefix(name: str) -> str:
    """What stands before the variables of one credential: ``MARKETING_US_``. Two names never have the same."""
    upper = name.upper().replace("-", "_")
    # no variable begins with a digit, and no name with a hyphen
    return f"_{upper}_" if upper[0].isdigit() else f"{upper}_"


def together(revealed: Iterable[Revealed], *, prefixed: bool = False) -> dict[str, Secret]:
    """The variables of several credentials.

    Raises UsageError ``variable-twice`` where two set the same one.
    """
    found: dict[str, Secret] = {}
    owner: dict[str, str] = {}
    for one in revealed:
        for name, value in one.variables.items():
            full = prefix(one.name) + name if prefixed else name
            if full in found:
                raise UsageError("variable-twice", f"{full}: {owner[full]} and {one.name}")
            found[full], owner[full] = value, one.name
    return found
