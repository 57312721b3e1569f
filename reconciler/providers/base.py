"""The interface of a provider: it says what its credential looks like and asks its service whether one works.

A provider only asks. It never sends, changes or deletes anything at its service, and never reads an endpoint that
consumes what it returns (delivery reports, inbound messages).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from reconciler.http import Http
from reconciler.model import Verdict
from reconciler.secret import Secret

REFERENCE = r"^[a-z][a-z0-9+.-]{0,31}://[!-~]{1,1000}$"


class Fields(BaseModel):
    """A provider's own keys of a credential. Generates the schema; is never given a secret's value."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def secret(*, title: str, find: str, **kwargs: Any) -> Any:
    """A key whose value is a reference. ``find``: where in the provider's console the value is shown."""
    extra = {"x-secret": True, "x-find": find, "examples": ["env://NAME", "file://path"]}
    return Field(title=title, description=f"A reference, never the value. {find}", pattern=REFERENCE,
                 json_schema_extra=extra, **kwargs)  # fmt: skip


def setting(*, title: str, find: str, **kwargs: Any) -> Any:
    """A key whose value is public. ``find``: where in the provider's console the value is shown."""
    return Field(title=title, description=find, json_schema_extra={"x-find": find}, **kwargs)


class Provider(ABC):
    """One SMS service."""

    name: ClassVar[str]
    """The word after ``provider:``."""
    title: ClassVar[str]
    """The service's name for people."""
    fields: ClassVar[type[Fields]]
    identifier: ClassVar[str]
    """The key shown as Service ID."""
    account: ClassVar[tuple[str, ...]]
    """Keys that say which account it is."""
    region: ClassVar[str] = ""
    """The key that names the region, if there is one."""
    hosts: ClassVar[tuple[str, ...]]
    """Hosts that may be asked: whole names, or suffixes with a leading dot."""
    docs: ClassVar[str]
    support: ClassVar[str]
    terms: ClassVar[str]

    @abstractmethod
    async def check(self, settings: Mapping[str, str], secrets: Mapping[str, Secret], http: Http) -> Verdict:
        """Ask the service whether this credential works.

        ``settings`` are the public keys as declared, ``secrets`` the resolved values by key. ``http`` allows this
        provider's hosts only. Raises :class:`reconciler.errors.NotAsked` where no usable answer came; everything
        that the service did say comes back as a verdict. Nothing of a body reaches a verdict but allow-listed facts.
        """
