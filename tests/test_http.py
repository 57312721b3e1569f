"""The one client: limits, retries, and what it never does."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import logging
import traceback

import httpx
import pytest
import respx
from aiohttp import web
from certificates import certificate
from packaged import PACKAGE
from wire import HEADERS, HOST, SECRET, URL, Sleeps, get, ok, pooled, serving

from reconciler.errors import NotAsked, ReconcilerError, SecretUnavailable, UsageError
from reconciler.http import HttpPool, basic, bearer, scheme
from reconciler.secret import Secret

DEAD = "http://127.0.0.1:9"


def mocked(*answers, **limits):
    """The answer after a series of exact ones; an exception is raised in place of an answer."""

    async def run():
        async with pooled(**limits) as pool:
            with respx.mock(using="httpx") as router:
                route = router.get(host=HOST).mock(side_effect=list(answers))
                try:
                    reply = await pool.for_provider("twilio", (HOST,)).get(URL, headers=HEADERS, account="AC1")
                except NotAsked as problem:
                    return problem, route.call_count
                return reply, route.call_count

    return asyncio.run(run())


# an answer


def test_an_answer_comes_with_where_it_came_from():
    reply = get()
    assert (reply.status, reply.json, reply.host) == (200, {"a": 1}, HOST)
    assert reply.asked == "GET https://api.twilio.com/x.json"
    assert dt.datetime.fromisoformat(reply.at).tzinfo is not None


def test_a_route_keeps_path_query_and_host_name():
    seen = []

    async def handler(request):
        seen.append((request.path_qs, request.host))
        return await ok(request)

    get(handler)
    assert seen == [("/x.json?page=1", HOST)]


def test_a_request_asks_for_plain_json_and_says_who_asks():
    seen = []

    async def handler(request):
        seen.append(request.headers)
        return await ok(request)

    get(handler)
    assert seen[0]["Accept"] == "application/json"
    assert seen[0]["Accept-Encoding"] == "identity"
    assert seen[0]["User-Agent"].startswith("sms-reconciler/")


def test_a_provider_may_ask_for_another_form_but_not_for_another_host():
    seen = []

    async def handler(request):
        seen.append((request.headers.getall("Accept"), request.headers.getall("Host")))
        return await ok(request)

    get(handler, headers={"Accept": "application/problem+json", "Host": "evil.test"})
    assert seen == [(["application/problem+json"], [HOST])]


@pytest.mark.parametrize("origin", ["http://192.168.0.1:80", "https://api.twilio.com", "http://127.0.0.1@evil.test"])
def test_attack_21_a_route_leads_to_this_machine_only(origin):
    with pytest.raises(UsageError) as raised:
        HttpPool(routes={"twilio": origin})
    assert raised.value.code.name == "no-sandbox-url"


@pytest.mark.parametrize("url", ["http://api.twilio.com/", "https://evil.test/", "https://api.twilio.com@evil.test/"])
def test_attacks_21_to_24_another_address_is_refused_without_asking(url):
    async def run():
        async with pooled() as pool:
            await pool.for_provider("twilio", (HOST,)).get(url, headers=HEADERS, account="AC1")

    with pytest.raises(ReconcilerError) as raised:
        asyncio.run(run())
    assert raised.value.code.name == "bad-value"


# retries


def test_what_passes_is_asked_again():
    reply, calls = mocked(httpx.Response(429), httpx.Response(503), httpx.Response(200, json={}))
    assert (reply.status, calls) == (200, 3)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (httpx.Response(429), "throttled"),
        (httpx.Response(500), "server-error"),
        (httpx.ConnectError("x"), "not-reached"),
        (httpx.ReadTimeout("x"), "timed-out"),
    ],
    ids=["429", "500", "connection", "timeout"],
)
def test_after_the_last_attempt_it_is_not_asked(answer, code):
    problem, calls = mocked(*[answer] * 5, attempts=3)
    assert (problem.code.name, calls) == (code, 3)
    assert problem.asked == "GET https://api.twilio.com/x.json"
    assert problem.at


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 410])
def test_an_answer_is_never_asked_for_again(status):
    reply, calls = mocked(*[httpx.Response(status)] * 2)
    assert (reply.status, calls) == (status, 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_attack_20_a_redirect_is_neither_followed_nor_asked_again(status):
    problem, calls = mocked(*[httpx.Response(status, headers={"location": "https://evil.test/?s=1"})] * 2)
    assert (problem.code.name, problem.detail, calls) == ("redirected", "to evil.test", 1)


def test_a_new_run_may_make_one_attempt_only():
    problem, calls = mocked(httpx.Response(503), attempts=1)
    assert (problem.code.name, calls) == ("server-error", 1)


def test_pauses_grow_and_differ():
    sleeps = Sleeps()
    mocked(*[httpx.Response(503)] * 4, attempts=4, backoff=0.5, sleep=sleeps)
    first, second, third = sleeps.seconds
    assert 0.5 <= first <= 1.0 <= second <= 1.5 <= 2.0 <= third <= 2.5
    assert len({round(seconds % 0.5, 6) for seconds in sleeps.seconds}) > 1


def test_a_pause_is_never_shorter_than_the_provider_asked_for():
    sleeps = Sleeps()
    mocked(httpx.Response(429, headers={"retry-after": "7"}), httpx.Response(200), sleep=sleeps)
    assert 7.0 <= sleeps.seconds[0] <= 7.5


def test_a_provider_that_asks_to_wait_beyond_the_deadline_is_not_asked_again():
    sleeps = Sleeps()
    problem, calls = mocked(httpx.Response(429, headers={"retry-after": "3600"}), sleep=sleeps)
    assert (problem.code.name, problem.detail, calls) == ("throttled", "it asks to wait 3600 s", 1)
    assert sleeps.seconds == []


def test_the_deadline_ends_all_attempts():
    async def never(_request):
        await asyncio.Event().wait()

    started = asyncio.run(clock())
    with pytest.raises(NotAsked) as raised:
        get(never, timeout=0.1, deadline=0.25, attempts=100)
    assert raised.value.code.name == "timed-out"
    assert asyncio.run(clock()) - started < 2


async def clock() -> float:
    return asyncio.get_running_loop().time()


def test_a_closed_port_is_not_reached():
    with pytest.raises(NotAsked) as raised:
        get(routes={"twilio": DEAD})
    assert (raised.value.code.name, raised.value.detail) == ("not-reached", "connection refused")


def test_a_name_that_does_not_resolve_is_told_apart(monkeypatch):
    async def fail(*_args, **_named):
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr("reconciler.network.PublicResolver.resolve", fail)
    with pytest.raises(NotAsked) as raised:
        get(routes={})
    assert raised.value.code.name == "host-not-found"


def test_attack_25_a_name_that_leads_to_a_private_address_is_not_reached(monkeypatch):
    async def private(self, host, port=0, family=0):
        return [{"hostname": host, "host": "10.0.0.1", "port": port, "family": family, "proto": 0, "flags": 0}]

    monkeypatch.setattr("aiohttp.ThreadedResolver.resolve", private)
    with pytest.raises(NotAsked) as raised:
        get(routes={})
    assert raised.value.detail == "its name leads to an address of a private network"


# limits


def counting(open_now: list[int]):
    """A handler that notes how many requests are open, and takes its time."""
    count = 0

    async def handler(request):
        nonlocal count
        count += 1
        open_now.append(count)
        await asyncio.sleep(0.02)
        count -= 1
        return await ok(request)

    return handler


def many(accounts, **limits) -> int:
    """The most requests that were open at once."""
    open_now: list[int] = []

    async def run():
        async with serving(counting(open_now)) as origin, pooled(routes={"twilio": origin}, **limits) as pool:
            http = pool.for_provider("twilio", (HOST,))
            await asyncio.gather(*[http.get(URL, headers=HEADERS, account=account) for account in accounts])
            return len(pool._turns)

    assert asyncio.run(run()) == 0, "idle accounts are forgotten"
    return max(open_now)


def test_one_account_is_asked_a_little_at_a_time():
    assert many(["AC1"] * 8, per_account=2) == 2


def test_all_together_stay_below_the_parallelism():
    assert many([f"AC{n}" for n in range(12)], parallelism=4) == 4


def test_who_waits_to_be_asked_again_holds_no_slot():
    """With one slot, another account is asked while the first one backs off."""
    asked = []

    async def handler(request):
        account = request.headers["X-Account"]
        asked.append(account)
        return web.Response(status=503 if asked == ["a"] else 200)

    async def run():
        waiting, other_done = asyncio.Event(), asyncio.Event()

        async def sleep(_seconds):
            waiting.set()
            await other_done.wait()

        async with serving(handler) as origin, pooled(parallelism=1, routes={"twilio": origin}, sleep=sleep) as pool:
            http = pool.for_provider("twilio", (HOST,))
            first = asyncio.create_task(http.get(URL, headers={"x-account": "a"}, account="a"))
            await waiting.wait()
            await http.get(URL, headers={"x-account": "b"}, account="b")
            other_done.set()
            await first

    asyncio.run(asyncio.wait_for(run(), 5))
    assert asked == ["a", "b", "a"]


def test_attack_56_a_large_answer_is_not_read_to_its_end():
    sent = 0

    async def large(request):
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        while sent < 500 * 2**20:
            await response.write(b"x" * 2**20)
            sent += 2**20
        return response

    with pytest.raises(NotAsked) as raised:
        get(large)
    assert raised.value.code.name == "unexpected-answer"
    assert sent < 50 * 2**20


def test_attack_56_a_small_answer_that_unpacks_to_a_large_one_is_refused():
    async def bomb(_request):
        body = gzip.compress(b" " * 2**22)
        return web.Response(body=body, headers={"Content-Type": "application/json", "Content-Encoding": "gzip"})

    with pytest.raises(NotAsked, match="larger than 64 KiB"):
        get(bomb)


def test_what_does_not_unpack_is_unexpected():
    async def broken(_request):
        return web.Response(body=b"no gzip", headers={"Content-Encoding": "gzip"})

    with pytest.raises(NotAsked, match="not well-formed HTTP"):
        get(broken)


@pytest.mark.parametrize(
    "said", [b"SSH-2.0-OpenSSH_9.9", b"HTTP/1.1 401 Un\xb2zed\r\nContent-Length: 0"], ids=["SSH", "no text"]
)
def test_what_is_not_http_is_unexpected(said):
    async def run():
        async def garbage(_reader, writer):
            writer.write(said + b"\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(garbage, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, pooled(routes={"twilio": f"http://127.0.0.1:{port}"}) as pool:
            await pool.for_provider("twilio", (HOST,)).get(URL, headers=HEADERS, account="AC1")

    with pytest.raises(NotAsked) as raised:
        asyncio.run(run())
    assert raised.value.code.name == "unexpected-answer"


# secrets


BAD_VALUES = {
    "12 final line break": SECRET + "\n",
    "13 header injection": SECRET + "\r\nX-Evil: 1",
    "14 not ASCII": SECRET + "ä",
    "12 tab": SECRET + "\t",
    "13 NUL": SECRET + "\0",
    "12 outer space": SECRET + " ",
    "12 empty": "",
}


@pytest.mark.parametrize("value", BAD_VALUES.values(), ids=BAD_VALUES)
@pytest.mark.parametrize(
    "header",
    [bearer, lambda s: scheme("App", s), lambda s: basic("AC1", s), lambda s: s],
    ids=["bearer", "app", "basic", "raw"],
)
def test_attacks_12_to_14_a_value_that_is_no_header_is_refused_and_not_repeated(header, value):
    asked = []

    async def handler(request):
        asked.append(request)
        return await ok(request)

    with pytest.raises(SecretUnavailable) as raised:
        get(handler, headers={"authorization": header(Secret(value))})
    assert raised.value.code.name == "secret-malformed"
    assert SECRET not in "".join(traceback.format_exception(raised.value))
    assert asked == []


def test_a_header_name_is_a_name():
    with pytest.raises(ValueError, match="letters, digits and hyphens"):
        get(headers={"x\r\ny": "1"})


def test_attacks_15_and_17_debug_logging_shows_no_secret(caplog):
    caplog.set_level(logging.DEBUG)
    get(times=2)
    assert SECRET not in caplog.text
    assert not [record for record in caplog.records if record.name.startswith(("httpx", "httpcore", "aiohttp"))]


def test_attack_17_cookies_are_not_kept():
    seen = []

    async def handler(request):
        seen.append(request.headers.get("Cookie"))
        return await ok(request)

    get(handler, times=2)
    assert seen == [None, None]


def test_attack_19_nothing_of_ours_turns_on_the_debug_output_of_http_client():
    sources = PACKAGE.rglob("*.py")
    assert not [path for path in sources if "debuglevel" in path.read_text() or "http.client" in path.read_text()]


@pytest.mark.parametrize("answer", [httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x")])
def test_a_failure_carries_no_request_along(answer):
    """httpx hangs the request, with its headers, on its exceptions."""
    problem, _ = mocked(*[answer] * 3)
    assert problem.__cause__ is None
    assert problem.__context__ is None or not hasattr(problem.__context__, "request")


def test_attack_26_proxies_of_the_environment_are_ignored(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, DEAD)
        monkeypatch.setenv(name.lower(), DEAD)
    assert get().status == 200


def test_attack_28_netrc_does_not_replace_our_authorization(monkeypatch, tmp_path):
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"machine {HOST} login evil password evil\nmachine 127.0.0.1 login evil password evil\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    seen = []

    async def handler(request):
        seen.append(request.headers.getall("Authorization"))
        return await ok(request)

    get(handler)
    assert seen == [[f"Bearer {SECRET}"]]


# TLS


def test_attack_27_over_tls_no_session_key_is_logged(tmp_path, monkeypatch):
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    tls, pem = certificate(tmp_path, HOST)
    assert get(tls=tls, ca_file=pem).status == 200
    assert not (tmp_path / "keys").exists()


def test_attack_25_a_certificate_for_another_name_is_refused(tmp_path):
    tls, pem = certificate(tmp_path, "api.evil.test")
    with pytest.raises(NotAsked) as raised:
        get(tls=tls, ca_file=pem)
    assert raised.value.code.name == "tls-failed"
    assert HOST in raised.value.detail


def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(tmp_path):
    tls, _ = certificate(tmp_path, HOST)
    sleeps = Sleeps()
    with pytest.raises(NotAsked) as raised:
        get(tls=tls, sleep=sleeps)
    assert (raised.value.code.name, raised.value.detail) == ("tls-failed", "self-signed certificate")
    assert sleeps.seconds == []
