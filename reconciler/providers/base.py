"""The interface of a provider: it says what its credential looks like and asks its service whether one works.

A provider only asks. It never sends, changes or deletes anything at its service, and never reads an endpoint that
consumes what it returns (delivery reports, inbound messages).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from reconciler.causes import SHARED, Cause, likely
from reconciler.codes import CODES
from reconciler.errors import NotAsked
from reconciler.http import Http, Reply
from reconciler.model import Account, Answer, Verdict
from reconciler.plans import Change
from reconciler.secret import Secret

REFERENCE = r"^[a-z][a-z0-9+.-]{0,31}://[!-~]{1,1000}$"
LONGEST_TEXT = 200
"""Characters that are kept of any text that a provider sends."""
_NOTHING_SAID = Account()
_ERROR_CODE = re.compile(r"[A-Za-z_.-]{1,40}|[A-Z]?[0-9]{1,6}")
"""Words have no digits and numbers are short: a secret that an answer repeats in place of its code is neither."""


Variable = str | Mapping[str, Mapping[str, str]]
"""The environment variable in which programs expect a key's value, as the service's own libraries do.

A name; or, where a value goes by another name or into several variables, each variable with what it holds for each
value: a value that is not listed does not set it. Without one it is ``PROVIDER_KEY`` in capitals.
"""


class Fields(BaseModel):
    """A provider's own keys of a credential. Generates the schema; is never given a secret's value."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def secret(*, title: str, find: str, variable: Variable = "", **kwargs: Any) -> Any:
    """A key whose value is a reference.

    ``find``: where in the provider's console the value is shown. ``variable``: see :data:`Variable`.
    """
    examples = ["env://NAME", "file://path"]
    extra: dict[str, Any] = {"x-secret": True, "x-find": find, **_variable(variable), "examples": examples}
    return Field(title=title, description=f"A reference, never the value. {find}", pattern=REFERENCE,
                 json_schema_extra=extra, **kwargs)  # fmt: skip


def setting(*, title: str, find: str, usual: str = "", variable: Variable = "", **kwargs: Any) -> Any:
    """A key whose value is public. ``find``: where in the provider's console the value is shown.

    ``usual``: a pattern that most values have; another one is accepted with a warning. ``variable``: see
    :data:`Variable`.
    """
    extra: dict[str, Any] = {"x-find": find, **({"x-usual": usual} if usual else {}), **_variable(variable)}
    return Field(title=title, description=find, json_schema_extra=extra, **kwargs)


def _variable(variable: Variable) -> dict[str, Variable]:
    return {"x-variable": variable} if variable else {}


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
    causes: ClassVar[Mapping[str, tuple[Cause, ...]]] = {}
    """By code: what is probably behind it at this service, the usual cause first. Which fits a change is told by
    the keys that each blames."""

    @abstractmethod
    async def check(self, settings: Mapping[str, str], secrets: Mapping[str, Secret], http: Http) -> Verdict:
        """Ask the service whether this credential works.

        ``settings`` are the public keys as declared, ``secrets`` the resolved values by key. ``http`` allows this
        provider's hosts only. Raises :class:`reconciler.errors.NotAsked` where no usable answer came; everything
        that the service did say comes back as a verdict. Nothing of a body reaches a verdict but allow-listed facts.
        """


async def asked(provider: Provider, change: Change, secrets: Mapping[str, Secret], http: Http) -> Verdict:
    """Have a provider ask about a change: its verdict with the likely causes, those first that fit the change.

    Where no usable answer came the verdict is unknown. Raises what :meth:`Provider.check` raises beside NotAsked, and
    TypeError for a verdict with a part of another kind than :class:`Verdict` says: stored, nothing could read it again.
    """
    try:
        found = await provider.check(change.declared.settings, secrets, http)
    except NotAsked as problem:
        found = problem.verdict()
    _whole(found)
    causes = (*provider.causes.get(found.code, ()), *SHARED.get(found.code, ()))
    quoted = [key for key, value in secrets.items() if value.quoted and found.answer is Answer.REJECTED]
    notes = (*found.notes, *(f"the value of {key} stands in quotes: they are sent as a part of it" for key in quoted))
    return replace(found, likely=likely(causes, change), notes=notes)


def _whole(found: Verdict) -> None:
    """What is built in makes no other; a plug-in may."""
    facts = found.account
    texts = (facts.id, facts.name, facts.type, facts.status, facts.currency, found.code, found.provider_code,
             found.request_id, found.asked, found.at, *found.notes)  # fmt: skip
    if not all(isinstance(one, str) for one in texts) or type(found.http_status) not in (int, type(None)):
        raise TypeError("a verdict holds something that is no text, or a status that is no number")
    if found.code not in CODES or CODES[found.code].answer is not found.answer:
        raise TypeError("a verdict's code belongs to another answer")
    if found.at and datetime.fromisoformat(found.at).tzinfo is None:
        raise TypeError("a verdict's time has no zone")


def fault(name: str, found: object) -> str:
    """Why an object cannot be the provider ``name``, or an empty text: for what comes from other distributions."""
    if not isinstance(found, Provider):
        return f"it is no {Provider.__module__}.{Provider.__name__}"
    for attribute in ("name", "title", "fields", "identifier", "account", "hosts", "docs", "support", "terms"):
        if not getattr(found, attribute, None):
            return f"it has no {attribute}"
    if found.name != name:
        return f"its name is {found.name!r}"
    keys = found.fields.model_fields
    absent = {found.identifier, *found.account, *filter(None, [found.region])} - keys.keys()
    return f"its fields have no {min(absent)}" if absent else ""


def verdict(
    reply: Reply,
    code: str,
    *,
    account: Account = _NOTHING_SAID,
    provider_code: str = "",
    notes: tuple[str, ...] = (),
) -> Verdict:
    """What ``reply`` came to, under a code of :data:`reconciler.codes.CODES` that belongs to an answer."""
    return Verdict(
        answer=CODES[code].answer or Answer.UNKNOWN,
        code=code,
        account=account,
        http_status=reply.status,
        provider_code=provider_code,
        request_id=text(reply.request_id),
        asked=reply.asked,
        at=reply.at,
        notes=notes,
    )


def _what_came(reply: Reply) -> str:
    """Of an answer that is not as documented, what can be said without repeating it."""
    if reply.json is not None:
        fields = reply.status < 400
        return "its JSON has not the fields that are documented" if fields else "no such answer is documented"
    kind = text(reply.content_type)
    return f"its JSON cannot be read ({kind})" if kind.endswith("json") else kind or "it has no content type"


def unexpected(reply: Reply, provider_code: str = "") -> NotAsked:
    """What to raise for an answer that the service does not document: it says nothing about the credential."""
    return NotAsked(
        "unexpected-answer",
        _what_came(reply),
        asked=reply.asked,
        at=reply.at,
        http_status=reply.status,
        provider_code=provider_code,
        request_id=text(reply.request_id),
    )


def mapping(value: object) -> Mapping[str, Any]:
    """``value`` where it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def text(value: object) -> str:
    """At most 200 characters of a provider's text, or nothing where it is none. Renderers escape it for their sink."""
    cut = value[:LONGEST_TEXT] if isinstance(value, str) else ""
    return cut.encode("utf-8", "replace").decode(
        "utf-8"
    )  # JSON can hold half a surrogate pair, which nothing can store


def error_code(value: object) -> str:
    """A provider's error code, a word or a number, as text; nothing where it is not one."""
    word = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return word if _ERROR_CODE.fullmatch(word) else ""
