"""The workflows in examples/github: what they run is run here, and what they promise about permissions is held."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

EXAMPLES = Path(__file__).parents[1] / "examples"
FILES = sorted((EXAMPLES / "github").glob("*.yml"))
WORKFLOWS = {file.name: yaml.load(file.read_text(), Loader=yaml.BaseLoader) for file in FILES}


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def commands(name: str, job: str) -> list[str]:
    return [step["run"] for step in WORKFLOWS[name]["jobs"][job]["steps"] if "reconciler " in step.get("run", "")]


def run(project, command: str, tmp_path, **env: str):
    """One ``run`` line as the runner runs it, against the sandbox instead of the providers."""
    assert command.startswith("reconciler ")
    summary = tmp_path / "summary.md"
    done = subprocess.run(
        ["bash", "-e", "-c", command.replace("reconciler", f"'{sys.executable}' -m reconciler", 1)],
        cwd=project.path, capture_output=True, text=True, timeout=60,
        env={**project.env, "GITHUB_STEP_SUMMARY": str(summary), "RECONCILER_SANDBOX": "1", **env},
    )  # fmt: skip
    return done, summary.read_text() if summary.exists() else ""


def test_review_and_apply_run_as_they_stand_in_the_workflows(project, tmp_path):
    project.right_secrets()
    (validate,) = commands("review.yml", "validate")
    (plan,) = commands("review.yml", "plan")
    (apply,) = commands("apply.yml", "apply")
    for command, expected in ((validate, "valid"), (plan, "3 to create"), (apply, "3 created")):
        done, summary = run(project, command, tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert expected in summary


def test_a_refused_credential_makes_the_plan_red_and_is_annotated_in_the_manifest(project, tmp_path):
    project.right_secrets()
    project.env["TWILIO_AUTH_TOKEN"] = "f" * 32
    (plan,) = commands("review.yml", "plan")
    done, summary = run(project, plan, tmp_path)
    assert done.returncode == 3
    assert "marketing-us" in summary
    assert re.search(r"^::error file=credentials\.yaml,line=\d+", done.stdout, re.MULTILINE)


def test_the_key_of_the_review_plans_and_neither_applies_nor_reads(project, tmp_path):
    """As the README beside the workflows sets it up: one key for each environment."""
    project.right_secrets()
    assert project.sandbox("store", "create").code == 0
    backup, review = re.findall(r"\$ reconciler (key .*?) --store \S+ > ", (EXAMPLES / "github/README.md").read_text())
    keys = {name: project.sandbox(*command.split()).out for name, command in (("all", backup), ("review", review))}
    for file in (project.path.parent / "home").rglob("*.key"):
        file.unlink()
    (plan,) = commands("review.yml", "plan")
    (apply,) = commands("apply.yml", "apply")
    done, summary = run(project, plan, tmp_path, RECONCILER_KEY=keys["review"])
    assert (done.returncode, "asked live" in summary) == (0, True), done.stdout + done.stderr
    assert run(project, apply, tmp_path, RECONCILER_KEY=keys["review"])[0].returncode == 5
    assert run(project, apply, tmp_path, RECONCILER_KEY=keys["all"])[0].returncode == 0
    read = ("read", "marketing-us", "auth_token", "--reveal")
    assert project.sandbox(*read, env={"RECONCILER_KEY": keys["review"]}).code == 5


def merged(project, message: str, tmp_path) -> str:
    """What the workflow takes for the approved digest of a merge with this message."""
    who = ("-c", "user.name=lea", "-c", "user.email=lea@example.invalid")
    for arguments in (("init", "-q"), ("add", "credentials.yaml"), ("commit", "-qm", message, "--allow-empty")):
        subprocess.run(["git", *who, *arguments], cwd=project.path, check=True)
    (step,) = [step for step in WORKFLOWS["apply.yml"]["jobs"]["apply"]["steps"] if step.get("id") == "approved"]
    output = tmp_path / "output"
    output.write_text("")
    env = {**project.env, "GITHUB_OUTPUT": str(output)}
    subprocess.run(["bash", "-e", "-c", step["run"]], cwd=project.path, env=env, check=True)
    return output.read_text().removeprefix("digest=").removesuffix("\n")


def test_a_merge_is_held_to_the_digest_in_its_message(project, tmp_path):
    project.right_secrets()
    assert project.sandbox("store", "create").code == 0
    (apply,) = commands("apply.yml", "apply")
    approved = project.sandbox("plan", "--format", "json").json["plan"]["digest"]
    assert merged(project, f"Credentials (#12)\n\nSMS-Plan: {approved}", tmp_path) == approved
    done, _ = run(project, apply, tmp_path, APPROVED=approved.replace("c1-", "s1-"))
    assert done.returncode == 4
    done, summary = run(project, apply, tmp_path, APPROVED=approved)
    assert (done.returncode, "3 created" in summary) == (0, True)


APPROVED = "c1-" + "0" * 32


@pytest.mark.parametrize(
    ("line", "taken"),
    [
        (f"SMS-Plan: {APPROVED}", APPROVED),
        (f"SMS-Plan: {APPROVED}  ", APPROVED),
        (f"SMS-Plan: {APPROVED}\r", APPROVED),
        (f"* sms-plan:{APPROVED}", APPROVED),
        ("SMS-Plan: c1-12", "c1-12"),
        ("SMS-Plan:", "none"),
        (f"SMS-Plan: {APPROVED}$(id)", f"{APPROVED}$(id)"),
        (f"see SMS-Plan: {APPROVED}", ""),
        ("nothing", ""),
    ],
)
def test_whatever_is_said_to_be_approved_is_taken_as_it_is(project, tmp_path, line, taken):
    assert merged(project, f"Credentials\n\n{line}", tmp_path) == taken


@pytest.mark.parametrize("said", ["none", "c1-12", f"{APPROVED}$(id)", "--yes"])
def test_what_is_no_digest_is_refused_and_nothing_is_applied(applied, tmp_path, said):
    applied.edit("label: Marketing US", "label: Other")
    (apply,) = commands("apply.yml", "apply")
    done, _ = run(applied, apply, tmp_path, APPROVED=said)
    assert done.returncode == 64
    assert "Marketing US" in applied.sandbox("list").out


def test_at_night_only_secrets_are_taken_up(project, tmp_path):
    project.right_secrets()
    assert project.sandbox("apply", "--yes", "--only", "alerts-eu").code == 0
    (apply,) = commands("apply.yml", "apply")
    done, summary = run(project, apply, tmp_path, RECONCILER_SECRETS_ONLY="true")
    assert (done.returncode, "no changes" in summary, "left-out" in summary) == (0, True, True)
    done, summary = run(project, apply, tmp_path, RECONCILER_SECRETS_ONLY="false")
    assert "applied 2 of 2" in summary


def test_at_night_a_secret_that_is_missing_is_red_and_named(project, tmp_path):
    project.right_secrets()
    (apply,) = commands("apply.yml", "apply")
    assert project.sandbox("apply", "--yes").code == 0
    del project.env["TWILIO_AUTH_TOKEN"]
    done, summary = run(project, apply, tmp_path, RECONCILER_SECRETS_ONLY="true")
    assert (done.returncode, "marketing-us.auth_token" in summary) == (1, True)


def test_an_invalid_manifest_is_annotated_where_it_is_wrong(project, tmp_path):
    project.edit("region: eu", "region: mars")
    (validate,) = commands("review.yml", "validate")
    done, _ = run(project, validate, tmp_path)
    assert done.returncode == 1
    assert "::error file=credentials.yaml,line=11,col=13" in done.stdout


@pytest.mark.parametrize("name", WORKFLOWS)
def test_no_job_may_do_more_than_read(name):
    workflow = WORKFLOWS[name]
    assert workflow["permissions"] == {"contents": "read"}
    assert not [job for job in workflow["jobs"].values() if "permissions" in job]
    assert "pull_request_target" not in workflow["on"]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_action_is_pinned_by_its_commit_and_says_its_version(name):
    lines = re.findall(r"uses: (.*)", (EXAMPLES / "github" / name).read_text())
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []
    for step in steps(WORKFLOWS[name]):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] == "false"


def test_forks_only_validate_and_see_no_secret():
    jobs = WORKFLOWS["review.yml"]["jobs"]
    assert "secrets." not in str(jobs["validate"])
    assert "environment" not in jobs["validate"]
    assert jobs["plan"]["if"] == "github.event.pull_request.head.repo.full_name == github.repository"


def test_secrets_reach_one_step_of_a_job_with_an_environment():
    for workflow in WORKFLOWS.values():
        for job in workflow["jobs"].values():
            holders = [step for step in job["steps"] if "secrets." in str(step)]
            assert len(holders) <= 1
            assert not holders or job["environment"]
            assert "secrets." not in str(job.get("env", ""))


def test_one_apply_at_a_time_and_none_is_broken_off():
    assert WORKFLOWS["apply.yml"]["concurrency"] == {"group": "sms-apply", "cancel-in-progress": "false"}


def test_the_workflows_install_this_version():
    from reconciler import __version__

    installed = [step["run"] for w in WORKFLOWS.values() for step in steps(w) if step.get("name") == "Install"]
    assert set(installed) == {f"pip install sms-reconciler=={__version__}"}


INJECTABLE = (
    "on: push\njobs: {a: {runs-on: ubuntu-24.04, steps: [{uses: actions/checkout@v6}, "
    "{run: 'echo ${{ github.event.issue.title }}'}]}}\n"
)


def test_the_pre_commit_hook_validates_the_manifest(project):
    (hook,) = yaml.safe_load((EXAMPLES.parent / ".pre-commit-hooks.yaml").read_text())
    program, *arguments = hook["entry"].split()
    assert program == "reconciler"
    assert hook["pass_filenames"] is False
    assert project.run(*arguments, *hook["args"]).code == 0
    project.edit("region: eu", "region: mars")
    assert project.run(*arguments, *hook["args"]).code == 1


@pytest.mark.parametrize(
    ("tool", "workflow"),
    [
        (["zizmor", "--offline", "--no-online-audits", "--no-progress"], INJECTABLE),
        (["check-jsonschema", "--builtin-schema", "vendor.github-workflows"], "on: push\njobs: {a: {step: []}}\n"),
    ],
    ids=["zizmor", "check-jsonschema"],
)  # fmt: skip
def test_the_linters_pass_ours_and_find_what_is_wrong(tool, workflow, tmp_path):
    program = Path(sys.executable).with_name(tool[0])
    if not program.exists():
        pytest.skip("the linter is a development dependency")
    bad = tmp_path / "bad.yml"
    bad.write_text(workflow)
    assert subprocess.run([program, *tool[1:], *FILES], capture_output=True).returncode == 0
    assert subprocess.run([program, *tool[1:], bad], capture_output=True).returncode != 0
