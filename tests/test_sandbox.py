"""The sandbox: the table, the secrets, and the server itself."""

from __future__ import annotations

import asyncio
import base64
import re
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from reconciler.errors import UsageError
from reconciler.sandbox import SCENARIOS, as_markdown, right_secret, serve
from reconciler.sandbox.answers import FAKE_TOKEN
from reconciler.sandbox.scenarios import PROVIDERS, Case, NoCase

ROOT = Path(__file__).parents[1]
SID = "AC" + "0" * 31 + "1"
PLAN = "0" * 31 + "2"
HOST = "xyz123.api.infobip.com"
SETTINGS = {
    "twilio": {"account_sid": SID},
    "sinch": {"service_plan_id": PLAN},
    "infobip": {"base_url": f"https://{HOST}"},
}


def asked(*questions: tuple[str, str, str], delay: float = 0.0):
    """Status, body and headers of each answer to (host, path, authorization), from one sandbox."""

    async def run():
        async with serve(delay=delay) as origin, aiohttp.ClientSession() as session:
            answers = []
            for host, path, authorization in questions:
                headers = {"Host": host} | ({"Authorization": authorization} if authorization else {})
                async with session.get(origin + path, headers=headers, allow_redirects=False) as response:
                    answers.append((response.status, await response.text(), response.headers))
            return answers

    return asyncio.run(run())


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_the_documentation_shows_the_table():
    text = (ROOT / "docs" / "sandbox.md").read_text()
    shown = text.partition("<!-- table: reconciler/sandbox/scenarios.py -->\n")[2].partition("<!-- end of table -->")[0]
    assert shown == as_markdown()


def test_endings_are_unique_and_fit_every_identifier():
    endings = [scenario.ending for scenario in SCENARIOS]
    assert len(set(endings)) == len(endings)
    assert all(re.fullmatch("[0-9]{4}", ending) for ending in endings)


def test_every_scenario_is_played_by_somebody_and_every_absence_has_its_reason():
    for scenario in SCENARIOS:
        cases = [scenario.of(provider) for provider in PROVIDERS]
        assert any(isinstance(case, Case) for case in cases)
        assert all(case.reason for case in cases if isinstance(case, NoCase))


@pytest.mark.parametrize(
    ("provider", "field", "form"),
    [
        ("twilio", "auth_token", "[0-9a-f]{32}"),
        ("twilio", "api_key_secret", "[0-9a-zA-Z]{32}"),
        ("sinch", "api_token", "[a-z0-9]{32}"),
        ("infobip", "api_key", "[0-9a-f]{32}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    ],
)
def test_a_right_secret_has_the_providers_form_and_stays_the_same(provider, field, form):
    secret = right_secret(provider, SETTINGS[provider], field)
    assert re.fullmatch(form, secret)
    assert secret == right_secret(provider, {**SETTINGS[provider], "label": "x"}, field)


def test_right_secrets_differ_by_account_and_field():
    other = {"account_sid": "AC" + "0" * 31 + "3"}
    found = {right_secret("twilio", settings, field)
             for settings in (SETTINGS["twilio"], other) for field in ("auth_token", "api_key_secret")}  # fmt: skip
    assert len(found) == 4


@pytest.mark.parametrize("base_url", [HOST, f"https://{HOST}", f"https://{HOST}:443"])
def test_a_right_secret_does_not_depend_on_how_a_host_is_written(base_url):
    assert right_secret("infobip", {"base_url": base_url}, "api_key") == right_secret(
        "infobip", SETTINGS["infobip"], "api_key"
    )


def test_it_answers_by_the_host_name():
    token = right_secret("twilio", SETTINGS["twilio"], "auth_token")
    answers = asked(
        ("api.twilio.com", f"/2010-04-01/Accounts/{SID}.json", basic(SID, token)),
        (
            "br.sms.api.sinch.com",
            f"/xms/v1/{PLAN}/batches",
            f"Bearer {right_secret('sinch', SETTINGS['sinch'], 'api_token')}",
        ),
        (HOST, "/account/1/balance", f"App {right_secret('infobip', SETTINGS['infobip'], 'api_key')}"),
        ("127.0.0.1:1", "/", ""),
    )
    assert [status for status, _, _ in answers] == [200, 200, 200, 404]
    assert FAKE_TOKEN in answers[0][1]
    assert re.fullmatch("RQ[0-9a-f]{32}", answers[0][2]["Twilio-Request-Id"])
    assert "sandbox" in answers[3][1]


@pytest.mark.parametrize(
    ("host", "path", "authorization", "status"),
    [
        ("api.twilio.com", f"/2010-04-01/Accounts/{SID}.json", "", 401),
        ("api.twilio.com", f"/2010-04-01/Accounts/{SID}.json", "Basic ???", 401),
        ("api.twilio.com", f"/2010-04-01/Accounts/{SID}.json", basic("AC" + "1" * 32, "x"), 401),
        ("api.twilio.com", "/2010-04-01/Accounts", basic(SID, "x"), 404),
        ("eu.sms.api.sinch.com", f"/xms/v1/{PLAN}/batches", "", 401),
        ("eu.sms.api.sinch.com", "/xms/v1", "", 404),
        (HOST, "/account/1/balance", "", 401),
        (HOST, "/account/1/balance", f"Bearer {right_secret('infobip', SETTINGS['infobip'], 'api_key')}", 401),
        ("evil.test", "/account/1/balance", "", 404),
    ],
)
def test_anything_but_the_right_secret_is_refused_as_documented(host, path, authorization, status):
    assert asked((host, path, authorization))[0][0] == status


def test_an_api_key_may_read_the_numbers_but_not_the_account():
    key = basic("SK" + "0" * 32, right_secret("twilio", SETTINGS["twilio"], "api_key_secret"))
    account, numbers = asked(
        ("api.twilio.com", f"/2010-04-01/Accounts/{SID}.json", key),
        ("api.twilio.com", f"/2010-04-01/Accounts/{SID}/IncomingPhoneNumbers.json?PageSize=1", key),
    )
    assert (account[0], numbers[0]) == (401, 200)


def test_every_other_question_is_throttled():
    host = "demo9430.api.infobip.com"
    key = f"App {right_secret('infobip', {'base_url': host}, 'api_key')}"
    answers = asked(*[(host, "/account/1/balance", key)] * 4)
    assert [status for status, _, _ in answers] == [429, 200, 429, 200]
    assert answers[0][2]["Retry-After"] == "1"


def test_a_delay_comes_before_every_answer():
    async def now():
        return asyncio.get_running_loop().time()

    started = asyncio.run(now())
    asked((HOST, "/", ""), delay=0.2)
    assert asyncio.run(now()) - started >= 0.2


def test_a_port_that_is_taken_is_said_so():
    async def run():
        async with serve() as origin, serve(int(origin.rpartition(":")[2])):
            pass

    with pytest.raises(UsageError, match=r"port \d+ cannot be opened"):
        asyncio.run(run())


def test_it_serves_until_it_is_interrupted():
    code = "from reconciler.sandbox import run; run(0, lambda origin: print(origin, flush=True))"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+\n", process.stdout.readline())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_account_has_a_second_right_secret_for_a_rotation(provider):
    field = {"twilio": "auth_token", "sinch": "api_token", "infobip": "api_key"}[provider]
    first, second = (right_secret(provider, SETTINGS[provider], field, rotated=rotated) for rotated in (False, True))
    assert first != second
    question = {
        "twilio": lambda s: ("api.twilio.com", f"/2010-04-01/Accounts/{SID}.json", basic(SID, s)),
        "sinch": lambda s: ("eu.sms.api.sinch.com", f"/xms/v1/{PLAN}/batches", f"Bearer {s}"),
        "infobip": lambda s: (HOST, "/account/1/balance", f"App {s}"),
    }[provider]
    assert [status for status, _, _ in asked(question(first), question(second), question(first[:-1] + "?"))] == [
        200, 200, 401,
    ]  # fmt: skip


def test_what_env_leaves_out_is_told_beside_what_a_shell_evaluates(project):
    done = project.run("sandbox", "env")
    assert (done.code, "sinch-token" in done.out) == (0, False)
    assert "Left out: file://sinch-token. With --write-files DIR" in done.err
    assert "Left out" not in project.run("sandbox", "env", "--write-files", ".").err


def test_files_are_written_over_the_sandboxes_own_secrets_only(project):
    project.right_secrets()
    first = (project.path / "sinch-token").read_text()
    assert project.run("sandbox", "env", "--write-files", ".", "--rotated").code == 0
    assert (project.path / "sinch-token").read_text() not in (first, "")
    project.write("a-real-secret-of-somebody\n", "sinch-token")
    done = project.run("sandbox", "env", "--write-files", ".")
    assert (done.code, done.out) == (64, "")
    assert "error[file-exists]" in done.err
    assert "a-real-secret" not in done.err
    assert "--force" in done.err
    assert (project.path / "sinch-token").read_text() == "a-real-secret-of-somebody\n"
    assert project.run("sandbox", "env", "--write-files", ".", "--force").code == 0
    assert (project.path / "sinch-token").read_text() == first


@pytest.mark.parametrize("force", [(), ("--force",)])
@pytest.mark.parametrize(
    "made",
    ["ln -s ../elsewhere deep", "mkdir deep; ln -s ../../elsewhere/file deep/token", "mkdir deep; mkfifo deep/token"],
)
def test_no_link_leads_a_written_file_out_of_its_folder_and_no_pipe_is_waited_for(made, force, project, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    project.edit("file://sinch-token", "file://deep/token")
    subprocess.run(["sh", "-c", made], cwd=project.path, check=True)
    done = project.run("sandbox", "env", "--write-files", ".", *force)
    assert (done.code, done.out) == (64, "")
    assert "error[unreadable]" in done.err
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_documentation_can_be_pasted_from_the_top(tmp_path):
    """Up to the one command that blocks, which stands alone."""
    blocks = re.findall(r"(?ms)^```\n(.*?)^```$", (ROOT / "docs" / "sandbox.md").read_text())
    (blocking,) = [number for number, block in enumerate(blocks) if "reconciler sandbox --port" in block]
    assert len(blocks[blocking].splitlines()) == 1
    env = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    script = "".join(blocks[:blocking])
    done = subprocess.run(["bash"], input=script, env=env, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert "error[usage]" not in done.stdout + done.stderr
    assert "Applied: 3 created" in done.stdout
    assert "3 to update" in done.stdout
    assert "Applied: 0 created, 3 updated" in done.stdout
    assert "1 rejected" in done.stdout
    assert "update rejected" in done.stdout
