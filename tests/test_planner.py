"""The planner: what is a change, why, whether the provider is asked, and what a verdict makes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import TRAITS, credential, record, rejection, verdict
from hypothesis import given
from hypothesis import strategies as st

from reconciler import renames
from reconciler.gates import delete_limit
from reconciler.model import Action, Answer, Declared, Result, SecretState, Status
from reconciler.planner import plan
from reconciler.report import plan_also
from reconciler.scope import Known, Scope
from reconciler.verdicts import settle, status

SCOPE = Scope("store", "production")


def known(**values: bytes) -> Known:
    return Known({(name.replace("_", "-"), "auth_token"): value for name, value in values.items()})


def make(credentials=(), records=(), rejections=(), found=None, scope=SCOPE):
    return plan(
        {c.name: c for c in credentials},
        {r.name: r for r in records},
        {r.name: r for r in rejections},
        found or Known({(c.name, "auth_token"): b"same" for c in credentials}),
        TRAITS,
        scope,
    )


def only(made):
    (change,) = made.changes
    return change


def test_a_new_credential_is_created_and_asked_about():
    change = only(make([credential("a")]))
    assert (change.action, change.reasons, change.asks) == (Action.CREATE, ("new",), True)
    assert change.secrets == {"auth_token": SecretState.NEW}
    assert change.expected_version == 0


def test_a_credential_stored_as_declared_is_kept():
    made = make([credential("a")], [record("a", fingerprint=b"same")])
    assert made.changes == ()
    assert made.kept == ("a",)


def test_a_rotated_secret_under_unchanged_yaml_is_an_update():
    change = only(make([credential("a")], [record("a", fingerprint=b"old")]))
    assert (change.action, change.reasons, change.asks) == (Action.UPDATE, ("secret",), True)
    assert change.secrets == {"auth_token": SecretState.CHANGED}
    assert change.fields == ()


def test_a_label_alone_is_stored_without_asking():
    change = only(make([credential("a", label="New")], [record("a", fingerprint=b"same")]))
    assert (change.reasons, change.asks) == (("common",), False)
    assert [(f.field, f.before, f.after) for f in change.fields] == [("label", None, "New")]


def test_a_new_reference_to_the_same_value_is_stored_without_asking():
    change = only(make([credential("a", token="env://OTHER")], [record("a", fingerprint=b"same")]))
    assert (change.reasons, change.asks) == (("reference",), False)


def test_a_new_reference_that_cannot_be_compared_is_asked_about():
    missing = Known({}, {("a", "auth_token"): "secret-missing"})
    change = only(make([credential("a", token="env://OTHER")], [record("a")], found=missing))
    assert change.asks
    assert change.unresolved == {"auth_token": "secret-missing"}


def test_an_unchanged_credential_whose_secret_is_not_here_is_kept():
    missing = Known({}, {("a", "auth_token"): "secret-missing"})
    made = make([credential("a")], [record("a")], found=missing)
    assert made.kept == ("a",)
    assert (made.secrets_total, made.secrets_compared) == (1, 0)


def test_a_label_change_needs_no_secret():
    missing = Known({}, {("a", "auth_token"): "secret-missing"})
    change = only(make([credential("a", label="x")], [record("a")], found=missing))
    assert not change.asks
    assert change.unresolved == {}


def test_another_account_is_named_as_the_first_reason():
    change = only(make([credential("a", sid="AC9")], [record("a", fingerprint=b"same")]))
    assert change.reasons[0] == "account"
    assert change.replaces_account
    assert change.asks


def test_protection_in_the_store_blocks_another_account_even_where_the_manifest_lifts_it():
    stored = record("a", fingerprint=b"same", protected=True)
    assert only(make([credential("a", sid="AC9", protected=False)], [stored])).blocked == "protected"


def test_protection_lets_label_and_secret_pass():
    stored = record("a", fingerprint=b"old", protected=True)
    assert only(make([credential("a", label="x", protected=True)], [stored])).blocked == ""


# renames


def moved(name="new", old="old", **rest):
    return replace(credential(name, **rest), moved_from=old)


def test_a_rename_alone_is_stored_without_asking_and_deletes_nothing():
    for scope in (SCOPE, replace(SCOPE, prune=True)):
        change = only(make([moved()], [record("old", version=4)], scope=scope))
        assert (change.action, change.reasons, change.asks) == (Action.RENAME, ("renamed",), False)
        assert (change.old_name, change.stored_name, change.expected_version) == ("old", "old", 4)
        assert (change.fields, change.secrets) == ((), {"auth_token": SecretState.UNCHANGED})


def test_a_rename_needs_no_secret_here():
    change = only(make([moved()], [record("old")], found=Known({}, {("new", "auth_token"): "secret-missing"})))
    assert (change.reasons, change.asks, change.unresolved) == (("renamed",), False, {})


def test_a_rename_with_other_changes_is_asked_about_as_an_update_is():
    change = only(make([moved(label="x")], [record("old")]))
    assert (change.action, change.reasons, change.asks) == (Action.RENAME, ("renamed", "common"), False)
    change = only(make([moved()], [record("old", fingerprint=b"other")]))
    assert (change.action, change.reasons, change.asks) == (Action.RENAME, ("renamed", "secret"), True)
    change = only(make([moved(sid="AC9")], [record("old")]))
    assert change.reasons == ("renamed", "account", "settings")


def test_protection_passes_a_rename_and_is_not_lifted_by_one():
    stored = record("old", protected=True)
    assert only(make([moved(protected=True)], [stored])).blocked == ""
    assert only(make([moved(label="x", protected=True)], [stored])).blocked == ""
    assert only(make([moved(sid="AC9", protected=True)], [stored])).blocked == "protected"
    assert only(make([moved(protected=False)], [stored])).blocked == "protected"


def test_a_spent_moved_from_is_noted_and_changes_nothing():
    made = make([moved()], [replace(record("new"), old_name="old")])
    assert (only(made).action, only(made).reasons) == (Action.NOTE, ("moved-from-spent",))
    assert (made.kept, made.effective) == (("new",), ())
    assert plan_also(made) == "Also: 1 spent moved_from."


def test_an_old_name_that_went_from_the_manifest_is_given_up_without_asking():
    change = only(make([credential("new")], [replace(record("new"), old_name="old")]))
    assert (change.action, change.reasons, change.asks) == (Action.UPDATE, ("moved-from",), False)
    assert [(f.field, f.before, f.after) for f in change.fields] == [("moved_from", "old", None)]


@pytest.mark.parametrize(
    ("old", "sid", "stored", "meant"),
    [
        ("alerts-ue", "AC2", "alerts-eu", ["alerts-eu"]),  # a name like it
        ("something", "AC1", "alerts-eu", ["alerts-eu"]),  # the same account
        ("something", "AC2", "alerts-eu", []),
    ],
)
def test_a_moved_from_that_names_nothing_is_told_with_what_it_probably_meant(old, sid, stored, meant):
    entry, scope = replace(credential("new", sid=sid), moved_from=old), replace(SCOPE, prune=True)
    pruned = make([entry], [record(stored)], scope=scope)
    assert [refusal.code for refusal in pruned.refusals] == ["moved-from-unknown"] * len(meant)
    assert list(renames.notes(pruned.changes)) == []
    kept = make([entry], [record(stored)])
    assert kept.refusals == ()
    assert [note.hint for note in renames.notes(kept.changes)] == [f"did you mean  moved_from: {m} ?" for m in meant]


@pytest.mark.parametrize(
    ("entry", "meant"),
    [
        (credential("new"), ["left", "other"]),
        (credential("new", sid="AC2"), []),  # another account
        (replace(credential("new"), declared=Declared("sinch", {}, {"account_sid": "AC1"}, {})), []),
        (replace(credential("new"), moved_from="left"), []),  # said
        (replace(credential("new"), moved_from="gone"), []),  # told as a mistake
        (credential("same"), []),  # stored
    ],
)
def test_a_create_with_the_account_of_what_is_left_over_looks_like_a_rename(entry, meant):
    stored = [record("left"), record("other"), record("same"), record("far", sid="AC3")]
    for scope in (SCOPE, replace(SCOPE, prune=True, max_deletes=9)):
        pairs = list(renames.alike(make([entry], stored, scope=scope).changes, TRAITS))
        assert [other.name for _, other in pairs if other.name != "same"] == meant
        told = list(renames.unsaid(pairs))
        assert [problem.place for problem in told] == [entry.place()] * bool(meant)
        assert all(problem.hint.endswith("moved_from: left") for problem in told)
        assert all((" deletes " if scope.prune else " keeps ") in problem.detail for problem in told)


def test_a_moved_from_is_no_mistake_where_nothing_is_left_over_or_the_entry_is_stored():
    wrong = replace(credential("new"), moved_from="alerts-ue")
    everything = make([wrong, credential("alerts-eu")], [record("alerts-eu")], scope=replace(SCOPE, prune=True))
    there = make([wrong], [replace(record("new"), old_name="alerts-ue"), record("alerts-eu")],
                 scope=replace(SCOPE, prune=True))  # fmt: skip
    assert (everything.refusals, there.refusals) == ((), ())


def test_a_moved_from_of_what_was_never_stored_is_a_create_that_says_so():
    change = only(make([moved()]))
    assert (change.action, change.reasons) == (Action.CREATE, ("new",))
    assert [f.after for f in change.fields if f.field == "moved_from"] == ["old"]


def test_a_second_rename_says_that_the_first_name_is_given_up():
    change = only(make([moved("c", "b")], [replace(record("b"), old_name="a")]))
    assert change.reasons == ("renamed",)
    assert [(f.field, f.before, f.after) for f in change.fields] == [("moved_from", "a", "b")]


def test_where_both_names_are_stored_apply_will_refuse():
    for scope in (SCOPE, replace(SCOPE, prune=True)):
        made = make([moved()], [record("old"), record("new")], scope=scope)
        change = only(made)
        assert (change.action, change.blocked) == (Action.RENAME, "name-taken")
        assert [(r.code, r.detail) for r in made.refusals] == [("name-taken", "old and new")]


def test_a_selection_takes_a_rename_by_its_new_name():
    entries, records = [moved(), credential("other")], [record("old"), record("other", label="x")]
    assert only(make(entries, records, scope=replace(SCOPE, only=("new",)))).action is Action.RENAME
    assert make(entries, records, scope=replace(SCOPE, only=("old",), prune=True)).changes == ()


def test_the_digest_covers_from_which_name():
    digests = {make([moved(old=old)], [record(old)]).digest for old in ("old", "older")}
    assert len(digests) == 2


def test_a_rejection_under_the_old_name_has_lost_its_reason():
    made = make([moved()], [record("old")], [rejection("old")])
    assert [(c.name, c.reasons) for c in made.changes] == [("new", ("renamed",)), ("old", ("rejection-gone",))]


# what no manifest asks for


def test_a_record_that_no_manifest_declares_is_noted_and_kept():
    made = make([], [record("a")])
    assert (only(made).action, only(made).reasons) == (Action.NOTE, ("undeclared",))
    assert made.effective == ()


@pytest.mark.parametrize(
    ("stored", "found", "entry", "told"),
    [
        (True, b"bad", {}, True),
        (False, b"bad", {}, True),
        (True, b"another", {}, False),
        (True, b"bad", {"sid": "AC2"}, False),
        (True, None, {}, False),
    ],
    ids=["an update", "a create", "another secret", "other settings", "a secret that is not here"],
)
def test_what_was_refused_already_is_known_as_such(stored, found, entry, told):
    records = [record("a", fingerprint=b"old")] if stored else []
    refused = replace(rejection("a"), fingerprints={"auth_token": b"bad"})
    key = ("a", "auth_token")
    seen = Known({key: found}) if found else Known({}, {key: "secret-missing"})
    made = make([credential("a", label="x", **entry)], records, [refused], seen)
    assert [change.refused_before for change in made.changes] == [told]
    skipped = make([credential("a", label="x", **entry)], records, [refused], Known(compared=False))
    assert [change.refused_before for change in skipped.changes] == [False]


def test_a_rejection_whose_entry_is_gone_is_noted():
    assert only(make([], [], [rejection("a")])).reasons == ("rejection-gone",)


def test_a_rejection_of_what_equals_the_stored_record_again_is_noted():
    change = only(make([credential("a")], [record("a", fingerprint=b"same")], [rejection("a")]))
    assert change.reasons == ("rejection-settled",)


def test_a_rejection_is_not_called_settled_where_the_secret_was_not_compared():
    missing = Known({}, {("a", "auth_token"): "secret-missing"})
    assert make([credential("a")], [record("a")], [rejection("a")], found=missing).changes == ()


def test_a_rejected_create_is_planned_again():
    change = only(make([credential("a")], [], [rejection("a")]))
    assert change.action is Action.CREATE
    assert change.rejection is not None


def test_only_selects_by_glob_and_makes_the_plan_partial():
    made = make([credential("a-1"), credential("b-1")], scope=replace(SCOPE, only=("a-*",)))
    assert [c.name for c in made.changes] == ["a-1"]
    assert made.partial


def test_only_leaves_out_what_is_undeclared_elsewhere():
    made = make([credential("a-1")], [record("b-1")], scope=replace(SCOPE, only=("a-*",)))
    assert [c.name for c in made.changes] == ["a-1"]


PRUNE = replace(SCOPE, prune=True)


def test_prune_deletes_what_no_manifest_declares_without_asking():
    change = only(make([], [record("a")], scope=PRUNE))
    assert (change.action, change.asks, change.expected_version) == (Action.DELETE, False, 1)


def test_prune_with_only_stays_in_its_selection():
    made = make([], [record("a-1"), record("b-1")], scope=replace(PRUNE, only=("a-*",)))
    assert [c.name for c in made.changes] == ["a-1"]


def test_prune_takes_the_rejection_of_a_record_with_it():
    made = make([], [record("a")], [rejection("a"), rejection("b")], scope=PRUNE)
    assert [(c.name, c.action) for c in made.changes] == [("a", Action.DELETE), ("b", Action.NOTE)]


def test_protection_blocks_a_delete():
    made = make([], [record("a", protected=True)], scope=PRUNE)
    assert only(made).blocked == "protected"
    assert [p.code for p in made.refusals] == ["protected"]


@pytest.mark.parametrize(
    ("stored", "limit"), [(0, 1), (1, 1), (3, 1), (5, 1), (6, 2), (29, 9), (30, 10), (33, 10), (10_000, 10)]
)
def test_the_delete_limit_is_the_smaller_of_ten_and_a_third_but_one(stored, limit):
    assert delete_limit(stored) == limit


def test_more_deletes_than_the_limit_want_the_number_named():
    stored = [record(f"n{i}") for i in range(6)]
    declared = [credential(f"n{i}") for i in range(3)]
    assert [p.code for p in make(declared, stored, scope=PRUNE).refusals] == ["too-many-deletes"]
    assert make(declared, stored, scope=replace(PRUNE, max_deletes=3)).refusals == ()
    assert make(declared, stored, scope=replace(PRUNE, max_deletes=2)).refusals
    assert "--max-deletes 3" in make(declared, stored, scope=PRUNE).refusals[0].hint


def test_skipped_secrets_give_a_digest_of_its_own_kind():
    compared = make([credential("a")])
    skipped = make([credential("a")], found=Known(compared=False))
    assert compared.digest.startswith("c1-")
    assert skipped.digest.startswith("s1-")
    assert skipped.digest[3:] != compared.digest[3:], "nobody makes one of the other by its first letter"
    assert len(compared.digest) == 3 + 32


def test_without_a_store_there_is_no_digest():
    assert make([credential("a")], scope=Scope("", "production")).digest == ""


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda: make([credential("a", label="x")]), "a field"),
        (lambda: make([credential("a", token="env://OTHER")]), "a reference"),
        (lambda: make([credential("b")]), "a name"),
        (lambda: make([credential("a")], scope=Scope("other", "production")), "the store"),
        (lambda: make([credential("a")], scope=Scope("store", "staging")), "the workspace"),
        (lambda: make([credential("a")], scope=replace(SCOPE, only=("a",))), "the selection"),
        (lambda: make([credential("a")], [record("a", fingerprint=b"old")]), "the expected version"),
    ],
)
def test_the_digest_covers(change, why):
    assert change().digest != make([credential("a")]).digest, why


def test_the_digest_does_not_cover_notes_or_places():
    plain = make([credential("a")])
    assert make([credential("a", file="elsewhere.yaml", line=99)], [record("z")]).digest == plain.digest


def test_the_digest_is_the_documented_text():
    # a second writing of D7, so that the format cannot drift unnoticed
    import hashlib

    text = (
        '{"changes":[{"action":"create","expected":0,"fields":[["account_sid",null,"AC1"],'
        '["auth_token",null,"env://T"],["provider",null,"twilio"]],"name":"a","provider":"twilio","reasons":["new"],'
        '"references":{"auth_token":"env://T"},"secrets":{"auth_token":"new"}}],"compared":true,"digest":1,'
        '"selection":{"only":[],"prune":false,"secrets_only":false},"store":"store","workspace":"production"}'
    )
    assert make([credential("a")]).digest == "c1-" + hashlib.sha256(text.encode()).hexdigest()[:32]


NAMES = st.lists(st.sampled_from("abcdefgh"), unique=True)


@given(
    declared=st.permutations([credential(n) for n in "abcdef"]), stored=st.permutations([record(n) for n in "cdefgh"])
)
def test_order_does_not_matter(declared, stored):
    first = make([credential(n) for n in "abcdef"], [record(n) for n in "cdefgh"])
    again = make(declared, stored)
    assert (again.digest, again.changes, again.kept) == (first.digest, first.changes, first.kept)


@given(names=NAMES, stored=NAMES, glob=st.sampled_from(["a", "[a-d]", "*"]))
def test_a_partial_plan_is_a_subset_of_the_full_one(names, stored, glob):
    full = make([credential(n) for n in names], [record(n) for n in stored])
    part = make([credential(n) for n in names], [record(n) for n in stored], scope=replace(SCOPE, only=(glob,)))
    assert set(part.kept) <= set(full.kept)
    assert {c.name for c in part.changes} <= {c.name for c in full.changes}


@pytest.mark.parametrize(
    ("action", "answer", "result"),
    [
        (Action.CREATE, Answer.VALID, Result.CREATED),
        (Action.CREATE, Answer.REJECTED, Result.REJECTED),
        (Action.CREATE, Answer.UNKNOWN, Result.FAILED),
        (Action.UPDATE, Answer.VALID, Result.UPDATED),
        (Action.UPDATE, Answer.REJECTED, Result.REJECTED),
        (Action.UPDATE, Answer.UNKNOWN, Result.FAILED),
        (Action.UPDATE, None, Result.UPDATED),
        (Action.RENAME, None, Result.RENAMED),
        (Action.DELETE, None, Result.DELETED),
        (Action.DELETE, Answer.REJECTED, Result.KEPT),
        (Action.KEEP, None, Result.KEPT),
    ],
)
def test_settle_is_the_table_of_the_design(action, answer, result):
    change = replace(only(make([credential("a")])), action=action)
    assert settle(change, verdict(answer) if answer else None) is result


@pytest.mark.parametrize(
    ("code", "refused", "shown"),
    [
        ("accepted", False, Status.READY),
        ("accepted", True, Status.UPDATE_REJECTED),
        ("limited", False, Status.LIMITED),
        ("limited", True, Status.UPDATE_REJECTED),
        ("key-refused", False, Status.REFUSED_NOW),
        ("key-refused", True, Status.REFUSED_NOW),
        ("account-inactive", False, Status.SUSPENDED),
        ("throttled", False, Status.NOT_REACHED),
    ],
)
def test_status_of_a_stored_credential(code, refused, shown):
    assert status(record("a", code=code), rejection("a") if refused else None) is shown


def test_status_of_one_that_was_never_stored():
    assert status(None, rejection("a")) is Status.REJECTED
