"""``history``: who changed what, when, from where, and was the secret changed."""

from __future__ import annotations

import re

import pytest

from reconciler.app.history import since, span
from reconciler.errors import UsageError

GITHUB = {
    "GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "lea", "GITHUB_SHA": "9f2c1ab", "GITHUB_REF": "refs/pull/212/merge",
    "GITHUB_SERVER_URL": "https://github.example", "GITHUB_REPOSITORY": "acme/sms", "GITHUB_RUN_ID": "8812",
}  # fmt: skip


def events(project, *arguments):
    return project.sandbox("history", *arguments, "--format", "json").json["events"]


@pytest.fixture
def rotated(applied):
    """An account whose secret was changed in CI, after a refused try from a laptop."""
    from reconciler import sandbox

    applied.env["TWILIO_AUTH_TOKEN"] = "f" * 32
    applied.sandbox("apply", "--yes", "--actor", "tom")
    applied.edit("AC00000000000000000000000000000001", "AC00000000000000000000000000000007")
    settings = {"account_sid": "AC00000000000000000000000000000007"}
    applied.env["TWILIO_AUTH_TOKEN"] = sandbox.right_secret("twilio", settings, "auth_token")
    assert applied.sandbox("apply", "--yes", env=GITHUB).code == 0
    return applied


def test_the_question_is_answered_first(rotated):
    done = rotated.sandbox("history", "marketing-us", "--since", "7d")
    assert done.code == 0
    assert "Secret changed: YES, once (v1 → v2, " in done.out
    assert "Secret changed: YES, once (marketing-us v1 → v2, " in rotated.sandbox("history").out
    assert "Chain whole 1…5; head 5:" in done.out
    assert "rejected, v1 stayed" in done.out
    assert "stored v2" in done.out


def test_what_happened_outside_ci_and_claims_are_marked(rotated):
    out = rotated.sandbox("history", "marketing-us").out
    assert "tom (claimed by --actor)" in out
    assert "OUTSIDE CI, host " in out
    assert "PR 212, run https://github.example/acme/sms/actions/runs/8812" in out


def test_the_heading_says_which_account_and_which_time(rotated):
    first, second = rotated.sandbox(
        "history", "marketing-us", "--since", "2026-01-02", "--provider", "twilio"
    ).out.splitlines()[:2]
    assert first.endswith("· marketing-us · twilio AC00…0007")
    assert second.startswith("3 of 5 events · 2026-01-02 00:00 to 2")
    assert second.endswith(", UTC · provider=twilio")


@pytest.mark.parametrize(
    ("more", "environment", "said"),
    [
        ((), {}, "tom (wrote), ken (ran), lea (triggered)"),
        (("--actor", "mallory"), {}, "tom (wrote), mallory (claimed by --actor), lea (triggered)"),
        ((), {"GITHUB_TRIGGERING_ACTOR": "ken"}, "tom (wrote), ken (ran)"),
        ((), {"GITHUB_ACTOR": "tom"}, "tom (wrote), lea (triggered)"),
        ((), {"GITHUB_EVENT_PATH": ""}, "ken, lea (triggered)"),
        (("--actor", "tom"), {"GITHUB_TRIGGERING_ACTOR": "tom"}, "tom (wrote), tom (claimed by --actor)"),
    ],
)
def test_each_of_those_who_took_part_is_named_with_how_that_is_known(applied, more, environment, said):
    push = applied.path / "event.json"
    push.write_text('{"head_commit": {"author": {"username": "tom"}}}')
    known = {"GITHUB_ACTOR": "ken", "GITHUB_TRIGGERING_ACTOR": "lea", "GITHUB_EVENT_PATH": str(push)}
    applied.edit("label: Marketing US", "label: Marketing")
    assert applied.sandbox("apply", "--yes", *more, env={**GITHUB, **known, **environment}).code == 0
    assert f"  {said}\n" in applied.sandbox("history", "marketing-us", "--what", "update").out


def test_filters(rotated):
    assert {e["name"] for e in events(rotated, "--provider", "sinch")} == {"alerts-eu"}
    assert len(events(rotated, "--actor", "tom")) == 1
    assert len(events(rotated, "--what", "update")) == 2
    assert events(rotated, "--since", "2999-01-01") == []
    assert len(events(rotated, "marketing-us", "--what", "create")) == 1
    assert rotated.sandbox("history", "nobody").code == 64
    assert rotated.sandbox("history", "--since", "soon").code == 64


def test_who_acts_by_the_environment_does_not_choose_what_is_shown(rotated):
    assert len(events(rotated, "--what", "update")) == 2
    named = rotated.sandbox("history", "--what", "update", "--format", "json", env={"RECONCILER_ACTOR": "nobody"}).json
    assert len(named["events"]) == 2


def test_history_never_shows_a_secret_and_fingerprints_in_part_only(rotated):
    for format_ in ("table", "json"):
        out = rotated.sandbox("history", "--format", format_).out
        assert rotated.env["TWILIO_AUTH_TOKEN"] not in out
        assert "f" * 32 not in out


def test_without_the_key_it_says_that_the_chain_was_not_verified(applied):
    done = applied.sandbox("history", env={"HOME": str(applied.path)})
    assert done.code == 0
    assert "not verified: the store's key is not here" in done.out


def test_an_altered_event_is_named(applied):
    import sqlite3

    with sqlite3.connect(applied.path / ".reconciler" / "sandbox.db") as connection:
        connection.execute("UPDATE events SET body = replace(body, 'new', 'unchanged') WHERE seq = 2")
    assert "BROKEN at event 2" in applied.sandbox("history").out


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("7d", "2026-11-16T14:02:08.125Z"),
        ("12h", "2026-11-23T02:02:08.125Z"),
        ("30min", "2026-11-23T13:32:08.125Z"),
        ("2026-11-01", "2026-11-01T00:00:00.000Z"),
        ("2026-11-01T10:00:00+02:00", "2026-11-01T08:00:00.000Z"),
        ("2026-11-01T10:00:00Z", "2026-11-01T10:00:00.000Z"),
    ],
)
def test_since_takes_a_span_a_date_or_a_timestamp(text, expected):
    assert since(text, "2026-11-23T14:02:08.125Z") == expected


@pytest.mark.parametrize("text", ["7", "0d", "-1d", "7w", "١d", "7d "])
def test_a_span_is_a_number_and_a_unit(text):
    with pytest.raises(UsageError):
        span(text)


def test_the_pull_request_comment_names_commit_and_run(applied):
    applied.edit("label: Marketing US", "label: Another")
    out = applied.sandbox("plan", "--format", "markdown", env=GITHUB).out
    assert "Commit `9f2c1ab`" in out
    assert "[Run](https://github.example/acme/sms/actions/runs/8812)" in out
    hostile = {**GITHUB, "GITHUB_REPOSITORY": "a](https://evil.example) [b"}
    assert "evil.example" not in applied.sandbox("plan", "--format", "markdown", env=hostile).out


KEY = {"account_sid": "AC00000000000000000000000000000001", "api_key_sid": "SK00000000000000000000000000000003"}


@pytest.fixture
def another_kind(applied):
    """A credential that signs in with an API key, where it had an auth token."""
    from reconciler import sandbox

    applied.edit("    auth_token: env://TWILIO_AUTH_TOKEN\n",
                 f"    api_key_sid: {KEY['api_key_sid']}\n    api_key_secret: env://TWILIO_KEY\n")  # fmt: skip
    applied.env["TWILIO_KEY"] = sandbox.right_secret("twilio", KEY, "api_key_secret")
    return applied


def test_a_secret_of_another_kind_is_another_secret(another_kind):
    done = another_kind.sandbox("apply", "--yes")
    assert done.code == 0, done.out + done.err
    assert re.search(r"~ marketing-us +updated, secret changed ", done.out + done.err)
    out = another_kind.sandbox("history", "marketing-us").out
    assert "Secret changed: YES, once (v1 → v2, " in out
    assert re.search(r"update +changed +stored v2", out)
    assert f"api_key_sid – → {KEY['api_key_sid']}" in out
    assert "auth_token env://TWILIO_AUTH_TOKEN → –" in out
    assert "api_key_secret new" in out


def test_a_secret_of_another_kind_that_was_refused_is_a_different_one(another_kind):
    another_kind.env["TWILIO_KEY"] = "f" * 32
    assert another_kind.sandbox("apply", "--yes").code == 3
    out = another_kind.sandbox("history", "marketing-us").out
    assert "Secret changed: no." in out
    assert re.search(r"update +different +rejected, v1 stayed", out)


def test_the_first_secret_of_a_credential_replaces_none(applied):
    out = applied.sandbox("history", "marketing-us").out
    assert "Secret changed: no." in out
    assert re.search(r"create +new +stored v1", out)
    assert "auth_token new" not in out


def test_a_rename_shows_no_fingerprints_of_a_secret_that_it_leaves_alone(applied):
    applied.edit("  marketing-us:\n", "  sms-fr:\n    moved_from: marketing-us\n")
    assert applied.sandbox("apply", "--yes").code == 0
    out = applied.sandbox("history", "sms-fr").out
    assert re.search(r"rename +unchanged +stored v2", out)
    assert "Secret changed: no." in out
    assert not re.search(r"auth_token [0-9a-f]{8} → ", out)
    (told,) = events(applied, "sms-fr", "--what", "rename")[:1]
    before, after = told["body"]["fingerprints"]["auth_token"]
    assert (before, len(after)) == ("", 8)
