"""Every provider against the sandbox over real HTTP: each documented answer comes to its code, and no secret gets out.

A new provider gets all of this by a row in the sandbox's table and one in ``asking.KINDS``.
"""

from __future__ import annotations

import base64
import logging
import traceback

import httpx
import pytest
from asking import KINDS, Echoing, answered, answers_of, ask, code_of, come_to, leaves, play
from canary import PARTIAL, forms

from reconciler import plugins
from reconciler.codes import CODES
from reconciler.errors import NotAsked
from reconciler.model import Answer, Verdict
from reconciler.sandbox import SCENARIOS
from reconciler.sandbox.answers import FAKE_TOKEN
from reconciler.sandbox.scenarios import NoCase
from reconciler.scrub import MASK
from reconciler.secret import Secret

EVERY_KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
WRONG = "0123456789abcdef0123456789abcdef"


def everything_said(outcome: Verdict | NotAsked, logged: str) -> str:
    """All text that a verdict or an error could ever show, with its causes and the log."""
    chain = "".join(traceback.format_exception(outcome)) if isinstance(outcome, Exception) else ""
    return f"{outcome!r} {vars(outcome) if isinstance(outcome, Exception) else ''} {chain} {logged}"


def test_every_provider_has_its_row():
    assert {kind.provider for kind in KINDS.values()} == set(plugins.provider_names())


@EVERY_KIND
def test_the_right_secret_is_accepted(kind):
    verdict = ask(kind, kind.settings(), kind.right())
    assert (verdict.answer, verdict.code, verdict.http_status) == (Answer.VALID, "accepted", 200)
    assert verdict.asked.startswith("GET https://")
    assert verdict.at.endswith("Z")
    assert "?" not in verdict.asked


@EVERY_KIND
def test_a_wrong_secret_is_refused(kind):
    verdict = ask(kind, kind.settings(), {kind.field: Secret(WRONG)})
    assert (verdict.answer, verdict.code, verdict.http_status) == (Answer.REJECTED, "key-refused", 401)


PLAYED = [
    pytest.param(kind, scenario.ending, case.code, id=f"{name}: {scenario.plays} → {case.code}")
    for name, kind in KINDS.items()
    for scenario in SCENARIOS
    if not isinstance(case := scenario.of(kind.provider), NoCase)
]
"""Every answer that the sandbox plays, for every way to sign in."""


@pytest.mark.parametrize(("kind", "ending", "code"), PLAYED)
def test_answer(kind, ending, code, caplog):
    """Each comes to its code, and shows no secret."""
    caplog.set_level(logging.DEBUG)
    secrets = kind.right(ending)
    outcome = come_to(kind, ending, secrets)
    assert code_of(outcome) == code
    assert isinstance(outcome, NotAsked) == (CODES[code].answer is Answer.UNKNOWN)
    assert outcome.asked.startswith("GET https://")
    said = everything_said(outcome, caplog.text)
    assert secrets[kind.field].reveal() not in said
    assert FAKE_TOKEN not in said


@EVERY_KIND
def test_attack_56_a_body_that_echoes_the_authorization_header_is_not_kept(kind):
    verdict = come_to(kind, "9056")
    assert (code_of(verdict), verdict.request_id) == ("key-refused", MASK)
    assert "Bad:" not in repr(verdict)


@EVERY_KIND
def test_attack_56_nor_is_an_echo_in_what_is_kept_of_an_accepted_answer(kind):
    verdict = come_to(kind, "9156")
    assert (code_of(verdict), verdict.request_id) == ("accepted", MASK)
    told = {"twilio": f"Sandbox {MASK}", "sinch": "", "infobip": f"EUR {MASK}"}
    assert (verdict.account.name or verdict.account.currency) == told[kind.provider]


ODD = "Qx4zTb8mVw2/kJ7+hN=&<%tR9sYp"
"""A secret that every encoding writes in another way."""


@EVERY_KIND
def test_attack_56_no_text_of_an_answer_is_kept_with_what_was_sent_in_any_form(kind):
    """Each text of each documented answer in turn, and the request's id: the secret, what holds it, the header."""
    secrets, masks, places = {kind.field: Secret(ODD)}, 0, 0
    for answer in answers_of(kind):
        right = Echoing(answer, "")
        play(kind, kind.right(), right)
        plain = Echoing(answer, right.sent)
        play(kind, secrets, plain)
        word = plain.sent.partition(" ")[2]
        pair = base64.b64decode(word).decode() if plain.sent.startswith("Basic ") else word
        echoes = {form.decode() for piece in (ODD, pair, word, plain.sent) for form in usual(piece)}
        for at, body in enumerate(plain.bodies):
            for path in leaves(body):
                places += 1
                for echo in echoes:
                    outcome = play(kind, secrets, Echoing(answer, right.sent, (at, path), echo))
                    said = everything_said(outcome, "")
                    assert echo not in said, (path, outcome)
                    assert ODD not in said, (path, outcome)
                    masks += MASK in said
    assert masks > places > 0


def usual(piece: str) -> list[bytes]:
    return [form for name, form in forms(piece).items() if name not in PARTIAL]


def test_attack_57_an_answer_about_another_account_is_refused():
    verdict = come_to(KINDS["twilio"], "9057")
    assert code_of(verdict) == "wrong-account"
    assert verdict.account.id != KINDS["twilio"].settings("9057")["account_sid"]


@EVERY_KIND
def test_attack_16_no_secret_stands_in_an_address(kind):
    _, requests = answered(kind, *[httpx.Response(403, json={"code": 70051, "errorCode": "E403"})] * 3)
    assert requests
    for request in requests:
        assert kind.right()[kind.field].reveal() not in str(request.url)
        assert request.method == "GET"


def test_every_key_of_a_provider_has_its_help_and_no_key_takes_null():
    for name in plugins.provider_names():
        provider = plugins.provider(name)
        for key, schema in provider.fields.model_json_schema()["properties"].items():
            assert schema["title"], key
            assert schema["x-find"], key
            assert schema["type"] == "string", key
        assert provider.identifier in provider.account
        for address in (provider.docs, provider.support, provider.terms):
            assert address.startswith("https://")
