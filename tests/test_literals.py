"""Texts that anybody may read hold no secret: what looks like one is hidden, what is known to be one is refused."""

from __future__ import annotations

import json

import pytest
from canary import forms
from hypothesis import given
from hypothesis import strategies as st

from reconciler.app import literals
from reconciler.app.resolving import Resolved
from reconciler.errors import ManifestInvalid
from reconciler.model import Credential, Declared
from reconciler.render import FORMATS
from reconciler.secret import Secret, holding
from reconciler.trouble import HIDDEN

VALUE = "s3cr3t-f00ba4-Zq7"
LOOKS = {
    "label": "key 8f2Kd93kLq0ZpX71vBnMa",
    "description": "5d41402abc4b2a76b9719d911017c592",
    "owner": "a3d9c17f4e6b8025d1c7f9e3b5a86042-7be1c3d5-1fa2-62ce-2298-15e79ac217b6",
    "tags": {"note": "q4tz7bmvw2kj7hnr9sypx3fd6cgu5aeo", "team": "growth", "other": "Zx81vBnMa8f2Kd93kLq0"},
}
"""Values that nobody can tell from a secret."""
HIDING = [text.split()[-1] for text in (LOOKS["label"], LOOKS["description"], LOOKS["owner"])] + [
    LOOKS["tags"]["note"],
    LOOKS["tags"]["other"],
]


def texts(**common) -> str:
    return "".join(f"    {key}: {json.dumps(value)}\n" for key, value in common.items())


@pytest.fixture
def looking(project):
    """A project whose Infobip credential has such texts."""
    project.right_secrets()
    with (project.path / "credentials.yaml").open("a") as manifest:
        manifest.write(texts(**LOOKS))
    return project


def kept(project) -> dict[str, bytes]:
    """All files of the project but the manifest."""
    files = [path for path in project.path.rglob("*") if path.is_file() and path.name != "credentials.yaml"]
    return {path.name: path.read_bytes() for path in files}


def reports(number: int = 0) -> list[str]:
    """Options for a report in every format, as a file."""
    return [f"--report={format_}={number}.{format_}" for format_ in FORMATS]


def hidden(*outputs: bytes) -> bool:
    found = [form for value in HIDING for form, needle in forms(value).items() if any(needle in o for o in outputs)]
    return found == []


def test_attack_55_a_text_that_looks_like_a_secret_is_neither_shown_nor_stored(looking):
    lines = (
        ("validate",), ("plan", "--out", "plan.json", "--sandbox"), ("apply", "--yes", "--sandbox"),
        ("show", "plan.json"), ("list", "--sandbox"), ("get", "otp-apac", "--sandbox"), ("history", "--sandbox"),
        ("plan", "--sandbox"), ("audit", "export", "--sandbox"),
    )  # fmt: skip
    looking.run("store", "create", "--sandbox")
    for number, line in enumerate(lines):
        done = looking.run(*line, *(reports(number) if line[0] != "audit" else []))
        assert done.code == 0, (line, done.out, done.err)
        assert hidden(done.out.encode(), done.err.encode()), line
    assert hidden(*kept(looking).values())
    assert {"plan.json", "sandbox.db", "1.markdown"} <= set(kept(looking))


def test_what_is_hidden_is_said_with_what_stands_in_its_place(looking):
    done = looking.sandbox("plan", "--format", "json")
    told = {p["subject"]: (p["severity"], p["detail"]) for p in done.json["problems"] if p["code"] == "looks-secret"}
    assert set(told) == {f"otp-apac.{key}" for key in ("label", "description", "owner", "tags.note", "tags.other")}
    assert set(told.values()) == {("warning", f"it is neither shown nor stored: {HIDDEN} stands in its place")}
    (change,) = [one for one in done.json["plan"]["changes"] if one["name"] == "otp-apac"]
    after = {field["field"]: field["after"] for field in change["fields"]}
    assert after["label"] == after["description"] == after["owner"] == HIDDEN
    assert after["tags"] == {"note": HIDDEN, "team": "growth", "other": HIDDEN}


def test_what_looks_like_a_secret_and_is_one_is_an_error(looking):
    looking.env["TWILIO_AUTH_TOKEN"] = HIDING[0]
    done = looking.sandbox("plan", "--format", "json")
    assert [(p["code"], p["subject"]) for p in done.json["problems"]] == [("secret-literal", "otp-apac.label")]
    assert done.code == 1
    assert hidden(done.out.encode(), done.err.encode())


def test_the_plan_after_an_apply_is_empty_all_the_same(looking):
    assert looking.sandbox("apply", "--yes").code == 0
    assert looking.sandbox("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("key", ["workspace", "moved_from", "tag"])
def test_attack_55_a_name_that_looks_like_a_secret_is_an_error_without_it(project, key):
    name = "q4tz7bmvw2kj7hnr9sypx3fd6cgu5aeo"
    if key == "workspace":
        project.edit("workspace: production", f"workspace: {name}")
    else:
        common = {"moved_from": name} if key == "moved_from" else {"tags": {name: "x"}}
        with (project.path / "credentials.yaml").open("a") as manifest:
            manifest.write(texts(**common))
    done = project.sandbox("plan", *reports())
    assert (done.code, name in done.out + done.err) == (1, False)
    assert not [file for file, content in kept(project).items() if name.encode() in content]
    (found,) = json.loads((project.path / "0.json").read_text())["problems"]
    assert (found["code"], found["place"]["line"]) == ("looks-secret", 2 if key == "workspace" else 18)


def test_w_that_looks_like_a_secret_is_not_repeated(project):
    name = "q4tz7bmvw2kj7hnr9sypx3fd6cgu5aeo"
    done = project.sandbox("plan", "-w", name)
    assert (done.code, name in done.out + done.err) == (64, False)


# known to be the secret


@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes"), ("plan", "--check")], ids=" ".join)
def test_attack_55_a_text_that_contains_a_secret_of_this_run_is_an_error_without_it(project, command):
    project.right_secrets()
    project.env["TWILIO_AUTH_TOKEN"] = VALUE
    common = {"label": VALUE, "description": f"x {VALUE} y", "owner": f"{VALUE}@x.example", "tags": {"a": f"x{VALUE}"}}
    with (project.path / "credentials.yaml").open("a") as manifest:
        manifest.write(texts(**common))
    done = project.sandbox(*command, *reports())
    assert done.code == 1, done.out
    assert "error[secret-literal]" in done.err
    assert not [name for name, content in kept(project).items() if VALUE.encode() in content]
    assert VALUE not in done.out + done.err
    found = json.loads((project.path / "0.json").read_text())["problems"]
    places = [(problem["subject"], problem["place"]["line"]) for problem in found]
    assert places == [(f"otp-apac.{key}", line) for line, key in enumerate(common, 18)]


def test_a_plan_made_without_secrets_is_refused_when_they_are_at_hand(applied):
    applied.env["TWILIO_AUTH_TOKEN"] = VALUE
    applied.edit("label: Marketing US", f"label: Marketing {VALUE}")
    assert applied.sandbox("plan", "--secrets", "skip", "--out", "plan.json").code == 0
    done = applied.sandbox("apply", "plan.json")
    assert done.code == 1
    assert "secret-literal" in done.err
    assert VALUE not in done.out + done.err


def told(*credentials: Credential, **values: str) -> list[tuple[str, str]]:
    resolved = Resolved({f"env://{name}": Secret(value) for name, value in values.items()})
    entries = {credential.name: credential for credential in credentials}
    with pytest.raises(ManifestInvalid) as invalid:
        literals.refuse(entries, resolved)
    assert VALUE not in repr(invalid.value.problems)
    return [(problem.code, problem.subject) for problem in invalid.value.problems]


def entry(name: str = "a", moved_from: str = "", settings=None, **common) -> Credential:
    marks = {"": (1, 1)}
    return Credential(name, Declared("sinch", common, settings or {}, {"api_token": "env://A"}), "f", marks, moved_from)


def test_a_public_setting_and_a_name_count_as_well():
    assert told(entry(settings={"service_plan_id": VALUE}), A=VALUE) == [("secret-literal", "a.service_plan_id")]
    assert told(entry(moved_from=VALUE), A=VALUE) == [("secret-literal", "a.moved_from")]
    assert told(entry(VALUE, label=VALUE), A=VALUE) == [("secret-literal", "?")] * 2
    assert told(entry(tags={VALUE: VALUE}), A=VALUE) == [("secret-literal", "a.tags")]


def test_what_is_near_a_secret_is_none():
    for credential in (entry(label=VALUE[:-1], protected=True), entry(label=f"{VALUE[:4]} {VALUE[4:]}")):
        assert literals.refuse({"a": credential}, Resolved({"env://A": Secret(VALUE)})) is None
    assert literals.refuse({"a": entry(label=VALUE)}, Resolved()) is None


@given(st.lists(st.text("ab ", min_size=1, max_size=5), max_size=5), st.lists(st.text("ab ", max_size=12), max_size=5))
def test_what_holds_a_secret_is_found_wherever_it_stands(values, texts):
    found = list(holding(enumerate(texts), map(Secret, values)))
    assert found == [number for number, text in enumerate(texts) if any(value in text for value in values)]
