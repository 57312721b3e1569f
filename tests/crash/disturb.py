"""One command disturbed at a point, then run again: what was wrong after it, and whether both come to the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from scene import Driver, Scene, State


@dataclass(frozen=True)
class Job:
    """A command line, and the workspace on which it is run."""

    before: Scene
    line: tuple[str, ...]
    undisturbed: Scene
    """The same workspace when it was run and nothing happened."""
    code: int
    """With which it ended."""
    done: int
    """With which it ends where it finds that all is done."""

    @cached_property
    def old(self) -> State:
        return self.before.state()

    @cached_property
    def new(self) -> State:
        return self.undisturbed.state()

    def times(self, name: str) -> list[str]:
        """Every time that the undisturbed run came by a point."""
        return [point for point in self.undisturbed.points() if point.partition("#")[0] == name]

    @property
    def names(self) -> list[str]:
        """The points that it passed, each once, in order."""
        return list(dict.fromkeys(point.partition("#")[0] for point in self.undisturbed.points()))


def job(driver: Driver, before: Scene, root: Path, line: tuple[str, ...], code: int = 0, done: int = 0) -> Job:
    """What comes of a command where nothing happens."""
    scene = before.copy(root)
    (root / "points").unlink(missing_ok=True)
    assert driver.run(scene, *line, points=True) == code, scene.said()
    return Job(before, line, scene, code, done)


@dataclass(frozen=True)
class Ended:
    """How a disturbed run ended, and what was wrong after it and after the next one."""

    code: int
    said: str
    after: State
    again: State
    lost: int
    """Records that are neither as they were nor as they are to be, with the secret that belongs to them."""
    doubled: int
    """Changes that were stored more than once."""


def torn(state: State, old: State, new: State) -> int:
    """A renamed record stands under one of its names, never under both or neither."""
    wrong = [
        name for name, record in state.records.items() if record not in (old.records.get(name), new.records.get(name))
    ]
    missing = (old.records.keys() & new.records.keys()) - state.records.keys()
    renamed = "old-name" in old.records and "new-name" in new.records
    both = renamed and ("old-name" in state.records) == ("new-name" in state.records)
    return len(wrong) + len(missing) + both


def disturbed(driver: Driver, job: Job, root: Path, **fault: Any) -> Ended:
    """One run with a fault, then one without."""
    scene, old, new = job.before.copy(root), job.old, job.new
    code = driver.run(scene, *job.line, **fault)
    away = scene.store.with_suffix(".away")
    if away.exists():
        away.rename(scene.store)
    said = scene.said()
    assert "Traceback" not in said, said
    after = scene.state()
    assert driver.run(scene, *job.line) in {job.code, job.done}, scene.said()
    again = scene.state()
    for state in (after, again):
        assert (state.broken, state.gaps) == ((), 0)
    for fact in ("records", "rejections", "versions", "kept", "answers"):
        assert getattr(again, fact) == getattr(new, fact), fact
    doubled = sum((Counter(again.done) - Counter(new.done)).values())
    return Ended(code, said, after, again, torn(after, old, new), doubled)


def nothing_wrong(ends: list[Ended], count: Any) -> None:
    lost, doubled = sum(end.lost for end in ends), sum(end.doubled for end in ends)
    count("records lost or torn", lost)
    count("changes stored twice", doubled)
    assert (lost, doubled) == (0, 0)
