"""One credential through its names, told from events alone."""

from __future__ import annotations

from dataclasses import replace

from builders import TIME

from reconciler import lineage
from reconciler.model import Event


def chain(*events):
    """``(what, result, name, version, body)`` as links, numbered from 1."""
    return [
        (seq, Event(TIME, what, result, name, version, body=body), b"")
        for seq, (what, result, name, version, body) in enumerate(events, 1)
    ]


def fields(**after):
    return {"fields": [[key.replace("__", "."), None, value] for key, value in after.items()]}


THERE_AND_BACK = chain(
    ("create", "created", "a", 1, fields(label="one", tags={"x": "1"})),
    ("update", "rejected", "a", 1, fields(label="refused")),
    ("rename", "left", "a", 1, {"to": "b"}),
    ("rename", "renamed", "b", 2, {"from": "a", **fields(tags__x=None, tags__y="2")}),
    ("create", "created", "a", 3, fields(label="another")),
    ("delete", "deleted", "a", 3, {}),
    ("rename", "left", "b", 2, {"to": "a"}),
    ("rename", "renamed", "a", 4, {"from": "b", **fields(label=None)}),
)


def test_a_name_is_followed_through_its_renames_and_not_into_what_bore_it_meanwhile():
    assert lineage.versions(THERE_AND_BACK, "a") == {4: "a", 2: "b", 1: "a"}
    assert lineage.versions(THERE_AND_BACK, "c") == {}
    assert lineage.numbers(THERE_AND_BACK, "a") == {1, 2, 3, 4, 5, 6, 8}


def test_a_name_that_was_left_has_no_version_and_tells_what_left_it():
    assert lineage.versions(THERE_AND_BACK, "b") == {}
    assert lineage.numbers(THERE_AND_BACK, "b") == {1, 2, 4, 7}
    assert (lineage.moved(THERE_AND_BACK, "b"), lineage.before(THERE_AND_BACK, "b")) == ("a", "")
    assert (lineage.moved(THERE_AND_BACK, "a"), lineage.before(THERE_AND_BACK, "a")) == ("", "")


REUSED = chain(
    ("create", "created", "a", 1, fields(label="one")),
    ("rename", "left", "a", 1, {"to": "b"}),
    ("cancel", "dropped", "a", 1, {}),
    ("rename", "renamed", "b", 2, {"from": "a"}),
    ("delete", "deleted", "b", 2, {}),
    ("create", "created", "a", 2, fields(owner="lea")),
    ("rename", "left", "a", 2, {"to": "b"}),
    ("rename", "renamed", "b", 3, {"from": "a"}),
    ("rename", "left", "b", 3, {"to": "c"}),
    ("rename", "renamed", "c", 4, {"from": "b"}),
    ("create", "rejected", "a", 2, fields(label="three")),
)


def test_a_credential_is_not_followed_past_the_event_by_which_another_one_left_its_name():
    assert lineage.versions(REUSED, "c") == {4: "c", 3: "b", 2: "a"}
    assert lineage.replayed(REUSED, "c", 4) == {"owner": "lea"}
    assert lineage.event_of(REUSED, "c", 1) is None
    assert (lineage.versions(REUSED, "a"), lineage.before(REUSED, "a"), lineage.moved(REUSED, "a")) == ({}, "c", "")
    assert lineage.numbers(REUSED, "a") == {11}


def test_a_version_of_another_credential_is_told_with_the_name_that_it_has_now():
    assert [lineage.of_another(REUSED, "a", version) for version in (1, 2, 3, 4)] == ["b", "c", "", ""]
    assert [lineage.of_another(REUSED, "c", version) for version in (1, 2, 9)] == ["b", "", ""]


def test_what_was_only_dropped_under_a_name_that_was_left_does_not_take_it():
    assert lineage.moved(REUSED[:4], "a") == "b"
    assert lineage.numbers(REUSED[:4], "a") == {1, 2, 3}


def test_a_version_is_told_from_what_each_event_changed():
    assert lineage.replayed(THERE_AND_BACK, "a", 1) == {"label": "one", "tags": {"x": "1"}}
    assert lineage.replayed(THERE_AND_BACK, "a", 2) == {"label": "one", "tags": {"y": "2"}}
    assert lineage.replayed(THERE_AND_BACK, "a", 4) == {"tags": {"y": "2"}}
    assert lineage.event_of(THERE_AND_BACK, "a", 2).name == "b"
    assert lineage.event_of(THERE_AND_BACK, "a", 3) is None


def test_what_is_made_again_after_a_delete_begins_with_nothing():
    made = chain(
        ("create", "created", "a", 1, fields(label="one", moved_from="z")),
        ("delete", "deleted", "a", 1, {}),
        ("create", "created", "a", 2, fields(owner="lea")),
    )
    assert lineage.replayed(made, "a", 1) == {"label": "one"}
    assert lineage.replayed(made, "a", 2) == {"owner": "lea"}


# which of the values that were read are still in use


def stored(what, result, name, version, state, **more):
    return (what, result, name, version, {"secrets": {"auth_token": state}, **more})


def read(version, *keys):
    return {"given": version, "keys": list(keys or ("auth_token",))}


MADE = stored("create", "created", "a", 1, "new")
READ = ("read", "given", "a", 1, read(1))


def in_use(*events, names=("a",)):
    links = chain(*events)
    return lineage.in_use(links, [(seq, event) for seq, event, _ in links], names)


def test_a_value_that_was_read_is_in_use_until_another_takes_its_place():
    assert in_use(MADE, READ) == ["a.auth_token"]
    assert in_use(MADE, READ, stored("update", "updated", "a", 2, "unchanged")) == ["a.auth_token"]
    assert in_use(MADE, READ, stored("update", "rejected", "a", 1, "changed")) == ["a.auth_token"]
    assert in_use(MADE, READ, stored("update", "updated", "a", 2, "changed")) == []
    assert in_use(MADE, ("read", "given", "a", 1, read(1, "account_sid"))) == []
    assert in_use(MADE, READ, names=()) == []
    assert in_use(READ) == []


def test_a_rename_leaves_it_in_use_under_the_new_name():
    moved = ("rename", "left", "a", 1, {"to": "b"}), stored("rename", "renamed", "b", 2, "unchanged", **{"from": "a"})
    assert in_use(MADE, READ, *moved, names=("b",)) == ["b.auth_token"]
    assert in_use(MADE, READ, *moved, stored("update", "updated", "b", 3, "changed"), names=("b",)) == []


def test_a_restore_brings_it_into_use_again():
    changed, back = (
        stored("update", "updated", "a", 2, "changed"),
        stored("restore", "updated", "a", 3, "changed", restores=1),
    )
    assert in_use(MADE, READ, changed, back) == ["a.auth_token"]
    assert in_use(MADE, changed, ("read", "given", "a", 2, read(2)), back) == []
    gone = ("delete", "deleted", "a", 1, {})
    assert in_use(MADE, READ, gone, stored("create", "created", "a", 2, "new")) == []
    assert in_use(MADE, READ, gone, stored("restore", "created", "a", 2, "new", restores=1)) == ["a.auth_token"]


def test_a_read_that_waits_for_the_chain_counts():
    waiting = Event(TIME, "read", "given", "a", 1, body=read(1))
    assert lineage.in_use(chain(MADE), [(0, waiting)], {"a"}) == ["a.auth_token"]


def test_a_read_of_what_bore_the_name_meanwhile_is_not_one_of_it():
    links = chain(
        MADE,
        ("rename", "left", "a", 1, {"to": "b"}),
        stored("rename", "renamed", "b", 2, "unchanged", **{"from": "a"}),
        stored("create", "created", "a", 2, "new"),
        ("read", "given", "a", 2, read(2)),
    )
    reads = [(seq, event) for seq, event, _ in links]
    assert lineage.in_use(links, reads, {"a", "b"}) == ["a.auth_token"]
    assert lineage.replayed(links, "b", 9) == {}


def secrets(**states):
    return {"secrets": states}


def test_a_value_came_up_where_it_was_stored_first_whatever_was_sealed_since():
    events = chain(
        ("create", "created", "a", 1, secrets(one="new", two="new")),
        ("update", "updated", "a", 2, secrets(one="changed", two="unchanged")),
        ("update", "rejected", "a", 2, secrets(one="changed", two="changed")),
        ("rename", "left", "a", 2, {"to": "b"}),
        ("rename", "renamed", "b", 3, {"from": "a", **secrets(one="unchanged", two="not compared")}),
        ("restore", "updated", "b", 4, {"restores": 1, **secrets(one="changed", two="unchanged")}),
        ("update", "updated", "b", 5, secrets(three="new")),
    )
    times = {seq: f"2026-11-2{seq}T00:00:00.000Z" for seq in range(1, 8)}
    dated = [(seq, replace(event, time=times[seq]), mac) for seq, event, mac in events]
    assert lineage.came_up(dated, "b", 3) == {"one": (2, times[2]), "two": (1, times[1])}
    assert lineage.came_up(dated, "b", 4) == {"one": (1, times[1]), "two": (1, times[1])}
    assert lineage.came_up(dated, "b", 5) == {"three": (5, times[7])}
    assert lineage.came_up(dated, "b", 9) == {}


def test_a_credential_that_was_deleted_and_restored_is_followed_to_its_next_name():
    began = chain(
        ("create", "created", "a", 1, {}),
        ("rename", "left", "a", 1, {"to": "b"}),
        ("rename", "renamed", "b", 2, {"from": "a"}),
        ("delete", "deleted", "b", 2, {}),
        ("restore", "created", "b", 3, {}),
        ("rename", "left", "b", 3, {"to": "c"}),
        ("rename", "renamed", "c", 4, {"from": "b"}),
    )
    assert lineage.moved(began, "a") == "c"
    another = (*began[:4], *chain(*[("create", "created", "b", 3, {})] * 5)[4:], *began[5:])
    assert lineage.moved(another, "a") == "b"
