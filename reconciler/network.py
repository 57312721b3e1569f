"""Where a request may go and over what: host rules, loopback routes, TLS, addresses; and what a broken one means.

Sends nothing. Every rule is decided on text, before anything is resolved or handed to a library.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import ssl
from pathlib import Path

import aiohttp
import certifi
import httpx
from aiohttp.abc import ResolveResult

from reconciler import regular
from reconciler.errors import ReconcilerError, UsageError

LARGEST_CA_FILE = 4 * 1024 * 1024
"""Bytes of a file of certificates."""

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_URL = re.compile(rf"https://(?P<host>(?:{_LABEL}\.)+[a-z]{{2,63}})(?::443)?(?P<path>/[!\"$-\[\]-~]*)")
"""No userinfo, other port, backslash, fragment, upper case, IP literal, trailing dot or escaped host passes."""
_ROUTE = re.compile(r"(?P<origin>https?://(?P<host>localhost|\[::1\]|127(?:\.[0-9]{1,3}){3})(?::[0-9]{1,5})?)/?")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_INSIDE = tuple(
    map(
        ipaddress.ip_network,
        (
            "64:ff9b:1::/48",  # a network's own NAT64: RFC 8215
            "::/96",  # embeds IPv4, deprecated: RFC 4291
            "fec0::/10",  # site-local, deprecated: RFC 3879
            "192.0.0.0/24",  # Oracle's metadata among others: RFC 6890
            "168.63.129.16/32",  # Azure's agent
        ),
    )
)
"""Addresses inside a network that ``ipaddress`` counts as global."""


class PrivateAddressError(Exception):
    """A provider's public name led to an address of a private network."""


def target(url: str, hosts: tuple[str, ...]) -> tuple[str, str]:
    """Host and path of ``url``. ``hosts`` are whole names, or suffixes with a leading dot.

    Raises ReconcilerError ``bad-value`` for anything but a plain https address of one of them.
    """
    match = _URL.fullmatch(url)
    host = match["host"] if match else ""
    if match is None or not any(host == h or (h.startswith(".") and host.endswith(h)) for h in hosts):
        raise ReconcilerError("bad-value", f"not an https address of {', '.join(hosts)}")
    return host, match["path"]


def loopback(provider: str, origin: str) -> str:
    """``origin`` without a final slash. Raises UsageError ``no-sandbox-url`` where it leaves this machine."""
    match = _ROUTE.fullmatch(origin)
    if match is None or not _is_loopback(match["host"].strip("[]")):
        raise UsageError("no-sandbox-url", f"the address given for {provider} is not one")
    return match["origin"]


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """A context that checks names and chains against certifi's authorities, and those in ``ca_file``.

    Made by hand: ``ssl.create_default_context`` honours SSLKEYLOGFILE, which writes every session's keys to a file.
    Raises UsageError ``no-such-file`` or ``unreadable``.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(certifi.where())
    if ca_file is not None:
        given = regular.read(ca_file, LARGEST_CA_FILE, f"--ca-file {ca_file}")
        try:
            context.load_verify_locations(cadata=given.decode("ascii", "ignore"))  # comments
        except (ValueError, ssl.SSLError):
            raise UsageError("unreadable", f"--ca-file {ca_file} holds no certificates in PEM") from None
    if context.keylog_filename is not None:
        raise RuntimeError("the TLS context would log its keys")
    return context


class PublicResolver(aiohttp.ThreadedResolver):
    """Resolves as the system does, and refuses addresses that are not of the public internet.

    The TLS name check is the real guard against a name that was pointed elsewhere; this keeps the connection itself
    from being opened. ``localhost`` stands in a route only, and may be what it is.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await super().resolve(host, port, family)
        public = [result for result in found if host == "localhost" or is_public(result["host"])]
        if not public:
            raise PrivateAddressError
        return public


def is_public(address: str) -> bool:
    """Whether an IP address is of the public internet; one that embeds an IPv4 address is judged by that."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        embedded = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else ip.ipv4_mapped or ip.sixtofour
        ip = embedded or ip
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _INSIDE)


_MALFORMED = (
    aiohttp.ClientResponseError, httpx.ProtocolError, httpx.DecodingError, httpx.InvalidURL, UnicodeError,
)  # fmt: skip
_CAUSES = (aiohttp.ClientError, OSError, PrivateAddressError)
"""What stands behind the transport's exceptions, which tell less: it calls every failed connection a timeout."""


def meaning(error: Exception) -> tuple[str, str, bool]:
    """What a library's exception says: a code, a detail in our own words, and whether another attempt may help.

    The libraries' own texts and objects may hold the request with its headers; nothing of them is passed on.
    """
    cause = error.__cause__ if isinstance(error.__cause__, _CAUSES) else error
    if isinstance(cause, PrivateAddressError):
        return "not-reached", "its name leads to an address of a private network", False
    if isinstance(cause, ssl.SSLError | aiohttp.ClientSSLError | ssl.CertificateError):
        return "tls-failed", _certificate_fault(cause), False
    if isinstance(cause, aiohttp.ClientConnectorDNSError | socket.gaierror):
        return "host-not-found", "", True
    if isinstance(cause, TimeoutError | httpx.TimeoutException):
        return "timed-out", "", True
    if isinstance(cause, _MALFORMED):
        return "unexpected-answer", "it is not well-formed HTTP", False
    number = getattr(cause, "errno", None)
    return "not-reached", os.strerror(number).lower() if number else "the connection broke off", True


def _certificate_fault(error: BaseException) -> str:
    """Why a certificate was refused, in OpenSSL's fixed words, or nothing."""
    inner = getattr(error, "certificate_error", None) or error
    return str(getattr(inner, "verify_message", ""))[:200]
