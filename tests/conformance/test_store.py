"""What every store promises, asked of each one. A further kind joins by one line of ``storing.KINDS``."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace

import pytest
import storing
from builders import ORIGIN, TIME, rejection
from storing import LEA, TOM, VALUE, WORKSPACE, drop, reject, tell

from reconciler import audit, canonical, sealing
from reconciler.errors import StoreError
from reconciler.model import Account, Action, Answer, Mode, Result, Verdict
from reconciler.plans import Change
from reconciler.state import Record, SealedSecret
from reconciler.stores.base import Checked, Delete, Progress, Tell


@pytest.fixture(params=storing.KINDS)
def kit(request, tmp_path):
    made = storing.KINDS[request.param](tmp_path)
    yield made
    made.close()


def refused(code, function, *arguments) -> StoreError:
    with pytest.raises(StoreError) as caught:
        function(*arguments)
    assert (caught.value.code.name, caught.value.code.exit) == (code, 5)
    return caught.value


def only(kit, name, workspace=WORKSPACE):
    return kit.store.load(workspace).records[name]


# reading and writing


def test_a_new_store_is_empty(kit):
    snapshot = kit.store.load(WORKSPACE)
    assert (snapshot.workspace, snapshot.serial, snapshot.records, snapshot.rejections) == (WORKSPACE, 0, {}, {})
    assert kit.store.workspaces() == []
    assert kit.store.head(WORKSPACE) is None
    assert kit.store.events(WORKSPACE) == []
    assert kit.store.info.mode is Mode.SANDBOX
    assert kit.store.info.id == kit.ring.store_id


def test_the_slots_open_with_the_key_that_made_them(kit):
    again = sealing.open_keyring(kit.store.info.id, kit.store.slots(), kit.key)
    assert again.key_id == kit.ring.key_id
    wrong = sealing.new_wrapping_key()
    before = kit.store.slots()
    refused("key-wrong", sealing.open_keyring, kit.store.info.id, before, wrong)
    assert kit.store.slots() == before


def test_a_record_comes_back_as_it_was_put(kit):
    put = kit.put("marketing-us", label="Märketing\n", tags={"team": "growth", "a": "b"}, protected=True)
    assert kit.commit(put) == [True]
    kit.close()
    back = only(kit, "marketing-us")
    assert back == put.record
    assert put.record == back
    assert replace(back, version=2) == replace(put.record, version=2)
    assert isinstance(back, Record)
    assert (back.verdict, back.account, back.created_by) == (put.record.verdict, put.record.account, "lea")
    assert kit.unsealed("marketing-us") == {"auth_token": VALUE}


def test_a_verdict_comes_back_with_its_notes_or_without_anything(kit):
    put = kit.put("a")
    noted = Verdict(Answer.VALID, "limited", notes=("lacks account-management:manage", "no balance"), provider_code="x")
    bare = Verdict(Answer.VALID, "accepted")
    for version, verdict in ((1, noted), (2, bare)):
        put = kit.put("a", version=version, expected=version - 1)
        kit.commit(replace(put, record=replace(put.record, verdict=verdict, account=Account())))
        assert only(kit, "a").verdict == verdict
        assert only(kit, "a").account == Account()


def test_names_that_a_record_has_not_are_no_attributes(kit):
    kit.commit(kit.put("marketing-us"))
    with pytest.raises(AttributeError):
        _ = only(kit, "marketing-us").secret


def test_several_secrets_of_one_record(kit):
    kit.commit(kit.put("a", secrets=("auth_token", "api_key_secret")))
    assert kit.unsealed("a") == {"auth_token": VALUE, "api_key_secret": VALUE}
    assert only(kit, "a").secret_versions == {"auth_token": 1, "api_key_secret": 1}


def test_workspaces_do_not_see_each_other(kit):
    kit.commit(kit.put("a"))
    kit.commit(kit.put("b", workspace="dev"), workspace="dev")
    assert set(kit.store.load(WORKSPACE).records) == {"a"}
    assert set(kit.store.load("dev").records) == {"b"}
    assert kit.store.workspaces() == ["dev", WORKSPACE]
    assert kit.store.sealed("dev", "a") == []


def test_the_serial_counts_transactions_that_changed_something(kit):
    serials = []
    for write in (kit.put("a"), tell("a"), reject("a"), drop("a"), drop("a"), kit.put("a")):
        kit.commit(write)
        serials.append(kit.store.load(WORKSPACE).serial)
    assert serials == [1, 1, 2, 3, 3, 3]


def test_a_workspace_where_nothing_was_stored_is_listed_only_among_those_where_something_was_tried(kit):
    kit.commit(tell("a"))
    assert kit.store.workspaces() == []
    assert kit.store.workspaces(tried=True) == [WORKSPACE]
    kit.commit(kit.put("b", workspace="dev"), workspace="dev")
    assert (kit.store.workspaces(), kit.store.workspaces(tried=True)) == (["dev"], ["dev", WORKSPACE])
    assert len(kit.store.events(WORKSPACE)) == 1


def test_a_commit_without_writes_does_nothing(kit):
    assert kit.commit() == []
    assert kit.store.events(WORKSPACE) == []


# updates


def test_an_update_that_finds_another_version_writes_nothing_and_leaves_no_event(kit):
    kit.commit(kit.put("a"))
    stale = kit.put("a", version=2, expected=4, sid="AC2")
    missing = kit.put("new", version=4, expected=3)
    twice = kit.put("a", sid="AC3")
    assert kit.commit(stale, kit.put("b"), missing, twice) == [False, True, False, False]
    assert set(kit.store.load(WORKSPACE).records) == {"a", "b"}
    assert only(kit, "a").declared.settings == {"account_sid": "AC1"}
    assert [event.name for _, event, _ in kit.store.events(WORKSPACE)] == ["a", "b"]
    assert kit.broken() == []


def test_an_update_keeps_the_previous_row_and_its_secret_for_a_while(kit):
    kit.commit(kit.put("a"))
    kit.commit(kit.put("a", version=2, expected=1, value="another-secret-value"))
    assert kit.unsealed("a") == {"auth_token": "another-secret-value"}
    assert only(kit, "a").secret_versions == {"auth_token": 2}
    assert kit.raw("SELECT version, keep_until FROM previous") == [(1, "2026-11-30T14:02:08.125Z")]
    assert kit.raw("SELECT version, keep_until <> '' FROM secrets ORDER BY version") == [(1, 1), (2, 0)]
    kit.clock.forward(days=7, seconds=1)
    kit.commit(tell("b"))
    assert kit.raw("SELECT count(*) FROM previous") == [(0,)]
    assert kit.raw("SELECT version FROM secrets") == [(2,)]
    assert kit.unsealed("a") == {"auth_token": "another-secret-value"}


def test_an_unchanged_secret_stays_as_it_lies_with_its_own_version(kit):
    kit.commit(kit.put("a"))
    before = kit.store.sealed(WORKSPACE, "a")
    kit.commit(kit.put("a", version=2, expected=1, keep=True, label="New"))
    kit.commit(kit.put("a", version=3, expected=2, keep=True, label="Newer"))
    assert kit.store.sealed(WORKSPACE, "a") == before
    assert (only(kit, "a").version, only(kit, "a").secret_versions) == (3, {"auth_token": 1})
    kit.clock.forward(days=8)
    kit.commit(tell("b"))
    assert kit.unsealed("a") == {"auth_token": VALUE}


def test_a_secret_that_is_no_longer_declared_is_not_served(kit):
    kit.commit(kit.put("a", secrets=("auth_token", "api_key_secret")))
    kit.commit(kit.put("a", version=2, expected=1, secrets=("auth_token",)))
    assert set(kit.unsealed("a")) == {"auth_token"}
    assert set(only(kit, "a").fingerprints) == {"auth_token"}


def test_a_version_never_goes_back(kit):
    kit.commit(kit.put("a"))
    kit.commit(kit.put("a", version=5, expected=1))
    assert kit.store.last_versions(WORKSPACE, ["a", "new"]) == {"a": 5, "new": 0}
    with pytest.raises(ValueError, match="never goes back"):
        kit.commit(kit.put("a", version=5, expected=5))
    # as a delete leaves it
    kit.raw("DELETE FROM records")
    kit.raw("UPDATE events SET row_hash = ''")
    assert kit.store.last_versions(WORKSPACE, ["a"]) == {"a": 5}
    with pytest.raises(ValueError, match="never goes back"):
        kit.commit(kit.put("a", version=1))


def test_a_bug_in_the_middle_of_a_batch_leaves_nothing_of_it(kit):
    kit.commit(kit.put("a"))
    with pytest.raises(ValueError, match="never goes back"):
        kit.commit(kit.put("b"), kit.put("a", version=1, expected=1))
    assert set(kit.store.load(WORKSPACE).records) == {"a"}
    assert kit.broken() == []
    kit.commit(kit.put("b"))


# rejections


def test_a_rejection_comes_back_and_counts_attempts(kit):
    kit.commit(reject("a", attempts=1, label="First"))
    kit.clock.forward(hours=1)
    later = kit.clock()
    again = replace(rejection("a", label="Second"), first_at=later, last_at=later, by="zoe", base_version=3)
    kit.commit(replace(reject("a"), rejection=replace(again, fingerprints={"auth_token": b"\x01" * 16})))
    back = kit.store.load(WORKSPACE).rejections["a"]
    assert (back.attempts, back.first_at, back.last_at, back.by) == (2, TIME, later, "zoe")
    assert (back.declared.label, back.base_version) == ("Second", 3)
    assert back.fingerprints == {"auth_token": b"\x01" * 16}
    assert back.verdict == rejection("a").verdict


def test_a_success_removes_the_rejection(kit):
    kit.commit(reject("a"), reject("b"))
    kit.commit(kit.put("a"))
    assert set(kit.store.load(WORKSPACE).rejections) == {"b"}


def test_a_rejection_leaves_the_stored_record_as_it_was(kit):
    kit.commit(kit.put("a"))
    before = only(kit, "a")
    kit.commit(reject("a"))
    assert only(kit, "a") == before
    assert kit.unsealed("a") == {"auth_token": VALUE}


def test_dropping_a_rejection_that_is_not_there_is_answered_and_leaves_no_event(kit):
    kit.commit(reject("a"))
    assert kit.commit(drop("a"), drop("a"), drop("b")) == [True, False, False]
    assert [event.what for _, event, _ in kit.store.events(WORKSPACE)] == ["update", "cancel"]


# the chain


def test_events_are_chained_and_carry_what_they_left_behind(kit):
    kit.commit(kit.put("a"), reject("b"))
    kit.commit(tell("a"), kit.put("a", version=2, expected=1))
    events = [event for _, event, _ in kit.store.events(WORKSPACE)]
    assert [(e.name, e.result, e.version) for e in events] == [
        ("a", "created", 1), ("b", "rejected", 0), ("a", "failed", 1), ("a", "updated", 2)
    ]  # fmt: skip
    first, none, same, second = (e.row_hash for e in events)
    assert none == ""
    assert first == same != second
    assert len(first) == 64
    assert kit.broken() == []
    seq, mac = kit.store.head(WORKSPACE)
    assert (seq, mac) == (4, kit.store.events(WORKSPACE)[-1][2])


def test_each_workspace_has_a_chain_of_its_own(kit):
    kit.commit(kit.put("a"))
    kit.commit(kit.put("a", workspace="dev"), workspace="dev")
    assert kit.store.head("dev")[0] == 1
    assert kit.broken() == kit.broken("dev") == []
    assert kit.store.head("dev")[1] != kit.store.head(WORKSPACE)[1]


SWAP = """UPDATE events SET seq = CASE seq WHEN 2 THEN 103 ELSE 102 END WHERE seq IN (2, 3);
    UPDATE events SET seq = seq - 100 WHERE seq > 100"""


@pytest.mark.parametrize(
    ("sql", "places"),
    [
        ("UPDATE events SET result = 'failed' WHERE seq = 2", ["event 2"]),
        ("UPDATE events SET body = replace(body, 'lea', 'tom') WHERE seq = 2", ["event 2"]),
        ("UPDATE events SET workspace = 'dev' WHERE seq = 2", ["event 2"]),
        ("DELETE FROM events WHERE seq = 2", ["event 2"]),
        ("DELETE FROM events WHERE seq = 1", ["event 1"]),
        (SWAP, ["event 2", "event 3", "event 4"]),
    ],
)  # fmt: skip
def test_attack_65_the_log_cannot_be_edited_unseen(kit, sql, places):
    kit.commit(*[kit.put(name) for name in "abcd"])
    for statement in sql.split(";"):
        kit.raw(statement)
    assert kit.broken() == places


def test_an_event_that_cannot_be_read_is_tampered(kit):
    kit.commit(kit.put("a"))
    kit.raw("UPDATE events SET body = '{'")
    refused("tampered", kit.store.events, WORKSPACE)


# attacks on rows


def two(kit):
    kit.commit(kit.put("a"), kit.put("b", value="another-secret-value"))


def test_attack_01_swapped_ciphertext_is_found_before_it_is_opened(kit):
    two(kit)
    (a,), (b,) = kit.raw("SELECT sealed FROM secrets ORDER BY name")
    kit.raw("UPDATE secrets SET sealed = CASE name WHEN 'a' THEN ? ELSE ? END", b, a)
    for name in "ab":
        error = refused("tampered", kit.store.sealed, WORKSPACE, name)
        assert error.detail == f"the record of {name} in {WORKSPACE} was altered"


def test_attack_02_a_row_moved_to_another_workspace_is_found(kit):
    two(kit)
    kit.commit(tell("x"), workspace="dev")
    for table in ("records", "secrets"):
        kit.raw(f"UPDATE {table} SET workspace = 'dev'")
    refused("tampered", kit.store.sealed, "dev", "a")
    assert "was removed" in refused("tampered", kit.store.sealed, WORKSPACE, "a").detail


def test_attack_03_a_renamed_field_is_found(kit):
    two(kit)
    kit.raw("UPDATE secrets SET field = 'api_key_secret' WHERE name = 'a'")
    refused("tampered", kit.store.sealed, WORKSPACE, "a")
    assert kit.unsealed("b") == {"auth_token": "another-secret-value"}


def test_attack_04_an_old_secret_put_in_place_of_the_new_one_is_found(kit):
    kit.commit(kit.put("a"))
    kit.commit(kit.put("a", version=2, expected=1, value="another-secret-value"))
    old = kit.raw("SELECT sealed, fingerprint FROM secrets WHERE version = 1")[0]
    kit.raw("UPDATE secrets SET sealed = ?, fingerprint = ? WHERE version = 2", *old)
    refused("tampered", kit.store.sealed, WORKSPACE, "a")


def replay(kit):
    """Put back the whole row of version 1, with all that belongs to it."""
    kit.commit(kit.put("a"))
    old = kit.raw("SELECT * FROM records")[0]
    kit.commit(kit.put("a", version=2, expected=1, value="another-secret-value"))
    kit.raw("DELETE FROM records")
    kit.raw(f"INSERT INTO records VALUES ({','.join('?' * len(old))})", *old)
    kit.raw("DELETE FROM secrets WHERE version = 2")
    kit.raw("UPDATE secrets SET keep_until = ''")


def test_attack_05_a_whole_old_row_put_back_is_found(kit):
    replay(kit)
    refused("tampered", kit.store.load, WORKSPACE)
    error = refused("tampered", kit.store.sealed, WORKSPACE, "a")
    assert "an older one was put back" in error.detail


def test_attack_05_a_later_event_does_not_vouch_for_the_row_put_back(kit):
    replay(kit)
    kit.commit(tell("a"), reject("a"), drop("a"))
    refused("tampered", kit.store.sealed, WORKSPACE, "a")


def test_attack_05_nothing_is_written_over_a_row_put_back(kit):
    replay(kit)
    before = kit.store.events(WORKSPACE)
    for put in (kit.put("a", version=2, expected=1), kit.put("a", version=3, expected=2)):
        error = refused("tampered", kit.commit, kit.put("b"), put)
        assert "record of a in production" in error.detail
    assert kit.store.events(WORKSPACE) == before
    kit.raw("DELETE FROM records")
    refused("tampered", kit.commit, kit.put("a", version=3))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE records SET declared = replace(declared, 'AC1', 'AC2')",
        "UPDATE records SET created_by = 'mallory'",
        "UPDATE records SET old_name = 'billing'",
        "UPDATE records SET version = 7",
        "UPDATE records SET secret_versions = '{\"auth_token\":9}'",
        "UPDATE records SET label = 'x'",
        "UPDATE secrets SET fingerprint = x'00'",
        "DELETE FROM secrets",
        "DELETE FROM records",
    ],
)
def test_an_edited_row_is_tampered_when_it_is_used(kit, sql):
    kit.commit(kit.put("a"))
    kit.raw(sql)
    error = refused("tampered", kit.store.sealed, WORKSPACE, "a")
    assert "record of a in production" in error.detail


def test_what_a_check_writes_may_change(kit):
    kit.commit(kit.put("a"))
    kit.raw("UPDATE records SET verdict = replace(verdict, '200', '201'), accepted_at = 'later', checked_at = 'later'")
    assert kit.unsealed("a") == {"auth_token": VALUE}
    assert only(kit, "a").verdict.http_status == 201


@pytest.mark.parametrize("declared", ["{", "[]", "{},{}", '{"common":{}}', "1"])
def test_a_record_that_cannot_be_read_is_tampered_and_named(kit, declared):
    kit.commit(*[kit.put(name) for name in "abc"])
    kit.raw("UPDATE records SET declared = ? WHERE name = 'b'", declared)
    error = refused("tampered", kit.store.load, WORKSPACE)
    assert "the record of b in production" in error.detail


def test_a_verdict_that_cannot_be_read_is_tampered_when_it_is_looked_at(kit):
    kit.commit(kit.put("a"))
    kit.raw("UPDATE records SET verdict = '{}'")
    refused("tampered", lambda: only(kit, "a").verdict)


def test_a_rejection_that_cannot_be_read_is_tampered_and_named(kit):
    kit.commit(*[reject(name) for name in "abc"])
    kit.raw("UPDATE rejections SET verdict = '[]' WHERE name = 'b'")
    error = refused("tampered", kit.store.load, WORKSPACE)
    assert "the rejection of b in production" in error.detail


def test_an_unknown_name_has_no_secrets(kit):
    assert kit.store.sealed(WORKSPACE, "none") == []


# what is kept, examined


@pytest.fixture
def former(kit):
    """``a`` in v4 with the secret of v2, three versions kept; ``b`` deleted; ``c`` was ``d``."""
    kit.commit(kit.put("a"), kit.put("b"), kit.put("d"))
    kit.commit(kit.put("a", version=2, expected=1, label="two", value="f" * 32))
    kit.commit(kit.put("a", version=3, expected=2, label="three", keep=True))
    kit.commit(kit.put("a", version=4, expected=3, label="four", keep=True))
    change = Change(Action.DELETE, "b", "twilio", ("undeclared",))
    kit.commit(Delete(1, audit.outcome(change, Result.DELETED, ORIGIN, TIME)))
    kit.commit(kit.move("d", "c"))
    assert kit.store.strays(WORKSPACE) == []
    return kit


V1, V2, V3 = (f"version v{number} of a" for number in (1, 2, 3))


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        ("UPDATE previous SET declared = replace(declared, 'two', 'TWO')", {V2: "was altered"}),
        ("UPDATE previous SET checked_at = 'y', replaced_at = 'z'", {}),
        ("UPDATE previous SET label = 'x' WHERE name = 'b'",
         {"version v1 of b": "has another label beside it than the one that it declares"}),
        ("UPDATE previous SET row_hash = 'x' WHERE name = 'b'",
         {"version v1 of b": "has another hash beside it than the one that its event tells"}),
        ("UPDATE previous SET event_seq = 1 WHERE name = 'b'",
         {"version v1 of b": "names another event than the one that wrote it"}),
        ("UPDATE previous SET keep_until = '2020' WHERE name = 'b'",
         {"version v1 of b": "says that it is kept until 2020, where its event says 2026-11-30T14:02:08.125Z"}),
        ("UPDATE secrets SET keep_until = '2020' WHERE name = 'b'",
         {"secret auth_token v1 of b":
          "is kept until 2020, where the last version that has it goes 2026-11-30T14:02:08.125Z"}),
        ("UPDATE secrets SET keep_until = '9999' WHERE name = 'b'",
         {"secret auth_token v1 of b":
          "is kept until 9999, where the last version that has it goes 2026-11-30T14:02:08.125Z"}),
        ("UPDATE secrets SET keep_until = '' WHERE name = 'b'",
         {"secret auth_token v1 of b":
          "is kept for good, where the last version that has it goes 2026-11-30T14:02:08.125Z"}),
        ("UPDATE secrets SET name = 'z' WHERE name = 'b'",
         {"version v1 of b": "lacks its secret auth_token v1",
          "secret auth_token v1 of z": "is kept until 2026-11-30T14:02:08.125Z, and no version has it"}),
        ("UPDATE secrets SET name = 'z', keep_until = '' WHERE name = 'b'",
         {"version v1 of b": "lacks its secret auth_token v1",
          "secret auth_token v1 of z": "is kept for good, and no version has it"}),
        ("UPDATE previous SET secret_versions = '{\"auth_token\":1e999}' WHERE name = 'b'",
         {"version v1 of b": "holds what this program never wrote"}),
        ("UPDATE events SET body = '{\"versions\":5,\"kept\":5}' WHERE name = 'b'", {}),
        ("UPDATE events SET what = 'forget', body = '{\"versions\":[[1],1]}' WHERE name = 'b' AND what = 'delete'", {}),
        ("UPDATE previous SET secret_versions = '[]' WHERE name = 'b'",
         {"version v1 of b": "holds what this program never wrote"}),
        ("UPDATE previous SET version = 9 - version WHERE name = 'a' AND version IN (2, 3)",
         {"version v7 of a": "was altered", "version v6 of a": "was altered",
          V2: "was removed before its time: no event tells of it",
          V3: "was removed before its time: no event tells of it"}),
        ("INSERT OR REPLACE INTO previous SELECT * FROM previous WHERE name = 'b'", {}),
        ("UPDATE previous SET secret_versions = '{}' WHERE name = 'b'", {"version v1 of b": "was altered"}),
        ("DELETE FROM previous WHERE name = 'b'",
         {"version v1 of b": "was removed before its time: no event tells of it"}),
        ("DELETE FROM previous WHERE name = 'd'",
         {"version v1 of d": "was removed before its time: no event tells of it"}),
        ("DELETE FROM secrets WHERE name = 'a' AND version = 1", {V1: "lacks its secret auth_token v1"}),
        ("UPDATE secrets SET fingerprint = x'00' WHERE name = 'a' AND version = 1", {V1: "was altered"}),
        ("UPDATE previous SET account = x'00' WHERE name = 'b'",
         {"version v1 of b": "holds what this program never wrote"}),
    ],
)  # fmt: skip
def test_a_former_version_that_is_not_what_its_event_left_is_named(former, statement, wrong):
    former.raw(statement)
    assert dict(former.store.strays(WORKSPACE)) == wrong


@pytest.mark.parametrize(
    "statements",
    [
        ("UPDATE previous SET keep_until = '2020' WHERE name = 'b'",),
        ("UPDATE previous SET keep_until = '2020'", "UPDATE secrets SET keep_until = '2020' WHERE keep_until <> ''"),
        ("UPDATE secrets SET keep_until = '2020' WHERE keep_until <> ''",),
        ("UPDATE secrets SET keep_until = '2020'",),
        ("UPDATE previous SET keep_until = '2020'", "UPDATE events SET body = 'no json' WHERE what <> 'create'"),
        ("UPDATE secrets SET keep_until = '2020'", "UPDATE records SET secret_versions = '[]'",
         "UPDATE previous SET secret_versions = '[]'"),
    ],
)  # fmt: skip
def test_attack_05_what_the_log_promises_to_keep_is_not_let_go_by_an_edited_row(former, statements):
    for statement in statements:
        former.raw(statement)
    counts = "SELECT (SELECT COUNT(*) FROM previous), (SELECT COUNT(*) FROM secrets)"
    before = former.raw(counts)
    former.commit(tell("e"))
    assert former.raw(counts) == before
    assert former.raw("SELECT COUNT(*) FROM events WHERE what = 'forget'") == [(0,)]


def test_attack_05_one_name_held_back_does_not_hold_back_another(former):
    former.clock.forward(days=6)
    former.commit(former.put("c", version=3, expected=2, label="three", keep=True))
    former.raw("UPDATE previous SET keep_until = '2020' WHERE name = 'c'")
    former.clock.forward(days=2)
    former.commit(tell("e"))
    assert former.raw("SELECT name FROM previous") == [("c",)]
    former.clock.forward(days=6)
    former.commit(tell("e"))
    assert former.raw("SELECT name FROM previous") == []
    assert former.store.strays(WORKSPACE) == []


def test_attack_05_what_was_let_go_before_its_time_is_named(former):
    """As a program without the guard did it, or somebody with the key."""
    former.raw("DELETE FROM previous WHERE name = 'b'")
    former.raw("DELETE FROM secrets WHERE name = 'b'")
    former.commit(Tell(audit.forgotten("b", [1], ["auth_token v1"], audit.who(ORIGIN), TIME)))
    assert dict(former.store.strays(WORKSPACE)) == {
        "version v1 of b": f"was let go {TIME}, before its time: 2026-11-30T14:02:08.125Z"
    }
    assert former.broken() == []


def test_a_record_whose_declared_content_only_an_altered_log_vouches_for_is_named(former):
    former.raw("UPDATE records SET declared = '[]' WHERE name = 'c'")
    columns = ", ".join(audit.ROW)
    row = dict(zip(audit.ROW, former.raw(f"SELECT {columns} FROM records WHERE name = 'c'")[0], strict=True))
    secret = former.raw("SELECT field, version, key_id, sealed, fingerprint FROM secrets WHERE name = 'c'")[0]
    forged = audit.row_hash(row, [SealedSecret(*secret)])
    former.raw("UPDATE records SET row_hash = ? WHERE name = 'c'", forged)
    former.raw("UPDATE events SET row_hash = ? WHERE name = 'c'", forged)
    assert dict(former.store.strays(WORKSPACE)) == {"record c": "holds what this program never wrote"}
    assert former.broken() != []


def test_versions_that_an_earlier_program_replaced_without_a_promise_go_when_their_row_says_so(former):
    previous = b""
    for seq, event, _ in former.store.events(WORKSPACE):
        body = {key: value for key, value in event.body.items() if key != "kept"}
        previous = audit.link(previous, WORKSPACE, seq, replace(event, body=body), former.ring.mac(WORKSPACE))
        former.raw("UPDATE events SET body = ?, mac = ? WHERE seq = ?", canonical.to_json(body), previous, seq)
    assert (former.store.strays(WORKSPACE), former.broken()) == ([], [])
    former.clock.forward(days=8)
    former.commit(tell("e"))
    assert former.raw("SELECT * FROM previous") == []
    assert (former.store.strays(WORKSPACE), former.broken()) == ([], [])


@pytest.mark.parametrize(
    "statement", ["UPDATE workspaces SET workspace = 'other'", "UPDATE events SET workspace = 'other'"]
)
def test_a_workspace_that_lost_its_log_is_named(kit, statement):
    kit.commit(kit.put("a"))
    kit.raw(statement)
    (workspace,) = kit.store.workspaces()
    assert (f"workspace {workspace}", "has a serial, and no event: renamed, or its log was removed") in (
        kit.store.strays(workspace)
    )


def test_a_name_of_a_type_that_is_never_written_is_a_stray(kit):
    kit.commit(kit.put("a"), kit.put("b"))
    kit.raw("UPDATE records SET name = x'ff00' WHERE name = 'a'")
    strays = dict(kit.store.strays(WORKSPACE))
    assert strays["record b'\\xff\\x00'"] == "holds what this program never wrote"
    assert strays["record a"] == "was removed; its latest event kept it"
    kit.raw("UPDATE secrets SET name = x'ff00' WHERE name = 'a'")
    refused("tampered", kit.store.strays, WORKSPACE)
    kit.raw("UPDATE secrets SET name = 'a', fingerprint = 'x' WHERE name <> 'b'")
    assert "a in production" in refused("tampered", kit.store.strays, WORKSPACE).detail


def test_what_went_for_good_is_missed_by_nobody(former):
    former.clock.forward(days=8)
    former.commit(tell("a"))
    assert former.raw("SELECT count(*) FROM previous") == [(0,)]
    assert former.store.strays(WORKSPACE) == []


# leases


def test_one_lease_at_a_time_and_the_next_one_is_told_who_has_it(kit):
    kit.store.acquire(WORKSPACE, TOM, 60)
    error = refused("lease-held", kit.another().acquire, WORKSPACE, LEA, 60)
    for word in ("tom", "runner-3", "process 12", "https://example.invalid/runs/8812", f"since {TIME}",
                 "free at the latest 2026-11-23T14:03:08.125Z"):  # fmt: skip
        assert word in error.detail


def test_workspaces_have_leases_of_their_own(kit):
    kit.lease()
    kit.lease("dev")


def test_a_released_lease_is_free_and_the_fencing_number_goes_on(kit):
    numbers = []
    for _ in range(3):
        lease = kit.lease()
        numbers.append(lease.fencing)
        kit.store.release(lease)
    assert numbers == [1, 2, 3]


def test_an_expired_lease_can_be_taken_and_the_old_one_writes_nothing(kit):
    old = kit.lease()
    kit.clock.forward(seconds=61)
    new = kit.another().acquire(WORKSPACE, TOM, 60)
    assert new.fencing == old.fencing + 1
    for attempt in (
        lambda: kit.commit(kit.put("a"), lease=old),
        lambda: kit.store.renew(old, 60),
    ):
        assert "tom" in refused("lease-lost", attempt).detail
    kit.store.release(old)
    assert kit.store.load(WORKSPACE).records == {}
    assert kit.store.events(WORKSPACE) == []
    assert kit.commit(kit.put("a"), lease=new) == [True]


@pytest.mark.parametrize("seconds", [60, 61, 86_400])
def test_an_expired_lease_that_nobody_took_writes_nothing_and_is_not_renewed(kit, seconds):
    lease = kit.lease()
    kit.clock.forward(seconds=seconds)
    for attempt in (lambda: kit.commit(kit.put("a"), lease=lease), lambda: kit.store.renew(lease, 60)):
        assert "it expired 2026-11-23T14:03:08.125Z" in refused("lease-lost", attempt).detail
    assert kit.store.events(WORKSPACE) == []
    assert kit.commit(kit.put("a")) == [True]


def test_a_lease_writes_until_it_expires(kit):
    lease = kit.lease()
    kit.clock.forward(seconds=59.9)
    assert kit.commit(kit.put("a"), lease=lease) == [True]


def test_a_lease_given_back_writes_nothing(kit):
    lease = kit.lease()
    kit.store.release(lease)
    assert "given back" in refused("lease-lost", lambda: kit.commit(kit.put("a"), lease=lease)).detail


def test_a_lease_that_another_run_had_since_says_so_though_nobody_holds_it_now(kit):
    old = kit.lease()
    kit.clock.forward(seconds=61)
    other = kit.another()
    other.release(other.acquire(WORKSPACE, TOM, 60))
    why = refused("lease-lost", lambda: kit.commit(kit.put("a"), lease=old)).detail
    assert why == "it ran out, and another run had it since"


def test_a_forged_fencing_number_writes_nothing(kit):
    lease = kit.lease()
    for forged in (replace(lease, fencing=2), replace(lease, id="0"), replace(lease, workspace="dev")):
        refused("lease-lost", lambda forged=forged: kit.commit(kit.put("a"), lease=forged))


def test_who_holds_the_lease_can_be_seen(kit):
    assert kit.store.held(WORKSPACE) is None
    lease = kit.store.acquire(WORKSPACE, TOM, 60)
    kit.clock.forward(seconds=20)
    kit.store.renew(lease, 60)
    held = kit.another().held(WORKSPACE)
    assert (held.lease, held.holder, held.since, held.expired) == (lease, TOM, TIME, False)
    assert held.since < held.heartbeat < held.expires
    assert kit.store.held("dev") is None
    kit.clock.forward(seconds=60)
    assert kit.store.held(WORKSPACE).expired
    kit.store.release(lease)
    assert kit.store.held(WORKSPACE) is None


def test_a_lease_taken_away_writes_nothing_and_leaves_an_event(kit):
    lease = kit.lease()
    gone = audit.taken_away({"id": lease.id, "actor": "lea"}, replace(ORIGIN, actor="zoe"), TIME)
    for other in (replace(lease, id="0"), replace(lease, id=""), replace(lease, fencing=9)):
        refused("lock-gone", kit.store.take_away, other, gone, kit.ring.mac(WORKSPACE))
    assert kit.store.events(WORKSPACE) == []
    kit.store.take_away(lease, gone, kit.ring.mac(WORKSPACE))
    ended = f"zoe (desk) ended it with  lock release  at {TIME}"
    assert refused("lease-lost", lambda: kit.commit(kit.put("a"), lease=lease)).detail == ended
    refused("lock-gone", kit.store.take_away, lease, gone, kit.ring.mac(WORKSPACE))
    (event,) = (event for _, event, _ in kit.store.events(WORKSPACE))
    assert (event.what, event.result, event.body["lease"]["id"]) == ("lock", "released", lease.id)
    assert kit.broken() == []
    assert kit.store.acquire(WORKSPACE, TOM, 60).fencing == lease.fencing + 1
    now = refused("lease-lost", lambda: kit.store.renew(lease, 60)).detail
    assert now.startswith(f"{ended}; tom (")


def test_renewing_and_committing_extend_the_lease(kit):
    lease = kit.lease()
    kit.clock.forward(seconds=50)
    kit.commit(tell("a"), lease=lease)
    kit.clock.forward(seconds=50)
    refused("lease-held", kit.another().acquire, WORKSPACE, TOM, 60)
    kit.store.renew(lease, 300)
    kit.clock.forward(seconds=200)
    kit.commit(tell("a"), lease=lease)
    kit.clock.forward(seconds=290)
    refused("lease-held", kit.another().acquire, WORKSPACE, TOM, 60)
    kit.clock.forward(seconds=11)
    kit.another().acquire(WORKSPACE, TOM, 60)


def test_an_actor_whose_name_is_not_utf_8_can_work(kit):
    held = kit.store.acquire(WORKSPACE, replace(LEA, actor="Zo\udceb"), 60)
    put = kit.put("a")
    assert kit.commit(replace(put, record=replace(put.record, created_by="Zo\udceb")), lease=held) == [True]
    assert kit.unsealed("a") == {"auth_token": VALUE}
    assert only(kit, "a").created_by == "Zo\\udceb"
    assert kit.broken() == []


# several at once


def test_writers_at_once_lose_nothing(kit):
    """Each takes the lease, reads, writes one name, gives it back; two connections, two threads."""
    failures: list[BaseException] = []

    def work(store, numbers):
        try:
            for number in numbers:
                lease = patiently(store)
                serial = store.load(WORKSPACE).serial
                put = kit.put(f"n{number}")
                assert store.commit(lease, [put], kit.ring.mac(WORKSPACE)) == [True]
                assert store.load(WORKSPACE).serial == serial + 1
                store.release(lease)
        except BaseException as error:
            failures.append(error)

    def patiently(store):
        while True:
            with suppress(StoreError):
                return store.acquire(WORKSPACE, LEA, 60)

    threads = [threading.Thread(target=work, args=(kit.another(), range(n, 30, 2))) for n in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert set(kit.store.load(WORKSPACE).records) == {f"n{n}" for n in range(30)}
    assert kit.broken() == []


def test_a_reader_sees_one_moment_while_another_writes(kit):
    kit.commit(kit.put("a"))
    reader = kit.another()
    with reader._db.reading():
        before = reader._db.rows("SELECT count(*) FROM records")
        kit.commit(kit.put("b"))
        assert reader._db.rows("SELECT count(*) FROM records") == before
    assert set(reader.load(WORKSPACE).records) == {"a", "b"}


# deletes and checks


def delete(name, version):
    return Delete(version, storing.event(name, Action.DELETE, Result.DELETED))


def test_a_deleted_record_is_gone_and_kept_among_the_previous_with_its_secrets(kit):
    kit.commit(kit.put("a"))
    kit.commit(reject("a"))
    assert kit.commit(delete("a", 1)) == [True]
    snapshot = kit.store.load(WORKSPACE)
    assert (snapshot.records, snapshot.rejections) == ({}, {})
    assert kit.store.sealed(WORKSPACE, "a") == []
    assert kit.raw("SELECT version, deleted FROM previous") == [(1, 1)]
    assert kit.raw("SELECT COUNT(*) FROM secrets WHERE keep_until <> ''") == [(1,)]
    assert kit.store.last_versions(WORKSPACE, ["a"]) == {"a": 1}
    assert kit.broken() == []


@pytest.mark.parametrize("version", [0, 2])
def test_a_delete_that_does_not_find_its_version_does_nothing(kit, version):
    kit.commit(kit.put("a"))
    assert kit.commit(delete("a", version)) == [False]
    assert only(kit, "a").version == 1
    assert len(kit.store.events(WORKSPACE)) == 1


def test_a_deleted_row_put_back_by_hand_is_found(kit):
    kit.commit(kit.put("a"))
    kit.commit(delete("a", 1))
    columns = ", ".join(row[1] for row in kit.raw("PRAGMA table_info(records)"))
    kit.raw(f"INSERT INTO records ({columns}) SELECT {columns} FROM previous")
    refused("tampered", kit.store.sealed, WORKSPACE, "a")


def test_a_check_changes_the_verdict_and_neither_version_nor_serial(kit):
    kit.commit(kit.put("a"))
    before = kit.store.load(WORKSPACE)
    later = "2026-11-24T06:00:00.000Z"
    refused_now = Verdict(Answer.REJECTED, "key-refused", at=later)
    assert kit.commit(Checked("a", 1, refused_now, None)) == [True]
    after = only(kit, "a")
    assert (after.version, after.verdict, after.accepted_at) == (1, refused_now, TIME)
    assert kit.store.load(WORKSPACE).serial == before.serial
    assert len(kit.store.events(WORKSPACE)) == 1
    assert len(kit.store.sealed(WORKSPACE, "a")) == 1


def test_a_check_that_accepts_says_since_when_and_may_leave_an_event(kit):
    kit.commit(kit.put("a"))
    later = "2026-11-24T06:00:00.000Z"
    event = storing.event("a", Action.KEEP, Result.KEPT)
    assert kit.commit(Checked("a", 1, Verdict(Answer.VALID, "accepted", at=later), event)) == [True]
    assert only(kit, "a").accepted_at == later
    assert kit.store.events(WORKSPACE)[-1][1].version == 1
    assert kit.broken() == []


def test_a_check_of_a_version_that_is_gone_is_not_written(kit):
    kit.commit(kit.put("a"))
    assert kit.commit(Checked("a", 7, Verdict(Answer.REJECTED, "key-refused"), None)) == [False]
    assert only(kit, "a").verdict.code == "accepted"


def test_what_a_check_forgets_beside_it_is_told_with_the_whole_of_who_asked(kit):
    kit.commit(kit.put("a"))
    kit.commit(kit.put("a", version=2, expected=1))
    kit.clock.forward(days=7)
    who = {"actor": "lea", "source": "ci", "ci": "github", "run_url": "https://ci.example.invalid/7"}
    assert kit.commit(Checked("a", 2, only(kit, "a").verdict, None, who)) == [True]
    assert [e.body["who"] for _, e, _ in kit.store.events(WORKSPACE) if e.what == "forget"] == [who]


# renames


def told(kit):
    return [(e.name, e.what, e.result, e.version, bool(e.row_hash)) for _, e, _ in kit.store.events(WORKSPACE)]


def test_a_renamed_record_is_under_the_new_name_alone_and_both_names_have_an_event(kit):
    kit.commit(kit.put("old"))
    assert kit.commit(kit.move("old", "new")) == [True]
    assert set(kit.store.load(WORKSPACE).records) == {"new"}
    assert (only(kit, "new").version, only(kit, "new").old_name) == (2, "old")
    assert kit.unsealed("new") == {"auth_token": VALUE}
    assert kit.store.sealed(WORKSPACE, "old") == []
    assert told(kit)[1:] == [("old", "rename", "left", 1, False), ("new", "rename", "renamed", 2, True)]
    assert kit.raw("SELECT name, version, deleted FROM previous") == [("old", 1, 0)]
    assert kit.raw("SELECT name, keep_until <> '' FROM secrets ORDER BY name") == [("new", 0), ("old", 1)]
    assert kit.store.last_versions(WORKSPACE, ["old", "new"]) == {"old": 1, "new": 2}
    assert kit.broken() == []


def test_a_rename_drops_what_was_refused_under_the_old_name_and_says_so(kit):
    kit.commit(kit.put("old"), reject("old"), reject("new"))
    assert kit.commit(replace(kit.move("old", "new"), put=replace(kit.move("old", "new").put, settles=False))) == [True]
    assert set(kit.store.load(WORKSPACE).rejections) == {"new"}
    assert ("old", "cancel", "dropped", 1, False) in told(kit)
    assert kit.broken() == []


def stale(kit):
    return kit.move("old", "new", version=9, expected=7)


def gone(kit):
    return kit.move("none", "new")


def onto_another(kit):
    return kit.move("old", "other", version=9)


@pytest.mark.parametrize("write", [stale, gone, onto_another], ids=lambda f: f.__name__)
def test_a_rename_that_does_not_find_what_it_expects_does_nothing(kit, write):
    kit.commit(kit.put("old"), kit.put("other"), reject("old"))
    before, events = kit.store.load(WORKSPACE), kit.store.events(WORKSPACE)
    assert kit.commit(write(kit)) == [False]
    after = kit.store.load(WORKSPACE)
    assert (after.records, after.rejections, after.serial) == (before.records, before.rejections, before.serial)
    assert kit.store.events(WORKSPACE) == events
    assert kit.unsealed("old") == {"auth_token": VALUE}


def test_a_rename_back_goes_on_counting(kit):
    kit.commit(kit.put("a", version=4))
    kit.commit(kit.move("a", "b", version=5, expected=4))
    with pytest.raises(ValueError, match="never goes back"):
        kit.commit(kit.move("b", "a", version=4, expected=5))
    assert kit.commit(kit.move("b", "a", version=6, expected=5)) == [True]
    assert (set(kit.store.load(WORKSPACE).records), only(kit, "a").version) == ({"a"}, 6)
    assert kit.unsealed("a") == {"auth_token": VALUE}
    assert kit.broken() == []


def put_back(kit):
    """The row under the old name as it was before the rename, with all that belongs to it."""
    kit.commit(kit.put("old"))
    row = kit.raw("SELECT * FROM records")[0]
    kit.commit(kit.move("old", "new"))
    kit.raw(f"INSERT INTO records VALUES ({','.join('?' * len(row))})", *row)
    kit.raw("UPDATE secrets SET keep_until = '' WHERE name = 'old'")


def test_attack_05_an_old_row_put_back_under_the_old_name_is_found(kit):
    put_back(kit)
    refused("tampered", kit.store.load, WORKSPACE)
    refused("tampered", kit.store.sealed, WORKSPACE, "old")
    assert kit.unsealed("new") == {"auth_token": VALUE}


def test_attack_05_nothing_is_written_over_an_old_row_put_back_under_the_old_name(kit):
    put_back(kit)
    before = kit.store.events(WORKSPACE)
    for write in (kit.put("old", version=2, expected=1), kit.move("old", "third", version=3), delete("old", 1)):
        refused("tampered", kit.commit, write)
    assert kit.store.events(WORKSPACE) == before


def test_attack_04_the_secret_of_the_old_name_does_not_open_under_the_new_one(kit):
    kit.commit(kit.put("old"))
    kit.commit(kit.move("old", "new"))
    old = kit.raw("SELECT sealed, fingerprint FROM secrets WHERE name = 'old'")[0]
    kit.raw("UPDATE secrets SET sealed = ?, fingerprint = ? WHERE name = 'new'", *old)
    refused("tampered", kit.store.sealed, WORKSPACE, "new")
    (row,) = kit.raw("SELECT field, version, key_id, sealed, fingerprint FROM secrets WHERE name = 'new'")
    refused("tampered", kit.ring.unseal, WORKSPACE, "new", "twilio", SealedSecret(*row))


def test_attack_05_a_new_row_that_is_taken_away_again_after_a_rename_is_found(kit):
    kit.commit(kit.put("old"))
    kit.commit(kit.move("old", "new"))
    kit.raw("DELETE FROM records")
    assert "was removed" in refused("tampered", kit.store.sealed, WORKSPACE, "new").detail


@pytest.mark.parametrize(
    ("sql", "read"),
    [
        ("UPDATE secrets SET sealed = -1", lambda kit: kit.store.sealed(WORKSPACE, "a")),
        ("UPDATE records SET created_by = x'ff00'", lambda kit: kit.store.load(WORKSPACE)),
        ("UPDATE records SET old_name = x'ff00'", lambda kit: kit.store.load(WORKSPACE)),
        ("UPDATE secrets SET fingerprint = 1.5", lambda kit: kit.store.load(WORKSPACE)),
        ("UPDATE secrets SET fingerprint = 1.5", lambda kit: kit.store.strays(WORKSPACE)),
        ("UPDATE slots SET wrapped = -1", lambda kit: kit.store.slots()),
        ("UPDATE workspaces SET workspace = x'ff00'", lambda kit: kit.store.workspaces()),
        ("UPDATE workspaces SET serial = 'x'", lambda kit: kit.store.load(WORKSPACE)),
        ("UPDATE leases SET fencing = x'ff00'", lambda kit: kit.lease()),
        ("UPDATE events SET mac = 'x'", lambda kit: kit.store.head(WORKSPACE)),
        ("UPDATE store SET id = x'ff00'", lambda kit: kit.another()),
        ("UPDATE store SET id = '../../other'", lambda kit: kit.another()),
    ],
)
def test_a_value_of_a_type_that_is_never_written_is_tampered(kit, sql, read):
    kit.commit(kit.put("a"))
    kit.raw(sql)
    refused("tampered", read, kit)


@pytest.mark.parametrize(
    "sql",
    ["UPDATE previous SET version = '{'", "UPDATE previous SET version = 7.5", "UPDATE events SET version = 7.5"],
)
def test_a_version_that_was_never_counted_is_tampered(kit, sql):
    kit.commit(kit.put("a"))
    kit.commit(kit.put("a", version=2, expected=1))
    kit.raw(f"{sql} WHERE name = 'a'")
    error = refused("tampered", kit.store.last_versions, WORKSPACE, ["a"])
    assert "a in production" in error.detail


def test_nothing_is_written_after_an_event_of_a_type_that_is_never_written(kit):
    kit.commit(kit.put("a"))
    kit.raw("UPDATE events SET version = 1.5")
    refused("tampered", kit.store.events, WORKSPACE)
    refused("tampered", kit.commit, tell("a"))
    assert kit.raw("SELECT count(*) FROM events") == [(1,)]
    kit.raw("UPDATE events SET version = 1, mac = 'x'")
    refused("tampered", kit.commit, tell("a"))
    assert kit.raw("SELECT count(*) FROM events") == [(1,)]


# plan files


def test_a_plan_is_begun_with_the_first_write_and_finished_once(kit):
    store = kit.store
    assert store.plan_run(WORKSPACE, "one") is None
    assert kit.commit(Progress("one", "lea"), kit.put("a")) == [True, True]
    begun = store.plan_run(WORKSPACE, "one")
    assert (begun.begun_at, begun.begun_by, begun.finished_at) == (kit.clock(), "lea", "")
    kit.clock.forward(hours=1)
    kit.commit(Progress("one", "tom"), kit.put("b"))
    assert store.plan_run(WORKSPACE, "one") == begun
    kit.commit(Progress("one", "tom", finished=True))
    done = store.plan_run(WORKSPACE, "one")
    assert (done.begun_by, done.finished_at) == ("lea", kit.clock())
    assert store.plan_run("staging", "one") is None
    assert len(store.events(WORKSPACE)) == 2


def test_a_plan_is_not_begun_where_the_first_write_fails(kit):
    with pytest.raises(ValueError, match="never goes back"):
        kit.commit(Progress("one", "lea"), kit.put("a"), kit.put("a", version=1, expected=1))
    assert kit.store.plan_run(WORKSPACE, "one") is None


def test_the_events_of_one_name_are_its_own_in_order(kit):
    kit.commit(kit.put("a"), kit.put("b"))
    kit.commit(tell("a"))
    assert [e.what for _, e, _ in kit.store.events_about(WORKSPACE, "a")] == ["create", "update"]
    assert kit.store.events_about("staging", "a") == []


# former versions


def test_what_is_replaced_renamed_or_deleted_is_kept_for_a_while(kit):
    kit.commit(kit.put("a"))
    kit.commit(kit.put("a", version=2, expected=1, keep=True, label="Second"))
    kit.commit(kit.put("a", version=3, expected=2, value="another-secret-value"))
    second, first = kit.store.kept(WORKSPACE, "a")
    assert [(one.record.version, one.whole, one.deleted) for one in (first, second)] == [
        (1, True, False),
        (2, True, False),
    ]
    assert first.sealed == second.sealed
    assert (first.record.declared.label, second.record.declared.label) == ("", "Second")
    assert kit.ring.unseal(WORKSPACE, "a", "twilio", first.sealed[0]).reveal() == VALUE
    assert first.until == "2026-11-30T14:02:08.125Z"
    until = kit.store.kept_until()
    kit.commit(delete("a", 3))
    assert [one.deleted for one in kit.store.kept(WORKSPACE, "a")] == [True, False, False]
    assert kit.store.kept(WORKSPACE, "a")[0].until == until == "2026-11-30T14:02:08.125Z"
    assert kit.store.kept(WORKSPACE, "none") == []


def test_what_has_run_out_is_not_given_out_even_before_it_is_removed(kit):
    kit.commit(kit.put("a"))
    kit.commit(kit.put("a", version=2, expected=1))
    kit.clock.forward(days=7)
    assert kit.store.kept(WORKSPACE, "a") == []
    assert kit.raw("SELECT COUNT(*) FROM previous") == [(1,)]


def test_what_goes_for_good_leaves_an_event_that_names_it(kit):
    kit.commit(kit.put("a"), kit.put("b"))
    kit.commit(kit.put("a", version=2, expected=1), delete("b", 1))
    kit.clock.forward(days=7)
    kit.commit(tell("c"))
    told = {e.name: (e.body["versions"], e.body["secrets_gone"], e.body["who"]["actor"], e.version, bool(e.row_hash))
            for _, e, _ in kit.store.events(WORKSPACE) if e.what == "forget"}  # fmt: skip
    assert told == {"a": ([1], ["auth_token v1"], "lea", 2, True), "b": ([1], ["auth_token v1"], "lea", 1, False)}
    kit.commit(tell("c"))
    assert [e.what for _, e, _ in kit.store.events(WORKSPACE)].count("forget") == 2
    assert kit.unsealed("a") == {"auth_token": VALUE}
    assert kit.broken() == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE previous SET declared = replace(declared, 'AC1', 'AC2')",
        "UPDATE previous SET version = 2",
        "UPDATE previous SET secret_versions = '{}'",
        "UPDATE previous SET secret_versions = '[]'",
        """UPDATE previous SET secret_versions = '{"auth_token":1e999}'""",
        "UPDATE secrets SET sealed = x'00' WHERE version = 1",
        "UPDATE secrets SET sealed = 1.5 WHERE version = 1",
        "UPDATE secrets SET fingerprint = 'x' WHERE version = 1",
        "UPDATE previous SET account = -1",
        "UPDATE previous SET version = 1.5",
    ],
)
def test_attack_05_a_former_version_that_was_altered_is_found_before_it_is_put_back(kit, sql):
    kit.commit(kit.put("a"))
    kit.commit(kit.put("a", version=2, expected=1, value="another-secret-value"))
    kit.raw(sql)
    assert "a in production" in refused("tampered", kit.store.kept, WORKSPACE, "a").detail


def test_a_former_version_whose_secret_is_gone_says_so(kit):
    kit.commit(kit.put("a"))
    kit.commit(kit.put("a", version=2, expected=1))
    kit.raw("DELETE FROM secrets WHERE version = 1")
    (former,) = kit.store.kept(WORKSPACE, "a")
    assert (former.whole, former.sealed) == (False, ())
