"""What .ci/audit makes of pip-audit's answers: found fails, unreachable says so, unknown is not clean."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

AUDIT = Path(__file__).parents[1] / ".ci" / "audit"
CLEAN = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
UNKNOWN = {"name": "c", "skip_reason": "not found"}


@pytest.mark.skipif(not AUDIT.exists(), reason="runs in a checkout")
@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ([CLEAN, UNKNOWN], 0, "audited 1 of 2 packages, 0 known vulnerabilities"),
        ([CLEAN, BAD], 1, "VULNERABLE: b 2: PYSEC-1, fixed in 3"),
        ([UNKNOWN], 0, "NOT AUDITED: the data of none of 1 packages"),
        (None, 0, "NOT AUDITED: the data cannot be had here (connection refused)"),
    ],
)
def test_an_audit(answer, code, said, tmp_path):
    program = tmp_path / "pip-audit"
    out = "" if answer is None else json.dumps({"dependencies": answer})
    program.write_text(f"#!/bin/sh\necho '{out}'\necho 'connection refused' >&2\nexit 1\n")
    program.chmod(0o755)
    done = subprocess.run([sys.executable, AUDIT, program], capture_output=True, text=True)
    assert done.returncode == code
    assert said in done.stdout
