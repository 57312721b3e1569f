"""What came back from a provider: read up to a limit, judged by status and shape, and handed on without its secrets.

Sends nothing. An answer's body and headers may hold secrets (Twilio's account answer holds the auth token): they are in
no ``repr`` and in no text made here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from reconciler.errors import NotAsked
from reconciler.scrub import Scrubber

LARGEST = 64 * 1024
"""Bytes of an answer that are read; a provider's answer about a credential has a few hundred."""
_NOTHING_SENT = Scrubber({})
_HOST = re.compile(r"[a-z0-9.:-]{1,253}")


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. Providers read its body and headers by name, and only those that they know."""

    status: int
    host: str
    asked: str
    """``GET https://host/path``, without query and credentials."""
    at: str
    """When the answer was complete: RFC 3339, UTC, milliseconds."""
    content_type: str
    """Lower case, without parameters; empty where there is none."""
    json: Any = field(repr=False)
    """The parsed body, or None where it is not declared as JSON or is none."""
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""

    def header(self, name: str) -> str:
        """The value of one header, or an empty text."""
        return self.headers.get(name.lower(), "")

    @property
    def request_id(self) -> str:
        """The provider's number of this request, for its support: from any header whose name ends in that."""
        return next((value for name, value in self.headers.items() if name.endswith("request-id")), "")[:100]


class Passing(Exception):
    """The end of one attempt, where another may fare better; ``after``: seconds that the provider asks to wait."""

    def __init__(self, problem: NotAsked, after: float = 0.0) -> None:
        super().__init__()
        self.problem = problem
        self.after = after


async def read(response: httpx.Response) -> bytes | None:
    """The body, or None where it is larger than any answer that we ask for; the rest is then never read."""
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LARGEST:
            return None
    return body


def judge(
    host: str, asked: str, response: httpx.Response, body: bytes | None, scrub: Scrubber = _NOTHING_SENT
) -> Reply:
    """The answer, where a provider can read it: any status below 300, and from 400 to 499 except 429.

    Raises Passing (429, 5xx) or NotAsked (``redirected``; ``unexpected-answer`` for a body above the limit).
    """
    status, headers, at = response.status_code, scrub.headers(response.headers.items()), now()
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    parsed = _parse(body, scrub) if body and _is_json(content_type) else None
    reply = Reply(status, host, asked, at, content_type, parsed, headers)
    if status == 429 or status >= 500:
        after = _retry_after(reply.header("retry-after"))
        code = "throttled" if status == 429 else "server-error"
        raise Passing(_not_asked(code, f"it asks to wait {after:.0f} s" if after else "", reply), after)
    if 300 <= status < 400:
        raise _not_asked("redirected", f"to {_redirect_host(reply.header('location'))}", reply)
    if body is None:
        raise _not_asked("unexpected-answer", f"it is larger than {LARGEST // 1024} KiB", reply)
    return reply


def now() -> str:
    """The time as the model writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_json(content_type: str) -> bool:
    return content_type == "application/json" or (content_type[:12] == "application/" and content_type[-5:] == "+json")


def _parse(body: bytes, scrub: Scrubber) -> Any:
    """Without the secrets; None where it is no JSON, or nested deeper than can be walked."""
    try:
        return scrub.json(json.loads(body))
    except (ValueError, RecursionError):
        return None


def _not_asked(code: str, detail: str, reply: Reply) -> NotAsked:
    """An answer that says nothing about the credential, with what its provider's support needs to find it."""
    return NotAsked(code, detail, asked=reply.asked, at=reply.at, http_status=reply.status, request_id=reply.request_id)


def _redirect_host(location: str) -> str:
    """The host that a redirect names, and nothing else of it: its address may hold a session."""
    try:
        host = urlsplit(location).hostname or ""
    except ValueError:
        host = ""
    return host if _HOST.fullmatch(host) else "no readable host"


def _retry_after(text: str) -> float:
    """Seconds from a ``Retry-After`` header, given as a number or as a date; 0 where there is none."""
    if re.fullmatch(r"[0-9]{1,6}", text):
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return 0.0
