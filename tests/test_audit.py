"""Events and their chain: what an event says, and that no edit, removal or swap stays unseen."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace

import pytest
from builders import ORIGIN, TIME, credential, record, rejection, verdict
from hypothesis import given
from hypothesis import strategies as st

from reconciler import audit
from reconciler.errors import StoreError, UsageError
from reconciler.model import Action, Answer, Event, Origin, Problem, Result, SecretState
from reconciler.plans import Change, FieldChange
from reconciler.state import SealedSecret

KEY = b"k" * 32
CI = Origin("deploy-bot", "ci", "runner-3", "github", "9f2c1ab", "tom", "lea", "212", "https://example.invalid/8812")


def mac(message: bytes) -> bytes:
    return hmac.digest(KEY, message, "sha256")


def check(message: bytes, given: bytes) -> bool:
    return hmac.compare_digest(mac(message), given)


def chain(count: int, workspace: str = "production") -> list[audit.Link]:
    links: list[audit.Link] = []
    for seq in range(1, count + 1):
        event = Event(TIME, "create", "created", f"n{seq}", 1, "00", {"secrets": {"auth_token": "new"}})
        links.append((seq, event, audit.link(links[-1][2] if links else b"", workspace, seq, event, mac)))
    return links


def problems(links, workspace="production"):
    return [(p.subject, p.code) for p in audit.verify(workspace, links, check)]


def test_a_whole_chain_has_no_problem():
    assert problems(chain(20)) == []
    assert problems([]) == []


def test_a_chain_belongs_to_its_workspace():
    assert problems(chain(1), "dev") == [("event 1", "tampered")]


CHANGES = [{"time": "x"}, {"what": "delete"}, {"result": "failed"}, {"name": "other"}, {"version": 2},
           {"row_hash": "01"}, {"body": {}}]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda c: next(iter(c)))
def test_attack_65_an_edited_event_is_found_where_it_stands(change):
    links = chain(9)
    seq, event, tag = links[4]
    links[4] = (seq, replace(event, **change), tag)
    assert problems(links) == [("event 5", "tampered")]


def test_attack_65_a_removed_event_is_found_where_it_stood():
    links = chain(9)
    del links[4:6]
    found = audit.verify("production", links, check)
    assert [(p.subject, p.detail) for p in found] == [("event 5", "missing, with all up to 6")]
    assert [p.detail for p in audit.verify("production", chain(3)[1:], check)] == ["missing"]


def test_attack_65_removing_one_and_closing_the_gap_is_found():
    links = chain(9)
    del links[4]
    links = [(seq, event, tag) for seq, (_, event, tag) in enumerate(links, 1)]
    assert [subject for subject, _ in problems(links)] == [f"event {n}" for n in range(5, 9)]


def test_attack_65_swapped_events_are_found():
    links = chain(9)
    (a, one, tag_one), (b, other, tag_other) = links[3], links[4]
    links[3:5] = [(a, other, tag_other), (b, one, tag_one)]
    assert {"event 4", "event 5"} <= {subject for subject, _ in problems(links)}
    assert problems([chain(2)[1], chain(2)[0]]) == [("event 1", "tampered"), ("event 1", "tampered")]


@given(st.integers(1, 8), st.data())
def test_attack_65_no_edit_removal_or_swap_stays_unseen(count, data):
    links = chain(count)
    at = data.draw(st.integers(0, count - 1))
    other = data.draw(st.integers(0, count - 1))
    how = data.draw(st.sampled_from(["edit", "remove", "swap", "mac"]))
    seq, event, tag = links[at]
    if how == "edit":
        links[at] = (seq, replace(event, name=event.name + "x"), tag)
    elif how == "mac":
        links[at] = (seq, event, bytes([tag[0] ^ 1]) + tag[1:])
    elif how == "remove":
        del links[at]
        # a lost end is what an anchor is for
        if at == count - 1:
            return
    elif at == other:
        return
    else:
        links[at], links[other] = (seq, *links[other][1:]), (links[other][0], event, tag)
    assert problems(links)


def test_an_event_of_a_key_that_is_not_at_hand_is_said_so():
    def without(message, given):
        raise StoreError("key-wrong", "wanted: data key 00")

    found = audit.verify("production", chain(1), without)
    assert [(p.code, p.subject, p.detail) for p in found] == [("key-wrong", "event 1", "wanted: data key 00")]


def test_attack_66_a_lost_end_is_caught_by_an_anchor_only():
    links = chain(9)
    anchor = audit.anchor(*links[-1][::2])
    assert anchor == f"9:{links[-1][2][-8:].hex()}"
    assert audit.verify_anchors([anchor], links) == []
    assert problems(links[:-1]) == []
    (problem,) = audit.verify_anchors([anchor], links[:-1])
    assert (problem.code, problem.subject) == ("tampered", "event 9")
    assert "cut off" in problem.detail


def test_attack_66_a_rewrite_with_the_key_is_caught_by_an_anchor():
    links = chain(9)
    anchor = audit.anchor(links[4][0], links[4][2])
    rewritten = []
    for seq, event, _ in links:
        previous = rewritten[-1][2] if rewritten else b""
        event = replace(event, result="failed") if seq == 2 else event
        rewritten.append((seq, event, audit.link(previous, "production", seq, event, mac)))
    assert problems(rewritten) == []
    assert "rewritten" in audit.verify_anchors([anchor], rewritten)[0].detail


@pytest.mark.parametrize(
    "text", ["", "9", "9:", "0:0000000000000000", "9:XY", "9:00000000000000000", "9:0000000000000000\n"]
)
def test_what_is_no_anchor_is_a_usage_error(text):
    with pytest.raises(UsageError):
        audit.verify_anchors([text], [])


def test_canonical_bytes_are_final():
    event = Event(TIME, "update", "updated", "m", 4, "ab", {"who": {"ci": "", "actor": "Zoë"}, "digest": "c1-0"})
    assert audit.canonical(event) == (
        b'{"body":{"digest":"c1-0","who":{"actor":"Zo\\u00eb","ci":""}},"name":"m","result":"updated",'
        b'"row_hash":"ab","time":"2026-11-23T14:02:08.125Z","version":4,"what":"update"}'
    )
    assert json.loads(audit.canonical(event))["body"] == event.body
    covered = b"".join(
        len(part).to_bytes(4, "big") + part
        for part in (b"reconciler-event-1", b"production", (7).to_bytes(8, "big"), b"before", audit.canonical(event))
    )
    assert audit.link(b"before", "production", 7, event, mac) == mac(covered)


ROW = dict.fromkeys(audit.ROW, "") | {"name": "m", "version": 3, "declared": "{}"}
SEALED = SealedSecret("auth_token", 2, "key", b"cipher", b"print")


def test_row_hash_is_final():
    parts = [b"reconciler-row-1", b"m", (3).to_bytes(8, "big"), b"", b"", b"{}", *[b""] * 6]
    parts += [b"auth_token", (2).to_bytes(8, "big"), b"key", b"print", b"cipher"]
    joined = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    assert audit.row_hash(ROW, [SEALED]) == hashlib.sha256(joined).hexdigest()


@pytest.mark.parametrize("column", audit.ROW)
def test_row_hash_covers_every_column(column):
    other = ROW | {column: 4 if column == "version" else "other"}
    assert audit.row_hash(other, [SEALED]) != audit.row_hash(ROW, [SEALED])


@pytest.mark.parametrize(
    "change", [{"field": "x"}, {"version": 1}, {"key_id": "x"}, {"sealed": b"x"}, {"fingerprint": b"x"}]
)
def test_row_hash_covers_every_secret(change):
    assert audit.row_hash(ROW, [replace(SEALED, **change)]) != audit.row_hash(ROW, [SEALED])
    assert audit.row_hash(ROW, []) != audit.row_hash(ROW, [SEALED])


def test_row_hash_does_not_depend_on_the_order_of_secrets():
    other = replace(SEALED, field="api_key_secret")
    assert audit.row_hash(ROW, [SEALED, other]) == audit.row_hash(ROW, [other, SEALED])


# events


def update(**rest) -> Change:
    return Change(
        Action.UPDATE, "marketing-us", "twilio", ("secret", "common"),
        fields=(FieldChange("label", "US", "US & CA"),), secrets={"auth_token": SecretState.CHANGED},
        expected_version=3, credential=credential("marketing-us"),
        record=record("marketing-us", fingerprint=bytes.fromhex("a3f91c07ffffffff"), version=3), **rest,
    )  # fmt: skip


def test_the_event_of_an_update_says_what_changed_and_who_did_it():
    sealed = [replace(SEALED, fingerprint=bytes.fromhex("5be2d410eeeeeeee"))]
    event = audit.outcome(update(), Result.UPDATED, CI, TIME, "c1-7f", version=4, verdict=verdict(), sealed=sealed)
    assert (event.time, event.what, event.result, event.name, event.version) == (TIME, "update", "updated",
                                                                                 "marketing-us", 4)  # fmt: skip
    assert event.row_hash == ""
    assert event.body == {
        "provider": "twilio",
        "reasons": ["secret", "common"],
        "fields": [["label", "US", "US & CA"]],
        "secrets": {"auth_token": "changed"},
        "fingerprints": {"auth_token": ["a3f91c07", "5be2d410"]},
        "verdict": {"answer": "valid", "code": "accepted", "http_status": 200, "at": TIME, "account": "AC1",
                    "asked": "GET https://api.twilio.com/2010-04-01/Accounts/AC1.json"},
        "digest": "c1-7f",
        "who": {"actor": "deploy-bot", "source": "ci", "host": "runner-3", "ci": "github", "commit": "9f2c1ab",
                "commit_author": "tom", "triggered_by": "lea", "pull_request": "212",
                "run_url": "https://example.invalid/8812"},
    }  # fmt: skip


def test_a_rejection_shows_in_part_which_value_was_refused():
    refused = replace(rejection("marketing-us"), fingerprints={"auth_token": bytes.fromhex("99999999aaaaaaaa")})
    event = audit.outcome(update(), Result.REJECTED, CI, TIME, verdict=verdict(Answer.REJECTED), rejection=refused)
    assert event.body["fingerprints"] == {"auth_token": ["a3f91c07", "99999999"]}
    assert event.body["verdict"]["code"] == "key-refused"
    assert "digest" not in event.body


def test_a_failure_names_its_code_only():
    problem = Problem("secret-missing", "summary", detail="detail")
    event = audit.outcome(update(), Result.FAILED, ORIGIN, TIME, problem=problem)
    assert (event.result, event.body["problem"]) == ("failed", "secret-missing")
    assert "verdict" not in event.body


def test_what_happened_outside_ci_is_marked():
    assert audit.who(ORIGIN) == {"actor": "lea", "source": "os", "host": "desk", "ci": ""}


def test_a_dropped_rejection_says_why():
    event = audit.dropped("otp", "rejection-gone", ORIGIN, TIME, digest="c1-7f")
    assert (event.what, event.result, event.name) == ("cancel", "dropped", "otp")
    assert event.body == {"reasons": ["rejection-gone"], "digest": "c1-7f", "who": audit.who(ORIGIN)}


def test_every_event_can_be_written_down():
    event = audit.outcome(update(unresolved={"auth_token": "secret-missing"}), Result.SKIPPED, CI, TIME)
    assert json.loads(audit.canonical(event))["what"] == "update"


def test_an_auditors_line_holds_all_that_its_mac_covers():
    first, second = chain(2)
    line = json.loads(audit.line("production", second, first[2]))
    parts = (
        b"reconciler-event-1",
        line["workspace"].encode(),
        line["seq"].to_bytes(8, "big"),
        bytes.fromhex(line["previous"]),
        json.dumps(line["event"], sort_keys=True, separators=(",", ":")).encode(),
    )
    assert mac(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).hex() == line["mac"]
