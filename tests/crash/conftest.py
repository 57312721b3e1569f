"""The figures of these tests, at the end of the run: ``pytest tests/crash``, or ``make crash``."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from scene import driving


@pytest.fixture(scope="session")
def driver():
    """The process whose children are disturbed."""
    with driving() as made:
        yield made


@pytest.fixture(scope="session")
def memory_for():
    """Gives new folders in memory: a kill leaves there what it leaves on a disk, which would be most of the time."""
    there = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=there if there.is_dir() else None) as folder:
        yield lambda name: Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder))


@pytest.fixture
def memory(memory_for):
    """A folder in memory."""
    return memory_for("test")


@pytest.fixture
def count(record_property):
    """Add to a figure: ``count("kills", 1)``."""
    return lambda name, number=1: record_property(f"figure: {name}", number)


def pytest_terminal_summary(terminalreporter):
    figures: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name.startswith("figure: ") and report.when == "call":
                    figures[name.removeprefix("figure: ")] += value
    if figures:
        terminalreporter.section("crash and race figures")
        for name, value in figures.items():
            terminalreporter.line(f"{name}: {value}")
