"""What Twilio's exact answers come to."""

from __future__ import annotations

import base64

import httpx
import pytest
from asking import API_KEY_SID, KINDS, answered, code_of
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from reconciler.model import Account
from reconciler.providers.twilio import TwilioFields

TOKEN, KEY = KINDS["twilio"], KINDS["twilio-api-key"]
SID = TOKEN.settings()["account_sid"]
OTHER = "AC" + "9" * 32
REFERENCE = "env://TWILIO"


def account(**changed) -> httpx.Response:
    body = {"sid": SID, "status": "active", "type": "Full", "friendly_name": "Acme", "owner_account_sid": SID}
    return httpx.Response(200, json=body | {"auth_token": "hidden-value"} | changed)


def error(status: int, code: object) -> httpx.Response:
    return httpx.Response(
        status,
        json={"code": code, "message": "hidden-value", "status": status},
        headers={"Twilio-Request-Id": "RQ0001"},
    )


def numbers(*owners: str) -> httpx.Response:
    return httpx.Response(200, json={"incoming_phone_numbers": [{"account_sid": owner} for owner in owners]})


def test_the_account_is_told_by_an_allow_list():
    verdict, requests = answered(TOKEN, account())
    assert verdict.account == Account(SID, "Acme", "Full", "active")
    assert "hidden-value" not in repr(verdict)
    assert str(requests[0].url) == f"https://api.twilio.com/2010-04-01/Accounts/{SID}.json"
    expected = base64.b64encode(f"{SID}:{TOKEN.right()['auth_token'].reveal()}".encode()).decode()
    assert requests[0].headers["authorization"] == f"Basic {expected}"


@pytest.mark.parametrize(
    ("region", "host"),
    [("us1", "api.twilio.com"), ("ie1", "api.dublin.ie1.twilio.com"), ("au1", "api.sydney.au1.twilio.com")],
)
def test_a_region_has_its_own_host(region, host):
    verdict, requests = answered(TOKEN, account(), settings={"account_sid": SID, "region": region})
    assert requests[0].url.host == host
    assert verdict.asked.startswith(f"GET https://{host}/")


def test_a_name_is_cut_and_made_storable_and_otherwise_left_as_it_is():
    verdict, _ = answered(TOKEN, account(friendly_name="\x1b[31m" + "x" * 500))
    assert verdict.account.name == "\x1b[31m" + "x" * 195
    half = httpx.Response(
        200,
        content=b'{"sid": "%s", "status": "active", "friendly_name": "a\\ud800"}' % SID.encode(),
        headers={"content-type": "application/json"},
    )
    verdict, _ = answered(TOKEN, half)
    assert verdict.account.name == "a?"


def test_what_else_a_person_should_know_is_noted():
    verdict, _ = answered(TOKEN, account(type="Trial", owner_account_sid=OTHER))
    assert verdict.code == "accepted"
    assert verdict.notes == ("a trial account: it can only send to verified numbers", f"a subaccount of {OTHER}")


@pytest.mark.parametrize(
    "answer",
    [
        account(sid=None),
        account(status="thriving"),
        account(status=None),
        account(sid=["AC1"]),
        httpx.Response(200, json=[]),
        httpx.Response(200, json="active"),
        httpx.Response(204),
    ],
)
def test_an_answer_without_the_documented_fields_says_nothing(answer):
    problem, _ = answered(TOKEN, answer)
    assert code_of(problem) == "unexpected-answer"


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_an_account_that_says_so_is_inactive(status):
    verdict, _ = answered(TOKEN, account(status=status))
    assert (verdict.code, verdict.account.status) == ("account-inactive", status)


def test_attack_57_the_sid_must_be_the_declared_one():
    verdict, _ = answered(TOKEN, account(sid=OTHER))
    assert (verdict.code, verdict.account.id) == ("wrong-account", OTHER)


@pytest.mark.parametrize(
    ("status", "provider_code", "code"),
    [
        (401, 20003, "key-refused"),
        (403, 20008, "test-credential"),
        (403, 20403, "account-inactive"),
        (400, 20005, "account-inactive"),
        (403, 10001, "account-inactive"),
        (401, 70051, "permission-missing"),
        (404, 20404, "not-found"),
    ],
)
def test_a_documented_code_is_what_it_says(status, provider_code, code):
    verdict, requests = answered(TOKEN, error(status, provider_code))
    assert (verdict.code, verdict.http_status, verdict.provider_code) == (code, status, str(provider_code))
    assert verdict.request_id == "RQ0001"
    assert len(requests) == 1
    assert "hidden-value" not in repr(verdict)


@pytest.mark.parametrize(
    ("kind", "refusals", "wanted"),
    [
        (TOKEN, (error(401, 70051),), "the account"),
        (KEY, (error(401, 70051), error(401, 70051)), "Incoming Phone Numbers"),
    ],
)
def test_the_permission_that_is_named_is_for_what_was_asked(kind, refusals, wanted):
    verdict, _ = answered(kind, *refusals)
    assert verdict.notes == (f"the permission wanted: to read {wanted}",)


@pytest.mark.parametrize(
    "answer",
    [
        error(400, 21211),
        error(401, None),
        error(401, True),
        error(401, "x" * 80),
        httpx.Response(401),
        httpx.Response(404),
        httpx.Response(401, html="<TwilioResponse>20003</TwilioResponse>"),
    ],
)
def test_any_other_refusal_says_nothing_about_the_credential(answer):
    problem, _ = answered(TOKEN, answer)
    assert code_of(problem) == "unexpected-answer"
    assert problem.http_status == answer.status_code


def test_a_main_api_key_reads_the_account():
    verdict, requests = answered(KEY, account())
    assert (verdict.code, verdict.account.name, len(requests)) == ("accepted", "Acme", 1)
    user = base64.b64decode(requests[0].headers["authorization"].removeprefix("Basic ")).partition(b":")[0]
    assert user.decode() == API_KEY_SID


@pytest.mark.parametrize("first", [error(401, 20003), error(401, 70051), error(403, 70051)])
def test_another_api_key_proves_itself_by_the_phone_numbers(first):
    verdict, requests = answered(KEY, first, numbers())
    assert (verdict.code, verdict.account) == ("accepted", Account(SID))
    assert verdict.notes == ("the API key may not read the account itself: its name, type and status are not known",)
    assert requests[1].url.path == f"/2010-04-01/Accounts/{SID}/IncomingPhoneNumbers.json"
    assert requests[1].url.query == b"PageSize=1"


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (numbers(SID), "accepted"),
        (numbers(OTHER), "wrong-account"),
        (error(401, 20003), "key-refused"),
        (error(401, 70051), "permission-missing"),
        (error(403, 70051), "permission-missing"),
        (error(403, 20403), "account-inactive"),
        (error(404, 20404), "not-found"),
        (error(400, 1), "unexpected-answer"),
        (httpx.Response(200, json={"incoming_phone_numbers": None}), "unexpected-answer"),
        (httpx.Response(200, html="<p>welcome</p>"), "unexpected-answer"),
    ],
)
def test_what_the_phone_numbers_answer_decides(second, code):
    outcome, _ = answered(KEY, error(401, 20003), second)
    assert code_of(outcome) == code


@pytest.mark.parametrize("first", [error(403, 20403), error(403, 20008), error(404, 20404)])
def test_an_api_key_whose_refusal_is_clear_is_asked_about_once(first):
    _, requests = answered(KEY, first)
    assert len(requests) == 1


VALID = (
    {"auth_token": REFERENCE},
    {"api_key_sid": API_KEY_SID, "api_key_secret": REFERENCE},
    {"auth_token": REFERENCE, "region": "ie1"},
)
INVALID = (
    {},
    {"api_key_sid": API_KEY_SID},
    {"api_key_secret": REFERENCE},
    {"auth_token": REFERENCE, "api_key_sid": API_KEY_SID},
    {"auth_token": REFERENCE, "api_key_sid": API_KEY_SID, "api_key_secret": REFERENCE},
    {"auth_token": REFERENCE, "region": None},
    {"auth_token": REFERENCE, "region": "de1"},
    {"auth_token": None},
    {"auth_token": "a-literal-value"},
    {"auth_token": REFERENCE, "extra": "x"},
)
SCHEMA = TwilioFields.model_json_schema()


@pytest.mark.parametrize("keys", VALID)
def test_one_way_to_sign_in_is_valid_in_model_and_schema(keys):
    TwilioFields(account_sid=SID, **keys)
    assert Draft202012Validator(SCHEMA).is_valid({"account_sid": SID, **keys})


@pytest.mark.parametrize("keys", INVALID)
def test_none_or_half_or_both_are_invalid_in_model_and_schema(keys):
    with pytest.raises(ValidationError):
        TwilioFields(account_sid=SID, **keys)
    assert not Draft202012Validator(SCHEMA).is_valid({"account_sid": SID, **keys})


def test_the_schema_points_at_the_key_that_is_too_many():
    both = {"account_sid": SID, "auth_token": REFERENCE, "api_key_sid": API_KEY_SID, "api_key_secret": REFERENCE}
    (found,) = Draft202012Validator(SCHEMA).iter_errors(both)
    assert list(found.path) == ["auth_token"]


@pytest.mark.parametrize("sid", ["SK" + "0" * 32, "AC" + "0" * 31, "AC" + "g" * 32, " AC" + "0" * 32, "ac" + "0" * 32])
def test_an_account_sid_has_its_form(sid):
    assert not Draft202012Validator(SCHEMA).is_valid({"account_sid": sid, "auth_token": REFERENCE})
