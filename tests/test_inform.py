"""``providers``, ``explain``, ``version`` and ``key``."""

from __future__ import annotations

import base64
import re

import pytest

from reconciler.codes import CODES


def test_providers_lists_all_with_their_documentation(project):
    out = project.run("providers").out
    for text in ("twilio", "sinch", "infobip", "https://developers.sinch.com/docs/sms/getting-started",
                 "https://www.infobip.com/docs/api", "14726256820123"):  # fmt: skip
        assert text in out


@pytest.mark.parametrize("name", ["twilio", "sinch", "infobip"])
def test_a_provider_says_where_its_fields_are_found_its_terms_and_an_entry_that_is_valid(project, name):
    out = project.run("providers", name).out
    assert "terms " in out
    assert "support " in out
    entry = out.rpartition("credentials:\n")[2]
    project.write(f"version: 1\nworkspace: production\ncredentials:\n{entry}")
    done = project.run("validate")
    assert done.code == 0, done.out


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", ["twilio", "sinch", "infobip"])
def test_a_provider_fits_the_terminal(project, name, width):
    narrow = project.run("providers", name, env={"COLUMNS": str(width)}).out
    assert max(map(len, narrow.splitlines())) <= width
    assert narrow.split() == project.run("providers", name).out.split()


def test_an_unknown_provider_is_an_offline_error_that_lists_those_installed(project):
    done = project.run("providers", "vonage")
    assert done.code == 64
    assert "infobip, sinch, twilio" in done.err
    project.edit("provider: sinch", "provider: vonage")
    done = project.run("validate")
    assert done.code == 1
    assert "infobip, sinch, twilio" in done.out


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained(code, capsys):
    from reconciler.cli import run

    assert run(["explain", code]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{code}: {CODES[code].summary}")
    assert f"exit     {int(CODES[code].exit)}" in out


def test_explain_suggests_and_lists(project):
    done = project.run("explain", "key-refuse")
    assert (done.code, "did you mean key-refused?" in done.err) == (64, True)
    assert "secret-literal" in project.run("explain").out


def test_version_in_both_forms(project):
    assert re.fullmatch(r"reconciler, version \S+\n", project.run("--version").out)
    assert project.run("version", "--json").out == project.run("version", "--format", "json").out
    assert project.run("version", "--json", "--no-such-option").json["exit_code"] == 64
    facts = project.run("version", "--format", "json").json["facts"]
    assert facts["providers"] == ["infobip", "sinch", "twilio"]
    assert facts["store_schema"] == 1


def test_key_status_names_ids_and_never_the_key(applied):
    (path,) = (applied.path.parent / "home" / ".config" / "reconciler" / "keys").iterdir()
    done = applied.sandbox("key", "status")
    assert done.code == 0
    assert "it opens the store" in done.out
    assert path.read_text().strip() not in done.out
    wrong = applied.sandbox("key", "status", env={"RECONCILER_KEY": base64.b64encode(bytes(32)).decode()})
    assert "does NOT open" in wrong.out


def test_key_backup_goes_to_a_pipe_and_opens_the_store_elsewhere(applied):
    done = applied.sandbox("key", "backup")
    assert done.code == 0
    assert len(base64.b64decode(done.out.strip())) == 32
    elsewhere = {"HOME": str(applied.path), "RECONCILER_KEY": done.out.strip()}
    assert "secrets compared 3 of 3" in applied.sandbox("plan", env=elsewhere).out
    assert applied.sandbox("key", "backup", env={"HOME": str(applied.path)}).code == 5


def test_key_backup_refuses_a_terminal(applied):
    from test_terminal import Typist

    person = Typist(applied, "key", "backup", "--sandbox")
    assert person.end() == 64
    (path,) = (applied.path.parent / "home" / ".config" / "reconciler" / "keys").iterdir()
    assert path.read_text().strip() not in person.seen


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion_has_a_script_and_completes_commands(project, shell):
    script = project.run(env={"_RECONCILER_COMPLETE": f"{shell}_source"}).out
    assert "_RECONCILER_COMPLETE" in script
    words = {"COMP_WORDS": "reconciler pla", "COMP_CWORD": "1", "_RECONCILER_COMPLETE": "bash_complete"}
    assert "plan" in project.run(env=words).out


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("reconciler providers t", {"twilio"}),
        ("reconciler explain key-ref", {"key-refused", "key-refused-file"}),
        ("reconciler list --provider s", {"sinch"}),
        ("reconciler history --provider in", {"infobip"}),
    ],
)
def test_names_of_providers_and_codes_are_completed(project, line, offered):
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1), "_RECONCILER_COMPLETE": "bash_complete"}
    assert {word.partition(",")[2] for word in project.run(env=words).out.splitlines()} == offered


def test_a_status_is_completed_as_its_shell_can_take_it(project):
    line = {"COMP_WORDS": "reconciler list --status n", "COMP_CWORD": "3"}
    bash = project.run(env={**line, "_RECONCILER_COMPLETE": "bash_complete"}).out
    assert bash.splitlines() == ["plain,not"]
    assert project.run("list", "--sandbox", "--status", "not").code == 5
    zsh = project.run(env={**line, "_RECONCILER_COMPLETE": "zsh_complete"}).out
    assert "not ready, refused now" in zsh.splitlines()


def test_the_bare_command_shows_its_help(project):
    done = project.run()
    assert "Usage: reconciler" in done.out + done.err
    assert done.code in (0, 64)
