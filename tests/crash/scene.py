"""A workspace on which one apply does everything that it can do, and what must be true of its store at any moment."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conftest import surroundings

from reconciler import audit, sandbox, sealing
from reconciler.secret import Secret
from reconciler.state import Record
from reconciler.stores import sqlite

HERE = Path(__file__).parent
WORKSPACE = "production"
APPLY = ("apply", "--yes", "--sandbox", "--prune", "--max-deletes", "5", "--parallelism", "2", "--lock-timeout", "30s",
         "--keep-old", "0d")  # fmt: skip
"""Nothing old is kept, so that letting it go for good is disturbed as well."""

ONCE = ("created", "updated", "renamed", "deleted", "dropped", "ready", "released")
"""Results that an event of one run has at most once for each name: what changed the store, ``check`` included."""

Entries = Mapping[str, Mapping[str, str]]

BEFORE: Entries = {
    "kept": {"provider": "twilio", "account_sid": f"AC{1:032}", "auth_token": "env://KEPT"},
    "moved": {"provider": "twilio", "account_sid": f"AC{2:032}", "auth_token": "env://MOVED"},
    "told": {"provider": "sinch", "region": "eu", "service_plan_id": f"{3:032}", "api_token": "env://TOLD"},
    "gone": {"provider": "infobip", "base_url": "https://gone01.api.infobip.com", "api_key": "env://GONE"},
    "old-name": {"provider": "twilio", "account_sid": f"AC{4:032}", "auth_token": "env://NAMED"},
    "spoilt": {"provider": "sinch", "region": "eu", "service_plan_id": f"{5:032}", "api_token": "env://SPOILT"},
}
AFTER: Entries = {
    "kept": BEFORE["kept"],
    "moved": BEFORE["moved"] | {"account_sid": f"AC{12:032}"},
    "told": BEFORE["told"] | {"label": "Told"},
    "new-name": BEFORE["old-name"] | {"moved_from": "old-name"},
    "spoilt": BEFORE["spoilt"] | {"service_plan_id": f"{9401:032}"},
    "fresh": {"provider": "twilio", "account_sid": f"AC{6:032}", "auth_token": "env://FRESH"},
    "refused": {"provider": "infobip", "base_url": "https://demo9401.api.infobip.com", "api_key": "env://REFUSED"},
}
"""Of this an apply keeps one, updates two, deletes one, renames one, creates one, and has two rejected."""


def manifest(entries: Entries) -> str:
    return json.dumps({"version": 1, "workspace": WORKSPACE, "credentials": entries})


def secrets(entries: Entries) -> dict[str, str]:
    """The right value of every reference, by variable."""
    found = {}
    for entry in entries.values():
        for key, text in entry.items():
            if text.startswith("env://"):
                found[text[6:]] = sandbox.right_secret(entry["provider"], entry, key)
    return found


@dataclass(frozen=True)
class State:
    """What a store holds, opened with its key, and in how many places it disagrees with itself."""

    records: Mapping[str, tuple[Any, ...]]
    """Declared content, label and open secrets, by name."""
    versions: Mapping[str, int]
    rejections: frozenset[str]
    done: Mapping[tuple[str, str], int]
    """How often something was stored, deleted, cancelled, found good again or ended, by name and result."""
    broken: tuple[str, ...]
    kept: frozenset[tuple[str, int]] = frozenset()
    """The former versions that can be restored."""
    answers: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """What the provider said last of each record."""
    held: bool = False
    """Whether somebody has the lease, or had it until it expired."""
    gaps: int = 0
    """Events whose version does not follow from the one before it, under the same name or the one it had before."""


@dataclass(frozen=True)
class Scene:
    """A folder with a manifest, its secrets, and a sandbox store."""

    root: Path
    env: dict[str, str]

    @property
    def folder(self) -> Path:
        return self.root / "project"

    @property
    def store(self) -> Path:
        return self.folder / ".reconciler" / "sandbox.db"

    def turn(self, entries: Entries) -> Scene:
        """The same with another manifest."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "credentials.yaml").write_text(manifest(entries))
        return Scene(self.root, surroundings(self.root) | secrets(entries))

    def copy(self, root: Path) -> Scene:
        shutil.copytree(self.root, root)
        return Scene(root, {**self.env, "HOME": str(root / "home")})

    def points(self) -> list[str]:
        return (self.root / "points").read_text().splitlines()

    def said(self) -> str:
        return (self.root / "out").read_text() + (self.root / "err").read_text()

    def state(self, *, log: bool = True) -> State:
        """What the store holds now; without ``log`` the chain, which may be long, is neither walked nor counted."""
        with closing(sqlite3.connect(self.store)) as connection:
            (fine,) = connection.execute("PRAGMA integrity_check").fetchone()
        with closing(sqlite.open_store(self.store)) as store:
            (key_file,) = (self.root / "home").glob("**/*.key")
            ring = sealing.open_keyring(store.info.id, store.slots(), Secret(key_file.read_text().strip()))
            chain = store.events(WORKSPACE) if log else ()
            broken = [problem.subject for problem in audit.verify(WORKSPACE, chain, ring.checker(WORKSPACE))]
            broken += [subject for subject, _ in store.strays(WORKSPACE)]
            broken += [] if fine == "ok" else [fine]
            snapshot = store.load(WORKSPACE)
            records = {name: _open(store, ring, record) for name, record in snapshot.records.items()}
            versions = {name: record.version for name, record in snapshot.records.items()}
            held = store.held(WORKSPACE) is not None
            names = {event.name for _, event, _ in chain} - {""}
            kept = frozenset((name, one.record.version) for name in names for one in store.kept(WORKSPACE, name))
            answers = {n: (str(r.verdict.answer), r.verdict.code) for n, r in snapshot.records.items()}
        done = Counter((event.name, event.result) for _, event, _ in chain if event.result in ONCE)
        return State(records, versions, frozenset(snapshot.rejections), done, tuple(broken), kept, answers,
                     held, _gaps(chain, versions))  # fmt: skip


def _gaps(chain: Any, versions: Mapping[str, int]) -> int:
    """How often a version is not the next one, and how many records are not what the log last said of them."""
    last: dict[str, int] = {}
    wrong = 0
    for _, event, _ in chain:
        if event.result in ("created", "updated", "renamed"):
            before = max(last.get(event.name, 0), last.get(event.body.get("from", ""), 0))
            wrong += event.version != before + 1
            last[event.name] = event.version
        elif event.result == "deleted":
            wrong += event.version != last.get(event.name)
    return wrong + (sum(1 for name, version in versions.items() if last.get(name) != version) if chain else 0)


def _open(store: Any, ring: sealing.Keyring, record: Record) -> tuple[Any, ...]:
    declared = record.declared
    opened = {
        sealed.field: ring.unseal(WORKSPACE, record.name, declared.provider, sealed).reveal()
        for sealed in store.sealed(WORKSPACE, record.name)
    }
    return dict(declared.settings), dict(declared.references), declared.label, opened


def wanted(scene: Scene, *arguments: str, **fault: Any) -> dict[str, Any]:
    """One run, as the driver takes it."""
    return {"folder": str(scene.folder), "env": scene.env, "store": str(scene.store), "arguments": arguments, **fault}


def let_leases_expire(store: Path) -> None:
    """The minute that others wait for a killed run passes at once; leases that still run are as long as ever."""
    if store.exists():
        with closing(sqlite3.connect(store)) as connection:
            connection.execute("UPDATE leases SET expires = heartbeat")
            connection.commit()


@dataclass
class Driver:
    """The process that runs commands in children of its own."""

    process: subprocess.Popen[str]

    def run(self, scene: Scene, *arguments: str, **fault: Any) -> int:
        """Exit code, or the signal's number below zero."""
        return self.race([wanted(scene, *arguments, **fault)])[0]

    def race(self, runs: list[dict[str, Any]]) -> list[int]:
        """The same of several that run at once."""
        for run in runs:
            let_leases_expire(Path(run["store"]))
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(runs) + "\n")
        self.process.stdin.flush()
        return list(json.loads(self.process.stdout.readline()))


@contextmanager
def driving() -> Iterator[Driver]:
    process = subprocess.Popen(
        [sys.executable, str(HERE / "driver.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=HERE.parents[1],
    )  # fmt: skip
    try:
        yield Driver(process)
    finally:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.wait(timeout=30)
        process.stdout.close()
