"""One apply that does everything, disturbed at every point: what is stored is old or new, and the next converges."""

from __future__ import annotations

import pytest
from disturb import disturbed, job, nothing_wrong
from scene import AFTER, APPLY, BEFORE, Scene


@pytest.fixture(scope="module")
def before(driver, tmp_path_factory):
    """The workspace before the apply that is disturbed."""
    scene = Scene(tmp_path_factory.mktemp("before"), {}).turn(BEFORE)
    assert driver.run(scene, *APPLY) == 0, scene.said()
    return scene.turn(AFTER)


@pytest.fixture(scope="module")
def applied(driver, before, tmp_path_factory):
    """What comes of it where nothing happens."""
    return job(driver, before, tmp_path_factory.mktemp("undisturbed") / "scene", APPLY, code=3, done=3)


CALLS = ("store slots", "store acquire", "store renew", "store commit", "store release", "store load", "store sealed",
         "store last_versions", "store head", "store kept_until", "store close", "provider")  # fmt: skip
STATEMENTS = (
    "BEGIN", "BEGIN IMMEDIATE", "COMMIT", "SAVEPOINT one", "RELEASE SAVEPOINT", "INSERT INTO leases", "UPDATE leases",
    "INSERT INTO workspaces", "UPDATE workspaces", "INSERT INTO events", "INSERT INTO records", "DELETE FROM records",
    "INSERT INTO previous", "UPDATE previous", "DELETE FROM previous", "INSERT INTO secrets", "UPDATE secrets",
    "DELETE FROM secrets", "INSERT INTO rejections", "DELETE FROM rejections",
)  # fmt: skip
POINTS = (
    *(f"{call}, {when}" for call in CALLS for when in ("before", "after")),
    *(f"sql {statement}, before" for statement in STATEMENTS),
    "sql COMMIT, after",
)


ENDINGS = {0, 3, 5, 130}
"""Documented exit codes of a run that was disturbed, but not killed."""


def test_every_point_that_an_apply_passes_is_among_those_of_these_tests(applied):
    assert set(applied.names) == set(POINTS)


@pytest.mark.parametrize("name", POINTS)
def test_attack_70_killed_at_any_point_the_store_is_whole_and_the_next_apply_converges(
    driver, applied, tmp_path, name, count
):
    ends = [
        disturbed(driver, applied, tmp_path / str(number), at=point, how="kill")
        for number, point in enumerate(applied.times(name))
    ]
    codes = [end.code for end in ends]
    # answers come in any order: now and then a run comes by one time less
    assert set(codes) <= {-9, 3}
    assert -9 in codes
    count("kill -9 at a named point of an apply", codes.count(-9))
    nothing_wrong(ends, count)


@pytest.mark.parametrize("how", ["interrupt", "impatient", "term"])
@pytest.mark.parametrize("name", ["provider, before", "provider, after", "store load, before", "store commit, before",
                                  "store commit, after", "store release, before", "sql COMMIT, after"])  # fmt: skip
def test_stopped_at_any_point_it_reports_and_the_next_apply_converges(driver, applied, tmp_path, name, how, count):
    for number, point in enumerate(applied.times(name)):
        end = disturbed(driver, applied, tmp_path / str(number), at=point, how=how)
        code, said = end.code, end.said
        nothing_wrong([end], count)
        assert code in ENDINGS
        # whatever was begun is reported, by name
        assert ("Applied: " in said) == ("Asking " in said), (point, said)
        if "Applied: " not in said:
            assert code == 130
        count("runs stopped by a signal")


@pytest.mark.parametrize(
    ("how", "names"),
    [
        ("full", ["sql BEGIN IMMEDIATE, before", "sql INSERT INTO events, before", "sql INSERT INTO secrets, before"]),
        ("gone", ["store acquire, after", "store commit, before", "store commit, after", "provider, before",
                  "store release, before"]),
    ],
)  # fmt: skip
def test_a_full_disk_or_a_store_that_goes_away_loses_nothing_and_is_reported(
    driver, applied, tmp_path, how, names, count
):
    codes = set()
    for number, point in enumerate(point for name in names for point in applied.times(name)):
        end = disturbed(driver, applied, tmp_path / str(number), at=point, how=how)
        code, said = end.code, end.said
        nothing_wrong([end], count)
        codes.add(code)
        assert code in ENDINGS
        if code == 5:
            assert "store-" in said
            assert ("Applied: " in said) == ("Asking " in said), (point, said)
        count(f"runs whose store was {how}")
    assert 5 in codes
