"""What people and programs are shown, whole: ``pytest --update-golden`` writes the files again, a diff is reviewed."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import CASES, NOW

from reconciler.render import for_file

GOLDEN = Path(__file__).parent / "golden"
FORMS = {
    "120.txt": ("table", 120),
    "80.txt": ("table", 80),
    "md": ("markdown", 0),
    "github.txt": ("github", 0),
    "json": ("json", 0),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES)
def test_it_looks_as_agreed(case, form, golden):
    format_, width = FORMS[form]
    golden(GOLDEN / f"{case}.{form}", for_file(format_, CASES[case](), now=NOW, width=width))


def test_every_golden_file_belongs_to_a_case():
    wanted = {f"{case}.{form}" for case in CASES for form in FORMS}
    assert {path.name for path in GOLDEN.iterdir()} == wanted


def test_golden_files_hold_no_fingerprint_but_what_history_shows():
    for path in GOLDEN.iterdir():
        assert "73616d65" not in path.read_text(), path
