"""What Infobip's exact answers come to."""

from __future__ import annotations

import re
from uuid import UUID

import httpx
import pytest
from asking import KINDS, answered, code_of

from reconciler.model import Account
from reconciler.providers.infobip import BASE_URL

KIND = KINDS["infobip"]
BALANCE = httpx.Response(200, json={"balance": 47.8, "currency": "EUR"})


def older(status: int, message_id: str) -> httpx.Response:
    return httpx.Response(status, json={"requestError": {"serviceException": {"messageId": message_id, "text": "x"}}})


def newer(status: int, code: str) -> httpx.Response:
    return httpx.Response(status, json={"errorCode": code, "description": "x", "violations": []})


@pytest.mark.parametrize(
    "base_url",
    ["https://xyz123.api.infobip.com", "xyz123.api.infobip.com", "https://xyz123.api.infobip.com:443"],
)
def test_the_balance_is_asked_for_at_the_accounts_own_host(base_url):
    verdict, (request,) = answered(KIND, BALANCE, settings={"base_url": base_url})
    assert (verdict.code, verdict.account) == ("accepted", Account(currency="EUR"))
    assert str(request.url) == "https://xyz123.api.infobip.com/account/1/balance"
    assert request.headers["authorization"] == f"App {KIND.right()['api_key'].reveal()}"
    assert request.headers["accept"] == "application/json"


@pytest.mark.parametrize(
    "body", [{}, {"balance": 1}, {"currency": "EUR"}, {"balance": "1", "currency": "EUR"}, [], "x"]
)
def test_an_answer_without_the_documented_fields_says_nothing(body):
    problem, _ = answered(KIND, httpx.Response(200, json=body))
    assert code_of(problem) == "unexpected-answer"
    assert problem.detail == "its JSON has not the fields that are documented"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (httpx.Response(200, content=b'{"balance": 1', headers={"content-type": "application/json"}),
         "its JSON cannot be read (application/json)"),
        (httpx.Response(200, html="<p>log in</p>"), "text/html"),
        (httpx.Response(200, content=b"ok", headers={"content-type": ""}), "it has no content type"),
        (older(418, "TEAPOT"), "no such answer is documented"),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_documented_is_told_by_what_it_is(answer, why):
    problem, _ = answered(KIND, answer)
    assert (code_of(problem), problem.detail) == ("unexpected-answer", why)


@pytest.mark.parametrize("first", [older(403, "FORBIDDEN"), newer(403, "E403")])
@pytest.mark.parametrize(
    ("second", "code", "notes"),
    [
        (older(404, "NOT_FOUND"), "limited", ("lacks account-management:manage (no balance shown)",)),
        (newer(404, "E404"), "limited", ("lacks account-management:manage (no balance shown)",)),
        (older(403, "FORBIDDEN"), "scope-missing", ("lacks sms:message:send",)),
        (newer(403, "E403"), "scope-missing", ("lacks sms:message:send",)),
    ],
)
def test_a_key_that_may_not_see_the_balance_shows_whether_it_may_send(first, second, code, notes):
    verdict, requests = answered(KIND, first, second)
    assert (verdict.code, verdict.notes) == (code, notes)
    assert requests[1].url.path == "/sms/1/bulks"
    UUID(requests[1].url.params["bulkId"])
    assert verdict.asked.endswith("/sms/1/bulks")


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (older(401, "UNAUTHORIZED"), "key-refused"),
        (httpx.Response(404, html="<p>nothing here</p>"), "unexpected-answer"),
        (httpx.Response(403), "unexpected-answer"),
        (httpx.Response(200, json={}), "unexpected-answer"),
    ],
)
def test_any_other_answer_about_the_bulk_is_taken_as_it_is(second, code):
    outcome, _ = answered(KIND, older(403, "FORBIDDEN"), second)
    assert code_of(outcome) == code


@pytest.mark.parametrize(
    ("answer", "code", "provider_code"),
    [
        (older(401, "UNAUTHORIZED"), "key-refused", "UNAUTHORIZED"),
        (newer(401, "E401"), "key-refused", "E401"),
        (older(404, "NOT_FOUND"), "not-found", "NOT_FOUND"),
    ],
)
def test_a_refusal_is_read_in_both_envelopes(answer, code, provider_code):
    verdict, requests = answered(KIND, answer)
    assert (verdict.code, verdict.provider_code, len(requests)) == (code, provider_code, 1)


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(401), httpx.Response(401, html="<p>sign in</p>"), httpx.Response(403), httpx.Response(403, json={}),
     older(404, "SOMETHING"), older(400, "BAD_REQUEST")],
)  # fmt: skip
def test_any_other_refusal_says_nothing_about_the_credential(answer):
    problem, requests = answered(KIND, answer)
    assert code_of(problem) == "unexpected-answer"
    assert len(requests) == 1


def test_no_endpoint_is_asked_that_consumes_what_it_returns():
    _, requests = answered(KIND, older(403, "FORBIDDEN"), older(404, "NOT_FOUND"))
    assert {request.method for request in requests} == {"GET"}
    assert not [request for request in requests if "reports" in request.url.path or "inbox" in request.url.path]


@pytest.mark.parametrize(
    ("base_url", "valid"),
    [
        ("https://xyz123.api.infobip.com", True),
        ("https://xyz123.api-us.infobip.com", True),
        ("xyz123.api.infobip.com", True),
        ("https://api.infobip.com", True),
        ("https://xyz123.api.infobip.com:443", True),
        ("https://infobip.com", False),
        ("http://xyz123.api.infobip.com", False),
        ("https://user:pw@xyz123.api.infobip.com", False),
        ("https://xyz123.api.infobip.com/path", False),
        ("https://xyz123.api.infobip.com/", False),
        ("https://xyz123.api.infobip.com:8443", False),
        ("https://xyz123.api.infobip.com.", False),
        ("https://XYZ123.api.infobip.com", False),
        ("https://evilinfobip.com", False),
        ("https://xyz123.api.infobip.com.evil.test", False),
        ("https://xyz123.api.infobip.com\\@evil.test", False),
        ("https://аpi.infobip.com", False),
        ("https://169.254.169.254", False),
        ("https://-a.infobip.com", False),
        ("", False),
    ],
)
def test_attacks_18_and_21_to_24_a_base_url_has_one_form(base_url, valid):
    assert bool(re.search(BASE_URL, base_url)) is valid
