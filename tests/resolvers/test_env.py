"""``env://NAME``: from the environment that the operator gave, and nothing else of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.errors import SecretUnavailable
from reconciler.resolvers.base import Surroundings
from reconciler.resolvers.env import EnvResolver

VALUE = "s3cr3t-f00ba4"


def resolve(name, **environ):
    return EnvResolver().resolve(name, Surroundings(environ, Path()))


def test_a_variable_gives_its_value():
    assert resolve("TOKEN", TOKEN=VALUE).reveal() == VALUE
    assert resolve("token_1", token_1=VALUE + "\n").reveal() == VALUE


def test_only_the_given_environment_is_read(monkeypatch):
    monkeypatch.setenv("TOKEN", VALUE)
    with pytest.raises(SecretUnavailable):
        resolve("TOKEN")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "secret-missing"),
        ("\n", "secret-missing"),
        (VALUE + "\r\nX-Evil: 1", "secret-malformed"),
        (VALUE + "\n\n", "secret-malformed"),
        (VALUE + "é", "secret-malformed"),
        (VALUE + "\x00", "secret-malformed"),
        (VALUE + " ", "secret-malformed"),
        ("short", "secret-malformed"),
        (os.fsdecode(VALUE.encode() + b"\xff"), "secret-malformed"),
    ],
)
def test_what_cannot_be_a_secret_is_told_without_it(value, code):
    with pytest.raises(SecretUnavailable) as caught:
        resolve("TOKEN", TOKEN=value)
    assert caught.value.code.name == code
    assert VALUE not in repr(caught.value) + str(caught.value)


def test_a_variable_that_is_not_set_is_named():
    with pytest.raises(SecretUnavailable) as caught:
        resolve("TOKEN")
    assert (caught.value.code.name, caught.value.detail) == ("secret-missing", "the variable TOKEN is not set")


@pytest.mark.parametrize("name", ["RECONCILER_KEY", "RECONCILER_", "A=B", "1A", "", "A B", "A\n"])
def test_no_other_variable_is_a_secret_even_if_a_stored_reference_says_so(name):
    with pytest.raises(SecretUnavailable) as caught:
        resolve(name, **{name: VALUE})
    assert caught.value.code.name == "secret-missing"
