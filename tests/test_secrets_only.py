"""``--secrets-only``: new values of stored secrets and refused submissions again; nothing else of the manifest."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import TRAITS, credential, record, rejection
from test_approved import digest, planned, prepared_once, versions

from reconciler.model import Action
from reconciler.planner import plan
from reconciler.rotation import only_secrets
from reconciler.scope import Known, Scope

__all__ = ["planned", "prepared_once"]

ONLY = "--secrets-only"


def rotated(credentials, records=(), rejections=()):
    return only_secrets({c.name: c for c in credentials}, {r.name: r for r in records}, {r.name: r for r in rejections})


def test_an_entry_stored_as_declared_is_looked_at_as_it_is():
    made = rotated([credential("a")], [record("a")])
    assert (made.credentials, made.left_out) == ({"a": credential("a")}, ())


def test_another_entry_is_looked_at_as_it_is_stored_and_named():
    made = rotated([credential("a", label="new", token="env://OTHER")], [record("a")])
    assert made.credentials["a"].declared == record("a").declared
    assert made.left_out == ("a",)


def test_what_was_never_submitted_is_left_out():
    made = rotated([credential("a")])
    assert (made.credentials, made.left_out) == ({}, ("a",))


@pytest.mark.parametrize("stored", [(), (record("a", label="old"),)])
def test_what_was_refused_is_tried_again_as_long_as_it_is_still_what_is_declared(stored):
    assert rotated([credential("a")], stored, [rejection("a")]).credentials == {"a": credential("a")}
    changed = rotated([credential("a", label="new")], stored, [rejection("a")])
    assert changed.left_out == ("a",)
    assert [c.declared for c in changed.credentials.values()] == [r.declared for r in stored]


def test_a_record_that_waits_to_be_renamed_takes_its_new_secret_under_its_old_name():
    waiting = replace(credential("new"), moved_from="old")
    made = rotated([waiting], [record("old")])
    assert made.left_out == ("new",)
    assert made.credentials == {"old": replace(waiting, name="old", moved_from="")}


def test_a_refused_submission_that_has_become_a_rename_waits_for_a_whole_apply():
    renaming = replace(credential("new"), moved_from="old")
    made = rotated([renaming], [record("old")], [rejection("new")])
    assert made.left_out == ("new",)
    assert set(made.credentials) == {"old"}


def test_a_rejection_is_dropped_by_a_whole_plan_only():
    stored, refused = {"a": record("a")}, {"a": rejection("a"), "b": rejection("b")}
    known = Known({("a", "auth_token"): b"same"})
    notes = [
        plan({"a": credential("a")}, stored, refused, known, TRAITS, Scope("s", "w", secrets_only=only)).changes
        for only in (False, True)
    ]
    assert [{c.action for c in changes} for changes in notes] == [{Action.NOTE}, set()]


def test_the_digest_says_that_it_is_of_secrets_only():
    arguments = {"a": credential("a")}, {"a": record("a")}, {}, Known({("a", "auth_token"): b"new"}), TRAITS
    whole, only = (plan(*arguments, Scope("s", "w", secrets_only=flag)) for flag in (False, True))
    assert whole.changes == only.changes
    assert whole.digest != only.digest
    assert (whole.secrets_only, only.secrets_only) == (False, True)


# through the command line: a label waits, a create was never submitted


def test_nothing_but_secrets_is_taken_up_and_what_waits_is_named(planned):
    (planned.path / "sinch-token").write_text("0" * 32)
    shown = planned.sandbox("plan", ONLY)
    assert "secrets only" in shown.out.splitlines()[1]
    assert "Plan: 0 to create, 1 to update, 0 to delete, 1 unchanged." in shown.out
    assert "warning[left-out]: not part of what is applied: marketing-us, otp-apac" in shown.out
    done = planned.sandbox("apply", ONLY, "--yes")
    assert (done.code, "alerts-eu        rejected" in done.out) == (3, True)
    assert versions(planned) == {"alerts-eu": 1, "marketing-us": 1}


def test_a_refused_submission_is_tried_again_when_its_secret_is_mended(planned):
    right = planned.env["INFOBIP_API_KEY"]
    planned.env["INFOBIP_API_KEY"] = "wrong-key-of-somebody"
    assert planned.sandbox("apply", "--yes").code == 3
    assert planned.sandbox("apply", ONLY, "--yes").code == 3
    planned.env["INFOBIP_API_KEY"] = right
    done = planned.sandbox("apply", ONLY, "--yes")
    assert done.code == 0, done.out + done.err
    assert versions(planned) == {"alerts-eu": 1, "marketing-us": 2, "otp-apac": 1}


def test_a_rotated_secret_under_a_changed_reference_waits_for_the_whole_apply(planned):
    assert planned.sandbox("apply", "--yes").code == 0
    planned.edit("env://TWILIO_AUTH_TOKEN", "env://ELSEWHERE")
    done = planned.sandbox("apply", ONLY, "--yes", env={"ELSEWHERE": "f" * 32})
    assert (done.code, "No changes" in done.out) == (0, True)
    assert versions(planned)["marketing-us"] == 2


def test_it_goes_with_a_plan_file_and_with_a_digest(planned):
    planned.env["INFOBIP_API_KEY"] = "wrong-key-of-somebody"
    assert planned.sandbox("apply", "--yes").code == 3
    planned.right_secrets()
    approved = digest(planned, ONLY)
    assert approved != digest(planned)
    assert planned.sandbox("apply", "--yes", "--expect", approved).code == 4
    assert planned.sandbox("plan", ONLY, "--out", "plan.json").code == 0
    assert planned.sandbox("show", "plan.json", "--format", "json").json["plan"]["secrets_only"] is True
    assert planned.sandbox("apply", "plan.json").code == 0
    assert set(versions(planned)) == {"alerts-eu", "marketing-us", "otp-apac"}


def test_the_digest_of_secrets_only_is_applied_in_that_mode(planned):
    planned.env["INFOBIP_API_KEY"] = "wrong-key-of-somebody"
    assert planned.sandbox("apply", "--yes").code == 3
    planned.right_secrets()
    done = planned.sandbox("apply", "--yes", ONLY, "--expect", digest(planned, ONLY))
    assert done.code == 0, done.out + done.err


@pytest.mark.parametrize("flags", [("--prune",), ("--secrets", "skip")], ids=" ".join)
def test_what_contradicts_it_is_usage(planned, flags):
    assert planned.sandbox("plan", ONLY, *flags).code == 64
    assert planned.sandbox("apply", "--yes", ONLY, *flags).code == 64
    assert planned.sandbox("apply", "plan.json", ONLY).code == 64


# a run that does nothing but compare insists on what it compares


@pytest.fixture
def rotating(applied):
    """All stored; of two secrets one is gone from this machine, and one is no secret any more."""
    del applied.env["INFOBIP_API_KEY"]
    applied.env["TWILIO_AUTH_TOKEN"] = "short"
    return applied


@pytest.mark.parametrize("command", [("plan", ONLY), ("apply", ONLY, "--yes")], ids=lambda c: c[0])
def test_a_secret_that_cannot_be_had_is_no_success_and_every_one_is_named(rotating, command):
    (rotating.path / "sinch-token").write_text("0" * 32)
    done = rotating.sandbox(*command)
    assert done.code == 1
    assert [name for name in ("marketing-us.auth_token", "otp-apac.api_key") if name in done.out + done.err] == [
        "marketing-us.auth_token", "otp-apac.api_key",
    ]  # fmt: skip
    assert versions(rotating) == {"alerts-eu": 1, "marketing-us": 1, "otp-apac": 1}


def test_only_what_is_taken_up_must_be_there(planned):
    planned.env.pop("INFOBIP_API_KEY")
    done = planned.sandbox("apply", ONLY, "--yes")
    assert done.code == 0, done.out + done.err


@pytest.mark.parametrize("named", [("--secrets", "auto"), {"RECONCILER_SECRETS": "auto"}], ids=["flag", "variable"])
def test_what_can_be_had_is_enough_where_somebody_says_so(rotating, named):
    flags, env = (named, {}) if isinstance(named, tuple) else ((), named)
    done = rotating.sandbox("apply", ONLY, "--yes", *flags, env=env)
    assert done.code == 0
    assert "No changes in what could be compared; 2 secrets could not be compared." in done.out


def test_without_a_key_nothing_is_compared_and_that_is_no_success(applied):
    for file in (applied.path.parent / "home").rglob("*.key"):
        file.unlink()
    done = applied.sandbox("plan", ONLY)
    assert (done.code, "key-missing" in done.err) == (5, True)
