"""Requirements of the described system that no other test asks as such (docs/requirements.md has them all)."""

from __future__ import annotations

import ast
import inspect
import sqlite3
from contextlib import closing

import pytest
import yaml

from reconciler import plugins
from reconciler.codes import CODES, Fault
from reconciler.http import Http
from reconciler.model import Answer, Status

DOCUMENTATION = {
    "sinch": "developers.sinch.com/docs/sms/getting-started",
    "twilio": "14726256820123",
    "infobip": "infobip.com/docs/api",
}
PROVIDERS = sorted(DOCUMENTATION)
NEEDED = [
    ("twilio", "account_sid"), ("twilio", "auth_token"), ("sinch", "service_plan_id"), ("sinch", "api_token"),
    ("sinch", "region"), ("infobip", "base_url"), ("infobip", "api_key"),
]  # fmt: skip


def listed(project, *arguments: str) -> list[str]:
    return [c["name"] for c in project.sandbox("list", "--format", "json", *arguments).json["credentials"]]


def events(project) -> list[str]:
    with closing(sqlite3.connect(project.path / ".reconciler" / "sandbox.db")) as store:
        return [row[0] for row in store.execute("SELECT what FROM events ORDER BY seq")]


# purpose


def test_the_status_begins_with_ready_yes_or_no():
    assert {status.split(",")[0] for status in Status} == {"ready", "not ready"}


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_can_ask_and_do_nothing_else(name):
    """The client that it is given has one method, GET, and it imports no other client."""
    assert [n for n, _ in inspect.getmembers(Http, inspect.isfunction) if not n.startswith("_")] == ["get"]
    module = inspect.getmodule(type(plugins.provider(name)))
    tree = ast.parse(inspect.getsource(module))
    from_ = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    clients = {"httpx", "aiohttp", "requests", "urllib", "http", "socket"}
    assert not {m.split(".")[0] for m in from_ | plain} & clients
    called = {n.func.attr for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)}
    assert not called & {"post", "put", "patch", "delete", "request", "send", "stream"}


@pytest.mark.parametrize(("provider", "key"), [*NEEDED, *((name, "provider") for name in PROVIDERS)])
def test_without_identifier_or_secret_nothing_is_planned_or_asked(project, provider, key):
    project.right_secrets()
    document = yaml.safe_load((project.path / "credentials.yaml").read_text())
    (entry,) = [e for e in document["credentials"].values() if e["provider"] == provider]
    del entry[key]
    project.write(yaml.safe_dump(document))
    for command in (["validate"], ["plan", "--check", "--sandbox"], ["apply", "--yes", "--sandbox"]):
        done = project.run(*command)
        assert done.code == 1
        assert key in done.out + done.err
        assert "missing-key" in done.out + done.err
    assert not (project.path / ".reconciler").exists()


@pytest.mark.parametrize("code", [code for code in CODES.values() if code.exit], ids=lambda code: code.name)
def test_every_failure_has_a_fault_that_says_whose_turn_it_is(code):
    assert isinstance(code.fault, Fault)
    if code.answer is Answer.UNKNOWN:
        assert code.fault is Fault.PROVIDER
    if code.answer is Answer.REJECTED:
        assert code.fault is Fault.CONFIGURATION


def test_a_refusal_names_provider_status_code_request_and_support(project):
    project.right_secrets()
    project.env["TWILIO_AUTH_TOKEN"] = "f" * 32
    done = project.sandbox("apply", "--yes")
    assert done.code == 3
    block = done.out[done.out.index("error[key-refused]") :]
    for text in ("twilio", "401", "20003", "request", "help.twilio.com"):
        assert text in block
    verdict = next(o["verdict"] for o in project.sandbox("apply", "--yes", "--format", "json").json["outcomes"])
    assert verdict["asked"].startswith("GET https://api.twilio.com/")
    assert (verdict["http_status"], verdict["provider_code"]) == (401, "20003")
    assert verdict["request_id"]


# access


@pytest.mark.parametrize("command", [["list"], ["get", "marketing-us"], ["plan"], ["history"], ["cancel", "otp-apac"]])
def test_a_store_that_is_not_ours_reveals_no_name_and_no_count(applied, command):
    store = applied.path / ".reconciler" / "sandbox.db"
    store.chmod(0o644)
    done = applied.sandbox(*command)
    assert done.code == 5
    assert "error[store-refused]" in done.out + done.err
    said = (done.out + done.err).replace(command[-1], "")
    for name in ("marketing-us", "alerts-eu", "otp-apac", "production", "3"):
        assert name not in said


# list


def test_a_list_has_the_columns_of_the_original_page_in_their_order(applied):
    done = applied.sandbox("list", env={"COLUMNS": "160"})
    head = next(line for line in done.out.splitlines() if "NAME" in line)
    columns = ["NAME", "LABEL", "PROVIDER", "SERVICE ID", "CREATED BY", "CREATED ", "STATUS", "CHECKED"]
    assert sorted(columns, key=head.index) == columns
    assert "3 of 3 credentials" in done.out.splitlines()[0]


def test_one_workspace_sees_nothing_of_another(applied):
    applied.edit("workspace: production", "workspace: staging")
    applied.edit("  marketing-us:", "  staging-only:")
    assert applied.sandbox("apply", "--yes", "--new-workspace").code == 0
    assert listed(applied, "-w", "staging") == ["alerts-eu", "otp-apac", "staging-only"]
    assert listed(applied, "-w", "production") == ["alerts-eu", "marketing-us", "otp-apac"]
    for command in (["get", "staging-only"], ["check", "staging-only"], ["cancel", "staging-only"]):
        assert applied.sandbox(*command, "-w", "production").code == 64
    assert "staging-only" not in applied.sandbox("history", "-w", "production").out
    for command in ("list", "check"):
        assert "staging-only" not in applied.sandbox(command, "-w", "production", "--format", "json").out


def test_without_a_filter_everything_is_listed(applied):
    assert listed(applied) == ["alerts-eu", "marketing-us", "otp-apac"]
    assert applied.sandbox("list", "--format", "json").json["filters"] == {}


# create


def test_several_credentials_of_one_provider_live_side_by_side(project):
    text = "  second-us:\n    provider: twilio\n    account_sid: AC00000000000000000000000000000003\n"
    manifest = project.path / "credentials.yaml"
    project.write(manifest.read_text() + text + "    auth_token: env://SECOND\n")
    project.right_secrets()
    assert project.sandbox("apply", "--yes").code == 0
    assert listed(project, "--provider", "twilio") == ["marketing-us", "second-us"]


def test_a_credential_without_a_name_is_refused(project):
    project.edit("  marketing-us:", '  "":')
    done = project.run("validate")
    assert done.code == 1
    assert "bad-name" in done.out


@pytest.mark.parametrize("name", PROVIDERS)
def test_help_says_where_every_field_is_found_and_links_the_documentation(project, name):
    out = project.run("providers", name).out
    assert DOCUMENTATION[name] in out
    for key, field in plugins.provider(name).fields.model_fields.items():
        assert key in out
        assert field.json_schema_extra["x-find"] in out


# submit


def test_an_apply_ends_with_the_rows_that_it_touched(applied):
    applied.edit("label: Marketing US", "label: Another")
    done = applied.sandbox("apply", "--yes", "--format", "json").json
    assert [(row["name"], row["label"], row["status"]) for row in done["credentials"]] == [
        ("marketing-us", "Another", "ready")
    ]
    assert done["total"] == 3


def test_a_plan_is_no_submission(project):
    project.right_secrets()
    assert project.sandbox("apply", "--yes").code == 0
    before = events(project)
    project.edit("label: Marketing US", "label: Another")
    for command in (["validate"], ["plan", "--sandbox"], ["plan", "--check", "--sandbox"]):
        assert project.run(*command).code == 0
    assert events(project) == before
