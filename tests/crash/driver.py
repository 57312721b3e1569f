"""A process that runs our command in children of its own, each of which may meet a fault at a named point.

One line of JSON on stdin is a list of runs, side by side; one line on stdout is how they ended. The children are
forked, so that each is a real process that can really be killed, and none has to import everything again. Nothing in
the product knows of this: the points are laid around our objects here, in the child.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
import threading
import time
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

from reconciler import cli, http
from reconciler.stores import sqlite
from reconciler.stores._store import SqlStore
from reconciler.stores.base import Store

STORE_CALLS = tuple(name for name, call in vars(Store).items() if not name.startswith("_") and callable(call))
"""All that the protocol has: a call that comes to it is a point by itself."""


class Faults:
    """Names every point that a run passes, and does at one of them what it was told to."""

    def __init__(self, at: str, how: str, store: Path, log: Path) -> None:
        self.at, self.how, self.store = at, how, store
        self.log = log.open("a")
        self.passed: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.connection: sqlite3.Connection | None = None

    def point(self, name: str) -> None:
        """``NAME#2`` is the second time that a run comes by."""
        with self.lock:
            self.passed[name] += 1
            point = f"{name}#{self.passed[name]}"
            self.log.write(f"{point}\n")
            self.log.flush()
        if point == self.at:
            getattr(self, self.how)()

    def kill(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def term(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    def stop(self) -> None:
        """This very thread first: it must not get any further."""
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)

    def interrupt(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    def impatient(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    def gone(self) -> None:
        """The disk with the store is taken away; whoever has the file open goes on in it unseen."""
        self.store.rename(self.store.with_suffix(".away"))

    def full(self) -> None:
        """From here on there is not one more page for the store."""
        if self.connection is not None:
            (pages,) = self.connection.execute("PRAGMA page_count").fetchone()
            self.connection.execute(f"PRAGMA max_page_count = {pages}")


class Watched:
    """A connection of which every statement is a point."""

    def __init__(self, connection: sqlite3.Connection, faults: Faults) -> None:
        self._connection, self._faults = connection, faults

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        self._faults.connection = self._connection
        words = sql.split()
        writes = words[0] in ("INSERT", "UPDATE", "DELETE", "SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
        name = " ".join(words[:3] if words[0] in ("INSERT", "DELETE") else words[:2])
        if writes:
            self._faults.point(f"sql {name}, before")
        done = self._connection.execute(sql, *values)
        if words[0] == "COMMIT":
            self._faults.point("sql COMMIT, after")
        return done

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def lay(faults: Faults) -> None:
    """Lay the points around the store's calls, its statements, and what providers are asked."""
    made = sqlite._Sqlite.__init__

    def connected(self: Any, connection: sqlite3.Connection, *rest: Any) -> None:
        made(self, Watched(connection, faults), *rest)

    sqlite._Sqlite.__init__ = connected
    for name in STORE_CALLS:
        setattr(SqlStore, name, around(getattr(SqlStore, name), f"store {name}", faults))
    ask = http.HttpPool.ask

    async def asked(self: Any, *arguments: Any) -> Any:
        faults.point("provider, before")
        answer = await ask(self, *arguments)
        faults.point("provider, after")
        return answer

    http.HttpPool.ask = asked


def around(function: Any, name: str, faults: Faults) -> Any:
    def called(*arguments: Any, **named: Any) -> Any:
        faults.point(f"{name}, before")
        answer = function(*arguments, **named)
        faults.point(f"{name}, after")
        return answer

    return called


def child(run: dict[str, Any]) -> int:
    """One command line in a folder, what it says kept beside it."""
    os.chdir(run["folder"])
    os.environ.clear()
    os.environ.update(run["env"])
    for name, number in (("out", 1), ("err", 2)):
        os.dup2(os.open(f"{run['folder']}/../{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    if "at" in run or run.get("points"):
        log = Path(run["folder"]).parent / "points"
        lay(Faults(run.get("at", ""), run.get("how", "kill"), Path(run["store"]), log))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    code = cli.run(run["arguments"])
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return code


def forked(run: dict[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            code = child(run)
        finally:
            os._exit(code)
    return pid


def ended(pid: int, after: float | None) -> int:
    """The exit code of a child, or the signal below zero; killed after so many seconds, where that is given."""
    deadline = None if after is None else time.monotonic() + after
    while deadline is not None:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= deadline:
            os.kill(pid, signal.SIGKILL)
            break
        time.sleep(0.001)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main() -> None:
    for line in sys.stdin:
        runs = json.loads(line)
        pids = [forked(run) for run in runs]
        codes = [ended(pid, run.get("after")) for pid, run in zip(pids, runs, strict=True)]
        sys.stdout.write(json.dumps(codes) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    # imported once, for all children
    for module in (
        "app.applying", "app.approving", "app.carrying", "app.asking", "app.preparing", "sandbox.server", "cli.apply",
        "app.planfiles", "app.resuming", "app.restoring", "app.checking", "app.listing", "app.locks", "app.consuming",
        "cli.manifest", "cli.restore", "cli.stored", "cli.lock", "cli.consume",
        "providers.twilio", "providers.sinch", "providers.infobip", "render.table", "render.json", "resolvers.env",
    ):  # fmt: skip
        import_module(f"reconciler.{module}")
    import_module("cryptography.hazmat.primitives.ciphers.aead")
    if len(sys.argv) > 1:
        # one run alone, for whoever wants its process
        sys.exit(child(json.loads(sys.argv[1])))
    main()
