"""Keys handed out for one use of one workspace: each command works with the least it needs, and says what it lacks."""

from __future__ import annotations

import base64
import json
from contextlib import closing

import pytest
import storing
from hypothesis import given
from hypothesis import strategies as st
from test_canary import commands
from test_terminal import Typist

from reconciler import sealing, subkeys
from reconciler.cli import cli
from reconciler.errors import StoreError
from reconciler.secret import Secret
from reconciler.stores import sqlite

USES = ("plan", "consume", "audit")


@pytest.fixture
def keys(applied):
    """Each use's environment, without the store's own key."""
    found = {}
    for use in USES:
        done = applied.sandbox("key", "export", "--for", use, "-w", "production")
        assert done.code == 0, done.err
        assert done.out.count("\n") == 1
        found[use] = {"RECONCILER_KEY": done.out.strip(), "HOME": str(applied.path)}
    return found


SEAL, PRINT = "the sealing key (it opens secrets)", "the fingerprint key (it compares secrets)"
AUDIT, PLAN = "the audit key (it verifies events)", "the plan key (it signs plan files)"
WORKS = {
    ("validate",): (USES, ()),
    ("plan",): (("plan",), (PRINT,)),
    ("plan", "--check"): (("plan",), (PRINT,)),
    ("plan", "--secrets", "require"): (("plan",), (PRINT,)),
    ("plan", "--secrets", "skip"): (USES, ()),
    ("plan", "--out", "other.json"): (("plan",), (PRINT,)),
    ("show", "plan.json"): (USES, ()),
    ("apply", "--yes"): ((), (SEAL, PRINT, AUDIT)),
    ("apply", "plan.json"): ((), (SEAL, PRINT, AUDIT)),
    ("list",): (USES, ()),
    ("get", "marketing-us"): (USES, ()),
    ("check",): ((), (SEAL, AUDIT)),
    ("history",): (USES, ()),
    ("cancel", "otp-apac"): ((), (SEAL, AUDIT)),
    ("restore", "marketing-us", "--yes"): ((), (SEAL, PRINT, AUDIT)),
    ("exec", "marketing-us", "--", "true"): (("consume",), (SEAL,)),
    ("read", "marketing-us", "account_sid"): (USES, ()),
    ("read", "marketing-us", "auth_token", "--reveal"): (("consume",), (SEAL,)),
    ("export", "--format", "json"): (("consume",), (SEAL,)),
    ("audit", "verify"): (("audit",), (AUDIT,)),
    ("audit", "export"): (USES, ()),
    ("key", "status"): (USES, ()),
    ("key", "export", "--for", "plan"): (("plan",), (PRINT, PLAN)),
    ("lock", "show"): (USES, ()),
}
"""Each command: the uses whose key is enough for it, and what it wants of a key."""
WHOLE = ("key", "backup")
WITHOUT = {"schema", "store create", "sandbox", "sandbox env", "providers", "explain", "version", "lock release"}
"""Commands that open no store with a key, or have a test of their own."""
HAS = {"plan": {PRINT, PLAN}, "consume": {SEAL}, "audit": {AUDIT}}


@pytest.fixture
def waiting(applied):
    """A refused submission, and a plan file that would take it up again."""
    applied.edit("xyz123.api", "abc456.api")
    applied.env["INFOBIP_API_KEY"] = "f" * 40
    assert applied.sandbox("apply", "--yes").code == 3
    assert applied.sandbox("plan", "--out", "plan.json").code == 0
    return applied


def line(command: tuple[str, ...]) -> list[str]:
    at = command.index("--") if "--" in command else len(command)
    offline = command[0] in ("show", "validate")
    return [*command[:at], *([] if offline else ["--sandbox"]), *command[at:]]


@pytest.mark.parametrize("use", USES)
def test_each_key_does_its_part_and_no_more_and_says_what_is_lacking(waiting, keys, use):
    for command, (enough, wanted) in WORKS.items():
        done = waiting.run(*line(command), env=keys[use])
        said = done.out + done.err
        if use in enough:
            assert done.code == (0 if "--check" not in command else 3), (command, done.err)
            continue
        missing = ", ".join(one for one in wanted if one not in HAS[use])
        assert done.code == 5, (command, said)
        assert "error[key-lacks]" in said
        assert f"wanted: {missing} of production; the key here is for {use} in production" in said, command
        other = next((one for one in USES if HAS[one] >= set(wanted)), None)
        hint = f"key export --for {other} -w production" if other else "bring the store's own key: no other does this"
        assert hint in said, command
    backup = waiting.sandbox(*WHOLE, env=keys[use])
    assert (backup.code, f"wanted: the store's own key; the one here is for {use} alone" in backup.err) == (5, True)


def test_every_command_is_there():
    told = {" ".join(words[:2]) if words[0] in ("audit", "key", "lock") else words[0] for words in (*WORKS, WHOLE)}
    assert told | WITHOUT == set(commands(cli))


def test_an_auditors_key_ends_no_apply_and_drops_no_submission(applied, keys):
    applied.env["TWILIO_AUTH_TOKEN"] = "f" * 32
    assert applied.sandbox("apply", "--yes").code == 3
    with closing(sqlite.open_store(applied.path / ".reconciler" / "sandbox.db")) as store:
        lease = store.acquire("production", storing.LEA, 600)
    for command in (("cancel", "marketing-us"), ("lock", "release", lease.id, "--yes")):
        done = applied.sandbox(*command, env=keys["audit"])
        assert done.code == 5, command
        assert "error[key-lacks]" in done.err
    assert applied.sandbox("lock", "release", lease.id, "--yes").code == 0
    assert applied.sandbox("cancel", "marketing-us").code == 0


def test_nothing_is_asked_or_written_where_apply_lacks_a_key(applied, keys):
    applied.edit("label: Marketing US", "label: Another")
    before = applied.sandbox("history", "--format", "json").json["total"]
    assert applied.sandbox("apply", "--yes", env=keys["plan"]).code == 5
    assert applied.sandbox("history", "--format", "json").json["total"] == before


def test_a_consumers_reads_wait_for_the_next_writer(applied, keys):
    assert applied.sandbox("read", "marketing-us", "auth_token", "--reveal", env=keys["consume"]).code == 0
    assert applied.sandbox("audit", "verify", env=keys["audit"]).code == 0
    applied.edit("label: Marketing US", "label: Another")
    assert applied.sandbox("apply", "--yes").code == 0
    (read,) = applied.sandbox("history", "--what", "read", "--format", "json").json["events"]
    assert read["seq"] == 4


def test_history_says_why_the_chain_is_not_verified(applied, keys):
    out = applied.sandbox("history", env=keys["consume"]).out
    assert "not verified: the key here does not reach for this (wanted: the audit key (it verifies events)" in out
    assert "whole" in applied.sandbox("history", env=keys["audit"]).out


def test_a_plan_is_signed_with_the_plan_key_and_applied_with_the_stores_own(applied, keys):
    applied.edit("label: Marketing US", "label: Another")
    assert applied.sandbox("plan", "--out", "plan.json", env=keys["plan"]).code == 0
    assert applied.sandbox("apply", "plan.json").code == 0


def test_it_is_taken_from_a_key_file_as_well(applied, keys):
    path = applied.path / "consumer.key"
    path.touch(0o600)
    path.write_text(keys["consume"]["RECONCILER_KEY"] + "\n")
    done = applied.sandbox("read", "marketing-us", "auth_token", "--reveal", "--key-file", "consumer.key")
    assert done.code == 0, done.err
    path.write_text(keys["consume"]["RECONCILER_KEY"][:-9])
    done = applied.sandbox("read", "marketing-us", "auth_token", "--reveal", "--key-file", "consumer.key")
    assert (done.code, "key-malformed" in done.err) == (5, True)


def test_key_status_says_what_is_here(applied, keys):
    out = applied.sandbox("key", "status", env=keys["consume"]).out
    assert "A key for consume in production of this store is here" in out


def test_a_terminal_is_refused(applied):
    person = Typist(applied, "key", "export", "--sandbox", "--for", "consume")
    assert person.end() == 64
    assert "stdout is a terminal" in person.seen


def test_a_workspace_that_there_is_not_is_usage(applied):
    assert applied.sandbox("key", "export", "--for", "plan", "-w", "nope").code == 64


# the text and the keyring


@pytest.fixture
def kit(tmp_path):
    made = storing.sqlite_kit(tmp_path / "private" / "store.db")
    yield made
    made.close()


def opened(kit, text: Secret) -> sealing.Keyring:
    return sealing.open_keyring(kit.ring.store_id, kit.store.slots(), text)


def lacks(function, *arguments) -> bool:
    with pytest.raises(StoreError) as caught:
        function(*arguments)
    return caught.value.code.name == "key-lacks"


def test_a_handed_key_opens_its_workspace_alone(kit):
    sealed = {w: kit.ring.seal(w, "a", "twilio", "auth_token", 1, Secret(storing.VALUE)) for w in ("one", "two")}
    ring = opened(kit, kit.ring.hand("one", "consume").text())
    assert ring.unseal("one", "a", "twilio", sealed["one"]).reveal() == storing.VALUE
    assert lacks(ring.unseal, "two", "a", "twilio", sealed["two"])
    for function in (ring.mac, ring.checker, ring.fingerprinter, ring.signer, ring.verifier):
        assert lacks(function, "one")
    assert lacks(ring.hand, "one", "audit")
    assert ring.hand("one", "consume").text() == kit.ring.hand("one", "consume").text()


def test_a_handed_key_does_the_same_as_the_whole_one(kit):
    ring = opened(kit, kit.ring.hand("w", "plan").text())
    value = Secret(storing.VALUE)
    assert ring.fingerprinter("w")("a", "f", value) == kit.ring.fingerprinter("w")("a", "f", value)
    assert kit.ring.verifier("w")(b"plan", ring.signer("w")(b"plan"))
    auditor = opened(kit, kit.ring.hand("w", "audit").text())
    assert auditor.checker("w")(b"event", kit.ring.mac("w")(b"event"))
    assert not auditor.checker("w")(b"other", kit.ring.mac("w")(b"event"))


def test_the_key_of_another_store_is_the_wrong_one(kit, tmp_path):
    other = storing.sqlite_kit(tmp_path / "other" / "store.db")
    text = other.ring.hand("w", "consume").text()
    other.close()
    with pytest.raises(StoreError) as caught:
        opened(kit, text)
    assert caught.value.code.name == "key-wrong"
    assert other.ring.store_id in caught.value.detail


def test_it_shows_nothing_of_itself_but_what_it_is_for(kit):
    handed = kit.ring.hand("w", "consume")
    raw = next(iter(handed.keys.values())).text().reveal()
    assert raw not in repr(handed)
    facts = json.loads(base64.b64decode(handed.text().reveal()))
    assert {facts["for"], facts["store"], facts["workspace"], facts["data_key"]} == {
        "consume", kit.ring.store_id, "w", kit.ring.key_id,
    }  # fmt: skip
    assert [one["purpose"] for one in facts["keys"]] == ["sealing"]


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"for": "everything"},
        {"for": "audit"},
        {"store": 1},
        {"keys": []},
        {"keys": [1]},
        {"keys": None},
    ],
)
def test_a_text_that_was_altered_is_no_key(kit, change):
    facts = json.loads(base64.b64decode(kit.ring.hand("w", "consume").text().reveal()))
    text = base64.b64encode(json.dumps({**facts, **change}).encode()).decode()
    with pytest.raises(StoreError) as caught:
        subkeys.parse(Secret(text))
    assert caught.value.code.name == "key-malformed"


def test_a_byte_of_the_key_that_was_altered_is_found(kit):
    facts = json.loads(base64.b64decode(kit.ring.hand("w", "consume").text().reveal()))
    facts["keys"][0]["key"] = base64.b64encode(bytes(32)).decode()
    with pytest.raises(StoreError):
        subkeys.parse(Secret(base64.b64encode(json.dumps(facts).encode()).decode()))


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: base64.b64encode(b"{" + raw).decode()))
def test_whatever_stands_there_is_a_key_or_is_said_to_be_none(text):
    try:
        assert subkeys.parse(Secret(text)) is None
    except StoreError as error:
        found = error.code.name
    else:
        found = "key-malformed"
    assert found == "key-malformed"
