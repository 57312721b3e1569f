"""What people are told who were nearly right: a word mistyped or misplaced, a store of the other kind, quotes."""

from __future__ import annotations

MISTAKES = (
    (("list", "--sandbox", "--status", "rejectd"), "did you mean 'not ready, rejected'?"),
    (("list", "--sandbox", "--status", "refused"), "did you mean 'not ready, refused now'?"),
    (("list", "--sandbox", "-w", "productoin"), "did you mean -w production?"),
    (("history", "--sandbox", "-w", "else"), "name it with -w"),
    (("--sandbox", "list"), "Options stand behind the command: reconciler COMMAND --sandbox"),
    (("lock", "--sandbox", "show"), "Options stand behind the command: reconciler lock COMMAND --sandbox"),
    (("delete", "otp-apac"), "take it out of the manifest; then reconciler plan --prune"),
    (("export", "--sandbox"), "kubernetes"),
)


def test_a_mistake_leads_to_what_was_meant(applied):
    for line, said in MISTAKES:
        done = applied.run(*line)
        assert (done.code, said in done.err) == (64, True), done.err
    done = applied.run("list")
    assert (done.code, "there is a sandbox store here: the same with --sandbox" in done.err) == (5, True)


def test_without_a_store_of_either_kind_nothing_is_said_of_the_sandbox(project):
    assert "sandbox" not in project.run("list").err


def test_quotes_around_a_refused_secret_are_told_without_it(applied):
    value = applied.env["TWILIO_AUTH_TOKEN"]
    said = "the value of auth_token stands in quotes: they are sent as a part of it"
    for quote in "\"'":
        applied.env["TWILIO_AUTH_TOKEN"] = f"{quote}{value}{quote}"
        plan = applied.sandbox("plan", "--check")
        assert (plan.code, said in plan.out, value in plan.out) == (3, True, False)
    done = applied.sandbox("apply", "--yes")
    assert (done.code, said in done.out, value in done.out) == (3, True, False)
    applied.env["TWILIO_AUTH_TOKEN"] = "f" * 32
    assert "quotes" not in applied.sandbox("plan", "--check").out


def test_plan_says_what_was_refused_before_until_the_secret_is_another_one(applied):
    applied.env["TWILIO_AUTH_TOKEN"] = "f" * 32
    assert applied.sandbox("apply", "--yes").code == 3
    plan = applied.sandbox("plan").out
    assert "refused before   twilio 401/20003" in plan
    assert "The same settings, the same secret. Attempt 1, by " in plan
    (change,) = applied.sandbox("plan", "--format", "json").json["plan"]["changes"]
    assert change["refused_before"]["verdict"]["code"] == "key-refused"
    applied.env["TWILIO_AUTH_TOKEN"] = "e" * 32
    assert "refused before" not in applied.sandbox("plan").out
    assert "refused before" not in applied.sandbox("plan", "--secrets", "skip").out


def test_a_check_says_why_it_could_not_ask(project):
    project.right_secrets()
    del project.env["TWILIO_AUTH_TOKEN"]
    done = project.sandbox("plan", "--check", "--only", "marketing-us")
    assert done.code == 3
    assert "Not asked: marketing-us: " in done.out
    assert "the variable TWILIO_AUTH_TOKEN is not set." in done.out
    assert "Apply would store 0 of 1 change; without a secret here: marketing-us." in done.out
    assert done.err == "did not ask twilio about marketing-us: secret-missing\n"
