"""The gates once more under the lease: what another run did meanwhile lets nothing through that a person must see."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from test_terminal import Typist

from reconciler import planfile

ENTRY = """  {name}:
    provider: twilio
    account_sid: AC{number:032d}
    auth_token: env://TOKEN_{number}
"""


def manifest(project, numbers, *, workspace="production", file="credentials.yaml") -> None:
    entries = "".join(ENTRY.format(name=f"c{number}", number=number) for number in numbers)
    (project.path / file).write_text(f"version: 1\nworkspace: {workspace}\ncredentials:\n{entries}")


@pytest.fixture
def six(project):
    """Six credentials are stored: two deletes are within the limit, of three that are left they are not."""
    manifest(project, range(1, 7))
    project.right_secrets()
    assert project.sandbox("apply", "--yes").code == 0
    return project


def stored(project) -> list[str]:
    return [row["name"] for row in project.sandbox("list", "-w", "production", "--format", "json").json["credentials"]]


def test_the_limit_of_deletes_is_that_of_what_is_left_when_they_happen(six):
    manifest(six, range(1, 5))
    person = Typist(six, "apply", "--sandbox", "--prune", "--only", "c[56]")
    person.read_until("Only 'yes' will be accepted")
    manifest(six, [4], file="other.yaml")
    other = six.sandbox("apply", "-f", "other.yaml", "--prune", "--only", "c[123]", "--max-deletes", "3", "--yes")
    assert other.code == 0, other.out + other.err
    person.type("yes\n")
    assert person.end() == 4
    assert "too-many-deletes" in person.seen
    assert stored(six) == ["c4", "c5", "c6"]


def test_a_workspace_that_became_a_second_one_meanwhile_is_not_made_without_consent(project):
    manifest(project, [1])
    manifest(project, [2], workspace="prod", file="other.yaml")
    for file in ("credentials.yaml", "other.yaml"):
        project.env.update(project.run("sandbox", "env", "-f", file, "--format", "json").json["facts"])
    person = Typist(project, "apply", "--sandbox")
    person.read_until("Only 'yes' will be accepted")
    assert project.sandbox("apply", "-f", "other.yaml", "--yes").code == 0
    person.type("yes\n")
    assert person.end() == 4
    assert "new-workspace" in person.seen
    assert stored(project) == []


def test_attack_45_the_limit_of_an_unsigned_plan_is_part_of_the_digest_that_is_approved(six):
    manifest(six, range(1, 3))
    planned = six.sandbox("plan", "--prune", "--secrets", "skip", "--out", "plan.json")
    assert planned.code == 4
    path = six.path / "plan.json"
    document = json.loads(path.read_text())
    approved = document["digest"]
    document["selection"]["max_deletes"] = 50
    document["signature"] = None
    file = planfile._file(document)
    path.write_text(planfile.text(replace(file, id=planfile._id(planfile._content(file)))))
    done = six.sandbox("apply", "plan.json", "--expect", approved)
    assert (done.code, "plan-altered" in done.err) == (4, True)
    assert len(stored(six)) == 6
