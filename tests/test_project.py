"""What the project says of itself in several places is the same, and no measure is met by looking away."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from test_architecture import CORE

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_core_that_is_measured_is_the_core_of_the_house():
    (line,) = re.findall(r"^CORE := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert tuple(line.split()) == CORE


def test_nothing_is_left_out_of_the_measuring():
    assert PYPROJECT["tool"]["coverage"]["report"]["exclude_also"] == ["if TYPE_CHECKING:"]
    assert "omit" not in PYPROJECT["tool"]["coverage"]["run"]
    marked = [path for path in (ROOT / "reconciler").rglob("*.py") if "pragma: no" in path.read_text()]
    assert marked == []


def test_every_dependency_is_locked():
    project = PYPROJECT["project"]
    wanted = [*project["dependencies"], *(d for extra in project["optional-dependencies"].values() for d in extra)]
    names = {re.split(r"[\[<>=~]", text)[0].lower() for text in wanted}
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    assert names <= locked


@pytest.mark.parametrize("name", ["Makefile", ".ci/run", "CONTRIBUTING.md"])
def test_every_test_that_is_named_by_its_file_is_there(name):
    text = (ROOT / name).read_text()
    files = re.findall(r"\btests/[a-z_/]+\.py\b", text)
    assert [file for file in files if not (ROOT / file).exists() and "toysms" not in file] == []
