"""Laws that hold whatever people declare and whatever providers answer. The histories are drawn, the pieces are real.

Where CI is set, hypothesis draws the same histories every time.
"""

from __future__ import annotations

import base64
import json
import random
from dataclasses import replace
from urllib.parse import quote

import jsonschema_rs
import pytest
import worlds
from builders import TIME
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from reconciler import audit, manifest, plugins, schema, wording
from reconciler.app.restoring import kept
from reconciler.errors import ManifestInvalid
from reconciler.model import Action, Answer
from reconciler.planner import plan
from reconciler.render import FORMATS, render
from reconciler.schema import Checker
from reconciler.scope import Known, Scope
from reconciler.yamlreader import read

BUILTIN = schema.builtin()
CHECKER = Checker(BUILTIN)
DECIDES = jsonschema_rs.Draft202012Validator(BUILTIN, validate_formats=False)
EXPLAINS = wording._Explainer(BUILTIN)
few = settings(max_examples=100, deadline=None)
"""Each example makes a store and applies to it several times."""


# a manifest is valid or not, whoever is asked

TEXTS = [
    "", "x", "eu", "eu\n", "us1", "mars", "AC" + "0" * 32, "AC" + "0" * 32 + "\n", "ac" + "0" * 32, "SK" + "f" * 32,
    "env://A", "env://A\n", "env:// A", "file://token", "vault://kv/x", "ENV://A", "0" * 32, "plan_1-x", "x" * 65,
    "x1.api.infobip.com", "https://x1.api.infobip.com", "https://x1.api.infobip.com:443", "https://infobip.com.evil.com",
    "http://x1.api.infobip.com", "x." * 130 + "infobip.com",
]  # fmt: skip
ODD = [*TEXTS, None, True, 0, 10**12, 1.5, [], ["eu"], {}, {"a": "b"}]
GOOD = {
    "twilio": [
        {"account_sid": "AC" + "0" * 32, "auth_token": "env://T"},
        {"account_sid": "AC" + "0" * 32, "api_key_sid": "SK" + "f" * 32, "api_key_secret": "file://k", "region": "ie1"},
    ],
    "sinch": [{"region": "eu", "service_plan_id": "0" * 32, "api_token": "env://T"}],
    "infobip": [{"base_url": "https://x1.api.infobip.com", "api_key": "env://K"}],
}


def own_keys(provider: str) -> list[str]:
    return [*plugins.provider(provider).fields.model_fields, "nonsense"]


@st.composite
def entries(draw) -> tuple[str, dict]:
    """A provider, and keys of its own of which some may be wrong, absent, or no keys at all."""
    name = draw(st.sampled_from(sorted(GOOD)))
    good = draw(st.sampled_from(GOOD[name]))
    odd = draw(st.dictionaries(st.sampled_from(own_keys(name)), st.sampled_from(ODD), max_size=3))
    gone = draw(st.sets(st.sampled_from(own_keys(name)), max_size=2))
    return name, {key: value for key, value in (good | odd).items() if key not in gone}


def model_takes(provider: str, own: dict) -> bool:
    try:
        plugins.provider(provider).fields.model_validate(own)
    except ValidationError:
        return False
    return True


NOT_THE_SCHEMAS = {"secret-literal", "bad-reference", "reference-form", "unknown-scheme"}
"""What is wrong with the text of a reference is more than a pattern can say; a model is never given one to judge."""


def agree(provider: str, own: dict) -> None:
    document = {"version": 1, "workspace": "w", "credentials": {"a": {"provider": provider, **own}}}
    decides = DECIDES.is_valid(document)
    assert decides == model_takes(provider, own)
    assert decides == EXPLAINS.is_valid(document)
    errors = {t.code for t in CHECKER.troubles(read(json.dumps(document))) if t.severity == "error"}
    assert errors <= NOT_THE_SCHEMAS if decides else errors


@settings(max_examples=300, deadline=None)
@given(entries())
def test_the_models_the_schema_libraries_and_the_reader_agree_on_every_entry(drawn):
    agree(*drawn)


@pytest.mark.parametrize("provider", GOOD)
def test_they_agree_on_every_odd_value_of_every_key(provider):
    for good in GOOD[provider]:
        for key in own_keys(provider):
            agree(provider, {k: v for k, v in good.items() if k != key})
            for odd in ODD:
                agree(provider, good | {key: odd})


def read_or_problems(file):
    """What the reader makes of a file: a manifest, or why there is none."""
    try:
        return manifest.read([file], BUILTIN), ()
    except ManifestInvalid as invalid:
        return None, invalid.problems


@given(entries())
@settings(max_examples=100, deadline=None)
def test_an_accepted_manifest_holds_what_was_written_and_another_gives_no_credential(tmp_path_factory, drawn):
    provider, own = drawn
    file = tmp_path_factory.getbasetemp() / "law.yaml"
    file.write_text(json.dumps({"version": 1, "workspace": "w", "credentials": {"a": {"provider": provider, **own}}}))
    made, problems = read_or_problems(file)
    if made is None:
        assert problems
        assert all(problem.place for problem in problems)
        return
    assert model_takes(provider, own)
    declared = made.credentials["a"].declared
    held = {**declared.settings, **declared.references}
    if "base_url" in held:
        assert held["base_url"] == "https://" + own["base_url"].removeprefix("https://").removesuffix(":443")
        held["base_url"] = own["base_url"]
    assert held == own


# apply brings about what was planned, and only that


@few
@given(worlds.HISTORY)
def test_after_an_apply_the_accepted_are_gone_from_the_plan_and_the_others_are_planned_again(history):
    with worlds.world() as world:
        for now in history:
            applied = world.apply(now)
            again, _ = world.plan(now)
            rejected = {name for name, result in applied.results.items() if result == "rejected"}
            left = {c.name: replace(c, rejection=None) for c in again.effective}
            before = {
                c.name: replace(c, rejection=None, refused_before=c.refused_before or c.name in rejected)
                for c in applied.plan.effective
            }
            if applied.plan.refusals:
                assert left == before
                continue
            assert left == {name: change for name, change in before.items() if name not in applied.stored}
            assert applied.stored <= set(again.kept)
            assert (again.digest == applied.plan.digest) == (not applied.stored)
            assert not [c for c in again.changes if {"rejection-gone", "rejection-settled"} & set(c.reasons)]


@few
@given(worlds.HISTORY)
def test_a_plan_after_everything_was_accepted_is_empty(history):
    with worlds.world() as world:
        for drawn in history:
            complete = {text: drawn.values.get(text, "GHJKLMNPQRST") for text in worlds.REFERENCES}
            now = replace(drawn, values=complete, answers=dict.fromkeys("abcd", "accepted"))
            refused = world.apply(now).plan.refusals
            again, _ = world.plan(now)
            assert bool(again.effective) == bool(refused)
            for name in again.kept:
                references = now.manifest[name].references
                assert world.values()[name] == {key: complete[text] for key, text in references.items()}
            assert not world.snapshot().rejections


@few
@given(worlds.HISTORY)
def test_a_rename_plans_no_destroy_and_leaves_the_others_alone(history):
    with worlds.world() as world:
        for now in history:
            moved = {old for old in now.moved.values() if old in world.snapshot().records}
            pruned, _ = world.plan(now, prune=True)
            assert not moved & {c.name for c in pruned.of(Action.DELETE)}
            assert {c.old_name for c in pruned.of(Action.RENAME)} == moved
            before, applied = world.snapshot().records, world.apply(now)
            after = world.snapshot().records
            for old, new in applied.renamed.items():
                assert old not in after
                assert (after[new].created_at, after[new].created_by) == (
                    before[old].created_at,
                    before[old].created_by,
                )
                assert world.kit.store.find("production", old)[0] == after[new]
            assert len(after) == len(before) + sum(r == "created" for r in applied.results.values())


@few
@given(worlds.HISTORY)
def test_applying_twice_is_applying_once(history):
    def settled(world):
        snapshot = world.snapshot()
        # a second attempt counts, and nothing else changes
        tried = {name: replace(r, attempts=0) for name, r in snapshot.rejections.items()}
        return snapshot.records, tried, world.values()

    with worlds.world() as world:
        for now in history:
            first = world.apply(now)
            once, attempts = settled(world), {n: r.attempts for n, r in world.snapshot().rejections.items()}
            second = world.apply(now)
            assert settled(world) == once
            assert second.results == {n: r for n, r in first.results.items() if n not in first.stored}
            again = {name for name, result in second.results.items() if result == "rejected"}
            assert {n: r.attempts for n, r in world.snapshot().rejections.items()} == {
                name: count + (name in again) for name, count in attempts.items()
            }


@few
@given(worlds.HISTORY, st.randoms(use_true_random=False))
def test_neither_the_order_of_entries_nor_of_asking_matters(history, chance: random.Random):
    def shuffled(mapping):
        return dict(chance.sample(sorted(mapping.items()), len(mapping)))

    with worlds.world() as one, worlds.world(parallelism=1) as other:
        for now in history:
            mixed = replace(now, manifest=shuffled(now.manifest))
            made, _ = one.plan(now)
            assert one.plan(mixed)[0] == made
            snapshot = one.snapshot()
            known = Known({}, {})
            arguments = (snapshot.records, snapshot.rejections)
            forwards, backwards = (
                plan(round_.credentials, *stored, known, worlds.TRAITS, Scope("s", "w"))
                for round_, stored in ((now, arguments), (mixed, map(shuffled, arguments)))
            )
            assert forwards == backwards
            assert forwards.digest
            assert one.apply(now).results == other.apply(mixed).results
            assert one.values() == other.values()
            assert told(one) == told(other)


def told(world) -> tuple:
    """What a store tells, but for what hangs on its own key."""
    snapshot = world.snapshot()
    records = {name: replace(r, fingerprints={}) for name, r in snapshot.records.items()}
    rejections = {name: replace(r, fingerprints={}) for name, r in snapshot.rejections.items()}
    return records, rejections


# a stored secret is one that was proven


@few
@given(worlds.HISTORY)
def test_no_answer_but_valid_changes_a_stored_secret(history):
    with worlds.world() as world:
        for now in history:
            before = world.values()
            applied = world.apply(now)
            valid = {o.change.name for o in applied.outcomes if o.verdict and o.verdict.answer is Answer.VALID}
            after, new_name = world.values(), applied.renamed
            before = {new_name.get(name, name): values for name, values in before.items()}
            assert {name for name in after if after[name] != before.get(name)} <= valid
            assert before.keys() <= after.keys()


@few
@given(worlds.HISTORY)
def test_a_stored_secret_is_always_the_value_that_was_last_proven(history):
    with worlds.world() as world:
        for now in history:
            world.apply(now)
            assert world.values() == world.proven


@few
@given(worlds.HISTORY, st.data())
def test_a_restore_brings_back_what_was_proven_then_or_changes_nothing(history, data):
    with worlds.world() as world:
        proven: dict[tuple[str, int], dict[str, str]] = {}
        for drawn in history:
            # all is accepted, so that there is much to go back to
            complete = {text: drawn.values.get(text, "GHJKLMNPQRST") for text in worlds.REFERENCES}
            world.apply(replace(drawn, values=complete, answers=dict.fromkeys("abcd", "accepted")))
            values, records = world.values(), world.snapshot().records
            proven |= {(name, record.version): values[name] for name, record in records.items()}
            store = world.kit.store
            log = store.events("production")
            there = [(name, one) for name in records for one in kept(store, "production", name, log).values()]
            if not there:
                continue
            name, former = data.draw(st.sampled_from(there))
            before = {**records}
            outcome = world.restore(name, former, data.draw(st.sampled_from(worlds.MOSTLY_ACCEPTED)))
            after, values = world.snapshot().records, world.values()
            if outcome is None or outcome.result != "updated":
                assert after == before
                continue
            assert outcome.verdict.answer is Answer.VALID
            assert values[name] == proven[former.record.name, former.record.version]
            assert after[name].version == before[name].version + 1
            assert after[name].declared.settings == former.record.declared.settings
            assert {other: r for other, r in after.items() if other != name} == {
                other: r for other, r in before.items() if other != name
            }
            assert not world.kit.broken()
            proven[name, after[name].version] = world.proven[name] = values[name]


@few
@given(worlds.HISTORY)
def test_a_version_rises_by_one_with_each_write_and_with_nothing_else(history):
    with worlds.world() as world:
        ever: dict[str, int] = {}
        for now in history:
            before = {name: r.version for name, r in world.snapshot().records.items()}
            applied = world.apply(now)
            before = {applied.renamed.get(name, name): version for name, version in before.items()}
            after = {name: r.version for name, r in world.snapshot().records.items()}
            raised = {name: max(before.get(name, 0), ever.get(name, 0)) + 1 for name in applied.stored}
            assert after == before | raised
            ever |= after


@few
@given(worlds.HISTORY)
def test_a_rejection_waits_exactly_where_the_latest_word_was_a_refusal(history):
    with worlds.world() as world:
        for now in history:
            before = set(world.snapshot().rejections)
            applied = world.apply(now)
            after = set(world.snapshot().rejections)
            if applied.plan.refusals:
                assert after == before
                continue
            refused = {name for name, result in applied.results.items() if result == "rejected"}
            assert refused <= after
            assert after - refused <= before
            assert not after & {o.change.name for o in applied.outcomes if o.verdict and o.verdict.answer == "valid"}
            # nothing waits for an entry that is gone, or that is stored as it is declared, its secrets included
            assert after <= now.manifest.keys()
            compared = {n for n, d in now.manifest.items() if set(d.references.values()) <= now.values.keys()}
            assert not after & compared & set(world.plan(now)[0].kept)


# nobody sees a secret


def traces(value: str) -> set[str]:
    """Forms in which a value could leak; a part of eight characters is a leak too."""
    parts = {value[i : i + 8] for i in range(len(value) - 7)}
    whole = {value.encode().hex(), base64.b64encode(value.encode()).decode().rstrip("="), quote(value), value[::-1]}
    return parts | whole | {value.lower()}


@few
@given(worlds.HISTORY)
def test_nothing_of_a_secret_is_in_an_event_a_rejection_a_record_a_report_or_the_file(history):
    with worlds.world() as world:
        ever: set[str] = set()
        for now in history:
            ever |= set(now.values.values())
            applied = world.apply(now)
            snapshot = world.snapshot()
            seen = [audit.canonical(event).decode() for _, event, _ in world.kit.store.events("production")]
            seen += map(repr, (snapshot.records, snapshot.rejections, applied))
            for report in world.told(now, applied).values():
                seen += [render(name, report, width=120, colour=False, now=TIME) for name in FORMATS]
            text = "\n".join(seen)
            files = b"".join(file.read_bytes() for file in sorted(world.folder.iterdir()) if file.is_file())
            for value in ever:
                assert not [trace for trace in traces(value) if trace in text]
                assert value.encode() not in files


@few
@given(worlds.HISTORY)
def test_the_chain_of_events_holds_and_tells_every_outcome(history):
    with worlds.world() as world:
        told = 0
        for now in history:
            results = world.apply(now).results
            assert world.kit.broken() == []
            events = [event for _, event, _ in world.kit.store.events("production")]
            latest = {e.name: e.result for e in events[told:] if e.what != "cancel" and e.result != "left"}
            assert latest == results
            told = len(events)


# the tests themselves


def test_the_search_for_traces_finds_them():
    value = "GHJKLMNPQRST"
    for leak in (value, value[2:10], value.encode().hex(), base64.b64encode(value.encode()).decode(), value.lower()):
        assert [trace for trace in traces(value) if trace in f"so {leak}."]


@pytest.mark.parametrize("wanted", ["created", "updated", "renamed", "rejected", "failed"])
def test_the_histories_reach_every_outcome(wanted):
    """Without these a law would hold of nothing."""

    def reached(history) -> bool:
        with worlds.world() as world:
            return any(wanted in world.apply(now).results.values() for now in history)

    search = settings(max_examples=2000, deadline=None, database=None, phases=[Phase.generate])
    assert find(worlds.HISTORY, reached, settings=search)
