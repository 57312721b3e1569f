"""Holding a plan to a digest: what it leaves out, and what it says where the digest is another."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import TRAITS, credential, record

from reconciler.expected import hold, left_out
from reconciler.model import Severity
from reconciler.planner import plan
from reconciler.scope import Known, Scope

SCOPE = Scope("store", "production")
STORED = {name: record(name, fingerprint=b"same", version=3) for name in ("a", "b", "c")}


def made(labels=(), fresh=(), scope=SCOPE, stored=STORED, compared=True):
    """A plan in which some labels and some secrets are new."""
    declared = {name: credential(name, **({"label": "x"} if name in labels else {})) for name in ("a", "b")}
    prints = {(name, "auth_token"): b"new" if name in fresh else b"same" for name in declared}
    return plan(declared, stored, {}, Known(prints if compared else {}, compared=compared), TRAITS, scope)


def held(now, expected, blind=None, scope=SCOPE):
    return hold(now, blind or now, expected, scope, len(STORED))


def why(now, expected, scope=SCOPE) -> str:
    refusal = held(now, expected, scope=scope).plan.refusals[0]
    assert refusal.code == "plan-unexpected"
    return refusal.detail.partition("this is ")[2].partition(": ")[2]


def test_the_expected_plan_passes_as_it_is():
    now = made(labels="a")
    assert held(now, now.digest).plan is now


def test_another_digest_is_a_refusal_before_all_others():
    prune = replace(SCOPE, prune=True, max_deletes=0)
    now = made(scope=prune)
    assert [r.code for r in now.refusals] == ["too-many-deletes"]
    refusals = held(now, "c1-" + "0" * 32, scope=prune).plan.refusals
    assert [r.code for r in refusals] == ["plan-unexpected", "too-many-deletes"]


def test_beyond_a_digest_without_secrets_only_a_change_of_more_than_the_secret_stays():
    now, blind = made(labels="a", fresh="ab"), made(labels="a", compared=False)
    found = held(now, blind.digest, blind)
    assert (found.left_out, [c.name for c in found.plan.effective]) == (("b",), ["a"])
    assert found.plan.digest == blind.digest
    assert found.plan.refusals == ()
    assert found.plan.changes[0].secrets == now.changes[0].secrets


def test_what_is_left_out_is_named_once_and_is_no_error():
    assert left_out((), "why") == ()
    (warning,) = left_out(("a", "b"), "why")
    assert (warning.code, warning.severity, warning.detail) == ("left-out", Severity.WARNING, "why")
    assert warning.summary.endswith(": a, b")


PRUNE, ONLY = replace(SCOPE, prune=True), replace(SCOPE, only=("a",))
OLDER = {**STORED, "a": record("a", fingerprint=b"same", version=2)}


@pytest.mark.parametrize(
    ("then", "now", "scope", "said"),
    [
        (made(), made(labels="a"), SCOPE, "a was not among its changes"),
        (made(labels="a"), made(), SCOPE, "nothing is left to change"),
        (made(labels="a"), made(labels="a", fresh="a"), SCOPE,
         "a.auth_token was unchanged then, and is changed now"),
        (made(labels="a", fresh="a"), made(labels="a"), SCOPE,
         "a.auth_token was changed then, and is unchanged now"),
        (made(labels="a", fresh="b"), made(labels="a"), SCOPE, ""),
        (made(labels="ab", fresh="b"), made(labels="a", fresh="b"), SCOPE, ""),
        (made(labels="a", stored=OLDER), made(labels="a"), SCOPE, "a was v2 then, and is v3 now"),
        (made(labels="a"), replace(made(labels="a", scope=ONLY)), ONLY, "it was planned without --only"),
        (made(labels="a"), made(labels="a"), SCOPE, ""),
    ],
    ids=range(9),
)  # fmt: skip
def test_one_thing_that_differs_is_said(then, now, scope, said):
    expected = then.digest if then.digest != now.digest else "c1-" + "f" * 32
    assert why(now, expected, scope) == said


def test_a_state_of_a_secret_that_differs_is_said():
    now = made(labels="a")
    unseen = Known({("b", "auth_token"): b"same"}, {("a", "auth_token"): "secret-missing"})
    then = plan({n: credential(n, label="x") if n == "a" else credential(n) for n in "ab"}, STORED, {}, unseen, TRAITS,
                SCOPE)  # fmt: skip
    assert why(now, then.digest) == "a.auth_token was not compared then, and is unchanged now"


def test_flags_that_differ_are_said():
    one = {"a": STORED["a"], "b": STORED["b"]}
    assert why(made(labels="a", stored=one), made(labels="a", stored=one, scope=PRUNE).digest) == (
        "it was planned with --prune"
    )
    assert why(made(labels="a", stored=one, scope=PRUNE), made(labels="a", stored=one).digest, PRUNE) == (
        "it was planned without --prune"
    )


def test_where_much_differs_nothing_is_guessed():
    assert why(made(labels="ab", fresh="ab"), made(labels="a", fresh="b").digest) == ""
