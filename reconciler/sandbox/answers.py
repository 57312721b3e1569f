"""What the sandbox can answer: the three services' documented bodies, and answers that no service should give.

Shapes are those that the services document; every value in them is made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

JSON = "application/json"
HTML = "text/html"
OTHER_ACCOUNT = "AC" + "f" * 28 + "0001"
"""The account that answers where the sandbox plays another account than the declared one."""

REPEATED = {"X-Request-Id": "$AUTHORIZATION"}
"""For an answer with the effect ``ECHO``: the header that a service's support asks for."""

FAKE_TOKEN = "5a4db0" + "0" * 26
"""Stands in every Twilio account answer, so that tests can prove that it is never kept."""


class Effect(Enum):
    """What happens beside the answer's content."""

    NONE = "none"
    NEVER = "never"
    """The connection stays open and silent."""
    CUT = "cut"
    """The connection closes in the middle of the body."""
    ECHO = "echo"
    """``$AUTHORIZATION``, in the body and in headers, becomes the request's own Authorization header."""
    EVERY_OTHER = "every other"
    """Only the first, third, ... question is answered so."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: Any = None
    """A JSON value, a text as it is, None for an empty body, or a function of the identifier that gives one."""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    effect: Effect = Effect.NONE
    only: str = ""
    """Part of the path: requests for others are answered as usual. Empty: all are answered so."""
    home: str = ""
    """The one host at which it is answered as usual: the region where the account lives."""


def twilio_error(status: int, code: int, message: str, **more: Any) -> Answer:
    """The one error shape of Twilio's 2010 API."""
    more_info = f"https://www.twilio.com/docs/errors/{code}"
    return Answer(status, {"code": code, "message": message, "more_info": more_info, "status": status}, **more)


def sinch_error(status: int, code: str, text: str, **more: Any) -> Answer:
    """The XMS error shape."""
    return Answer(status, {"code": code, "text": text}, **more)


def infobip_error(status: int, message_id: str, text: str, **more: Any) -> Answer:
    """Infobip's older envelope, which the endpoints that are asked use."""
    return Answer(status, {"requestError": {"serviceException": {"messageId": message_id, "text": text}}}, **more)


def twilio_account(sid: str, status: str = "active") -> dict[str, Any]:
    """An account as Twilio shows it, with an auth token in clear like the real one."""
    return {
        "sid": sid,
        "auth_token": FAKE_TOKEN,
        "status": status,
        "type": "Full",
        "friendly_name": f"Sandbox account {sid[-4:]}",
        "owner_account_sid": sid,
        "date_created": "Wed, 11 Mar 2026 09:00:00 +0000",
        "date_updated": "Wed, 11 Mar 2026 09:00:00 +0000",
        "uri": f"/2010-04-01/Accounts/{sid}.json",
    }


def twilio_account_echoed(sid: str) -> dict[str, Any]:
    """The same, with the request's Authorization header where somebody wrote the account's name."""
    return {**twilio_account(sid), "friendly_name": "Sandbox $AUTHORIZATION"}


def suspended_account(sid: str) -> dict[str, Any]:
    return twilio_account(sid, "suspended")


def closed_account(sid: str) -> dict[str, Any]:
    return twilio_account(sid, "closed")


def other_account(_sid: str) -> dict[str, Any]:
    return twilio_account(OTHER_ACCOUNT)


def twilio_numbers(sid: str) -> dict[str, Any]:
    """One page of an account's phone numbers, with none on it."""
    uri = f"/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers.json?PageSize=1&Page=0"
    return {"incoming_phone_numbers": [], "page": 0, "page_size": 1, "first_page_uri": uri, "next_page_uri": None}


SINCH_BATCHES = {"count": 0, "page": 0, "page_size": 1, "batches": []}
INFOBIP_BALANCE = {"balance": 47.79134, "currency": "EUR"}
PORTAL = "<!doctype html><title>Guest network</title><form action=/login>Please sign in</form>"
