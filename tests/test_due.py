"""Due dates: what is told, how long before, and of what a plan leads to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import credential, declared, record

from reconciler.due import due, due_after
from reconciler.errors import StoreError
from reconciler.model import Action, Place, SecretState
from reconciler.plans import Change, Plan

TODAY = "2026-11-23"


def stored(name="a", changed_at="2026-01-01T00:00:00.000Z", **common):
    return replace(record(name), declared=declared(**common), secret_changed_at=changed_at)


def told(found):
    return [(one.name, one.key, one.days) for one in found]


@pytest.mark.parametrize(
    ("day", "days"),
    [("2026-11-22", -1), ("2026-11-23", 0), ("2026-12-01", 8), ("2026-12-23", 30), ("2026-12-24", None)],
)
def test_what_expires_is_told_from_thirty_days_before_and_ever_after(day, days):
    assert [one.days for one in due([stored(expires_on=day)], TODAY)] == ([] if days is None else [days])


@pytest.mark.parametrize(("every", "days"), [("1d", -325), ("326d", 0), ("356d", 30), ("357d", None)])
def test_a_rotation_is_counted_from_the_last_change_of_the_secret(every, days):
    assert [one.days for one in due([stored(rotate_every=every)], TODAY)] == ([] if days is None else [days])


@pytest.mark.parametrize(
    "odd",
    [
        stored(expires_on="soon"), stored(rotate_every="often"), stored(rotate_every="90d", changed_at=""),
        stored(rotate_every="9999d", changed_at="9999-12-31T23:59:59.999Z"), stored(rotate_every="90d", changed_at=7),
    ],
)  # fmt: skip
def test_dates_that_no_manifest_may_have_were_not_written_by_us(odd):
    with pytest.raises(StoreError) as caught:
        due([odd], TODAY)
    assert (caught.value.code.name, caught.value.detail) == ("tampered", "the dates of a cannot be read")


def test_the_soonest_comes_first_and_a_horizon_can_be_given():
    records = [stored("b", expires_on="2026-12-01"), stored("a", expires_on="2027-01-30", rotate_every="320d")]
    assert told(due(records, TODAY)) == [("a", "rotate_every", -6), ("b", "expires_on", 8)]
    assert [one.name for one in due(records, TODAY, 90)] == ["a", "b", "a"]


def after(change, *records):
    plan = Plan(() if change is None else (change,), (), 0, 0)
    named = [change.credential] if change and change.credential else []
    return due_after(plan, {r.name: r for r in records}, {c.name: c for c in named}, TODAY)


def wanted(action, *, of=None, secret=SecretState.UNCHANGED, moved_from="", **common):
    entry = replace(credential("a", **common), moved_from=moved_from)
    return Change(action, "a", "twilio", (), secrets={"auth_token": secret}, record=of, credential=entry)


def test_a_plan_tells_what_is_due_of_what_it_creates_with_its_place():
    (one,) = after(wanted(Action.CREATE, secret=SecretState.NEW, expires_on="2026-11-24", rotate_every="90d"))
    assert (one.name, one.key, one.days, one.place) == ("a", "expires_on", 1, Place("credentials.yaml", 3, 3))


@pytest.mark.parametrize(
    ("secret", "told_of"),
    [(SecretState.UNCHANGED, [-296]), (SecretState.NOT_COMPARED, [-296]), (SecretState.CHANGED, [30])],
)
def test_a_plan_that_brings_a_new_secret_counts_from_today(secret, told_of):
    old = stored(rotate_every="30d")
    assert [one.days for one in after(wanted(Action.UPDATE, of=old, secret=secret, rotate_every="30d"), old)] == told_of


def test_a_plan_tells_what_it_leads_to_not_what_it_ends():
    old = stored(expires_on="2026-11-24")
    assert told(after(None, old)) == [("a", "expires_on", 1)]
    assert after(wanted(Action.UPDATE, of=old, expires_on="2027-11-24"), old) == ()
    assert after(Change(Action.DELETE, "a", "twilio", (), record=old), old) == ()
    renamed = replace(old, name="old")
    assert told(after(wanted(Action.RENAME, of=renamed, moved_from="old", expires_on="2026-11-24"), renamed)) == [
        ("a", "expires_on", 1)
    ]
