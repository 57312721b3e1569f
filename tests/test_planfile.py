"""Plan files: what they hold, who may read them, and every way in which one is refused."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import jsonschema_rs
import pytest
from builders import TIME, TRAITS, credential, record, rejection
from conftest import MANIFEST
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import planfile, sealing
from reconciler.app import planfiles
from reconciler.errors import Refused, UsageError
from reconciler.model import Mode
from reconciler.planfile import Made, Stored
from reconciler.planner import plan
from reconciler.scope import Known, Scope

ROOT = Path(__file__).parents[1]
SCHEMA = jsonschema_rs.Draft202012Validator(json.loads((ROOT / "schemas" / "plan.schema.json").read_text()))
STORE = "k" * 16
MADE = Made("a" * 64, 3, 1, "2026-11-23T14:02:08.125Z", "2026-11-30T14:02:08.125Z", {"actor": "lea", "ci": ""}, "0.1.0",
            "9f2c1ab", dirty=False)  # fmt: skip


def keyring() -> sealing.Keyring:
    return sealing.new_data_key(STORE, sealing.new_wrapping_key())[0]


def made(ring=None, **scope) -> planfile.PlanFile:
    """A file with a create, an update of everything, a delete and notes."""
    declared = {
        "new": credential("new", token="file://t", label="Ünï \u2028 ##[x]", tags={"team": "growth"}),
        "account": credential("account", sid="AC9"),
        "unseen": credential("unseen", token="env://GONE", label="x"),
        "kept": credential("kept"),
    }
    stored = {name: record(name, fingerprint=b"old!old!") for name in ("account", "unseen", "gone")}
    stored["kept"] = record("kept", fingerprint=b"same")
    known = Known({(n, "auth_token"): b"same" for n in ("new", "account", "kept")}, {("unseen", "auth_token"): "x-y"})
    chosen = Scope(STORE, "production", **{"prune": True, **scope})
    planned = plan(declared, stored, {}, known, TRAITS, chosen)
    mac = ring.signer("production") if ring else None
    return planfile.build(planned, chosen, Stored(Mode.LIVE, "store.db", 7, 4), MADE, known, mac,
                          {"gone": rejection("gone", attempts=2), "else": rejection("else")})  # fmt: skip


def write(folder: Path, text: str) -> Path:
    path = folder / "plan.json"
    path.write_text(text)
    return path


def refusal(path: Path) -> Refused:
    with pytest.raises(Refused) as refused:
        planfiles.read(path)
    return refused.value


# what it holds


def test_what_is_written_is_what_is_read(tmp_path):
    file = made(keyring())
    read = planfiles.read(write(tmp_path, planfile.text(file)))
    assert planfile.text(read) == planfile.text(file)
    assert (read.id, read.signature, read.scope, read.made) == (file.id, file.signature, file.scope, file.made)
    assert read.plan.digest == file.plan.digest
    assert read.plan.refusals == file.plan.refusals
    assert [c.name for c in read.plan.changes] == [c.name for c in file.plan.changes]


def test_it_fits_its_schema_which_is_closed():
    document = json.loads(planfile.text(made(keyring())))
    assert SCHEMA.is_valid(document)
    for at in (document, document["store"], document["changes"][0], document["changes"][0]["entry"]):
        at["more"] = 1
        assert not SCHEMA.is_valid(document)
        del at["more"]
    assert SCHEMA.is_valid(json.loads(planfile.text(made())))


def test_it_holds_which_rejections_waited_under_the_names_of_its_changes():
    assert json.loads(planfile.text(made()))["rejections"] == {"gone": [2, TIME]}


def test_it_is_one_line_of_canonical_ascii():
    text = planfile.text(made())
    assert text.isascii()
    assert text.count("\n") == 1
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":")) + "\n"


def test_of_a_fingerprint_it_holds_eight_digits():
    changes = {c["name"]: c for c in json.loads(planfile.text(made()))["changes"]}
    assert changes["new"]["secrets"] == {"auth_token": {"state": "new", "fingerprint": b"same".hex()}}
    assert changes["unseen"]["secrets"] == {"auth_token": {"state": "not compared", "fingerprint": ""}}
    assert changes["gone"]["secrets"] == {}


def test_the_id_and_the_signature_are_those_of_the_documented_bytes():
    # a second writing of docs/formats.md, so that the format cannot drift unnoticed
    import hashlib
    import hmac

    ring = keyring()
    document = json.loads(planfile.text(made(ring)))
    signature, id_ = document.pop("signature"), document.pop("id")

    def canonical(value):
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

    def joined(*parts):
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)

    assert id_ == hashlib.sha256(canonical(document)).hexdigest()[:32]
    covered = joined(b"reconciler-plan-1", canonical({**document, "id": id_}))
    key = ring._subkey(ring.key_id, "production", "plans").raw
    assert signature == {"key": ring.key_id, "mac": hmac.digest(key, covered, "sha256").hex()}


def test_the_manifest_digest_is_of_what_is_declared_wherever_it_stands():
    one = {"a": credential("a"), "b": credential("b")}
    other = {"b": credential("b", file="elsewhere.yaml", line=9), "a": credential("a")}
    assert planfile.manifest_digest(one) == planfile.manifest_digest(other)
    assert planfile.manifest_digest(one) != planfile.manifest_digest({"a": credential("a", label="x")})


# tampering

RING = keyring()
TEXT = planfile.text(made(RING))


def vouched(path: Path) -> bool:
    """Whether a file passes everything that is looked at before its content is believed."""
    try:
        return planfiles.signature(planfiles.read(path), RING) is True
    except Refused:
        return False


def test_an_untouched_file_is_vouched_for(tmp_path):
    assert vouched(write(tmp_path, TEXT))


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, len(TEXT) - 1), byte=st.integers(0, 255))
def test_attack_45_no_byte_of_a_plan_can_be_altered(tmp_path_factory, at, byte):
    path = tmp_path_factory.getbasetemp() / "altered.json"
    content = TEXT.encode()
    altered = content[:at] + bytes([byte]) + content[at + 1 :]
    path.write_bytes(altered)
    assert vouched(path) == (altered == content)


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, len(TEXT)), more=st.binary(max_size=3), cut=st.integers(0, 3))
def test_attack_45_nothing_can_be_put_in_or_taken_out(tmp_path_factory, at, more, cut):
    path = tmp_path_factory.getbasetemp() / "altered.json"
    content = TEXT.encode()
    altered = content[:at] + more + content[at + cut :]
    path.write_bytes(altered)
    assert vouched(path) == (altered == content)


def forged(change) -> str:
    """A plan with another content, and id and digest made to fit it, under the old signature."""
    document = json.loads(TEXT)
    change(document)
    try:
        file = planfile._file(document)
    except (KeyError, TypeError, ValueError):
        return json.dumps(document)
    digest = planfile.digest(file.plan.changes, Known(compared=file.plan.compared), file.scope)
    file = replace(file, plan=replace(file.plan, digest=digest))
    return planfile.text(replace(file, id=planfile._id(planfile._content(file))))


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(expires="2099-01-01T00:00:00.000Z"),
        lambda d: d["selection"].update(max_deletes=1000),
        lambda d: d["changes"][-2]["entry"]["references"].update(auth_token="env://OTHER"),
        lambda d: d["changes"][-2]["secrets"]["auth_token"].update(fingerprint="00000000"),
        lambda d: d.update(creator={"actor": "somebody"}),
    ],
)
def test_attack_45_a_forgery_that_fits_in_itself_fails_at_the_signature(tmp_path, change):
    path = write(tmp_path, forged(change))
    assert planfiles.signature(planfiles.read(path), RING) is False


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "1", "{}", '{"format_version":"1"}', '{"format_version":true}', '{"format_version":0}',
     '{"format_version":1}', TEXT * 2, "[" * 100_000, '{"format_version":1,"a":NaN}', TEXT.replace("{", "{ ", 1),
     TEXT.replace('"unresolved":{}', '"unresolved":{"a":"\\ud800"}', 1), "\ufeff" + TEXT],
    ids=range(16),
)  # fmt: skip
def test_what_is_no_plan_file_is_refused_without_a_traceback(tmp_path, text):
    assert refusal(write(tmp_path, text)).code.name == "plan-altered"


def test_a_file_of_a_newer_program_is_its_own_refusal(tmp_path):
    refused = refusal(write(tmp_path, TEXT.replace('"format_version":1', '"format_version":2')))
    assert (refused.code.name, refused.code.exit) == ("plan-newer", 4)


def test_a_digest_that_is_not_that_of_the_changes_is_refused(tmp_path):
    file = made(RING)
    file = replace(file, plan=replace(file.plan, digest="c1-" + "0" * 32))
    path = write(tmp_path, planfile.text(replace(file, id=planfile._id(planfile._content(file)))))
    assert refusal(path).detail == "its changes do not belong to its digest"


def test_a_file_too_large_to_be_a_plan_is_not_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(planfiles, "LIMIT", 10)
    assert refusal(write(tmp_path, TEXT)).detail == "it is no plan file"


SAME = """
import sys
sys.path.insert(0, "tests")
from test_planfile import STORE, made
from reconciler import planfile
print(planfile.text(made()))
"""


@pytest.mark.parametrize(
    "env",
    [{"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "2", "LC_ALL": "tr_TR.UTF-8"}, {"LC_ALL": "C", "TZ": "Asia/Tokyo"}],
)
def test_the_same_plan_has_the_same_digest_under_any_hash_seed_and_locale(env):
    import os
    import subprocess
    import sys

    done = subprocess.run([sys.executable, "-c", SAME], cwd=ROOT, env={**os.environ, **env}, capture_output=True,
                          text=True, check=True)  # fmt: skip
    assert done.stdout.strip() == planfile.text(made()).strip()


def test_a_signature_of_another_key_vouches_for_nothing(tmp_path):
    file = planfiles.read(write(tmp_path, TEXT))
    assert planfiles.signature(file, keyring()) is None
    assert planfiles.signature(file, None) is None
    assert planfiles.signature(made(), RING) is None


def test_an_event_or_a_seal_of_the_same_key_is_no_signature(tmp_path):
    file = made(RING)
    assert planfiles.signature(replace(file, signature=RING.mac("production")(planfile._signed(file))), RING) is False
    assert planfiles.signature(replace(file, signature=RING.signer("staging")(planfile._signed(file))), RING) is False


# writing one


def test_a_plan_file_is_for_its_owner_alone_and_says_what_was_planned(project):
    project.right_secrets()
    assert project.sandbox("store", "create").code == 0
    done = project.sandbox("plan", "--out", "plan.json")
    assert done.code == 0, done.err
    path = project.path / "plan.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "reconciler apply plan.json --sandbox" in done.out
    document = json.loads(path.read_text())
    assert SCHEMA.is_valid(document)
    assert document["digest"] in done.out
    for value in (project.env["TWILIO_AUTH_TOKEN"], project.env["INFOBIP_API_KEY"]):
        assert value not in path.read_text()
        assert value[:6] not in path.read_text()


def test_without_a_store_there_is_no_plan_file(project):
    project.right_secrets()
    done = project.sandbox("plan", "--out", "plan.json")
    assert done.code == 64
    assert "error[plan-no-store]" in done.err
    assert not (project.path / "plan.json").exists()


def test_out_replaces_a_plan_file_and_nothing_else(applied):
    assert applied.sandbox("plan", "--out", "plan.json").code == 0
    first = (applied.path / "plan.json").read_text()
    assert applied.sandbox("plan", "--out", "plan.json").code == 0
    assert (applied.path / "plan.json").read_text() != first
    before = (applied.path / "credentials.yaml").read_text()
    done = applied.sandbox("plan", "--out", "credentials.yaml")
    assert (done.code, "error[plan-not-replaced]" in done.err) == (64, True)
    assert (applied.path / "credentials.yaml").read_text() == before
    (applied.path / "link.json").symlink_to("plan.json")
    assert applied.sandbox("plan", "--out", "link.json").code == 64
    assert applied.sandbox("plan", "--out", "absent/plan.json").code == 64
    assert applied.sandbox("plan", "--out", ".").code == 64
    assert [p.name for p in applied.path.iterdir() if p.name.endswith(".part")] == []


@pytest.mark.parametrize("text", ["7", "0d", "-1d", "7w", ""])
def test_expires_in_is_a_length_of_time(applied, text):
    assert applied.sandbox("plan", "--out", "plan.json", "--expires-in", text).code == 64


def test_a_plan_says_from_which_commit_it_was_made(applied):
    def git(*arguments):
        import subprocess

        who = ("-c", "user.name=lea", "-c", "user.email=lea@example.invalid")
        subprocess.run(["git", *who, *arguments], cwd=applied.path, check=True, capture_output=True)

    def said():
        assert applied.sandbox("plan", "--out", "plan.json").code == 0
        return json.loads((applied.path / "plan.json").read_text())["git"]

    assert said() == {"commit": "", "dirty": None}
    git("init", "-q")
    assert said() == {"commit": "", "dirty": None}
    git("add", "credentials.yaml")
    git("commit", "-qm", "one")
    first = said()
    assert (len(first["commit"]), first["dirty"]) == (40, False)
    applied.edit("label: Marketing US", "label: Another")
    assert said() == {"commit": first["commit"], "dirty": True}
    applied.write("*.yaml\n", ".git/info/exclude")
    applied.write((applied.path / "credentials.yaml").read_text(), "ignored.yaml")
    assert applied.sandbox("plan", "-f", "ignored.yaml", "--out", "plan.json").code == 0
    assert json.loads((applied.path / "plan.json").read_text())["git"]["dirty"] is True


def test_git_runs_no_program_that_the_repository_names(applied):
    import subprocess

    def git(*arguments):
        who = ("-c", "user.name=lea", "-c", "user.email=lea@example.invalid")
        subprocess.run(["git", *who, *arguments], cwd=applied.path, check=True, capture_output=True)

    git("init", "-q")
    git("add", "credentials.yaml")
    git("commit", "-qm", "one")
    applied.write(f"#!/bin/sh\ntouch {applied.path}/ran\ncat\n", "program").chmod(0o700)
    applied.write("* filter=x\n", ".gitattributes")
    for key in ("core.fsmonitor", "filter.x.clean", "filter.x.process"):
        git("config", key, str(applied.path / "program"))
    applied.edit("label: Marketing US", "label: Another")
    assert applied.sandbox("plan", "--out", "plan.json").code == 0
    assert json.loads((applied.path / "plan.json").read_text())["git"]["dirty"] is True
    assert not (applied.path / "ran").exists()


# show


def test_show_gives_the_plan_again_in_every_format(applied):
    applied.edit("label: Marketing US", "label: Another")
    planned = applied.sandbox("plan", "--out", "plan.json", "--format", "json").json
    shown = applied.run("show", "plan.json", "--format", "json")
    assert shown.code == 0, shown.err
    assert {**shown.json["plan"], "changes": 0} == {**planned["plan"], "changes": 0}
    assert shown.json["plan"]["changes"] == planned["plan"]["changes"]
    assert shown.json["file"] == planned["file"]
    assert shown.json["file"]["unaltered"] is True
    for format_ in ("table", "markdown", "github"):
        done = applied.run("show", "plan.json", "--format", format_)
        assert done.code == 0, done.err
        assert ("Another" in done.out) == (format_ != "github")


def test_show_needs_neither_store_nor_key(applied, tmp_path):
    applied.edit("label: Marketing US", "label: Another")
    assert applied.sandbox("plan", "--out", "plan.json").code == 0
    (applied.path / ".reconciler").rename(tmp_path / "gone")
    done = applied.run("show", "plan.json")
    assert done.code == 0, done.err
    assert "nobody can tell whether it was altered: there is no store there" in done.out
    (tmp_path / "gone").rename(applied.path / ".reconciler")
    done = applied.run("show", "plan.json", env={"HOME": str(tmp_path / "nowhere")})
    assert "nobody can tell whether it was altered: the store's key is not here" in done.out
    assert applied.run("show", "plan.json", "--key-file", "absent.key").code == 64
    assert "unaltered since" in applied.run("show", "plan.json").out


def test_show_refuses_an_altered_file_and_shows_nothing_of_it(applied):
    applied.edit("label: Marketing US", "label: Another")
    assert applied.sandbox("plan", "--out", "plan.json").code == 0
    applied.edit("Another", "Something", "plan.json")
    done = applied.run("show", "plan.json")
    assert (done.code, done.out) == (4, "")
    assert "error[plan-altered]" in done.err
    assert applied.run("show", "absent.json").code == 64
    assert applied.run("show", ".").code == 64


def test_a_plan_file_that_cannot_be_written_is_told(applied):
    with pytest.raises(UsageError):
        planfiles.check_target(Path("/nowhere/plan.json"))
    assert planfiles.Out(Path("x"), timedelta(days=7)).lasts.days == 7


@pytest.mark.parametrize("text", [MANIFEST, json.dumps({"credentials": {}, "version": 1}, indent=1), None],
                         ids=["yaml", "json", "folder"])  # fmt: skip
@pytest.mark.parametrize(("command", "instead"), [("apply", "apply"), ("show", "plan")])
def test_a_manifest_where_a_plan_file_belongs_is_no_forgery(project, text, command, instead):
    if text:
        project.write(text, "mine")
    else:
        (project.path / "mine").mkdir()
    done = project.run(command, "mine")
    assert (done.code, f"do   reconciler {instead} -f mine\n" in done.err) == (64, True), done.err


@pytest.mark.parametrize("command", ["plan", "validate"])
def test_a_manifest_without_its_flag_is_told_which(project, command):
    done = project.run(command, "credentials.yaml")
    assert (done.code, f"reconciler {command} -f credentials.yaml\n" in done.err) == (64, True), done.err
    unknown = project.run(command, "s3cr3t-of-somebody")
    assert (unknown.code, "-f FILE" in unknown.err, "s3cr3t" in unknown.err) == (64, True, False)


@pytest.mark.parametrize("arguments", [("apply", "9" * 300), ("show", "9" * 300), ("plan", "--out", "9" * 300),
                                       ("plan", "--out", f"{'9' * 300}/plan.json")])  # fmt: skip
def test_a_path_that_no_system_takes_is_a_usage_error(applied, arguments):
    done = applied.sandbox(*arguments)
    assert done.code == 64, done.err
    assert "bug" not in done.err
