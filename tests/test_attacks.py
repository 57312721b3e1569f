"""Every attack has its tests by name, and docs/attacks.md says which."""

from __future__ import annotations

import attacks
import guards
import pytest

WAITING = {"36", "37", "38", "52", "58", "59", "60", "61", "62", "62b", "63", "64"}
"""Attacks on parts that do not exist yet, which may be without a test."""


def test_every_attack_is_there_once_and_in_order():
    wanted = [f"{number:02}" for number in range(1, 71)]
    wanted.insert(wanted.index("62") + 1, "62b")
    assert list(attacks.ATTACKS) == wanted
    assert sum(map(len, attacks.PARTS.values())) == len(wanted)


def test_every_attack_on_what_exists_has_its_tests():
    assert [id_ for id_, tests in attacks.tests().items() if not tests and id_ not in WAITING] == []


def test_every_test_of_an_attack_bears_a_number_that_there_is():
    assert set(attacks.tests()) == set(attacks.ATTACKS)


def test_what_has_no_test_says_what_it_waits_for():
    assert [a.id for a in attacks.ATTACKS.values() if a.id in WAITING and not a.waits] == []


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("test_attack_16_no_secret", "16"),
        ("test_attack_01_02_x", "01 02"),
        ("test_attacks_12_to_14_x", "12 13 14"),
        ("test_attacks_18_and_21_to_24_x", "18 21 22 23 24"),
        ("test_attacks_01_to_04_and_07_to_09_x", "01 02 03 04 07 08 09"),
        ("test_attack_62b_x", "62b"),
        ("test_attacks_on_a_door", ""),
        ("test_it", ""),
    ],
)
def test_a_tests_name_tells_its_attacks(name, found):
    assert " ".join(attacks.numbers(name)) == found


def test_every_attack_of_the_wire_the_store_the_plan_the_log_and_the_manifest_has_a_guard_to_take_away():
    """``make guards`` takes them away. 19 and 54 are the absence of something, so they have none, or a stand-in."""
    scope = {f"{n:02}" for n in (*range(1, 36), *range(39, 48), 49, 50, *range(54, 58))}
    scope |= {f"{n}" for n in range(65, 71)}
    assert {attack for attack in scope if not guards.of(attack)} == {"19"}


def test_a_guard_names_a_file_and_attacks_that_there_are():
    assert [g.where for g in guards.GUARDS if not g.file.is_file() or not set(g.attacks) <= set(attacks.ATTACKS)] == []


def test_every_guard_stands_where_it_is_said_to():
    assert [(g.where, guards.missing(g)) for g in guards.GUARDS if guards.missing(g)] == []


def test_the_page_is_current():
    assert (attacks.ROOT / "docs" / "attacks.md").read_text() == attacks.page(), "run: make docs"
