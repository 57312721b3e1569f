"""A secret cannot get out by accident: not by printing, formatting, copying, pickling, hashing or JSON."""

from __future__ import annotations

import copy
import json
import pickle
import traceback
from dataclasses import dataclass

import pytest

from reconciler.secret import Secret

VALUE = "s3cret-value-of-somebody"


@dataclass(frozen=True)
class Holder:
    secret: Secret


@pytest.mark.parametrize(
    "show",
    [str, repr, "{}".format, "{!r}".format, "{!s:>40}".format, "{:40}".format, lambda s: f"{s}", lambda s: f"{s:x}",
     lambda s: "%s %r" % (s, s), lambda s: f"{Holder(s)}", lambda s: f"{[s]} {({'a': s})}"],  # noqa: UP031
)  # fmt: skip
def test_every_way_of_turning_it_into_text_hides_it(show):
    text = show(Secret(VALUE))
    assert VALUE not in text
    assert "<secret>" in text


@pytest.mark.parametrize(
    "leak",
    [pickle.dumps, copy.copy, copy.deepcopy, hash, json.dumps, lambda s: {s}, lambda s: pickle.dumps([s], 0),
     lambda s: copy.deepcopy(Holder(s)), lambda s: s.__getstate__(), vars, iter, len, lambda s: s + "",
     lambda s: s < s],
)  # fmt: skip
def test_attack_68_every_other_way_out_is_refused_without_it(leak):
    with pytest.raises((TypeError, AttributeError)) as caught:
        leak(Secret(VALUE))
    assert VALUE not in "".join(traceback.format_exception(caught.value))


def test_only_reveal_gives_it():
    assert Secret(VALUE).reveal() == VALUE


def test_secrets_are_equal_by_value_and_to_nothing_else():
    assert Secret(VALUE) == Secret(VALUE)
    assert Secret(VALUE) != Secret(VALUE + "x")
    assert (Secret(VALUE) == VALUE) is False


def test_it_takes_no_further_attribute():
    with pytest.raises(AttributeError):
        Secret(VALUE).note = "x"
