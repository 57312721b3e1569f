"""``export``: files for programs, whose every reader gets back exactly what is stored."""

from __future__ import annotations

import base64
import io
import json
import os
import stat
import string
import subprocess
import sys
from pathlib import Path

import dotenv
import kubernetes_validate
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from test_terminal import Typist

from reconciler.consumption import Revealed
from reconciler.errors import UsageError
from reconciler.exports import FORMS, Options, text
from reconciler.secret import Secret


def revealed(value: str, name: str = "a", **rest) -> Revealed:
    facts = {"provider": "p", "version": 3, "settings": {}, "secrets": {"key": Secret(value)},
             "fingerprints": {"key": "a3f91c07"}, "variables": {"P_KEY": Secret(value)}}  # fmt: skip
    return Revealed(name, **{**facts, **rest})


def by_sh(lines: str, name: str = "P_KEY") -> str:
    script = f'set -a; . "$1"; exec "$2" -c "import os, sys; sys.stdout.buffer.write(os.environb[b\'{name}\'])"'
    done = subprocess.run(["sh", "-c", script, "sh", "/dev/stdin", sys.executable], input=lines.encode(),
                          capture_output=True, timeout=60, check=True, env={"PATH": os.environ["PATH"]})  # fmt: skip
    return done.stdout.decode()


def by_python_dotenv(lines: str, name: str = "P_KEY") -> str:
    return dotenv.dotenv_values(stream=io.StringIO(lines))[name]


def written(value: str, dialect: str = "") -> tuple[str, str]:
    """The lines, or the code of the refusal."""
    try:
        return text("dotenv", [revealed(value)], Options(dialect=dialect)), ""
    except UsageError as error:
        return "", error.code.name


STORABLE = st.text(string.printable[:95], min_size=8, max_size=60).filter(lambda text: text == text.strip())
"""What a resolver of ours accepts."""
NASTY = st.text("""ab'"\\$`{}:- #=!\n\t""", min_size=1, max_size=12)
ANY = st.one_of(STORABLE, NASTY, st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
READERS = {"sh": by_sh, "python-dotenv": by_python_dotenv}


@given(ANY)
@settings(max_examples=60, deadline=None)
def test_both_readers_get_back_what_is_stored_or_nothing_is_written(value):
    lines, code = written(value)
    assert code in ("", "not-quotable")
    if not code:
        assert by_sh(lines) == value
        assert by_python_dotenv(lines) == value


@given(st.one_of(st.text("0123456789abcdefABCDEF-_.+/=%&!#:; ()[]<>|*?~\"'", min_size=8, max_size=60)))
@settings(max_examples=30, deadline=None)
def test_what_tokens_are_made_of_is_always_written_for_both(value):
    assert "P_KEY=" in text("dotenv", [revealed(value)], Options())


@given(ANY)
@settings(max_examples=60, deadline=None)
def test_for_sh_alone_every_value_is_written_but_a_nul(value):
    lines, code = written(value, "sh")
    assert code == ("not-quotable" if "\0" in value else "")
    assert code or by_sh(lines) == value


@given(ANY)
@settings(max_examples=500, deadline=None)
def test_for_python_dotenv_alone_every_value_is_written(value):
    assert by_python_dotenv(text("dotenv", [revealed(value)], Options(dialect="python-dotenv"))) == value


@pytest.mark.parametrize("value", ["a'b$c", "a\\\\b$", "x${HOME}y", "`'`", "$\\"])
def test_what_the_two_read_differently_wants_the_reader_named(value):
    with pytest.raises(UsageError) as caught:
        text("dotenv", [revealed(value)], Options())
    assert (caught.value.code.name, caught.value.code.exit) == ("not-quotable", 64)
    assert "--dialect" in caught.value.hint
    for dialect, read in READERS.items():
        assert read(text("dotenv", [revealed(value)], Options(dialect=dialect))) == value


@given(ANY)
def test_json_and_kubernetes_give_back_every_value(value):
    assert json.loads(text("json", [revealed(value)], Options())) == {"a": {"P_KEY": value}}
    (secret,) = yaml.safe_load_all(text("kubernetes", [revealed(value)], Options()))
    assert base64.b64decode(secret["data"]["P_KEY"]).decode() == value


# kubernetes


def test_a_secret_is_one_that_kubernetes_accepts():
    made = text("kubernetes", [revealed("v1"), revealed("v2", "b-2")], Options(workspace="production", namespace="sms"))
    first, second = yaml.safe_load_all(made)
    for secret in (first, second):
        kubernetes_validate.validate(secret, "1.37", strict=True)
    assert second["metadata"] == {
        "name": "sms-b-2",
        "namespace": "sms",
        "labels": {
            "app.kubernetes.io/managed-by": "sms-reconciler", "sms-reconciler/workspace": "production",
            "sms-reconciler/credential": "b-2", "sms-reconciler/provider": "p",
        },
        "annotations": {"sms-reconciler/version": "3", "sms-reconciler/fingerprint": "a3f91c07"},
    }  # fmt: skip
    assert "namespace" not in next(yaml.safe_load_all(text("kubernetes", [revealed("v")], Options())))["metadata"]


def test_the_check_of_secrets_would_find_a_wrong_one():
    (secret,) = yaml.safe_load_all(text("kubernetes", [revealed("v")], Options()))
    for wrong in ({**secret, "date": {}}, {**secret, "data": ["x"]}, {**secret, "kind": "Secrets"}):
        with pytest.raises((kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError)):
            kubernetes_validate.validate(wrong, "1.37", strict=True)


@pytest.mark.parametrize(
    ("template", "name"), [("{provider}.{workspace}.{name}", "p.w.a"), ("x", "x"), ("sms-{name}", "sms-a")]
)
def test_the_name_of_a_secret_follows_the_template(template, name):
    (secret,) = yaml.safe_load_all(text("kubernetes", [revealed("v")], Options("w", name_template=template)))
    assert secret["metadata"]["name"] == name


@pytest.mark.parametrize(
    "options",
    [
        Options(name_template="{nope}"),
        Options(name_template="{name.__class__}"),
        Options(name_template="A{name}"),
        Options(name_template=""),
        Options(name_template="x" * 254),
        Options(name_template="{name}\n"),
        Options(namespace="a.b"),
        Options(namespace="-a"),
        Options(namespace="kube\n"),
    ],
)
def test_what_kubernetes_would_not_take_is_refused(options):
    with pytest.raises(UsageError):
        text("kubernetes", [revealed("v")], options)


def test_two_secrets_of_one_name_are_refused():
    with pytest.raises(UsageError, match="gives two Secrets the name same"):
        text("kubernetes", [revealed("v"), revealed("v", "b")], Options(name_template="same"))


# the command


def export(project, *arguments, **rest):
    return project.sandbox("export", *arguments, **rest)


def reads(project):
    done = project.sandbox("history", "--what", "read", "--format", "json")
    return sorted((e["name"], e["body"]["how"]) for e in done.json["events"])


def test_all_of_the_workspace_or_those_named_in_each_form(applied):
    token = applied.env["TWILIO_AUTH_TOKEN"]
    done = export(applied, "--format", "dotenv")
    assert done.code == 0, done.err
    assert by_sh(done.out, "TWILIO_AUTH_TOKEN") == by_python_dotenv(done.out, "TWILIO_AUTH_TOKEN") == token
    assert by_sh(done.out, "SINCH_REGION") == "eu"
    assert "3 credentials given to export" in done.err
    assert token not in done.err
    assert reads(applied) == [("alerts-eu", "export"), ("marketing-us", "export"), ("otp-apac", "export")]
    done = export(applied, "marketing-us", "--format", "json")
    assert done.json == {
        "marketing-us": {"TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000001", "TWILIO_AUTH_TOKEN": token}
    }
    done = export(applied, "--format", "kubernetes", "--namespace", "sms")
    secrets = list(yaml.safe_load_all(done.out))
    assert [secret["metadata"]["name"] for secret in secrets] == ["sms-alerts-eu", "sms-marketing-us", "sms-otp-apac"]
    for secret in secrets:
        kubernetes_validate.validate(secret, "1.37", strict=True)


def test_a_file_is_ours_alone_and_an_existing_one_is_kept(applied):
    path = applied.path / "secrets.env"
    done = export(applied, "--format", "dotenv", "--out", "secrets.env")
    assert (done.code, done.out) == (0, "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = path.read_text()
    path.write_text("mine")
    path.chmod(0o644)
    before = reads(applied)
    done = export(applied, "--format", "dotenv", "--out", "secrets.env")
    assert (done.code, path.read_text()) == (64, "mine")
    assert "error[file-exists]" in done.err
    assert export(applied, "--format", "dotenv", "--out", "secrets.env", env={"RECONCILER_FORCE": "1"}).code == 64
    assert reads(applied) == before
    assert export(applied, "--format", "dotenv", "--out", "secrets.env", "--force").code == 0
    assert path.read_text() == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in applied.path.iterdir() if ".part" in p.name] == []


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_a_link_or_what_is_no_file_is_never_overwritten(applied, force):
    (applied.path / "link").symlink_to("elsewhere")
    os.mkfifo(applied.path / "pipe")
    for target in ("link", "pipe", "/dev/null", ".", "no/such/folder"):
        assert export(applied, "--format", "json", "--out", target, *force).code == 64
    assert not (applied.path / "elsewhere").exists()
    assert reads(applied) == []


def test_force_does_not_lose_a_store_or_a_key(applied):
    (key,) = (applied.path.parent / "home/.config/reconciler/keys").glob("*.key")
    handed = applied.sandbox("key", "export", "--for", "consume")
    applied.write(handed.out, "handed.key")
    for path in (applied.path / ".reconciler/sandbox.db", key, applied.path / "handed.key"):
        before = path.read_bytes()
        done = export(applied, "--format", "dotenv", "--out", str(path), "--force")
        assert (done.code, done.out) == (64, "")
        assert "is a database or a key" in done.err
        assert path.read_bytes() == before
    assert reads(applied) == []


def test_a_terminal_sees_secrets_only_where_a_person_says_reveal(applied):
    token = applied.env["TWILIO_AUTH_TOKEN"]
    person = Typist(applied, "export", "--sandbox", "--format", "json")
    assert person.end() == 64
    assert "not-revealed" in person.seen
    assert reads(applied) == []
    person = Typist(applied, "export", "--sandbox", "--format", "json", "--reveal")
    assert person.end() == 0
    assert token in person.seen


def test_where_it_fails_stdout_is_empty_whatever_the_format_and_nothing_was_read(applied):
    for arguments in (["nobody"], ["--name-template", "{"], ["--nope"], ["--out", "no/such/file"]):
        done = export(applied, "--format", "kubernetes" if "{" in arguments else "json", *arguments)
        assert (done.code, done.out) == (64, "")
        assert done.err
    assert reads(applied) == []


def test_the_format_of_reports_is_not_that_of_the_file(applied):
    env = {"RECONCILER_FORMAT": "json"}
    assert "TWILIO_AUTH_TOKEN=" in export(applied, "--format", "dotenv", "--report", "json=r.json", env=env).out
    report = json.loads((applied.path / "r.json").read_text())
    assert (report["command"], report["exit_code"]) == ("export", 0)
    assert applied.env["TWILIO_AUTH_TOKEN"] not in (applied.path / "r.json").read_text()
    assert export(applied, env=env).code == 64
    assert export(applied, env={"RECONCILER_EXPORT_FORMAT": "json"}).json.keys() >= {"otp-apac"}


def test_every_form_is_offered():
    from reconciler.cli import consume

    assert set(consume.FORMS) == set(FORMS)


# the example


EXAMPLE = Path(__file__).parents[1] / "examples" / "kubernetes" / "refresh.yaml"


def example(kind: str) -> dict:
    (found,) = [one for one in yaml.safe_load_all(EXAMPLE.read_text()) if one["kind"] == kind]
    return found


def test_every_object_of_the_example_is_one_that_kubernetes_accepts():
    for one in yaml.safe_load_all(EXAMPLE.read_text()):
        kubernetes_validate.validate(one, "1.37", strict=True)


def pod() -> dict:
    return example("CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def steps(applied) -> tuple[list[str], list[str]]:
    """The commands of the two containers, with the folder in memory as one of this test."""
    (first,), (second,) = pod()["initContainers"], pod()["containers"]
    (applied.path / "secrets").mkdir()
    found = ([*one["command"], *one["args"]] for one in (first, second))
    here = [[word.replace("/secrets/", f"{applied.path}/secrets/") for word in words] for words in found]
    return here[0], here[1]


KUBECTL = """#!/bin/sh
env > environment
case "$1 $3" in
  apply*) [ "$2" = --server-side ] && cat "$5" > applied.yaml ;;
  *get) sed -n 's/.*sms-reconciler.version: .\\([0-9]*\\).*/\\1/p' applied.yaml ;;
  *patch) shift 8; echo "$1" > patch.json ;;
esac
"""


def test_the_steps_of_the_example_refresh_the_secret_and_hand_its_version_to_the_deployment(applied):
    """Run as they stand, with a kubectl that keeps what it is given."""
    export_step, apply_step = steps(applied)
    done = applied.sandbox(*export_step[1:], env={"RECONCILER_WORKSPACE": "production"})
    assert (done.code, done.out) == (0, ""), done.err
    (applied.path / "kubectl").write_text(KUBECTL)
    (applied.path / "kubectl").chmod(0o700)
    ran = subprocess.run(apply_step, cwd=applied.path, timeout=60, capture_output=True, text=True,
                         env={"PATH": f"{applied.path}:{os.environ['PATH']}"})  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    (secret,) = yaml.safe_load_all((applied.path / "applied.yaml").read_text())
    name = example("Deployment")["spec"]["template"]["spec"]["containers"][0]["envFrom"][0]["secretRef"]["name"]
    assert secret["metadata"]["name"] == name
    assert base64.b64decode(secret["data"]["TWILIO_AUTH_TOKEN"]).decode() == applied.env["TWILIO_AUTH_TOKEN"]
    patch = json.loads((applied.path / "patch.json").read_text())
    template = {**example("Deployment")["spec"]["template"], **patch["spec"]["template"]}
    assert template["metadata"]["annotations"] == {"sms-reconciler/version": "1"}
    assert reads(applied) == [("marketing-us", "export")]


def test_kubectl_has_neither_the_key_nor_the_store_and_export_no_access_to_the_cluster():
    (first,), (second,) = pod()["initContainers"], pod()["containers"]
    assert {one["name"] for one in first["env"]} == {"RECONCILER_STORE", "RECONCILER_WORKSPACE", "RECONCILER_KEY"}
    assert "env" not in second
    assert "envFrom" not in second
    assert {one["name"] for one in first["volumeMounts"]} == {"store", "secrets"}
    assert {one["name"] for one in second["volumeMounts"]} == {"secrets", "access"}
    assert pod()["automountServiceAccountToken"] is False


def test_the_store_of_the_example_lies_where_a_volume_of_a_group_lets_it(project):
    """As kubelet leaves a volume with fsGroup: its folder is open to the group, and what is made in it is not."""
    (first,) = pod()["initContainers"]
    url = next(one["value"] for one in first["env"] if one["name"] == "RECONCILER_STORE")
    volume = project.path / "store"
    volume.mkdir()
    volume.chmod(0o2775)
    assert url.startswith("sqlite:////store/")
    here = url.replace("/store/", f"{volume}/", 1)
    made = project.run("store", "create", "--sandbox", "--store", here)
    assert made.code == 0, made.err
    assert stat.S_IMODE((volume / "sms").stat().st_mode) & 0o777 == 0o700
    direct = project.run("store", "create", "--sandbox", "--store", f"sqlite:///{volume}/store.db")
    assert direct.code == 5
    assert "its group may replace files in" in direct.err
    # what a mount without OnRootMismatch does to the files
    (volume / "sms" / "store.db").chmod(0o660)
    opened = project.run("list", "--sandbox", "--store", here)
    assert (opened.code, "chmod 600" in opened.err) == (5, True)
    assert pod()["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch"


@pytest.mark.parametrize("length", [250, 255])
def test_a_long_name_is_a_name_like_any_other(applied, length):
    for command in (("export", "--format", "json"), ("plan",)):
        done = applied.sandbox(*command, "--out", command[0][0] * length)
        assert done.code == 0, done.err
    assert len(list(applied.path.glob("p*"))) == len(list(applied.path.glob("e" * length))) == 1
