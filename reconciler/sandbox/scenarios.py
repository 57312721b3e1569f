"""The one table of what the sandbox plays, by the last four characters of a credential's identifier.

The server, ``docs/sandbox.md`` and the suite that holds every provider to its documented behaviour all read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.sandbox.answers import (
    HTML,
    INFOBIP_BALANCE,
    PORTAL,
    REPEATED,
    SINCH_BATCHES,
    Answer,
    Effect,
    closed_account,
    infobip_error,
    other_account,
    sinch_error,
    suspended_account,
    twilio_account_echoed,
    twilio_error,
)
from reconciler.sandbox.services import SERVICES

PROVIDERS = tuple(SERVICES)


@dataclass(frozen=True, slots=True)
class Case:
    """How one service shows a scenario."""

    code: str
    """The code of the verdict that it comes to."""
    answer: Answer


@dataclass(frozen=True, slots=True)
class NoCase:
    """A service that cannot show a scenario: it answers as usual."""

    reason: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row."""

    ending: str
    """Last four characters of the account SID, the service plan ID, or the first label of the base URL's host."""
    plays: str
    cases: Mapping[str, Case | NoCase]

    def of(self, provider: str) -> Case | NoCase:
        """The case of one of :data:`PROVIDERS`."""
        return self.cases[provider]


def _row(ending: str, plays: str, **cases: Case | NoCase) -> Scenario:
    return Scenario(ending, plays, cases)


def _everywhere(ending: str, plays: str, code: str, answer: Answer) -> Scenario:
    return Scenario(ending, plays, dict.fromkeys(PROVIDERS, Case(code, answer)))


_PLAN_NAMED = NoCase("its answers do not name the account")
_NO_SCOPES = NoCase("a token is good for a whole service plan: there are no scopes")
_UNPAID = NoCase("it documents no answer of its own for an unpaid account")
_NO_TEST = NoCase("it has no test credentials")
_WAIT_1 = {"Retry-After": "1"}
_WAIT_AN_HOUR = {"Retry-After": "3600"}
_REPEATS: Mapping[str, Any] = {"headers": REPEATED, "effect": Effect.ECHO}
_NO_LIST = NoCase("it documents no list of addresses for this secret")

SCENARIOS = (
    _row(
        "9401",
        "refuses every secret",
        twilio=Case("key-refused", twilio_error(401, 20003, "Authenticate")),
        sinch=Case("key-refused", Answer(401)),
        infobip=Case("key-refused", infobip_error(401, "UNAUTHORIZED", "Invalid login details")),
    ),
    _row(
        "9056",
        "refuses every secret, and repeats it in the body and in the request's id",
        twilio=Case("key-refused", twilio_error(401, 20003, "Bad: $AUTHORIZATION", **_REPEATS)),
        sinch=Case("key-refused", sinch_error(401, "unauthorized", "Bad: $AUTHORIZATION", **_REPEATS)),
        infobip=Case("key-refused", infobip_error(401, "UNAUTHORIZED", "Bad: $AUTHORIZATION", **_REPEATS)),
    ),
    _row(
        "9156",
        "accepts every secret, and repeats it in the request's id and in what it says of the account",
        twilio=Case("accepted", Answer(200, twilio_account_echoed, **_REPEATS)),
        sinch=Case("accepted", Answer(200, SINCH_BATCHES, **_REPEATS)),
        infobip=Case("accepted", Answer(200, {**INFOBIP_BALANCE, "currency": "EUR $AUTHORIZATION"}, **_REPEATS)),
    ),
    _row(
        "9402",
        "lives in another region (ie1, us), and refuses every secret at its other hosts",
        twilio=Case("key-refused", twilio_error(401, 20003, "Authenticate", home="api.dublin.ie1.twilio.com")),
        sinch=Case("key-refused", Answer(401, home="us.sms.api.sinch.com")),
        infobip=NoCase("each account has one host of its own"),
    ),
    _row(
        "9407",
        "the key's list of addresses leaves out the machine that asks: the same refusal as for a wrong one",
        twilio=_NO_LIST,
        sinch=_NO_LIST,
        infobip=Case("key-refused", infobip_error(401, "UNAUTHORIZED", "Invalid login details")),
    ),
    _row(
        "9403",
        "the secret is genuine, but lacks the permission that proves that it may send",
        twilio=Case("permission-missing", twilio_error(401, 70051, "Authorization failed")),
        sinch=_NO_SCOPES,
        infobip=Case("scope-missing", infobip_error(403, "FORBIDDEN", "Forbidden")),
    ),
    _row(
        "9203",
        "the key may send and nothing else",
        twilio=NoCase("a key that may only send is refused what proves it, as in 9403"),
        sinch=_NO_SCOPES,
        infobip=Case("limited", infobip_error(403, "FORBIDDEN", "Forbidden", only="/account/1/balance")),
    ),
    _row(
        "9057",
        "another account than the declared one answers",
        twilio=Case("wrong-account", Answer(200, other_account)),
        sinch=_PLAN_NAMED,
        infobip=_PLAN_NAMED,
    ),
    _row(
        "9020",
        "the account is suspended, and its answer says so",
        twilio=Case("account-inactive", Answer(200, suspended_account)),
        sinch=_PLAN_NAMED,
        infobip=_PLAN_NAMED,
    ),
    _row(
        "9022",
        "the account is closed, and its answer says so",
        twilio=Case("account-inactive", Answer(200, closed_account)),
        sinch=_PLAN_NAMED,
        infobip=_PLAN_NAMED,
    ),
    _row(
        "9005",
        "the account waits for a payment",
        twilio=Case("account-inactive", twilio_error(401, 20005, "Account not active")),
        sinch=_UNPAID,
        infobip=_UNPAID,
    ),
    _row(
        "9021",
        "the account is blocked or closed, and refuses",
        twilio=Case("account-inactive", twilio_error(403, 20403, "Forbidden")),
        sinch=Case("account-inactive", sinch_error(403, "blocked_account", "The account is blocked")),
        infobip=NoCase("it documents no answer of its own for a blocked account"),
    ),
    _row(
        "9008",
        "test credentials",
        twilio=Case(
            "test-credential", twilio_error(403, 20008, "Resource not accessible with Test Account Credentials")
        ),
        sinch=_NO_TEST,
        infobip=_NO_TEST,
    ),
    _row(
        "9404",
        "knows no such account",
        twilio=Case("not-found", twilio_error(404, 20404, "The requested resource was not found")),
        sinch=Case("not-found", Answer(404)),
        infobip=Case("not-found", infobip_error(404, "NOT_FOUND", "Not found")),
    ),
    _row(
        "9418",
        "refuses in a way that the service does not document",
        twilio=Case("unexpected-answer", twilio_error(418, 99999, "I'm a teapot")),
        sinch=Case("unexpected-answer", sinch_error(418, "teapot", "I'm a teapot")),
        infobip=Case("unexpected-answer", infobip_error(418, "TEAPOT", "I'm a teapot")),
    ),
    _row(
        "9429",
        "always asks to slow down",
        twilio=Case("throttled", twilio_error(429, 20429, "Too Many Requests")),
        sinch=Case("throttled", Answer(429)),
        infobip=Case("throttled", infobip_error(429, "TOO_MANY_REQUESTS", "Too many requests")),
    ),
    _row(
        "9430",
        "asks to slow down for 1 s, answers the next question, and so on",
        twilio=Case(
            "accepted", twilio_error(429, 20429, "Too Many Requests", headers=_WAIT_1, effect=Effect.EVERY_OTHER)
        ),
        sinch=Case("accepted", Answer(429, headers=_WAIT_1, effect=Effect.EVERY_OTHER)),
        infobip=Case(
            "accepted",
            infobip_error(429, "TOO_MANY_REQUESTS", "Slow down", headers=_WAIT_1, effect=Effect.EVERY_OTHER),
        ),
    ),
    _row(
        "9431",
        "asks to slow down for an hour, which nobody waits for",
        twilio=Case("throttled", twilio_error(429, 20429, "Too Many Requests", headers=_WAIT_AN_HOUR)),
        sinch=Case("throttled", Answer(429, headers=_WAIT_AN_HOUR)),
        infobip=Case("throttled", infobip_error(429, "TOO_MANY_REQUESTS", "Too many requests", headers=_WAIT_AN_HOUR)),
    ),
    _row(
        "9500",
        "has an error of its own",
        twilio=Case("server-error", twilio_error(500, 20500, "Internal Server Error")),
        sinch=Case("server-error", Answer(500)),
        infobip=Case("server-error", infobip_error(500, "GENERAL_ERROR", "Something went wrong")),
    ),
    _everywhere("9503", "is under maintenance, behind a web page", "server-error", Answer(503, PORTAL, HTML)),
    _everywhere("9408", "never answers", "timed-out", Answer(200, effect=Effect.NEVER)),
    _everywhere("9299", "breaks off in the middle of its answer", "not-reached", Answer(200, effect=Effect.CUT)),
    _everywhere(
        "9302",
        "redirects to another host",
        "redirected",
        Answer(302, headers={"Location": "https://login.example.test/?session=1"}),
    ),
    _everywhere(
        "9200", "a guest network's sign-in page, with status 200", "unexpected-answer", Answer(200, PORTAL, HTML)
    ),
    _everywhere(
        "9511", "a guest network's sign-in page, with status 403", "unexpected-answer", Answer(403, PORTAL, HTML)
    ),
    _everywhere(
        "9513", "a gateway's own refusal, in JSON, with status 403", "unexpected-answer", Answer(403, {"blocked": True})
    ),
    _everywhere("9204", "an empty body, with status 200", "unexpected-answer", Answer(200)),
    _everywhere(
        "9205", "JSON that is not declared as such", "unexpected-answer", Answer(200, '{"count": 0}', "text/plain")
    ),
    _everywhere("9206", "JSON without the documented fields", "unexpected-answer", Answer(200, {"ok": True})),
    _everywhere("9207", "JSON that ends in the middle", "unexpected-answer", Answer(200, '{"count": 0, "ba')),
    _everywhere("9208", "XML", "unexpected-answer", Answer(200, "<TwilioResponse/>", "application/xml")),
    _everywhere("9413", "an answer of 128 KiB", "unexpected-answer", Answer(200, {"padding": "x" * 131_072})),
)

BY_ENDING = {scenario.ending: scenario for scenario in SCENARIOS}


def as_markdown() -> str:
    """The table as ``docs/sandbox.md`` shows it, with the reasons for its dashes."""
    return "\n".join([*_rows(), "", *_reasons()]) + "\n"


def _rows() -> Iterator[str]:
    yield f"| ends in | the sandbox plays | {' | '.join(PROVIDERS)} |"
    yield "|---" * (2 + len(PROVIDERS)) + "|"
    for scenario in SCENARIOS:
        cases = [scenario.of(provider) for provider in PROVIDERS]
        cells = [f"`{case.code}`" if isinstance(case, Case) else "–" for case in cases]
        yield f"| `{scenario.ending}` | {scenario.plays} | {' | '.join(cells)} |"


def _reasons() -> Iterator[str]:
    for scenario in SCENARIOS:
        for provider in PROVIDERS:
            case = scenario.of(provider)
            if isinstance(case, NoCase):
                yield f"- `{scenario.ending}`, {provider}: {case.reason}."
