"""One credential through its names, told from events alone."""

from __future__ import annotations

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
    assert lineage.versions(THERE_AND_BACK, "b") == {2: "b", 1: "a"}
    assert lineage.versions(THERE_AND_BACK, "c") == {}
    assert lineage.numbers(THERE_AND_BACK, "b") == {1, 2, 4, 7}
    assert lineage.numbers(THERE_AND_BACK, "a") == {1, 2, 3, 4, 5, 6, 8}


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
