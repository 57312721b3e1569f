"""What is made of an answer: by status, size and shape."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from reconciler.errors import NotAsked
from reconciler.reply import LARGEST, Passing, Reply, judge, read

JSON = {"content-type": "application/json; charset=utf-8"}


def judged(status=200, body: bytes | None = b"{}", headers=JSON) -> Reply:
    response = httpx.Response(status, headers=headers)
    return judge("api.twilio.com", "GET https://api.twilio.com/x", response, body)


def passing(status, headers) -> Passing:
    with pytest.raises(Passing) as raised:
        judged(status, headers=headers)
    return raised.value


@pytest.mark.parametrize("status", [200, 201, 204, 400, 401, 403, 404, 418, 499])
def test_what_a_provider_can_read_is_handed_on(status):
    reply = judged(status, b'{"a": 1}')
    assert (reply.status, reply.json, reply.content_type) == (status, {"a": 1}, "application/json")


@pytest.mark.parametrize(
    ("headers", "body", "parsed"),
    [
        ({"content-type": "Application/JSON"}, b"[1]", [1]),
        ({"content-type": "application/problem+json"}, b"{}", {}),
        ({"content-type": "text/html"}, b"{}", None),
        ({"content-type": "text/json-ish"}, b"{}", None),
        ({}, b"{}", None),
        (JSON, b"", None),
        (JSON, b"{", None),
        (JSON, b"\xff\xfe\xff", None),
        (JSON, b"[" * 60_000, None),
        (JSON, b"9" * 60_000, None),
    ],
)
def test_json_is_what_is_declared_as_such_and_parses(headers, body, parsed):
    assert judged(200, body, headers).json == parsed


@pytest.mark.parametrize("depth", range(300, 1001, 100))
@pytest.mark.parametrize(("begin", "end"), [(b"[", b"]"), (b'{"a":[', b"]}")])
def test_json_nested_as_deep_as_its_parser_reads_is_no_bug(depth, begin, end):
    parsed = judged(200, begin * depth + end * depth).json
    assert parsed is None or isinstance(parsed, list | dict)


def test_a_body_and_headers_stand_in_no_repr():
    reply = judged(200, b'{"auth_token": "hidden-value"}', {**JSON, "set-cookie": "hidden-value"})
    assert "hidden-value" not in repr(reply)


@pytest.mark.parametrize("name", ["Twilio-Request-Id", "X-Request-ID", "request-id"])
def test_the_request_id_is_found_under_any_such_name(name):
    assert judged(headers={name: "RQ1"}).request_id == "RQ1"


def test_without_a_request_id_there_is_none():
    assert judged(headers={"x-request-id-of": "1"}).request_id == ""


def test_headers_are_read_without_regard_to_case():
    assert judged(headers={"Retry-After": "3"}).header("RETRY-AFTER") == "3"
    assert judged().header("retry-after") == ""


@pytest.mark.parametrize(("status", "code"), [(429, "throttled"), (500, "server-error"), (503, "server-error")])
def test_what_may_pass_can_be_tried_again(status, code):
    problem = passing(status, {"twilio-request-id": "RQ1"}).problem
    assert (problem.code.name, problem.detail) == (code, "")
    assert (problem.http_status, problem.request_id) == (status, "RQ1")
    assert problem.asked == "GET https://api.twilio.com/x"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), ("0", 0.0), ("-1", 0.0), ("soon", 0.0), ("", 0.0), ("9" * 40, 0.0), ("Mon, 99 Foo 2026", 0.0),
     ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("Wed, 21 Oct 2099 07:28:00 +" + "9" * 20, 0.0),
     ("Wed, 21 Oct " + "9" * 20 + " 07:28:00 GMT", 0.0)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date_and_anything_else_is_nothing(text, seconds):
    assert passing(429, {"retry-after": text}).after == seconds


def test_retry_after_as_a_date_counts_from_now():
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 80 < passing(503, {"retry-after": date}).after <= 90


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_attack_20_a_redirect_names_the_target_host_and_nothing_else(status):
    with pytest.raises(NotAsked) as raised:
        judged(status, headers={"location": "https://user:pw@login.evil.test/path?session=1"})
    assert raised.value.code.name == "redirected"
    assert (raised.value.detail, raised.value.http_status) == ("to login.evil.test", status)


@pytest.mark.parametrize("location", ["", "/login", "https://[::1", "https://\x1b[31mevil/", "https://a b/"])
def test_a_redirect_to_nowhere_readable_says_so(location):
    with pytest.raises(NotAsked, match="to no readable host"):
        judged(302, headers={"location": location.encode()})


def test_an_answer_above_the_limit_is_unexpected():
    with pytest.raises(NotAsked, match="larger than 64 KiB") as raised:
        judged(200, None)
    assert raised.value.code.name == "unexpected-answer"


@pytest.mark.parametrize(("status", "code"), [(429, "throttled"), (502, "server-error")])
def test_an_error_above_the_limit_is_still_that_error(status, code):
    with pytest.raises(Passing) as raised:
        judged(status, None)
    assert raised.value.problem.code.name == code


class Endless(httpx.AsyncByteStream):
    def __init__(self) -> None:
        self.sent = 0

    async def __aiter__(self):
        while True:
            self.sent += 1024
            yield b"x" * 1024


def test_reading_stops_at_the_limit():
    stream = Endless()
    assert asyncio.run(read(httpx.Response(200, stream=stream))) is None
    assert stream.sent == LARGEST + 1024
