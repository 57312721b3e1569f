"""The sandbox as a server on loopback: chooses a scenario by the identifier that a request is about, and answers.

It answers whoever is on this machine, holds no secret but those that anybody can derive, and writes no log.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from aiohttp import web

from reconciler.errors import UsageError
from reconciler.sandbox.answers import Answer, Effect
from reconciler.sandbox.scenarios import BY_ENDING, Case
from reconciler.sandbox.services import SERVICES, Question

LOOPBACK = "127.0.0.1"
HELP = "This is the sandbox: it answers to the host names of the services that it plays.\n"


class Sandbox:
    """One running sandbox; ``delay`` is in seconds, before every answer."""

    def __init__(self, delay: float = 0.0) -> None:
        self._delay = delay
        self._asked: Counter[str] = Counter()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        if self._delay:
            await asyncio.sleep(self._delay)
        question = Question(request.host.lower(), request.path, request.headers.get("Authorization", ""))
        provider = next((name for name, service in SERVICES.items() if service.hosts.fullmatch(question.host)), "")
        if not provider or request.method != "GET":
            return web.Response(status=404, text=HELP)
        identifier = SERVICES[provider].identifier(question)
        answer = self._scenario(provider, identifier, question) or SERVICES[provider].answer(question, identifier)
        response = await _send(request, answer, identifier)
        if provider == "twilio" and not response.prepared:
            response.headers["Twilio-Request-Id"] = f"RQ{uuid4().hex}"
        return response

    def _scenario(self, provider: str, identifier: str, question: Question) -> Answer | None:
        """The answer that the table has for this identifier, or None where the usual one is due."""
        scenario = BY_ENDING.get(SERVICES[provider].ending(identifier))
        case = scenario.of(provider) if scenario else None
        if not isinstance(case, Case) or case.answer.only not in question.path or case.answer.home == question.host:
            return None
        if case.answer.effect is Effect.EVERY_OTHER:
            self._asked[identifier] += 1
            return case.answer if self._asked[identifier] % 2 else None
        return case.answer


async def _send(request: web.BaseRequest, answer: Answer, identifier: str) -> web.StreamResponse:
    if answer.effect is Effect.NEVER:
        await asyncio.Event().wait()
    if answer.effect is Effect.CUT:
        return await _cut(request)
    body = answer.body(identifier) if callable(answer.body) else answer.body
    text = _text(body)
    headers = dict(answer.headers)
    if answer.effect is Effect.ECHO:
        sent = request.headers.get("Authorization", "")
        text = text.replace("$AUTHORIZATION", json.dumps(sent)[1:-1])
        headers = {name: value.replace("$AUTHORIZATION", sent) for name, value in headers.items()}
    content_type = answer.content_type if text else None
    return web.Response(status=answer.status, text=text or None, content_type=content_type, headers=headers)


def _text(body: Any) -> str:
    if body is None:
        return ""
    return body if isinstance(body, str) else json.dumps(body)


async def _cut(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"count": 0, ')
    if request.transport is not None:
        request.transport.close()
    return response


@asynccontextmanager
async def serve(port: int = 0, *, delay: float = 0.0) -> AsyncIterator[str]:
    """Serve while the context is open; gives the origin, ``http://127.0.0.1:PORT``. Port 0 is any free one.

    Raises UsageError where the port is taken.
    """
    server = web.Server(Sandbox(delay), access_log=None, handler_cancellation=True)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, LOOPBACK, port).start()
        except OSError as error:
            raise UsageError("usage", f"port {port} cannot be opened on {LOOPBACK}") from error
        yield f"http://{LOOPBACK}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def run(port: int, ready: Callable[[str], None], *, delay: float = 0.0) -> None:
    """Serve until interrupted. ``ready`` is called once with the origin. Raises UsageError where the port is taken."""

    async def forever() -> None:
        async with serve(port, delay=delay) as origin:
            ready(origin)
            await asyncio.Event().wait()

    try:
        asyncio.run(forever())
    except KeyboardInterrupt:
        return
