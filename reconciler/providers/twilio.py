"""Twilio: an account SID with its auth token, or with an API key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import ConfigDict, model_validator

from reconciler.causes import Cause
from reconciler.http import Http, Reply, basic
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

CONSOLE = "Twilio Console (console.twilio.com)"

HOSTS = {"us1": "api.twilio.com", "ie1": "api.dublin.ie1.twilio.com", "au1": "api.sydney.au1.twilio.com"}
REGION = {
    "TWILIO_REGION": {"ie1": "ie1", "au1": "au1"},
    "TWILIO_EDGE": {"ie1": "dublin", "au1": "sydney"},
}
"""Twilio's libraries make the host of both: with the region alone they ask one that is closed since 2026."""
REFUSALS = {
    "20003": "key-refused",
    "20008": "test-credential",
    "20403": "account-inactive",
    "20005": "account-inactive",
    "10001": "account-inactive",
    "70051": "permission-missing",
    "20404": "not-found",
}
"""Twilio's documented error codes. One that is not here says nothing about the credential."""
KEY_MAY_NOT_READ_ACCOUNT = ("20003", "70051")
_SECRETS = ("auth_token", "api_key_secret", "api_key_sid")
_ACCOUNT = ("account_sid", *_SECRETS)
CAUSES: Mapping[str, tuple[Cause, ...]] = {
    "key-refused": (
        Cause("a wrong auth token: replaced in the console, another account's, or copied incompletely", ("auth_token",),
              by_itself=True),
        Cause("a wrong API key: deleted, another account's, or copied incompletely",
              ("api_key_secret", "api_key_sid"), by_itself=True),
        Cause("one made in another region: it works only there (us1, ie1, au1)", ("region", *_SECRETS)),
        Cause("account_sid and the secret are of two different accounts", ("account_sid",)),
        Cause("they are the test credentials of the account", ("account_sid",)),
        Cause("the account takes no auth token any more (Public Key Client Validation): use an API key",
              by_itself=True, concerns=("auth_token",)),
        Cause("the account is suspended or closed: Twilio then may say no more than this", by_itself=True),
    ),
    "permission-missing": (
        Cause("it is a Restricted API key without that permission", ("api_key_secret", "api_key_sid"), by_itself=True),
        Cause("the API key was deleted, or is another account's: Twilio answers the same",
              ("account_sid", "api_key_secret", "api_key_sid"), by_itself=True, concerns=("api_key_sid",)),
        Cause("account_sid and the secret are of two different accounts", ("account_sid", "auth_token")),
    ),
    "account-inactive": (
        Cause("a bill is unpaid or the trial is over: after payment it takes 5 to 10 minutes", by_itself=True),
        Cause("Twilio suspended it: the console says why", by_itself=True),
        Cause("account_sid is an old account's", ("account_sid",)),
    ),
    "test-credential": (Cause("the console shows them beside the live ones, and they look alike", _ACCOUNT),),
    "wrong-account": (
        Cause("account_sid is a parent's or a subaccount's of the one that the secret belongs to", ("account_sid",)),
        Cause("the reference holds another account's secret", _SECRETS),
    ),
    "not-found": (Cause("account_sid is mistyped, or of another region", ("account_sid", "region")),),
}  # fmt: skip
STATUSES = {"active": "accepted", "suspended": "account-inactive", "closed": "account-inactive"}
EITHER_OR: dict[str, Any] = {
    "if": {"anyOf": [{"required": ["api_key_sid"]}, {"required": ["api_key_secret"]}]},
    "then": {"required": ["api_key_sid", "api_key_secret"], "properties": {"auth_token": {"not": {}}}},
    "else": {"required": ["auth_token"]},
    "x-alternatives": [["auth_token"], ["api_key_sid", "api_key_secret"]],
}


class TwilioFields(Fields):
    """A Twilio account SID with its auth token, or with an API key (SID and secret) of that account."""

    model_config = ConfigDict(json_schema_extra=EITHER_OR)

    account_sid: str = setting(
        title="Account SID",
        find=f"{CONSOLE}: Account Dashboard, Account Info, Account SID. It begins with AC.",
        variable="TWILIO_ACCOUNT_SID",
        pattern=r"^AC[0-9a-fA-F]{32}$",
        examples=["AC00000000000000000000000000000001"],
    )
    auth_token: str = secret(
        title="Auth Token",
        find=f"{CONSOLE}: Account Dashboard, Account Info, Auth Token. The live one, not the test credentials.",
        variable="TWILIO_AUTH_TOKEN",
        default_factory=str,
    )
    api_key_sid: str = setting(
        title="API key SID",
        find=f"{CONSOLE}: Account Management, API keys & tokens. It begins with SK.",
        variable="TWILIO_API_KEY",
        pattern=r"^SK[0-9a-fA-F]{32}$",
        examples=["SK00000000000000000000000000000001"],
        default_factory=str,
    )
    api_key_secret: str = secret(
        title="API key secret",
        find=f"{CONSOLE}: Account Management, API keys & tokens, shown once when the key is made.",
        variable="TWILIO_API_SECRET",
        default_factory=str,
    )
    region: Literal["us1", "ie1", "au1"] = setting(
        title="Region",
        find=f"{CONSOLE}: Account Management, API keys & tokens, Region. A token works only where it was made; "
        "without this key it is us1.",
        variable=REGION,
        default="us1",
    )

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> Self:
        key = bool(self.api_key_sid), bool(self.api_key_secret)
        if any(key) and (self.auth_token or not all(key)):
            raise ValueError("api_key_sid and api_key_secret come together, and without auth_token")
        if not any(key) and not self.auth_token:
            raise ValueError("auth_token is missing (or api_key_sid with api_key_secret)")
        return self


class Twilio(Provider):
    """Asks api.twilio.com, or the host of the declared region, for the account itself."""

    name: ClassVar[str] = "twilio"
    title: ClassVar[str] = "Twilio"
    fields: ClassVar[type[Fields]] = TwilioFields
    identifier: ClassVar[str] = "account_sid"
    account: ClassVar[tuple[str, ...]] = ("account_sid",)
    region: ClassVar[str] = "region"
    hosts: ClassVar[tuple[str, ...]] = tuple(HOSTS.values())
    docs: ClassVar[str] = "https://help.twilio.com/articles/14726256820123"
    support: ClassVar[str] = "https://help.twilio.com"
    terms: ClassVar[str] = "https://www.twilio.com/en-us/legal/tos"
    causes: ClassVar[Mapping[str, tuple[Cause, ...]]] = CAUSES

    async def check(self, settings: Mapping[str, str], secrets: Mapping[str, Secret], http: Http) -> Verdict:
        """Fetch the account; with an API key that may not (Standard and Restricted ones), list one phone number."""
        sid = settings["account_sid"]
        key = settings.get("api_key_sid", "")
        headers = {"authorization": basic(key, secrets["api_key_secret"]) if key else basic(sid, secrets["auth_token"])}
        account = f"https://{HOSTS[settings.get('region', 'us1')]}/2010-04-01/Accounts/{sid}"
        reply = await http.get(f"{account}.json", headers=headers, account=sid)
        if reply.status == 200:
            return _account(reply, sid)
        wanted = "the account"
        if key and reply.status in (401, 403) and _code(reply) in KEY_MAY_NOT_READ_ACCOUNT:
            wanted = "Incoming Phone Numbers"
            reply = await http.get(f"{account}/IncomingPhoneNumbers.json?PageSize=1", headers=headers, account=sid)
            if reply.status == 200:
                return _numbers(reply, sid)
        return _refusal(reply, wanted)


def _code(reply: Reply) -> str:
    return error_code(mapping(reply.json).get("code"))


def _account(reply: Reply, sid: str) -> Verdict:
    """Read an allow-list of the account's fields: the same body holds the account's auth token in clear."""
    body = mapping(reply.json)
    found = Account(
        id=text(body.get("sid")),
        name=text(body.get("friendly_name")),
        type=text(body.get("type")),
        status=text(body.get("status")),
    )
    if not found.id or found.status not in STATUSES:
        raise unexpected(reply)
    if found.id.lower() != sid.lower():
        return verdict(reply, "wrong-account", account=found)
    owner = text(body.get("owner_account_sid"))
    notes = ["a trial account: it can only send to verified numbers"] if found.type == "Trial" else []
    notes += [f"a subaccount of {owner}"] if owner and owner.lower() != sid.lower() else []
    return verdict(reply, STATUSES[found.status], account=found, notes=tuple(notes))


def _numbers(reply: Reply, sid: str) -> Verdict:
    """A list of the account's numbers, empty or not, was open to the key: it belongs to the account of the path."""
    numbers = mapping(reply.json).get("incoming_phone_numbers")
    if not isinstance(numbers, list):
        raise unexpected(reply)
    owners = {text(mapping(number).get("account_sid")) for number in numbers}
    others = {owner for owner in owners if owner.lower() != sid.lower()}
    if others:
        return verdict(reply, "wrong-account", account=Account(id=min(others)))
    note = "the API key may not read the account itself: its name, type and status are not known"
    return verdict(reply, "accepted", account=Account(id=sid), notes=(note,))


def _refusal(reply: Reply, wanted: str) -> Verdict:
    """``wanted``: what was to be read, which is the permission that a key may lack."""
    provider_code = _code(reply)
    code = REFUSALS.get(provider_code, "") if 400 <= reply.status < 500 else ""
    if not code:
        raise unexpected(reply, provider_code)
    notes = (f"the permission wanted: to read {wanted}",) if code == "permission-missing" else ()
    return verdict(reply, code, provider_code=provider_code, notes=notes)
