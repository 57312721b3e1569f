"""How a program uses the Python interface; checked by mypy, strictly, as a stranger's program would be."""

from __future__ import annotations

from typing import assert_type

import reconciler
from reconciler import (
    Manifest,
    ReconcilerError,
    Report,
    Store,
    StoredCredential,
    apply,
    exit_code,
    load_manifest,
    open_store,
    plan,
)


def deploy() -> int:
    manifest = load_manifest("sms/production", workspace="production")
    assert_type(manifest, Manifest)
    store = open_store("sqlite:////srv/sms/store.db", workspace="production")
    assert_type(store, Store)
    planned = plan(manifest, store, only=["marketing-*"], secrets="require")
    assert_type(planned, Report)
    if planned.plan is None or not planned.plan.effective:
        return 0
    try:
        done = apply(manifest, store, expect=planned.plan.digest)
    except ReconcilerError as error:
        assert_type(error.code.name, str)
        raise
    for outcome in done.outcomes:
        assert_type(outcome.change.name, str)
    return exit_code(done)


def send(store: Store) -> str:
    credential = store.credential("marketing-us")
    assert_type(credential, StoredCredential)
    assert_type(credential.identifier, str)
    assert_type(credential.reveal("auth_token"), str)
    assert_type(credential.refresh(), StoredCredential)

    def call(credential: StoredCredential) -> int:
        return len(credential.settings)

    assert_type(store.with_credential("marketing-us", call, lambda error: isinstance(error, PermissionError)), int)
    return reconciler.__version__
