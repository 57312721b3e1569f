"""What the sandbox cannot play: the line to a provider, exact answers by name, and what a person is told about each.

The test names are the list of a provider's answers; ``test_conformance.py`` has those that the sandbox plays.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from email.utils import format_datetime

import httpx
import pytest
from aiohttp import web
from asking import KINDS, QUICK, answered, code_of, come_to, no_sleep
from builders import credential
from certificates import certificate

from reconciler import plugins
from reconciler.codes import CODES, Fault
from reconciler.errors import NotAsked
from reconciler.http import HttpPool
from reconciler.model import Action, Answer, Declared, Verdict
from reconciler.plans import Change
from reconciler.providers.base import asked
from reconciler.sandbox import SCENARIOS, serve
from reconciler.sandbox.scenarios import NoCase

EVERY_KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def over(kind, *, tls=None, host="", handler=None, **limits):
    """What asking comes to over a real connection: to a server of our own where there is a handler."""

    async def run():
        provider = plugins.provider(kind.provider)
        runner = web.ServerRunner(web.Server(handler or nothing, access_log=None), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        origin = f"http{'s' if tls else ''}://127.0.0.1:{runner.addresses[0][1]}"
        routes = {provider.name: host or origin} if handler or tls or host else {}
        try:
            async with HttpPool(**{"routes": routes, "sleep": no_sleep} | QUICK | limits) as pool:
                http = pool.for_provider(provider.name, provider.hosts)
                return await provider.check(kind.settings(), kind.right(), http)
        except NotAsked as problem:
            return problem
        finally:
            await runner.cleanup()

    return asyncio.run(run())


async def nothing(_request):
    return web.json_response({})


def told(outcome, code):
    """That it says nothing about the credential, and shows nothing of the secret."""
    assert code_of(outcome) == code
    assert isinstance(outcome, NotAsked)
    assert outcome.asked.startswith("GET https://")
    assert outcome.verdict().answer is Answer.UNKNOWN
    assert CODES[code].fault is Fault.PROVIDER
    return outcome


# the line


@EVERY_KIND
def test_dns_the_host_name_cannot_be_resolved(kind, monkeypatch):
    async def fail(*_args, **_named):
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr("reconciler.network.PublicResolver.resolve", fail)
    told(over(kind), "host-not-found")


@EVERY_KIND
def test_dns_the_host_name_leads_into_a_private_network(kind, monkeypatch):
    async def private(self, host, port=0, family=0):
        return [{"hostname": host, "host": "10.0.0.1", "port": port, "family": family, "proto": 0, "flags": 0}]

    monkeypatch.setattr("aiohttp.ThreadedResolver.resolve", private)
    told(over(kind), "not-reached")


@EVERY_KIND
def test_connection_refused(kind):
    told(over(kind, host="http://127.0.0.1:9"), "not-reached")


@EVERY_KIND
def test_connection_silent_after_it_was_opened(kind):
    async def silent(_request):
        await asyncio.sleep(5)

    told(over(kind, handler=silent, timeout=0.1, attempts=1), "timed-out")


@EVERY_KIND
def test_tls_a_certificate_that_nobody_vouches_for(kind, tmp_path):
    tls, _ = certificate(tmp_path, "api.twilio.com")
    assert told(over(kind, tls=tls), "tls-failed").detail == "self-signed certificate"


@EVERY_KIND
def test_tls_a_certificate_for_another_name(kind, tmp_path):
    tls, pem = certificate(tmp_path, "api.evil.test")
    told(over(kind, tls=tls, ca_file=pem), "tls-failed")


@EVERY_KIND
def test_tls_no_tls_at_all(kind):
    async def run():
        async with serve() as origin:
            return origin.replace("http:", "https:"), await asyncio.to_thread(
                over, kind, host=origin.replace("http:", "https:")
            )

    _, outcome = asyncio.run(run())
    told(outcome, "tls-failed")


# throttling and errors, with what their support must know


@pytest.mark.parametrize("status", [429, 500, 502, 503])
@EVERY_KIND
def test_throttled_or_failing_keeps_status_and_request_number_for_support(kind, status):
    reply = httpx.Response(status, headers={"X-Request-Id": "RQ77"}, text="x")
    problem, requests = answered(kind, *[reply] * 3)
    verdict = problem.verdict()
    assert (verdict.http_status, verdict.request_id, len(requests)) == (status, "RQ77", 3)
    assert verdict.code == ("throttled" if status == 429 else "server-error")


@EVERY_KIND
def test_429_with_retry_after_in_seconds_is_asked_again(kind):
    _, requests = answered(kind, httpx.Response(429, headers={"Retry-After": "1"}), httpx.Response(418))
    assert len(requests) == 2


@EVERY_KIND
def test_429_with_retry_after_as_a_date_is_asked_again(kind):
    soon = format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2), usegmt=True)
    _, requests = answered(kind, httpx.Response(429, headers={"Retry-After": soon}), httpx.Response(418))
    assert len(requests) == 2


@EVERY_KIND
def test_429_without_retry_after_is_asked_again(kind):
    _, requests = answered(kind, httpx.Response(429), httpx.Response(418))
    assert len(requests) == 2


@EVERY_KIND
def test_429_with_a_wait_beyond_the_deadline_is_asked_once(kind):
    problem, requests = answered(kind, httpx.Response(429, headers={"Retry-After": "3600"}))
    assert (code_of(problem), problem.detail, len(requests)) == ("throttled", "it asks to wait 3600 s", 1)


# shapes


@EVERY_KIND
@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(httpx.Response(200), id="200 with an empty body"),
        pytest.param(httpx.Response(200, text="{}"), id="200 with another content type"),
        pytest.param(httpx.Response(200, html="<p>sign in</p>"), id="200 with a web page"),
        pytest.param(httpx.Response(200, json=[]), id="200 with a list"),
        pytest.param(
            httpx.Response(200, content=b'{"a": ', headers={"content-type": "application/json"}), id="200 cut"
        ),
        pytest.param(httpx.Response(200, json={"x": "y" * 70_000}), id="200 with more than 64 KiB"),
        pytest.param(httpx.Response(401, html="<p>sign in</p>"), id="401 with a web page"),
        pytest.param(httpx.Response(403, html="<p>blocked</p>"), id="403 with a web page"),
        pytest.param(httpx.Response(404, html="<p>gone</p>"), id="404 with a web page"),
        pytest.param(httpx.Response(407, text="x"), id="407 of a proxy"),
        pytest.param(httpx.Response(451, json={"code": 1}), id="451"),
    ],
)
def test_answer_of_somebody_in_between(kind, reply):
    problem, _ = answered(kind, *[reply] * 2)
    verdict = told(problem, "unexpected-answer").verdict()
    assert verdict.http_status == reply.status_code


# key types


@pytest.mark.parametrize(
    ("ending", "code", "name", "notes"),
    [
        pytest.param("9101", "accepted", "Sandbox account 0001", 0, id="Main: reads the account"),
        pytest.param("0000", "accepted", "", 1, id="Standard: proves itself by the phone numbers"),
        pytest.param("9102", "accepted", "", 1, id="Restricted with that permission: the same"),
        pytest.param("9103", "permission-missing", "", 1, id="Restricted without it: permission-missing"),
    ],
)
def test_twilio_api_key(ending, code, name, notes):
    kind = KINDS["twilio-api-key"]
    kind = replace(kind, more={"api_key_sid": "SK" + "0" * 28 + ending})
    verdict = come_to(kind, "0001")
    assert (verdict.code, verdict.account.name, len(verdict.notes)) == (code, name, notes)


def test_twilio_auth_token_reads_the_account():
    assert come_to(KINDS["twilio"], "0001").account.status == "active"


@pytest.mark.parametrize(("kind", "home"), [("twilio", "ie1"), ("twilio-api-key", "ie1"), ("sinch", "us")])
def test_region_a_secret_of_another_region_is_refused_and_right_at_home(kind, home):
    away = come_to(KINDS[kind], "9402")
    there = come_to(replace(KINDS[kind], more={**KINDS[kind].more, "region": home}), "9402")
    assert (away.code, there.code) == ("key-refused", "accepted")


# what a person is told


def ranked(kind, ending) -> Verdict:
    """The verdict with its likely causes, as an apply has it."""

    async def run():
        provider = plugins.provider(kind.provider)
        declared = Declared(provider.name, {}, kind.settings(ending), {kind.field: "env://T"})
        made = Change(Action.CREATE, "a", provider.name, ("new",),
                      credential=replace(credential("a"), declared=declared))  # fmt: skip
        limits = {"timeout": 0.2, "attempts": 1} if ending == "9408" else {}
        async with (
            serve() as origin,
            HttpPool(routes={provider.name: origin}, sleep=no_sleep, **QUICK | limits) as pool,
        ):
            http = pool.for_provider(provider.name, provider.hosts)
            return await asked(provider, made, kind.right(ending), http)

    return asyncio.run(run())


PLAYED = [
    pytest.param(kind, scenario.ending, case.code, id=f"{name}: {scenario.plays} → {case.code}")
    for name, kind in KINDS.items()
    for scenario in SCENARIOS
    if not isinstance(case := scenario.of(kind.provider), NoCase)
]


@pytest.mark.parametrize(("kind", "ending", "code"), PLAYED)
def test_told(kind, ending, code):
    """Whoever reads it learns whose fault it is, what probably is behind it, and what to do."""
    verdict = ranked(kind, ending)
    row = CODES[code]
    assert (verdict.code, verdict.answer) == (code, row.answer)
    if row.answer is Answer.VALID:
        assert verdict.likely == ()
        return
    assert row.fault in (Fault.CONFIGURATION, Fault.PROVIDER)
    assert row.hint
    assert verdict.likely
    assert len(set(verdict.likely)) == len(verdict.likely)
    assert verdict.asked.startswith("GET https://")
    assert verdict.at
    assert (verdict.http_status is None) == (code in ("timed-out", "not-reached"))


@pytest.mark.parametrize("name", plugins.provider_names())
def test_causes_blame_keys_of_their_provider_and_no_text_is_long(name):
    provider = plugins.provider(name)
    for code, causes in provider.causes.items():
        assert CODES[code].answer in (Answer.REJECTED, Answer.UNKNOWN)
        for cause in causes:
            assert set(cause.blames) <= provider.fields.model_fields.keys()
            assert len(cause.text) <= 110
            assert cause.text.isprintable()
