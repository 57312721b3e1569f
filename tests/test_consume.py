"""``exec`` and ``read``: the stored secret reaches the program or person that asked, on the record, and nobody else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from test_terminal import Typist

SHOW = "import json, os; print(json.dumps(dict(os.environ)))"
STORE = ".reconciler/sandbox.db"


def environ(project, *arguments, env=None):
    """What a program finds in its environment."""
    done = exec_(project, *arguments, "--", sys.executable, "-c", SHOW, env=env)
    assert done.code == 0, done.err
    return json.loads(done.out)


def exec_(project, *arguments, **rest):
    """``exec`` with the sandbox's store; what stands behind ``--`` is the program."""
    return project.run("exec", "--sandbox", *arguments, **rest)


def reads(project):
    done = project.sandbox("history", "--what", "read", "--format", "json")
    return [(e["seq"], e["name"], e["body"]["how"], e["body"]["given"], e["body"]["keys"]) for e in done.json["events"]]


@pytest.fixture
def secrets(applied):
    return {
        "marketing-us": applied.env["TWILIO_AUTH_TOKEN"],
        "alerts-eu": (applied.path / "sinch-token").read_text().strip(),
        "otp-apac": applied.env["INFOBIP_API_KEY"],
    }


# exec


def test_a_program_finds_the_variables_of_each_provider(applied, secrets):
    found = environ(applied, "marketing-us", "alerts-eu", "otp-apac", env={"TWILIO_AUTH_TOKEN": "another"})
    expected = {
        "TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000001",
        "TWILIO_AUTH_TOKEN": secrets["marketing-us"],
        "SINCH_SERVICE_PLAN_ID": "00000000000000000000000000000002",
        "SINCH_API_TOKEN": secrets["alerts-eu"],
        "SINCH_REGION": "eu",
        "INFOBIP_BASE_URL": "https://xyz123.api.infobip.com",
        "INFOBIP_API_KEY": secrets["otp-apac"],
    }
    assert {name: found.get(name) for name in expected} == expected


def test_nothing_of_ours_and_of_no_other_account_is_left_in_its_environment(applied):
    """A left-over key of another account beside our token would send from there."""
    dirty = {"RECONCILER_ACTOR": "x", "RECONCILER_WORKSPACE": "production", "TWILIO_API_KEY": "SK1",
             "TWILIO_API_SECRET": "old", "TWILIO_EDGE": "dublin", "OTHER": "stays"}  # fmt: skip
    found = environ(applied, "marketing-us", env=dirty)
    assert [name for name in found if name.startswith("RECONCILER_")] == []
    assert {name for name in found if name.startswith("TWILIO_")} == {"TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"}
    assert found["OTHER"] == "stays"


@pytest.fixture
def two_of_twilio(project):
    project.write(
        (project.path / "credentials.yaml").read_text()
        + """\
  2fa-ie:
    provider: twilio
    region: ie1
    account_sid: AC00000000000000000000000000000002
    api_key_sid: SK00000000000000000000000000000002
    api_key_secret: env://KEY_SECRET
"""
    )
    project.right_secrets()
    done = project.sandbox("apply", "--yes")
    assert done.code == 0, done.out
    return project


def test_an_api_key_and_a_region_have_the_names_of_twilios_own_library(two_of_twilio):
    found = environ(two_of_twilio, "2fa-ie", env={"TWILIO_AUTH_TOKEN": "left over"})
    assert {name: text for name, text in found.items() if name.startswith("TWILIO_")} == {
        "TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000002",
        "TWILIO_API_KEY": "SK00000000000000000000000000000002",
        "TWILIO_API_SECRET": two_of_twilio.env["KEY_SECRET"],
        "TWILIO_REGION": "ie1",
        "TWILIO_EDGE": "dublin",
    }


def test_two_of_one_provider_need_prefixes(two_of_twilio):
    done = exec_(two_of_twilio, "marketing-us", "2fa-ie", "--", "true")
    assert (done.code, done.out) == (64, "")
    assert "TWILIO_ACCOUNT_SID: marketing-us and 2fa-ie" in done.err
    assert "--prefix" in done.err
    found = environ(two_of_twilio, "--prefix", "marketing-us", "2fa-ie")
    assert found["MARKETING_US_TWILIO_AUTH_TOKEN"] == two_of_twilio.env["TWILIO_AUTH_TOKEN"]
    assert found["_2FA_IE_TWILIO_API_SECRET"] == two_of_twilio.env["KEY_SECRET"]


@pytest.mark.parametrize("code", [0, 1, 5, 64, 200])
def test_the_exit_code_is_the_programs_own(applied, code):
    assert exec_(applied, "marketing-us", "--", "sh", "-c", f"exit {code}").code == code


def test_stdout_and_stdin_are_the_programs_own(applied):
    done = exec_(applied, "marketing-us", "--", "sh", "-c", "cat; echo to stderr >&2", stdin="in\n")
    assert done.out == "in\n"
    first, second, *rest = done.err.splitlines()
    assert first == f"production · sandbox · {STORE} · 1 credential given to exec"
    assert second == "  marketing-us v1: TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN"
    assert rest == ["to stderr"]


def test_signals_reach_the_program_itself(applied):
    """It has our process number: nobody stands between."""
    script = "echo $$; trap 'echo caught; exit 7' TERM; while :; do sleep 0.05; done"
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "exec", "--sandbox", "marketing-us", "--", "bash", "-c", script],
        cwd=applied.path, env=applied.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert int(process.stdout.readline()) == process.pid
    time.sleep(0.1)  # until the trap is set
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=20)
    assert (out, process.returncode) == ("caught\n", 7)


def test_a_program_that_is_killed_is_seen_as_killed(applied):
    process = subprocess.run(
        [sys.executable, "-m", "reconciler", "exec", "--sandbox", "marketing-us", "--", "sh", "-c", "kill -9 $$"],
        cwd=applied.path, env=applied.env, capture_output=True, timeout=60,
    )  # fmt: skip
    assert process.returncode == -signal.SIGKILL


def test_the_program_does_not_inherit_that_python_ignores_broken_pipes(applied):
    done = exec_(applied, "marketing-us", "--", "sh", "-c", "grep SigIgn /proc/self/status || echo SigIgn: 0")
    assert int(done.out.split()[1], 16) & (1 << (signal.SIGPIPE - 1)) == 0


def test_arguments_are_passed_on_as_they_are_with_no_shell_between(applied):
    show = "import sys; print(sys.argv[1:])"
    arguments = ["--format", "json", "--", "$HOME; rm *", "", "-x"]
    done = exec_(applied, "marketing-us", "--", sys.executable, "-c", show, *arguments)
    assert done.out == f"{arguments}\n"


def test_no_secret_stands_in_an_argument_or_in_what_we_say(applied, secrets):
    done = exec_(applied, *secrets, "--", "sh", "-c", "tr '\\0' ' ' < /proc/$$/cmdline || true")
    for value in secrets.values():
        assert value not in done.out + done.err


@pytest.mark.parametrize(
    ("command", "code", "word"),
    [
        ("no-such-program", 127, "no-such-command"),
        ("./no/such/program", 127, "no-such-command"),
        ("./credentials.yaml", 126, "not-executable"),
        ("./", 126, "not-executable"),
    ],
)
def test_a_program_that_cannot_be_run_fails_as_in_a_shell_and_nothing_is_read(applied, command, code, word):
    done = exec_(applied, "marketing-us", "--", command)
    assert (done.code, done.out) == (code, "")
    assert f"error[{word}]" in done.err
    assert reads(applied) == []


def test_what_only_the_system_can_refuse_is_126_as_well(applied):
    script = applied.path / "script"
    script.write_bytes(b"\x7fELF nonsense")
    script.chmod(0o700)
    done = exec_(applied, "marketing-us", "--", "./script")
    assert (done.code, done.out) == (126, "")
    assert "error[not-executable]" in done.err
    assert "chmod" not in done.err
    assert "exec NAME -- sh FILE" in done.err


@pytest.mark.parametrize(
    ("first", "said"),
    [
        ("#!/no/such/interpreter -u", "'/no/such/interpreter'"),
        ("#! /bin/sh\r", "'/bin/sh\\r'"),
        ("#!\tnone", "'none'"),
        (f"#!/{'n' * 300}", f"'/{'n' * 254}"),
        ("#!a\0b", "'a\\x00b'"),
    ],
)
def test_a_script_whose_interpreter_is_missing_is_refused_before_anything_is_read(applied, first, said):
    script = applied.path / "script"
    script.write_text(f"{first}\necho done\n", newline="")
    script.chmod(0o700)
    done = exec_(applied, "marketing-us", "--", "./script")
    assert (done.code, done.out) == (126, "")
    assert f"its first line names {said}" in done.err
    assert "and that is not there" in done.err
    assert "chmod" not in done.err
    assert reads(applied) == []


def test_a_pipe_in_place_of_a_program_keeps_nobody_waiting(applied):
    os.mkfifo(applied.path / "pipe", 0o700)
    assert exec_(applied, "marketing-us", "--", "./pipe").code == 126


def test_a_script_that_can_be_run_is_run(applied):
    script = applied.path / "script"
    script.write_text("#! /bin/sh\necho done\n")
    script.chmod(0o700)
    assert exec_(applied, "marketing-us", "--", "./script").out == "done\n"
    script.chmod(0o600)
    assert "chmod +x ./script" in exec_(applied, "marketing-us", "--", "./script").err


@pytest.mark.parametrize("arguments", [["marketing-us"], ["marketing-us", "--"], ["--", "true"], []])
def test_without_a_name_or_a_program_it_is_usage(applied, arguments):
    assert exec_(applied, *arguments).code == 64
    assert reads(applied) == []


def test_help_shows_where_the_program_stands(project):
    assert "reconciler exec [OPTIONS] NAME... -- COMMAND [ARGUMENT]..." in project.run("exec", "--help").out


# read


def test_stdout_has_exactly_the_value(applied, secrets):
    done = applied.sandbox("read", "marketing-us", "auth_token", "--reveal")
    assert (done.code, done.out) == (0, f"{secrets['marketing-us']}\n")
    assert done.err.startswith(f"production · sandbox · {STORE} · 1 credential given to read\n  marketing-us v1: ")
    assert secrets["marketing-us"] not in done.err


def test_without_reveal_no_secret_is_shown_and_none_is_read(applied, secrets):
    done = applied.sandbox("read", "marketing-us", "auth_token")
    assert (done.code, done.out) == (64, "")
    assert "error[not-revealed]" in done.err
    assert applied.sandbox("read", "marketing-us", "auth_token", env={"RECONCILER_REVEAL": "1"}).code == 64
    assert reads(applied) == []


def test_a_public_key_needs_no_consent_no_key_and_leaves_no_read(applied):
    done = applied.sandbox("read", "marketing-us", "account_sid", env={"HOME": str(applied.path)})
    assert (done.code, done.out) == (0, "AC00000000000000000000000000000001\n")
    assert reads(applied) == []


def test_a_key_or_name_that_there_is_not_is_usage_with_what_there_is(applied):
    done = applied.sandbox("read", "marketing-us", "api_token", "--reveal")
    assert (done.code, done.out) == (64, "")
    assert "marketing-us has no 'api_token'; it has account_sid, auth_token" in done.err
    done = applied.sandbox("read", "marketing", "auth_token", "--reveal")
    assert "did you mean marketing-us?" in done.err
    assert done.code == 64
    assert reads(applied) == []


def test_what_was_never_accepted_cannot_be_read_and_says_why(project):
    project.right_secrets()
    assert project.sandbox("apply", "--yes", env={"INFOBIP_API_KEY": "x" * 40}).code == 3
    done = project.sandbox("read", "otp-apac", "api_key", "--reveal")
    assert (done.code, done.out) == (64, "")
    assert "otp-apac was never accepted: nothing is stored" in done.err


def test_the_report_of_a_read_goes_to_stderr_and_to_files_in_any_format(applied, secrets):
    done = applied.sandbox("read", "marketing-us", "auth_token", "--reveal", "--format", "json", "--report",
                           "markdown=r.md")  # fmt: skip
    assert done.out == f"{secrets['marketing-us']}\n"
    said = json.loads(done.err)
    assert (said["command"], said["exit_code"]) == ("read", 0)
    assert said["facts"]["given"] == [
        {"name": "marketing-us", "provider": "twilio", "version": 1, "keys": ["auth_token"], "secrets": ["auth_token"]}
    ]
    assert secrets["marketing-us"] not in done.err + (applied.path / "r.md").read_text()


def test_a_failure_is_json_on_stdout_where_json_was_asked_for(applied):
    for arguments in (["read", "nobody", "x"], ["exec", "nobody", "--", "true"], ["read"]):
        done = applied.run(arguments[0], "--sandbox", "--format", "json", *arguments[1:])
        assert (done.code, done.json["exit_code"]) == (64, 64)


def test_half_a_secret_is_no_secret(applied):
    script = "$0 -m reconciler read --sandbox marketing-us auth_token --reveal >{}"
    for target in ("/dev/full", "&-"):
        done = subprocess.run(["bash", "-c", script.format(target), sys.executable], cwd=applied.path, env=applied.env,
                              capture_output=True, text=True, timeout=60)  # fmt: skip
        assert done.returncode == 64
        assert "error[not-written]" in done.stderr


# the record


def test_every_read_is_on_the_record_and_the_next_apply_takes_it_into_the_chain(applied):
    environ(applied, "marketing-us", "alerts-eu")
    applied.sandbox("read", "otp-apac", "api_key", "--reveal", "--actor", "tom")
    assert reads(applied) == [
        (None, "otp-apac", "read", 1, ["api_key"]),
        (None, "alerts-eu", "exec", 1, ["api_token"]),
        (None, "marketing-us", "exec", 1, ["auth_token"]),
    ]
    applied.edit("label: Marketing US", "label: Another")
    assert applied.sandbox("apply", "--yes").code == 0
    assert [seq for seq, *_ in reads(applied)] == [6, 5, 4]
    out = applied.sandbox("history", "--what", "read").out
    assert "Chain whole 1…7" in out
    assert applied.sandbox("list").code == 0
    out = applied.sandbox("history", "--what", "read", "--actor", "tom").out
    assert "Read once, by tom. Still in use, of what was read: otp-apac.api_key." in out
    assert "v1 given to read" in out


def test_what_was_rotated_since_need_not_be_rotated_again(applied):
    from reconciler import sandbox

    environ(applied, "marketing-us")
    applied.edit("AC00000000000000000000000000000001", "AC00000000000000000000000000000007")
    settings = {"account_sid": "AC00000000000000000000000000000007"}
    applied.env["TWILIO_AUTH_TOKEN"] = sandbox.right_secret("twilio", settings, "auth_token")
    assert applied.sandbox("apply", "--yes").code == 0
    out = applied.sandbox("history", "--what", "read").out
    assert "of what was read: nothing, all of it was replaced since" in out


@pytest.mark.parametrize("how", ["ABORT, 'no'", "IGNORE"])
def test_where_the_read_cannot_be_recorded_nothing_is_given(applied, secrets, how):
    folder = applied.path / ".reconciler"
    with sqlite3.connect(applied.path / STORE) as connection:
        connection.execute(f"CREATE TRIGGER full BEFORE INSERT ON reads BEGIN SELECT RAISE({how}); END")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    done = applied.sandbox("read", "marketing-us", "auth_token", "--reveal")
    assert done.code == 5
    assert "error[tampered]" in done.err
    assert secrets["marketing-us"] not in done.out + done.err
    assert exec_(applied, "marketing-us", "--", "echo", "ran").out == ""
    shutil.rmtree(folder)


def test_an_empty_key_is_no_key(applied):
    done = applied.sandbox("read", "marketing-us", "", "--reveal")
    assert done.code == 64
    assert "error[no-such-field]" in done.err


def test_with_prefixes_no_other_account_of_the_provider_is_left_in_the_environment(applied):
    left = {"TWILIO_AUTH_TOKEN": "another", "TWILIO_API_KEY": "another"}
    found = environ(applied, "--prefix", "marketing-us", env=left)
    assert {name for name in found if name.startswith("TWILIO_")} == set()
    assert "MARKETING_US_TWILIO_AUTH_TOKEN" in found


def test_a_plan_files_variable_is_no_place_for_secrets(applied):
    done = applied.sandbox("export", "--format", "json", env={"RECONCILER_OUT": "plan.json"})
    assert done.code == 0
    assert not (applied.path / "plan.json").exists()


@pytest.mark.parametrize("command", [("read", "marketing-us", "auth_token", "--reveal"), ("plan",), ("key", "status"),
                                     ("store", "create")])  # fmt: skip
@pytest.mark.parametrize("way", ["option", "environment"])
def test_a_key_in_place_of_its_files_path_is_refused_and_not_repeated(applied, command, way):
    key = applied.sandbox("key", "backup").out.strip()
    before = sorted(applied.path.rglob("*"))
    given = ("--key-file", key) if way == "option" else ()
    env = {"RECONCILER_KEY_FILE": key} if way == "environment" else {}
    done = applied.sandbox(*command, *given, env=env)
    assert done.code == 64
    assert "this is a key itself" in done.err
    assert key not in done.out + done.err
    assert sorted(applied.path.rglob("*")) == before  # no file has it for a name


def test_reading_waits_for_no_lease(applied, secrets):
    """An apply holds the lease for as long as it asks."""
    with sqlite3.connect(applied.path / STORE) as connection:
        connection.execute("UPDATE leases SET id = 'somebody', expires = '2999-01-01T00:00:00.000Z'")
    assert applied.sandbox("apply", "--yes", "--prune").code == 0
    assert applied.sandbox("read", "marketing-us", "auth_token", "--reveal").out == f"{secrets['marketing-us']}\n"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE name = 'otp-apac') WHERE name = 'marketing-us'",
        "UPDATE records SET declared = replace(declared, 'AC0', 'AC1') WHERE name = 'marketing-us'",
        "DELETE FROM secrets WHERE name = 'marketing-us'",
    ],
)
def test_a_row_that_is_not_what_its_latest_event_left_is_not_given(applied, statement):
    with sqlite3.connect(applied.path / STORE) as connection:
        connection.execute(statement)
    done = applied.sandbox("read", "marketing-us", "auth_token", "--reveal")
    assert (done.code, done.out) == (5, "")
    assert "error[tampered]" in done.err


def test_without_the_key_nothing_is_given_or_recorded(applied):
    done = applied.sandbox("read", "marketing-us", "auth_token", "--reveal", env={"HOME": str(applied.path)})
    assert (done.code, done.out) == (5, "")
    assert "error[key-missing]" in done.err
    assert reads(applied) == []


def test_a_credential_that_its_provider_refuses_is_given_with_a_warning(applied, refusing_server):
    sinch = refusing_server(401)
    assert applied.run("check", "--sandbox-url", f"sinch={sinch}").code == 3
    done = exec_(applied, "alerts-eu", "--", "echo", "ran")
    assert (done.code, done.out) == (0, "ran\n")
    assert "warning[key-refused]" in done.err
    assert "it will not send" in done.err


def test_the_value_may_go_to_a_terminal_where_a_person_says_reveal(applied, secrets):
    person = Typist(applied, "read", "--sandbox", "marketing-us", "auth_token", "--reveal")
    assert person.end() == 0
    assert secrets["marketing-us"] in person.seen


def test_a_reader_that_goes_away_is_nobodys_fault(applied):
    script = "$0 -m reconciler read --sandbox marketing-us auth_token --reveal | true; exit ${PIPESTATUS[0]}"
    done = subprocess.run(["bash", "-c", script, sys.executable], cwd=applied.path, env=applied.env,
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    assert done.returncode == 0
    assert os.linesep + "error" not in done.stderr
