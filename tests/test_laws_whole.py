"""Laws of whole runs, with deletes, renames, plan files, digests and ``--atomic``, for any manifest and any answer."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import whole
from conftest import Project, surroundings
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from reconciler.model import Action, Answer

few = settings(max_examples=30, deadline=None)
"""Each example makes a store or two, and applies to them several times."""

CHANCE = st.randoms(use_true_random=False)


@few
@given(whole.HISTORY)
def test_to_apply_a_plan_file_is_to_apply_directly(history):
    with whole.ground() as one:
        other = one.copy("other")
        for now in history:
            directly, by_file = one.apply(now), other.apply(now, "by file")
            assert by_file.refused == directly.refused
            assert by_file.results == directly.results
            assert other.state() == one.state()


@few
@given(whole.HISTORY)
def test_to_apply_a_digest_is_to_apply_directly(history):
    with whole.ground() as one:
        for number, now in enumerate(history):
            # a digest says nothing about rejections that lost their reason, so they stay
            all_covered = not any(change.drops_rejection for change in one.plan(now).changes)
            other = one.copy(str(number))
            directly, by_digest = one.apply(now), other.apply(now, "by digest")
            assert (by_digest.refused, by_digest.results) == (directly.refused, directly.results)
            assert other.values() == one.values()
            if all_covered:
                assert other.state() == one.state()


@few
@given(whole.HISTORY, CHANCE)
def test_neither_order_nor_splitting_into_files_matters(history, chance: random.Random):
    with whole.ground() as one:
        other = one.copy("other")
        for now in history:
            made, mixed = one.plan(now), other.plan(now, chance=chance)
            assert (mixed.digest, mixed.kept) == (made.digest, made.kept)
            assert [(c.action, c.name, c.reasons) for c in mixed.changes] == [
                (c.action, c.name, c.reasons) for c in made.changes
            ]
            once, again = one.apply(now), other.apply(now, chance=chance)
            assert (again.refused, again.results) == (once.refused, once.results)
            assert other.state() == one.state()


@few
@given(whole.HISTORY, st.sampled_from(["a", "[ab]", "[!a]", "*"]))
def test_a_partial_plan_is_a_subset_of_the_full_one(history, glob):
    *before, last = history
    with whole.ground() as one:
        for now in before:
            one.apply(now)
        full, part = one.plan(last), one.plan(last, only=(glob,)) if _selects(one, last, glob) else None
        if part is None:
            return
        assert part.partial
        assert not full.partial
        assert set(part.kept) <= set(full.kept)
        by = {(c.name, c.action): c for c in full.changes}
        for change in part.changes:
            assert by[change.name, change.action] == change
        chosen = [c for c in full.effective if glob == "*" or c.name in _names(glob)]
        assert list(part.effective) == chosen


def _names(glob: str) -> set[str]:
    return {"a": {"a"}, "[ab]": {"a", "b"}, "[!a]": {"b", "c", "d"}, "*": set("abcd")}[glob]


def _selects(one, now, glob) -> bool:
    """Whether there is anything to select: else it is a usage error."""
    there = {*now.entries, *one.values(), *(c.name for c in one.plan(now).changes)}
    return bool(there & _names(glob))


@few
@given(whole.HISTORY)
def test_with_prune_a_rename_destroys_nothing(history):
    with whole.ground() as one:
        for now in (replace(one_, prune=True) for one_ in history):
            before = one.values()
            moved = {old for old in now.moved.values() if old in before}
            made = one.plan(now)
            assert not moved & {change.name for change in made.of(Action.DELETE)}
            assert {change.old_name for change in made.of(Action.RENAME)} == moved
            done = one.apply(now).results
            gone = {name for name, result in done.items() if result == "deleted"}
            renamed = {c.old_name for c in made.of(Action.RENAME) if done.get(c.name) == "renamed"}
            assert before.keys() - one.values().keys() == gone | renamed


@few
@given(whole.HISTORY, st.sampled_from(whole.WAYS[:3]))
def test_applying_twice_is_applying_once(history, way):
    with whole.ground() as one:
        for now in history:
            first = one.apply(now, way)
            records, values = one.state()[0], one.values()
            second = one.apply(now, way)
            assert (one.state()[0], one.values()) == (records, values)
            left = {name: result for name, result in first.results.items() if result in ("rejected", "failed")}
            assert second.results == left
            assert second.refused == first.refused


@few
@given(whole.HISTORY, st.lists(st.sampled_from(whole.WAYS), min_size=5, max_size=5))
def test_no_answer_but_valid_changes_a_secret_and_each_is_the_one_last_proven(history, ways):
    with whole.ground() as one:
        for now, way in zip(history, ways, strict=False):
            before = one.values()
            run = one.apply(now, way)
            after = one.values()
            assert after == one.proven
            if run.report is None:
                assert after == before
                continue
            outcomes = {outcome.change.name: outcome for outcome in run.report.outcomes}
            moved = {o.change.name: o.change.old_name for o in outcomes.values() if o.result == "renamed"}
            for name, values in after.items():
                if values != before.get(moved.get(name, name)):
                    assert outcomes[name].verdict.answer is Answer.VALID
            gone = before.keys() - after.keys() - set(moved.values())
            assert {outcomes[name].result for name in gone} <= {"deleted"}


@few
@given(whole.HISTORY)
def test_where_all_are_accepted_all_or_nothing_is_a_plain_apply_after_which_a_plan_is_empty(history):
    with whole.ground() as one:
        other = one.copy("other")
        for now in (drawn.accepted for drawn in history):
            plain, atomic = one.apply(now), other.apply(now, "all or nothing")
            assert (atomic.refused, atomic.results) == (plain.refused, plain.results)
            assert not {"rejected", "failed", "skipped", "accepted"} & set(plain.results.values())
            left = one.plan(now)
            assert bool(left.effective) == bool(plain.refused)
            assert plain.refused or not [change for change in left.changes if change.drops_rejection]
            assert other.state() == one.state()


@few
@given(whole.HISTORY)
def test_all_or_nothing_is_either(history):
    with whole.ground() as one:
        for now in history:
            before, values = one.state()[0], one.values()
            results = set(one.apply(now, "all or nothing").results.values())
            if results & {"rejected", "failed"}:
                assert results <= {"rejected", "failed", "accepted", "skipped"}
                assert (one.state()[0], one.values()) == (before, values)
            else:
                assert not results & {"accepted", "skipped"}


# the tests themselves


@pytest.mark.parametrize("wanted", ["deleted", "renamed", "rejected", "failed"])
def test_the_histories_reach_every_outcome(wanted):
    """Without these a law would hold of nothing."""

    def reached(history) -> bool:
        with whole.ground() as one:
            return any(wanted in one.apply(now).results.values() for now in history)

    search = settings(max_examples=500, deadline=None, database=None, phases=[Phase.generate])
    assert find(whole.HISTORY, reached, settings=search)


# the digest, in processes of their own


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A workspace in which much is to be done: creates, updates, renames, deletes, words in other scripts."""
    root = tmp_path_factory.mktemp("digests")
    project = Project(root / "project", surroundings(root))
    drawn = random.Random(5)
    first = {f"n{i:02}": _drawn(drawn, i) for i in range(30)}
    _write(project, first)
    project.right_secrets()
    done = project.sandbox("apply", "--yes")
    assert done.code == 0, done.out + done.err
    second = {f"n{i:02}": first[f"n{i:02}"] | {"label": drawn.choice(LABELS)} for i in range(15)}
    second |= {f"m{i:02}": first[f"n{i:02}"] | {"moved_from": f"n{i:02}"} for i in range(15, 20)}
    second |= {f"o{i:02}": _drawn(drawn, 40 + i) for i in range(10)}
    _write(project, dict(drawn.sample(sorted(second.items()), len(second))))
    project.right_secrets()
    return project


LABELS = ("İstanbul ılık", "ß straße", "naïve", "日本語 ﬁ", "plain", "e\u0301 é")


def _drawn(drawn: random.Random, number: int) -> dict:
    tags = {word: drawn.choice(LABELS) for word in drawn.sample(["team", "region", "i-i", "ii"], 2)}
    return {"provider": "sinch", "region": "eu", "service_plan_id": f"{number:032}", "tags": tags,
            "api_token": f"env://N{number:02}"}  # fmt: skip


def _write(project: Project, entries: dict) -> None:
    project.write(json.dumps({"version": 1, "workspace": "production", "credentials": entries}, ensure_ascii=False))


def _digest(project: Project, **env: str) -> tuple[str, list[str]]:
    line = ["plan", "--sandbox", "--prune", "--max-deletes", "10", "--format", "json"]
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", *line],
        cwd=project.path,
        env=project.env | env,
        capture_output=True,
        check=True,
        timeout=60,
    )
    made = json.loads(done.stdout)["plan"]
    return made["digest"], [(change["action"], change["name"]) for change in made["changes"]]


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONHASHSEED": "0", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "1", "LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Tokyo"},
        {"PYTHONHASHSEED": "4242", "LC_ALL": "de_DE.ISO-8859-1", "PYTHONUTF8": "0"},
        {"PYTHONHASHSEED": "random", "LC_COLLATE": "sv_SE.UTF-8", "COLUMNS": "40"},
    ],
)
def test_the_same_input_has_the_same_digest_under_any_hash_seed_and_locale(large, env):
    digest, changes = _digest(large, PYTHONHASHSEED="7")
    assert {action for action, _ in changes} == {"create", "update", "rename", "delete"}
    assert _digest(large, **env) == (digest, changes)


def test_the_digest_is_not_the_same_for_everything(large, tmp_path):
    """So that equal ones say something."""
    path = Path(large.path / "credentials.yaml")
    text = path.read_text()
    before = _digest(large)[0]
    try:
        path.write_text(text.replace("naïve", "naive"))
        assert _digest(large)[0] != before
    finally:
        path.write_text(text)
