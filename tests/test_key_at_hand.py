"""Which key a run takes, and what it says where the one that was meant is not there."""

from __future__ import annotations

OTHER = "A" * 43 + "="
NEEDS_KEY = [
    ["plan"],
    ["plan", "--out", "plan.json", "--secrets", "skip"],
    ["apply", "--yes"],
    ["check"],
    ["history"],
    ["restore", "marketing-us", "--yes"],
    ["read", "marketing-us", "auth_token", "--reveal"],
    ["exec", "marketing-us", "--", "true"],
    ["export", "--format", "json"],
    ["audit", "verify"],
    ["key", "status"],
    ["key", "backup"],
    ["key", "export", "--for", "plan"],
]
NEEDS_NONE = [["validate"], ["list"], ["get", "marketing-us"], ["plan", "--secrets", "skip"], ["audit", "export"],
              ["lock", "show"], ["read", "marketing-us", "account_sid"]]  # fmt: skip


def line(command, *options):
    at = command.index("--") if "--" in command else len(command)
    mode = () if command[0] == "validate" else ("--sandbox", *options)
    return [*command[:at], *mode, *command[at:]]


def test_a_named_key_file_that_is_not_there_is_a_usage_error_that_names_it(applied):
    files = sorted(applied.path.rglob("*"))
    for command in NEEDS_KEY:
        done = applied.run(*line(command, "--key-file", "nope.key"))
        assert done.code == 64, command
        assert "error[no-such-file]" in done.err + done.out, command
        assert "nope.key: it is to hold the store's key" in done.err + done.out, command
    assert sorted(applied.path.rglob("*")) == files


def test_so_it_is_where_the_environment_names_it_and_another_key_is_at_hand(applied):
    key = applied.sandbox("key", "backup").out.strip()
    done = applied.sandbox("plan", env={"RECONCILER_KEY_FILE": "nope.key", "RECONCILER_KEY": key})
    assert (done.code, "RECONCILER_KEY_FILE" in done.err) == (64, True)


def test_what_needs_no_key_does_not_look_for_one(applied):
    for command in NEEDS_NONE:
        assert applied.run(*line(command), env={"RECONCILER_KEY_FILE": "nope.key"}).code == 0, command


def test_what_makes_a_store_writes_the_key_to_the_named_file(project):
    project.right_secrets()
    named = ("--key-file", "new.key")
    assert project.sandbox("plan", *named).code == 0
    assert not (project.path / "new.key").exists()
    assert project.sandbox("apply", "--yes", *named).code == 0
    assert (project.path / "new.key").stat().st_mode & 0o777 == 0o600
    assert "key-missing" not in project.sandbox("plan", *named).out


def test_a_wrong_key_is_never_taken_for_none(applied):
    """Without any key a plan goes on and says so; a key that was given is meant."""
    consumer = applied.sandbox("key", "export", "--for", "consume").out.strip()
    for key, code in ((OTHER, "key-wrong"), (consumer, "key-lacks"), ("no key", "key-malformed")):
        done = applied.sandbox("plan", env={"RECONCILER_KEY": key})
        assert (done.code, f"error[{code}]" in done.err) == (5, True), done.err
        assert applied.sandbox("plan", "--secrets", "skip", env={"RECONCILER_KEY": key}).code == 0


def test_without_any_key_a_plan_compares_nothing_and_says_so(applied):
    away = {"HOME": str(applied.path)}
    done = applied.sandbox("plan", env=away)
    assert (done.code, "warning[key-missing]" in done.out, "s1-" in done.out) == (0, True, False)
    assert applied.sandbox("plan", "--secrets", "require", env=away).code == 5
