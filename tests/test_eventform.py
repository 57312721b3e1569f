"""The form of what events say: ours have it, another one is told and no bug."""

from __future__ import annotations

import copy

import pytest
import storing
from builders import ORIGIN, TIME, verdict

from reconciler import audit, eventform
from reconciler.errors import StoreError
from reconciler.model import Action, Answer, Event, Result, SecretState
from reconciler.plans import Change, FieldChange
from reconciler.state import SealedSecret

CHANGE = Change(
    Action.UPDATE, "a", "twilio", ("secret",), fields=(FieldChange("label", None, "A"),),
    secrets={"auth_token": SecretState.CHANGED},
)  # fmt: skip
LEASE = {"id": "aa", "fencing": 3, "actor": "tom", "host": "desk", "pid": 12, "since": TIME}
SEALED = (SealedSecret("auth_token", 2, "k", b"", bytes(16)),)
VERDICT = verdict(Answer.REJECTED)
OURS = (
    audit.outcome(CHANGE, Result.REJECTED, ORIGIN, TIME, "c1-0", plan="p", verdict=VERDICT, sealed=SEALED),
    audit.left(CHANGE, ORIGIN, TIME),
    audit.forgotten("a", [1], ["auth_token v1"], audit.who(ORIGIN), TIME),
    audit.dropped("a", "cancel", ORIGIN, TIME),
    audit.taken_away(LEASE, ORIGIN, TIME),
    audit.checked("a", "twilio", "ready", "not ready", VERDICT, ORIGIN, TIME),
    storing.read("a"),
    Event(TIME, "update", "updated", "a", body={"kept": {"version": 1, "until": TIME}, "read": 3, "later": {"a": [1]}}),
)
ODD = {"who": 5, "secrets": [], "fingerprints": {"auth_token": 5}, "fields": [["a", 1]], "reasons": -1, "verdict": None,
       "digest": {}, "provider": [], "status": ["a"], "lease": {"since": 5}, "kept": [], "versions": [True],
       "given": "1", "keys": [[1]], "read": [1], "to": 5}  # fmt: skip


def test_what_this_program_writes_and_what_a_later_one_adds_has_the_form():
    assert {key for event in OURS for key in event.body} >= ODD.keys()
    assert eventform.formed("production", [(1, event, b"") for event in OURS]) is None


@pytest.mark.parametrize("key", ODD)
def test_attack_65_another_form_is_tampered_and_named(key):
    body = {**copy.deepcopy(OURS[0].body), key: ODD[key]}
    with pytest.raises(StoreError, match=f"event 7 of production cannot be read: its {key} has another form"):
        eventform.formed("production", [(7, Event(TIME, "update", "updated", "a", body=body), b"")])
