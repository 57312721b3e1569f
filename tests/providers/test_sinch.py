"""What Sinch's exact answers come to."""

from __future__ import annotations

import datetime as dt

import httpx
import pytest
from asking import KINDS, answered, code_of
from jsonschema import Draft202012Validator

from reconciler.providers.sinch import SinchFields

KIND = KINDS["sinch"]
EMPTY = {"count": 0, "page": 0, "page_size": 1, "batches": []}
REGISTRY = "https://developers.sinch.com/docs/errors/registry/"


def test_an_empty_list_is_asked_for():
    verdict, (request,) = answered(KIND, httpx.Response(200, json=EMPTY))
    assert (verdict.code, verdict.account.id) == ("accepted", "")
    assert request.url.host == "eu.sms.api.sinch.com"
    assert request.url.path == f"/xms/v1/{KIND.settings()['service_plan_id']}/batches"
    query = dict(request.url.params)
    start = dt.datetime.fromisoformat(query.pop("start_date"))
    assert query == {"page": "0", "page_size": "1"}
    assert abs(dt.datetime.now(dt.UTC) - start) < dt.timedelta(minutes=1)
    assert request.headers["authorization"] == f"Bearer {KIND.right()['api_token'].reveal()}"


@pytest.mark.parametrize("region", ["us", "eu", "au", "br", "ca"])
def test_a_region_has_its_own_host(region):
    settings = {**KIND.settings(), "region": region}
    _, (request,) = answered(KIND, httpx.Response(200, json=EMPTY), settings=settings)
    assert request.url.host == f"{region}.sms.api.sinch.com"


@pytest.mark.parametrize("body", [{}, {"count": 0}, {"batches": []}, {"count": "0", "batches": []}, [], None, "ok"])
def test_an_answer_without_the_documented_fields_says_nothing(body):
    problem, _ = answered(KIND, httpx.Response(200, json=body))
    assert code_of(problem) == "unexpected-answer"


@pytest.mark.parametrize(
    ("answer", "code", "provider_code"),
    [
        (httpx.Response(401), "key-refused", ""),
        (httpx.Response(401, text="Unauthorized"), "key-refused", ""),
        (httpx.Response(401, json={"code": "unauthorized", "text": "x"}), "key-refused", "unauthorized"),
        (
            httpx.Response(401, json={"error": {"code": 401, "status": "UNAUTHENTICATED"}}),
            "key-refused",
            "UNAUTHENTICATED",
        ),
        (httpx.Response(401, json={"type": REGISTRY + "unauthorized", "title": "x"}), "key-refused", "unauthorized"),
        (httpx.Response(401, json={"code": {"x": 1}, "error": [], "type": 7}), "key-refused", ""),
        (httpx.Response(403, json={"code": "blocked_account", "text": "x"}), "account-inactive", "blocked_account"),
        (httpx.Response(404), "not-found", ""),
        (httpx.Response(404, json={"type": REGISTRY + "not-found"}), "not-found", "not-found"),
    ],
)
def test_a_refusal_is_read_in_every_documented_shape(answer, code, provider_code):
    verdict, _ = answered(KIND, answer)
    assert (verdict.code, verdict.provider_code, verdict.http_status) == (code, provider_code, answer.status_code)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(403),
        httpx.Response(403, json={"code": "missing_callback_url", "text": "x"}),
        httpx.Response(403, json={"error": {"code": 403, "status": "PERMISSION_DENIED"}}),
        httpx.Response(400, json={"code": "syntax_invalid_parameter_format", "text": "x"}),
        httpx.Response(401, html="<p>sign in</p>"),
        httpx.Response(404, html="<p>nothing here</p>"),
        httpx.Response(405),
    ],
)
def test_any_other_refusal_says_nothing_about_the_credential(answer):
    problem, _ = answered(KIND, answer)
    assert code_of(problem) == "unexpected-answer"


def test_attack_56_a_secret_in_place_of_a_code_is_not_kept():
    secret = KIND.right()["api_token"].reveal()
    verdict, _ = answered(KIND, httpx.Response(401, json={"code": secret, "text": secret}))
    assert (verdict.code, verdict.provider_code) == ("key-refused", "")


def test_a_request_id_is_kept_where_there_is_one():
    verdict, _ = answered(KIND, httpx.Response(401, headers={"X-Request-Id": "abc"}))
    assert verdict.request_id == "abc"


@pytest.mark.parametrize(
    ("key", "value", "valid"),
    [
        ("service_plan_id", "jd63jf88477ll", True),
        ("service_plan_id", "a/../b", False),
        ("service_plan_id", "", False),
        ("service_plan_id", "a" * 65, False),
        ("region", "gb", False),
        ("region", "EU", False),
    ],
)
def test_fields_have_their_form(key, value, valid):
    entry = {"service_plan_id": "0" * 32, "api_token": "env://T", "region": "eu"} | {key: value}
    assert Draft202012Validator(SinchFields.model_json_schema()).is_valid(entry) is valid
