"""Infobip: the account's own base URL and an API key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from uuid import uuid4

from reconciler.causes import Cause
from reconciler.http import Http, Reply, scheme
from reconciler.model import Account, Verdict
from reconciler.providers.base import (
    Fields,
    Provider,
    error_code,
    mapping,
    secret,
    setting,
    text,
    unexpected,
    verdict,
)
from reconciler.secret import Secret

PORTAL = "Infobip Portal (portal.infobip.com)"
NOT_FOUND = ("NOT_FOUND", "E404")
_WRONG_HOST = Cause("base_url is mistyped: each account has a host of its own", ("base_url",))
CAUSES: Mapping[str, tuple[Cause, ...]] = {
    "key-refused": (
        Cause("the key has expired: Infobip keys live one year unless told otherwise", ("api_key",), by_itself=True),
        Cause("base_url belongs to another account than the key", ("base_url",)),
        Cause("the key's list of IP addresses leaves out this machine", ("api_key",), by_itself=True),
        Cause("the key was disabled in the portal, or copied incompletely", ("api_key",), by_itself=True),
    ),
    "scope-missing": (
        Cause("the key was made without the scope sms:message:send", ("api_key",)),
        Cause("the scope was taken from the key, or Infobip restricts the account", by_itself=True),
    ),
    "not-found": (_WRONG_HOST,),
    "host-not-found": (_WRONG_HOST,),
    "tls-failed": (_WRONG_HOST,),
}
BASE_URL = r"^(https://)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+infobip\.com(:443)?$"


class InfobipFields(Fields):
    """An Infobip account's base URL and an API key of that account."""

    base_url: str = setting(
        title="Base URL",
        find=f"{PORTAL}: Home page, or Developer tools, API keys: Base URL. Lower case, nothing after .infobip.com.",
        variable="INFOBIP_BASE_URL",
        pattern=BASE_URL,
        max_length=265,
        examples=["https://xyz123.api.infobip.com"],
    )
    api_key: str = secret(
        title="API key",
        find=f"{PORTAL}: Developer tools, API keys. It needs the scope sms:message:send; note its expiry date.",
        variable="INFOBIP_API_KEY",
    )


class Infobip(Provider):
    """Asks the account's own host for its balance; for a key that may only send, for a bulk that does not exist."""

    name: ClassVar[str] = "infobip"
    title: ClassVar[str] = "Infobip"
    fields: ClassVar[type[Fields]] = InfobipFields
    identifier: ClassVar[str] = "base_url"
    account: ClassVar[tuple[str, ...]] = ("base_url",)
    hosts: ClassVar[tuple[str, ...]] = (".infobip.com",)
    docs: ClassVar[str] = "https://www.infobip.com/docs/api"
    support: ClassVar[str] = "https://www.infobip.com/contact"
    terms: ClassVar[str] = "https://www.infobip.com/policies/service-terms-conditions"
    causes: ClassVar[Mapping[str, tuple[Cause, ...]]] = CAUSES

    async def check(self, settings: Mapping[str, str], secrets: Mapping[str, Secret], http: Http) -> Verdict:
        """Fetch the balance; where the key may not, fetch a bulk of messages that cannot exist.

        A least-privilege key has only the scope ``sms:message:send``: 403 for the balance, and for the bulk a 404 that
        it gets only where it may send.
        """
        host = settings["base_url"].removeprefix("https://").removesuffix(":443")
        headers = {"authorization": scheme("App", secrets["api_key"])}
        reply = await http.get(f"https://{host}/account/1/balance", headers=headers, account=host)
        if reply.status == 200:
            return _balance(reply)
        if reply.status == 403 and _code(reply):
            reply = await http.get(f"https://{host}/sms/1/bulks?bulkId={uuid4()}", headers=headers, account=host)
            return _bulk(reply)
        return _refusal(reply)


def _balance(reply: Reply) -> Verdict:
    body = mapping(reply.json)
    currency = text(body.get("currency"))
    if not currency or not isinstance(body.get("balance"), int | float):
        raise unexpected(reply)
    return verdict(reply, "accepted", account=Account(currency=currency))


def _bulk(reply: Reply) -> Verdict:
    code = _code(reply)
    if reply.status == 404 and code in NOT_FOUND:
        note = "lacks account-management:manage (no balance shown)"
        return verdict(reply, "limited", provider_code=code, notes=(note,))
    if reply.status == 403 and code:
        return verdict(reply, "scope-missing", provider_code=code, notes=("lacks sms:message:send",))
    return _refusal(reply)


def _refusal(reply: Reply) -> Verdict:
    code = _code(reply)
    if reply.status == 401 and code:
        return verdict(reply, "key-refused", provider_code=code)
    if reply.status == 404 and code in NOT_FOUND:
        return verdict(reply, "not-found", provider_code=code)
    raise unexpected(reply, code)


def _code(reply: Reply) -> str:
    """The error code in either of Infobip's envelopes; nothing where the answer is in neither, and so not Infobip's.

    ``{"requestError": {"serviceException": {"messageId"}}}`` (older endpoints), ``{"errorCode"}`` (newer).
    """
    body = mapping(reply.json)
    older = mapping(mapping(body.get("requestError")).get("serviceException"))
    return error_code(older.get("messageId") or body.get("errorCode"))
