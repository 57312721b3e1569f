"""Reads: written before a value is given, without lease or key; in the chain with the next write that holds the key."""

from __future__ import annotations

import pytest
import storing
from builders import ORIGIN
from storing import TOM, WORKSPACE, tell

from reconciler import audit
from reconciler.errors import StoreError
from reconciler.stores import _commit
from reconciler.stores.base import Delete


@pytest.fixture(params=storing.KINDS)
def kit(request, tmp_path):
    made = storing.KINDS[request.param](tmp_path)
    yield made
    made.close()


@pytest.fixture
def stored(kit):
    kit.commit(kit.put("a"), kit.put("b"))
    return kit


def chained(kit):
    return [
        (event.name, event.body.get("given")) for _, event, _ in kit.store.events(WORKSPACE) if event.what == "read"
    ]


def test_a_read_waits_and_says_who_read_what_and_how(stored):
    stored.clock.forward(hours=2)
    stored.store.add_reads(WORKSPACE, [storing.read("a"), storing.read("b", how="export")])
    first, second = stored.another().waiting_reads(WORKSPACE)
    assert (first.time, first.what, first.name, first.version) == (stored.clock(), "read", "a", 1)
    assert first.body == {
        "provider": "twilio", "how": "exec", "given": 1, "keys": ["auth_token"], "read": 1,
        "who": {"actor": "lea", "source": "os", "host": "desk", "ci": ""},
    }  # fmt: skip
    assert (second.name, second.body["how"]) == ("b", "export")
    assert stored.store.waiting_reads("elsewhere") == []
    assert chained(stored) == []


def test_the_next_write_takes_it_into_the_chain_once(stored):
    stored.store.add_reads(WORKSPACE, [storing.read("a"), storing.read("b")])
    stored.commit(tell("b"))
    assert chained(stored) == [("a", 1), ("b", 1)]
    assert stored.store.waiting_reads(WORKSPACE) == []
    stored.commit(tell("b"))
    assert chained(stored) == [("a", 1), ("b", 1)]
    assert stored.broken() == []
    assert stored.raw("SELECT event_seq FROM reads ORDER BY id") == [(3,), (4,)]


def test_it_is_chained_even_where_the_write_itself_comes_to_nothing(stored):
    stored.store.add_reads(WORKSPACE, [storing.read("a")])
    assert stored.commit(storing.drop("nobody")) == [False]
    assert chained(stored) == [("a", 1)]


def test_a_read_needs_no_lease_and_one_that_is_held_does_not_stop_it(stored):
    lease = stored.store.acquire(WORKSPACE, TOM, 60)
    stored.another().add_reads(WORKSPACE, [storing.read("a")])
    assert stored.commit(tell("a"), lease=lease) == [True]
    assert chained(stored) == [("a", 1)]


def test_a_chained_read_leaves_the_record_what_it_was(stored):
    """What is compared with the latest event of a name is still the row, also where the row moved on meanwhile."""
    stored.store.add_reads(WORKSPACE, [storing.read("a")])
    stored.commit(stored.put("a", version=2, expected=1))
    stored.store.add_reads(WORKSPACE, [storing.read("a", version=1)])
    stored.commit(tell("b"))
    assert chained(stored) == [("a", 1), ("a", 1)]
    assert stored.store.load(WORKSPACE).records["a"].version == 2
    assert stored.unsealed("a") == {"auth_token": storing.VALUE}
    assert stored.store.last_versions(WORKSPACE, ["a"]) == {"a": 2}


def test_a_read_of_what_was_deleted_since_puts_nothing_back(stored):
    stored.store.add_reads(WORKSPACE, [storing.read("a")])
    stored.commit(Delete(1, storing.tell("a").event))
    stored.store.add_reads(WORKSPACE, [storing.read("a")])
    stored.commit(tell("b"))
    assert "a" not in stored.store.load(WORKSPACE).records
    assert stored.store.find(WORKSPACE, "a") is None
    assert stored.commit(stored.put("a", version=2)) == [True]


@pytest.mark.parametrize("sql", [
    "DELETE FROM events WHERE what = 'read'",
    "UPDATE events SET body = replace(body, 'exec', 'export') WHERE what = 'read'",
    "UPDATE events SET body = '{\"read\":[1]}' WHERE what = 'read'",
])  # fmt: skip
def test_a_chained_read_that_is_altered_or_removed_breaks_the_chain(stored, sql):
    stored.store.add_reads(WORKSPACE, [storing.read("a")])
    stored.commit(tell("b"))
    stored.raw(sql)
    assert stored.broken() == ["event 3"]
    assert stored.store.strays(WORKSPACE) == [("read 1", "was altered, or is not the one of event 3")]


BODY = '{"provider": "p", "how": "exec", "given": %s, "keys": %s, "who": %s}'
ODD = ["", "[]", "{}", "[" * 100_000, "\x00", "nul", BODY % ("1", "[]", "[]"), BODY % ('"1"', "[]", "{}"),
       BODY % ("Infinity", "[]", "{}"), BODY % ("1", "4", "{}"), BODY % ("1", "[[]]", '{"actor": {}}')]  # fmt: skip


@pytest.mark.parametrize("body", ODD)
def test_a_row_that_cannot_be_read_is_chained_as_such_and_stops_nothing(stored, body):
    insert = "INSERT INTO reads (workspace, name, version, time, what, body) VALUES (?, ?, ?, ?, ?, ?)"
    stored.raw(insert, WORKSPACE, "a", 9, "yesterday", "delete", body)
    assert [event.what for event in stored.store.waiting_reads(WORKSPACE)] == ["read"]
    assert stored.commit(tell("b")) == [True]
    (found,) = [event for _, event, _ in stored.store.events(WORKSPACE) if event.name == "a" and event.what == "read"]
    assert found.version == 1
    assert isinstance(found.body["who"], dict)
    assert stored.broken() == []
    assert stored.store.load(WORKSPACE).records["a"].version == 1


def test_of_very_many_the_rest_waits_for_the_next_write(stored, monkeypatch):
    monkeypatch.setattr(_commit, "READS_AT_ONCE", 2)
    stored.store.add_reads(WORKSPACE, [storing.read("a")] * 3)
    stored.commit(tell("b"))
    assert (len(chained(stored)), len(stored.store.waiting_reads(WORKSPACE))) == (2, 1)
    stored.commit(tell("b"))
    assert (len(chained(stored)), len(stored.store.waiting_reads(WORKSPACE))) == (3, 0)


def test_whom_the_database_served_is_part_of_the_event(stored):
    stored.store.add_reads(WORKSPACE, [storing.read("a")])
    stored.raw("UPDATE reads SET read_by = 'app_a'")
    (waiting,) = stored.store.waiting_reads(WORKSPACE)
    assert waiting.body["who"]["database"] == "app_a"


# one record with its secrets


def test_one_record_is_found_with_its_sealed_secrets(stored):
    record, sealed = stored.store.find(WORKSPACE, "a")
    assert record == stored.store.load(WORKSPACE).records["a"]
    assert list(sealed) == list(stored.store.sealed(WORKSPACE, "a"))
    assert stored.store.find(WORKSPACE, "nobody") is None
    assert stored.store.find("elsewhere", "a") is None


@pytest.mark.parametrize("sql", ["UPDATE records SET version = 2 WHERE name = 'a'",
                                 "UPDATE secrets SET sealed = x'00' WHERE name = 'a'",
                                 "DELETE FROM records WHERE name = 'a'"])  # fmt: skip
def test_a_record_that_is_not_what_its_latest_event_left_is_not_given(stored, sql):
    stored.raw(sql)
    with pytest.raises(StoreError) as caught:
        stored.store.find(WORKSPACE, "a")
    assert caught.value.code.name == "tampered"


def test_while_a_name_stands_for_an_older_one_both_find_the_record(stored):
    older = stored.store.find(WORKSPACE, "a")[0].version
    stored.commit(stored.move("a", "newer", version=older + 1, expected=older))
    record, sealed = stored.store.find(WORKSPACE, "newer")
    assert (record.name, record.old_name) == ("newer", "a")
    assert stored.store.find(WORKSPACE, "a") == (record, sealed)
    stored.commit(stored.put("a", version=older + 1))
    assert stored.store.find(WORKSPACE, "a")[0].name == "a"


def test_the_event_of_a_read_holds_no_value():
    event = audit.read("a", "twilio", 3, ["auth_token"], "exec", ORIGIN)
    assert (event.what, event.result, event.version, event.body["given"]) == ("read", "given", 3, 3)
