"""The one table of what the sandbox plays, by the last four characters of a credential's identifier.

The server, ``docs/sandbox.md`` and the suite that holds every provider to its documented behaviour all read it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.sandbox.answers import (
    HTML,
    PORTAL,
    Answer,
    Effect,
    closed_account,
    infobip_error,
    other_account,
    sinch_error,
    suspended_account,
    twilio_error,
)

PROVIDERS = ("twilio", "sinch", "infobip")


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
    twilio: Case | NoCase
    sinch: Case | NoCase
    infobip: Case | NoCase

    def of(self, provider: str) -> Case | NoCase:
        """The case of one of :data:`PROVIDERS`."""
        cases = {"twilio": self.twilio, "sinch": self.sinch, "infobip": self.infobip}
        return cases[provider]


def _everywhere(ending: str, plays: str, code: str, answer: Answer) -> Scenario:
    case = Case(code, answer)
    return Scenario(ending, plays, case, case, case)


_PLAN_NAMED = NoCase("its answers do not name the account")
_NO_SCOPES = NoCase("a token is good for a whole service plan: there are no scopes")
_UNPAID = NoCase("it documents no answer of its own for an unpaid account")
_NO_TEST = NoCase("it has no test credentials")
_WAIT_1 = {"Retry-After": "1"}
_WAIT_AN_HOUR = {"Retry-After": "3600"}
_NO_LIST = NoCase("it documents no list of addresses for this secret")

SCENARIOS = (
    Scenario(
        "9401",
        "refuses every secret",
        Case("key-refused", twilio_error(401, 20003, "Authenticate")),
        Case("key-refused", Answer(401)),
        Case("key-refused", infobip_error(401, "UNAUTHORIZED", "Invalid login details")),
    ),
    Scenario(
        "9056",
        "refuses every secret, and repeats it in the body",
        Case("key-refused", twilio_error(401, 20003, "Bad: $AUTHORIZATION", effect=Effect.ECHO)),
        Case("key-refused", sinch_error(401, "unauthorized", "Bad: $AUTHORIZATION", effect=Effect.ECHO)),
        Case("key-refused", infobip_error(401, "UNAUTHORIZED", "Bad: $AUTHORIZATION", effect=Effect.ECHO)),
    ),
    Scenario(
        "9402",
        "lives in another region (ie1, us), and refuses every secret at its other hosts",
        Case("key-refused", twilio_error(401, 20003, "Authenticate", home="api.dublin.ie1.twilio.com")),
        Case("key-refused", Answer(401, home="us.sms.api.sinch.com")),
        NoCase("each account has one host of its own"),
    ),
    Scenario(
        "9407",
        "the key's list of addresses leaves out the machine that asks: the same refusal as for a wrong one",
        _NO_LIST,
        _NO_LIST,
        Case("key-refused", infobip_error(401, "UNAUTHORIZED", "Invalid login details")),
    ),
    Scenario(
        "9403",
        "the secret is genuine, but lacks the permission that proves that it may send",
        Case("permission-missing", twilio_error(401, 70051, "Authorization failed")),
        _NO_SCOPES,
        Case("scope-missing", infobip_error(403, "FORBIDDEN", "Forbidden")),
    ),
    Scenario(
        "9203",
        "the key may send and nothing else",
        NoCase("a key that may only send is refused what proves it, as in 9403"),
        _NO_SCOPES,
        Case("limited", infobip_error(403, "FORBIDDEN", "Forbidden", only="/account/1/balance")),
    ),
    Scenario(
        "9057",
        "another account than the declared one answers",
        Case("wrong-account", Answer(200, other_account)),
        _PLAN_NAMED,
        _PLAN_NAMED,
    ),
    Scenario(
        "9020",
        "the account is suspended, and its answer says so",
        Case("account-inactive", Answer(200, suspended_account)),
        _PLAN_NAMED,
        _PLAN_NAMED,
    ),
    Scenario(
        "9022",
        "the account is closed, and its answer says so",
        Case("account-inactive", Answer(200, closed_account)),
        _PLAN_NAMED,
        _PLAN_NAMED,
    ),
    Scenario(
        "9005",
        "the account waits for a payment",
        Case("account-inactive", twilio_error(401, 20005, "Account not active")),
        _UNPAID,
        _UNPAID,
    ),
    Scenario(
        "9021",
        "the account is blocked or closed, and refuses",
        Case("account-inactive", twilio_error(403, 20403, "Forbidden")),
        Case("account-inactive", sinch_error(403, "blocked_account", "The account is blocked")),
        NoCase("it documents no answer of its own for a blocked account"),
    ),
    Scenario(
        "9008",
        "test credentials",
        Case("test-credential", twilio_error(403, 20008, "Resource not accessible with Test Account Credentials")),
        _NO_TEST,
        _NO_TEST,
    ),
    Scenario(
        "9404",
        "knows no such account",
        Case("not-found", twilio_error(404, 20404, "The requested resource was not found")),
        Case("not-found", Answer(404)),
        Case("not-found", infobip_error(404, "NOT_FOUND", "Not found")),
    ),
    Scenario(
        "9418",
        "refuses in a way that the service does not document",
        Case("unexpected-answer", twilio_error(418, 99999, "I'm a teapot")),
        Case("unexpected-answer", sinch_error(418, "teapot", "I'm a teapot")),
        Case("unexpected-answer", infobip_error(418, "TEAPOT", "I'm a teapot")),
    ),
    Scenario(
        "9429",
        "always asks to slow down",
        Case("throttled", twilio_error(429, 20429, "Too Many Requests")),
        Case("throttled", Answer(429)),
        Case("throttled", infobip_error(429, "TOO_MANY_REQUESTS", "Too many requests")),
    ),
    Scenario(
        "9430",
        "asks to slow down for 1 s, answers the next question, and so on",
        Case("accepted", twilio_error(429, 20429, "Too Many Requests", headers=_WAIT_1, effect=Effect.EVERY_OTHER)),
        Case("accepted", Answer(429, headers=_WAIT_1, effect=Effect.EVERY_OTHER)),
        Case(
            "accepted",
            infobip_error(429, "TOO_MANY_REQUESTS", "Slow down", headers=_WAIT_1, effect=Effect.EVERY_OTHER),
        ),
    ),
    Scenario(
        "9431",
        "asks to slow down for an hour, which nobody waits for",
        Case("throttled", twilio_error(429, 20429, "Too Many Requests", headers=_WAIT_AN_HOUR)),
        Case("throttled", Answer(429, headers=_WAIT_AN_HOUR)),
        Case("throttled", infobip_error(429, "TOO_MANY_REQUESTS", "Too many requests", headers=_WAIT_AN_HOUR)),
    ),
    Scenario(
        "9500",
        "has an error of its own",
        Case("server-error", twilio_error(500, 20500, "Internal Server Error")),
        Case("server-error", Answer(500)),
        Case("server-error", infobip_error(500, "GENERAL_ERROR", "Something went wrong")),
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
    yield "| ends in | the sandbox plays | twilio | sinch | infobip |"
    yield "|---|---|---|---|---|"
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
