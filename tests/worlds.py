"""A small world for the laws: manifests, secrets and providers that answer at random, around the real pieces.

Real are the planner, the engine, what is written, the sealing and a SQLite store; only the provider's word is drawn.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import builders
import storing
from hypothesis import strategies as st

from reconciler import planner, report, restores
from reconciler.app.resolving import Resolved, known
from reconciler.codes import CODES
from reconciler.engine import Run, Task, carry_out
from reconciler.errors import NotAsked, SecretUnavailable
from reconciler.model import Account, Action, Answer, Credential, Declared, Mode, Traits, Verdict
from reconciler.plans import Outcome, Plan
from reconciler.scope import Scope
from reconciler.secret import Secret
from reconciler.state import Kept, Snapshot
from reconciler.writing import Writer

WORKSPACE = storing.WORKSPACE
TRAITS = {
    **builders.TRAITS,
    "duo": Traits("duo", "Duo", frozenset({"api_token", "left"}), "plan", ("plan",)),
}
"""``duo`` has two secrets, which may change one at a time; one of them bears the name of another provider's."""
SETTINGS = {"twilio": "account_sid", "sinch": "service_plan_id", "duo": "plan"}

ANSWERS = tuple(name for name, code in CODES.items() if code.answer)
MOSTLY_ACCEPTED = (*ANSWERS, *["accepted"] * 2 * len(ANSWERS))


@dataclass(frozen=True)
class Round:
    """One manifest, the secrets behind its references, and what each provider says of each credential."""

    manifest: Mapping[str, Declared]
    values: Mapping[str, str]
    """By reference text; one that is absent gives nothing on this machine."""
    answers: Mapping[str, str]
    """The code that the provider gives, by name of the credential."""
    wished: Mapping[str, str] = field(default_factory=dict)
    """New names to old ones; what no manifest may ask for is left out by :attr:`moved`."""

    @property
    def moved(self) -> dict[str, str]:
        """The ``moved_from`` of each entry that has one."""
        wished = {old: new for new, old in self.wished.items() if new in self.manifest and old not in self.manifest}
        return {new: old for old, new in wished.items()}

    @property
    def credentials(self) -> dict[str, Credential]:
        moved = self.moved
        return {
            name: Credential(name, declared, "credentials.yaml", {"": (3, 3)}, moved.get(name, ""))
            for name, declared in self.manifest.items()
        }


@dataclass(frozen=True)
class Applied:
    """What came of one apply."""

    plan: Plan
    outcomes: tuple[Outcome, ...]

    @property
    def results(self) -> dict[str, str]:
        return {outcome.change.name: str(outcome.result) for outcome in self.outcomes}

    @property
    def stored(self) -> set[str]:
        return {name for name, result in self.results.items() if result in ("created", "updated", "renamed")}

    @property
    def renamed(self) -> dict[str, str]:
        """Old names to new ones."""
        return {o.change.old_name: o.change.name for o in self.outcomes if o.result == "renamed"}


@dataclass
class World:
    """One store, and what we know of it without asking it."""

    kit: storing.Kit
    folder: Path
    parallelism: int = 4
    proven: dict[str, dict[str, str]] = field(default_factory=dict)
    """What each stored secret must be: the value with which the provider last said ``valid``."""

    def plan(self, now: Round, *, prune: bool = False) -> tuple[Plan, Resolved]:
        snapshot = self.snapshot()
        resolved = self._resolved(now)
        found = known(now.credentials.values(), resolved, self.kit.ring.fingerprinter(WORKSPACE), snapshot.records)
        scope = Scope(self.kit.store.info.id, WORKSPACE, prune=prune)
        made = planner.plan(now.credentials, snapshot.records, snapshot.rejections, found, TRAITS, scope)
        return made, resolved

    def apply(self, now: Round) -> Applied:
        plan, resolved = self.plan(now)
        if plan.refusals:
            return Applied(plan, ())
        lease = self.kit.lease()
        writer = Writer(
            self.kit.store, self.kit.ring, lease, builders.ORIGIN, plan.digest, self.kit.clock,
            self.kit.store.last_versions(WORKSPACE, [c.name for c in plan.of(Action.CREATE, Action.RENAME)]),
        )  # fmt: skip
        tasks = [Task(c, resolved.of(c.credential) if c.credential else {}) for c in plan.effective]
        run = Run(tasks, self._asker(now), writer.commit, lambda _: None, self.parallelism)
        asyncio.run(carry_out(run))
        stale = [c for c in plan.of(Action.NOTE) if c.rejection]
        if stale:
            writer.drop_rejections(stale)
        self.kit.store.release(lease)
        return self._learn(Applied(plan, run.results()), now)

    def restore(self, name: str, former: Kept, code: str) -> Outcome | None:
        """Put a former version back, if the provider gives this code; None where it is what is stored."""
        ring, record = self.kit.ring, self.snapshot().records.get(name)
        provider = former.record.declared.provider
        secrets = {s.field: ring.unseal(WORKSPACE, former.record.name, provider, s) for s in former.sealed}
        prints = {key: ring.fingerprinter(WORKSPACE)(name, key, value) for key, value in secrets.items()}
        change = restores.restore(name, record, former.record, prints, TRAITS)
        if change is None or change.blocked:
            return None
        lease = self.kit.lease()
        versions = self.kit.store.last_versions(WORKSPACE, [name])
        writer = Writer(self.kit.store, ring, lease, builders.ORIGIN, "", self.kit.clock, versions)
        ask = self._asker(Round({}, {}, {name: code}))
        run = Run([Task(change, secrets)], ask, writer.commit, lambda _: None, 1)
        asyncio.run(carry_out(run))
        self.kit.store.release(lease)
        return run.results()[0]

    def snapshot(self) -> Snapshot:
        return self.kit.store.load(WORKSPACE)

    def values(self) -> dict[str, dict[str, str]]:
        """Every stored secret as it opens now."""
        records = self.snapshot().records
        opened = {}
        for name, record in records.items():
            sealed = self.kit.store.sealed(WORKSPACE, name)
            unseal = self.kit.ring.unseal
            opened[name] = {s.field: unseal(WORKSPACE, name, record.declared.provider, s).reveal() for s in sealed}
        return opened

    def told(self, now: Round, applied: Applied) -> dict[str, report.Report]:
        """The reports that people would see."""
        snapshot = self.snapshot()
        header = report.Header(WORKSPACE, Mode.SANDBOX, "store.db", True, self.kit.store.info.id, snapshot.serial)
        rows = report.rows(snapshot, TRAITS)
        plan = report.Report("plan", header=header, plan=applied.plan, declared=len(now.manifest), files=1)
        listed = report.Report("list", header=header, rows=rows, total=len(rows))
        told = replace(plan, command="apply", outcomes=applied.outcomes, rows=rows, total=len(rows))
        return {"plan": plan, "apply": told, "list": listed}

    def _resolved(self, now: Round) -> Resolved:
        texts = {text for declared in now.manifest.values() for text in declared.references.values()}
        values = {text: Secret(now.values[text]) for text in texts if text in now.values}
        return Resolved(values, {text: SecretUnavailable("secret-missing") for text in texts - values.keys()})

    def _asker(self, now: Round):
        async def ask(task: Task) -> Verdict:
            await asyncio.sleep(0)
            code = CODES[now.answers[task.change.name]]
            if code.answer is Answer.UNKNOWN:
                raise NotAsked(code.name, "drawn", asked="GET https://api.example.com/")
            return replace(builders.verdict(code.answer, code.name), account=Account("AC1", "Acme"))

        return ask

    def _learn(self, applied: Applied, now: Round) -> Applied:
        for old, new in applied.renamed.items():
            self.proven[new] = self.proven.pop(old)
        for outcome in applied.outcomes:
            if outcome.change.name in applied.stored and outcome.change.asks:
                references = outcome.change.declared.references
                self.proven[outcome.change.name] = {key: now.values[text] for key, text in references.items()}
        return applied


@contextmanager
def world(parallelism: int = 4) -> Iterator[World]:
    """A world with an empty store."""
    memory = Path("/dev/shm")  # a disk that confirms every write would be most of the time
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        kit = storing.sqlite_kit(Path(folder) / "store.db")
        try:
            yield World(kit, Path(folder), parallelism)
        finally:
            kit.close()


def _declared(provider: str, account: str, label: str, protected: bool, references: list[str]) -> Declared:
    common = {key: value for key, value in (("label", label), ("protected", protected)) if value}
    keys = sorted(TRAITS[provider].secrets)
    used = keys[:1] if provider == "twilio" else keys
    secrets = dict(zip(used, references, strict=False))
    return Declared(provider, common, {SETTINGS[provider]: account}, secrets)


NAMES = st.sampled_from(["a", "b", "c", "d"])
REFERENCES = ["env://ONE", "env://TWO", "file://three"]
VALUES = st.text("GHJKLMNPQRSTUVWXYZ", min_size=12, max_size=24)
"""Letters that are in no hex digit and in no word of ours, so that a trace of one is a trace of a secret."""
DECLARED = st.builds(
    _declared,
    st.sampled_from(["twilio", "twilio", "sinch", "duo"]),
    st.sampled_from(["AC1", "AC1", "AC2"]),
    st.sampled_from(["", "Marketing"]),
    st.sampled_from([False, False, False, True]),
    st.lists(st.sampled_from(REFERENCES), min_size=2, max_size=2),
)
ROUND = st.builds(
    Round,
    st.dictionaries(NAMES, DECLARED, min_size=1, max_size=4),
    st.dictionaries(st.sampled_from([*REFERENCES, *REFERENCES[:1] * 2]), VALUES, min_size=2, max_size=3),
    st.fixed_dictionaries(dict.fromkeys("abcd", st.sampled_from([*ANSWERS, *["accepted"] * len(ANSWERS)]))),
)


def _renamed(now: Round, old: str, new: str) -> Round:
    """One entry under another name, where both are as they must be; else only a ``moved_from`` of what is not there."""
    manifest = dict(now.manifest)
    if new not in manifest and old in manifest:
        manifest[new] = manifest.pop(old)
    return replace(now, manifest=manifest, wished={**now.wished, new: old} if new != old else {})


@st.composite
def histories(draw) -> list[Round]:
    """What a team does over time: mostly small steps, such as a rotated secret, an edited entry, another try."""
    now = draw(ROUND)
    rounds = [now]
    for step in draw(
        st.lists(st.sampled_from(["rotate", "edit", "again", "back", "anew", "rename", "rename"]), max_size=4)
    ):
        other = draw(ROUND)
        if step == "rotate":
            text = draw(st.sampled_from(REFERENCES))
            now = replace(now, values={**now.values, text: draw(VALUES)}, answers=other.answers)
        elif step == "edit":
            now = replace(now, manifest={**now.manifest, **other.manifest}, answers=other.answers)
        elif step == "rename":
            now = replace(_renamed(now, draw(NAMES), draw(NAMES)), answers=other.answers)
        elif step in ("again", "back"):
            now = replace(rounds[0] if step == "back" else now, answers=other.answers)
        else:
            now = other
        rounds.append(now)
    return rounds


HISTORY = histories()
