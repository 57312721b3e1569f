"""The one client, and the only place where a provider's secret is revealed to be sent: limits, retries, connections.

It never logs, follows no redirect, keeps no cookie and reads nothing from the environment. What it cannot get a usable
answer for is :class:`reconciler.errors.NotAsked`; no text of its making holds a header's value or a body.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self
from weakref import WeakValueDictionary

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from reconciler import __version__, network
from reconciler.errors import NotAsked, SecretUnavailable
from reconciler.reply import Passing, Reply, judge, now, read
from reconciler.scrub import Scrubber
from reconciler.secret import Secret

__all__ = ["Http", "HttpPool", "Reply", "basic", "bearer", "scheme"]

LONGEST_BACKOFF = 8.0
DEADLINE = 30.0
"""Seconds for one question, all attempts together, where nobody says otherwise."""
_HEADERS = {"accept": "application/json", "accept-encoding": "identity", "user-agent": f"sms-reconciler/{__version__}"}
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_PRINTABLE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_BROKEN = (
    httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError, network.PrivateAddressError,
    UnicodeError,  # the transport encodes a status line again that it read with bytes of no text in it
)  # fmt: skip
_TALKATIVE = ("httpx", "httpcore", "aiohttp")
"""Loggers of libraries that write addresses, and could write headers, at DEBUG and INFO."""


@dataclass(frozen=True, slots=True)
class Call:
    """One question that passed every rule, still with its secrets wrapped."""

    host: str
    asked: str
    url: str
    headers: Mapping[str, str | Secret]
    extensions: dict[str, Any]


def basic(user: str, password: Secret) -> Secret:
    """The value of a Basic ``Authorization`` header. Raises SecretUnavailable where ``password`` is not printable."""
    _check_value("authorization", password)  # base64 would hide a line break from the check of the whole header
    return Secret("Basic " + base64.b64encode(f"{user}:{password.reveal()}".encode()).decode())


def bearer(token: Secret) -> Secret:
    """The value of a Bearer ``Authorization`` header."""
    return scheme("Bearer", token)


def scheme(word: str, key: Secret) -> Secret:
    """The value of an ``Authorization`` header with a provider's own scheme word, such as ``App``."""
    return Secret(f"{word} {key.reveal()}")


class HttpPool:
    """All connections of one run, as an async context manager; a provider gets its share by :meth:`for_provider`."""

    def __init__(
        self,
        *,
        parallelism: int = 32,
        per_account: int = 2,
        timeout: float = 10.0,
        deadline: float = DEADLINE,
        attempts: int = 3,
        backoff: float = 0.5,
        routes: Mapping[str, str] = MappingProxyType({}),
        ca_file: Path | None = None,
        allow_private: bool = False,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Limits are counts and seconds: ``timeout`` of one attempt, ``deadline`` of all attempts at one question
        (waiting for a turn not counted), ``backoff`` before the second attempt, doubled before each later one.

        ``routes`` sends a provider's requests to a loopback origin instead. ``ca_file`` adds certificate authorities.
        ``allow_private`` admits providers' hosts at addresses of a private network.
        Raises UsageError: ``no-sandbox-url`` for a route that leaves this machine, ``no-such-file``.
        """
        self._parallelism, self._per_account = parallelism, per_account
        self._timeout, self._deadline, self._attempts = timeout, deadline, attempts
        self._routes = {name: network.loopback(name, origin) for name, origin in routes.items()}
        self._tls = network.tls_context(ca_file)
        self._allow_private = allow_private
        self._slots = asyncio.Semaphore(parallelism)
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Semaphore] = WeakValueDictionary()
        self._jitter = wait_random(0, backoff)
        self._backoff = wait_exponential(multiplier=backoff, max=LONGEST_BACKOFF) + self._jitter
        self._sleep = sleep

    async def __aenter__(self) -> Self:
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=self._tls,
                limit=self._parallelism,
                resolver=None if self._allow_private else network.PublicResolver(),
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        self._client = _Client(
            transport=AiohttpTransport(client=session, verify=self._tls, trust_env=False),
            follow_redirects=False,
            timeout=None,  # every attempt has its limit in _attempt
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._client.aclose()

    def for_provider(self, name: str, hosts: tuple[str, ...]) -> Http:
        """The share of one provider: ``hosts`` as in :attr:`reconciler.providers.base.Provider.hosts`."""
        return Http(self, name, hosts, self._routes.get(name, ""))

    async def ask(self, call: Call, turn: tuple[str, str]) -> Reply:
        """Carry out one call in its account's turn; the slot of the whole pool is held only while it is on the wire."""
        # Only frames hold the semaphore, so that an idle account's goes away by itself.
        semaphore = self._turns.get(turn) or self._turns.setdefault(turn, asyncio.Semaphore(self._per_account))
        async with semaphore:
            ends = asyncio.get_running_loop().time() + self._deadline
            try:
                return await self._attempt(call, ends)
            except Passing as passing:
                first = passing
            return await self._again(call, ends, first)

    async def _again(self, call: Call, ends: float, first: Passing) -> Reply:
        """Repeat after ``first``, which counts as attempt 1. Apart from it, because most calls never need tenacity."""
        failed = [first]

        async def attempt() -> Reply:
            if failed:
                raise failed.pop()
            return await self._attempt(call, ends)

        def is_over(state: RetryCallState) -> bool:
            return enough(state) or asyncio.get_running_loop().time() + state.upcoming_sleep >= ends

        enough = stop_after_attempt(self._attempts)
        retrying = AsyncRetrying(
            stop=is_over, wait=self._wait, retry=retry_if_exception_type(Passing), sleep=self._sleep, reraise=True
        )
        try:
            return await retrying(attempt)
        except Passing as passing:
            problem = passing.problem
        raise problem

    def _wait(self, state: RetryCallState) -> float:
        """Seconds before the next attempt: never less than the provider asked for, and never the same for two."""
        error = state.outcome.exception() if state.outcome else None
        after = error.after if isinstance(error, Passing) else 0.0
        return max(self._backoff(state), after + self._jitter(state) if after else 0.0)

    async def _attempt(self, call: Call, ends: float) -> Reply:
        """Send once. Raises Passing where another attempt may help, NotAsked where none will."""
        async with self._slots:
            left = ends - asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(min(self._timeout, left)):
                    return await self._exchange(call)
            except _BROKEN as e:
                code, detail, may_pass = network.meaning(e)
        # Raised here and not above: the library's exception holds the request, and must not hang on ours as context.
        problem = NotAsked(code, detail, asked=call.asked, at=now())
        raise Passing(problem) if may_pass else problem

    async def _exchange(self, call: Call) -> Reply:
        request = httpx.Request("GET", call.url, headers=_reveal(call.headers), extensions=call.extensions)
        response = await self._client.send(request, stream=True)
        try:
            body = await read(response)
        finally:
            await response.aclose()
        return judge(call.host, call.asked, response, body, Scrubber(call.headers))


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        """Keep none."""


_NONE_KEPT = _NoCookies()


class _Client(httpx.AsyncClient):
    """httpx keeps every answer's cookies, and to do so copies the request's headers; this one does neither."""

    @property  # type: ignore[misc]
    def cookies(self) -> httpx.Cookies:
        return _NONE_KEPT


class Http:
    """One provider's view of the pool: it may ask this provider's hosts and no others."""

    def __init__(self, pool: HttpPool, name: str, hosts: tuple[str, ...], route: str) -> None:
        self._pool = pool
        self._name = name
        self._hosts = hosts
        self._route = route

    async def get(self, url: str, *, headers: Mapping[str, str | Secret], account: str) -> Reply:
        """Ask one question, again where that may help, and give the answer: any status but 3xx, 429 and 5xx.

        ``account`` identifies the account: at most ``per_account`` questions about one are open at a time.
        Raises NotAsked where no usable answer came, SecretUnavailable (``secret-malformed``) where a header's value
        cannot be sent, and ReconcilerError (``bad-value``) where ``url`` leaves the provider's hosts.
        """
        host, path = network.target(url, self._hosts)
        for name, value in headers.items():
            _check_value(name, value)
        call = Call(
            host=host,
            asked=f"GET https://{host}{path.partition('?')[0]}",
            url=(self._route or f"https://{host}") + path,
            headers={**_HEADERS, **{name.lower(): value for name, value in headers.items()}, "host": host},
            extensions={"sni_hostname": host} if self._route.startswith("https:") else {},
        )
        return await self._pool.ask(call, (self._name, account))


def _check_value(name: str, value: str | Secret) -> None:
    """Refuse what is no header, before a library sees it: their own errors repeat the value."""
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError("a header's name is letters, digits and hyphens")
    if not _PRINTABLE.fullmatch(value.reveal() if isinstance(value, Secret) else value):
        raise SecretUnavailable("secret-malformed", f"it cannot stand in the header {name}")


def _reveal(headers: Mapping[str, str | Secret]) -> dict[str, str]:
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in headers.items()}
