"""Credentials that have one secret in common are told, by name and place, never with the value."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.app.resolving import Resolved
from reconciler.app.sharing import TOLD, shared
from reconciler.model import Credential, Declared, Severity
from reconciler.secret import Secret, alike

VALUE = "s3cr3t-f00ba4-Zq7"


def entry(name: str, **references: str) -> Credential:
    marks = {"": (1, 1)} | {key: (line, 5) for line, key in enumerate(references, 2)}
    return Credential(name, Declared("sinch", {}, {}, references), f"{name}.yaml", marks)


def told(values: dict[str, str], *entries: Credential):
    resolved = Resolved({text: Secret(value) for text, value in values.items()})
    return shared({e.name: e for e in entries}, resolved)


def test_two_credentials_with_one_secret_are_told_at_the_later_one():
    values = {"env://A": VALUE, "env://B": VALUE, "env://C": "another-one"}
    [found] = told(values, entry("a", api_token="env://A"), entry("c", api_token="env://C"),
                   entry("b", api_token="env://B"))  # fmt: skip
    assert (found.code, found.severity, found.subject) == ("secret-shared", Severity.WARNING, "b.api_token")
    assert str(found.place) == "b.yaml:2:5"
    assert found.detail == "the same value as a.api_token"
    assert VALUE not in repr(found)


def test_one_reference_in_two_entries_is_one_secret_too():
    [found] = told({"env://A": VALUE}, entry("a", api_token="env://A"), entry("b", api_token="env://A"))
    assert found.detail == "the same value as a.api_token"


def test_two_keys_of_one_credential_are_its_own_matter():
    assert told({"env://A": VALUE}, entry("a", left="env://A", right="env://A")) == ()


def test_what_does_not_resolve_is_like_nothing():
    assert told({}, entry("a", api_token="env://A"), entry("b", api_token="env://A")) == ()


def test_many_are_counted():
    entries = [entry(f"n{i}", api_token="env://A") for i in range(TOLD + 3)]
    [found] = told({"env://A": VALUE}, *entries)
    assert found.detail.endswith(f"n{TOLD - 1}.api_token and 2 more")
    pairs = [entry(f"{side}{i}", api_token=f"env://N{i}") for i in range(TOLD + 2) for side in "ab"]
    *each, more = told({f"env://N{i}": f"{VALUE}{i}" for i in range(TOLD + 2)}, *pairs)
    assert len(each) == TOLD
    assert more.summary == "2 more secrets are common to several credentials"


@given(st.lists(st.sampled_from(["aaaa-aaaa", "bbbb-bbbb", "cccc-cccc"]), max_size=12))
def test_alike_groups_what_is_equal_and_leaves_out_what_is_alone(values):
    found = alike(enumerate(map(Secret, values)))
    assert sorted(map(tuple, found)) == sorted(
        tuple(i for i, value in enumerate(values) if value == one) for one in set(values) if values.count(one) > 1
    )


def test_plan_warns(project):
    project.edit("file://sinch-token", "env://TWILIO_AUTH_TOKEN")
    project.env.update(TWILIO_AUTH_TOKEN=VALUE, INFOBIP_API_KEY=VALUE + "x")
    done = project.sandbox("plan", "--format", "json")
    assert done.code == 0
    [found] = [p for p in done.json["problems"] if p["code"] == "secret-shared"]
    assert (found["severity"], found["subject"]) == ("warning", "alerts-eu.api_token")
    shown = project.sandbox("plan")
    assert "the same value as marketing-us.auth_token" in shown.out
    assert VALUE not in shown.out + shown.err + done.out + done.err
    skipped = project.sandbox("plan", "--secrets", "skip", "--format", "json")
    assert [p["code"] for p in skipped.json["problems"]] == []
