"""Why one change is not stored, as a block of lines: what was asked, whose turn it is, likely causes, what to do."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from rich.text import Text

from reconciler.causes import because
from reconciler.codes import CODES
from reconciler.model import Action, Answer, Result, SecretState, Traits, Verdict
from reconciler.plans import Outcome
from reconciler.render import _planned as planned
from reconciler.render import rows as say
from reconciler.render._page import Line
from reconciler.report import Report

WIDTH = 100
"""Characters of a text beside its word; longer ones go on below."""
STORED = frozenset({Result.CREATED, Result.UPDATED, Result.RENAMED, Result.DELETED})
NEARER = frozenset({"host-not-found", "tls-failed", "redirected"})
"""Codes of what ended on the way to the provider: its support cannot help."""
_FRESH = (SecretState.NEW, SecretState.CHANGED)


def error_block(report: Report, outcome: Outcome) -> Iterator[Line]:
    """The whole block of one outcome that is rejected or failed."""
    change, verdict = outcome.change, outcome.verdict
    code = code_of(outcome)
    traits = report.traits.get(change.provider)
    yield Text.assemble((f"error[{code}]", "red"), f": {headline(outcome, traits)}")
    key = suspect(outcome)
    if change.credential:
        declared = change.credential.declared
        value = declared.references.get(key) or declared.settings.get(key, "")
        what = f"{key}: {say.safe(value)}" if key else change.name
        yield f"  --> {say.safe(change.credential.place(key))}   {what}"
    if verdict:
        yield from _beside("asked", asked(verdict))
    for text in _why(outcome):
        yield from _beside("why", text)
    yield from _beside("fault", _fault(code))
    yield from _likely(outcome, traits)
    yield from _beside("state", f"{change.name}: {_state(outcome)}{_others(report)}")
    yield from _do(report, outcome, code, key, traits)
    yield from _ask(outcome, code, traits)


def code_of(outcome: Outcome) -> str:
    """The code of an outcome that is rejected or failed."""
    found = outcome.problem or outcome.verdict
    return found.code if found else "bug"


def headline(outcome: Outcome, traits: Traits | None) -> str:
    """What happened, in one line: ``Infobip did not accept the API key of otp-apac``."""
    change, key = outcome.change, suspect(outcome)
    secret = key if key in change.secrets else next(iter(change.secrets), "")
    return say.headline(code_of(outcome), change.name, change.provider, traits, secret)


def suspect(outcome: Outcome) -> str:
    """The key to look at first: one that gave nothing, a secret that changed, a setting that changed, else a secret.

    Where nothing judged the secret: the host, or nothing where that is not declared.
    """
    change, verdict = outcome.change, outcome.verdict
    fresh = [key for key, state in change.secrets.items() if state in _FRESH]
    settings = change.credential.declared.settings if change.credential else {}
    if verdict and verdict.answer is Answer.UNKNOWN and not outcome.problem:
        return next((key for key, value in settings.items() if str(value).startswith("https://")), "")
    changed = [field.field for field in change.fields if field.field in settings]
    other = changed if change.action is Action.UPDATE else []
    return next(iter([*change.unresolved, *fresh, *other, *change.secrets]), "")


def asked(verdict: Verdict) -> str:
    """What the provider's support must hear: the request, the answer, the time and the request's number."""
    at = f", {verdict.at[11:19]} UTC" if verdict.at else ""
    if verdict.http_status is None:
        return f"{say.safe(verdict.asked)} → no answer{at}"
    answer = f"{verdict.http_status} {say.safe(verdict.provider_code)}".strip()
    request = f"request {say.safe(verdict.request_id)}" if verdict.request_id else "no request id given"
    return f"{say.safe(verdict.asked)} → {answer}{at}, {request}"


def _why(outcome: Outcome) -> Iterator[str]:
    if outcome.problem and outcome.problem.detail:
        yield say.safe(outcome.problem.detail)
    if outcome.verdict:
        yield from map(say.safe, outcome.verdict.notes)


def _fault(code: str) -> str:
    unjudged = "; the credential was not judged" if CODES[code].answer is Answer.UNKNOWN else ""
    return f"{say.fault(code)}{unjudged}"


def _likely(outcome: Outcome, traits: Traits | None) -> Iterator[str]:
    """Numbered causes, the likeliest first, and what narrows them down."""
    if outcome.problem or not outcome.verdict or not outcome.verdict.likely:
        # a problem of ours is told by its own reason, whatever the provider had answered by then
        return
    narrowed = because(outcome.change, traits.secrets if traits else outcome.change.secrets)
    causes = [f"{number}. {say.safe(text)}" for number, text in enumerate(outcome.verdict.likely, 1)]
    word = "likely"
    for line in [f"{narrowed}, so:", *causes] if narrowed else causes:
        yield from _beside(word, line)
        word = ""


def _state(outcome: Outcome) -> str:
    if outcome.change.old_name:
        version = outcome.change.expected_version
        return f"v{version} keeps serving as {outcome.change.old_name}; neither the rename nor your change is stored"
    if outcome.change.former and outcome.change.record:
        return f"v{outcome.change.expected_version} keeps serving; nothing is restored"
    if outcome.change.action is Action.UPDATE:
        return f"v{outcome.change.expected_version} keeps serving; your change is not stored"
    return f"v{outcome.change.expected_version} is still stored" if outcome.change.record else "nothing stored"


def _others(report: Report) -> str:
    """What was stored in the same run: a refusal takes nothing of it back."""
    done = sum(1 for outcome in report.outcomes if outcome.result in STORED)
    if not done:
        return ""
    return f". The {say.count(done, 'other change')} {'is' if done == 1 else 'are'} stored and stay{'s' * (done == 1)}."


def _do(report: Report, outcome: Outcome, code: str, key: str, traits: Traits | None) -> Iterator[str]:
    change = outcome.change
    if change.former:
        yield from _beside("do", f"choose another version: reconciler get {change.name}{report.place}")
        return
    setting = code == "key-refused" and key in change.declared.settings
    yield from _beside("do", f"correct {key}, or give the secret that belongs to it" if setting else say.hint(code))
    find = dict(traits.find).get(key, "") if traits and outcome.result is Result.REJECTED else ""
    if find and code == "key-refused":
        yield from _beside("", f"where it stands: {find}" if setting else f"a new one: {find}")
    yield from _beside("", _again(report, outcome))
    if outcome.result is Result.REJECTED and report.header:
        cancel = f"reconciler cancel {change.name}{report.place}"
        undo = "revert its entry in the manifest" if change.record else "take it out of the manifest"
        yield f"  {'or':<9} discard it: {undo}, then  {cancel}"


def _again(report: Report, outcome: Outcome) -> str:
    """The command that tries this change again. A plan file is carried on; what was rejected wants a new plan."""
    if not report.filed:
        return f"reconciler apply{report.found_by} --only {outcome.change.name}"
    if outcome.result is Result.REJECTED:
        return f"reconciler plan --only {outcome.change.name}{report.store_selection}"
    return f"reconciler apply{planned.exactly(report)}"


def _ask(outcome: Outcome, code: str, traits: Traits | None) -> Iterator[str]:
    """Whom to ask, and what to quote: the provider's support only where the provider was asked."""
    explain = f"reconciler explain {code}"
    if not outcome.verdict or not traits or outcome.verdict.answer is Answer.VALID or code in NEARER:
        yield from _beside("ask", explain)
        return
    support = f" ({traits.support})" if traits.support else ""
    yield f"  {'ask':<9} {say.safe(traits.title)} support{say.safe(support)}, quoting the asked line"
    yield from _beside("", f"reconciler providers {traits.name} · {explain}")


def _beside(word: str, text: str) -> Iterator[str]:
    """A text beside its word. Commands and addresses are never cut: they are copied."""
    whole = text.startswith(("reconciler ", "GET "))
    lines = [text] if whole else textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
    for number, line in enumerate(lines):
        yield f"  {'' if number else word:<9} {line}"
