"""Credentials that the sandbox knows, and one way to have a provider ask about them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import respx

from reconciler import plugins
from reconciler.errors import NotAsked
from reconciler.http import Http, HttpPool
from reconciler.model import Verdict
from reconciler.reply import Passing, Reply, judge
from reconciler.sandbox import SCENARIOS, right_secret, serve
from reconciler.sandbox.answers import Answer
from reconciler.sandbox.scenarios import Case
from reconciler.sandbox.services import SERVICES, Question
from reconciler.scrub import Scrubber
from reconciler.secret import Secret

API_KEY_SID = "SK" + "0" * 31 + "1"
QUICK = {"timeout": 5.0, "backoff": 0.001}
"""Limits for tests, in seconds: patient with a slow machine, and without pauses."""
IMPATIENT = {"timeout": 0.2, "attempts": 2}


@dataclass(frozen=True)
class Kind:
    """One way to sign in at one provider."""

    provider: str
    identifier: str
    """Pattern of the identifier: ``{}`` becomes the four characters that choose a scenario."""
    key: str
    field: str
    more: Mapping[str, str]

    def settings(self, ending: str = "0001") -> dict[str, str]:
        return {self.key: self.identifier.format(ending), **self.more}

    def right(self, ending: str = "0001") -> dict[str, Secret]:
        return {self.field: Secret(right_secret(self.provider, self.settings(ending), self.field))}


KINDS = {
    "twilio": Kind("twilio", "AC" + "0" * 28 + "{}", "account_sid", "auth_token", {}),
    "twilio-api-key": Kind(
        "twilio", "AC" + "0" * 28 + "{}", "account_sid", "api_key_secret", {"api_key_sid": API_KEY_SID}
    ),
    "sinch": Kind("sinch", "0" * 28 + "{}", "service_plan_id", "api_token", {"region": "eu"}),
    "infobip": Kind("infobip", "https://demo{}.api.infobip.com", "base_url", "api_key", {}),
}


async def no_sleep(_seconds: float) -> None:
    await asyncio.sleep(0)


def ask(kind: Kind, settings: Mapping[str, str], secrets: Mapping[str, Secret], **limits) -> Verdict:
    """Have the provider ask a sandbox of its own, over real HTTP. Raises what the provider raises."""

    async def run() -> Verdict:
        provider = plugins.provider(kind.provider)
        limits.setdefault("sleep", no_sleep)
        async with serve() as origin, HttpPool(routes={provider.name: origin}, **QUICK | limits) as pool:
            return await provider.check(settings, secrets, pool.for_provider(provider.name, provider.hosts))

    return asyncio.run(run())


def come_to(kind: Kind, ending: str, secrets: Mapping[str, Secret] | None = None) -> Verdict | NotAsked:
    """What asking about a scenario comes to: a verdict, or why there is none."""
    limits = IMPATIENT if ending == "9408" else {}
    try:
        return ask(kind, kind.settings(ending), kind.right(ending) if secrets is None else secrets, **limits)
    except NotAsked as problem:
        return problem


def code_of(outcome: Verdict | NotAsked) -> str:
    return outcome.code if isinstance(outcome, Verdict) else outcome.code.name


def answered(kind: Kind, *answers, settings: Mapping[str, str] | None = None, ending: str = "0001"):
    """What a provider makes of exact answers, and the requests that it made. An answer is an ``httpx.Response``."""

    async def run():
        provider = plugins.provider(kind.provider)
        async with HttpPool(sleep=no_sleep, **QUICK) as pool:
            with respx.mock(using="httpx") as router:
                router.route().mock(side_effect=list(answers))
                http = pool.for_provider(provider.name, provider.hosts)
                try:
                    outcome = await provider.check(settings or kind.settings(ending), kind.right(ending), http)
                except NotAsked as problem:
                    outcome = problem
                return outcome, [call.request for call in router.calls]

    return asyncio.run(run())


Place = tuple[int, tuple[str | int, ...]]
"""The number of an answer, and the keys that lead to a text of its body."""
Played = Callable[[Question], Answer]
"""What a service answers to a question."""


@dataclass
class Echoing:
    """Stands in the network's place: gives documented answers, one text of which repeats what was sent."""

    answer: Played
    authorization: str
    """What the service takes for right, whatever is really sent."""
    at: Place = (0, ())
    echo: str = ""
    """What stands at that place of that answer, and in its header for the request's id; empty: nothing does."""
    sent: str = ""
    bodies: list[Any] = field(default_factory=list)
    """Those given, as documented."""

    async def get(self, url: str, *, headers: Mapping[str, str | Secret], account: str) -> Reply:
        value = headers["authorization"]
        self.sent = value.reveal() if isinstance(value, Secret) else value
        asked = urlsplit(url)
        question = Question(asked.hostname or "", asked.path, self.authorization or self.sent)
        answer = self.answer(question)
        body = answer.body(account) if callable(answer.body) else answer.body
        more = {**answer.headers, "content-type": answer.content_type}
        if self.echo and len(self.bodies) == self.at[0]:
            body, more["x-request-id"] = _put(body, self.at[1], self.echo), self.echo
        self.bodies.append(body)
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        response = httpx.Response(answer.status, content=content, headers=more)
        try:
            return judge(question.host, f"GET https://{question.host}", response, content, Scrubber(headers))
        except Passing as passing:
            raise passing.problem from None


def leaves(body: Any, *path: str | int) -> Iterator[tuple[str | int, ...]]:
    """The places of a body that hold a text or a number."""
    if isinstance(body, dict | list):
        for key, value in body.items() if isinstance(body, dict) else enumerate(body):
            yield from leaves(value, *path, key)
    elif path and not isinstance(body, bool):
        yield path


def _put(body: Any, path: tuple[str | int, ...], value: str) -> Any:
    if not path:
        return body
    copy = here = deepcopy(body)
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = value
    return copy


def play(kind: Kind, secrets: Mapping[str, Secret], echoing: Echoing) -> Verdict | NotAsked:
    """What a provider makes of it."""

    async def run() -> Verdict | NotAsked:
        try:
            return await plugins.provider(kind.provider).check(kind.settings(), secrets, cast("Http", echoing))
        except NotAsked as problem:
            return problem

    return asyncio.run(run())


def answers_of(kind: Kind) -> Iterator[Played]:
    """Every way in which the sandbox has a service answer a kind's questions in JSON, each once."""
    service = SERVICES[kind.provider]
    identifier = service.declared(kind.settings()[kind.key])
    yield lambda question: service.answer(question, identifier)
    seen: list[Answer] = []
    for scenario in SCENARIOS:
        case = scenario.of(kind.provider)
        if isinstance(case, Case) and case.answer not in seen and not isinstance(case.answer.body, str | None):
            seen.append(case.answer)
            yield lambda _, answer=case.answer: answer
