"""Where a request may go: decided on text, before anything is resolved."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl

import aiohttp
import httpx
import pytest
from wire import OTHER_ADDRESSES

from reconciler import network
from reconciler.errors import ReconcilerError, UsageError

HOSTS = ("api.twilio.com", ".infobip.com")


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://api.twilio.com/x.json", "api.twilio.com", "/x.json"),
        ("https://api.twilio.com:443/x?a=1", "api.twilio.com", "/x?a=1"),
        ("https://xyz123.api.infobip.com/account/1/balance", "xyz123.api.infobip.com", "/account/1/balance"),
        ("https://a.infobip.com/", "a.infobip.com", "/"),
    ],
)
def test_a_providers_own_address_is_taken(url, host, path):
    assert network.target(url, HOSTS) == (host, path)


@pytest.mark.parametrize("url", OTHER_ADDRESSES.values(), ids=OTHER_ADDRESSES)
def test_attacks_21_to_24_any_other_address_is_refused_before_dns(url):
    with pytest.raises(ReconcilerError) as raised:
        network.target(url, HOSTS)
    assert raised.value.code.name == "bad-value"


@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:8080", "https://127.8.9.1", "http://localhost:1/", "http://[::1]:65535"]
)
def test_a_route_on_this_machine_is_taken(origin):
    assert network.loopback("twilio", origin) == origin.removesuffix("/")


@pytest.mark.parametrize(
    "origin",
    [
        "http://192.168.0.1:80",
        "http://127.evil.test",
        "http://localhost.evil.test",
        "http://127.0.0.1@evil.test",
        "http://127.1",
        "http://127.0.0.999",
        "http://[::ffff:127.0.0.1]",
        "http://0.0.0.0:80",
        "ftp://127.0.0.1",
        "127.0.0.1:80",
        "http://127.0.0.1:80/path",
        "http://127.0.0.1:80?x",
        "http://127.0.0.1:80\n",
        "",
    ],
)
def test_a_route_that_leaves_this_machine_is_refused(origin):
    with pytest.raises(UsageError) as raised:
        network.loopback("twilio", origin)
    assert raised.value.code.name == "no-sandbox-url"


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("54.172.60.1", True),
        ("2606:4700::1111", True),
        ("64:ff9b::3636:3636", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:a9fe:a9fe::1", False),
        ("64:ff9b:1::a9fe:a9fe", False),
        ("64:ff9b:1:ffff::3636:3636", False),
        ("::a9fe:a9fe", False),
        ("::3636:3636", False),
        ("fec0::1", False),
        ("192.0.0.192", False),
        ("168.63.129.16", False),
        ("64:ff9b::a83f:8110", False),
    ],
)
def test_attack_25_an_address_is_judged_by_what_it_embeds(address, public):
    assert network.is_public(address) is public


def resolve(monkeypatch, host, *addresses):
    async def found(self, host, port=0, family=socket.AF_UNSPEC):
        return [
            {"hostname": host, "host": address, "port": port, "family": family, "proto": 0, "flags": 0}
            for address in addresses
        ]

    async def run():
        return await network.PublicResolver().resolve(host, 443)

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", found)
    return [result["host"] for result in asyncio.run(run())]


def test_attack_25_an_allowed_name_that_leads_to_a_private_address_is_refused(monkeypatch):
    with pytest.raises(network.PrivateAddressError):
        resolve(monkeypatch, "api.twilio.com", "169.254.169.254", "10.0.0.1")


def test_attack_25_of_mixed_addresses_only_public_ones_are_used(monkeypatch):
    assert resolve(monkeypatch, "api.twilio.com", "10.0.0.1", "54.172.60.1") == ["54.172.60.1"]


def test_localhost_may_be_what_it_is(monkeypatch):
    assert resolve(monkeypatch, "localhost", "127.0.0.1") == ["127.0.0.1"]


def test_attack_27_the_tls_context_checks_names_and_logs_no_keys(monkeypatch, tmp_path):
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    context = network.tls_context(None)
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert context.keylog_filename is None
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_that_holds_no_certificate_authorities_is_named(tmp_path, content):
    path = tmp_path / "ca.pem"
    if content:
        path.write_text(content)
    with pytest.raises(UsageError, match=r"ca\.pem"):
        network.tls_context(path)


def caused(cause: Exception) -> Exception:
    error = httpx.ConnectTimeout("a library's words")
    error.__cause__ = cause
    return error


KEY = aiohttp.client_reqrep.ConnectionKey("h", 443, True, True, None, None, None)


@pytest.mark.parametrize(
    ("error", "code", "detail", "may_pass"),
    [
        (caused(aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "x"))), "host-not-found", "", True),
        (
            caused(aiohttp.ClientConnectorError(KEY, OSError(errno.ECONNREFUSED, "x"))),
            "not-reached",
            "connection refused",
            True,
        ),
        (caused(aiohttp.ServerDisconnectedError()), "not-reached", "the connection broke off", True),
        (caused(aiohttp.ServerTimeoutError()), "timed-out", "", True),
        (
            caused(network.PrivateAddressError()),
            "not-reached",
            "its name leads to an address of a private network",
            False,
        ),
        (network.PrivateAddressError(), "not-reached", "its name leads to an address of a private network", False),
        (ssl.SSLError(1, "x"), "tls-failed", "", False),
        (TimeoutError(), "timed-out", "", True),
        (httpx.ReadTimeout("x"), "timed-out", "", True),
        (httpx.ConnectError("x"), "not-reached", "the connection broke off", True),
        (httpx.RemoteProtocolError("x"), "unexpected-answer", "it is not well-formed HTTP", False),
        (aiohttp.ClientResponseError(None, ()), "unexpected-answer", "it is not well-formed HTTP", False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_a_librarys_exception_means(error, code, detail, may_pass):
    assert network.meaning(error) == (code, detail, may_pass)
