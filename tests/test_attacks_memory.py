"""Attacks on a secret while it is in memory: what shows local variables, validates, exports, guesses."""

from __future__ import annotations

import io
import subprocess
import sys
import textwrap
import traceback
from pathlib import Path

import pytest
from asking import KINDS, ask
from packaged import PACKAGE
from pydantic import BaseModel, ValidationError
from rich.console import Console
from rich.traceback import Traceback

from reconciler import plugins, render
from reconciler.errors import SecretUnavailable
from reconciler.http import basic, bearer, scheme
from reconciler.keys import Key
from reconciler.providers.base import Fields
from reconciler.resolvers.base import Surroundings, usable
from reconciler.scrub import Scrubber
from reconciler.secret import Secret

VALUE = "s3cret-Zq7-of-somebody"
RAW = b"Zq7" * 10 + b"!!"


def fail(*held):
    """A bug in a frame that holds these, alone and inside what people hold things in."""
    inside = {"list": list(held), "dict": dict(enumerate(held)), "tuple": held}
    raise RuntimeError("a bug", inside, *held)


def held():
    """All that of ours holds a secret while a run works with it."""
    secret = Secret(VALUE)
    around = Surroundings({"TWILIO_AUTH_TOKEN": VALUE}, Path())
    headers = [basic("AC1", secret), bearer(secret), scheme("App", secret)]
    return secret, around, *headers, Scrubber({"authorization": headers[0]}), Key(RAW), Key(RAW).text()


def nothing_of_it(text: str) -> bool:
    words = (VALUE, VALUE[:8], "Zq7Zq7", Key(RAW).text().reveal()[:12])
    return not any(word.lower() in text.lower() for word in words)


def caught():
    try:
        fail(*held())
    except RuntimeError as error:
        return error


# 11: what shows local variables


def test_attack_11_a_traceback_with_its_locals_shows_none():
    told = traceback.TracebackException.from_exception(caught(), capture_locals=True)
    text = "".join(told.format())
    assert "held = (<secret>" in text
    assert nothing_of_it(text)


def test_attack_11_nor_does_one_of_rich_with_its_locals():
    error, out = caught(), io.StringIO()
    shown = Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True)
    Console(file=out, width=200, color_system=None).print(shown)
    assert "<secret>" in out.getvalue()
    assert nothing_of_it(out.getvalue())


def test_attack_11_nor_does_pytest_with_its_locals(tmp_path):
    test = """
        from reconciler.http import basic
        from reconciler.secret import Secret

        def test_it():
            secret = Secret("s3cret-" + "Zq7-of-somebody")
            header, several = basic("AC1", secret), {"a": [secret]}
            assert secret == Secret("another-value")
    """
    (tmp_path / "test_it.py").write_text(textwrap.dedent(test))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-l", "-vv", "-p", "no:cacheprovider", "test_it.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "secret     = <secret>" in done.stdout
    assert nothing_of_it(done.stdout + done.stderr)


# 35: what validates


def test_attack_35_no_secret_passes_through_a_model(monkeypatch):
    """A provider is asked where no model can be made: the values were resolved after the schema had its say."""

    def no_model(self, **_):
        raise AssertionError("a model was given a value")

    monkeypatch.setattr(BaseModel, "__init__", no_model)
    for way in ("model_validate", "model_construct", "model_validate_json"):
        monkeypatch.setattr(BaseModel, way, no_model)
    for kind in KINDS.values():
        assert ask(kind, kind.settings(), kind.right()).code == "accepted"


SHAPES = {
    "alone": {"account_sid": "AC" + "0" * 32, "auth_token": VALUE},
    "a sibling is missing": {"auth_token": VALUE},
    "a sibling is wrong": {"account_sid": "x", "auth_token": VALUE},
    "a key too many": {"account_sid": "AC" + "0" * 32, "auth_token": VALUE, "password": VALUE},
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("wrap", [str, Secret], ids=["str", "Secret"])
def test_attack_35_a_model_that_is_given_one_all_the_same_does_not_print_it(shape, wrap):
    fields = plugins.provider("twilio").fields
    given = {key: wrap(value) if value == VALUE else value for key, value in SHAPES[shape].items()}
    with pytest.raises(ValidationError) as raised:
        fields(**given)
    shown = f"{raised.value}{raised.value!r}{raised.value.errors(include_input=False)}"
    assert nothing_of_it(shown)
    if wrap is Secret:
        assert nothing_of_it(repr(raised.value.errors()) + raised.value.json(include_input=False))


def test_attack_35_every_providers_model_hides_what_it_was_given():
    for name in plugins.provider_names():
        fields = plugins.provider(name).fields
        assert issubclass(fields, Fields)
        assert fields.model_config["hide_input_in_errors"] is True, name


# 54, 67


def test_attack_54_there_is_no_csv_whose_formulas_could_run():
    assert "csv" not in render.FORMATS
    sources = PACKAGE.rglob("*.py")
    assert not [path for path in sources if "import csv" in path.read_text() or "text/csv" in path.read_text()]


@pytest.mark.parametrize("length", range(8))
def test_attack_67_a_value_short_enough_to_be_guessed_is_no_secret(length):
    with pytest.raises(SecretUnavailable) as raised:
        usable("7" * length)
    assert raised.value.code.name == ("secret-malformed" if length else "secret-missing")
    assert usable("7" * 8).reveal() == "7" * 8
