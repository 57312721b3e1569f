"""Promises of the documentation that a machine can check."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
INSTALL = re.compile(r"(?:pip3?|pipx|uv(?: pip| tool)?|poetry|pdm) (?:install|add) +([^\n`]+)")


def distributions(text: str) -> list[str]:
    """Every distribution that an install line names, without options and extras."""
    found = []
    for line in INSTALL.findall(text):
        words = [word.strip("'\"") for word in line.split()]
        found += [
            re.split(r"[\[=<>~]", word)[0] for word in words if not word.startswith("-") and not word.endswith(".lock")
        ]
    return found


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_install_lines_name_our_distribution(path):
    assert set(distributions(path.read_text())) <= {"sms-reconciler", "."}


def test_the_readme_has_an_install_line():
    assert "sms-reconciler" in distributions((ROOT / "README.md").read_text())


def test_the_check_of_install_lines_works():
    assert distributions("pip install reconciler") == ["reconciler"]
    assert distributions("pipx install 'sms-reconciler[postgres]>=1'") == ["sms-reconciler"]


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_every_command_stands_in_the_readme():
    from reconciler.cli import COMMANDS

    readme = (ROOT / "README.md").read_text()
    assert [name for name in COMMANDS if f"`{name}" not in readme and f"reconciler {name}" not in readme] == []


def test_the_lock_file_names_no_address_and_has_hashes():
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    assert not re.search(r"^(-i|--(extra-)?index-url|--find-links)", lock, re.MULTILINE)
    names = re.findall(r"^[a-z0-9-]+==", lock, re.MULTILINE)
    assert len(names) > 20
    assert lock.count("--hash=sha256:") >= len(names)
