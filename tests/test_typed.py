"""A secret that is pasted where an option, a command or a name belongs is told to be wrong without being repeated."""

from __future__ import annotations

import contextlib
import io

import click
import pytest
from canary import WRONG, forms
from fuzz.fuzzer import MARKS
from hypothesis import given
from hypothesis import strategies as st
from test_canary import commands

from reconciler.cli import cli, run
from reconciler.cli._typed import Typed
from reconciler.trouble import HIDDEN

PASTED = (*WRONG.values(), *MARKS, "e7cc31db5f847653b4a28b7e173294b2-dae234b3-0fba-61ae-1197-04d68fb106a5")
PATHS = frozenset({"file", "store", "out", "report", "key-file", "secrets-dir", "anchors", "ca-file", "write-files"})
"""Options whose value is a path, which is shown, and ``--actor`` a person, who is."""


def called(*line: str) -> tuple[int, str]:
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = run(list(line))
        out.flush()
    return code, out.buffer.getvalue().decode()


def echoed(text: str) -> list[str]:
    whole = ("beginning", "end")
    return [v for v in PASTED for form, needle in forms(v).items() if form not in whole and needle in text.encode()]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.parametrize("value", PASTED)
def test_an_unknown_option_command_or_argument_is_not_repeated(value, folder):
    for line in (
        (value,), ("plan", value), ("plan", f"--{value}"), ("plan", f"--token={value}"), ("key", value),
        ("explain", value), ("providers", value), ("exec", value), ("plan", "--format", value), ("plan", "-o", value),
        ("plan", "--parallelism", value), ("history", "--since", value), ("list", "--due", value), ("schema", value),
        ("plan", "--report", value), ("plan", "--report", f"json:{value}"), ("audit", "export", "--since", value),
        ("key", "export", "--for", value), ("list", f"--sort={value}"), ("export", "--format", value),
        ("audit", "export", "-w", value, "--since", "x"),
    ):  # fmt: skip
        code, said = called(*line)
        assert (code, echoed(said)) == (64, []), line
        if not line[-1].startswith("--token"):
            assert HIDDEN in said or value.split("=")[0] not in said, line
        if line[0] != "export":
            code, said = called(*line, "--format=json")
            assert (code, echoed(said)) == (64, []), line


@pytest.mark.parametrize("name", commands(cli))
def test_no_option_repeats_it(name, folder):
    command = commands(cli)[name]
    for param in command.params:
        value = PASTED[0]
        if not isinstance(param, click.Option):
            line = [*name.split(), value]
        elif param.is_flag or PATHS & {option.lstrip("-") for option in param.opts} or "--actor" in param.opts:
            continue
        else:
            line = [*name.split(), *["x" for other in command.params if isinstance(other, click.Argument)],
                    max(param.opts, key=len), value]  # fmt: skip
        if name == "sandbox":
            line.append("--port=x")  # it would serve
        code, said = called(*line)
        assert echoed(said) == [], line
        assert code != 70


NAMED = [name for name, command in commands(cli).items() if "workspace" in {param.name for param in command.params}]


@pytest.mark.parametrize("name", NAMED)
def test_no_workspace_is_named_like_a_secret(name, folder):
    given = [param for param in commands(cli)[name].params if isinstance(param, click.Argument)]
    form = {"export": ["--format", "json"], "key export": ["--for", "plan"]}.get(name, [])
    line = [*name.split(), *("x" for _ in given), *form, "-w", "q4tz7bmvw2kj7hnr9sypx3fd6cgu5aeo"]
    code, said = called(*line, *(["--", "true"] if name == "exec" else []))
    assert (code, "q4tz7bmvw2kj" in said) == (64, False)


def test_nor_does_a_variable(folder, monkeypatch):
    for value in PASTED:
        monkeypatch.setenv("RECONCILER_FORMAT", value)
        code, said = called("validate")
        assert (code, echoed(said)) == (64, [])
        assert HIDDEN in said
        monkeypatch.setenv("RECONCILER_FORMAT", "table")
        monkeypatch.setenv("RECONCILER_REPORT", f"json=a.json {value}")
        code, said = called("validate")
        assert (code, echoed(said)) == (64, [])


def test_a_name_that_is_not_stored_is_not_repeated_nor_what_was_looked_for(applied):
    for value in PASTED:
        for line in (("get", value), ("read", "marketing-us", value), ("check", value), ("plan", "--only", value),
                     ("list", "-w", value), ("history", value), ("cancel", value), ("list", "--status", value),
                     ("list", "--search", value), ("history", "--actor", value)):  # fmt: skip
            done = applied.sandbox(*line)
            assert echoed(done.out + done.err) == [], line
            assert done.code == (64 if line[1] not in ("--search", "--actor") else 0), line
        break


ORDINARY = (
    "plna", "--formt", "marketing-us", "alerts-eu-2", "credentials-v2.yaml", "2026-11-24T10:00:00Z", "7d",
    "/tmp/tmp8f3k2j1q/credentials.yaml", "./secrets/Production2026/x1y2z3w4", "json=/builds/ab12cd34ef/r.json",
    "lea.miller2@example.com", "AC" + "0a" * 16, "marketing-*", "{workspace}-{provider}.{name}", "one_time_passwords",
    "sqlite:////srv/a1b2c3d4e5/s.db",
    "12345678901234567890", "production-eu-west-1", "--max-deletes=12", "otp-apac", "9999999999d", "Qx4zTb8m",
)  # fmt: skip


@pytest.mark.parametrize("word", ORDINARY)
def test_ordinary_words_are_repeated(word):
    assert (
        Typed([word], {"RECONCILER_X": word}).shown(f"No such thing {word!r}: {word}")
        == f"No such thing {word!r}: {word}"
    )


def test_a_typing_error_still_gets_its_suggestion(folder):
    assert "No such option '--formt'. (Did you mean one of: '--format'" in called("plan", "--formt", "json")[1]
    assert "Did you mean 'plan'" in called("plna")[1]
    assert "'jsno' is not one of 'table', 'json'" in called("plan", "--format", "jsno")[1]


def test_a_path_is_told_but_for_the_part_that_looks_like_a_secret(folder):
    code, said = called("plan", "-f", f"./secrets/{MARKS[1]}/credentials.yaml")
    assert (code, f"./secrets/{HIDDEN}/credentials.yaml" in said or f"secrets/{HIDDEN}/credentials.yaml" in said) == (
        64,
        True,
    )


def test_a_program_that_is_run_gets_its_words_as_they_are(applied):
    done = applied.run("exec", "--sandbox", "marketing-us", "--", "echo", MARKS[0])
    assert (done.code, done.out) == (0, f"{MARKS[0]}\n")


@given(st.lists(st.text(max_size=30), max_size=4), st.text(max_size=60))
def test_whatever_was_typed_it_says_something(words, text):
    assert isinstance(Typed(words, {"RECONCILER_X": text}).shown(text), str)
    assert repr(Typed(words, {})) == "Typed(...)"
