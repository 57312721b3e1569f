"""The schema: what is decided, in which words, and that the checked-in one is the providers' models."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from reconciler import plugins, references, schema, wording
from reconciler.app import schemas
from reconciler.kinds import kinds
from reconciler.model import Severity
from reconciler.providers.base import Fields
from reconciler.schema import Checker
from reconciler.trouble import shown
from reconciler.yamlreader import read

BUILTIN = schema.builtin()
CHECKER = Checker(BUILTIN)

TWILIO = {"provider": "twilio", "account_sid": "AC" + "0" * 32, "auth_token": "env://TOKEN"}
SINCH = {"provider": "sinch", "region": "eu", "service_plan_id": "0" * 31 + "2", "api_token": "file://token"}
INFOBIP = {"provider": "infobip", "base_url": "https://x1.api.infobip.com", "api_key": "env://KEY"}


def written(value):
    """YAML, since JSON is; its escapes for what lies beyond the first plane are refused."""
    return json.dumps(value, ensure_ascii=not any(char > "\uffff" for char in json.dumps(value, ensure_ascii=False)))


def troubles(entry, name="otp", checker=CHECKER):
    """What is wrong with one entry, with its path below the entry."""
    text = written({"version": 1, "credentials": {name: entry}})
    found = checker.troubles(read(text))
    return [(t.code, ".".join(map(str, t.path[2:])), t.summary) for t in found]


def told(entry, name="otp"):
    return [(code, path) for code, path, _ in troubles(entry, name)]


def test_the_checked_in_schema_is_the_providers_models():
    built = schemas.generated()
    assert schemas.text(built) == schema.builtin_text(), "run: make schemas"
    jsonschema.Draft202012Validator.check_schema(built)


def test_the_schema_is_the_same_whatever_the_order_of_providers():
    names = plugins.provider_names()
    forwards, backwards = (schemas.build(map(plugins.provider, order)) for order in (names, names[::-1]))
    assert schemas.text(forwards) == schemas.text(backwards)


def test_the_generator_runs_without_the_checked_in_file():
    done = subprocess.run([sys.executable, "-m", "reconciler.app.schemas"], check=True, capture_output=True, text=True)
    assert done.stdout == schema.builtin_text()
    assert "builtin" not in Path(schemas.__file__).read_text()


def test_a_model_that_needs_more_than_plain_keys_is_refused():
    class Nested(BaseModel):
        value: str

    class Wanting(Fields):
        """A key that is an object."""

        nested: Nested

    class Taking(Fields):
        """A key that is everybody's."""

        label: str

    for model in (Wanting, Taking):
        provider = copy.copy(plugins.provider("sinch"))
        provider.fields = model
        with pytest.raises(ValueError, match="sinch needs more than plain keys"):
            schemas.build([provider])


def test_a_packaged_schema_comes_before_the_one_of_a_checkout(tmp_path, monkeypatch):
    monkeypatch.setattr(schema, "__file__", str(tmp_path / "reconciler" / "schema.py"))
    beside, inside = tmp_path / "schemas", tmp_path / "reconciler" / "schemas"
    beside.mkdir()
    (beside / schema.NAME).write_text('{"here": "beside"}')
    assert schema.builtin() == {"here": "beside"}
    inside.mkdir(parents=True)
    (inside / schema.NAME).write_text('{"here": "inside"}')
    assert schema.builtin() == {"here": "inside"}


def test_the_form_that_editors_and_both_libraries_handle():
    text = schema.builtin_text()
    assert "oneOf" not in text
    assert "unevaluatedProperties" not in text
    assert BUILTIN["$id"] == "urn:sms-reconciler:schema:credentials:1"
    assert all(kind.part["additionalProperties"] is False for kind in kinds(BUILTIN).values())


def patterns(value):
    if isinstance(value, dict):
        yield from (v for k, v in value.items() if k == "pattern" and isinstance(v, str))
        yield from (found for inner in value.values() for found in patterns(inner))
    elif isinstance(value, list):
        yield from (found for inner in value for found in patterns(inner))


@pytest.mark.parametrize("pattern", sorted(set(patterns(BUILTIN))))
def test_patterns_are_anchored_and_mean_the_same_everywhere(pattern):
    assert pattern.startswith("^")
    assert pattern.endswith("$")
    assert pattern.isascii()
    for unlike in ("\\d", "\\w", "\\s", "\\b", "\\Z", "\\A", "(?", "\\p"):
        assert unlike not in pattern


def test_every_key_tells_an_editor_what_it_is():
    for kind in kinds(BUILTIN).values():
        for key, rule in kind.keys.items():
            rule = BUILTIN["$defs"][key] if "$ref" in rule else rule
            assert key == "provider" or (rule["title"] and rule["description"])


def test_traits_are_all_that_planning_needs():
    traits = schema.traits(BUILTIN)
    assert list(traits) == ["infobip", "sinch", "twilio"]
    for name, found in traits.items():
        provider = plugins.provider(name)
        assert (found.title, found.identifier, found.account) == (provider.title, provider.identifier, provider.account)
        assert found.region == provider.region
        assert found.identifier not in found.secrets
    assert traits["twilio"].secrets == {"auth_token", "api_key_secret"}
    assert traits["sinch"].secrets == {"api_token"}
    assert traits["infobip"].secrets == {"api_key"}


@pytest.mark.parametrize("entry", [TWILIO, SINCH, INFOBIP], ids=lambda e: e["provider"])
def test_what_is_right_is_accepted(entry):
    common = {
        "label": "Marketing US & CA", "description": "d", "owner": "growth", "tags": {"cost-center": "0042"},
        "protected": True, "expires_on": "2028-02-29", "rotate_every": "90d",
    }  # fmt: skip
    assert told(entry) == told(entry | common) == []


def test_twilio_takes_an_api_key_in_place_of_the_auth_token():
    key = {"api_key_sid": "SK" + "0" * 32, "api_key_secret": "env://KEY"}
    without = {k: v for k, v in TWILIO.items() if k != "auth_token"}
    assert told(without | key) == []
    assert troubles(TWILIO | key)[0] == (
        "conflicting-keys", "auth_token", "auth_token and api_key_sid, api_key_secret exclude each other",
    )  # fmt: skip
    assert troubles(without) == [
        ("missing-key", "auth_token", "twilio needs auth_token, or api_key_sid with api_key_secret")
    ]
    half = without | {"api_key_sid": "SK" + "0" * 32}
    assert troubles(half) == [("missing-key", "api_key_secret", "twilio needs api_key_secret beside api_key_sid")]


WRONG = [
    (SINCH | {"auth_token": "env://X"}, "unknown-key", "auth_token", "sinch has no key 'auth_token'"),
    (SINCH | {"lable": "x"}, "unknown-key", "lable", "sinch has no key 'lable'; did you mean 'label'?"),
    (SINCH | {"region": "ue"}, "bad-value", "region", "region must be one of: us, eu, au, br, ca"),
    (
        SINCH | {"service_plan_id": "a b"},
        "bad-value",
        "service_plan_id",
        "service_plan_id has not the form of the Serv",
    ),
    (SINCH | {"label": ""}, "bad-value", "label", "label is empty"),
    (SINCH | {"label": "x" * 201}, "bad-value", "label", "label is longer than 200 characters"),
    (SINCH | {"label": ["x"]}, "wrong-type", "label", "label must be a text, not a list"),
    (SINCH | {"label": {"a": "b"}}, "wrong-type", "label", "label must be a text, not a mapping"),
    (SINCH | {"label": None}, "wrong-type", "label", "label is empty"),
    (SINCH | {"label": 12}, "needs-quotes", "label", "12 would be read as a number"),
    (SINCH | {"label": True}, "needs-quotes", "label", "true would be read as true"),
    (SINCH | {"protected": "yes"}, "wrong-type", "protected", "protected must be true or false"),
    (SINCH | {"rotate_every": 90}, "bad-value", "rotate_every", "rotate_every must be a number of days and a d"),
    (SINCH | {"rotate_every": "0d"}, "bad-value", "rotate_every", "rotate_every must be a number of days and a d"),
    (SINCH | {"expires_on": "1.6.2027"}, "bad-value", "expires_on", "expires_on must be a day as YYYY-MM-DD"),
    (SINCH | {"expires_on": "2027-02-29"}, "bad-value", "expires_on", "expires_on is no day of the calendar"),
    (SINCH | {"expires_on": "0000-01-01"}, "bad-value", "expires_on", "expires_on is no day of the calendar"),
    (SINCH | {"tags": "x"}, "wrong-type", "tags", "tags must be a mapping of keys"),
    (SINCH | {"tags": {"a": 1}}, "needs-quotes", "tags.a", "1 would be read as a number"),
    (SINCH | {"tags": {"a b": "c"}}, "bad-value", "tags.a b", "a key of tags must be letters"),
    (SINCH | {"moved_from": "Old"}, "bad-value", "moved_from", "moved_from must be the name of a credential"),
    (
        SINCH | {"provider": "twillio"},
        "unknown-provider",
        "provider",
        "no provider 'twillio' is installed; did you mean",
    ),
    (SINCH | {"provider": "messagebird"}, "unknown-provider", "provider", "no provider 'messagebird' is installed"),
    (SINCH | {"provider": 7}, "unknown-provider", "provider", "no provider '7' is installed"),
    ({"region": "eu"}, "missing-key", "provider", "otp names no provider"),
    ("x", "wrong-type", "", "otp must be a mapping of keys"),
    (None, "wrong-type", "", "otp is empty"),
    ([], "wrong-type", "", "otp must be a mapping of keys, not a list"),
    (INFOBIP | {"api_key": 1234567890}, "secret-literal", "api_key", "a secret stands in the manifest itself"),
    (INFOBIP | {"api_key": None}, "wrong-type", "api_key", "api_key is empty"),
    (
        INFOBIP | {"base_url": "http://x1.api.infobip.com"},
        "bad-value",
        "base_url",
        "base_url has not the form of the Ba",
    ),
]


@pytest.mark.parametrize(("entry", "code", "path", "summary"), WRONG)
def test_what_is_wrong_is_told_once_in_our_words(entry, code, path, summary):
    [found] = troubles(entry)
    assert found[:2] == (code, path)
    assert found[2].startswith(summary)


def test_a_key_of_another_provider_is_explained():
    entry = {k: v for k, v in SINCH.items() if k != "api_token"} | {"auth_token": "env://X"}
    text = json.dumps({"version": 1, "credentials": {"alerts-eu": entry}})
    [found] = CHECKER.troubles(read(text))
    assert found.summary == "sinch has no key 'auth_token'; did you mean 'api_token'?"
    assert found.detail == "auth_token belongs to twilio · sinch needs: service_plan_id, api_token, region"


def test_an_identifier_of_another_provider_is_taken_for_this_ones():
    entry = {k: v for k, v in SINCH.items() if k != "service_plan_id"} | {"account_sid": "AC" + "0" * 32}
    [found] = troubles(entry)
    assert found[2] == "sinch has no key 'account_sid'; did you mean 'service_plan_id'?"


def test_an_api_key_sid_in_the_account_sid_is_recognised():
    [found] = troubles(TWILIO | {"account_sid": "SK" + "1" * 32})
    assert found == (
        "bad-value",
        "account_sid",
        "account_sid holds what looks like the API key SID, not the Account SID",
    )


@pytest.mark.parametrize(
    "text", ["${SMS_TOKEN}", "$SMS_TOKEN", "${env:SMS_TOKEN}", "env:SMS_TOKEN", "${{ secrets.SMS_TOKEN }}",
             "{{ SMS_TOKEN }}", "%SMS_TOKEN%", "os.environ.SMS_TOKEN"],
)  # fmt: skip
def test_another_tools_reference_is_told_in_ours_with_its_own_name(text):
    found = references.check(("auth_token",), text, suggestion="auth_token: env://ANOTHER")
    assert found.hint == "auth_token: env://SMS_TOKEN"


@pytest.mark.parametrize(
    "text", ["${hunter2secret}", "$RECONCILER_KEY", "vault:secret/x", "env:K7Q2M9X4B1T8Z6W3R5Y0P2N4"]
)
def test_what_may_be_a_value_is_not_taken_for_a_name(text):
    found = references.check(("auth_token",), text, suggestion="auth_token: env://ANOTHER")
    assert "env://ANOTHER" in found.hint


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("0123456789abcdef0123456789abcdef", "secret-literal"),
        ("correct horse battery staple", "secret-literal"),
        ("${env:TOKEN}", "reference-form"),
        ("${TOKEN}", "reference-form"),
        ("$TOKEN", "reference-form"),
        ("${{ secrets.TOKEN }}", "reference-form"),
        ("{{ token }}", "reference-form"),
        ("env:TOKEN", "reference-form"),
        ("vault:secret/data/x#y", "reference-form"),
        ("ENV://TOKEN", "reference-form"),
        ("ref+vault://secret/x", "reference-form"),
        ("op://vault/item/field", "unknown-scheme"),
        ("vault://secret/x#y", "unknown-scheme"),
        ("https://user:password@host", "unknown-scheme"),
        ("env://TO-KEN", "bad-reference"),
        ("env://1TOKEN", "bad-reference"),
        ("env://TO KEN", "bad-reference"),
        ("env://", "bad-reference"),
        ("env://TÖKEN", "bad-reference"),
        ("env://RECONCILER_KEY", "bad-reference"),
        ("file:///etc/passwd", "bad-reference"),
        ("file://../token", "bad-reference"),
        ("file://a/../b", "bad-reference"),
        ("file://a//b", "bad-reference"),
        ("file://./a", "bad-reference"),
        ("file://a/", "bad-reference"),
        ("file://%2fetc", "bad-reference"),
        ("file://a\\b", "bad-reference"),
        ("file://" + "a" * 1001, "bad-reference"),
        ("file://tokens.json#", "bad-reference"),
        ("env://TOKENS#", "bad-reference"),
        ("env://TOKENS#a#b", "bad-reference"),
        ("env://RECONCILER_KEY#twilio", "bad-reference"),
        ("file://../tokens.json#twilio", "bad-reference"),
        ("file://tokens.json#.twilio", "bad-reference"),
        ("file://tokens.json#twilio/token", "bad-reference"),
        ("file://tokens.json#" + "k" * 101, "bad-reference"),
        ("env://TOKEN\n", "bad-reference"),
        ("", "secret-literal"),
    ],
)
def test_attack_55_only_references_stand_in_secret_keys(value, code):
    text = json.dumps({"version": 1, "credentials": {"marketing-us": TWILIO | {"auth_token": value}}})
    [found] = CHECKER.troubles(read(text))
    assert (found.code, found.path[2:]) == (code, ("auth_token",))
    own = code == "reference-form" and "TOKEN" in value and "://" not in value
    suggested = "env://TOKEN" if own else "env://TWILIO_MARKETING_US      or  file://marketing-us"
    assert f"auth_token: {suggested}" in found.hint
    rest = value.partition("://")[2] if "://" in value else value
    assert len(rest) < 3 or rest not in f"{found.summary} {found.detail} {found.hint}"


@pytest.mark.parametrize(
    "value",
    [
        "env://A",
        "env://_a1",
        "file://a",
        "file://a/b.txt",
        "file://..data/token",
        "file://.x",
        "env://A#twilio",
        "file://a/tokens.json#twilio.eu-1",
        "file://.env#TWILIO_TOKEN",
    ],
)
def test_references_of_the_right_form_are_accepted(value):
    assert told(TWILIO | {"auth_token": value}) == []


@given(st.from_regex(references._FINE, fullmatch=True))
def test_what_is_fine_at_a_glance_is_fine_when_looked_at(text):
    assert (references.check((), text) is None) is references.fine(text)


def test_a_scheme_that_is_too_long_to_be_one_is_not_repeated():
    found = references.check((), "s3cr3ts3cr3ts3cr3t://x")
    assert (found.code, found.summary) == ("unknown-scheme", "no such scheme is installed")


def test_installed_schemes_are_accepted_and_named():
    checker = Checker(BUILTIN, ("env", "file", "vault"))
    assert troubles(TWILIO | {"auth_token": "vault://kv/x"}, checker=checker) == []
    text = json.dumps({"version": 1, "credentials": {"a": TWILIO | {"auth_token": "valt://kv/x"}}})
    [found] = checker.troubles(read(text))
    assert found.summary == "no scheme 'valt' is installed; did you mean 'vault://'?"
    assert found.detail == "installed: env, file, vault"


def test_a_literal_under_another_providers_key_is_told_as_well():
    found = told(SINCH | {"auth_token": "0123456789abcdef0123456789abcdef"})
    assert sorted(found) == [("secret-literal", "auth_token"), ("unknown-key", "auth_token")]


@pytest.mark.parametrize("key", ["label", "description", "owner"])
@pytest.mark.parametrize(
    "value",
    ["0123456789abcdef0123456789abcdee", "token: 8f2Kd93kLq0ZpX71vBnM", "a1b2c3d4e5f60718293a4b5c6d7e8f90-0a1b2c3d"],
)
def test_attack_55_a_secret_in_a_public_text_is_a_warning_without_it(key, value):
    text = json.dumps({"version": 1, "credentials": {"a": TWILIO | {key: value}}})
    [found] = CHECKER.troubles(read(text))
    assert (found.code, found.severity, found.path[2:]) == ("looks-secret", Severity.WARNING, (key,))
    assert value not in repr(found)


TOKENS = [
    "9cc20e499b7d18ddadc4e02f66016bef",
    "e7cc31db5f847653b4a28b7e173294b2-dae234b3-0fba-61ae-1197-04d68fb106a5",
    "q4tz7bmvw2kj7hnr9sypx3fd6cgu5aeo",
]


@pytest.mark.parametrize("token", TOKENS)
def test_attack_55_a_secret_as_a_name_is_an_error_without_it(token):
    name = token[:63].rstrip("-")
    found = CHECKER.troubles(read(json.dumps({"version": 1, "credentials": {name: TWILIO | {"auth_token": "x"}}})))
    assert [(t.code, t.severity, t.on_key) for t in found if t.code == "looks-secret"] == [
        ("looks-secret", Severity.ERROR, True)
    ]
    assert name[:12] not in " ".join(f"{t.summary} {t.detail} {t.hint}" for t in found).lower()
    assert shown(name) == "?"


@pytest.mark.parametrize("token", [*TOKENS, "Qx4zTb8mVw2kJ7hN9sYp"])
@pytest.mark.parametrize("form", ["env://t{}", "env://{}", "file://{}", "file://deep/{}", "file://a.json#{}"])
def test_attack_55_a_secret_in_place_of_a_references_path_is_not_repeated(form, token):
    value = form.format(token.replace("-", "_") if form.startswith("env") else token)
    text = json.dumps({"version": 1, "credentials": {"marketing-us": TWILIO | {"auth_token": value}}})
    [found] = CHECKER.troubles(read(text))
    assert found.code in ("secret-literal", "bad-reference")
    assert token[:8] not in repr(found)


@pytest.mark.parametrize(
    "value",
    ["env://TWILIO_MARKETING_US_2026_11_TOKEN_1", "file://sms/production/2026/twilio-marketing-us-token-01.txt",
     "file://..2026_11_23_10_00_00.123456789/token", "env://T00000000000000000000000000000002",
     "file://00000000000000000000000000000002", "file://AC00000000000000000000000000000001/token",
     "env://TWILIO2026PRODUCTIONTOKEN01", "file://marketingcampaignproductiontoken"],
)  # fmt: skip
def test_names_of_variables_and_files_are_no_secret(value):
    assert told(TWILIO | {"auth_token": value}) == []


@pytest.mark.parametrize(
    "value",
    ["Marketing US & CA", "marketing-us-production-west-2", "one-time passwords for the sign-in of 2026",
     "AC" + "0a" * 16, "12345678901234567890", "https://wiki.example/pages/sms-credentials",
     "cost-center-0042-growth-emea-2026"],
)  # fmt: skip
def test_ordinary_words_are_no_secret(value):
    assert told(TWILIO | {"label": value, "tags": {"a": value}}) == []


def test_a_value_unlike_most_is_a_warning():
    changed = copy.deepcopy(BUILTIN)
    changed["$defs"]["provider-sinch"]["properties"]["service_plan_id"]["x-usual"] = "^[0-9a-z]{32}$"
    checker = Checker(changed)
    assert troubles(SINCH, checker=checker) == []
    [found] = troubles(SINCH | {"service_plan_id": "jd63jf88477ll"}, checker=checker)
    assert found[:2] == ("unusual", "service_plan_id")


NO_NAMES = [
    "Marketing US",
    "-a",
    "a-",
    "a_b",
    "a.b",
    "A",
    "",
    "ünder",
    "a" * 64,
    "a\n",
    "pаy",
    "a\u200bb",
    "a\u202eb",
    "٣",
]


@pytest.mark.parametrize("name", NO_NAMES)
def test_attack_49_names_are_dns_labels_in_ascii(name):
    found = CHECKER.troubles(read(json.dumps({"version": 1, "credentials": {name: TWILIO}}, ensure_ascii=False)))
    assert [(t.code, t.path, t.on_key) for t in found] == [("bad-name", ("credentials", name), True)]


@pytest.mark.parametrize(("name", "meant"), [("Marketing US", "marketing-us"), ("a_b", "a-b")])
def test_a_name_that_nearly_is_one_is_corrected(name, meant):
    [found] = CHECKER.troubles(read(json.dumps({"version": 1, "credentials": {name: TWILIO}})))
    assert found.summary.endswith(f"did you mean '{meant}'?")


@pytest.mark.parametrize("text", ["a\x1bb", "a\nb", "a\u2028b", "a\u202eb", "a\u0085b"])
@pytest.mark.parametrize("key", ["label", "description", "owner"])
def test_attack_49_free_text_has_no_control_characters(key, text):
    [found] = troubles(SINCH | {key: text})
    assert found[:2] == ("bad-value", key)
    assert found[2] == f"{key} must be one line of text without control characters (a long one is folded with >-)"


@pytest.mark.parametrize(
    ("top", "code", "path", "summary"),
    [
        ({"credentials": {}}, "missing-key", ("version",), "a manifest needs version"),
        ({"version": 1}, "missing-key", ("credentials",), "a manifest needs credentials"),
        ({"version": 2, "credentials": {}}, "bad-value", ("version",), "version must be 1"),
        ({"version": "1", "credentials": {}}, "bad-value", ("version",), "version must be 1, without quotes"),
        ({"version": True, "credentials": {}}, "bad-value", ("version",), "version must be 1"),
        (
            {"version": 1, "credentials": []},
            "wrong-type",
            ("credentials",),
            "credentials must be a mapping of keys, not",
        ),
        (
            {"version": 1, "credential": {}},
            "unknown-key",
            ("credential",),
            "a manifest has no key 'credential'; did you",
        ),
        (
            {"version": 1, "workspace": "Prod", "credentials": {}},
            "bad-value",
            ("workspace",),
            "workspace must be lower-",
        ),
        ({"version": 1, "workspace": 7, "credentials": {}}, "needs-quotes", ("workspace",), "7 would be read as a num"),
        ([], "wrong-type", (), "a manifest must be a mapping of keys, not a list"),
        ("x", "wrong-type", (), "a manifest must be a mapping of keys"),
        (None, "empty-manifest", (), "the file holds nothing"),
    ],
)
def test_what_is_wrong_at_the_top(top, code, path, summary):
    [found] = CHECKER.troubles(read(json.dumps(top)))
    assert (found.code, found.path) == (code, path)
    assert found.summary.startswith(summary)


def test_no_entries_are_the_callers_to_judge():
    for nothing in ({}, None):
        assert CHECKER.troubles(read(json.dumps({"version": 1, "credentials": nothing}))) == []


def test_a_keyword_that_only_a_plug_in_uses_is_still_told():
    changed = copy.deepcopy(BUILTIN)
    changed["$defs"]["provider-sinch"]["properties"]["service_plan_id"] = {
        "type": "string",
        "anyOf": [{"minLength": 40}],
    }
    assert troubles(SINCH, checker=Checker(changed)) == [
        ("bad-value", "service_plan_id", "service_plan_id is not accepted")
    ]


def test_a_refusal_that_nothing_explains_is_never_an_acceptance(monkeypatch):
    monkeypatch.setattr(wording, "explain", lambda *_: iter(()))
    [found] = CHECKER.troubles(read('{"version": 2, "credentials": {}}'))
    assert (found.code, found.path) == ("bad-value", ())


@pytest.mark.parametrize(
    ("pattern", "accepted", "refused"),
    [
        ("^a$", ["a"], ["a\n", "ab"]),
        ("^[$]$", ["$"], ["$\n", "a"]),
        (r"^\$$", ["$"], ["$\n", ""]),
        ("^(a$|b)", ["a", "b", "bc"], ["a\n", "ac"]),
        (r"^\d$", ["3"], ["٣", "3\n"]),
    ],
)
def test_the_pattern_keyword_means_the_same_in_both_libraries(pattern, accepted, refused):
    explains = wording._Explainer({"pattern": pattern})
    decides = jsonschema_rs.Draft202012Validator({"pattern": pattern})
    for text in accepted:
        assert explains.is_valid(text)
        assert decides.is_valid(text)
    for text in refused:
        assert not explains.is_valid(text)
        assert not decides.is_valid(text)


ODD_TEXT = st.sampled_from(
    [
        *(
            "",
            "x",
            "a\n",
            "eu\n",
            "٣",
            "é",
            "\U0001f600",
            "a\u2028b",
            "\u202e",
            "\x7f",
            "\u0085",
            "a\tb",
            "x" * 200,
            "x" * 201,
        ),
        *("90d", "90d\n", "9999d", "10000d", "2027-01-01", "2027-01-01\n", "us1", "twilio", "sinch", "infobip"),
        *(
            "AC" + "0" * 32,
            "AC" + "0" * 32 + "\n",
            "ac" + "0" * 32,
            "SK" + "f" * 32,
            "env://A",
            "env://A\n",
            "file://a b",
        ),
        *(
            "x1.api.infobip.com",
            "https://x1.api.infobip.com:443",
            "https://x1.api.infobip.com/",
            "https://.infobip.com",
        ),
    ]
)
ODD = st.recursive(
    ODD_TEXT | st.integers(-(10**17), 10**17) | st.booleans() | st.none() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab-_ é", max_size=3), inner, max_size=2),
    max_leaves=4,
)
KEYS = sorted({key for kind in kinds(BUILTIN).values() for key in kind.keys} | {"nonsense"})
ENTRY = st.builds(
    lambda base, odd, dropped: {k: v for k, v in (base | odd).items() if k not in dropped},
    st.sampled_from([TWILIO, SINCH, INFOBIP]),
    st.dictionaries(st.sampled_from(KEYS), ODD, max_size=3),
    st.sets(st.sampled_from(["provider", "account_sid", "auth_token", "region", "api_key"]), max_size=1),
)
TOP = st.builds(
    lambda base, odd, entries: base | {"credentials": entries} | odd,
    st.just({"version": 1, "workspace": "production"}),
    st.dictionaries(st.sampled_from(["version", "workspace", "credentials", "other"]), ODD, max_size=1),
    st.dictionaries(st.sampled_from(["a", "otp-fr", "No", "a\n", "x" * 64]), ENTRY | ODD, max_size=3),
)


@settings(max_examples=400, deadline=None)
@given(TOP)
def test_both_libraries_agree_on_every_document_that_the_reader_can_produce(top):
    document = read(written(top))
    if not document.whole:  # a raw control character is the reader's to refuse
        return
    decides = jsonschema_rs.Draft202012Validator(BUILTIN, validate_formats=False).is_valid(document.root)
    assert decides == wording._Explainer(BUILTIN).is_valid(document.root)
    errors = [t for t in CHECKER.troubles(document) if t.severity is Severity.ERROR]
    assert decides or errors
    assert all(not t.summary.startswith("no single key") for t in errors)
    for trouble in errors:
        assert trouble.path or not isinstance(document.root, dict)


def test_reading_imports_nothing_heavy_and_explaining_only_jsonschema(tmp_path):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(json.dumps({"version": 1, "credentials": {"a": TWILIO}}))
    bad.write_text(json.dumps({"version": 1, "credentials": {"a": {}}}))
    code = """
import sys
from pathlib import Path
from reconciler import errors, manifest, schema
try:
    manifest.read([Path(sys.argv[1])], schema.builtin())
except errors.ManifestInvalid:
    pass
heavy = {"asyncio", "pydantic", "httpx", "jsonschema", "deepdiff", "rich", "aiohttp", "sqlite3"}
print(*sorted(heavy & sys.modules.keys()))
"""
    loaded = [
        subprocess.run(
            [sys.executable, "-c", code, str(file)], check=True, capture_output=True, text=True
        ).stdout.split()
        for file in (good, bad)
    ]
    assert loaded == [[], ["jsonschema"]]


def test_the_example_is_accepted():
    example = Path(__file__).parents[1] / "examples" / "credentials.yaml"
    text = example.read_text()
    assert text.startswith("# yaml-language-server: $schema=../schemas/credentials.schema.json\n")
    document = read(text)
    assert CHECKER.troubles(document) == []
    assert {entry["provider"] for entry in document.root["credentials"].values()} == set(plugins.provider_names())
