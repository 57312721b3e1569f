"""Some cases of every target, the same each time; ``make fuzz`` runs more, and others."""

from __future__ import annotations

import os

import pytest
from fuzz import fuzzer
from fuzz.fuzzer import CASES, MARKS, Ran, faults, runs_of

SEED = int(os.environ.get("FUZZ_SEED", "1"))


@pytest.mark.parametrize("target", CASES)
def test_hostile_input_ends_as_promised(target, record_property):
    told = fuzzer.apart(target, CASES[target], SEED)
    assert told["faults"] == []
    assert (told["cases"], told["runs"]) == (CASES[target], runs_of(target))
    record_property("runs", told["runs"])
    print(f"{target}: {told['cases']} cases, {told['runs']} runs, crashes=0, {told['megabytes']} MB")  # noqa: T201


def test_every_target_is_run():
    assert set(CASES) == set(fuzzer.TARGETS)


@pytest.mark.parametrize(
    ("ran", "fault"),
    [
        (Ran(70, "", "error[bug]: x"), "exit code 70"),
        (Ran(-11, "", "x"), "exit code -11"),
        (Ran(0, "Traceback (most recent call last)", ""), "a traceback"),
        (Ran(0, "a\x1b[2J", ""), "a raw"),
        (Ran(0, "", "a\u202eb"), "a raw"),
        (Ran(0, f"a {MARKS[0]} b", ""), "an echo of"),
        (Ran(64, "", ""), "no word on what is wrong"),
        (Ran(1, '{"problems": [{"severity": "error", "code": "bad-value"}]}', ""), "no place for bad-value"),
        (Ran(1, '{"problems": []}', ""), "exit 1 without an error"),
    ],
)
def test_each_kind_of_fault_is_seen(ran, fault):
    assert any(found.startswith(fault) for found in faults(ran))


def test_what_is_promised_is_no_fault():
    assert faults(Ran(0, "fine\n", "")) == []
    place = '{"problems": [{"severity": "error", "code": "bad-value", "place": {"file": "a", "line": 1, "column": 1}}]}'
    assert faults(Ran(1, place, "")) == []


PLANTED = """
import sys
sys.path.insert(0, {here!r})
import fuzzer
def bad(draw):
    {body}
    yield "planted", []
fuzzer.TARGETS["keys"], fuzzer.SECONDS = bad, 1
sys.exit(fuzzer.main("keys", "2", "1"))
"""


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("raise RuntimeError('planted')", "planted"),
        ("__import__('threading').Event().wait()", "longer than"),
        ("fuzzer.MEGABYTES = 1", "MB of memory"),
    ],
)
def test_a_bug_an_endless_loop_and_too_much_memory_are_seen(body, fault, tmp_path):
    script = tmp_path / "planted.py"
    script.write_text(PLANTED.format(here=str(fuzzer.HERE), body=body))
    told = fuzzer.apart("keys", 2, 1, str(script))
    assert any(fault in found["what"] for found in told["faults"])


def test_a_process_that_dies_is_a_crash(tmp_path):
    script = tmp_path / "dies.py"
    script.write_text("import os; os.abort()")
    assert "died" in fuzzer.apart("keys", 1, 1, str(script))["faults"][0]["what"]
