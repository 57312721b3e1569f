"""How providers are asked in one run: the HTTP client, its limits, and the sandbox in a provider's place."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from reconciler import plugins
from reconciler.engine import Ask, Task
from reconciler.errors import UsageError
from reconciler.http import DEADLINE, HttpPool
from reconciler.model import Verdict
from reconciler.network import loopback
from reconciler.providers.base import asked

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asking:
    """Limits of asking, and who stands in for a provider."""

    parallelism: int = 32
    """Requests under way at once, over all providers."""
    sandbox_urls: Mapping[str, str] = field(default_factory=dict)
    """Loopback addresses by provider; empty asks the real one, or the built-in sandbox."""
    ca_file: Path | None = None
    """Certificates to trust beside the usual ones."""
    seconds: float = DEADLINE
    """How long one question may take, all attempts together."""


async def asker(stack: AsyncExitStack, asking: Asking, *, sandbox: bool) -> Ask:
    """Open the client (and the sandbox) on the stack; answers the function that asks about one change."""
    routes = dict(asking.sandbox_urls)
    if sandbox and not set(plugins.provider_names()) <= set(routes):
        from reconciler.sandbox import serve

        origin = await stack.enter_async_context(serve())
        routes = dict.fromkeys(plugins.provider_names(), origin) | routes
    pool = await stack.enter_async_context(
        HttpPool(parallelism=asking.parallelism, deadline=asking.seconds, routes=routes, ca_file=asking.ca_file)
    )

    async def ask(task: Task) -> Verdict:
        provider = plugins.provider(task.change.declared.provider)
        if sandbox and provider.name not in routes:
            raise UsageError("no-sandbox-url", f"the sandbox does not play {provider.name}")
        http = pool.for_provider(provider.name, provider.hosts)
        LOG.debug("asking %s about %s", provider.name, task.change.name)
        verdict = await asked(provider, task.change, task.secrets, http)
        LOG.info("asked %s about %s: %s (%s)", provider.name, task.change.name, verdict.code, verdict.http_status)
        return verdict

    return ask


def sandbox_routes(given: Iterable[str]) -> dict[str, str]:
    """``PROVIDER=URL`` texts as routes. Raises UsageError for another form or an unknown provider."""
    routes: dict[str, str] = {}
    for text in given:
        name, separator, url = text.partition("=")
        if not separator or not url:
            raise UsageError("no-sandbox-url", f"{text!r} is not PROVIDER=URL")
        routes[plugins.provider(name).name] = loopback(name, url)
    return routes
