"""A bug in the middle of an apply: what was done until then is stored, and told by name beside the bug, exit 70."""

from __future__ import annotations

import json

import jsonschema_rs
import pytest
from test_planfile import ROOT
from test_terminal import slow_sandbox

from reconciler import cli
from reconciler.errors import StoreError
from reconciler.providers.infobip import Infobip
from reconciler.render import FORMATS
from reconciler.stores._store import SqlStore

SCHEMA = jsonschema_rs.Draft202012Validator(json.loads((ROOT / "schemas" / "report.schema.json").read_text()))
LINE = ("apply", "--yes", "--sandbox", "--parallelism", "1")
LEAK = "hunter2-the-secret"


@pytest.fixture
def here(project, monkeypatch):
    """The project as this very process sees it."""
    project.right_secrets()
    monkeypatch.chdir(project.path)
    for name, value in project.env.items():
        monkeypatch.setenv(name, value)
    return project


def broken(*_args, **_named):
    raise RuntimeError(LEAK)


def ended(capsys, *arguments: str):
    """stdout and stderr of a run that met a bug."""
    capsys.readouterr()
    assert cli.run(arguments) == 70
    out, err = capsys.readouterr()
    assert LEAK not in out + err
    assert "error[bug]: this is a bug in reconciler; please report it with these lines" in err
    assert "builtins.RuntimeError" in err
    assert any(f"{name}.py" in err for name in ("engine", "carrying", "ending"))
    return out, err


def outcomes(made) -> dict[str, tuple[str, str]]:
    problems = {o["name"]: (o["problem"] or {}).get("code", "") for o in made["outcomes"]}
    return {o["name"]: (o["result"], problems[o["name"]]) for o in made["outcomes"]}


def more(project) -> None:
    """A fourth one, which comes last."""
    project.edit("  otp-apac:\n", "  zulu:\n    provider: sinch\n    region: eu\n    service_plan_id: "
                 f'"{7:032}"\n    api_token: file://sinch-token\n  otp-apac:\n')  # fmt: skip


def stored(project) -> set[str]:
    return {c["name"] for c in project.sandbox("list", "-w", "production", "--format", "json").json["credentials"]}


@pytest.mark.parametrize("format_", FORMATS)
def test_a_provider_with_a_bug_spoils_nothing_of_the_others_and_each_is_named(here, monkeypatch, capsys, format_):
    more(here)
    monkeypatch.setattr(Infobip, "check", broken)
    paths = {name: here.path / f"report.{name}" for name in FORMATS}
    reports = [f"--report={name}={path}" for name, path in paths.items()]
    out, err = ended(capsys, *LINE, "--format", format_, *reports)
    made = json.loads(paths["json"].read_text())
    assert SCHEMA.is_valid(made)
    assert (made["exit_code"], [p["code"] for p in made["problems"]][-1]) == (70, "bug")
    assert outcomes(made) == {
        "alerts-eu": ("created", ""), "marketing-us": ("created", ""), "otp-apac": ("failed", "bug"),
        "zulu": ("skipped", ""),
    }  # fmt: skip
    assert stored(here) == {"alerts-eu", "marketing-us"}
    for text in (out, *(path.read_text() for path in paths.values())):
        assert LEAK not in text
        assert text
        for name in ("alerts-eu", "marketing-us", "otp-apac", "zulu"):
            assert name in text
    for name in {format_, *FORMATS} - {"json"}:
        text = out if name == format_ else paths[name].read_text()
        assert "2 created" in text
        assert "1 failed, 1 not attempted" in text
        assert "bug" in text
    if format_ == "json":
        assert json.loads(out)["outcomes"] == made["outcomes"]
    assert err.count("error[bug]") == 1
    monkeypatch.undo()
    assert here.sandbox("apply", "--yes", "--only", "otp-apac").code == 0


def test_a_provider_that_ends_the_program_is_a_bug_like_any_other(here, monkeypatch, capsys):
    def ends(*_args, **_named):
        raise SystemExit(0)

    monkeypatch.setattr(Infobip, "check", ends)
    out, _ = ended(capsys, *LINE, "--format", "json")
    assert outcomes(json.loads(out)) == {
        "alerts-eu": ("created", ""), "marketing-us": ("created", ""), "otp-apac": ("failed", "bug"),
    }  # fmt: skip


@pytest.mark.parametrize("format_", FORMATS)
def test_where_the_store_goes_away_in_the_middle_each_is_named_in_every_format(here, monkeypatch, capsys, format_):
    """No bug, but the same promise."""
    commit, commits = SqlStore.commit, []

    def away(self, lease, writes, mac, **named):
        commits.extend(writes[:1])
        if len(commits) > 1:
            raise StoreError("store-unreachable", "the disk is gone")
        return commit(self, lease, writes, mac, **named)

    monkeypatch.setattr(SqlStore, "commit", away)
    assert cli.run([*LINE, "--format", format_, "--report", "json=report.json"]) == 5
    out, _ = capsys.readouterr()
    made = json.loads((here.path / "report.json").read_text())
    told = outcomes(made)
    assert told["alerts-eu"] == ("created", "")
    assert {told["marketing-us"], told["otp-apac"]} <= {("failed", "store-unreachable"), ("skipped", "")}
    assert "store-unreachable" in out
    for name in told:
        assert name in out
    for word in () if format_ == "json" else ("1 created", "failed", "not attempted"):
        assert word in out


@pytest.mark.parametrize("atomic", [(), ("--atomic",)])
def test_a_store_with_a_bug_is_told_of_each_that_was_asked(here, monkeypatch, capsys, atomic):
    monkeypatch.setattr(SqlStore, "commit", broken)
    out, _ = ended(capsys, *LINE, *atomic, "--format", "json")
    told = outcomes(json.loads(out))
    assert told["alerts-eu"] == ("failed", "bug")
    assert {result for result, _ in told.values()} <= {"failed", "skipped"}
    monkeypatch.undo()
    assert stored(here) == set()
    assert here.sandbox("apply", "--yes").code == 0


def test_with_atomic_a_bug_stops_all_and_says_what_was_accepted(here, monkeypatch, capsys):
    more(here)
    monkeypatch.setattr(Infobip, "check", broken)
    out, _ = ended(capsys, *LINE, "--atomic", "--format", "json")
    made = json.loads(out)
    assert outcomes(made) == {
        "alerts-eu": ("accepted", ""), "marketing-us": ("accepted", ""), "otp-apac": ("failed", "bug"),
        "zulu": ("skipped", ""),
    }  # fmt: skip
    assert "stopped by otp-apac" in {problem["detail"] for problem in made["problems"]}
    assert stored(here) == set()


@pytest.mark.parametrize("where", ["reconciler.writing.Writer.finish_plan", "reconciler.app.ending.rows"])
def test_a_bug_after_the_last_answer_loses_no_outcome(here, monkeypatch, capsys, where):
    monkeypatch.setattr(where, lambda *_: broken())
    out, _ = ended(capsys, *LINE, "--format", "json")
    assert {result for result, _ in outcomes(json.loads(out)).values()} == {"created"}
    monkeypatch.undo()
    assert len(stored(here)) == 3


def test_a_bug_where_an_outcome_is_announced_loses_none(here, monkeypatch, capsys):
    monkeypatch.setattr("reconciler.render.table.outcome_page", broken)
    out, _ = ended(capsys, *LINE)
    assert "error[bug]" in out
    assert "Applied: " in out
    monkeypatch.undo()
    assert "1 created" in out or f"{len(stored(here))} created" in out


@pytest.mark.parametrize("format_", FORMATS)
def test_a_check_that_meets_a_bug_tells_and_remembers_what_it_found(
    here, monkeypatch, capsys, refusing_server, format_
):
    assert here.sandbox("apply", "--yes").code == 0
    monkeypatch.setattr(Infobip, "check", broken)
    refusing = f"--sandbox-url=sinch={refusing_server(401)}"
    with slow_sandbox(here, 0) as origin:
        urls = (refusing, *(f"--sandbox-url={name}={origin}" for name in ("twilio", "infobip")))
        out, _ = ended(capsys, "check", "--parallelism", "1", *urls, "--format", format_, "--report", "json=r.json")
    made = json.loads((here.path / "r.json").read_text())
    assert SCHEMA.is_valid(made)
    assert {c["name"]: c["after"] for c in made["checkups"]} == {
        "alerts-eu": "not ready, refused now", "marketing-us": "ready",
    }  # fmt: skip
    assert [(p["code"], p["subject"]) for p in made["problems"]] == [("bug", "otp-apac")]
    assert "alerts-eu" in out
    assert "otp-apac" in out
    listed = here.sandbox("list", "--format", "json").json["credentials"]
    assert {c["name"] for c in listed if not c["ready"]} == {"alerts-eu"}


def test_a_check_that_cannot_be_remembered_tells_what_the_providers_said(here, monkeypatch, capsys):
    assert cli.run(["apply", "--yes", "--sandbox"]) == 0
    monkeypatch.setattr(SqlStore, "commit", broken)
    capsys.readouterr()
    assert cli.run(["check", "--sandbox", "--format", "json"]) == 70
    out, err = capsys.readouterr()
    made = json.loads(out)
    assert SCHEMA.is_valid(made)
    assert {c["name"] for c in made["checkups"]} == {"alerts-eu", "marketing-us", "otp-apac"}
    assert [p["code"] for p in made["problems"]] == ["bug", "not-remembered"]
    assert LEAK not in out + err


def test_a_check_that_finds_the_lease_held_or_the_store_gone_tells_what_the_providers_said(here, monkeypatch, capsys):
    assert here.sandbox("apply", "--yes").code == 0
    for where in ("acquire", "load"):
        load, calls = getattr(SqlStore, where), []

        def away(self, *arguments, load=load, calls=calls, late=where == "load"):
            calls.append(1)
            if len(calls) > late:
                raise StoreError("store-unreachable", "the disk is gone")
            return load(self, *arguments)

        with monkeypatch.context() as patch:
            patch.setattr(SqlStore, where, away)
            if where == "load":
                here.env["TWILIO_AUTH_TOKEN"] = "f" * 32
                assert here.sandbox("apply", "--yes").code == 3
            capsys.readouterr()
            assert cli.run(["check", "--sandbox", "--format", "json"]) == 5
        made = json.loads(capsys.readouterr().out)
        assert {c["after"] for c in made["checkups"]} == {"ready"}
        codes = [p["code"] for p in made["problems"]]
        assert codes == ["store-unreachable", *(["not-remembered"] if where == "acquire" else [])]


RESTORE = ("restore", "marketing-us", "--yes", "--sandbox")


@pytest.fixture
def changed(here):
    """``marketing-us`` has another label in v2."""
    assert cli.run(["apply", "--yes", "--sandbox"]) == 0
    here.edit("    label: Marketing US\n", "    label: Second\n")
    assert cli.run(["apply", "--yes", "--sandbox"]) == 0
    return here


def version(project) -> int:
    return {c["name"]: c["version"] for c in project.sandbox("list", "--format", "json").json["credentials"]}[
        "marketing-us"
    ]


@pytest.mark.parametrize(
    ("where", "result"),
    [
        ("reconciler.providers.twilio.Twilio.check", "failed"),
        ("reconciler.stores._store.SqlStore.commit", "failed"),
        ("reconciler.cli._talk.Conversation.outcome", "updated"),
        ("reconciler.app.ending.rows", "updated"),
    ],
)
def test_a_restore_that_meets_a_bug_tells_what_was_stored_before_it(changed, monkeypatch, capsys, where, result):
    monkeypatch.setattr(where, broken)
    capsys.readouterr()
    assert cli.run([*RESTORE, *(f"--report={name}=r.{name}" for name in FORMATS)]) == 70
    out, err = capsys.readouterr()
    monkeypatch.undo()
    made = json.loads((changed.path / "r.json").read_text())
    assert SCHEMA.is_valid(made)
    assert [(o["name"], o["result"]) for o in made["outcomes"]] == [("marketing-us", result)]
    assert made["outcomes"][0]["version"] == version(changed) == (3 if result == "updated" else 2)
    codes = [p["code"] for p in made["problems"]]
    assert codes == (["flips-back", "bug"] if result == "updated" else ["bug"])
    assert err.count("error[bug]: this is a bug in reconciler; please report it with these lines") == 1
    assert ("Restored: marketing-us is v3 now" in out) == (result == "updated")
    for text in (out, err, *((changed.path / f"r.{name}").read_text() for name in FORMATS)):
        assert LEAK not in text
        assert text is err or "marketing-us" in text


def test_a_plan_file_of_which_a_bug_stopped_the_rest_may_be_resumed(here, monkeypatch, capsys):
    assert here.sandbox("store", "create").code == 0
    assert here.sandbox("plan", "--out", "plan.json").code == 0
    monkeypatch.setattr(Infobip, "check", broken)
    ended(capsys, "apply", "plan.json", "--sandbox", "--parallelism", "1")
    monkeypatch.undo()
    done = here.sandbox("apply", "plan.json")
    assert done.code == 0, done.out + done.err
    assert "an earlier run of this plan has stored alerts-eu, marketing-us" in done.out
    assert len(stored(here)) == 3
