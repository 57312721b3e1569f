"""Make the one JSON Schema of a manifest from the providers' models: when a provider changes, never while reading."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from typing import Any

from reconciler import plugins
from reconciler.providers.base import Provider

ID = "urn:sms-reconciler:schema:credentials:1"

NAME = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
TEXT = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$"
"""No control character, no line separator, nothing that turns the direction of writing."""

_KEPT = ("if", "then", "else", "allOf", "x-alternatives")
"""What a model may say beside its keys."""

_VARIABLE = re.compile(r"(?!RECONCILER_|LD_|DYLD_|PYTHON)[A-Z][A-Z0-9]*(_[A-Z0-9]+)+", re.ASCII)
"""A variable that a key may go into: nothing such as PATH, and nothing that a loader obeys."""

_LINE = "one line of text without control characters (a long one is folded with >-)"
_COMMON: dict[str, dict[str, Any]] = {
    "label": {
        "title": "Label", "description": "What people call it, in lists and in reviews.",
        "type": "string", "minLength": 1, "maxLength": 200, "pattern": TEXT, "x-form": _LINE,
        "examples": ["Marketing US"],
    },
    "description": {
        "title": "Description", "description": "What it is for.",
        "type": "string", "minLength": 1, "maxLength": 2000, "pattern": TEXT, "x-form": _LINE,
    },
    "owner": {
        "title": "Owner", "description": "The team or person to ask about it.",
        "type": "string", "minLength": 1, "maxLength": 200, "pattern": TEXT, "x-form": _LINE,
    },
    "tags": {
        "title": "Tags", "description": "Words of your own, for filters and reports: names with texts.",
        "type": "object",
        "propertyNames": {
            "pattern": "^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,62}$",
            "x-form": "letters, digits and _ . : / -, at most 63, beginning with a letter or digit",
        },
        "additionalProperties": {
            "type": "string", "maxLength": 200, "pattern": TEXT, "x-form": _LINE,
        },
        "examples": [{"team": "growth"}],
    },
    "protected": {
        "title": "Protected",
        "description": "true: it is never deleted, nor given another account, until an apply that only lifts this.",
        "type": "boolean",
    },
    "expires_on": {
        "title": "Expires on", "description": "The last day on which the secret is good, UTC. A reminder, no switch.",
        "type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        "x-form": "a day as YYYY-MM-DD", "examples": ["2027-06-30"],
    },
    "rotate_every": {
        "title": "Rotate every", "description": "How old the secret may get, in days since its last change.",
        "type": "string", "pattern": "^[1-9][0-9]{0,3}d$",
        "x-form": "a number of days and a d, up to 9999d", "examples": ["90d"],
    },
    "moved_from": {
        "title": "Moved from", "description": "The name that it had before, so that a rename is no delete and create.",
        "type": "string", "pattern": NAME, "x-form": "the name of a credential",
    },
}  # fmt: skip


_NAME = {
    "title": "Name",
    "description": "Lower-case letters, digits and inner hyphens, at most 63.",
    "type": "string",
    "pattern": NAME,
    "x-form": "lower-case letters, digits and inner hyphens, at most 63",
}
_TOP: dict[str, dict[str, Any]] = {
    "version": {"title": "Version", "description": "The version of this format.", "const": 1},
    "workspace": {
        "$ref": "#/$defs/name",
        "title": "Workspace",
        "description": "Whose credentials these are, such as production. A file that several workspaces share leaves "
        "it out.",
    },
    "credentials": {
        "title": "Credentials",
        "description": "One entry for each credential, under the name that other configuration points to.",
        "type": ["object", "null"],
        "propertyNames": {"$ref": "#/$defs/name"},
        "additionalProperties": {"$ref": "#/$defs/credential"},
    },
}


def build(providers: Iterable[Provider]) -> dict[str, Any]:
    """The schema for these providers. Raises ValueError where a model needs more than plain keys."""
    known = sorted(providers, key=lambda provider: provider.name)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "SMS provider credentials",
        "description": "The credentials that one workspace sends SMS with. Secrets are references, never values.",
        "type": "object",
        "required": ["version", "credentials"],
        "additionalProperties": False,
        "properties": _TOP,
        "$defs": {
            "name": _NAME,
            **_COMMON,
            "credential": _credential(known),
            **{f"provider-{provider.name}": _part(provider) for provider in known},
        },
    }


def generated() -> dict[str, Any]:
    """The schema for the providers that come with the package: what is checked in."""
    return build(map(plugins.provider, plugins.provider_names()))


def text(schema: dict[str, Any]) -> str:
    """A schema as it is checked in."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _credential(providers: list[Provider]) -> dict[str, Any]:
    return {
        "title": "Credential",
        "type": "object",
        "required": ["provider"],
        "properties": {
            "provider": {
                "title": "Provider",
                "description": "The SMS service that it belongs to. It decides which other keys there are.",
                "enum": [provider.name for provider in providers],
            }
        },
        "allOf": [
            {
                "if": {"required": ["provider"], "properties": {"provider": {"const": provider.name}}},
                "then": {"$ref": f"#/$defs/provider-{provider.name}"},
            }
            for provider in providers
        ],
    }


def _part(provider: Provider) -> dict[str, Any]:
    """One provider's keys, closed: a key that is not listed is refused."""
    model = provider.fields.model_json_schema()
    own: dict[str, Any] = model["properties"]
    if "$defs" in model or not own.keys().isdisjoint({"provider", *_COMMON}):
        raise ValueError(f"the model of {provider.name} needs more than plain keys of its own")
    if odd := [key for key, rule in own.items() if rule.get("type") != "string"]:
        raise ValueError(f"the model of {provider.name} has keys that are no text: {', '.join(odd)}")
    _fine_variables(provider.name, own)
    rest: dict[str, Any] = {key: model[key] for key in _KEPT if key in model}
    region = {"x-region": provider.region} if provider.region else {}
    return {
        "title": provider.title,
        "description": f"{model.get('description', '')} Documentation: {provider.docs}",
        "x-provider": provider.name,
        "x-identifier": provider.identifier,
        "x-account": list(provider.account),
        **region,
        "x-docs": provider.docs,
        "x-support": provider.support,
        "required": ["provider", *model.get("required", ())],
        "properties": {
            "provider": {"const": provider.name},
            **own,
            **{key: {"$ref": f"#/$defs/{key}"} for key in _COMMON},
        },
        "additionalProperties": False,
        **rest,
    }


def _fine_variables(name: str, own: dict[str, Any]) -> None:
    """Raise ValueError where a key goes into something that is no variable, or one that programs live by."""
    for key, rule in own.items():
        said = rule.get("x-variable", {})
        for variable in [said] if isinstance(said, str) else said:
            if not _VARIABLE.fullmatch(variable):
                raise ValueError(f"the model of {name} puts {key} into {variable!r}: a variable begins with the "
                                 f"provider's name or another word and an underscore, in capitals")  # fmt: skip


if __name__ == "__main__":
    # Never by way of the checked-in file, which the shell may have emptied already to write this into.
    sys.stdout.write(text(generated()))
