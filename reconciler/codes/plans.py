"""Codes of plan files and of approvals: why what was planned is not applied."""

from __future__ import annotations

from reconciler.codes.base import Code, Exit, Fault, refused, usage

_AGAIN = "plan again, look at it, and apply that"

ROWS = (
    refused("plan-altered", "the plan file is not as it was written", _AGAIN),
    refused("plan-newer", "a newer program wrote this plan file", "apply it with that version of sms-reconciler"),
    refused(
        "plan-unsigned",
        "nobody can tell whether the plan file was altered",
        "look at it with  reconciler show PLAN , then name the digest that you approve: --expect DIGEST",
    ),
    refused("plan-other-store", "the plan was made for another store", "name its store with --store, or plan again"),
    refused(
        "plan-other-workspace", "the plan was made for another workspace", "drop -w, or apply the plan that you mean"
    ),
    refused("plan-expired", "the plan is too old", f"{_AGAIN}; --expires-in says how long one is good"),
    refused(
        "plan-finished", "the plan was carried out already", "nothing to do; plan again to see what is different now"
    ),
    refused(
        "plan-unexpected", "the plan is not the one that was approved", "look at the new plan, then approve its digest"
    ),
    refused("plan-version-moved", "a credential was changed after the plan was made", _AGAIN),
    refused("plan-secret-changed", "a secret is not the one that was planned", _AGAIN),
    refused(
        "plan-uncompared",
        "a secret of the plan cannot be had here, so nobody can tell whether it is the one that was planned",
        "set what is missing, then apply the plan again",
    ),
    refused("plan-stale", "the store or a secret moved after the plan was shown", "plan again and look at it"),
    Code(
        "rejection-stays",
        Fault.PERSON,
        Exit.DONE,
        "a refused submission stays that is not part of what was approved",
        "reconciler list  says why it was refused; plan again to drop it, or  reconciler cancel NAME",
    ),
    usage("plan-no-store", "without a store there is nothing to hold a plan file to", "reconciler store create"),
    usage("plan-is-manifest", "this is a manifest, and no plan file", "name it with -f: reconciler apply -f FILE"),
    usage("plan-not-replaced", "--out names a file that is no plan file", "name another one, or remove it first"),
    Code(
        "left-out",
        Fault.PERSON,
        Exit.DONE,
        "not part of what is applied",
        "plan and apply without that limit to take it up",
    ),
)
