"""Values for tests, with everything that a test does not care about filled in."""

from __future__ import annotations

from reconciler.codes import CODES
from reconciler.model import Account, Action, Answer, Credential, Declared, Origin, Traits, Verdict
from reconciler.state import Record, Rejection

TRAITS = {
    "twilio": Traits(
        "twilio",
        "Twilio",
        frozenset({"auth_token", "api_key_secret"}),
        "account_sid",
        ("account_sid",),
        titles=(("auth_token", "Auth Token"), ("api_key_secret", "API key secret")),
    ),
    "sinch": Traits(
        "sinch",
        "Sinch",
        frozenset({"api_token"}),
        "service_plan_id",
        ("service_plan_id", "region"),
        "region",
        titles=(("api_token", "API token"),),
    ),
}
ORIGIN = Origin("lea", "os", host="desk")
TIME = "2026-11-23T14:02:08.125Z"


def declared(sid="AC1", token="env://T", **common) -> Declared:
    return Declared("twilio", common, {"account_sid": sid}, {"auth_token": token})


def credential(name, *, file="credentials.yaml", line=3, **rest) -> Credential:
    return Credential(name, declared(**rest), file, {"": (line, 3), "auth_token": (line + 3, 17)})


def verdict(answer=None, code="") -> Verdict:
    codes = {Answer.VALID: "accepted", Answer.REJECTED: "key-refused", Answer.UNKNOWN: "throttled"}
    code = code or codes[answer or Answer.VALID]
    asked = "GET https://api.twilio.com/2010-04-01/Accounts/AC1.json"
    return Verdict(CODES[code].answer or Answer.VALID, code, Account("AC1", "Acme"), 200, asked=asked, at=TIME)


def record(name, *, fingerprint=b"same", code="accepted", version=1, created_by="lea", **rest) -> Record:
    return Record(
        name=name, declared=declared(**rest), version=version, account=Account("AC1", "Acme"), created_at=TIME,
        created_by=created_by, updated_at=TIME, updated_by="lea", secret_changed_at=TIME, accepted_at=TIME,
        verdict=verdict(code=code), fingerprints={"auth_token": fingerprint}, secret_versions={"auth_token": version},
    )  # fmt: skip


def rejection(name, *, attempts=1, **rest) -> Rejection:
    return Rejection(
        name=name, action=Action.UPDATE, declared=declared(**rest), verdict=verdict(Answer.REJECTED), base_version=1,
        fingerprints={}, attempts=attempts, first_at=TIME, last_at=TIME, by="tom",
    )  # fmt: skip
