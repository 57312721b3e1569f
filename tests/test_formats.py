"""What holds across formats: one exit code, JSON by its schema whatever happens, reports beside stdout."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import click
import jsonschema_rs
import pytest
from cases import CASES, NOW, THROTTLED, VALID, apply_report, check_report, plan_report

from reconciler import cli
from reconciler.codes import CODES, Exit
from reconciler.model import Account, Action, Answer, Place, Problem, Result, SecretState, Severity, Status
from reconciler.plans import Outcome
from reconciler.render import FORMATS, for_file, render
from reconciler.render.json import PARTS, document
from reconciler.report import Checkup, Report, exit_code

SCHEMA = json.loads((Path(__file__).parents[1] / "schemas" / "report.schema.json").read_text())


def closed(schema):
    """The schema with every object that names its keys closed: nothing is said that it does not describe."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items()}
    if made.get("type") in ("object", ["object", "null"]) and "properties" in made and "$schema" not in made:
        made["additionalProperties"] = False
    return made


STRICT = jsonschema_rs.Draft202012Validator(closed(SCHEMA))


def shown(report: Report, format_: str) -> str:
    return render(format_, report, width=120, colour=False, now=NOW)


def ways_to_end():
    """A report for every result, every code, every status that a check finds, and every exit code."""
    change = plan_report().plan.changes[0]
    for result in Result:
        verdict = VALID if result in (Result.CREATED, Result.UPDATED) else THROTTLED
        yield f"result {result}", replace(apply_report(), outcomes=(Outcome(change, result, verdict=verdict),))
    for code in CODES.values():
        problem = Problem(code.name, code.summary, hint=code.hint)
        for command in ("apply", "validate", "plan", "list"):
            yield f"{command} {code.name}", Report(command, problems=(problem,))
        if code.answer:
            verdict = replace(VALID, answer=code.answer, code=code.name)
            yield f"live {code.name}", plan_report(live={change.name: verdict})
            (first, *_) = check_report().checkups
            for status in Status:
                checkup = Checkup(first.record, verdict, status, status)
                yield f"check {code.name} {status}", replace(check_report(), checkups=(checkup,))
    yield "interrupted", replace(apply_report(), interrupted=True)
    yield "changes", plan_report(detailed_exitcode=True)
    yield "warned", Report("plan", problems=(Problem("key-missing", "s", severity=Severity.WARNING),))
    yield from ((f"case {name}", make()) for name, make in CASES.items())


def test_every_way_to_end_gives_the_same_exit_code_in_every_format():
    ended = dict(ways_to_end())
    for name, report in ended.items():
        code = exit_code(report)
        for format_ in FORMATS:
            text = shown(report, format_)
            assert exit_code(report) == code, name
            if format_ == "json":
                assert json.loads(text)["exit_code"] == code, name
            if format_ == "github" and code not in (0, Exit.CHANGES):
                assert text.startswith(("::error ", "::warning ")), name
            if format_ == "markdown" and code not in (0, Exit.CHANGES):
                assert "🔴" in text or "🟠" in text, name
    assert {exit_code(report) for report in ended.values()} == {int(code) for code in Exit}


def test_every_report_is_described_by_the_schema():
    for name, report in ways_to_end():
        errors = [error.message for error in STRICT.iter_errors(json.loads(shown(report, "json")))]
        assert errors == [], name


def test_the_schema_is_one_and_knows_every_command_and_word():
    jsonschema_rs.meta.validate(SCHEMA)
    assert SCHEMA["$id"] == "urn:sms-reconciler:schema:report:1"
    commands = {rule["if"]["properties"]["command"]["const"]: rule["then"] for rule in SCHEMA["allOf"][:-1]}
    assert commands.keys() == PARTS.keys()
    for command, rule in commands.items():
        assert set(rule["required"]) == rule["properties"].keys() == PARTS[command].keys()
    assert set(SCHEMA["required"]) == document(Report("version")).keys() - {"facts"}
    words = SCHEMA["$defs"]
    assert set(words["status"]["enum"]) == set(Status)
    assert set(words["answer"]["enum"]) == set(Answer)
    assert set(words["action"]["enum"]) == set(Action)
    assert set(words["outcome"]["properties"]["result"]["enum"]) == set(Result)
    assert set(words["change"]["properties"]["secrets"]["additionalProperties"]["enum"]) == set(SecretState)
    assert set(SCHEMA["properties"]["exit_code"]["enum"]) == {int(code) for code in Exit}


def test_json_is_the_same_document_with_what_cannot_be_seen_escaped():
    nasty = "\x9b31m\u202ered\ud800##[stop-commands]x\x7f"
    report = Report("list", problems=(Problem("bad-value", "s", detail=nasty),))
    text = shown(report, "json")
    assert json.loads(text)["problems"][0]["detail"] == nasty
    assert not any(c in text for c in "\x9b\u202e\ud800\x7f")
    assert "##[" not in text
    text.encode()


# --- whole runs


RUNS = {
    "usage": (["plan", "--no-such-option"], 64),
    "no command": (["no-such-command"], 64),
    "bad option of a group": (["store", "create", "--nope"], 64),
    "an option without its value": (["plan", "--only"], 64),
    "no format at all": (["schema"], 64),
    "no such file": (["plan", "-f", "none.yaml"], 64),
    "no store": (["list"], 5),
    "no rejection": (["cancel", "otp-apac"], 5),
    "not confirmed": (["apply", "--sandbox"], 64),
    "valid": (["validate"], 0),
    "plan": (["plan", "--sandbox"], 0),
    "plan with changes": (["plan", "--sandbox", "--detailed-exitcode"], 2),
    "failing": (["apply", "--sandbox", "--yes"], 3),
    "providers": (["providers", "twilio"], 0),
    "no such code": (["explain", "nonsense"], 64),
}


@pytest.mark.parametrize("name", RUNS)
def test_json_comes_whatever_happens_and_its_code_is_the_exit_code(project, name):
    arguments, code = RUNS[name]
    done = project.run(*arguments, "--format", "json")
    assert (done.code, done.json["exit_code"]) == (code, code)
    assert STRICT.is_valid(done.json)
    assert done.json["command"].split()[0] == (arguments[0] if arguments[0] in cli.COMMANDS else "reconciler")


OWN_OUTPUT = {"schema", "key backup", "sandbox", "audit export", "export"}
"""Commands whose stdout is a thing of its own, so that none of our formats fits."""


def every_command(group, above=()):
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        words = (*above, name)
        if isinstance(command, click.Group):
            yield from every_command(command, words)
            if command.invoke_without_command:
                yield " ".join(words), command
        else:
            yield " ".join(words), command


def test_every_command_has_every_format_but_those_whose_output_is_their_own():
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    for name, command in every_command(cli.cli):
        formats = [param for param in command.params if param.name == "format_"]
        assert bool(formats) == (name not in OWN_OUTPUT), name
        assert formats or f"`{name}`" in readme, name
        assert all(list(param.type.choices) == list(FORMATS) for param in formats)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("name", ["no such file", "no store", "valid", "plan with changes", "failing"])
def test_a_run_has_one_exit_code_whatever_its_format(project, name, format_):
    arguments, code = RUNS[name]
    assert project.run(*arguments, f"--format={format_}").code == code
    assert project.run(*arguments, env={"RECONCILER_FORMAT": format_}).code == code


def test_a_usage_error_is_json_where_the_environment_asks_for_it(project):
    done = project.run("plan", "--nope", env={"RECONCILER_FORMAT": "json"})
    assert (done.code, done.json["problems"][0]["code"], done.json["command"]) == (64, "usage", "plan")
    assert "No such option" in done.err
    assert project.run("plan", "--nope", "--format", "table", env={"RECONCILER_FORMAT": "json"}).out == ""
    assert project.run("plan", "--nope", "--", "--format=json").out == ""


def raising(monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr("reconciler.app.informing.version", fail)


def test_a_bug_is_json_without_its_message(monkeypatch, capsys, tmp_path):
    raising(monkeypatch, RuntimeError("hunter2-the-secret"))
    aside = tmp_path / "report.json"
    assert cli.run(["version", "--format", "json", "--report", f"json={aside}"]) == 70
    out, err = capsys.readouterr()
    made = json.loads(out)
    assert (made["exit_code"], made["problems"][0]["code"]) == (70, "bug")
    assert made["problems"][0]["detail"] == "builtins.RuntimeError"
    assert made == json.loads(aside.read_text())
    assert "hunter2" not in out + err + aside.read_text()
    assert STRICT.is_valid(made)


def test_an_interrupt_is_json(monkeypatch, capsys):
    raising(monkeypatch, KeyboardInterrupt())
    assert cli.run(["version", "--format=json"]) == 130
    assert json.loads(capsys.readouterr().out)["problems"][0]["code"] == "interrupted"
    assert cli.run(["version"]) == 130
    assert capsys.readouterr().out == ""


def test_a_command_that_cannot_be_imported_is_a_bug_in_json_too(monkeypatch, capsys):
    monkeypatch.setitem(cli.COMMANDS, "version", "reconciler.cli.no_such_module")
    assert cli.run(["version", "--format=json"]) == 70
    assert json.loads(capsys.readouterr().out)["command"] == "reconciler"


# --- --report


def test_reports_of_the_same_run_stand_beside_stdout(project):
    done = project.run("plan", "--sandbox", "--report", "json=p.json", "--report=markdown=p.md", "--report",
                       "github=p.txt", "--report", "table=p.table")  # fmt: skip
    assert done.code == 0, done.err
    assert done.out.startswith("production · sandbox · no store yet")
    made = json.loads((project.path / "p.json").read_text())
    assert STRICT.is_valid(made)
    assert len(made["plan"]["changes"]) == 3
    assert (project.path / "p.md").read_text().startswith("<!-- reconciler:plan workspace=production -->\n### ")
    assert "::warning file=credentials.yaml,line=" in (project.path / "p.txt").read_text()
    assert "Plan: 3 to create" in (project.path / "p.table").read_text()
    assert sorted(path.name for path in project.path.iterdir() if ".part" in path.name) == []


def test_the_table_of_an_apply_in_a_file_has_what_was_shown_while_it_ran(project):
    project.right_secrets()
    done = project.sandbox("apply", "--yes", "--format", "json", "--report", "table=a.txt")
    assert (done.code, done.json["exit_code"]) == (0, 0)
    text = (project.path / "a.txt").read_text()
    assert text.index("Plan: 3 to create") < text.index("created") < text.index("Applied: 3")


def test_a_failed_run_replaces_the_report_of_an_earlier_one(project):
    (project.path / "r.md").write_text("<!-- reconciler:list -->\n### 🟢 all is well")
    assert project.run("list", "--report", "markdown=r.md").code == 5
    assert "🔴 `list` did not run" in (project.path / "r.md").read_text()


@pytest.mark.parametrize("value", ["json=no/such/folder/r.json", "json=.", "html=r.html", "json", "json=", "=r"])
def test_a_report_that_cannot_be_written_is_found_before_anything_is_done(project, value):
    project.right_secrets()
    done = project.sandbox("apply", "--yes", "--report", value)
    assert done.code == 64
    assert not (project.path / ".reconciler").exists()


@pytest.mark.parametrize("format_", ["table", "json", "markdown", "github"])
@pytest.mark.parametrize("name", [".reconciler/sandbox.db", "credentials.yaml", "KEY", "plan.json"])
def test_a_report_replaces_no_store_no_manifest_no_key_and_no_plan(applied, format_, name):
    applied.edit("label: Marketing US", "label: Other")
    assert applied.sandbox("plan", "--out", "plan.json").code == 0
    (key,) = (applied.path.parent / "home").rglob("*.key")
    path = key if name == "KEY" else applied.path / name
    before = path.read_bytes()
    for command in (("list",), ("validate",), ("apply", "--yes")):
        done = applied.sandbox(*command, "--report", f"{format_}={path}")
        assert (done.code, path.read_bytes()) == (64, before)
    done = applied.sandbox("list", env={"RECONCILER_REPORT": f"{format_}={path}"})
    assert (done.code, path.read_bytes()) == (64, before)
    assert "it is not replaced" in done.err


@pytest.mark.parametrize("format_", ["table", "json", "markdown", "github"])
def test_a_report_replaces_an_earlier_one_of_its_format_and_an_empty_file(applied, format_):
    path = applied.path / "report"
    path.touch()
    for command in (("list",), ("plan",), ("check",), ("get", "nobody"), ("list",)):
        assert applied.sandbox(*command, "--report", f"{format_}=report").code in (0, 64)
        last = path.read_text()
    assert "marketing-us" in last or format_ == "github"


def test_a_pipe_that_nobody_reads_from_is_told_and_not_waited_for(project):
    os.mkfifo(project.path / "pipe")
    done = project.run("validate", "--report", "json=pipe")
    assert done.code == 64
    assert "not-written" in done.out + done.err


def test_two_reports_cannot_have_one_path(project):
    assert project.run("validate", "--report", "json=r", "--report", "markdown=./r").code == 64


def test_a_folder_that_may_not_be_written_is_found_before(project):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    locked = project.path / "locked"
    locked.mkdir(mode=0o500)
    assert project.run("validate", "--report", "json=locked/r.json").code == 64


def test_a_report_that_fails_in_the_end_is_told(monkeypatch, capsys, tmp_path):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert cli.run(["version", "--format", "json", "--report", f"json={tmp_path / 'r'}"]) == 64
    made = json.loads(capsys.readouterr().out)
    assert made["exit_code"] == 64
    assert "No space left on device" in made["problems"][0]["detail"]
    assert list(tmp_path.iterdir()) == []


def test_a_report_goes_into_a_pipe_that_is_there(project):
    pipe = project.path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert project.run("validate", "--report", "github=pipe", "--report", f"markdown=/dev/fd/{1}").code == 0
        assert os.read(reader, 100) == b""
    finally:
        os.close(reader)
    assert pipe.is_fifo()


# --- GitHub's annotations


def parsed(line: str) -> tuple[str, dict[str, str], str]:
    """A line as the runner reads it."""
    head, _, data = line.removeprefix("::").partition("::")
    command, _, rest = head.partition(" ")
    pairs = (one.split("=", 1) for one in rest.split(","))
    undo = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))

    def plain(text: str, table=undo) -> str:
        for token, char in table:
            text = text.replace(token, char)
        return text

    return command, {key: plain(value) for key, value in pairs}, plain(data, (*undo[:2], undo[4]))


def test_annotations_stand_at_their_place_errors_first():
    lines = shown(CASES["plan-checked"](), "github").splitlines()
    commands = [parsed(line)[0] for line in lines]
    assert commands == sorted(commands)
    assert set(commands) == {"error", "warning"}
    first = parsed(lines[0])
    assert first[1] == {"file": "credentials.yaml", "line": "6", "col": "17", "title": "key-refused: otp-apac"}
    assert "likely: a wrong or deleted token\n" in first[2]


def test_annotations_escape_what_the_runner_would_read():
    problem = Problem("bad-value", "100%0A done", detail="one\ntwo::error::x", subject="a,b:c%2C")
    (line,) = shown(Report("validate", problems=(problem,)), "github").splitlines()
    command, properties, data = parsed(line)
    assert (command, properties["title"]) == ("error", "bad-value: a,b:c%2C")
    assert data == "100%0A done\none\ntwo::error::x"


def test_what_came_from_standard_input_stands_in_no_file():
    problem = Problem("bad-value", "done", Place("-", 3, 5))
    assert shown(Report("validate", problems=(problem,)), "github") == "::error title=bad-value::done\n"


def test_nothing_to_say_is_nothing():
    assert shown(CASES["plan-empty"](), "github") == shown(CASES["validate-good"](), "github") == ""


# --- the first line of a comment


def only(*names: str, **rest) -> Report:
    made = plan_report()
    changes = tuple(change for change in made.plan.changes if change.name in names)
    return replace(made, plan=replace(made.plan, changes=changes), **rest)


def renamed() -> Report:
    made = only("marketing-us")
    (change,) = made.plan.changes
    moved = replace(change, action=Action.RENAME, reasons=("renamed",), fields=(), secrets={}, asks=False,
                    credential=replace(change.credential, moved_from="marketing"))  # fmt: skip
    return replace(made, plan=replace(made.plan, changes=(moved,)))


def dead() -> Report:
    return replace(apply_report(), outcomes=(apply_report().outcomes[2],))


def unseen(*, compared: bool) -> Report:
    made = CASES["plan-empty"]()
    return replace(made, plan=replace(made.plan, secrets_compared=0, compared=compared))


FIRST = {
    "all accepted": (only("marketing-us", live={"marketing-us": VALID}),
                     "🟢 `production`: 1 SMS credential change, all accepted by their providers"),
    "not asked": (only("marketing-us", "otp-apac"),
                  "🟡 `production`: 2 SMS credential changes, not asked live: apply asks before it stores"),
    "no asking": (renamed(), "🟢 `production`: 1 SMS credential change, none of which needs a provider's word"),
    "nothing": (CASES["plan-empty"](), "⚪ `production`: no changes (1 unchanged)"),
    "nothing applied": (replace(CASES["plan-empty"](), command="apply"), "⚪ `production`: no changes (1 unchanged)"),
    "nothing seen": (unseen(compared=True),
                     ("⚪ `production`: no changes in what could be compared; "
                      "1 secret could not be compared (1 unchanged)")),
    "nothing compared": (unseen(compared=False),
                         "⚪ `production`: no changes in what was compared; 1 secret was not (1 unchanged)"),
    "none applied": (dead(), "🔴 `production`: applied 0 of 1, `otp-apac` rejected · anchor `412:9c1e77a0d2b45f18`"),
    "stopped": (replace(apply_report(), problems=(Problem("lease-lost", "s"),), anchor=""),
                ("🔴 `production`: applied 1 of 4, `otp-apac`, `sms-fr` rejected, `marketing-us` failed, "
                 "**stopped by `lease-lost`**")),
}  # fmt: skip


@pytest.mark.parametrize("name", FIRST)
def test_the_first_line_is_the_verdict(name):
    report, line = FIRST[name]
    assert shown(report, "markdown").splitlines()[1] == f"### {line}"


def test_a_comment_says_what_kind_of_plan_it_is():
    made = plan_report()
    new = replace(made, header=replace(made.header, exists=False), plan=replace(made.plan, digest=""))
    text = shown(new, "markdown")
    assert "no store there yet: everything is a create" in text
    assert text.endswith("\nThis text holds no secret.\n")
    assert "!   renamed from marketing (nothing else changes; the old name reads on until moved_from goes)" in shown(
        renamed(), "markdown"
    )
    blind = shown(replace(made, plan=replace(made.plan, compared=False, partial=True)), "markdown")
    assert "secrets not compared (5): a changed secret does not show here · of a selection only" in blind
    none = shown(replace(made, plan=replace(made.plan, secrets_total=0)), "markdown")
    assert " · no secrets" in none


# --- a comment that fits


def many(number: int) -> Report:
    change = plan_report().plan.changes[0]
    changes = tuple(replace(change, name=f"name-{n}") for n in range(number))
    return replace(plan_report(), plan=replace(plan_report().plan, changes=changes), due=())


def test_a_plan_that_is_too_long_is_cut_and_says_so_first():
    text = shown(many(812), "markdown")
    assert len(text) <= 65_000
    assert text.splitlines()[1] == ("### ✂️ `production`: 812 changes, cut to fit: do not approve from this comment")
    assert "more entries did not fit" in text.splitlines()[-1]
    assert "c1-" not in text
    assert text.count("```") % 2 == 0
    whole = shown(many(20), "markdown")
    assert "✂️" not in whole
    assert "name-19" in whole


def test_every_page_fits():
    wide = replace(VALID, account=Account("x" * 500, "y" * 500), notes=("z" * 3000,) * 50)
    checkups = tuple(replace(c, verdict=wide, after=Status.REFUSED_NOW) for c in check_report().checkups) * 20
    problems = tuple(Problem("bad-value", "s" * 200, detail="d" * 500) for _ in range(200))
    for report in (replace(check_report(), checkups=checkups), Report("plan", problems=problems)):
        text = for_file("markdown", report, now=NOW)
        assert len(text) <= 65_000
        assert "✂️" in text.splitlines()[1]
