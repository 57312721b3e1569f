"""Real servers on loopback in Twilio's place, and the client that asks them."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager

from aiohttp import web

from reconciler.http import HttpPool, bearer
from reconciler.secret import Secret

SECRET = "zq7-secret-value-zq7"
HEADERS = {"authorization": bearer(Secret(SECRET))}
HOST = "api.twilio.com"
URL = f"https://{HOST}/x.json?page=1"
OTHER_ADDRESSES = {
    "21 plain http": "http://api.twilio.com/x",
    "21 no scheme": "//api.twilio.com/x",
    "22 metadata address": "https://169.254.169.254/",
    "22 decimal address": "https://2852039166/",
    "22 hexadecimal address": "https://0xa9fea9fe/",
    "22 short address": "https://169.254.43518/",
    "22 mapped address": "https://[::ffff:169.254.169.254]/",
    "22 loopback": "https://127.0.0.1/",
    "23 userinfo": "https://api.twilio.com@evil.test/",
    "23 userinfo with port": "https://api.twilio.com:443@evil.test/",
    "23 backslash": "https://api.twilio.com\\@evil.test/",
    "23 userinfo before the right host": "https://user:pw@api.twilio.com/",
    "24 longer name": "https://api.twilio.com.evil.test/",
    "24 name before": "https://evilapi.twilio.com/",
    "24 suffix without its dot": "https://evilinfobip.com/",
    "24 suffix alone": "https://infobip.com/",
    "24 Cyrillic letter": "https://аpi.twilio.com/",
    "24 escaped dot": "https://api%2etwilio.com/",
    "24 trailing dot": "https://api.twilio.com./",
    "24 upper case": "https://API.twilio.com/",
    "24 empty label": "https://..infobip.com/",
    "24 label of hyphens": "https://-.infobip.com/",
    "other port": "https://api.twilio.com:8443/x",
    "fragment": "https://api.twilio.com/x#y",
    "line break": "https://api.twilio.com/x\r\nHost: evil.test",
    "final line break": "https://api.twilio.com/x\n",
    "space": "https://api.twilio.com/x y",
    "no path": "https://api.twilio.com",
    "other host": "https://accounts.twilio.com/x",
}
"""None of them is Twilio's or Infobip's, and each looks as if it were, or leads inside. By row of docs/attacks.md."""


class Sleeps:
    """Stands in for sleeping: notes the seconds and goes on."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


@asynccontextmanager
async def serving(handler, tls: ssl.SSLContext | None = None):
    runner = web.ServerRunner(web.Server(handler, access_log=None, handler_cancellation=True), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def ok(_request):
    return web.json_response({"a": 1}, headers={"Set-Cookie": f"session={SECRET}"})


def pooled(**limits) -> HttpPool:
    return HttpPool(**{"sleep": Sleeps(), "backoff": 0.001} | limits)


def get(handler=ok, *, url=URL, times=1, headers=HEADERS, tls=None, **limits):
    """The last of ``times`` answers of a server that stands in for Twilio."""

    async def run():
        async with serving(handler, tls) as origin, pooled(**{"routes": {"twilio": origin}} | limits) as pool:
            http = pool.for_provider("twilio", (HOST,))
            for _ in range(times):
                reply = await http.get(url, headers=headers, account="AC1")
            return reply

    return asyncio.run(run())
