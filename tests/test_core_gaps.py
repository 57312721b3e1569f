"""Corners of the pure core that no other test comes by: misuse is told, and every form has its text."""

from __future__ import annotations

import pytest

from reconciler import canonical, report
from reconciler.model import Action, Reference
from reconciler.plans import Change


@pytest.mark.parametrize("text", ["env://TOKEN", "file://a/b.json#key", "vault://kv/x#y"])
def test_a_reference_is_written_as_it_was_read(text):
    assert str(Reference.parse(text)) == text


def test_what_has_no_canonical_form_is_refused_by_its_type_alone():
    with pytest.raises(TypeError, match=r"^bytes has no canonical form$"):
        canonical.to_json({"a": b"value"})


def test_a_change_about_nothing_is_a_bug():
    with pytest.raises(ValueError, match="a credential, a record or a rejection"):
        _ = Change(Action.CREATE, "a", "twilio", ("new",)).declared


def test_a_row_of_nothing_is_a_bug():
    with pytest.raises(ValueError, match="a record or a rejection"):
        report._row("a", None, None, {})


def test_any_mapping_has_the_canonical_form_of_a_dict():
    from types import MappingProxyType

    assert canonical.to_json({"a": MappingProxyType({"c": 1, "b": 2})}) == '{"a":{"b":2,"c":1}}'
