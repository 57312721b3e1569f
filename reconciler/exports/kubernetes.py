"""One Kubernetes Secret for each credential, as YAML documents for ``kubectl apply``."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import Any

from reconciler.consumption import Revealed, together
from reconciler.errors import UsageError
from reconciler.exports import Options

OURS = "sms-reconciler"
"""Before our labels and annotations."""
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.ASCII)
"""A DNS subdomain (RFC 1123): labels between dots, each of which begins and ends with a letter or digit."""
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)


def text(revealed: Sequence[Revealed], options: Options) -> str:
    """Raises UsageError where a name or the namespace is none that Kubernetes takes, or two Secrets have one name."""
    import yaml

    if options.namespace and not _NAMESPACE.fullmatch(options.namespace):
        raise UsageError("usage", f"--namespace {options.namespace!r} is no name of a namespace")
    secrets = [_secret(one, options) for one in revealed]
    names = [secret["metadata"]["name"] for secret in secrets]
    if twice := {name for name in names if names.count(name) > 1}:
        raise UsageError("usage", f"--name-template {options.name_template!r} gives two Secrets the name {min(twice)}")
    return yaml.safe_dump_all(secrets, explicit_start=True, sort_keys=False)


def _secret(one: Revealed, options: Options) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": _name(one, options)}
    if options.namespace:
        metadata["namespace"] = options.namespace
    metadata["labels"] = {
        "app.kubernetes.io/managed-by": OURS,
        f"{OURS}/workspace": options.workspace,
        f"{OURS}/credential": one.name,
        f"{OURS}/provider": one.provider,
    }
    fingerprints = ",".join(text for _, text in sorted(one.fingerprints.items()))
    metadata["annotations"] = {f"{OURS}/version": str(one.version), f"{OURS}/fingerprint": fingerprints}
    values = together([one], prefixed=options.prefixed)
    # base64, so that no reader of YAML has a say in what a value is
    data = {name: base64.b64encode(value.reveal().encode()).decode() for name, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data}


def _name(one: Revealed, options: Options) -> str:
    name = options.name_template
    for word, value in (("name", one.name), ("workspace", options.workspace), ("provider", one.provider)):
        name = name.replace(f"{{{word}}}", value)
    if not _NAME.fullmatch(name):
        hint = "lower-case letters, digits, - and . with {name}, {workspace} and {provider}"
        raise UsageError("usage", f"--name-template gives {name!r}, which is no name of a Secret", hint)
    return name
