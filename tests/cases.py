"""Reports to render, one of every kind, with fixed times: what the golden files show and the formats are held to."""

from __future__ import annotations

from dataclasses import replace

from builders import TIME, TRAITS, credential, record, rejection, verdict

from reconciler.codes import CODES
from reconciler.due import Due
from reconciler.model import Account, Action, Answer, Event, Mode, Place, Problem, Result, Severity
from reconciler.planfile import Made, PlanFile, Stored
from reconciler.planner import plan
from reconciler.plans import Outcome, Plan
from reconciler.report import Checkup, Entry, Filed, Header, Report, rows
from reconciler.restores import restore
from reconciler.scope import Known, Scope
from reconciler.state import Snapshot
from reconciler.verdicts import after_check, status

NOW = "2026-11-23T17:02:08.125Z"
HEADER = Header("production", Mode.LIVE, "sms@db.internal/sms", True, "4k2m", 213, 4)
DIGEST = "c1-7f3a9c1e42d0b6a85e0f13c2947d6e08"
DUE = (Due("2026-12-01", "marketing-us", "expires_on", 8),)
FILE = "sms/production/twilio.yaml"

REFUSED = replace(
    verdict(Answer.REJECTED), http_status=401, provider_code="20003", request_id="RQ4f91",
    likely=("a wrong or deleted token", "a token made in another region (ie1, au1)"),
)  # fmt: skip
VALID = replace(verdict(), account=Account("AC1", "Acme US", "Full", "active"))
THROTTLED = replace(verdict(Answer.UNKNOWN), http_status=429)


def problem(code: str, **rest) -> Problem:
    return Problem(code, CODES[code].summary, **{"hint": CODES[code].hint, **rest})


def planned(**scope):
    """One of each: a create, another account, a label with a new secret, a secret that is missing, a note."""
    declared = {
        "otp-apac": credential(
            "otp-apac", sid="AC9", token="env://OTP_APAC", label="OTP | APAC", protected=True, line=3
        ),
        "alerts-eu": credential("alerts-eu", sid="AC5", file=FILE, line=9),
        "marketing-us": credential("marketing-us", label="Marketing US & CA", file=FILE, line=16),
        "sms-fr": credential("sms-fr", token="env://SMS_FR", file=FILE, line=23),
        "otp-ca": credential("otp-ca", file=FILE, line=30),
    }
    stored = {
        "alerts-eu": record("alerts-eu", sid="AC2", version=2),
        "marketing-us": record("marketing-us", label="Marketing US", fingerprint=b"old", version=3),
        "sms-fr": record("sms-fr", token="env://SMS_FRANCE", fingerprint=b"old", version=5),
        "otp-ca": record("otp-ca"),
        "legacy-br": record("legacy-br"),
    }
    known = Known(
        {(name, "auth_token"): b"same" for name in declared if name != "sms-fr"},
        {("sms-fr", "auth_token"): "secret-missing"},
    )
    made = plan(declared, stored, {}, known, TRAITS, Scope("4k2m", "production", **scope))
    return replace(made, digest=DIGEST)


def plan_report(**rest) -> Report:
    return Report("plan", header=HEADER, plan=planned(), declared=5, files=2, due=DUE, traits=TRAITS,
                  selection=" -f sms/production", **rest)  # fmt: skip


def plan_checked() -> Report:
    by = {change.name: change for change in planned().changes}
    missed = Outcome(by["sms-fr"], Result.FAILED, problem=problem("secret-missing", detail="env://SMS_FR is not set"))
    live = {"otp-apac": REFUSED, "alerts-eu": VALID, "marketing-us": THROTTLED}
    return plan_report(live=live, outcomes=(missed,))


def plan_pruned() -> Report:
    """What ``apply`` would refuse: a delete of what is protected, and more deletes than a slip may make."""
    stored = {f"old-{n}": record(f"old-{n}", protected=n == 1) for n in (1, 2, 3)}
    stored["kept"] = record("kept", protected=True)
    declared = {"kept": credential("kept", protected=False)}
    made = plan(declared, stored, {}, Known({("kept", "auth_token"): b"same"}), TRAITS, Scope("s", "w", prune=True))
    return Report("plan", header=HEADER, plan=replace(made, digest=DIGEST), declared=1, files=1)


def renaming():
    """A rename alone, one with more, one that is done, one whose ``moved_from`` went, one that cannot be."""
    declared = {
        "sms-fr": replace(credential("sms-fr", file=FILE, line=18), moved_from="sms-france"),
        "otp-es": replace(credential("otp-es", label="OTP ES", file=FILE, line=25), moved_from="otp-spain"),
        "otp-it": replace(credential("otp-it", file=FILE, line=32), moved_from="otp-italy"),
        "otp-pt": credential("otp-pt", file=FILE, line=39),
        "otp-nl": replace(credential("otp-nl", file=FILE, line=45), moved_from="otp-holland"),
    }
    stored = {
        "sms-france": record("sms-france", version=4),
        "otp-spain": record("otp-spain", fingerprint=b"old", label="OTP Spain", version=2),
        "otp-it": replace(record("otp-it", version=3), old_name="otp-italy"),
        "otp-pt": replace(record("otp-pt", version=7), old_name="otp-portugal"),
    }
    return declared, stored, Known({(name, "auth_token"): b"same" for name in declared})


def plan_renamed() -> Report:
    declared, stored, known = renaming()
    made = plan(declared, stored, {}, known, TRAITS, Scope("4k2m", "production"))
    return Report("plan", header=HEADER, plan=replace(made, digest=DIGEST), declared=5, files=1, traits=TRAITS)


def plan_taken() -> Report:
    declared, stored, known = renaming()
    stored |= {"otp-holland": record("otp-holland"), "otp-nl": record("otp-nl")}
    made = plan(declared, stored, {}, known, TRAITS, Scope("4k2m", "production", ("otp-nl",)))
    return Report("plan", header=HEADER, plan=replace(made, digest=DIGEST), declared=5, files=1, traits=TRAITS)


def apply_renamed() -> Report:
    planned = plan_renamed()
    by = {change.name: change for change in planned.plan.effective}
    outcomes = (
        Outcome(by["otp-es"], Result.REJECTED, 2, REFUSED, seconds=0.2),
        Outcome(by["otp-pt"], Result.UPDATED, 8),
        Outcome(by["sms-fr"], Result.RENAMED, 5),
    )
    waiting = replace(rejection("otp-es"), action=Action.RENAME, base_version=2, verdict=REFUSED)
    stored = {"otp-spain": record("otp-spain", version=2), "sms-fr": record("sms-fr", version=5)}
    shown = rows(Snapshot("production", 214, stored, {"otp-es": waiting}), TRAITS)
    return replace(planned, command="apply", outcomes=outcomes, rows=shown, total=4, anchor="412:9c1e77a0d2b45f18")


def plan_empty() -> Report:
    made = plan({"a": credential("a")}, {"a": record("a")}, {}, Known({("a", "auth_token"): b"same"}), TRAITS,
                Scope("s", "w"))  # fmt: skip
    return Report("plan", header=HEADER, plan=replace(made, digest=DIGEST), declared=1, files=1)


def plan_refused_before() -> Report:
    """Two submissions that were refused: one as it is, and one whose secret is another one now."""
    refused = {
        name: replace(rejection(name, attempts=2), verdict=REFUSED, fingerprints={"auth_token": b"bad"})
        for name in ("marketing-us", "otp-apac")
    }
    found = Known({("marketing-us", "auth_token"): b"bad", ("otp-apac", "auth_token"): b"new"})
    declared = {name: credential(name, file=FILE) for name in refused}
    made = plan(declared, {"marketing-us": record("marketing-us")}, refused, found, TRAITS, Scope("4k2m", "production"))
    return Report("plan", header=HEADER, plan=replace(made, digest=DIGEST), declared=2, files=1, traits=TRAITS)


def plan_failed() -> Report:
    return Report("plan", problems=(problem("store-unreachable", detail="sms@db.internal/sms: timed out"),))


MADE = Made(
    "5b7e" * 16, 5, 2, "2026-11-23T14:02:08.125Z", "2026-11-30T14:02:08.125Z", {"actor": "lea", "ci": ""}, "0.1.0",
    "9f2c1ab04d", dirty=True,
)  # fmt: skip


def filed(signed: bool | None = True, **rest) -> Filed:
    """The plan as a file, of which the id is fixed as the digest is."""
    made = PlanFile(planned(), Scope("4k2m", "production"), Stored(Mode.LIVE, HEADER.store, 213, 4), MADE,
                    id="3f2a" * 8, signature=bytes(40) if signed else b"")  # fmt: skip
    return Filed("plan.json", made, signed, **rest)


def plan_filed() -> Report:
    return plan_report(filed=filed())


def show_report() -> Report:
    """One that nobody can vouch for any more."""
    old = filed(None, why="it was made where no key was at hand", expired=True, finished_at=TIME)
    return replace(plan_report(filed=old), command="show", due=(), selection="")


def snapshot() -> Snapshot:
    stored = {
        "marketing-us": record("marketing-us", label="Marketing US", version=3),
        "otp-ca": record("otp-ca", label="OTP Canada"),
        "otp-fr": record("otp-fr", label="OTP | France", code="limited", created_by="tom"),
        "service-br": record("service-br", label="Service BR", code="key-refused"),
    }
    stored["otp-fr"] = replace(
        stored["otp-fr"], verdict=replace(stored["otp-fr"].verdict, notes=("lacks account-management:manage",))
    )
    refused = {
        "marketing-us": replace(rejection("marketing-us"), verdict=REFUSED),
        "otp-apac": replace(rejection("otp-apac", attempts=2), action=Action.CREATE, base_version=0, verdict=REFUSED),
    }
    return Snapshot("production", 213, stored, refused)


def apply_report() -> Report:
    by = {change.name: change for change in planned().changes}
    outcomes = (
        Outcome(by["alerts-eu"], Result.UPDATED, 3, VALID, seconds=0.4),
        Outcome(by["marketing-us"], Result.FAILED, 3, THROTTLED, seconds=30.0),
        Outcome(by["otp-apac"], Result.REJECTED, 0, REFUSED, seconds=0.3),
        Outcome(by["sms-fr"], Result.REJECTED, 5, REFUSED, seconds=0.2),
    )
    shown = tuple(row for row in rows(snapshot(), TRAITS) if row.name in by)
    return Report("apply", header=HEADER, plan=planned(), outcomes=outcomes, rows=shown, total=5, declared=5, files=2,
                  anchor="412:9c1e77a0d2b45f18", traits=TRAITS, selection=" -f sms/production",
                  found_by=" -f sms/production")  # fmt: skip


def apply_resumed() -> Report:
    """The rest of a plan file, of which an earlier run had stored one change."""
    last = replace(apply_report(), outcomes=apply_report().outcomes[1:], filed=filed(), approved=True)
    return replace(last, done_before=("alerts-eu",))


def apply_stopped() -> Report:
    """All or nothing: one was rejected, so that two are not stored and one was not even asked about."""
    by = {outcome.change.name: outcome for outcome in apply_report().outcomes}
    outcomes = (
        replace(by["alerts-eu"], result=Result.ACCEPTED, version=2),
        Outcome(by["marketing-us"].change, Result.SKIPPED, 3),
        by["otp-apac"],
        Outcome(by["sms-fr"].change, Result.ACCEPTED, 5, VALID, seconds=0.2),
    )
    stopped = problem("atomic-stopped", detail="stopped by otp-apac")
    return replace(apply_report(), outcomes=outcomes, problems=(stopped,))


def apply_refused() -> Report:
    return Report("apply", problems=(problem("plan-stale"),))


def list_report() -> Report:
    made = rows(snapshot(), TRAITS)
    return Report("list", header=HEADER, rows=made, total=len(made), due=DUE, traits=TRAITS)


def list_filtered() -> Report:
    return Report("list", header=HEADER, total=5, filters={"created-by": "zoe"}, creators=("lea", "tom"), required=1)


def get_report() -> Report:
    (row,) = (row for row in rows(snapshot(), TRAITS) if row.name == "marketing-us")
    facts = {"secrets": [{"field": "auth_token", "version": 2, "at": TIME}]}
    return Report("get", header=HEADER, rows=(row,), total=5, due=DUE, traits=TRAITS, facts=facts)


KEPT = [{"version": 2, "until": "2026-11-30T14:02:08.125Z", "name": "marketing", "whole": True},
        {"version": 1, "until": "2026-11-29T14:02:08.125Z", "name": "marketing", "whole": False}]  # fmt: skip


def get_kept() -> Report:
    return replace(get_report(), facts={**get_report().facts, "kept": KEPT})


def get_version() -> Report:
    facts = {
        "name": "marketing-us", "version": 2, "was": "marketing", "what": "update", "at": TIME, "by": "tom",
        "declared": {"provider": "twilio", "account_sid": "AC1", "auth_token": "env://T", "label": "Marketing US"},
        "account": "AC1", "fingerprints": {"auth_token": "a3f91c07"}, "secret": "kept", "until": KEPT[0]["until"],
    }  # fmt: skip
    return Report("get", header=HEADER, total=5, facts=facts)


def restored() -> Report:
    stored = record("marketing-us", label="Marketing US & CA", version=4)
    former = record("marketing", label="Marketing US", version=3)
    change = restore("marketing-us", stored, former, {"auth_token": b"old"}, TRAITS)
    flips = problem("flips-back", subject="marketing-us", severity=Severity.WARNING, detail="marketing-us: its entry")
    shown = rows(Snapshot("production", 214, {"marketing-us": record("marketing-us", version=5)}, {}), TRAITS)
    outcome = Outcome(change, Result.UPDATED, 5, VALID, seconds=0.3)
    facts = {"name": "marketing-us", "version": 3, "was": "marketing"}
    return Report("restore", header=HEADER, plan=Plan((change,), (), 1, 1), problems=(flips,), traits=TRAITS,
                  rows=shown, outcomes=(outcome,), total=5, anchor="412:9c1e77a0d2b45f18", facts=facts)  # fmt: skip


def restore_refused() -> Report:
    (outcome,) = restored().outcomes
    refused = replace(outcome, result=Result.REJECTED, version=4, verdict=REFUSED)
    return replace(restored(), outcomes=(refused,), rows=(), problems=())


def restore_same() -> Report:
    return replace(restored(), plan=Plan((), ("marketing-us",), 1, 1), outcomes=(), problems=(), rows=(), anchor="")


def cancel_report() -> Report:
    return replace(get_report(), command="cancel", facts={"name": "marketing-us"}, due=())


def validate_report() -> Report:
    found = (
        problem("secret-literal", place=Place(FILE, 7, 17), subject="marketing-us.auth_token",
                detail="(value not shown)", hint="auth_token: env://TWILIO_US\nif pushed, replace it at Twilio"),
        problem("unusual", place=Place(FILE, 12, 5), subject="alerts-eu", severity=Severity.WARNING),
    )  # fmt: skip
    return Report("validate", problems=found, declared=17, files=5)


def validate_good() -> Report:
    return Report("validate", declared=17, files=5)


def check_report() -> Report:
    answers = {"service-br": REFUSED, "marketing-us": THROTTLED, "otp-ca": VALID,
               "otp-fr": replace(verdict(code="limited"), notes=("lacks account-management:manage",))}  # fmt: skip
    stored = {name: record(name) for name in answers}
    found = tuple(
        Checkup(stored[name], answer, status(stored[name], None), after_check(stored[name], answer))
        for name, answer in answers.items()
    )
    waiting = tuple(row for row in rows(snapshot(), TRAITS) if row.rejection)
    return Report("check", header=HEADER, checkups=found, waiting=waiting, skipped=1, total=5, due=DUE, traits=TRAITS)


def history_report() -> Report:
    who = {"actor": "lea", "source": "ci", "commit_author": "tom", "triggered_by": "zoe",
           "pull_request": "212", "run_url": "", "ci": "github"}  # fmt: skip
    update = {
        "provider": "twilio", "reasons": ["secret", "common"], "digest": DIGEST, "who": who,
        "fields": [["label", "Marketing US", "Marketing US & CA"]], "secrets": {"auth_token": "changed"},
        "fingerprints": {"auth_token": ["a3f91c07", "5be2d410"]},
    }  # fmt: skip
    refused = {
        "provider": "twilio", "reasons": ["secret"], "secrets": {"auth_token": "changed"},
        "verdict": {"answer": "rejected", "code": "key-refused", "http_status": 401},
        "who": {"actor": "tom", "source": "flag", "host": "mbp-tom", "ci": ""},
    }  # fmt: skip
    read = {
        "provider": "twilio", "how": "exec", "given": 3, "keys": ["auth_token"], "read": 9,
        "who": {"actor": "deploy-bot", "source": "os", "host": "worker-3", "ci": "", "database": "app_a"},
    }  # fmt: skip
    entries = (
        Entry(0, Event("2026-11-23T15:00:00.000Z", "read", "given", "marketing-us", 3, body={**read, "given": 4})),
        Entry(410, Event(TIME, "update", "updated", "marketing-us", 4, body=update)),
        Entry(404, Event("2026-11-21T08:15:44.000Z", "read", "given", "marketing-us", 3, body=read)),
        Entry(399, Event("2026-11-19T16:40:02.000Z", "update", "rejected", "marketing-us", 3, body=refused)),
    )
    return Report("history", header=HEADER, entries=entries, total=413, anchor="412:9c1e77a0d2b45f18",
                  filters={"name": "marketing-us", "since": "2026-11-16T14:02:00.000Z", "provider": "twilio"},
                  facts={"chain": "whole", "first": 1, "last": 412, "waiting": 1, "given": ["marketing-us.auth_token"],
                         "credential": {"provider": "twilio", "service_id": f"AC{1:032}"}})  # fmt: skip


AUDITED = {"first": 1, "last": 412, "anchors": [], "anchors_missed": 0, "records": 17, "waiting": 2,
           "head": "412:9c1e77a0d2b45f18"}  # fmt: skip


def history_of_all() -> Report:
    """More changes of secrets than the first line tells, of two credentials."""
    body = {"provider": "twilio", "reasons": ["secret"], "secrets": {"auth_token": "changed"}, "who": {"actor": "lea"}}
    names = ("marketing-us", "otp-ca")
    entries = tuple(
        Entry(n, Event(f"2026-11-{n:02}T14:02:08.125Z", "update", "updated", names[n % 2], n // 2 + 1, body=body))
        for n in range(8, 1, -1)
    )
    return Report("history", header=HEADER, entries=entries, total=8, anchor="8:9c1e77a0d2b45f18",
                  facts={"chain": "whole", "first": 1, "last": 8, "waiting": 0, "given": []})  # fmt: skip


def audit_report() -> Report:
    return Report("audit verify", header=HEADER, facts=AUDITED | {"anchors": ["398:77ab04c9d2b45f18"]})


def audit_alone() -> Report:
    return Report("audit verify", header=HEADER, facts=AUDITED | {"waiting": 0})


def audit_broken() -> Report:
    found = (
        problem("tampered", subject="event 398", detail="it, or the one before it, was altered, moved or put in"),
        problem("tampered", subject="record marketing-us", detail="was altered"),
    )
    return Report("audit verify", header=HEADER, problems=found, facts=AUDITED)


LEASE = {
    "id": "5be2d4107f3a9c1e", "fencing": 41, "actor": "tom", "host": "runner-3", "pid": 12,
    "run_url": "https://example.invalid/runs/8812", "since": TIME, "heartbeat": TIME,
    "expires": "2026-11-23T14:03:08.125Z",
}  # fmt: skip


def lock_report() -> Report:
    return Report("lock show", header=HEADER, facts={"lease": LEASE, "expired": False}, store_selection=" --sandbox")


def lock_free() -> Report:
    return Report("lock show", header=HEADER, facts={"lease": None, "expired": False})


def lock_released() -> Report:
    return Report("lock release", header=HEADER, facts={"lease": LEASE, "expired": False})


def explain_report() -> Report:
    facts = {"code": "unusual", "summary": "s", "fault": "configuration", "hint": "h", "exit_code": 1, "answer": None,
             "status": None}  # fmt: skip
    return Report("explain", facts=facts)


CASES = {
    "plan": plan_report,
    "plan-checked": plan_checked,
    "plan-pruned": plan_pruned,
    "plan-renamed": plan_renamed,
    "plan-taken": plan_taken,
    "plan-empty": plan_empty,
    "plan-refused-before": plan_refused_before,
    "plan-failed": plan_failed,
    "plan-filed": plan_filed,
    "show": show_report,
    "apply": apply_report,
    "apply-renamed": apply_renamed,
    "apply-refused": apply_refused,
    "apply-resumed": apply_resumed,
    "apply-stopped": apply_stopped,
    "list": list_report,
    "list-filtered": list_filtered,
    "get": get_report,
    "get-kept": get_kept,
    "get-version": get_version,
    "restore": restored,
    "restore-refused": restore_refused,
    "restore-same": restore_same,
    "cancel": cancel_report,
    "validate": validate_report,
    "validate-good": validate_good,
    "check": check_report,
    "history": history_report,
    "history-of-all": history_of_all,
    "audit": audit_report,
    "audit-alone": audit_alone,
    "audit-broken": audit_broken,
    "lock": lock_report,
    "lock-free": lock_free,
    "lock-released": lock_released,
    "explain": explain_report,
}
