"""Which causes fit a change, and in which order; and the block of lines in which a person reads them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import TIME, record, rejection

from reconciler import causes, plugins, schema
from reconciler.causes import Cause, because, because_of, likely
from reconciler.codes import CODES, Fault
from reconciler.model import Account, Action, Answer, Credential, Declared, Mode, Problem, Result, SecretState, Verdict
from reconciler.plans import Change, FieldChange, Outcome
from reconciler.render._failure import error_block
from reconciler.report import Header, Report

TOKEN = Cause("token", ("api_token",), by_itself=True)
REGION = Cause("region", ("region", "api_token"))
PLAN = Cause("plan", ("service_plan_id",))
OUTAGE = Cause("outage", (), by_itself=True)
ALL = (TOKEN, REGION, PLAN, OUTAGE)

SETTINGS = {"region": "eu", "service_plan_id": "p1"}
MARKS = {"": (3, 3), "region": (5, 13), "service_plan_id": (6, 22), "api_token": (7, 16)}


def change(action=Action.UPDATE, *, fields=(), secret=SecretState.UNCHANGED, settings=SETTINGS, **rest) -> Change:
    declared = Declared("sinch", {}, dict(settings), {"api_token": "env://SINCH"})
    return Change(
        action, "alerts", "sinch", (), tuple(FieldChange(f, "a", "b") for f in fields), {"api_token": secret},
        expected_version=0 if action is Action.CREATE else 3,
        credential=Credential("alerts", declared, "credentials.yaml", MARKS),
        record=None if action is Action.CREATE else record("alerts"), **rest,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("made", "texts"),
    [
        pytest.param(None, "token region plan", id="nothing is known: the usual order"),
        pytest.param(change(Action.CREATE), "token region plan", id="a create: the usual order"),
        pytest.param(change(secret=SecretState.CHANGED), "token region", id="only the secret changed"),
        pytest.param(change(secret=SecretState.NEW), "token region", id="a new secret"),
        pytest.param(change(fields=["region"]), "region", id="only the region changed"),
        pytest.param(change(fields=["service_plan_id"]), "plan", id="only the plan changed"),
        pytest.param(change(fields=["service_plan_id", "region"]), "region plan", id="plan and region changed"),
        pytest.param(change(fields=["api_token"]), "token region", id="another reference"),
        pytest.param(change(fields=["provider", "region"]), "token region plan", id="another provider"),
        pytest.param(change(fields=["label", "tags.team"]), "token outage", id="only common keys"),
        pytest.param(change(Action.KEEP), "token outage", id="asked again, nobody changed anything"),
        pytest.param(
            change(Action.CREATE, settings={"region": "eu"}),
            "token region outage",
            id="keys that it lacks are not blamed",
        ),
    ],
)
def test_causes_are_ranked_by_what_changed(made, texts):
    assert likely(ALL, made) == tuple(texts.split())


def test_a_key_that_is_left_out_has_its_default_and_may_be_wrong():
    assert likely([REGION, Cause("x", ("other",))], change(Action.CREATE, settings={})) == ("region",)


def test_what_needs_a_key_that_the_credential_lacks_is_no_cause():
    blocked = Cause("blocked", by_itself=True, concerns=("auth_token",))
    assert likely([blocked, OUTAGE], change(Action.KEEP)) == ("outage",)
    assert likely([replace(blocked, concerns=("api_token",)), OUTAGE], change(Action.KEEP)) == ("blocked", "outage")


def test_an_update_of_the_secret_alone_blames_nothing_else():
    found = likely(plugins.provider("twilio").causes["key-refused"], Change(
        Action.UPDATE, "a", "twilio", ("secret",), secrets={"auth_token": SecretState.CHANGED}, record=record("a")
    ))  # fmt: skip
    assert [text.partition(":")[0] for text in found] == ["a wrong auth token", "one made in another region"]


def test_where_nothing_fits_all_are_told():
    assert likely([PLAN], change(secret=SecretState.CHANGED)) == ("plan",)
    assert likely([], change()) == ()


def test_a_record_that_is_asked_about_again_needs_no_manifest():
    stored = Change(Action.KEEP, "a", "twilio", ("check",), record=record("a"))
    found = likely(plugins.provider("twilio").causes["key-refused"], stored)
    assert found[0].startswith("a wrong auth token")
    assert not [text for text in found if "region" in text or "a wrong API key" in text]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (change(secret=SecretState.CHANGED), "only the secret changed"),
        (change(fields=["api_token"], secret=SecretState.CHANGED), "only the secret changed"),
        (change(fields=["label"], secret=SecretState.CHANGED), "beside label only the secret changed"),
        (change(fields=["label", "tags.team", "region"]), "beside label, tags only region changed"),
        (change(fields=["region"]), "only region changed"),
        (change(fields=["region"], secret=SecretState.CHANGED), ""),
        (change(Action.CREATE, secret=SecretState.NEW), ""),
        (change(Action.KEEP), ""),
        (change(fields=["provider"]), ""),
        (change(), ""),
    ],
)
def test_what_narrows_the_causes_down_is_said(made, said):
    assert because(made, {"api_token"}) == said


STORED = record("a", fingerprint=b"old")
"""A Twilio credential in its first version."""


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        ({}, "only the secret changed"),
        ({"token": "env://OTHER"}, "only the secret changed"),
        ({"label": "New"}, "beside label only the secret changed"),
        ({"sid": "AC2"}, ""),
    ],
)
def test_a_refused_update_that_waits_is_narrowed_down_as_well(refused, said):
    waiting = replace(rejection("a", **refused), fingerprints={"auth_token": b"new"})
    assert because_of(waiting, STORED, {"auth_token"}) == said


def test_where_only_the_account_changed_that_is_said():
    waiting = replace(rejection("a", sid="AC2"), fingerprints={"auth_token": b"old"})
    assert because_of(waiting, STORED, {"auth_token"}) == "only account_sid changed"


@pytest.mark.parametrize(
    "other", [{"base_version": 2}, {"action": Action.CREATE}, {"declared": Declared("sinch", {}, {}, {})}], ids=str
)
def test_beside_another_version_than_it_was_to_replace_nothing_is_narrowed(other):
    waiting = replace(rejection("a"), fingerprints={"auth_token": b"new"})
    assert because_of(replace(waiting, **other), STORED, {"auth_token"}) == ""


def test_every_shared_cause_belongs_to_an_answer_that_judges_nothing():
    assert {CODES[code].answer for code in causes.SHARED} == {Answer.UNKNOWN}
    assert causes.SHARED.keys() == {code.name for code in CODES.values() if code.answer is Answer.UNKNOWN}


# the block

HEADER = Header("production", Mode.LIVE, "store.db", True, "s", 1, 1)
TRAITS = schema.traits(schema.builtin())
REFUSED = Verdict(
    Answer.REJECTED, "key-refused", Account(), 401, "unauthorized", "R1", "GET https://eu.sms.api.sinch.com/x", TIME,
    likely=("the token was replaced", "another region"),
)  # fmt: skip


def block(made, verdict=REFUSED, result=Result.REJECTED, **rest):
    report = Report("apply", header=HEADER, found_by=" -f x.yaml", **{"traits": TRAITS} | rest)
    return [str(line) for line in error_block(report, Outcome(made, result, 3, verdict))]


def test_a_refused_update_names_place_causes_state_and_whom_to_ask():
    assert block(change(secret=SecretState.CHANGED)) == [
        "error[key-refused]: Sinch did not accept the API token of alerts",
        "  --> credentials.yaml:7:16   api_token: env://SINCH",
        "  asked     GET https://eu.sms.api.sinch.com/x → 401 unauthorized, 14:02:08 UTC, request R1",
        "  fault     configuration (not this tool, not an outage)",
        "  likely    only the secret changed, so:",
        "            1. the token was replaced",
        "            2. another region",
        "  state     alerts: v3 keeps serving; your change is not stored",
        "  do        put a valid secret behind the reference, then apply again",
        (
            "            a new one: Sinch Build Dashboard (dashboard.sinch.com): SMS, APIs, REST configuration, "
            "API token of"
        ),
        "            this service plan.",
        "            reconciler apply -f x.yaml --only alerts",
        "  or        discard it: revert its entry in the manifest, then  reconciler cancel alerts -w production",
        "  ask       Sinch support (https://sinch.com/contact-us/), quoting the asked line",
        "            reconciler providers sinch · reconciler explain key-refused",
    ]


def test_where_only_the_region_changed_the_region_is_shown():
    lines = block(change(fields=["region"]))
    assert lines[1] == "  --> credentials.yaml:5:13   region: eu"
    assert "  likely    only region changed, so:" in lines
    assert "  do        correct region, or give the secret that belongs to it" in lines
    assert not any("a new one" in line for line in lines)


def test_the_state_says_that_the_others_stay():
    done = [Outcome(change(), Result.UPDATED, 4, REFUSED), Outcome(change(), Result.CREATED, 1, REFUSED)]
    lines = block(change(secret=SecretState.CHANGED), outcomes=tuple(done))
    assert (
        "  state     alerts: v3 keeps serving; your change is not stored. The 2 other changes are stored and stay."
        in lines
    )
    lines = block(change(secret=SecretState.CHANGED), outcomes=tuple(done[:1]))
    assert (
        "  state     alerts: v3 keeps serving; your change is not stored. The 1 other change is stored and stays."
        in lines
    )


def test_every_verdict_but_a_good_one_is_told_with_the_names_of_its_credential():
    for code in CODES.values():
        lacks = code.name.startswith("secret-") and code.fault is Fault.RUNNER
        if lacks or code.answer in (Answer.REJECTED, Answer.UNKNOWN):
            told = code.about("Acme", "API key", "otp-apac")
            assert "otp-apac" in told, code.name
            assert "{" not in told, code.name
            assert "Acme" in told or "API key" in told, code.name
        else:
            assert code.about("Acme", "API key", "otp-apac") == f"{code.summary}: otp-apac"


def test_an_unknown_judges_nothing_and_discards_nothing():
    verdict = Verdict(Answer.UNKNOWN, "timed-out", asked="GET https://h/x", at=TIME, notes=("because",))
    lines = block(change(Action.CREATE), verdict, Result.FAILED)
    assert lines == [
        "error[timed-out]: Sinch did not answer in time: alerts was not judged",
        "  --> credentials.yaml:3:3   alerts",
        "  asked     GET https://h/x → no answer, 14:02:08 UTC",
        "  why       because",
        "  fault     provider or network; the credential was not judged",
        "  state     alerts: nothing stored",
        "  do        nothing to fix: run the same command again",
        "            reconciler apply -f x.yaml --only alerts",
        "  ask       Sinch support (https://sinch.com/contact-us/), quoting the asked line",
        "            reconciler providers sinch · reconciler explain timed-out",
    ]


def test_a_host_that_cannot_be_resolved_is_looked_for_here_and_not_at_the_provider():
    verdict = Verdict(Answer.UNKNOWN, "host-not-found", asked="GET https://h/x", at=TIME)
    settings = {"base_url": "https://xyz.api.infobip.com"}
    made = change(Action.CREATE, settings=settings, secret=SecretState.NEW)
    placed = replace(made, credential=replace(made.credential, marks={**MARKS, "base_url": (4, 15)}))
    lines = block(placed, verdict, Result.FAILED)
    assert lines[1] == "  --> credentials.yaml:4:15   base_url: https://xyz.api.infobip.com"
    assert any("DNS, proxy and firewall" in line for line in lines)
    assert lines[-1] == "  ask       reconciler explain host-not-found"


def test_what_was_never_asked_sends_nobody_to_the_provider():
    problem = Problem("secret-missing", "s", detail="env://SINCH")
    made = replace(change(Action.CREATE), unresolved={"api_token": "secret-missing"})
    report = Report("apply", header=HEADER, traits=TRAITS)
    lines = [str(line) for line in error_block(report, Outcome(made, Result.FAILED, 0, None, problem))]
    assert "  why       env://SINCH" in lines
    assert lines[-1] == "  ask       reconciler explain secret-missing"
    assert not any("support" in line for line in lines)


def test_a_delete_that_failed_is_still_stored_and_has_no_place():
    made = Change(Action.DELETE, "a", "sinch", (), expected_version=3, record=record("a"))
    report = Report("apply", header=HEADER, traits=TRAITS)
    problem = Problem("version-moved", "s")
    lines = [str(line) for line in error_block(report, Outcome(made, Result.FAILED, 3, None, problem))]
    assert "  state     a: v3 is still stored" in lines
    assert not any("-->" in line for line in lines)


def test_without_traits_the_block_stands_and_names_the_code():
    lines = block(change(), traits={})
    assert lines[-1] == "  ask       reconciler explain key-refused"


def test_attack_50_what_a_provider_says_cannot_reach_the_terminal_raw():
    nasty = "\x1b]0;owned\x07\n::set-env name=A::b\u202e"
    verdict = replace(
        REFUSED, provider_code=nasty, request_id=nasty, notes=(nasty,), likely=(nasty,), asked=f"GET https://h/{nasty}"
    )
    text = "\n".join(block(change(), verdict))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert not any(line.startswith("::") for line in text.splitlines())


def test_a_problem_of_ours_is_not_laid_to_the_provider():
    late = replace(REFUSED, answer=Answer.UNKNOWN, code="timed-out", likely=("an outage at the provider",))
    problem = Problem("lease-lost", CODES["lease-lost"].summary, detail="it ran out")
    outcome = Outcome(change(secret=SecretState.CHANGED), Result.FAILED, 3, late, problem)
    lines = "\n".join(map(str, error_block(Report("apply", outcomes=(outcome,)), outcome)))
    assert "it ran out" in lines
    assert "outage at the provider" not in lines
