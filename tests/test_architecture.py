"""The house holds: imports point up the page, rooms keep to themselves, the core is pure, functions are short."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from packaged import PACKAGE

ROOT = Path(__file__).parents[1]

PAGE = (
    "model", "state", "plans", "secret", "collector", "codes", "errors", "canonical", "diff", "renames", "rotation",
    "scope", "gates", "digest", "planner", "restores", "verdicts", "causes", "due", "audit", "lineage", "eventform",
    "planfile", "stale", "expected", "report", "trouble", "kinds", "consumption", "references", "scalars", "yamlreader",
    "wording", "schema", "regular", "sources", "manifest", "private", "keys", "subkeys", "keyfiles", "sealing",
    "network", "scrub", "reply", "http", "providers", "resolvers", "plugins", "stores", "render", "exports", "sandbox",
    "engine", "writing", "git", "context", "logs", "app", "serving", "api", "cli",
)  # fmt: skip
"""docs/decisions/0001-the-house.md: a module imports only from those before it."""

CORE = PAGE[: PAGE.index("report") + 1]
OUTSIDE = {
    "os",
    "pathlib",
    "io",
    "time",
    "datetime",
    "socket",
    "ssl",
    "subprocess",
    "random",
    "secrets",
    "sqlite3",
    "asyncio",
}
FOLDERS = {"providers", "resolvers", "stores", "render"}

MODULES = sorted(PACKAGE.rglob("*.py"))


def part(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path) -> set[str]:
    """Dotted names that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def ours(path: Path) -> set[str]:
    parts = {name.split(".")[1] for name in imports(path) if name.startswith("reconciler.")}
    return {name for name in parts if name in PAGE}


@pytest.mark.parametrize("path", [p for p in MODULES if part(p) not in ("__init__", "__main__")], ids=str)
def test_imports_point_up_the_page(path):
    assert part(path) in PAGE, "a new room needs a place in the house (docs/decisions)"
    above = PAGE[: PAGE.index(part(path)) + 1]
    assert ours(path) <= set(above)


@pytest.mark.parametrize("path", [p for p in MODULES if part(p) in FOLDERS], ids=str)
def test_the_four_folders_never_import_each_other(path):
    assert not ours(path) & (FOLDERS - {part(path)})


@pytest.mark.parametrize("path", [p for p in MODULES if part(p) in CORE], ids=str)
def test_the_core_touches_no_file_clock_or_network(path):
    # arithmetic with dates is pure; asking what day it is is not, and needs datetime.now or date.today
    outside = {name.split(".")[0] for name in imports(path) if name not in ("datetime.date", "datetime.timedelta")}
    assert not outside & OUTSIDE
    assert not re.search(r"\b(now|today|utcnow)\(\)", path.read_text())


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_sizes(path):
    source = path.read_text()
    assert source.count("\n") <= 300
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 50, node.name
            if path.parent.name == "app" and not node.name.startswith("_"):
                assert (node.end_lineno or 0) - node.lineno < 40, node.name


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_every_module_says_what_it_is_for(path):
    assert ast.get_docstring(ast.parse(path.read_text()))


HEAVY = {"asyncio", "pydantic", "httpx", "aiohttp", "jsonschema", "deepdiff", "psycopg"}


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (["--version"], HEAVY | {"yaml", "jsonschema_rs", "cryptography", "rich", "sqlite3"}),
        (["--help"], HEAVY | {"yaml", "jsonschema_rs", "cryptography", "rich", "sqlite3"}),
        (["validate", "-f", "examples/credentials.yaml"], HEAVY | {"sqlite3", "cryptography"}),
        (["plan", "-f", "examples/credentials.yaml"], HEAVY),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_a_command_does_not_need_is_not_imported(arguments, heavy, tmp_path):
    import subprocess
    import sys

    code = f"""
import os, sys
from reconciler.cli import run
code = run({arguments!r})
assert code == 0, code
print("LOADED", *sorted(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    loaded = set(done.stdout.rpartition("LOADED")[2].split())
    assert not loaded & heavy
