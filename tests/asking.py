"""Credentials that the sandbox knows, and one way to have a provider ask about them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import respx

from reconciler import plugins
from reconciler.errors import NotAsked
from reconciler.http import HttpPool
from reconciler.model import Verdict
from reconciler.sandbox import right_secret, serve
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
