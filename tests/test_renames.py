"""Renames through the real command line: nothing is destroyed, nothing is asked, the old name reads on."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest

from reconciler import sandbox

WRONG = "f" * 32
FRENCH = "  sms-france:\n    moved_from: marketing-us\n"


def names(project) -> dict[str, int]:
    listed = project.sandbox("list", "--format", "json").json["credentials"]
    return {c["name"]: c["version"] for c in listed}


def events(project, *arguments) -> list[tuple[str, str, str, int]]:
    told = project.sandbox("history", "--format", "json", *arguments).json["events"]
    return [(e["name"], e["what"], e["result"], e["version"]) for e in reversed(told)]


@pytest.fixture
def moved(applied):
    """``marketing-us`` is to be ``sms-france``."""
    applied.edit("  marketing-us:\n", FRENCH)
    return applied


@pytest.fixture
def renamed(moved):
    done = moved.sandbox("apply", "--yes")
    assert done.code == 0, done.out + done.err
    return moved


def test_a_rename_is_planned_as_one_and_needs_neither_secret_nor_key(moved):
    for env in ({}, {"TWILIO_AUTH_TOKEN": ""}):
        done = moved.sandbox("plan", "--detailed-exitcode", "--prune", env=env)
        assert done.code == 2
        assert re.search(r"→ sms-france +twilio +rename from marketing-us, nothing else changes +\S+:4", done.out)
        assert "Plan: 0 to create, 0 to update, 0 to delete, 2 unchanged.\nAlso: 1 to rename" in done.out


def test_a_rename_is_stored_without_asking_or_the_runners_secret(moved):
    done = moved.sandbox("apply", "--yes", env={"TWILIO_AUTH_TOKEN": ""})
    assert done.code == 0, done.out + done.err
    assert re.search(r"→ sms-france +renamed from marketing-us +v2\n", done.out + done.err)
    assert names(moved) == {"alerts-eu": 1, "otp-apac": 1, "sms-france": 2}
    assert events(moved)[3:] == [
        ("marketing-us", "rename", "left", 1), ("sms-france", "rename", "renamed", 2)
    ]  # fmt: skip
    assert moved.sandbox("check").code == 0


def test_a_plan_after_a_rename_notes_the_spent_moved_from_and_nothing_else(renamed):
    done = renamed.sandbox("plan", "--detailed-exitcode")
    assert done.code == 0
    assert "Plan: 0 to create, 0 to update, 0 to delete, 3 unchanged.\nAlso: 1 spent moved_from." in done.out
    assert "secrets compared 3 of 3" in done.out
    again = renamed.sandbox("apply", "--yes")
    assert "No changes" in again.out
    assert names(renamed)["sms-france"] == 2


def test_the_old_name_reads_on_with_a_warning_until_moved_from_goes(renamed):
    for command in ("get", "check"):
        done = renamed.sandbox(command, "marketing-us")
        assert done.code == 0
        assert "sms-france" in done.out
        assert "marketing-us is sms-france now" in done.out + done.err
    renamed.edit("    moved_from: marketing-us\n", "")
    done = renamed.sandbox("plan")
    assert "Plan: 0 to create, 1 to update, 0 to delete, 2 unchanged." in done.out
    assert re.search(r"moved_from +marketing-us → –", done.out)
    assert renamed.sandbox("apply", "--yes", env={"TWILIO_AUTH_TOKEN": ""}).code == 0
    assert "No changes" in renamed.sandbox("plan").out
    for command in ("get", "check"):
        gone = renamed.sandbox(command, "marketing-us")
        assert gone.code == 64
        assert "no-such-name" in gone.err + gone.out


def test_a_rename_with_a_new_secret_is_both_or_neither(moved):
    right = moved.env["TWILIO_AUTH_TOKEN"]
    moved.env["TWILIO_AUTH_TOKEN"] = WRONG
    done = moved.sandbox("apply", "--yes")
    assert done.code == 3
    assert "v1 keeps serving as marketing-us; neither the rename nor your change is stored" in done.out
    assert names(moved) == {"alerts-eu": 1, "marketing-us": 1, "otp-apac": 1, "sms-france": None}
    listed = moved.sandbox("list").out
    assert "not renamed: v1 keeps serving under its old name." in listed
    moved.env["TWILIO_AUTH_TOKEN"] = right
    assert moved.sandbox("apply", "--yes").code == 0
    assert names(moved) == {"alerts-eu": 1, "otp-apac": 1, "sms-france": 2}


def test_a_refused_rename_can_be_cancelled(moved):
    moved.env["TWILIO_AUTH_TOKEN"] = WRONG
    moved.sandbox("apply", "--yes")
    assert moved.sandbox("cancel", "sms-france").code == 0
    assert names(moved) == {"alerts-eu": 1, "marketing-us": 1, "otp-apac": 1}


def test_a_refused_rename_is_planned_again_as_refused_before(moved):
    moved.env["TWILIO_AUTH_TOKEN"] = WRONG
    assert moved.sandbox("apply", "--yes").code == 3
    (again,) = moved.sandbox("plan", "--format", "json").json["plan"]["changes"]
    assert again["refused_before"]["attempts"] == 1
    moved.env["TWILIO_AUTH_TOKEN"] = "e" * 32
    (again,) = moved.sandbox("plan", "--format", "json").json["plan"]["changes"]
    assert again["refused_before"] is None


def test_a_rename_with_a_label_is_stored_with_it(moved):
    moved.edit("    label: Marketing US\n", "    label: France\n")
    done = moved.sandbox("plan")
    assert re.search(r"rename from marketing-us, and update", done.out)
    assert moved.sandbox("apply", "--yes").code == 0
    told = moved.sandbox("get", "sms-france", "--format", "json").json["credentials"][0]
    assert (told["label"], told["version"], told["created_by"]) == ("France", 2, told["updated_by"])


def test_what_was_refused_under_the_old_name_goes_with_it(applied):
    right = applied.env["TWILIO_AUTH_TOKEN"]
    applied.env["TWILIO_AUTH_TOKEN"] = WRONG
    assert applied.sandbox("apply", "--yes").code == 3
    applied.env["TWILIO_AUTH_TOKEN"] = right
    applied.edit("  marketing-us:\n", FRENCH)
    assert applied.sandbox("apply", "--yes", "--only", "sms-france").code == 0
    assert names(applied) == {"alerts-eu": 1, "otp-apac": 1, "sms-france": 2}
    assert ("marketing-us", "cancel", "dropped", 1) in events(applied)


def test_both_names_stored_is_refused_with_what_to_do(applied):
    text = (applied.path / "credentials.yaml").read_text()
    head, entry = text.split("  alerts-eu:")[0], "  sms-france:\n" + text.split("  marketing-us:\n")[1]
    applied.write(text + "  sms-france:\n" + head.split("  marketing-us:\n")[1])
    assert applied.sandbox("apply", "--yes").code == 0
    applied.write("version: 1\nworkspace: production\ncredentials:\n" + entry)
    applied.edit("  sms-france:\n", FRENCH)
    done = applied.sandbox("apply", "--yes", "--prune")
    assert done.code == 4
    assert "name-taken" in done.err
    assert set(names(applied)) == {"alerts-eu", "marketing-us", "otp-apac", "sms-france"}


def test_the_history_of_a_name_goes_on_before_its_rename(renamed):
    assert events(renamed, "sms-france") == [
        ("marketing-us", "create", "created", 1), ("sms-france", "rename", "renamed", 2)
    ]  # fmt: skip
    assert [name for name, *_ in events(renamed, "marketing-us")] == ["marketing-us", "marketing-us"]
    assert "renamed from marketing-us" in renamed.sandbox("history", "sms-france").out
    assert "renamed to sms-france" in renamed.sandbox("history", "marketing-us").out


def test_protection_comes_along(applied):
    applied.edit("    label: Marketing US\n", "    label: Marketing US\n    protected: true\n")
    assert applied.sandbox("apply", "--yes").code == 0
    applied.edit("  marketing-us:\n", FRENCH)
    assert applied.sandbox("apply", "--yes").code == 0
    applied.edit("AC00000000000000000000000000000001", "AC00000000000000000000000000000009")
    assert applied.sandbox("apply", "--yes").code == 4


def test_attack_05_an_old_row_put_back_under_the_old_name_stops_every_command(moved):
    store = moved.path / ".reconciler" / "sandbox.db"

    def raw(sql, *values):
        with closing(sqlite3.connect(store, isolation_level=None)) as connection:
            return connection.execute(sql, values).fetchall()

    (row,) = raw("SELECT * FROM records WHERE name = 'marketing-us'")
    assert moved.sandbox("apply", "--yes").code == 0
    raw(f"INSERT INTO records VALUES ({','.join('?' * len(row))})", *row)
    raw("UPDATE secrets SET keep_until = '' WHERE name = 'marketing-us'")
    for arguments in (["plan"], ["apply", "--yes"], ["check", "marketing-us"], ["list"]):
        done = moved.sandbox(*arguments)
        assert (done.code, "tampered" in done.out + done.err) == (5, True)


# a moved_from that names nothing


def test_a_moved_from_that_is_typed_wrong_ends_in_no_delete_and_create(moved):
    moved.edit("moved_from: marketing-us", "moved_from: marketting-us")
    noted = moved.sandbox("plan")
    assert noted.code == 0
    assert "warning[moved-from-unknown]" in noted.out
    assert "credentials.yaml:5:17   sms-france.moved_from" in noted.out
    assert "did you mean  moved_from: marketing-us ?" in noted.out
    shown = moved.sandbox("plan", "--prune", "--out", "plan.json")
    assert "marketting-us, which is not stored; this plan creates sms-france, and deletes marketing-us" in shown.out
    digest = shown.out.split("Digest ")[1].split(".")[0]
    for arguments in (["--prune"], ["--prune", "--expect", digest], ["plan.json"]):
        done = moved.sandbox("apply", "--yes", *arguments)
        assert (done.code, "error[moved-from-unknown]" in done.err) == (4, True)
        assert "if it is renamed:  moved_from: marketing-us ;" in done.err
    assert names(moved) == {"alerts-eu": 1, "marketing-us": 1, "otp-apac": 1}
    # another one after all: created first, then the old one may go
    assert moved.sandbox("apply", "--yes").code == 0
    assert moved.sandbox("apply", "--yes", "--prune").code == 0
    assert names(moved) == {"alerts-eu": 1, "otp-apac": 1, "sms-france": 1}


# a rename that nobody said


def test_an_entry_with_another_name_and_no_moved_from_gets_the_line_that_is_missing(applied):
    applied.edit("  marketing-us:\n", "  sms-france:\n")
    said = "if it is the same credential, say so in its entry:  moved_from: marketing-us\n"
    noted = applied.sandbox("plan")
    assert noted.code == 0
    assert "warning[looks-renamed]" in noted.out
    assert "credentials.yaml:4:3   sms-france" in noted.out
    assert "this plan creates sms-france, and keeps marketing-us beside it" in noted.out
    assert said in noted.out
    assert "and deletes marketing-us beside it" in applied.sandbox("plan", "--prune").out
    assert said in applied.sandbox("plan", "--secrets", "skip").out
    applied.edit("  sms-france:\n", FRENCH)
    assert "looks-renamed" not in applied.sandbox("plan").out


def test_another_secret_of_the_same_account_is_another_credential(applied):
    applied.edit("  marketing-us:\n", "  sms-france:\n")
    other = applied.sandbox("plan", env={"TWILIO_AUTH_TOKEN": "e" * 32})
    assert (other.code, "looks-renamed" in other.out) == (0, False)


# a name that another credential bore before


AGAIN = """\
  marketing-us:
    provider: twilio
    account_sid: AC00000000000000000000000000000007
    auth_token: env://TWILIO_AGAIN
"""


@pytest.fixture
def reused(renamed):
    """``marketing-us`` is ``sms-france`` now, and another credential bears its name."""
    renamed.edit("    moved_from: marketing-us\n", "")
    renamed.write((renamed.path / "credentials.yaml").read_text() + AGAIN)
    settings = {"account_sid": "AC00000000000000000000000000000007"}
    renamed.env["TWILIO_AGAIN"] = sandbox.right_secret("twilio", settings, "auth_token")
    done = renamed.sandbox("apply", "--yes")
    assert done.code == 0, done.out + done.err
    return renamed


def test_what_bore_a_name_before_is_another_credential_and_is_told_with_the_name_that_it_has_now(reused):
    for command in (["restore", "marketing-us", "--yes"], ["get", "marketing-us"]):
        done = reused.sandbox(*command, "--version", "1")
        assert done.code == 64
        assert "no-such-version" in done.err
        assert "before, the name was that of sms-france" in done.err
        word = command[0]
        assert f"do   reconciler {word} sms-france --version 1 -w production --sandbox\n" in done.err
        mine = reused.sandbox(word, "sms-france", "--version", "1", *command[2:])
        assert mine.code == 0, mine.out + mine.err
    latest = reused.sandbox("restore", "marketing-us", "--yes")
    assert latest.code == 64
    assert "reconciler restore sms-france -w production --sandbox\n" in latest.err
    assert names(reused)["marketing-us"] == 2


def test_the_history_of_a_name_ends_where_another_credential_left_it(reused):
    assert events(reused, "marketing-us") == [("marketing-us", "create", "created", 2)]
    done = reused.sandbox("history", "marketing-us")
    assert done.code == 0
    assert "warning[reused-name]" in done.out
    assert "reconciler history sms-france -w production --sandbox\n" in done.out
    mine = [event[1:3] for event in events(reused, "sms-france")]
    assert mine == [("create", "created"), ("rename", "renamed"), ("update", "updated")]


def test_a_name_that_was_left_and_not_taken_is_told_with_the_one_that_took_its_place(renamed):
    renamed.edit("    moved_from: marketing-us\n", "")
    assert renamed.sandbox("apply", "--yes").code == 0
    for command in (["get"], ["get", "--version", "1"], ["restore", "--yes"], ["restore", "--version", "1", "--yes"]):
        word, *rest = command
        done = renamed.sandbox(word, "marketing-us", *rest)
        assert done.code == 64
        assert "marketing-us is sms-france now" in done.err
        shown = " --version 1" if "1" in rest else ""
        assert f"reconciler {word} sms-france{shown} -w production --sandbox\n" in done.err
    told = renamed.sandbox("history", "marketing-us")
    assert "warning[old-name]" in told.out
    assert [event[2] for event in events(renamed, "marketing-us")] == ["created", "left"]
