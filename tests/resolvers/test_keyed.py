"""``#key``: one value out of a JSON, YAML or dotenv text, read once a run; errors hold nothing of the text."""

from __future__ import annotations

import json
import logging
import traceback

import pytest
from builders import credential
from hypothesis import given
from hypothesis import strategies as st

from reconciler import plugins
from reconciler.app.resolving import resolve
from reconciler.errors import SecretUnavailable
from reconciler.resolvers.base import Surroundings, Whole
from reconciler.resolvers.keyed import Keys, compose
from reconciler.secret import Secret

VALUE = "s3cr3t-f00ba4"
OTHER = "0ther-v4lue-0ther"


def take(path, text, key="twilio"):
    return Keys(path, text).value(key).reveal()


def refused(path, text, key="twilio"):
    with pytest.raises(SecretUnavailable) as caught:
        take(path, text, key)
    said = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert VALUE not in said
    assert OTHER not in said
    return caught.value.code.name, caught.value.detail


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("tokens.json", json.dumps({"twilio": VALUE, "sinch": OTHER})),
        ("TOKENS.JSON", json.dumps({"twilio": VALUE})),
        ("tokens.yaml", f"twilio: {VALUE}\nsinch: {OTHER}\nnested: {{a: 1}}\n"),
        ("tokens.yml", f'twilio: "{VALUE}"\n'),
        ("tokens.yml", f"n: {OTHER}\nyes: {OTHER}\n1: {OTHER}\ntwilio: {VALUE}\n"),
        ("tokens.yaml", json.dumps({"twilio": VALUE})),
        (".env", f"twilio={VALUE}\n"),
        ("production.env", f"# tokens\nexport twilio='{VALUE}'\nsinch={OTHER}\n"),
        ("TOKENS", json.dumps({"twilio": VALUE})),
        ("TOKENS", f"\n  {json.dumps({'twilio': VALUE})}"),
        ("TOKENS", f"sinch={OTHER}\ntwilio={VALUE}"),
        ("tokens", f'twilio="{VALUE}" # a comment'),
        ("tokens.txt", f"twilio = {VALUE}"),
    ],
)
def test_a_key_is_found_in_the_format_of_the_suffix_or_of_the_content(path, text):
    assert take(path, text) == VALUE


@pytest.mark.parametrize(
    ("path", "text", "code"),
    [
        ("t.json", "{}", "secret-missing"),
        ("t.json", json.dumps({"Twilio": VALUE}), "secret-missing"),
        ("t.json", json.dumps({"a": {"twilio": VALUE}}), "secret-missing"),
        ("t.json", json.dumps({"twilio": None}), "secret-missing"),
        ("t.json", json.dumps({"twilio": ""}), "secret-missing"),
        ("t.json", json.dumps({"twilio": 12345678901}), "secret-malformed"),
        ("t.json", json.dumps({"twilio": [VALUE]}), "secret-malformed"),
        ("t.json", json.dumps({"twilio": {"a": VALUE}}), "secret-malformed"),
        ("t.json", json.dumps({"twilio": VALUE + "\r\nX-Evil: 1"}), "secret-malformed"),
        ("t.json", json.dumps({"twilio": "short"}), "secret-malformed"),
        ("t.json", f'{{"twilio": "{VALUE}", "twilio": "{OTHER}"}}', "secret-malformed"),
        ("t.json", f'{{"twilio": "{VALUE}"', "secret-malformed"),
        ("t.json", f'["{VALUE}"]', "secret-malformed"),
        ("t.json", VALUE, "secret-malformed"),
        ("t.json", "", "secret-malformed"),
        ("t.json", '{"a":' * 30000, "secret-malformed"),
        ("t.json", '{"twilio": ' + "9" * 5000 + "}", "secret-malformed"),
        ("TOKENS", f'{{"twilio": "{VALUE}"', "secret-malformed"),
        ("t.yaml", f"twilio: !!python/object {VALUE}", "secret-malformed"),
        ("t.yaml", f"a: &x {VALUE}\ntwilio: *x", "secret-malformed"),
        ("t.yaml", f"twilio: {VALUE}\ntwilio: {OTHER}", "secret-malformed"),
        ("t.yaml", f"twilio: '{VALUE}", "secret-malformed"),
        ("t.yaml", f"- {VALUE}", "secret-malformed"),
        ("t.yaml", f"twilio: {VALUE}\n---\nb: 1", "secret-malformed"),
        ("t.yaml", "twilio: 12345678901", "secret-malformed"),
        ("t.yaml", "twilio: true", "secret-malformed"),
        ("t.yaml", "twilio:", "secret-missing"),
        ("t.yaml", f"twilio: |\n  {VALUE}\n  {OTHER}", "secret-malformed"),
        ("t.yaml", "", "secret-malformed"),
        (".env", f"sinch={VALUE}", "secret-missing"),
        (".env", "twilio", "secret-missing"),
        (".env", "twilio=", "secret-missing"),
        (".env", f"twilio={VALUE}\ntwilio={OTHER}", "secret-malformed"),
        (".env", f"twilio='{VALUE}", "secret-malformed"),
        (".env", f"twilio={VALUE}\n{VALUE} {OTHER}", "secret-malformed"),
        (".env", "", "secret-missing"),
        ("TOKENS", VALUE, "secret-missing"),
    ],
)
def test_attack_29_what_gives_no_usable_value_is_told_without_any_of_the_text(path, text, code, caplog):
    assert refused(path, text)[0] == code
    assert VALUE not in caplog.text


def test_what_to_do_is_said_in_terms_of_the_format_and_the_key():
    assert refused("t.json", "{}")[1] == "the JSON has no key twilio"
    assert refused("t.yaml", "twilio: 12345678901")[1] == "what the YAML has under twilio is not text (quotes?)"
    assert refused(".env", "twilio")[1] == "the dotenv has no value under twilio"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("- a", "it is not one plain YAML mapping"),
        (f"a: &x {VALUE}", "it is not one plain YAML mapping: anchors and aliases are not allowed"),
        (f"twilio: {VALUE}\ntwilio: {OTHER}", "it is not one plain YAML mapping: the same key stands twice"),
        (f"twilio: '{VALUE}", "it is not one plain YAML mapping: this is not well-formed YAML"),
    ],
)
def test_what_is_wrong_with_a_yaml_is_told_without_any_of_it(text, why):
    assert refused("t.yaml", text)[1] == why


def test_attack_48_a_dotenv_text_reaches_no_other_variable(monkeypatch):
    monkeypatch.setenv("STOLEN", VALUE)
    assert take(".env", "twilio=${STOLEN}-and-more") == "${STOLEN}-and-more"
    assert take(".env", "twilio=$(id)-and-more") == "$(id)-and-more"


def test_a_level_of_logging_changes_nothing():
    logging.getLogger("dotenv").setLevel(logging.CRITICAL)
    try:
        assert refused(".env", f"{VALUE} {OTHER}")[0] == "secret-malformed"
    finally:
        logging.getLogger("dotenv").setLevel(logging.NOTSET)


def test_attack_11_nothing_of_a_text_is_in_what_holds_it():
    assert VALUE not in repr(Keys("t.json", json.dumps({"twilio": VALUE})))


@given(st.text(max_size=200), st.sampled_from(["t.json", "t.yaml", "t.env", "TOKENS"]))
def test_any_text_gives_a_value_or_one_of_two_codes(text, path):
    code = ""
    try:
        Keys(path, text).value("twilio")
    except SecretUnavailable as error:
        code = error.code.name
    assert code in ("", "secret-missing", "secret-malformed")


@pytest.mark.parametrize("path", ["t.json", "t.yaml", "t.yml", "t.env", ".env", "TOKENS", "tokens.txt"])
def test_what_is_composed_is_found_again(path):
    text = compose(path, {"twilio": VALUE, "sinch.eu-1": OTHER})
    assert (take(path, text), take(path, text, "sinch.eu-1")) == (VALUE, OTHER)


# a whole run


def known(references, around):
    credentials = [credential(f"c{number}", token=text) for number, text in enumerate(references)]
    resolved = resolve(credentials, around)
    return {text: resolved.values[text].reveal() for text in resolved.values}, resolved.missing


def test_one_file_and_one_variable_are_read_once_a_run(tmp_path, monkeypatch):
    (tmp_path / "tokens.json").write_text(json.dumps({"a": VALUE, "b": OTHER}))
    read = []

    def counted(real):
        return lambda self, path, around: read.append(path) or real(self, path, around)

    for scheme in ("file", "env"):
        kind = type(plugins.resolver(scheme))
        monkeypatch.setattr(kind, "read", counted(kind.read))
    wanted = ["file://tokens.json#a", "file://tokens.json#b", "file://tokens.json#c", "env://T#a", "env://T#b",
              "env://MISSING#a", "env://MISSING#b", "env://T"]  # fmt: skip
    values, missing = known(wanted, Surroundings({"T": json.dumps({"a": VALUE})}, tmp_path))
    assert values == {
        "file://tokens.json#a": VALUE,
        "file://tokens.json#b": OTHER,
        "env://T#a": VALUE,
        "env://T": json.dumps({"a": VALUE}),
    }
    assert sorted(missing) == ["env://MISSING#a", "env://MISSING#b", "env://T#b", "file://tokens.json#c"]
    assert sorted(read) == ["MISSING", "T", "tokens.json"]


def test_a_malformed_text_fails_each_of_its_references(tmp_path):
    (tmp_path / "tokens.json").write_text(VALUE)
    values, missing = known(["file://tokens.json#a", "file://tokens.json#b"], Surroundings({}, tmp_path))
    assert not values
    assert {error.code.name for error in missing.values()} == {"secret-malformed"}


def test_attack_39_a_key_does_not_open_another_path(tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "tokens.json").write_text(json.dumps({"a": VALUE}))
    (tmp_path / "secrets" / "link.json").symlink_to(tmp_path / "tokens.json")
    _, missing = known(["file://link.json#a"], Surroundings({}, tmp_path / "secrets"))
    assert missing["file://link.json#a"].code.name == "secret-missing"


class Plain:
    """A scheme of somebody else that gives single values."""

    scheme = "plain"

    def resolve(self, path, around):
        return Secret(f"{path}-{VALUE}")


def test_a_scheme_without_whole_texts_has_no_key(tmp_path, monkeypatch):
    monkeypatch.setattr(plugins, "resolver", lambda _: Plain())
    assert not isinstance(Plain(), Whole)
    values, missing = known(["plain://a#b", "plain://a", "plain://a"], Surroundings({}, tmp_path))
    assert values == {"plain://a": f"a-{VALUE}"}
    assert missing["plain://a#b"].detail == "plain:// gives one value: it has no #key"
