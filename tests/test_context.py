"""Who acts, from which source; what a terminal is."""

from __future__ import annotations

from reconciler import context
from reconciler.context import Terminal

GITHUB = {
    "GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "tom", "GITHUB_TRIGGERING_ACTOR": "lea", "GITHUB_SHA": "9f2c1ab",
    "GITHUB_REF": "refs/pull/212/merge", "GITHUB_SERVER_URL": "https://github.example", "GITHUB_REPOSITORY": "acme/sms",
    "GITHUB_RUN_ID": "8812",
}  # fmt: skip


def test_github_names_actor_pull_request_and_run():
    origin = context.origin(GITHUB)
    assert (origin.actor, origin.source, origin.ci) == ("tom", "ci", "github")
    assert (origin.triggered_by, origin.commit, origin.pull_request) == ("lea", "9f2c1ab", "212")
    assert origin.run_url == "https://github.example/acme/sms/actions/runs/8812"


def test_github_outside_a_pull_request_has_no_number():
    assert context.origin(GITHUB | {"GITHUB_REF": "refs/heads/main"}).pull_request == ""


def test_github_names_the_author_of_the_pushed_commit_as_creator(tmp_path):
    event = tmp_path / "event.json"
    event.write_text('{"head_commit": {"author": {"name": "Tom", "username": "tom-acme"}}}')
    env = GITHUB | {"GITHUB_ACTOR": "lea", "GITHUB_EVENT_PATH": str(event)}
    origin = context.origin(env)
    assert (origin.actor, origin.commit_author, origin.creator) == ("lea", "tom-acme", "tom-acme")
    event.write_text('{"head_commit": {"author": {"name": "Tom"}}}')
    assert context.origin(env).creator == "Tom"
    for odd in (
        "{}",
        "[]",
        "no JSON",
        '{"head_commit": null}',
        '{"head_commit": {"author": "Tom"}}',
        '{"pull_request": {}}',
    ):
        event.write_text(odd)
        assert context.origin(env).creator == "lea"
    event.unlink()
    assert context.origin(env).creator == "lea"


def test_gitlab_names_the_commit_author_as_creator():
    env = {
        "GITLAB_CI": "true", "GITLAB_USER_LOGIN": "lea", "CI_COMMIT_AUTHOR": "Tom <tom@example.com>",
        "CI_COMMIT_SHA": "9f2c1ab", "CI_MERGE_REQUEST_IID": "7", "CI_JOB_URL": "https://gitlab.example/j/1",
    }  # fmt: skip
    origin = context.origin(env)
    assert (origin.actor, origin.ci, origin.pull_request) == ("lea", "gitlab", "7")
    assert origin.creator == "Tom <tom@example.com>"


def test_a_flag_is_a_claim_and_keeps_what_ci_says():
    origin = context.origin(GITHUB, "somebody")
    assert (origin.actor, origin.source, origin.run_url[-4:]) == ("somebody", "flag", "8812")


def test_outside_ci_it_is_the_system_user():
    origin = context.origin({})
    assert origin.source == "os"
    assert origin.actor
    assert origin.ci == ""


def test_now_is_utc_with_milliseconds():
    text = context.now()
    assert text.endswith("Z")
    assert len(text) == len("2026-11-23T14:02:08.125Z")


def test_a_pipe_has_no_colour_and_is_not_interactive(capsys):
    terminal = Terminal.detect({})
    assert (terminal.colour, terminal.interactive, terminal.width) == (False, False, context.WIDTH_WITHOUT_TERMINAL)


def test_columns_set_the_width(capsys):
    assert Terminal.detect({"COLUMNS": "80"}).width == 80
    assert Terminal.detect({"COLUMNS": "junk"}).width == context.WIDTH_WITHOUT_TERMINAL
