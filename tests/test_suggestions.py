"""A command that a refusal suggests works as it stands: it names the workspace and the store that were meant."""

from __future__ import annotations

import re
import shlex

import pytest
from storing import TOM

from reconciler.stores import sqlite

STORE = ("--sandbox", "--store", "sqlite:///elsewhere/store.db")
COMMAND = re.compile(r"reconciler (.+?)(?:  |$)")


@pytest.fixture
def elsewhere(project):
    """A store that is not where one is looked for, with two workspaces, so that both have to be named."""
    project.right_secrets()
    assert project.run("apply", "--yes", *STORE).code == 0
    project.edit("workspace: production", "workspace: staging")
    assert project.run("apply", "--yes", "--new-workspace", *STORE).code == 0
    return project


def suggested(project, *arguments, code):
    """The command of the one refusal that this ends in."""
    done = project.run(*arguments, "-w", "production", *STORE)
    assert done.code == code, done.out + done.err
    (line,) = [line for line in done.err.splitlines() if line.startswith("  do ")]
    return shlex.split(COMMAND.search(line)[1])


@pytest.mark.parametrize(
    ("arguments", "code", "begins"),
    [
        (["restore", "zzz", "--yes"], 64, ["list"]),
        (["restore", "alerts-eu", "--yes"], 64, ["history", "alerts-eu"]),
        (["restore", "alerts-eu", "--version", "9", "--yes"], 64, ["history", "alerts-eu"]),
        (["get", "zzz"], 64, ["list"]),
        (["get", "zzz", "--version", "1"], 64, ["list"]),
        (["get", "alerts-eu", "--version", "9"], 64, ["get", "alerts-eu"]),
        (["history", "zzz"], 64, ["list"]),
        (["check", "zzz"], 64, ["list"]),
        (["cancel", "alerts-eu"], 64, ["list"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_suggested_instead_works(elsewhere, arguments, code, begins):
    command = suggested(elsewhere, *arguments, code=code)
    assert command[: len(begins)] == begins
    done = elsewhere.run(*command)
    assert done.code == 0, done.err
    assert "production · sandbox · " in done.out


def test_what_is_suggested_about_a_lease_works(elsewhere):
    store = sqlite.open_store(elsewhere.path / "elsewhere" / "store.db")
    lease = store.acquire("production", TOM, 3600)
    store.close()
    show = suggested(elsewhere, "lock", "release", "0" * 16, "--yes", code=5)
    assert f"id           {lease.id}" in elsewhere.run(*show).out
    told = elsewhere.run("check", "-w", "production", *STORE).out
    assert re.search(rf"reconciler lock release {lease.id} -w production --\S.* --yes$", told, re.MULTILINE)
    release = suggested(elsewhere, "lock", "release", lease.id, code=64)
    assert release[2] == lease.id
    assert elsewhere.run(*release).code == 0
    assert "The lease is free" in elsewhere.run(*show).out
