"""What the project says of itself in several places is the same, and no measure is met by looking away."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaged import PACKAGE
from packaging.requirements import Requirement
from test_architecture import CORE

ROOT = Path(__file__).parents[1]
LOCKED = {
    name: set(filter(None, extras.strip("[]").split(",")))
    for name, extras in re.findall(
        r"^([a-z0-9-]+)(\[[a-z,]+\])?==", (ROOT / "requirements.lock").read_text(), re.MULTILINE
    )
}
"""Each package with the extras that it is locked with."""
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def installed_requirements(name: str) -> list[str]:
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []  # of another platform or Python


def test_the_core_that_is_measured_is_the_core_of_the_house():
    (line,) = re.findall(r"^CORE := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert tuple(line.split()) == CORE


def test_nothing_is_left_out_of_the_measuring():
    assert PYPROJECT["tool"]["coverage"]["report"]["exclude_also"] == ["if TYPE_CHECKING:"]
    assert "omit" not in PYPROJECT["tool"]["coverage"]["run"]
    marked = [path for path in PACKAGE.rglob("*.py") if "pragma: no" in path.read_text()]
    assert marked == []


def test_every_dependency_is_locked():
    project = PYPROJECT["project"]
    wanted = [*project["dependencies"], *(d for extra in project["optional-dependencies"].values() for d in extra)]
    names = {re.split(r"[\[<>=~]", text)[0].lower() for text in wanted}
    assert names <= set(LOCKED)


def test_a_dependency_on_an_extra_is_locked_with_that_extra():
    # pip looks at the newest version of `coverage[toml]` first, and refuses it where only `coverage` is pinned
    wanted = {
        (Requirement(text).name, extra)
        for name in LOCKED
        for text in installed_requirements(name)
        for extra in Requirement(text).extras
        if Requirement(text).name in LOCKED and "extra ==" not in text
    }
    assert wanted
    assert [(name, extra) for name, extra in wanted if extra not in LOCKED[name]] == []


@pytest.mark.parametrize("name", ["Makefile", ".ci/run", "CONTRIBUTING.md"])
def test_every_test_that_is_named_by_its_file_is_there(name):
    text = (ROOT / name).read_text()
    files = re.findall(r"\btests/[a-z_/]+\.py\b", text)
    assert [file for file in files if not (ROOT / file).exists() and "toysms" not in file] == []
