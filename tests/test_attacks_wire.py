"""Attacks on the way to a provider, on the client and transport that are really used, against real loopback servers."""

from __future__ import annotations

import asyncio
import io
import logging
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import aiohttp
import pytest
from aiohttp import web
from certificates import certificate
from packaged import PACKAGE
from wire import HEADERS, HOST, OTHER_ADDRESSES, SECRET, URL, get, ok, pooled, serving

from reconciler import logs
from reconciler.errors import NotAsked, ReconcilerError, SecretUnavailable
from reconciler.http import bearer
from reconciler.resolvers.base import usable
from reconciler.secret import Secret

EVERY_REDIRECT = (301, 302, 303, 307, 308)
SENT = {"authorization": bearer(Secret(SECRET)), "x-api-key": Secret(SECRET)}


def noting(asked: list):
    """A handler that notes each request and answers as Twilio would."""

    async def handler(request):
        asked.append((request.path_qs, dict(request.headers)))
        return await ok(request)

    return handler


# 12 to 14: no value that is no header


@pytest.mark.parametrize("end", ["\n\n", "\r\nX-Evil: 1", "\nX-Evil: 1", "\t", "\0", "ä", "\x7f", "\u2028"])
def test_attacks_12_to_14_such_a_value_is_refused_where_it_is_resolved_already(end):
    with pytest.raises(SecretUnavailable) as raised:
        usable(SECRET + end)
    assert raised.value.code.name == "secret-malformed"
    assert SECRET not in repr(raised.value) + str(raised.value)


@pytest.mark.parametrize("end", ["\r\nX-Evil: 1", "\nX-Evil: 1", "ä", "\t"])
def test_attacks_12_to_14_apply_asks_nobody_with_such_a_value(end, project, refusing_server):
    project.right_secrets()
    server = refusing_server(401)
    project.env["TWILIO_AUTH_TOKEN"] = SECRET + end
    routes = [f"--sandbox-url={name}={server}" for name in ("twilio", "sinch", "infobip")]
    done = project.run("apply", "--yes", "--only", "marketing-us", "--format", "json", *routes)
    assert done.code == 3
    [outcome] = done.json["outcomes"]
    assert (outcome["result"], outcome["problem"]["code"]) == ("failed", "secret-malformed")
    assert outcome.get("verdict") is None
    assert SECRET not in done.out + done.err


# 15 to 17: what libraries write down


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_attacks_15_and_17_every_library_at_debug_writes_down_no_secret(tls, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    context, pem = certificate(tmp_path, HOST) if tls else (None, None)
    for name in ("httpx", "httpcore", "aiohttp", "aiohttp.client", "asyncio"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    get(times=2, headers=SENT, tls=context, ca_file=pem)
    assert SECRET not in caplog.text
    assert "session=" not in caplog.text
    assert {logging.getLogger(name).level for name in ("httpx", "httpcore", "aiohttp")} == {logging.WARNING}


@pytest.mark.parametrize("format_", logs.FORMATS)
def test_attacks_16_and_17_the_last_net_masks_an_address_and_a_cookie(format_):
    stream, logger = io.StringIO(), logging.getLogger("reconciler")
    before = logger.handlers[:], logger.level, logger.propagate
    secret = "0123456789abcdef" * 2
    try:
        logs.configure("debug", format_, stream)
        logger.info("GET https://host/x?token=%s&page=1", secret)
        logger.info("set-cookie: session=%s; Secure", secret)
    finally:
        logger.handlers[:], logger.propagate = before[0], before[2]
        logger.setLevel(before[1])
    assert stream.getvalue().count("masked") == 2
    assert secret not in stream.getvalue()


def test_attack_16_what_is_told_of_a_request_has_no_query():
    assert get(url=f"https://{HOST}/x.json?token={SECRET}").asked == f"GET https://{HOST}/x.json"


def test_attack_17_no_cookie_is_kept_by_the_client_either():
    """Only the connections' own keeping is seen on the wire: httpx sends none with a request that is made by hand."""

    async def run():
        async with serving(ok) as origin, pooled(routes={"twilio": origin}) as pool:
            await pool.for_provider("twilio", (HOST,)).get(URL, headers=SENT, account="AC1")
            return [*pool._client.cookies.jar, *pool._client._cookies.jar]

    assert asyncio.run(run()) == []


# 18 to 20: where an answer leads


def test_attack_18_no_exception_of_a_library_is_made_from_an_answer():
    sources = PACKAGE.rglob("*.py")
    assert not [path for path in sources if "raise_for_status" in path.read_text()]


@pytest.mark.parametrize("status", EVERY_REDIRECT)
def test_attack_20_nothing_is_sent_where_a_redirect_leads(status):
    asked: list = []

    async def run():
        async with serving(noting(asked)) as evil:

            async def redirect(_request):
                return web.Response(status=status, headers={"Location": f"{evil}/?session={SECRET}"})

            async with serving(redirect) as origin, pooled(routes={"twilio": origin}) as pool:
                await pool.for_provider("twilio", (HOST,)).get(URL, headers=SENT, account="AC1")

    with pytest.raises(NotAsked) as raised:
        asyncio.run(run())
    assert (raised.value.code.name, raised.value.detail) == ("redirected", "to 127.0.0.1")
    assert asked == []


# 21 to 25: which address


@pytest.mark.parametrize("url", OTHER_ADDRESSES.values(), ids=OTHER_ADDRESSES)
def test_attacks_21_to_24_no_name_is_looked_up_and_nothing_sent(url, monkeypatch):
    looked_up: list = []

    async def resolve(self, host, port=0, family=0):
        looked_up.append(host)
        raise OSError(-2, "no such name")

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", resolve)

    async def run():
        async with pooled() as pool:
            await pool.for_provider("twilio", (HOST, ".infobip.com")).get(url, headers=SENT, account="AC1")

    with pytest.raises(ReconcilerError) as raised:
        asyncio.run(run())
    assert raised.value.code.name == "bad-value"
    assert looked_up == []


def rebound(monkeypatch, tmp_path, name: str, **limits):
    """Ask for Twilio where its name leads to a server on this machine with a certificate for ``name``."""
    asked: list = []
    tls, pem = certificate(tmp_path, name)

    async def run():
        async with serving(noting(asked), tls) as origin:

            async def resolve(self, host, port=0, family=0):
                entry = {"hostname": host, "host": "127.0.0.1", "port": int(origin.rpartition(":")[2])}
                return [{**entry, "family": family, "proto": 0, "flags": 0}]

            monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", resolve)
            async with pooled(ca_file=pem, **limits) as pool:
                return await pool.for_provider("twilio", (HOST,)).get(URL, headers=SENT, account="AC1")

    try:
        return asyncio.run(run()), asked
    except NotAsked as problem:
        return problem, asked


def test_attack_25_a_name_that_leads_here_is_not_connected_to(monkeypatch, tmp_path):
    problem, asked = rebound(monkeypatch, tmp_path, HOST)
    assert (problem.code.name, problem.detail) == ("not-reached", "its name leads to an address of a private network")
    assert asked == []


def test_attack_25_where_private_addresses_are_allowed_the_certificate_still_decides(monkeypatch, tmp_path):
    problem, asked = rebound(monkeypatch, tmp_path, "evil.test", allow_private=True)
    assert problem.code.name == "tls-failed"
    assert asked == []
    reply, asked = rebound(monkeypatch, tmp_path, HOST, allow_private=True)
    assert (reply.status, len(asked)) == (200, 1)


# 26 to 28: what the environment says


def test_attack_26_no_proxy_of_the_environment_is_connected_to(monkeypatch, tmp_path):
    connected: list = []
    tls, pem = certificate(tmp_path, HOST)

    async def run(context):
        def meet(_reader, writer):
            connected.append(writer)
            writer.close()

        proxy = await asyncio.start_server(meet, "127.0.0.1", 0)
        address = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, address)
            monkeypatch.setenv(name.lower(), address)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        async with proxy, serving(ok, context) as origin, pooled(routes={"twilio": origin}, ca_file=pem) as pool:
            return await pool.for_provider("twilio", (HOST,)).get(URL, headers=HEADERS, account="AC1")

    for context in (None, tls):
        assert asyncio.run(run(context)).status == 200
    assert connected == []


def test_attack_27_a_whole_run_over_tls_logs_no_session_key(project, tmp_path):
    """aiohttp opens the log when it is imported, for contexts that we never use: it stays without a key."""
    project.right_secrets()
    tls, pem = certificate(tmp_path, HOST)
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(401)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        route = f"twilio=https://127.0.0.1:{server.server_port}"
        done = project.run(
            "apply", "--yes", "--only", "marketing-us", "--sandbox-url", route, "--ca-file", str(pem),
            env={"SSLKEYLOGFILE": str(tmp_path / "session-keys")},
        )  # fmt: skip
        server.shutdown()
    assert (done.code, len(asked)) == (3, 1), done.out + done.err
    log = tmp_path / "session-keys"
    lines = log.read_text().splitlines() if log.exists() else []
    assert [line for line in lines if not line.startswith("#")] == []


def test_attack_28_netrc_changes_no_header_over_tls_either(monkeypatch, tmp_path):
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"machine {HOST} login evil password evil\nmachine 127.0.0.1 login evil password evil\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    asked: list = []
    tls, pem = certificate(tmp_path, HOST)
    get(noting(asked), tls=tls, ca_file=pem)
    [(_, headers)] = asked
    assert headers["Authorization"] == f"Bearer {SECRET}"
