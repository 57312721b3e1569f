"""Differences come in the order that people read them, nested values part by part."""

from __future__ import annotations

from builders import declared

from reconciler import diff
from reconciler.model import Declared
from reconciler.plans import FieldChange


def test_equal_content_has_no_changes():
    assert diff.changes(declared(), declared()) == ()


def test_a_new_credential_shows_every_key_without_a_before():
    found = diff.changes(None, declared(label="x"))
    assert [(c.field, c.before) for c in found] == [
        ("provider", None), ("account_sid", None), ("auth_token", None), ("label", None),
    ]  # fmt: skip


def test_order_is_provider_settings_references_common():
    before = Declared("twilio", {"label": "a"}, {"account_sid": "AC1"}, {"auth_token": "env://A"})
    after = Declared("sinch", {"label": "b"}, {"service_plan_id": "p"}, {"api_token": "env://B"})
    assert [c.field for c in diff.changes(before, after)] == [
        "provider", "service_plan_id", "account_sid", "api_token", "auth_token", "label",
    ]  # fmt: skip


def test_a_removed_key_has_no_after():
    assert diff.changes(declared(label="x"), declared()) == (FieldChange("label", "x", None),)


def test_tags_are_compared_one_by_one():
    before = declared(tags={"team": "a", "old": "1", "same": "s"})
    after = declared(tags={"team": "b", "same": "s", "added": "2"})
    assert diff.changes(before, after) == (
        FieldChange("tags.added", None, "2"),
        FieldChange("tags.old", "1", None),
        FieldChange("tags.team", "a", "b"),
    )
