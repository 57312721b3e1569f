"""``check`` and ``plan --check``: what the providers say now, and what is remembered of it."""

from __future__ import annotations

import re

import pytest

WRONG = "f" * 32
NEVER_IN = """\
  never-in:
    provider: twilio
    account_sid: AC00000000000000000000000000000003
    auth_token: env://TWILIO_AUTH_TOKEN
"""


def statuses(project) -> dict[str, str]:
    return {c["name"]: c["status"] for c in project.sandbox("list", "--format", "json").json["credentials"]}


def test_check_of_what_works_is_all_ready_and_leaves_no_event(applied):
    before = applied.sandbox("history", "--format", "json").json["total"]
    done = applied.sandbox("check")
    assert done.code == 0, done.out + done.err
    assert "asked 3, skipped 0" in done.out.splitlines()[0]
    assert "Check: 3 ready." in done.out
    assert applied.sandbox("history", "--format", "json").json["total"] == before


def test_check_of_one_name_skips_the_others_and_an_unknown_name_is_usage(applied):
    done = applied.sandbox("check", "alerts-eu")
    assert (done.code, "asked 1, skipped 2" in done.out) == (0, True)
    assert applied.sandbox("check", "nobody").code == 64


def test_max_age_skips_what_was_accepted_recently(applied):
    done = applied.sandbox("check", "--max-age", "1h")
    assert "asked 0, skipped 3" in done.out
    assert "Check: nothing was asked.\n" in done.out
    assert applied.sandbox("check", "--max-age", "soon").code == 64


def test_a_revoked_credential_is_refused_now_listed_and_recorded_once(applied, refusing_server):
    url = f"--sandbox-url=sinch={refusing_server(401)}"
    done = applied.run("check", "alerts-eu", url)
    assert done.code == 3
    assert "refused now" in done.out
    assert "\nAct on:    alerts-eu.\n" in done.out
    assert "file://sinch-token" in done.out
    assert statuses(applied)["alerts-eu"] == "not ready, refused now"
    assert applied.run("check", "alerts-eu", url).code == 3
    events = applied.sandbox("history", "alerts-eu", "--what", "check", "--format", "json").json["events"]
    assert [e["result"] for e in events] == ["not ready, refused now"]
    assert applied.sandbox("check", "alerts-eu").code == 0
    assert statuses(applied)["alerts-eu"] == "ready"


def test_a_provider_out_of_reach_is_another_matter_and_judges_nobody(applied, refusing_server):
    done = applied.run("check", "alerts-eu", f"--sandbox-url=sinch={refusing_server(503)}")
    assert done.code == 1
    assert "not reached" in done.out
    assert "not judged" in done.out
    assert "\nAsk again: alerts-eu.\n" in done.out
    assert statuses(applied)["alerts-eu"] == "ready, not reached"


def test_an_unknown_never_takes_a_refusal_back(applied, refusing_server):
    applied.run("check", "alerts-eu", f"--sandbox-url=sinch={refusing_server(401)}")
    assert applied.run("check", "alerts-eu", f"--sandbox-url=sinch={refusing_server(503)}").code == 3
    assert statuses(applied)["alerts-eu"] == "not ready, refused now"


def test_check_changes_no_version_and_no_secret(applied, refusing_server):
    before = {c["name"]: c["version"] for c in applied.sandbox("list", "--format", "json").json["credentials"]}
    applied.run("check", f"--sandbox-url=sinch={refusing_server(401)}")
    after = {c["name"]: c["version"] for c in applied.sandbox("list", "--format", "json").json["credentials"]}
    assert after == before
    assert "Plan: 0 to create, 0 to update, 0 to delete, 3 unchanged." in applied.sandbox("plan").out


def test_plan_check_asks_live_and_stores_nothing(applied):
    applied.env["TWILIO_AUTH_TOKEN"] = WRONG
    applied.edit("label: Marketing US", "label: Another")
    done = applied.sandbox("plan", "--check")
    assert done.code == 3
    assert "REJECTED live" in done.out
    assert re.search(r"rejected +twilio 401/20003", done.out)
    assert "Live: 0 valid, 1 rejected, 0 not reached." in done.out
    assert statuses(applied)["marketing-us"] == "ready"


def test_plan_check_of_what_is_accepted_is_done(project):
    project.right_secrets()
    done = project.sandbox("plan", "--check")
    assert done.code == 0
    assert "Live: 3 valid, 0 rejected, 0 not reached." in done.out
    assert not (project.path / ".reconciler").exists()


def test_plan_check_with_a_missing_secret_is_attention(project):
    project.right_secrets()
    del project.env["TWILIO_AUTH_TOKEN"]
    assert project.sandbox("plan", "--check").code == 3


# due dates


def test_due_dates_are_named_in_list_plan_and_check_and_filter_the_list(applied):
    from datetime import UTC, datetime, timedelta

    soon = (datetime.now(UTC) + timedelta(days=8)).date().isoformat()
    applied.edit("label: Marketing US", f"expires_on: {soon}\n    rotate_every: 900d")
    assert applied.sandbox("apply", "--yes").code == 0
    for command in (["list"], ["plan"], ["check"], ["get", "marketing-us"]):
        assert f"expires in 8 days ({soon})" in applied.sandbox(*command).out, command
    assert "Check: 2 ready, 1 due.\n" in applied.sandbox("check").out
    assert f"expires in 8 days ({soon})" in applied.sandbox("check", "--max-age", "1h").out
    assert [c["name"] for c in applied.sandbox("list", "--due", "30d", "--format", "json").json["credentials"]] == [
        "marketing-us"
    ]
    assert applied.sandbox("list", "--due", "3d", "--format", "json").json["credentials"] == []
    assert applied.sandbox("list", "--due", "soon").code == 64


def test_a_plan_names_what_is_due_of_what_it_creates_at_its_line(project):
    project.right_secrets()
    project.edit("    label: Marketing US", "    expires_on: 2020-01-31")
    done = project.sandbox("plan", "--format", "github")
    assert done.code == 0
    assert "::warning file=credentials.yaml,line=6,col=17,title=marketing-us%3A due::marketing-us expired " in done.out


# list


def test_require_fails_where_too_few_are_ready(applied):
    assert applied.sandbox("list", "--require", "3").code == 0
    assert applied.sandbox("list", "--require", "4").code == 3
    assert applied.sandbox("list", "--provider", "sinch", "--require", "1").code == 0


def test_search_status_and_sort(applied):
    def names(*arguments):
        return [c["name"] for c in applied.sandbox("list", *arguments, "--format", "json").json["credentials"]]

    assert names("--search", "MARKETING") == ["marketing-us"]
    assert names("--status", "not ready") == []
    assert names("--status", "ready") == ["alerts-eu", "marketing-us", "otp-apac"]
    assert names("--sort", "provider") == ["otp-apac", "alerts-eu", "marketing-us"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "--status", "raedy"], ["--status 'raedy'; did you mean 'ready'?", "not ready, suspended"]),
        (["list", "--status", "not ready, bored"], ["did you mean 'not ready, ", "ready, not reached"]),
        (["list", "--provider", "twillio"], ["did you mean 'twilio'?", "infobip · sinch · twilio"]),
        (["list", "--provider", "acme"], ["--provider 'acme'\n", "infobip · sinch · twilio"]),
        (["history", "--provider", "Sinch"], ["did you mean 'sinch'?"]),
        (["history", "--what", "created"], ["--what 'created'; did you mean 'create'?", "cancel · check · create"]),
    ],
)
def test_a_filter_that_nothing_can_pass_is_a_mistake_and_says_what_there_is(applied, arguments, said):
    done = applied.sandbox(*arguments)
    assert (done.code, done.out) == (64, "")
    for text in ("error[no-such-value]", *said):
        assert text in done.err


def test_a_filter_that_nothing_passes_says_who_there_is(applied):
    done = applied.sandbox("list", "--provider", "sinch", "--created-by", "zoe")
    assert done.code == 0
    assert "0 of 3 credentials match provider=sinch, created-by=zoe" in done.out
    assert "Creators: " in done.out
    assert applied.sandbox("history", "--what", "rename").code == 0
    assert applied.sandbox("list", "--status", "not ready, suspended").code == 0


def test_get_shows_everything_but_the_secret_and_suggests_a_name(applied):
    done = applied.sandbox("get", "marketing-us")
    assert done.code == 0
    for text in ("AC00000000000000000000000000000001", "env://TWILIO_AUTH_TOKEN", "v1", "Full, active"):
        assert text in done.out
    assert applied.env["TWILIO_AUTH_TOKEN"] not in done.out
    wrong = applied.sandbox("get", "marketing-uk")
    assert wrong.code == 64
    assert "did you mean marketing-us?" in wrong.err


# what waits


def test_check_names_a_refused_submission_that_waits_and_whether_it_can_send(applied):
    applied.env["TWILIO_AUTH_TOKEN"] = WRONG
    applied.edit("credentials:\n", f"credentials:\n{NEVER_IN}")
    assert applied.sandbox("apply", "--yes").code == 3
    done = applied.sandbox("check")
    assert done.code == 3
    assert "✗ never-in      rejected        never accepted" in done.out
    assert "! marketing-us  waiting         v1 (secret of " in done.out
    assert "Check: 3 ready, 1 never accepted.\nAct on:    never-in.\nWaiting:   marketing-us.\n" in done.out
    said = applied.sandbox("check", "--format", "markdown").out
    assert "3 of 3 ready, 1 never accepted, 1 update waiting\n" in said
    assert "reconciler cancel never-in -w production --sandbox" in done.out
    told = applied.sandbox("check", "--format", "json").json
    assert [(row["name"], row["ready"]) for row in told["waiting"]] == [("marketing-us", True), ("never-in", False)]
    for format_ in ("markdown", "github"):
        assert "never-in" in applied.sandbox("check", "--format", format_).out


def test_what_waits_is_told_by_what_the_check_has_just_learnt(applied, refusing_server):
    applied.write(WRONG, "sinch-token")
    assert applied.sandbox("apply", "--yes").code == 3
    dead = applied.run("check", "alerts-eu", f"--sandbox-url=sinch={refusing_server(401)}")
    assert (dead.code, "and the update of v1 was rejected: nothing serves." in dead.out) == (3, True)
    assert "Check: 0 ready, 1 refused.\nAct on:    alerts-eu.\nWaiting:   alerts-eu.\n" in dead.out
    back = applied.sandbox("check", "alerts-eu")
    assert (back.code, "v1 (secret of " in back.out) == (0, True)
    assert "Check: 1 ready.\nWaiting:   alerts-eu.\n" in back.out


def test_checking_one_name_tells_by_its_exit_code_whether_it_can_send(applied):
    applied.env["TWILIO_AUTH_TOKEN"] = WRONG
    applied.edit("credentials:\n", f"credentials:\n{NEVER_IN}")
    applied.sandbox("apply", "--yes")
    assert applied.sandbox("check", "never-in").code == 3
    update_waits = applied.sandbox("check", "marketing-us")
    assert (update_waits.code, "the update was rejected" in update_waits.out) == (0, True)
    assert "Check: 1 ready.\nWaiting:   marketing-us.\n" in update_waits.out
    assert "never-in" not in update_waits.out
    assert applied.sandbox("check", "nobody").code == 64


def test_github_says_of_a_list_what_needs_a_person(applied):
    assert applied.sandbox("list", "--format", "github").out == ""
    applied.env["TWILIO_AUTH_TOKEN"] = WRONG
    applied.sandbox("apply", "--yes")
    done = applied.sandbox("list", "--format", "github")
    assert done.out.startswith("::warning title=key-refused%3A marketing-us::marketing-us is ready, update rejected")
    assert done.code == 0


# prune


def without(project, name: str) -> None:
    text = (project.path / "credentials.yaml").read_text()
    head, *entries = re.split(r"(?m)^(?=  [a-z])", text)
    project.write(head + "".join(e for e in entries if not e.startswith(f"  {name}:")))


def test_prune_deletes_what_no_manifest_declares(applied):
    without(applied, "otp-apac")
    plan = applied.sandbox("plan", "--prune")
    assert "Plan: 0 to create, 0 to update, 1 to delete, 2 unchanged." in plan.out
    done = applied.sandbox("apply", "--yes", "--prune")
    assert done.code == 0, done.out
    assert "1 deleted" in done.out
    assert set(statuses(applied)) == {"alerts-eu", "marketing-us"}
    events = applied.sandbox("history", "otp-apac", "--format", "json").json["events"]
    assert [e["what"] for e in events] == ["delete", "create"]


def test_a_name_deleted_and_created_again_does_not_begin_at_its_old_version(applied):
    text = (applied.path / "credentials.yaml").read_text()
    without(applied, "otp-apac")
    applied.sandbox("apply", "--yes", "--prune")
    applied.write(text)
    assert applied.sandbox("apply", "--yes").code == 0
    versions = {c["name"]: c["version"] for c in applied.sandbox("list", "--format", "json").json["credentials"]}
    assert versions["otp-apac"] == 2


def test_more_deletes_than_the_limit_are_refused_until_the_number_is_named(applied):
    without(applied, "otp-apac")
    without(applied, "alerts-eu")
    plan = applied.sandbox("plan", "--prune")
    assert (plan.code, "apply will refuse this plan: too-many-deletes" in plan.out) == (4, True)
    assert applied.sandbox("apply", "--yes", "--prune").code == 4
    assert len(statuses(applied)) == 3
    assert applied.sandbox("apply", "--yes", "--prune", "--max-deletes", "2").code == 0
    assert set(statuses(applied)) == {"marketing-us"}


def test_prune_never_deletes_what_is_protected(applied):
    applied.edit("    api_key: env://INFOBIP_API_KEY", "    api_key: env://INFOBIP_API_KEY\n    protected: true")
    assert applied.sandbox("apply", "--yes").code == 0
    without(applied, "otp-apac")
    assert applied.sandbox("apply", "--yes", "--prune").code == 4
    assert "otp-apac" in statuses(applied)


def test_prune_and_max_deletes_are_never_taken_from_the_environment(applied):
    without(applied, "otp-apac")
    env = {"RECONCILER_PRUNE": "1", "RECONCILER_MAX_DELETES": "9"}
    assert "0 to delete" in applied.sandbox("plan", env=env).out
