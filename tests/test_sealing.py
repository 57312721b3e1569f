"""Keys, sealing, fingerprints: what opens, what does not, and what it says."""

from __future__ import annotations

import base64
import copy
import pickle
import re
import traceback
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import audit, keyfiles, sealing
from reconciler.canonical import joined, storable, to_json
from reconciler.errors import SecretUnavailable, StoreError
from reconciler.keys import Key, hkdf
from reconciler.secret import Secret
from reconciler.state import SealedSecret, Slot

VALUE = "SEKRET-0123456789abcdef"
PLACE = ("production", "marketing-us", "twilio")
KEY = sealing.new_wrapping_key()
RING, SLOT = sealing.new_data_key("store-a", KEY)
TEXT = st.text(st.characters(codec="utf-8"), max_size=30)


def seal(ring=RING, place=PLACE, field="auth_token", version=3, value=VALUE):
    return ring.seal(*place, field, version, Secret(value))


def refused(code, function, *arguments) -> StoreError:
    """The StoreError that it raises; it must carry neither value nor bytes, not even in the locals of its frames."""
    with pytest.raises(StoreError) as caught:
        function(*arguments)
    assert caught.value.code.name == code
    assert caught.value.code.exit == 5
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    text = "".join(told.format()).partition("in refused")[2]
    assert VALUE not in text
    assert "InvalidTag" not in text
    assert "b'" not in str(caught.value)
    return caught.value


def test_what_was_sealed_opens_in_its_place():
    assert RING.unseal(*PLACE, seal()).reveal() == VALUE


def test_the_same_value_never_seals_to_the_same_bytes():
    assert seal().sealed != seal().sealed
    assert seal().fingerprint == seal().fingerprint


@given(place=st.tuples(TEXT, TEXT, TEXT), field=TEXT, version=st.integers(0, 2**63), value=TEXT)
def test_seal_and_unseal_are_inverse(place, field, version, value):
    assert RING.unseal(*place, seal(place=place, field=field, version=version, value=value)).reveal() == value


PART = st.one_of(TEXT, st.binary(max_size=30))


@given(st.lists(PART, max_size=6), st.lists(PART, max_size=6))
def test_attack_10_no_two_sequences_join_to_the_same_bytes(one, other):
    same = [p.encode() if isinstance(p, str) else p for p in one] == [
        p.encode() if isinstance(p, str) else p for p in other
    ]
    assert (joined(*one) == joined(*other)) is same


def test_attack_10_a_boundary_that_moves_is_another_place():
    sealed = seal(place=("w", "a:b", "c"))
    refused("tampered", RING.unseal, "w", "a", "b:c", sealed)
    assert joined("a:b", "c") != joined("a", "b:c")


@pytest.mark.parametrize(
    ("attack", "place"),
    [
        ("01 another credential", ("production", "alerts-eu", "twilio")),
        ("02 another workspace", ("dev", "marketing-us", "twilio")),
        ("another provider", ("production", "marketing-us", "sinch")),
    ],
)
def test_attack_01_02_a_sealed_secret_opens_nowhere_else(attack, place):
    error = refused("tampered", RING.unseal, *place, seal())
    assert f"{place[1]}.auth_token of {place[0]}" in error.detail


@pytest.mark.parametrize("change", [{"field": "api_key"}, {"version": 4}], ids=["attack 3", "attack 4"])
def test_attack_03_04_neither_field_nor_version_can_be_relabelled(change):
    refused("tampered", RING.unseal, *PLACE, replace(seal(), **change))


def test_attack_07_a_copy_in_another_store_does_not_open():
    """With the same data key, even: the store's id is bound to the secret."""
    other = sealing.Keyring("store-b", RING._data, RING.key_id)
    refused("tampered", other.unseal, *PLACE, seal())
    elsewhere, _ = sealing.new_data_key("store-b", KEY)
    refused("key-wrong", elsewhere.unseal, *PLACE, seal())


def test_attack_08_a_relabelled_key_id_is_never_tried_out():
    error = refused("key-wrong", RING.unseal, *PLACE, replace(seal(), key_id="00000000deadbeef"))
    assert "wanted: data key 00000000deadbeef" in error.detail
    assert RING.key_id in error.detail
    two = two_generations()
    refused("tampered", two.unseal, *PLACE, replace(seal(two), key_id=RING.key_id))


@pytest.mark.parametrize(
    "alter",
    [
        lambda blob: blob[:-1],
        lambda blob: blob[:12],
        lambda blob: b"",
        lambda blob: blob + b"\0",
        lambda blob: b"\x02" + blob[1:],
        *[lambda blob, at=at: blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :] for at in (0, 1, 12, 13, 30, -17, -2)],
    ],
)
def test_attack_09_a_flipped_bit_or_a_cut_is_found_without_a_word_on_the_bytes(alter):
    sealed = seal()
    assert "marketing-us.auth_token" in refused(
        "tampered", RING.unseal, *PLACE, replace(sealed, sealed=alter(sealed.sealed))
    ).detail  # fmt: skip


def test_attack_67_a_fingerprint_cannot_be_guessed_without_the_key():
    other, _ = sealing.new_data_key("store-a", KEY)
    short = Secret("1234")
    prints = {ring.fingerprinter(w)("n", "f", short) for ring in (RING, other) for w in ("production", "dev")}
    prints |= {RING.fingerprinter("production")(n, f, short) for n, f in (("m", "f"), ("n", "g"))}
    assert len(prints) == 6
    assert {len(p) for p in prints} == {16}
    assert audit.shown(bytes.fromhex("a3f91c07ffffffffffffffffffffffff")) == "a3f91c07"


def test_fingerprints_are_those_that_the_formats_page_describes():
    import hmac

    key = RING._subkey(RING.key_id, "production", sealing.FINGERPRINTS).raw
    message = joined("store-a", "production", "marketing-us", "auth_token", VALUE)
    assert RING.fingerprinter("production")("marketing-us", "auth_token", Secret(VALUE)) == hmac.digest(
        key, message, "sha256"
    )[:16]  # fmt: skip
    assert seal().fingerprint == RING.fingerprinter("production")("marketing-us", "auth_token", Secret(VALUE))


def test_subkeys_differ_by_workspace_and_purpose():
    keys = {
        RING._subkey(RING.key_id, workspace, purpose).raw
        for workspace in ("production", "dev")
        for purpose in (sealing.SEALING, sealing.FINGERPRINTS, sealing.AUDIT, sealing.PLANS)
    }
    assert len(keys) == 8


def test_a_value_that_is_no_text_is_refused_without_showing_it():
    with pytest.raises(SecretUnavailable) as caught:
        seal(value="SEKRET-\udcff")
    assert caught.value.__context__ is None
    assert "SEKRET" not in str(caught.value)


# keys


def test_hkdf_gives_what_the_rfc_and_the_library_give():
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    rfc_5869_case_3 = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
    assert hkdf(b"\x0b" * 22, b"").hex() == rfc_5869_case_3
    for length in (8, 32):
        theirs = HKDF(hashes.SHA256(), length, salt=None, info=b"info").derive(b"k" * 32)
        assert hkdf(b"k" * 32, b"info", length) == theirs


def test_formats_are_final():
    """Computed once by another program from docs/formats.md; a change here makes every store that exists unreadable."""
    key = Secret(base64.b64encode(bytes(range(32))).decode())
    assert sealing.wrapping_key_id(key) == "a62f62622b36bfe5"
    wrapped = bytes.fromhex(
        "01000102030405060708090a0b2d1344bdbbedb0005ed269e0e556f2da0a7c03bb3b1fbeed8b2ea6b5da9692"
        "fb6f61c077b9dfcfd6c6bf95835e2c8c50"
    )
    slot = Slot("a62f62622b36bfe5", "3e2c2cc7b90830d3", wrapped)
    ring = sealing.open_keyring("4k2mstore", [slot], key)
    blob = bytes.fromhex(
        "01000102030405060708090a0b69c0c32b18dee2e2cfbcd77866f8f4cad37998c04079b629ede9a4d50062831c2899a222b1005b"
    )
    sealed = SealedSecret("auth_token", 3, "3e2c2cc7b90830d3", blob, b"")
    assert ring.unseal(*PLACE, sealed).reveal() == VALUE
    fingerprint = ring.fingerprinter("production")("marketing-us", "auth_token", Secret(VALUE))
    assert fingerprint.hex() == "6765de6b87d640f4e828a2a22543644e"
    assert ring.mac("production")(b"message").hex() == (
        "3e2c2cc7b90830d3c57dd25fd8595e5b9a8d5daa8e997d45cb737ae1fcd5bc98161b4a892afb79ea"
    )


def two_generations() -> sealing.Keyring:
    ring, slot = sealing.new_data_key("store-a", KEY, generation=2)
    both = sealing.open_keyring("store-a", [SLOT, slot], KEY)
    assert both.key_id == ring.key_id
    return both


def test_a_second_data_key_seals_what_is_new_and_the_first_still_opens_the_old():
    both = two_generations()
    assert seal(both).key_id == both.key_id != RING.key_id
    assert both.unseal(*PLACE, seal()).reveal() == VALUE
    assert both.checker("production")(b"event", RING.mac("production")(b"event"))
    assert both.checker("production")(b"event", both.mac("production")(b"event"))
    assert not both.checker("production")(b"other", RING.mac("production")(b"event"))


def test_a_key_that_opens_only_the_older_generation_is_the_wrong_one():
    new_key = sealing.new_wrapping_key()
    _, slot = sealing.new_data_key("store-a", new_key, generation=2)
    refused("key-wrong", sealing.open_keyring, "store-a", [SLOT, slot], KEY)


def test_several_wrapping_keys_open_one_store():
    ring = sealing.open_keyring("store-a", [sealing.new_data_key("store-a", sealing.new_wrapping_key())[1], SLOT], KEY)
    assert ring.unseal(*PLACE, seal()).reveal() == VALUE


def test_attack_69_a_wrong_key_says_which_one_is_wanted():
    wrong = sealing.new_wrapping_key()
    error = refused("key-wrong", sealing.open_keyring, "store-a", [SLOT], wrong)
    assert f"wants key {sealing.wrapping_key_id(KEY)}" in error.detail
    assert f"given was key {sealing.wrapping_key_id(wrong)}" in error.detail
    assert wrong.reveal() not in str(error)


@pytest.mark.parametrize(
    "change",
    [{"generation": 2}, {"data_key_id": "00"}, {"workspace": "dev"}, {"wrapped": SLOT.wrapped[:-1]}],
    ids=lambda change: next(iter(change)),
)
def test_an_altered_slot_is_tampered(change):
    refused("tampered", sealing.open_keyring, "store-a", [replace(SLOT, **change)], KEY)


def test_a_slot_of_another_store_and_a_store_without_slots_are_tampered():
    refused("tampered", sealing.open_keyring, "store-b", [SLOT], KEY)
    refused("tampered", sealing.open_keyring, "store-a", [], KEY)
    refused("tampered", sealing.open_keyring, "store-a", [replace(SLOT, purpose="audit")], KEY)


@pytest.mark.parametrize("text", ["", "short", "%%%", base64.b64encode(bytes(31)).decode(), "ä" * 44])
def test_what_is_no_key_is_malformed(text):
    error = refused("key-malformed", sealing.open_keyring, "store-a", [SLOT], Secret(text))
    assert not text or text not in str(error)


def test_a_key_may_have_a_line_end():
    assert sealing.wrapping_key_id(Secret(KEY.reveal() + "\n")) == sealing.wrapping_key_id(KEY)


def test_attack_68_keys_are_not_shown_pickled_or_copied():
    assert re.fullmatch(r"<keyring of store store-a, data key [0-9a-f]{16}>", repr(RING))
    for thing in (RING, Key.new()):
        for way in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                way(thing)
    assert repr(Key(b"K" * 32)) == "<key>"
    assert "K" * 8 not in repr(sealing.Keyring("s", {"i": Key(b"K" * 32)}, "i").mac.__self__)


def test_store_ids_are_short_and_differ():
    ids = {sealing.new_store_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch("[a-z2-7]{16}", i) for i in ids)


# key files


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "config" / "keys" / "4k2m.key"
    keyfiles.write_key_file(path, KEY)
    return path


def test_a_key_file_is_ours_alone_and_reads_back(key_file):
    assert keyfiles.read_key_file(key_file) == KEY
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert {p.stat().st_mode & 0o777 for p in (key_file.parent, key_file.parent.parent)} == {0o700}


def test_a_key_file_is_never_overwritten(key_file):
    error = refused("key-refused-file", keyfiles.write_key_file, key_file, sealing.new_wrapping_key())
    assert "never overwritten" in error.detail
    assert keyfiles.read_key_file(key_file) == KEY


def test_attack_43_a_key_file_open_to_others_is_refused_with_the_command(key_file):
    key_file.chmod(0o644)
    error = refused("key-refused-file", keyfiles.read_key_file, key_file)
    assert error.hint == f"chmod 600 {key_file}"
    assert "0644" in error.detail


def test_attack_43_a_key_file_of_somebody_else_is_refused(key_file, monkeypatch):
    owner = key_file.stat().st_uid
    monkeypatch.setattr("os.geteuid", lambda: owner + 1)
    error = refused("key-refused-file", keyfiles.read_key_file, key_file)
    assert error.hint == f"sudo chown {owner + 1} {key_file}"


def test_attack_43_a_linked_key_file_is_refused(key_file, tmp_path):
    link = tmp_path / "link.key"
    link.symlink_to(key_file)
    assert "is a link" in refused("key-refused-file", keyfiles.read_key_file, link).detail
    error = refused("key-refused-file", keyfiles.write_key_file, link, KEY)
    assert "exists" in error.detail


def test_a_pipe_or_a_folder_in_place_of_a_key_file_is_refused(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path / "pipe", tmp_path):
        assert "not a regular file" in refused("key-refused-file", keyfiles.read_key_file, path).detail


def test_an_absent_key_file_is_missing(tmp_path):
    refused("key-missing", keyfiles.read_key_file, tmp_path / "none.key")


def test_a_key_file_with_something_else_is_malformed(tmp_path):
    path = tmp_path / "x.key"
    path.write_text(VALUE)
    path.chmod(0o600)
    refused("key-malformed", keyfiles.read_key_file, path)


def test_a_key_file_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    refused("key-refused-file", keyfiles.write_key_file, tmp_path / "file" / "x.key", KEY)


def test_the_default_key_file_follows_xdg():
    def place(**environ):
        return str(keyfiles.default_key_file("4k2m", environ))

    assert place(HOME="/home/lea") == "/home/lea/.config/reconciler/keys/4k2m.key"
    assert place(HOME="/home/lea", XDG_CONFIG_HOME="/etc/lea") == "/etc/lea/reconciler/keys/4k2m.key"
    assert place(HOME="/home/lea", XDG_CONFIG_HOME="relative") == "/home/lea/.config/reconciler/keys/4k2m.key"


def test_without_a_home_in_the_environment_the_user_database_knows(monkeypatch):
    import pwd

    home = pwd.getpwuid(0).pw_dir
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert keyfiles.default_key_file("4k2m", {}).is_relative_to(home)
    monkeypatch.setattr("os.geteuid", lambda: 4_000_000_000)
    refused("key-missing", keyfiles.default_key_file, "4k2m", {})


# canonical bytes


def test_canonical_json_is_one_line_sorted_and_ascii():
    assert to_json({"b": [1, None, True], "a": "Ü\n"}) == '{"a":"\\u00dc\\n","b":[1,null,true]}'
    with pytest.raises(TypeError):
        to_json({"a": Secret(VALUE)})
    with pytest.raises(ValueError):
        to_json(float("nan"))


def test_storable_text_has_no_surrogate_and_no_nul():
    assert storable("lea") == "lea"
    assert storable("Zoë\udcff\x00") == "Zoë\\udcff\\x00"
