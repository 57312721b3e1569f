"""``audit verify`` and ``audit export``: somebody who can write to the file, against an auditor."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from conftest import MANIFEST, Project, surroundings
from storing import TOM

from reconciler import sealing
from reconciler.secret import Secret
from reconciler.stores import sqlite

ROW = """SELECT name, version, old_name, provider, label, declared, account, created_at, created_by, updated_at,
    updated_by, secret_changed_at, secret_versions, accepted_at, checked_at, verdict, row_hash, event_seq
    FROM records WHERE name = 'marketing-us'"""


def store_of(project):
    return project.path / ".reconciler" / "sandbox.db"


def raw(project, sql, *values):
    """A statement as somebody would run it who can write to the file."""
    with closing(sqlite3.connect(store_of(project), isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        return connection.execute(sql, values).fetchall()


def verify(project, *arguments):
    return project.sandbox("audit", "verify", "-w", "production", "--format", "json", *arguments).json


def broken(project, *arguments):
    found = verify(project, *arguments)
    assert found["exit_code"] == (5 if found["problems"] else 0)
    assert {problem["code"] for problem in found["problems"]} <= {"tampered", "key-wrong"}
    return [problem["subject"] for problem in found["problems"]]


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """A workspace with a change of a label and a refused update, and the anchor that the first apply printed."""
    root = tmp_path_factory.mktemp("lived")
    (root / "project").mkdir()
    project = Project(root / "project", surroundings(root))
    project.write(MANIFEST)
    project.right_secrets()
    anchor = project.sandbox("apply", "--yes", "--format", "json").json["anchor"]
    project.edit("label: Marketing US", "label: Marketing USA")
    assert project.sandbox("apply", "--yes").code == 0
    project.env["TWILIO_AUTH_TOKEN"] = "f" * 32
    assert project.sandbox("apply", "--yes").code == 3
    return project, anchor


@pytest.fixture
def lived(once, tmp_path):
    """A copy of it."""
    project, anchor = once
    shutil.copytree(project.path.parent, tmp_path, dirs_exist_ok=True)
    made = Project(tmp_path / "project", {**project.env, "HOME": str(tmp_path / "home")})
    made.anchor = anchor
    return made


def test_a_whole_log_is_said_to_be_whole_with_its_head(lived):
    done = lived.sandbox("audit", "verify")
    assert done.code == 0, done.err
    head = verify(lived)["facts"]["head"]
    assert f"Chain whole 1…5; head {head}." in done.out
    assert "No anchor was given" in done.out
    assert "3 records, each as its latest event left it." in done.out


def test_anchors_are_compared_from_the_command_line_and_from_a_file(lived):
    done = lived.sandbox("audit", "verify", "--anchor", lived.anchor)
    assert (done.code, "1 anchor matched." in done.out) == (0, True)
    lived.write(f"# kept by the pipeline\n\n{lived.anchor} run 8812\n{lived.anchor}\n", "anchors")
    assert broken(lived, "--anchors", "anchors", "--anchor", lived.anchor) == []
    assert verify(lived, "--anchors", "anchors")["facts"]["anchors"] == [lived.anchor] * 2
    assert lived.sandbox("audit", "verify", "--anchors", "nowhere").code == 64
    lived.write("# an artifact that came out empty\n", "none")
    assert lived.sandbox("audit", "verify", "--anchors", "none").code == 64
    assert lived.sandbox("audit", "verify", "--anchor", "3").code == 64
    history = lived.sandbox("history", "--anchor", lived.anchor)
    assert (history.code, f"; anchor {lived.anchor} matches." in history.out) == (0, True)
    assert "; 2 anchors match." in lived.sandbox("history", "--anchors", "anchors").out


def test_what_apply_prints_is_an_anchor_that_verify_takes(applied):
    applied.edit("label: Marketing US", "label: Marketing USA")
    anchor = applied.sandbox("apply", "--yes", "--format", "json").json["anchor"]
    assert broken(applied, "--anchor", anchor) == []


def test_without_the_key_nothing_is_verified(lived):
    done = lived.sandbox("audit", "verify", env={"HOME": "/nonexistent"})
    assert (done.code, "error[key-missing]" in done.err) == (5, True)


def test_attack_05_a_whole_old_row_put_back_with_its_version_and_secret_is_found(lived):
    old = raw(lived, ROW)[0]
    secrets = raw(lived, "SELECT * FROM secrets WHERE name = 'marketing-us' AND keep_until = ''")
    from reconciler import sandbox

    lived.edit("AC00000000000000000000000000000001", "AC00000000000000000000000000000007")
    settings = {"account_sid": "AC00000000000000000000000000000007"}
    lived.env["TWILIO_AUTH_TOKEN"] = sandbox.right_secret("twilio", settings, "auth_token")
    assert lived.sandbox("apply", "--yes").code == 0
    assert broken(lived) == []
    names = (
        "name, version, old_name, provider, label, declared, account, created_at, created_by, updated_at, updated_by"
    )
    names += ", secret_changed_at, secret_versions, accepted_at, checked_at, verdict, row_hash, event_seq"
    marks = ", ".join("?" * len(old))
    raw(lived, f"INSERT OR REPLACE INTO records (workspace, {names}) VALUES ('production', {marks})", *old)
    raw(lived, "DELETE FROM secrets WHERE name = 'marketing-us' AND keep_until = ''")
    for secret in secrets:
        raw(lived, f"INSERT OR REPLACE INTO secrets VALUES ({', '.join('?' * len(secret))})", *secret)
    assert broken(lived) == ["record marketing-us"]
    assert "an older one was put back" in verify(lived)["problems"][0]["detail"]
    assert lived.sandbox("check", "marketing-us").code == 5


def test_attack_05_a_former_version_that_was_altered_is_found_and_not_restored(lived):
    raw(lived, "UPDATE previous SET declared = replace(declared, 'Marketing US', 'Marketing FR')")
    assert broken(lived) == ["version v1 of marketing-us"]
    assert "it was altered" in verify(lived)["problems"][0]["detail"]
    for command in (["restore", "marketing-us", "--yes"], ["get", "marketing-us", "--version", "1"]):
        done = lived.sandbox(*command)
        assert (done.code, "error[tampered]" in done.err) == (5, True)
    raw(lived, "DELETE FROM previous")
    assert broken(lived) == ["version v1 of marketing-us"]
    assert "removed before its time" in verify(lived)["problems"][0]["detail"]


def test_attack_06_a_whole_old_file_put_back_verifies_and_only_an_anchor_tells(lived):
    copy = lived.path / "old.db"
    shutil.copy(store_of(lived), copy)
    lived.env["TWILIO_AUTH_TOKEN"] = "e" * 32
    lived.sandbox("apply", "--yes")
    anchor = verify(lived)["facts"]["head"]
    assert broken(lived, "--anchor", anchor) == []
    shutil.copy(copy, store_of(lived))
    assert broken(lived) == [], "the limit that the documentation states"
    assert broken(lived, "--anchor", anchor) == ["event 6"]
    assert "the store is older" in verify(lived, "--anchor", anchor)["problems"][0]["detail"]
    assert lived.sandbox("history", "--anchor", anchor).code == 5


@pytest.mark.parametrize(
    ("sql", "places"),
    [
        ("UPDATE events SET body = replace(body, '\"ci\":', '\"CI\":') WHERE seq = 2", ["event 2"]),
        ("UPDATE events SET result = 'failed' WHERE seq = 2", ["event 2"]),
        ("UPDATE events SET time = '2020' WHERE seq = 5", ["event 5"]),
        ("UPDATE events SET mac = zeroblob(40) WHERE seq = 3", ["event 3", "event 4"]),
        ("DELETE FROM events WHERE seq = 4", ["event 4", "record marketing-us"]),
        ("DELETE FROM events WHERE seq = 1", ["event 1", "record alerts-eu"]),
        ("UPDATE records SET declared = replace(declared, 'eu', 'us') WHERE name = 'alerts-eu'", ["record alerts-eu"]),
        ("UPDATE records SET created_by = 'x', row_hash = 'y' WHERE name = 'alerts-eu'", ["record alerts-eu"]),
        ("UPDATE records SET version = 'x' WHERE name = 'alerts-eu'", ["record alerts-eu"]),
        ("UPDATE records SET version = -1 WHERE name = 'alerts-eu'", ["record alerts-eu"]),
        ("UPDATE records SET row_hash = 'x' WHERE name = 'alerts-eu'", ["record alerts-eu"]),
        ("UPDATE secrets SET sealed = zeroblob(60) WHERE name = 'alerts-eu'", ["record alerts-eu"]),
        ("DELETE FROM secrets WHERE name = 'alerts-eu'", ["record alerts-eu"]),
        ("DELETE FROM records WHERE name = 'alerts-eu'", ["record alerts-eu"]),
        ("UPDATE records SET secret_versions = '{}' WHERE name = 'alerts-eu'", ["record alerts-eu"]),
        ("UPDATE records SET secret_versions = '[]' WHERE name = 'alerts-eu'", ["record alerts-eu"]),
        ("UPDATE records SET label = 'x' WHERE name = 'alerts-eu'", ["record alerts-eu"]),
        ("UPDATE records SET event_seq = 5 WHERE name = 'alerts-eu'", ["record alerts-eu"]),
        ("UPDATE previous SET keep_until = '2020-01-01T00:00:00.000Z'", ["version v1 of marketing-us"]),
    ],
)
def test_attack_65_whoever_can_write_to_the_file_is_found_out(lived, sql, places):
    raw(lived, sql)
    assert broken(lived) == places


def test_attack_65_how_many_records_are_as_they_were_left_is_counted_in_a_damaged_store_too(lived):
    assert verify(lived)["facts"]["records"] == 3
    raw(lived, "UPDATE records SET row_hash = 'x' WHERE name = 'alerts-eu'")
    assert verify(lived)["facts"]["records"] == 2


def test_attack_65_nothing_is_written_over_a_record_whose_secret_versions_were_altered(lived):
    raw(lived, "UPDATE records SET secret_versions = '{}' WHERE name = 'marketing-us'")
    lived.edit("label: Marketing USA", "label: Marketing FR")
    done = lived.sandbox("apply", "--yes")
    assert (done.code, "error[tampered]" in done.err) == (5, True)
    assert broken(lived) == ["record marketing-us"]


def test_attack_05_an_honest_apply_lets_nothing_go_that_somebody_else_marked_as_run_out(lived):
    raw(lived, "UPDATE previous SET keep_until = '2020-01-01T00:00:00.000Z'")
    raw(lived, "UPDATE secrets SET keep_until = '2020-01-01T00:00:00.000Z' WHERE keep_until <> ''")
    lived.right_secrets()
    lived.edit("label: Marketing USA", "label: Marketing FR")
    assert lived.sandbox("apply", "--yes").code == 0
    assert raw(lived, "SELECT version FROM previous ORDER BY version") == [(1,), (2,)]
    assert raw(lived, "SELECT COUNT(*) FROM events WHERE what = 'forget'") == [(0,)]
    assert broken(lived) == ["version v1 of marketing-us"]


@pytest.mark.parametrize("key", ["who", "secrets", "versions"])
def test_attack_65_an_event_of_another_form_is_named_by_what_shows_it(lived, key):
    raw(lived, f"UPDATE events SET body = json_set(body, '$.{key}', 5) WHERE seq = 4")
    assert broken(lived) == ["event 4"]
    for command in ("history", "history marketing-us", "get marketing-us", "get marketing-us --version 1"):
        done = lived.sandbox(*command.split())
        assert (done.code, f"event 4 of production cannot be read: its {key} has another form" in done.err) == (5, True)


def test_attack_65_a_secret_with_a_number_that_none_has_is_tampered_and_no_bug(lived):
    raw(lived, "UPDATE secrets SET version = -1 WHERE name = 'alerts-eu'")
    for command in (("audit", "verify"), ("read", "alerts-eu", "api_token", "--reveal")):
        done = lived.sandbox(*command)
        assert (done.code, "tampered" in done.out + done.err) == (5, True), command


@pytest.mark.parametrize("column", ["result", "time", "what"])
def test_attack_50_no_text_of_an_altered_event_breaks_a_line_of_the_history(lived, column):
    raw(lived, f"UPDATE events SET {column} = {column} || char(10) || 'forged' || char(27) || '[31m' WHERE seq = 2")
    for format_ in ("table", "markdown", "json"):
        done = lived.sandbox("history", "--format", format_)
        assert done.code in (0, 5), done.err
        assert "\nforged" not in done.out
        assert "\x1b" not in done.out


@pytest.mark.parametrize("value", ["x'00'", "'no json'", "'[]'", "'" + "[" * 100_000 + "'", "'{\"a\": 1e999}'"])
def test_attack_65_an_event_that_cannot_be_read_is_named(lived, value):
    raw(lived, f"UPDATE events SET body = {value} WHERE seq = 4")
    done = lived.sandbox("audit", "verify")
    assert done.code == 5
    assert "event 4" in done.err + done.out
    export = lived.sandbox("audit", "export")
    assert (export.code, "event 4" in export.err) == (5, True)


def test_attack_65_swapped_events_are_found(lived):
    raw(lived, "UPDATE events SET seq = -seq WHERE seq IN (4, 5)")
    raw(lived, "UPDATE events SET seq = 9 + seq WHERE seq < 0")
    assert set(broken(lived)) >= {"event 4", "event 5"}


def test_attack_66_a_log_without_its_end_shows_against_an_anchor_only(lived):
    anchor = verify(lived)["facts"]["head"]
    raw(lived, "DELETE FROM events WHERE seq = 5")
    assert broken(lived) == [], "the limit that the documentation states"
    assert broken(lived, "--anchor", lived.anchor) == []
    assert broken(lived, "--anchor", anchor) == ["event 5"]


def test_attack_66_a_log_rewritten_with_the_key_shows_against_an_anchor_only(lived):
    anchor = verify(lived)["facts"]["head"]
    with closing(sqlite.open_store(store_of(lived))) as store:
        (key_file,) = (lived.path.parent / "home").glob("**/*.key")
        ring = sealing.open_keyring(store.info.id, store.slots(), Secret(key_file.read_text().strip()))
        from reconciler import audit

        previous, mac = b"", ring.mac("production")
        for seq, event, _ in store.events("production"):
            event.body["who"]["actor"] = "somebody-else"
            previous = audit.link(previous, "production", seq, event, mac)
            raw(lived, "UPDATE events SET body = ?, mac = ? WHERE seq = ?", json.dumps(dict(event.body)), previous, seq)
    assert broken(lived) == [], "the limit that the documentation states"
    assert broken(lived, "--anchor", anchor) == ["event 5"]


def test_a_read_is_in_the_chain_whole_and_a_changed_row_of_it_is_found(lived):
    from builders import ORIGIN

    from reconciler import audit

    with closing(sqlite.open_store(store_of(lived))) as store:
        reads = [audit.read("alerts-eu", "sinch", 1, ["api_token"], how, ORIGIN) for how in ("exec", "export", "read")]
        store.add_reads("production", reads)
    assert "3 reads not in the chain yet." in lived.sandbox("audit", "verify").out
    assert lived.sandbox("apply", "--yes").code == 3
    assert broken(lived) == []
    raw(lived, "UPDATE reads SET body = replace(body, 'exec', 'read') WHERE id = 1")
    raw(lived, "UPDATE reads SET event_seq = NULL WHERE id = 2")
    raw(lived, "DELETE FROM reads WHERE id = 3")
    assert broken(lived) == ["read 1", "read 2", "read 3"]
    raw(lived, "UPDATE reads SET event_seq = 1 WHERE id = 2")
    assert broken(lived) == ["read 1", "read 2", "read 3"]


def test_the_export_is_one_line_for_each_event_oldest_first(lived):
    done = lived.sandbox("audit", "export", env={"HOME": "/nonexistent"})
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [line["seq"] for line in lines] == [1, 2, 3, 4, 5]
    assert lines[0]["previous"] == ""
    assert [line["previous"] for line in lines[1:]] == [line["mac"] for line in lines[:-1]]
    assert {line["workspace"] for line in lines} == {"production"}
    assert verify(lived)["facts"]["head"] == f"5:{lines[-1]['mac'][-16:]}"
    later = lived.sandbox("audit", "export", "--since", lines[3]["event"]["time"]).out.splitlines()
    assert [json.loads(line) for line in later] == lines[3:]
    assert lived.sandbox("audit", "export", "--since", "2999-01-01").out == ""
    assert lived.sandbox("audit", "export", "--since", "soon").code == 64
    assert lived.sandbox("audit", "export", "-w", "nowhere").code == 64


def test_an_empty_log_is_whole(project):
    project.right_secrets()
    project.sandbox("store", "create")
    with closing(sqlite.open_store(store_of(project))) as store:
        store.release(store.acquire("production", TOM, 60))
    found = verify(project)
    assert (found["exit_code"], found["facts"]["last"], found["facts"]["head"]) == (0, 0, "")


def test_an_auditor_verifies_the_export_without_this_program(lived):
    page = (Path(__file__).parents[1] / "docs" / "audit.md").read_text()
    program = page.split("```python\n")[1].split("```")[0]
    key = lived.sandbox("key", "export", "--for", "audit", "-w", "production").out.strip()
    lines = lived.sandbox("audit", "export").out

    def audited(text):
        return subprocess.run([sys.executable, "-c", program], input=text, env={"AUDIT_KEY": key}, text=True,
                              capture_output=True, timeout=60)  # fmt: skip

    assert audited(lines).returncode == 0
    assert audited("".join(lines.splitlines(keepends=True)[2:])).returncode == 0
    assert audited(lines.replace('"created"', '"CREATED"', 1)).stderr.strip() == "broken at event 1"
    without = lines.splitlines(keepends=True)
    del without[2]
    assert audited("".join(without)).stderr.strip() == "broken at event 4"
