"""For laws of whole runs: manifests, stores, keys, plan files and use cases are real; the provider's word is drawn."""

from __future__ import annotations

import asyncio
import json
import random
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import builders
from hypothesis import strategies as st
from worlds import ANSWERS, VALUES

from reconciler.api import _Silent
from reconciler.app import planfiles, planning
from reconciler.app.applying import How, apply
from reconciler.app.approving import FromManifest
from reconciler.app.planfiles import Out
from reconciler.app.preparing import What
from reconciler.app.resuming import FromFile
from reconciler.app.wiring import Where, create_store, keyring, open_store
from reconciler.codes import CODES
from reconciler.engine import Task
from reconciler.errors import NotAsked, Refused
from reconciler.model import Answer, Result
from reconciler.plans import Plan
from reconciler.report import Report

WORKSPACE = "production"
WAYS = ("directly", "by digest", "by file", "all or nothing")
STORED = (Result.CREATED, Result.UPDATED, Result.RENAMED)
_TIME = re.compile(r"20\d\d-\d\d-\d\dT[\d:.]+Z")


@dataclass(frozen=True)
class Round:
    """One manifest, the secrets behind its references, what providers say, and whether what is undeclared goes."""

    entries: Mapping[str, Mapping[str, Any]]
    values: Mapping[str, str]
    """By variable; one that is absent gives nothing on this machine."""
    answers: Mapping[str, str]
    """The code that the provider gives, by name of the credential."""
    prune: bool = True
    wished: Mapping[str, str] = field(default_factory=dict)
    """New names to old ones; what no manifest may ask for is left out by :attr:`moved`."""

    @property
    def moved(self) -> dict[str, str]:
        wished = {old: new for new, old in self.wished.items() if new in self.entries and old not in self.entries}
        return {new: old for old, new in wished.items()}

    @property
    def credentials(self) -> dict[str, dict[str, Any]]:
        """The entries as a manifest has them."""
        old = {name: {"moved_from": was} for name, was in self.moved.items()}
        return {name: {**entry, **old.get(name, {})} for name, entry in self.entries.items()}

    @property
    def accepted(self) -> Round:
        """The same with every value at hand and every answer a yes."""
        values = {name: self.values.get(name, "GHJKLMNPQRST") for name in VARIABLES}
        return replace(self, values=values, answers=dict.fromkeys(NAMED, "accepted"))


@dataclass(frozen=True)
class Run:
    """What came of one apply: a report, or the code with which it was refused."""

    report: Report | None
    refused: str = ""

    @property
    def results(self) -> dict[str, str]:
        return {o.change.name: str(o.result) for o in self.report.outcomes} if self.report else {}


@dataclass
class Ground:
    """A folder with a manifest, a store and its key, and what we know of the store without asking it."""

    root: Path
    proven: dict[str, dict[str, str]] = field(default_factory=dict)
    """The value with which a provider last said yes, of everything that is stored."""

    def where(self, now: Round | None = None) -> Where:
        environ = {"HOME": str(self.root), **(now.values if now else {})}
        return Where(builders.ORIGIN, f"sqlite:///{self.root}/store/store.db", sandbox=True, environ=environ)

    def copy(self, name: str) -> Ground:
        """Another one, of the same store, key and past."""
        shutil.copytree(self.root, self.root.with_name(name))
        return Ground(self.root.with_name(name), {k: dict(v) for k, v in self.proven.items()})

    def write(self, now: Round, chance: random.Random | None = None) -> tuple[Path, ...]:
        """The manifest in one file; by ``chance`` in several, the entries in any order."""
        folder = self.root / "manifest"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        entries = list(now.credentials.items())
        if chance:
            chance.shuffle(entries)
        for number, part in enumerate(_parted(entries, chance)):
            document = {"version": 1, "workspace": WORKSPACE, "credentials": dict(part)}
            (folder / f"{number}.yaml").write_text(json.dumps(document))
        return (folder,)

    def what(self, now: Round, *, only: tuple[str, ...] = (), chance: random.Random | None = None) -> What:
        return What(self.write(now, chance), only=only, prune=now.prune, max_deletes=9, allow_empty=True)

    def plan(self, now: Round, **chosen: Any) -> Plan:
        made = planning.plan(self.where(now), self.what(now, **chosen)).plan
        assert made is not None
        return made

    def apply(self, now: Round, way: str = "directly", chance: random.Random | None = None) -> Run:
        """One apply in one of the :data:`WAYS`; what it proved is remembered."""
        where, what, how = self.where(now), self.what(now, chance=chance), How(yes=True, atomic=way == WAYS[3])
        try:
            if way == "by file":
                out = self.root / "plan.json"
                planning.plan(where, what, Out(out, timedelta(days=1)))
                source: Any = FromFile(out, planfiles.read(out))
            else:
                approved = (planning.plan(where, what).plan or Plan((), (), 0, 0)).digest
                source = FromManifest(what, approved if way == "by digest" else "")
            with patch("reconciler.app.running.asker", _asker(now)):
                report = apply(where, source, how, _Silent())
        except Refused as refused:
            return Run(None, refused.code.name)
        self._learn(report, now)
        return Run(report)

    def _learn(self, report: Report, now: Round) -> None:
        for outcome in report.outcomes:
            change = outcome.change
            if outcome.result is Result.RENAMED:
                self.proven[change.name] = self.proven.pop(change.old_name)
            if outcome.result is Result.DELETED:
                del self.proven[change.name]
            if outcome.result in STORED and change.asks:
                references = change.declared.references
                self.proven[change.name] = {key: now.values[text[6:]] for key, text in references.items()}

    def values(self) -> dict[str, dict[str, str]]:
        """Every stored secret as it opens now."""
        with closing(open_store(self.where())) as store:
            ring, records = keyring(self.where(), store), store.load(WORKSPACE).records
            return {
                name: {
                    s.field: ring.unseal(WORKSPACE, name, record.declared.provider, s).reveal()
                    for s in store.sealed(WORKSPACE, name)
                }
                for name, record in records.items()
            }

    def state(self) -> tuple[Any, ...]:
        """All that a store tells, but for times and which plan file it was: records, rejections, events, secrets."""
        with closing(open_store(self.where())) as store:
            snapshot = store.load(WORKSPACE)
            told = [replace(e, row_hash="", body={k: v for k, v in e.body.items() if k != "plan"})
                    for _, e, _ in store.events(WORKSPACE)]  # fmt: skip
        rows = (sorted(snapshot.records.items()), sorted(snapshot.rejections.items()))
        return (*map(_timeless, rows), sorted(map(_timeless, told)), self.values())


def _timeless(anything: Any) -> str:
    return _TIME.sub("TIME", repr(anything))


@contextmanager
def ground() -> Iterator[Ground]:
    """One with an empty store."""
    memory = Path("/dev/shm")  # a disk that confirms every write would be most of the time
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        made = Ground(Path(folder) / "one")
        made.root.mkdir()
        create_store(made.where())[0].close()
        yield made


def _parted(entries: list[Any], chance: random.Random | None) -> Iterator[list[Any]]:
    """All at once, or by chance in parts of which none is empty."""
    while chance and len(entries) > 1:
        size = chance.randint(1, len(entries) - 1)
        yield entries[:size]
        entries = entries[size:]
    yield entries


def _asker(now: Round) -> Any:
    """What stands in for the providers, the HTTP client included."""

    async def ask(task: Task) -> Any:
        await asyncio.sleep(0)
        code = CODES[now.answers[task.change.name]]
        if code.answer is Answer.UNKNOWN:
            raise NotAsked(code.name, "drawn", asked="GET https://api.example.com/")
        return builders.verdict(code.answer, code.name)

    async def opened(*_: Any, **_named: Any) -> Any:
        return ask

    return opened


NAMED = ("a", "b", "c", "d")
VARIABLES = ("ONE", "TWO", "THREE")


def _entry(provider: str, account: int, label: str, protected: bool, variable: str) -> dict[str, Any]:
    own = {
        "twilio": {"account_sid": f"AC{account:032}", "auth_token": f"env://{variable}"},
        "sinch": {"region": "eu", "service_plan_id": f"{account:032}", "api_token": f"env://{variable}"},
        "infobip": {"base_url": f"https://x{account}.api.infobip.com", "api_key": f"env://{variable}"},
    }[provider]
    more = {key: value for key, value in (("label", label), ("protected", protected)) if value}
    return {"provider": provider, **own, **more}


NAMES = st.sampled_from(NAMED)
ENTRY = st.builds(
    _entry,
    st.sampled_from(["twilio", "twilio", "sinch", "infobip"]),
    st.sampled_from([1, 1, 2]),
    st.sampled_from(["", "Marketing"]),
    st.sampled_from([False] * 5 + [True]),
    st.sampled_from(VARIABLES),
)
ROUND = st.builds(
    Round,
    st.dictionaries(NAMES, ENTRY, max_size=4),
    st.dictionaries(st.sampled_from(VARIABLES), VALUES, min_size=2, max_size=3),
    st.fixed_dictionaries(dict.fromkeys(NAMED, st.sampled_from([*ANSWERS, *["accepted"] * len(ANSWERS)]))),
    st.sampled_from([True, True, False]),
)
STEPS = ("rotate", "edit", "drop", "drop", "again", "anew", "rename", "rename")


@st.composite
def histories(draw: Any) -> list[Round]:
    """What a team does over time: mostly small steps; where entries go, ``prune`` deletes what they stored."""
    now = draw(ROUND)
    rounds = [now]
    for step in draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=4)):
        other = draw(ROUND)
        if step == "rotate":
            now = replace(now, values={**now.values, draw(st.sampled_from(VARIABLES)): draw(VALUES)})
        elif step == "edit":
            now = replace(now, entries={**now.entries, **other.entries})
        elif step == "drop":
            gone = draw(NAMES)
            now = replace(now, entries={name: e for name, e in now.entries.items() if name != gone})
        elif step == "rename":
            now = _renamed(now, draw(NAMES), draw(NAMES))
        elif step == "anew":
            now = other
        now = replace(now, answers=other.answers, prune=other.prune)
        rounds.append(now)
    return rounds


def _renamed(now: Round, old: str, new: str) -> Round:
    entries = dict(now.entries)
    if new not in entries and old in entries:
        entries[new] = entries.pop(old)
    return replace(now, entries=entries, wished={**now.wished, new: old} if new != old else {})


HISTORY = histories()
