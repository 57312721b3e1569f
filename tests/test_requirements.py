"""Every requirement is shown by tests that exist, and docs/requirements.md says which."""

from __future__ import annotations

import re

import requirements as table


def test_every_requirement_is_there_once_and_in_order():
    assert tuple(table.REQUIREMENTS) == table.WANTED
    assert sum(map(len, table.PARTS.values())) == len(table.WANTED)


def test_every_requirement_is_shown_by_a_test():
    assert [r.id for r in table.REQUIREMENTS.values() if not r.tests] == []


def test_every_test_that_is_named_exists():
    assert table.absent(table.REQUIREMENTS) == []


def test_no_test_is_named_twice_for_one_requirement():
    assert [r.id for r in table.REQUIREMENTS.values() if len(set(r.tests)) < len(r.tests)] == []


def test_a_test_that_is_gone_is_found():
    gone = {"R1": table.Requirement("R1", "", ("test_requirements.py::test_gone", "no_such_file.py::test_x"))}
    assert table.absent(gone) == ["R1: test_requirements.py::test_gone", "R1: no_such_file.py::test_x"]


def test_the_page_is_current():
    assert (table.ROOT / "docs" / "requirements.md").read_text() == table.page(), "run: make docs"


def test_the_page_has_a_row_for_each():
    assert re.findall(r"^\| (R\d+) \|", table.page(), re.MULTILINE) == list(table.WANTED)
