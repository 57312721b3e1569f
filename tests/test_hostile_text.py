"""ATTACKS 50, 51, 53: no free text, whoever wrote it, changes what a comment, a log or a program makes of a report."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from builders import TRAITS, credential, record, rejection, verdict
from cases import HEADER, NOW
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reconciler.due import Due
from reconciler.model import Account, Action, Answer, Event, Place, Problem, Result
from reconciler.planner import plan
from reconciler.plans import Outcome
from reconciler.render import FORMATS, render
from reconciler.report import Checkup, Entry, Report, rows
from reconciler.scope import Known, Scope
from reconciler.state import Snapshot
from reconciler.verdicts import after_check, status

NASTY = (
    "<script>alert(1)</script>", "<!-- reconciler:plan -->", "-->", "</details>", "</summary></details>", "<details>",
    "&lt;b&gt;", "&#64;x", "<https://evil.example>", "https://evil.example", "www.evil.example", "a@b.example",
    "[x](https://evil.example)", "![x](https://evil.example/pixel.png)", "[^1]", "[ref]: https://evil.example",
    "@everyone", "#123", "GH-123", "a/b#1", ":tada:", "$x$",
    "| a | b |", "|", "\\|", "\\", "\\`", "`", "``", "```", "````", "~~~", "~~s~~", "**b**", "__b__",
    "# h", "\n# h", "\n\n- x", "---", "===", "1. x", "> q", "    code", "\t", "\r\n",
    "\u202e", "\u200b", "\u2028", "\x1b[2J", "\x9b", "\ud800",
    "::error::x", "\n::set-env name=A::b", " ::stop-commands::x", "%0A::error::x", "##[stop-commands]x", "##vso[t.c]",
)  # fmt: skip

hostile = st.lists(
    st.sampled_from(NASTY) | st.text(st.characters(), min_size=1, max_size=8), min_size=1, max_size=4
).map("".join)


def reports(text: str, word: str | None = None):
    """Every report that has a comment of its own, with the text wherever somebody else chooses it.

    ``word`` stands where only a checked name can come from (of a credential, a workspace, a provider) or what is our
    own (a digest, an address of a store); a comment is held to withstand even these.
    """
    word = text if word is None else word
    head = replace(HEADER, workspace=word, store=word, store_id=word)
    free = {"label": text, "description": text, "owner": text, "tags": {text: text}, "token": text, "sid": text}
    fresh = credential(word, file=text, **free)
    moved = replace(credential(word + "2", file=text, label=text, token=text, sid=text), moved_from=word)
    answered = replace(
        verdict(Answer.REJECTED), account=Account(text, text, text, text, text), provider_code=text, request_id=text,
        asked=f"GET https://{text}", notes=(text,), likely=(text, text),
    )  # fmt: skip
    made = plan(
        {fresh.name: fresh, moved.name: moved},
        {moved.name: record(moved.name, label="old", sid="old"), "gone": record("gone")}, {},
        Known({(fresh.name, "auth_token"): b"same"}, {(moved.name, "auth_token"): "secret-missing"}), TRAITS,
        Scope("s", "w"),
    )  # fmt: skip
    odd = {Action.NOTE: {"name": word}}
    changes = tuple(replace(change, **odd.get(change.action, {"provider": f"{word}!"})) for change in made.changes)
    problem = Problem("bad-value", text, Place(text, 3, 5), text, text, text)
    made = replace(made, changes=changes, refusals=(problem,), digest=word)
    outcomes = tuple(
        Outcome(c, r, 2, answered, problem if r is Result.FAILED else None)
        for c, r in zip(made.effective, (Result.REJECTED, Result.FAILED), strict=True)
    )
    due = (Due("2026-12-01", word, "expires_on", 8),)
    common = {"header": head, "problems": (problem,), "due": due, "selection": f" -f {word}"}
    yield Report("plan", plan=made, live={c.name: answered for c in made.effective}, **common)
    yield Report("plan", plan=made, **common)
    yield Report("apply", plan=made, outcomes=outcomes, anchor=word, dropped=(word,), **common)
    stored = {word: replace(record(word, label=text, created_by=text), verdict=replace(answered, code="limited"))}
    waiting = {word + "2": replace(rejection(word, label=text, token=text), verdict=answered, by=text)}
    listed = rows(Snapshot("w", 1, stored, waiting), TRAITS)
    yield Report("list", rows=listed, total=2, filters={word: text}, **common)
    yield Report("list", filters={word: text}, creators=(text,), **common)
    checked = Checkup(stored[word], answered, status(stored[word], None), after_check(stored[word], answered))
    yield Report("check", checkups=(checked,), **common)
    yield Report("validate", problems=(problem,))
    yield Report("plan", problems=(problem,))
    who = {"actor": text, "source": "flag", "host": text, "ci": "", "run_url": text, "pull_request": text}
    body = {"who": who, "provider": "twilio", "fields": [["label", text, text]], "secrets": {"auth_token": "changed"}}
    entry = Entry(1, Event(NOW, "update", "updated", text, 2, body=body))
    facts = {"chain": "whole", "first": 1, "last": 1}
    yield Report("history", header=HEADER, entries=(entry,), total=1, filters={"actor": text}, facts=facts)


def shown(report: Report, format_: str) -> str:
    return render(format_, report, width=200, colour=False, now=NOW)


PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def structure(text: str):
    """What Markdown makes of a page, without its words."""
    for token in PARSER.parse(text):
        yield token.type, token.tag, token.nesting
        if token.type == "fence":
            yield token.info, token.content.count("\n")
        if token.type == "html_block":
            yield (
                re.findall(r"<[^>]*>", re.sub(r"(store|workspace)=[\w.-]+", "", token.content)),
                token.content.count("\n"),
            )
        yield [child.type for child in token.children or () if child.type not in ("text", "text_special")]


def words(text: str):
    """The text that is neither code nor our own HTML: where GitHub looks for mentions, issues and addresses."""
    for token in PARSER.parse(text):
        if token.type == "html_block":
            yield re.sub(r"<code>[^<]*</code>|<[^>]*>", " ", token.content)
        yield "".join(" " if child.type == "code_inline" else child.content for child in token.children or ())


PLAIN = [list(structure(shown(report, "markdown"))) for report in reports("Some Text")]


def same_structure(text: str) -> None:
    for report, plain in zip(reports(text), PLAIN, strict=True):
        page = shown(report, "markdown")
        assert list(structure(page)) == plain
        for said in words(page):
            assert not re.search(r"@\w|://|www\.|#\d|(?i:gh-\d)", said), said


@pytest.mark.parametrize("text", [*NASTY, "".join(NASTY), "`" * 40, "|\\|`|"])
def test_attack_53_a_comment_has_the_same_structure_whatever_the_text_is(text):
    if text.strip():
        same_structure(text)


@given(hostile)
@settings(deadline=None, max_examples=60)
def test_attack_53_whatever_else_they_think_of(text):
    assume(text.strip())
    same_structure(text)


def test_the_check_of_structures_works():
    assert list(structure("a `b` c\n")) == list(structure("x `y` z\n")) != list(structure("a [b](c) d\n"))
    assert list(words("`@a` @b <b>\n"))[1].strip().startswith("@b")


INERT = ("json", "markdown", "github", "table")
"""What a workflow may print as it is: no line can be taken for a command of the runner."""


@pytest.mark.parametrize("format_", FORMATS)
@given(text=hostile)
@example(text="".join(NASTY))
@settings(deadline=None, max_examples=40)
def test_attack_50_and_51_nothing_reaches_a_terminal_or_a_runner_raw(format_, text):
    assume(text.strip())
    for report in reports(text, "a-name" if format_ == "table" else None):
        page = shown(report, format_)
        page.encode()
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", page)
        if format_ in INERT:
            ours = [line for line in page.split("\n") if line.lstrip().startswith("::")]
            assert ours == (page.split("\n")[:-1] if format_ == "github" else [])
            assert "##[" not in page
            assert "##vso[" not in page


ANNOTATION = re.compile(r"::(error|warning|notice) ((file=[^,:]*,line=\d+,col=\d+,)?title=[^,:]*)::(.*)")


@given(hostile)
@example("".join(NASTY))
@settings(deadline=None, max_examples=40)
def test_attack_51_annotations_are_as_many_and_as_well_formed(text):
    assume(text.strip())
    for report, plain in zip(reports(text), reports("Some Text"), strict=True):
        lines = shown(report, "github").splitlines()
        assert len(lines) == len(shown(plain, "github").splitlines())
        for line in lines:
            match = ANNOTATION.fullmatch(line)
            assert match
            assert not re.search(r"%(?!25|0A|0D|3A|2C)", line)


@given(hostile)
@example("".join(NASTY))
@settings(deadline=None, max_examples=40)
def test_json_says_the_text_itself(text):
    for report in reports(text):
        made = json.loads(shown(report, "json"))
        if report.problems:
            assert made["problems"][0]["detail"] == text


HOSTILE_PATH = "a\x1b[2J\r\n::set-env name=A::b"


@pytest.mark.parametrize(
    "line",
    [
        ["key", "status", "--key-file", HOSTILE_PATH],
        ["key", "backup", "--key-file", HOSTILE_PATH],
        ["store", "create", "--store", f"sqlite:///{HOSTILE_PATH}.db"],
        ["apply", "--yes", "--store", f"sqlite:///{HOSTILE_PATH}.db"],
        ["get", HOSTILE_PATH],
        ["explain", HOSTILE_PATH],
        ["plan", "-f", HOSTILE_PATH],
    ],
    ids=lambda line: " ".join(line[:2]) if line[1].isalpha() else line[0],
)
def test_attacks_50_and_51_a_path_or_a_name_reaches_no_terminal_or_runner_raw(applied, line):
    done = applied.sandbox(*line) if line[0] != "explain" else applied.run(*line)
    assert not set("\x1b\r") & set(done.out + done.err)
    assert not [said for said in (done.out + done.err).splitlines() if said.lstrip().startswith("::")]
