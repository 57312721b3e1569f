"""A secret's file that git keeps is refused, and no program that a repository names is started to find out."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from reconciler.app.tracked import Tracked

GIT = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
VALUE = "s3cr3t-f00ba4-bar"


def git(folder, *arguments):
    subprocess.run(["git", *arguments], cwd=folder, env=GIT, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    """A repository with a folder of secrets, of which git keeps one file, and one in a folder below."""
    root = tmp_path / "repository"
    secrets = root / "sms" / "secrets"
    (secrets / "deep").mkdir(parents=True)
    for name in ("kept", "mine", "deep/kept", "deep/mine", "kept é\n"):
        (secrets / name).write_text(VALUE)
    git(root, "init", "-q")
    git(root, "add", "sms/secrets/kept", "sms/secrets/deep/kept", "sms/secrets/kept é\n")
    return secrets


def known(folder, **environ):
    return Tracked(folder, {"PATH": os.environ["PATH"], **environ})


def test_what_git_keeps_is_known_and_nothing_else(repository):
    found = known(repository)
    assert [path for path in ("kept", "deep/kept", "kept é\n") if path not in found] == []
    assert [path for path in ("mine", "deep/mine", "absent", "") if path in found] == []


def test_a_link_is_judged_by_what_it_leads_to(repository):
    (repository / "to-kept").symlink_to("deep/kept")
    (repository / "to-mine").symlink_to("mine")
    (repository / "way").symlink_to("deep")
    git(repository, "add", "to-mine")
    found = known(repository)
    assert "to-kept" in found
    assert "way/kept" in found
    assert "to-mine" not in found
    assert "way/mine" not in found


def test_a_folder_that_is_named_through_a_link_is_the_same(repository, tmp_path):
    (tmp_path / "link").symlink_to(repository)
    assert "kept" in known(tmp_path / "link")


def test_outside_of_a_repository_git_is_not_even_started(tmp_path, monkeypatch):
    (tmp_path / "kept").write_text(VALUE)
    monkeypatch.setattr("reconciler.git.asked", None)
    assert "kept" not in known(tmp_path)


def test_without_git_nothing_is_known(repository, tmp_path):
    found = Tracked(repository, {"PATH": str(tmp_path)})
    assert "kept" not in found
    assert list(found.untold) == ["kept"]
    assert "kept" in known(repository)


def test_where_git_says_nothing_that_is_told(repository, monkeypatch):
    top = repository.parents[1]
    (top / ".git" / "index").write_bytes(b"no index")
    found = known(repository)
    assert "kept" not in found
    assert found.untold == {"kept": str(top)}
    monkeypatch.setattr("reconciler.git.SECONDS", 0.0)
    found = known(repository)
    assert "deep/kept" not in found
    assert found.untold == {"deep/kept": str(top)}


def test_a_repository_whose_last_commit_cannot_be_read_says_nothing(repository):
    git(repository, *COMMIT)
    git(repository, "rm", "--cached", "-q", "kept")
    shutil.rmtree(repository.parents[1] / ".git" / "objects")
    (repository.parents[1] / ".git" / "objects").mkdir()
    found = known(repository)
    assert "kept" not in found
    assert found.untold == {"kept": str(repository.parents[1])}


def test_a_repository_without_a_commit_has_said_all(repository):
    found = known(repository)
    assert "kept" in found
    assert "mine" not in found
    assert found.untold == {}


def nowhere(folder):
    """A repository that is elsewhere, and gone."""
    (folder / ".git").write_text("gitdir: /nope\n")


def emptied(folder):
    """What is left of a repository when only its folder is copied."""
    (folder / ".git").mkdir()


def whole(folder):
    """A repository that works, and knows nothing of the files."""
    git(folder, "init", "-q")


@pytest.mark.parametrize("inner", [nowhere, emptied, whole])
@pytest.mark.parametrize("place", ["", "deep"], ids=["at the folder", "below it"])
def test_an_inner_repository_hides_nothing_that_an_outer_one_keeps(repository, inner, place):
    inner(repository / place)
    found = known(repository)
    assert "deep/kept" in found
    assert "kept" in found
    assert "deep/mine" not in found
    assert set(found.untold) == ({"deep/mine"} if inner is nowhere else set())


def test_a_repository_that_cannot_be_asked_is_a_warning(applied):
    nowhere(applied.path)
    plan = applied.sandbox("plan")
    assert plan.code == 0
    assert "warning[git-silent]" in plan.out
    assert "sinch-token" in plan.out
    applied.edit("region: eu", "region: us")
    assert "warning[git-silent]" in applied.sandbox("apply", "--yes").out


def test_git_is_asked_once(repository, monkeypatch):
    asked = []
    listed = Tracked._asked
    monkeypatch.setattr(Tracked, "_asked", lambda self, folder: asked.append(folder) or listed(self, folder))
    found = known(repository)
    for _ in range(3):
        assert "kept" in found
        assert "deep/kept" in found
        assert "mine" not in found
    assert asked == [str(repository.parents[1])]


COMMIT = ("-c", "user.name=Lea", "-c", "user.email=lea@example.com", "commit", "-q", "-m", "x")


def test_a_file_of_the_last_commit_is_kept_though_it_left_the_index(repository):
    git(repository, *COMMIT)
    git(repository, "rm", "--cached", "-q", "kept", "deep/kept")
    assert "kept" in known(repository)
    assert "deep/kept" in known(repository)
    assert "mine" not in known(repository)
    git(repository, *COMMIT)
    assert "kept" not in known(repository)
    assert "kept é\n" in known(repository)


@pytest.mark.parametrize("outer", [True, False])
def test_a_repository_inside_of_the_folder_of_secrets_is_asked_as_well(outer, repository, tmp_path):
    secrets = repository if outer else tmp_path / "secrets"
    inner = secrets / "team" / "inner"
    (inner / "deep").mkdir(parents=True)
    for name in ("kept", "mine", "deep/kept"):
        (inner / name).write_text(VALUE)
    git(inner, "init", "-q")
    git(inner, "add", "kept", "deep/kept")
    found = known(secrets)
    assert [name for name in ("kept", "deep/kept") if f"team/inner/{name}" not in found] == []
    assert "team/inner/mine" not in found
    assert ("kept" in found) is outer
    (secrets / "link").symlink_to("team/inner/deep/kept")
    assert "link" in found


@pytest.mark.parametrize("inside", [True, False])
def test_so_is_a_submodule_and_a_folder_of_secrets_in_one(inside, repository, tmp_path):
    git(repository, *COMMIT)
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repository.parents[1]), "sub")
    assert (outer / "sub" / ".git").is_file()
    found, before = (known(outer / "sub" / "sms" / "secrets"), "") if inside else (known(outer), "sub/sms/secrets/")
    assert f"{before}kept" in found
    assert f"{before}deep/kept" in found
    assert f"{before}mine" not in found


def test_what_a_run_was_given_does_not_lead_git_elsewhere(repository, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    where = {"GIT_DIR": str(other / ".git"), "GIT_WORK_TREE": str(other), "GIT_INDEX_FILE": "/dev/null"}
    assert "kept" in known(repository, **where)


def started(folder):
    """A program that leaves a trace, for the settings of a repository."""
    trace, program = folder / "trace", folder / "program"
    program.write_text(f"#!/bin/sh\ntouch {trace}\n")
    program.chmod(0o755)
    return trace, program


def test_no_program_that_the_repository_names_is_started(repository, tmp_path):
    trace, program = started(tmp_path)
    root = repository.parents[1]
    hooks = root / ".git" / "hooks"
    shutil.rmtree(hooks, ignore_errors=True)
    hooks.mkdir()
    for name in ("post-index-change", "fsmonitor-watchman", "query-watchman"):
        shutil.copy(program, hooks / name)
    for key in ("core.fsmonitor", "core.pager", "pager.ls-files", "core.sshCommand", "core.editor", "filter.x.clean"):
        git(root, "config", key, str(program))
    (root / ".gitattributes").write_text("* filter=x\n")
    assert "kept" in known(repository)
    assert not trace.exists()


def test_the_trace_would_be_seen(repository, tmp_path):
    """The same settings do start the program where git is asked as it comes."""
    trace, program = started(tmp_path)
    git(repository, "config", "core.fsmonitor", str(program))
    subprocess.run(["git", "status"], cwd=repository, env=GIT, capture_output=True)
    assert trace.exists()


def test_apply_refuses_a_tracked_file_and_asks_nobody(project):
    project.right_secrets()
    git(project.path, "init", "-q")
    assert project.sandbox("apply", "--yes", "--only", "marketing-us").code == 0
    git(project.path, "add", "sinch-token")
    done = project.sandbox("apply", "--yes", "--format", "json")
    assert done.code == 3
    results = {outcome["name"]: outcome for outcome in done.json["outcomes"]}
    assert results["alerts-eu"]["result"] == "failed"
    assert results["alerts-eu"]["problem"]["code"] == "secret-tracked"
    assert results["otp-apac"]["result"] == "created"
    shown = project.sandbox("apply", "--yes")
    assert "error[secret-tracked]" in shown.out
    assert "git rm --cached" in shown.out
    git(project.path, "rm", "--cached", "-q", "sinch-token")
    assert project.sandbox("apply", "--yes").code == 0


def test_plan_says_that_a_tracked_secret_was_not_compared(applied):
    git(applied.path, "init", "-q")
    git(applied.path, "add", "sinch-token")
    done = applied.sandbox("plan")
    assert done.code == 0
    assert "a stored secret was not compared" in done.out
    assert "git keeps sinch-token" in done.out
    assert applied.sandbox("plan", "--secrets", "require").code == 1
