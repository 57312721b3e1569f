"""What was approved is applied, or nothing: plan files and digests through the real command line."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from conftest import Project

from reconciler import keyfiles, planfile, sealing
from reconciler.app import planfiles
from reconciler.stores import sqlite

ZEROS = "c1-" + "0" * 32
STORE = ".reconciler/sandbox.db"


@pytest.fixture(scope="module")
def prepared_once(tmp_path_factory):
    """Two of three are stored; planned are a create and a label, kept as a signed file."""
    import os

    root = tmp_path_factory.mktemp("approved")
    env = {"PATH": os.environ["PATH"], "HOME": str(root / "home"), "LANG": "C.UTF-8"}
    env |= {
        name: os.environ[name] for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG") if name in os.environ
    }
    (root / "project").mkdir()
    made = Project(root / "project", env)
    from conftest import MANIFEST

    made.write(MANIFEST)
    made.right_secrets()
    assert made.sandbox("apply", "--yes", "--only", "*-[ue][su]").code == 0
    made.edit("label: Marketing US", "label: Another")
    done = made.sandbox("plan", "--out", "plan.json")
    assert "Plan: 1 to create, 1 to update, 0 to delete, 1 unchanged." in done.out, done.err
    return made


@pytest.fixture
def planned(prepared_once, tmp_path):
    shutil.copytree(prepared_once.path.parent, tmp_path / "copy")
    return Project(tmp_path / "copy" / "project", {**prepared_once.env, "HOME": str(tmp_path / "copy" / "home")})


def dump(project) -> list[str]:
    """The whole store as text, but for the lease."""
    with closing(sqlite3.connect(project.path / STORE)) as store:
        return [line for line in store.iterdump() if '"leases"' not in line]


def versions(project) -> dict[str, int]:
    return {c["name"]: c["version"] for c in project.sandbox("list", "--format", "json").json["credentials"]}


def digest(project, *arguments) -> str:
    return project.sandbox("plan", "--format", "json", *arguments).json["plan"]["digest"]


def resigned(project, change, name: str = "plan.json") -> None:
    """The plan with another content, signed with the store's own key: what only its holder can make."""
    file = planfiles.read(project.path / name)
    store = sqlite.open_store(project.path / STORE)
    (key,) = (project.path.parent / "home" / ".config" / "reconciler" / "keys").iterdir()
    ring = sealing.open_keyring(store.info.id, store.slots(), keyfiles.read_key_file(key))
    store.close()
    file = change(file)
    file = replace(
        file, plan=replace(file.plan, digest=planfile.digest(file.plan.changes, planfile.Known(), file.scope))
    )
    file = replace(file, id=planfile._id(planfile._content(file)))
    file = replace(file, signature=ring.signer(file.scope.workspace)(planfile._signed(file)))
    (project.path / name).write_text(planfile.text(file))


# a plan file, applied


def test_a_plan_file_is_applied_without_a_question_and_without_the_manifest(planned):
    (planned.path / "credentials.yaml").unlink()
    done = planned.sandbox("apply", "plan.json")
    assert done.code == 0, done.out + done.err
    approved = json.loads((planned.path / "plan.json").read_text())["digest"]
    assert f"digest {approved} as approved" in done.out.splitlines()[0]
    assert "Applied: 1 created, 1 updated, 0 renamed, 0 deleted, 0 rejected, 0 failed" in done.out
    assert versions(planned) == {"alerts-eu": 1, "marketing-us": 2, "otp-apac": 1}


def test_what_happens_elsewhere_in_the_workspace_does_not_make_a_plan_stale(planned):
    planned.edit("  alerts-eu:\n", "  alerts-eu:\n    label: Alerts\n")
    assert planned.sandbox("apply", "--yes", "--only", "alerts-eu").code == 0
    assert planned.sandbox("apply", "plan.json").code == 0
    assert versions(planned) == {"alerts-eu": 2, "marketing-us": 2, "otp-apac": 1}


def test_events_name_the_plan_file(planned):
    assert planned.sandbox("apply", "plan.json").code == 0
    plan = json.loads((planned.path / "plan.json").read_text())
    events = planned.sandbox("history", "--format", "json").json["events"]
    told = {e["name"]: (e["body"].get("plan"), e["body"]["digest"]) for e in reversed(events)}
    assert told["otp-apac"] == told["marketing-us"] == (plan["id"], plan["digest"])
    assert told["alerts-eu"][0] is None


def test_a_plan_that_was_cut_short_is_resumed_and_then_finished(planned):
    away = ("--sandbox-url", "infobip=http://127.0.0.1:9")
    done = planned.sandbox("apply", "plan.json", *away)
    assert done.code == 3
    assert versions(planned) == {"alerts-eu": 1, "marketing-us": 2}
    done = planned.sandbox("apply", "plan.json", "--format", "json")
    assert done.code == 0, done.out
    assert done.json["done_before"] == ["marketing-us"]
    assert [(o["name"], o["result"]) for o in done.json["outcomes"]] == [("otp-apac", "created")]
    assert versions(planned) == {"alerts-eu": 1, "marketing-us": 2, "otp-apac": 1}
    assert "error[plan-finished]" in planned.sandbox("apply", "plan.json").err


def test_what_an_earlier_run_stored_counts_as_done_though_it_was_changed_since(planned):
    assert planned.sandbox("apply", "plan.json", "--sandbox-url", "infobip=http://127.0.0.1:9").code == 3
    planned.edit("label: Another", "label: Third")
    assert planned.sandbox("apply", "--yes", "--only", "marketing-us").code == 0
    done = planned.sandbox("apply", "plan.json")
    assert done.code == 0, done.out + done.err
    assert "resumed: an earlier run of this plan has stored marketing-us" in done.out
    assert versions(planned) == {"alerts-eu": 1, "marketing-us": 3, "otp-apac": 1}


def test_a_plan_of_which_all_is_stored_but_the_end_is_finished_without_asking(planned):
    assert planned.sandbox("apply", "plan.json").code == 0
    with closing(sqlite3.connect(planned.path / STORE)) as store:
        store.execute("UPDATE plans SET finished_at = ''")
        store.commit()
    before = len(planned.sandbox("history", "--format", "json").json["events"])
    done = planned.sandbox("apply", "plan.json", "--sandbox-url", "infobip=http://127.0.0.1:9")
    assert done.code == 0, done.err
    assert len(planned.sandbox("history", "--format", "json").json["events"]) == before
    assert planned.sandbox("apply", "plan.json").code == 4


def test_a_rejected_change_is_an_end_too(planned):
    planned.env["INFOBIP_API_KEY"] = "wrong-key-of-somebody"
    assert planned.sandbox("plan", "--out", "plan.json").code == 0
    assert planned.sandbox("apply", "plan.json").code == 3
    assert "error[plan-finished]" in planned.sandbox("apply", "plan.json").err


def test_a_rename_and_a_delete_travel_in_a_plan_file(planned):
    assert planned.sandbox("apply", "plan.json").code == 0
    planned.edit("  marketing-us:\n", "  sms-us:\n    moved_from: marketing-us\n")
    text = (planned.path / "credentials.yaml").read_text()
    planned.write(text[: text.index("  otp-apac:")])
    assert planned.sandbox("plan", "--prune", "--out", "plan.json").code == 0
    done = planned.sandbox("apply", "plan.json")
    assert done.code == 0, done.out + done.err
    assert "1 renamed, 1 deleted" in done.out
    assert versions(planned) == {"alerts-eu": 1, "sms-us": 3}


def test_a_plan_without_changes_does_nothing(planned):
    assert planned.sandbox("apply", "plan.json").code == 0
    assert planned.sandbox("plan", "--out", "plan.json").code == 0
    before = dump(planned)
    done = planned.sandbox("apply", "plan.json")
    assert (done.code, "No changes" in done.out, dump(planned) == before) == (0, True, True)


def test_a_stale_rejection_is_dropped_by_a_plan_file_too(planned):
    planned.env["INFOBIP_API_KEY"] = "wrong-key-of-somebody"
    assert planned.sandbox("apply", "--yes").code == 3
    text = (planned.path / "credentials.yaml").read_text()
    planned.write(text[: text.index("  otp-apac:")])
    assert planned.sandbox("plan", "--out", "plan.json").code == 0
    assert planned.sandbox("apply", "plan.json").code == 0
    assert set(versions(planned)) == {"alerts-eu", "marketing-us"}


@pytest.mark.parametrize(
    "flags",
    [("-f", "credentials.yaml"), ("--only", "*"), ("--prune",), ("--max-deletes", "9"), ("--secrets", "auto"),
     ("--allow-empty",)],
    ids=" ".join,
)  # fmt: skip
def test_a_plan_file_takes_no_option_that_chooses_what_is_planned(planned, flags):
    done = planned.sandbox("apply", "plan.json", *flags)
    assert done.code == 64
    assert f"drop {flags[0] if flags[0] != '-f' else '--file'}" in done.err


def test_such_options_in_the_environment_are_of_no_account(planned):
    env = {"RECONCILER_FILE": "absent.yaml", "RECONCILER_ONLY": "nothing", "RECONCILER_SECRETS": "skip"}
    assert planned.sandbox("apply", "plan.json", env=env).code == 0


# file:// in a plan


def test_secrets_dir_says_where_and_is_no_part_of_the_plan(applied):
    applied.edit("region: eu", "region: eu\n    label: x")
    (applied.path / "sinch-token").rename(applied.path / "sinch-token.away")
    (applied.path / "elsewhere").mkdir()
    (applied.path / "sinch-token.away").rename(applied.path / "elsewhere" / "sinch-token")
    assert applied.sandbox("plan", "--secrets-dir", "elsewhere", "--out", "plan.json").code == 0
    assert "elsewhere" not in (applied.path / "plan.json").read_text()
    done = applied.sandbox("apply", "plan.json")
    assert (done.code, "error[plan-uncompared]" in done.err) == (4, True)
    assert applied.sandbox("apply", "plan.json", "--secrets-dir", "elsewhere").code == 0


def test_a_file_that_nobody_vouches_for_does_not_say_where_secrets_are(applied):
    applied.edit("region: eu", "region: eu\n    label: x")
    planned = applied.sandbox("plan", "--out", "plan.json", "--secrets", "skip", env={"HOME": "/nowhere"})
    assert planned.code == 0, planned.err
    expected = re.search(r"s1-[0-9a-f]{32}", planned.out)[0]
    done = applied.sandbox("apply", "plan.json", "--expect", expected)
    assert (done.code, "error[secrets-dir-unknown]" in done.err) == (64, True)
    assert applied.sandbox("apply", "plan.json", "--expect", expected, "--secrets-dir", ".").code == 0


# --expect


def test_the_approved_digest_is_applied_and_another_is_not(planned):
    approved = digest(planned)
    done = planned.sandbox("apply", "--yes", "--expect", approved)
    assert done.code == 0, done.out + done.err
    assert f"digest {approved} as approved" in done.out.splitlines()[0]
    before = dump(planned)
    again = planned.sandbox("apply", "--yes", "--expect", approved)
    assert (again.code, dump(planned) == before) == (4, True)
    assert "nothing is left to change" in again.err


def test_the_plan_names_the_command_that_applies_exactly_it(planned):
    line = re.search(r"^  reconciler (apply .*)$", planned.sandbox("plan").out, re.MULTILINE)[1]
    done = planned.run(*line.split(), "--yes")
    assert done.code == 0, done.out + done.err
    assert versions(planned) == {"alerts-eu": 1, "marketing-us": 2, "otp-apac": 1}


@pytest.mark.parametrize(
    ("planning", "change", "said"),
    [
        (("--prune",), None, "it was planned with --prune"),
        (("--only", "otp-*"), None, ""),
        ((), lambda p: p.edit("label: Another", "label: Third"), ""),
        ((), lambda p: p.edit("  alerts-eu:\n", "  alerts-eu:\n    label: x\n"), "alerts-eu was not among its changes"),
        ((), lambda p: p.env.pop("TWILIO_AUTH_TOKEN"),
         "marketing-us.auth_token was unchanged then, and is not compared now"),
    ],
)  # fmt: skip
def test_a_refused_digest_says_what_differs_where_one_thing_explains_it(planned, planning, change, said):
    approved = digest(planned, *planning)
    if change:
        change(planned)
    before = dump(planned)
    done = planned.sandbox("apply", "--yes", "--expect", approved)
    assert (done.code, "error[plan-unexpected]" in done.err, dump(planned) == before) == (4, True, True)
    assert said in done.err


def test_beyond_a_digest_without_secrets_a_new_secret_is_left_out_and_named(planned):
    approved = digest(planned, "--secrets", "skip")
    assert approved.startswith("s1-")
    (planned.path / "sinch-token").write_text("0" * 32)
    done = planned.sandbox("apply", "--yes", "--expect", approved)
    assert done.code == 0, done.out + done.err
    assert "warning[left-out]: not part of what is applied: alerts-eu" in done.out
    assert versions(planned) == {"alerts-eu": 1, "marketing-us": 2, "otp-apac": 1}


def test_a_digest_that_was_approved_without_secrets_still_stores_what_is_proven(planned):
    planned.edit("00000001", "00000003")
    approved = digest(planned, "--secrets", "skip")
    planned.right_secrets()
    done = planned.sandbox("apply", "--yes", "--expect", approved)
    assert done.code == 0, done.out + done.err
    assert planned.sandbox("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("text", ["c1-7f3a", "c2-" + "0" * 32, "C1-" + "0" * 32, ZEROS + "\n", "0" * 32])
def test_a_digest_is_given_whole(planned, text):
    assert planned.sandbox("apply", "--yes", "--expect", text).code == 64


def test_no_store_is_made_for_a_digest(project):
    project.right_secrets()
    done = project.sandbox("apply", "--yes", "--expect", ZEROS)
    assert (done.code, "error[store-missing]" in done.err) == (5, True)
    assert not (project.path / ".reconciler").exists()


def test_neither_is_one_made_for_a_plan_file(planned, tmp_path):
    (planned.path / ".reconciler").rename(tmp_path / "away")
    done = planned.sandbox("apply", "plan.json")
    assert (done.code, "error[store-missing]" in done.err) == (5, True)
    assert not (planned.path / ".reconciler").exists()


def test_all_or_nothing_holds_for_a_plan_file_too(planned):
    planned.env["INFOBIP_API_KEY"] = "wrong-key-of-somebody"
    assert planned.sandbox("plan", "--out", "plan.json").code == 0
    assert planned.sandbox("apply", "plan.json", "--atomic").code == 3
    assert versions(planned) == {"alerts-eu": 1, "marketing-us": 1, "otp-apac": None}
    assert planned.sandbox("apply", "plan.json").code == 3
    assert versions(planned) == {"alerts-eu": 1, "marketing-us": 2, "otp-apac": None}


def test_expect_is_never_taken_from_the_environment(planned):
    assert planned.sandbox("apply", "--yes", env={"RECONCILER_EXPECT": ZEROS}).code == 0
