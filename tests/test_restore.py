"""Restore through the real command line: a former version comes back once its provider accepts it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from reconciler import sandbox

WRONG = "f" * 32
LABEL = "    label: Marketing US\n"


def names(project) -> dict[str, int]:
    listed = project.sandbox("list", "--format", "json").json["credentials"]
    return {c["name"]: c["version"] for c in listed}


def label(project, name="marketing-us") -> str:
    return project.sandbox("get", name, "--format", "json").json["credentials"][0]["label"]


def events(project, name) -> list[tuple[str, str, int]]:
    told = project.sandbox("history", name, "--format", "json").json["events"]
    return [(e["what"], e["result"], e["version"]) for e in reversed(told)]


@pytest.fixture
def changed(applied):
    """``marketing-us`` has another label in v2."""
    applied.edit(LABEL, "    label: Second\n")
    assert applied.sandbox("apply", "--yes").code == 0
    return applied


def test_the_version_before_comes_back_as_a_new_one_and_the_next_plan_flips_it(changed):
    done = changed.sandbox("restore", "marketing-us", "--yes")
    assert done.code == 0, done.out + done.err
    assert re.search(r"~ marketing-us +twilio +restore v1 of \d{4}", done.out)
    assert 'label            Second → "Marketing US"' in done.out
    assert "Restored: marketing-us is v3 now, as it was in v1 of" in done.out
    assert done.out.count("warning[flips-back]") == 1
    assert "if an entry declares marketing-us, it probably still gives what is replaced: label\n" in done.out
    assert (names(changed)["marketing-us"], label(changed)) == (3, "Marketing US")
    assert events(changed, "marketing-us")[-1] == ("restore", "updated", 3)
    assert "Plan: 0 to create, 1 to update" in changed.sandbox("plan").out
    assert changed.sandbox("check", "marketing-us").code == 0


def test_a_version_is_chosen_by_its_number_and_nothing_happens_where_it_is_the_stored_one(changed):
    changed.edit("    label: Second\n", "    label: Third\n")
    assert changed.sandbox("apply", "--yes").code == 0
    assert changed.sandbox("restore", "marketing-us", "--version", "1", "--yes").code == 0
    assert (names(changed)["marketing-us"], label(changed)) == (4, "Marketing US")
    again = changed.sandbox("restore", "marketing-us", "--version", "1", "--yes")
    assert again.code == 0
    assert "No changes: marketing-us is stored as it was in v1." in again.out
    assert names(changed)["marketing-us"] == 4


def test_a_deleted_credential_is_restored_with_its_creator(applied):
    text = (applied.path / "credentials.yaml").read_text()
    before = applied.sandbox("get", "otp-apac", "--format", "json").json["credentials"][0]
    applied.write(text.split("  otp-apac:")[0])
    assert applied.sandbox("apply", "--yes", "--prune").code == 0
    assert set(names(applied)) == {"alerts-eu", "marketing-us"}
    done = applied.sandbox("restore", "otp-apac", "--yes")
    assert done.code == 0, done.out + done.err
    assert done.out.count("warning[flips-back]") == 1
    assert "if no entry declares otp-apac, the next plan notes it as undeclared, and --prune deletes it" in done.out
    after = applied.sandbox("get", "otp-apac", "--format", "json").json["credentials"][0]
    assert after["version"] == 2
    for key in ("created_at", "created_by", "declared", "secret_changed_at"):
        assert after[key] == before[key]
    assert events(applied, "otp-apac")[-1] == ("restore", "created", 2)
    applied.write(text)
    assert "No changes" in applied.sandbox("plan").out


def test_a_version_from_before_a_rename_comes_back_under_the_new_name(changed):
    changed.edit("  marketing-us:\n", "  sms-fr:\n    moved_from: marketing-us\n")
    assert changed.sandbox("apply", "--yes").code == 0
    assert names(changed)["sms-fr"] == 3
    done = changed.sandbox("restore", "sms-fr", "--version", "1", "--yes")
    assert done.code == 0, done.out + done.err
    assert "it was marketing-us then" in done.out
    assert (names(changed)["sms-fr"], label(changed, "sms-fr")) == (4, "Marketing US")
    assert changed.sandbox("check", "sms-fr").code == 0
    old = changed.sandbox("restore", "marketing-us", "--version", "2", "--yes")
    assert old.code == 0
    assert old.out.count("marketing-us is sms-fr now") == 1
    assert names(changed)["sms-fr"] == 5
    changed.edit("    moved_from: marketing-us\n", "")
    assert changed.sandbox("apply", "--yes").code == 0
    gone = changed.sandbox("restore", "marketing-us", "--yes")
    assert gone.code == 64
    assert "reconciler restore sms-fr" in gone.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["marketing-us", "--version", "9"], "v9 of marketing-us is not kept; kept: v1 until "),
        (["marketing-us", "--version", "2"], "v2 of marketing-us is what is stored now"),
        (["alerts-eu"], "alerts-eu has no former version that is kept; kept: none"),
        (["marketing-uk"], "did you mean marketing-us?"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(changed, arguments, said):
    done = changed.sandbox("restore", *arguments, "--yes")
    assert done.code == 64
    assert said in done.err
    assert names(changed)["marketing-us"] == 2


@pytest.mark.parametrize(
    ("status", "code", "result"), [(401, "key-refused", "rejected"), (503, "server-error", "failed")]
)
def test_what_the_provider_does_not_accept_changes_nothing(changed, refusing_server, status, code, result):
    changed.edit("    region: eu\n", "    region: eu\n    label: Second\n")
    assert changed.sandbox("apply", "--yes").code == 0
    done = changed.run("restore", "alerts-eu", "--yes", f"--sandbox-url=sinch={refusing_server(status)}")
    assert done.code == 3
    assert f"error[{code}]" in done.out
    assert "v2 keeps serving; nothing is restored" in done.out
    assert (names(changed)["alerts-eu"], label(changed, "alerts-eu")) == (2, "Second")
    assert not any(c["rejection"] for c in changed.sandbox("list", "--format", "json").json["credentials"])
    assert events(changed, "alerts-eu")[-1] == ("restore", result, 2)


def test_a_restore_asks_first(changed):
    done = changed.sandbox("restore", "marketing-us", "--version", "1")
    assert done.code == 64
    assert "not-confirmed" in done.err
    assert "reconciler restore marketing-us --version 1 --sandbox --yes" in done.err


def test_protection_stays_on_and_holds_the_account(changed):
    changed.edit("    label: Second\n", "    label: Second\n    protected: true\n")
    assert changed.sandbox("apply", "--yes").code == 0
    assert changed.sandbox("restore", "marketing-us", "--version", "1", "--yes").code == 0
    told = changed.sandbox("get", "marketing-us", "--format", "json").json["credentials"][0]
    assert told["declared"]["common"] == {"label": "Marketing US", "protected": True}


def test_protection_holds_the_account_against_a_restore(applied):
    applied.edit("AC00000000000000000000000000000001", "AC00000000000000000000000000000009")
    applied.right_secrets()
    assert applied.sandbox("apply", "--yes").code == 0
    applied.edit(LABEL, LABEL + "    protected: true\n")
    assert applied.sandbox("apply", "--yes").code == 0
    done = applied.sandbox("restore", "marketing-us", "--version", "1", "--yes")
    assert done.code == 4
    assert "marketing-us would become another account" in done.err
    assert names(applied)["marketing-us"] == 3


def test_a_waiting_rejection_stays_where_an_older_version_is_restored(changed):
    changed.env["TWILIO_AUTH_TOKEN"] = WRONG
    assert changed.sandbox("apply", "--yes").code == 3
    assert changed.sandbox("restore", "marketing-us", "--yes").code == 0
    row = next(
        c for c in changed.sandbox("list", "--format", "json").json["credentials"] if c["name"] == "marketing-us"
    )
    assert row["status"] == "ready, update rejected"


@pytest.mark.parametrize("form", ["json", "markdown", "github", "table"])
def test_every_format_tells_it(changed, form):
    done = changed.sandbox("restore", "marketing-us", "--yes", "--format", form, "--report", "json=report.json")
    assert done.code == 0
    told = json.loads((changed.path / "report.json").read_text())
    assert [(c["name"], c["restores"]) for c in told["plan"]["changes"]] == [("marketing-us", 1)]
    assert told["outcomes"][0]["version"] == 3
    assert "flips-back" in done.out


def test_a_value_that_is_replaced_is_named_by_its_reference(applied):
    settings = {"account_sid": "AC00000000000000000000000000000007"}
    applied.edit("AC00000000000000000000000000000001", settings["account_sid"])
    applied.env["TWILIO_AUTH_TOKEN"] = sandbox.right_secret("twilio", settings, "auth_token")
    assert applied.sandbox("apply", "--yes").code == 0
    said = "what is replaced: account_sid, the value behind env://TWILIO_AUTH_TOKEN\n"
    assert said in applied.sandbox("restore", "marketing-us", "--yes").out
    # another reference is named as such, not by the value that nothing gives any more
    applied.edit("env://TWILIO_AUTH_TOKEN", "env://OTHER")
    applied.env["OTHER"] = applied.env["TWILIO_AUTH_TOKEN"]
    assert applied.sandbox("apply", "--yes").code == 0
    back = applied.sandbox("restore", "marketing-us", "--version", "1", "--yes")
    assert "what is replaced: account_sid, auth_token\n" in back.out


@pytest.mark.parametrize("keep", ["7d", "0d"])
def test_a_delete_says_which_version_it_was_and_until_when_it_can_be_had_back(applied, keep):
    applied.write((applied.path / "credentials.yaml").read_text().split("  otp-apac:")[0])
    arguments = ("apply", "--yes", "--prune", "--keep-old", keep, "--report", "json=report.json")
    done = applied.sandbox(*arguments, "--report", "markdown=report.md")
    assert done.code == 0, done.out + done.err
    (told,) = json.loads((applied.path / "report.json").read_text())["outcomes"]
    again = applied.sandbox("restore", "otp-apac", "--yes")
    if keep == "0d":
        assert re.search(r"- otp-apac +deleted +v1, not kept\n", done.out)
        assert (told["kept_until"], again.code) == (None, 64)
        return
    until = told["kept_until"]
    said = f"v1, restore until {until[:10]} {until[11:16]} UTC"
    assert re.search(rf"- otp-apac +deleted +{said}\n", done.out)
    assert said in (applied.path / "report.md").read_text()
    assert (told["version"], again.code) == (0, 0)


def test_nothing_is_kept_where_nothing_is_to_be_kept(applied):
    applied.edit(LABEL, "    label: Second\n")
    assert applied.sandbox("apply", "--yes", "--keep-old", "0d").code == 0
    done = applied.sandbox("restore", "marketing-us", "--yes")
    assert done.code == 64
    assert ("forget", "forgotten", 2) in events(applied, "marketing-us")
    assert applied.sandbox("apply", "--yes", env={"RECONCILER_KEEP_OLD": "soon"}).code == 64


@pytest.mark.parametrize("command", [("apply", "--yes"), ("restore", "marketing-us", "--yes")])
@pytest.mark.parametrize("days", ["0d", "6d"])
def test_the_environment_cannot_make_what_is_deleted_final_sooner(changed, command, days):
    done = changed.sandbox(*command, env={"RECONCILER_KEEP_OLD": days})
    assert done.code == 64
    assert "RECONCILER_KEEP_OLD may not be shorter than 7d" in done.err
    assert f"--keep-old {days}" in done.err
    assert version(changed, "marketing-us", 1)["secret"] == "kept"
    assert changed.sandbox(*command, "--keep-old", days, env={"RECONCILER_KEEP_OLD": days}).code == 0


@pytest.mark.parametrize("days", [7, 30])
def test_the_environment_may_ask_for_longer(applied, days):
    applied.edit(LABEL, "    label: Second\n")
    assert applied.sandbox("apply", "--yes", env={"RECONCILER_KEEP_OLD": f"{days}d"}).code == 0
    (kept,) = applied.sandbox("get", "marketing-us", "--format", "json").json["facts"]["kept"]
    left = datetime.fromisoformat(kept["until"]) - datetime.now(UTC)
    assert timedelta(days=days - 1) < left <= timedelta(days=days)


def test_a_shorter_time_does_not_take_a_secret_from_a_version_that_is_kept_for_longer(applied):
    """Two versions have one secret: it stays as long as the one that is kept longest."""
    first = applied.env["TWILIO_AUTH_TOKEN"]
    applied.edit(LABEL, "    label: Second\n")
    assert applied.sandbox("apply", "--yes", "--keep-old", "30d").code == 0
    applied.edit("AC00000000000000000000000000000001", "AC00000000000000000000000000000007")
    settings = {"account_sid": "AC00000000000000000000000000000007"}
    applied.env["TWILIO_AUTH_TOKEN"] = sandbox.right_secret("twilio", settings, "auth_token")
    assert applied.sandbox("apply", "--yes", "--keep-old", "0d").code == 0
    assert version(applied, "marketing-us", 1)["secret"] == "kept"
    done = applied.sandbox("restore", "marketing-us", "--version", "1", "--yes")
    assert done.code == 0, done.err
    assert applied.sandbox("read", "marketing-us", "auth_token", "--reveal").out == f"{first}\n"


# what a version was


def test_get_lists_the_versions_that_are_kept(changed):
    done = changed.sandbox("get", "marketing-us")
    assert re.search(r"former +v1 as marketing-us, kept until \d{4}-", done.out)
    told = changed.sandbox("get", "marketing-us", "--format", "json").json["facts"]["kept"]
    assert [(one["version"], one["name"], one["whole"]) for one in told] == [(1, "marketing-us", True)]


def version(project, name, number) -> dict:
    return project.sandbox("get", name, "--version", str(number), "--format", "json").json["facts"]


def test_get_tells_what_a_version_was_and_whether_its_secret_is_still_there(changed):
    first, second = (version(changed, "marketing-us", number) for number in (1, 2))
    assert (first["declared"]["label"], second["declared"]["label"]) == ("Marketing US", "Second")
    assert (first["secret"], second["secret"]) == ("kept", "stored")
    assert first["fingerprints"] == second["fingerprints"]
    assert re.fullmatch("[0-9a-f]{8}", first["fingerprints"]["auth_token"])
    assert first["account"] == "AC00000000000000000000000000000001"
    done = changed.sandbox("get", "marketing-us", "--version", "1")
    assert "reconciler restore marketing-us --version 1" in done.out


def test_a_version_that_is_gone_is_told_from_the_events(applied):
    applied.edit(LABEL, "    label: Second\n    tags: {team: a, site: b}\n")
    applied.sandbox("apply", "--yes", "--keep-old", "0d")
    applied.edit("{team: a, site: b}", "{team: c}")
    applied.edit("  marketing-us:\n", "  sms-fr:\n    moved_from: marketing-us\n")
    applied.sandbox("apply", "--yes", "--keep-old", "0d")
    first, second, third = (version(applied, "sms-fr", number) for number in (1, 2, 3))
    assert [one["secret"] for one in (first, second, third)] == ["gone", "gone", "stored"]
    assert [one["was"] for one in (first, second, third)] == ["marketing-us", "marketing-us", "sms-fr"]
    assert first["declared"]["label"] == "Marketing US"
    assert second["declared"]["tags"] == {"team": "a", "site": "b"}
    assert third["declared"] == {**second["declared"], "tags": {"team": "c"}}
    assert "gone for good" in applied.sandbox("get", "sms-fr", "--version", "1").out
    missing = applied.sandbox("get", "sms-fr", "--version", "9")
    assert missing.code == 64
    assert "sms-fr never had a v9; it had: v3, v2, v1" in missing.err
    unknown = applied.sandbox("get", "sms-fx", "--version", "1")
    assert unknown.code == 64
    assert "did you mean sms-fr?" in unknown.err


def test_a_deleted_credential_is_told_with_what_puts_it_back(applied):
    applied.write((applied.path / "credentials.yaml").read_text().split("  otp-apac:")[0])
    applied.sandbox("apply", "--yes", "--prune")
    done = applied.sandbox("get", "otp-apac")
    assert done.code == 64
    assert "otp-apac was deleted; v1 is kept until" in done.err
    assert "reconciler restore otp-apac" in done.err
    assert version(applied, "otp-apac", 1)["secret"] == "kept"


def secret_changed(project, name) -> tuple[str, str, int]:
    """What ``get`` and its JSON say: the line, its time, and the version."""
    told = project.sandbox("get", name, "--format", "json").json
    (one,) = told["facts"]["secrets"]
    credential = told["credentials"][0]
    assert credential["secret_versions"] == {one["field"]: one["version"]}
    assert one["at"] == credential["secret_changed_at"]
    line = re.search(r"secret changed +(.*)", project.sandbox("get", name).out)
    return line[1], one["at"], one["version"]


def test_version_and_time_of_the_last_change_of_a_secret_are_those_of_its_value(applied):
    """A rename seals it again, a restore puts it back: it is as old as it was."""
    line, first, version = secret_changed(applied, "marketing-us")
    assert (line, version) == (f"auth_token in v1, {first[:10]} {first[11:16]} UTC", 1)
    applied.edit("  marketing-us:\n", "  sms-fr:\n    moved_from: marketing-us\n")
    assert applied.sandbox("apply", "--yes").code == 0
    assert (names(applied)["sms-fr"], secret_changed(applied, "sms-fr")) == (2, (line, first, 1))
    settings = {"account_sid": "AC00000000000000000000000000000007"}
    applied.edit("AC00000000000000000000000000000001", settings["account_sid"])
    applied.env["TWILIO_AUTH_TOKEN"] = sandbox.right_secret("twilio", settings, "auth_token")
    assert applied.sandbox("apply", "--yes").code == 0
    assert secret_changed(applied, "sms-fr")[2] == 3
    assert applied.sandbox("restore", "sms-fr", "--version", "1", "--yes").code == 0
    assert (names(applied)["sms-fr"], secret_changed(applied, "sms-fr")) == (4, (line, first, 1))
