"""Output that cannot be written: cut off, it must not look whole; a reader that went away is no trouble."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

import pytest

SAID = "error[not-written]: the output could not be written"
READING = [
    "validate", "plan --sandbox", "plan --sandbox --format json", "list --sandbox", "validate --format markdown",
    "get otp-apac --sandbox", "check --sandbox", "history --sandbox", "audit verify --sandbox",
    "lock show --sandbox", "key status --sandbox", "providers", "explain", "version", "sandbox env",
]  # fmt: skip
GIVING = [
    "audit export --sandbox", "key backup --sandbox", "key export --for audit --sandbox", "schema",
    "schema --installed", "read otp-apac api_key --reveal --sandbox", "export --format dotenv --sandbox",
]  # fmt: skip
CLICKS = ["--help", "list --help", "--version"]


def shell(project, line: str):
    command = f'reconciler() {{ {shlex.quote(sys.executable)} -m reconciler "$@"; }}; {line}'
    done = subprocess.run(["bash", "-c", command], cwd=project.path, env=project.env, capture_output=True, text=True,
                          timeout=60)  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "error[bug]" not in done.stderr
    return done


@pytest.mark.parametrize("commands", [READING, GIVING, CLICKS], ids=["reports", "values", "help"])
def test_what_is_cut_off_is_exit_64_and_what_nobody_reads_is_not(applied, commands):
    for command in commands:
        full = shell(applied, f"reconciler {command} >/dev/full")
        assert (command, full.returncode) == (command, 64)
        assert full.stderr.count(SAID) == 1
        assert "No space left on device" in full.stderr
        left = shell(applied, f"reconciler {command} | true; exit ${{PIPESTATUS[0]}}")
        assert (command, left.returncode, "not-written" in left.stderr) == (command, 0, False)


def test_an_apply_that_cannot_tell_has_applied_and_says_both(applied):
    applied.edit("label: Marketing US", "label: Marketing USA")
    done = shell(applied, "reconciler apply --yes --sandbox --report json=report.json >/dev/full")
    assert done.returncode == 64
    why = "stdout: No space left on device; the run itself ended with exit code 0. Applied: 0 created, 1 updated, "
    assert why in done.stderr
    report = json.loads((applied.path / "report.json").read_text())
    assert (report["exit_code"], [p["code"] for p in report["problems"]]) == (64, ["not-written"])
    assert [outcome["result"] for outcome in report["outcomes"]] == ["updated"]
    assert applied.sandbox("get", "marketing-us", "--format", "json").json["credentials"][0]["label"] == "Marketing USA"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("restore marketing-us --yes --sandbox", 0),
        ("cancel marketing-us --sandbox", 64),
        ("store create --store sqlite:///other/store.db", 0),
        ("list -w nowhere --sandbox --format json", 64),
        ("list --nonsense --format json", 64),
    ],
)
def test_what_the_run_came_to_is_told_beside_it(applied, line, code):
    applied.edit("label: Marketing US", "label: Marketing USA")
    assert applied.sandbox("apply", "--yes").code == 0
    done = shell(applied, f"reconciler {line} >/dev/full")
    assert done.returncode == 64
    if "--format json" in line or code == 0:
        assert "error[not-written]" in done.stderr
        assert f"the run itself ended with exit code {code}." in done.stderr
    else:
        assert "error[no-rejection]" in done.stderr


def test_a_report_that_cannot_be_written_is_the_same_and_the_apply_is_told_on_stdout(applied):
    applied.edit("label: Marketing US", "label: Marketing USA")
    done = applied.sandbox("apply", "--yes", "--report", "json=/dev/full")
    assert done.code == 64
    assert "Applied: 0 created, 1 updated" in done.out
    assert "error[not-written]" in done.out
    assert "--report json=/dev/full: No space left on device" in done.out
