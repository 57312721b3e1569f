"""How many credentials a second an apply proves and stores, beside what its providers' answers allow at most.

Run it with ``python benchmarks/apply.py [PARALLELISM...]`` (64 and 256). A sandbox in a process of its own answers
after 50 ms, so the ceiling is parallelism / 0.05 s. Timed is from the first question to the last commit; beside it, in
the same run, a bare aiohttp session puts the same questions and stores nothing. Only the ratios say anything on another
machine.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp

from reconciler import context, sandbox
from reconciler.app.applying import How, apply
from reconciler.app.approving import FromManifest
from reconciler.app.asking import Asking
from reconciler.app.preparing import What
from reconciler.app.wiring import Where

DELAY = 0.05
ROUNDS = 40
"""Answers that each of those at once gets."""


def plan_id(number: int) -> str:
    """The sandbox accepts every service plan that ends in 0000."""
    return f"{number:028d}0000"


class Stopwatch:
    """Hears of the run, and times it from its beginning to the last outcome, which comes after its commit."""

    interactive = False
    again = "apply"

    def plan(self, report: object) -> None:
        pass

    def confirm(self, _question: str) -> bool:
        return True

    def asking(self, plan: object) -> None:
        pass

    def begin(self, _total: int) -> None:
        self.began, self.cpu = time.perf_counter(), _cpu()

    def outcome(self, _outcome: object) -> None:
        self.ended = time.perf_counter()

    def tell(self, text: str) -> None:
        pass


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@contextmanager
def served() -> Iterator[str]:
    server = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "sandbox", "--delay", str(DELAY)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        yield server.stdout.readline().split()[-1]
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()


def applied(origin: str, parallelism: int, count: int) -> tuple[float, float]:
    """Credentials a second, and CPU seconds of this process for a thousand of them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        entries, env = [], {"HOME": name}
        for number in range(count):
            entry = {"service_plan_id": plan_id(number)}
            env[f"S{number}"] = sandbox.right_secret("sinch", entry, "api_token")
            entries.append(
                f"  n{number}:\n    provider: sinch\n    region: eu\n    service_plan_id: '{plan_id(number)}'\n"
                f"    api_token: env://S{number}\n"
            )
        manifest = folder / "credentials.yaml"
        manifest.write_text(f"version: 1\nworkspace: production\ncredentials:\n{''.join(entries)}")
        watch = Stopwatch()
        where = Where(context.origin({}, "bench"), f"sqlite:///{name}/s/store.db", sandbox=True, environ=env)
        asking = Asking(parallelism, dict.fromkeys(("twilio", "sinch", "infobip"), origin))
        report = apply(where, FromManifest(What((manifest,))), How(yes=True, asking=asking), watch)
        assert [str(o.result) for o in report.outcomes] == ["created"] * count
        return count / (watch.ended - watch.began), (_cpu() - watch.cpu) / count * 1000


def asked(origin: str, parallelism: int, count: int) -> float:
    """Answers a second to the same questions from a bare session."""

    async def main() -> float:
        numbers = iter(range(count))
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=parallelism)) as session:

            async def work() -> None:
                for number in numbers:
                    secret = sandbox.right_secret("sinch", {"service_plan_id": plan_id(number)}, "api_token")
                    headers = {"Host": "eu.sms.api.sinch.com", "Authorization": f"Bearer {secret}"}
                    url = f"{origin}/xms/v1/{plan_id(number)}/batches?page_size=1"
                    async with session.get(url, headers=headers) as response:
                        assert response.status == 200
                        await response.read()

            began = time.perf_counter()
            await asyncio.gather(*(work() for _ in range(parallelism)))
            return count / (time.perf_counter() - began)

    return asyncio.run(main())


def main() -> None:
    for parallelism in [int(word) for word in sys.argv[1:]] or [64, 256]:
        count, ceiling = parallelism * ROUNDS, parallelism / DELAY
        with served() as origin:
            bare = asked(origin, parallelism, count)
            ours, cpu = applied(origin, parallelism, count)
        print(
            f"{count} credentials, {parallelism} at once: {ours:.0f} a second stored, {ours / ceiling:.0%} of "
            f"{ceiling:.0f}; "
            f"bare aiohttp {bare:.0f}, {bare / ceiling:.0%}; {cpu:.2f} CPU s a thousand; load {os.getloadavg()[0]:.1f}"
        )


if __name__ == "__main__":
    main()
