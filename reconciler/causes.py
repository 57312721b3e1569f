"""Why an answer probably came: the likely causes, ranked by what was changed. Pure.

What the causes are is each provider's to say; here stand only those that every provider shares.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.model import Action, SecretState
from reconciler.plans import Change
from reconciler.state import Record, Rejection


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that may be behind an answer."""

    text: str
    blames: tuple[str, ...] = ()
    """Keys of which one is wrong if this is the cause; empty: none of them is, the fault lies elsewhere."""
    by_itself: bool = False
    """Whether it happens although nobody changed anything here: expiry, revocation, an unpaid bill, an outage."""
    concerns: tuple[str, ...] = ()
    """Keys of which the credential must have one for it to be possible; empty: those that it blames."""


LIKELIEST = 3
"""How many are told: a longer list is a manual page, not an answer."""

_GATEWAY = (Cause("a guest network's sign-in page, a proxy or a gateway answered in the provider's place", (), True),)
_WAY = Cause("a firewall or proxy does not let this machine out to the host named above", (), True)
_OUTAGE = Cause("an outage at the provider", (), True)

SHARED: Mapping[str, tuple[Cause, ...]] = {
    "timed-out": (_OUTAGE, _WAY),
    "not-reached": (_WAY, _OUTAGE),
    "host-not-found": (
        Cause("this machine's DNS does not work, or is kept from the outside by a proxy or firewall", (), True),
    ),
    "tls-failed": (
        Cause("a proxy on the way opens TLS connections: give its certificate with --ca-file", (), True),
        Cause("this machine's clock is wrong", (), True),
    ),
    "throttled": (Cause("something else asks or sends with the same account at this moment", (), True),),
    "server-error": (_OUTAGE,),
    "redirected": _GATEWAY,
    "unexpected-answer": _GATEWAY,
}
"""By code: what no key of a credential is to blame for."""


def likely(causes: Sequence[Cause], change: Change | None = None) -> tuple[str, ...]:
    """The texts of those causes that fit a change, the likeliest first.

    For a new credential (or none) all fit, in the order given. For an update it is one that blames a changed key; where
    there is none, one that happens by itself; what blames only keys that worked before is left out, unless nothing else
    remains. A stored credential that is asked about again was changed by nobody: only the second kind fits.
    """
    declared, changed = _declared(change), _changed(change)
    fitting = [cause for cause in causes if _possible(cause, declared)]
    if changed is None:
        return tuple(cause.text for cause in fitting[:LIKELIEST])
    blaming = [cause for cause in fitting if not changed.isdisjoint(cause.blames)]
    found = blaming or [cause for cause in fitting if cause.by_itself] or fitting
    return tuple(cause.text for cause in found[:LIKELIEST])


def _possible(cause: Cause, declared: set[str] | None) -> bool:
    keys = cause.concerns or cause.blames
    return declared is None or not keys or not declared.isdisjoint(keys)


def because(change: Change, secrets: Collection[str]) -> str:
    """What narrows the causes down, for people: ``only the secret changed``; empty where nothing does.

    ``secrets``: the provider's secret keys. Keys that no provider sees do not count, and are named.
    """
    if change.action not in (Action.UPDATE, Action.RENAME):
        return ""
    return _narrowed(_changed(change) or set(), _declared(change) or set(), secrets)


def because_of(rejection: Rejection, record: Record, secrets: Collection[str]) -> str:
    """The same of a refused submission that waits, beside what it was to replace; empty where that is gone."""
    if rejection.action is not Action.UPDATE or rejection.base_version != record.version:
        return ""
    before, after = record.declared, rejection.declared
    if before.provider != after.provider:
        return ""
    sides = [{**side.common, **side.settings, **side.references} for side in (before, after)]
    changed = {key for key in sides[0].keys() | sides[1].keys() if sides[0].get(key) != sides[1].get(key)}
    changed |= {key for key, value in rejection.fingerprints.items() if record.fingerprints.get(key) != value}
    return _narrowed(changed, {*after.settings, *after.references, *_DEFAULTED}, secrets)


def _narrowed(changed: set[str], declared: set[str], secrets: Collection[str]) -> str:
    own = changed & declared
    if not own:
        return ""
    beside = sorted(changed - own)
    but = f"beside {', '.join(beside)} " if beside else ""
    if own <= set(secrets):
        return f"{but}only the secret changed"
    return f"{but}only {own.pop()} changed" if len(own) == 1 else ""


def _declared(change: Change | None) -> set[str] | None:
    """The provider's keys that the credential has; ``None`` where there is no credential to look at.

    A setting that is left out counts as there: it has its default.
    """
    if change is None or not (change.credential or change.record or change.rejection):
        return None
    declared = change.declared
    return {*declared.settings, *declared.references, *_DEFAULTED}


_DEFAULTED = ("region",)
"""Keys that may be wrong by being absent."""


def _changed(change: Change | None) -> set[str] | None:
    """The keys that differ from what worked before; ``None`` where nothing did."""
    if change is None or change.action is Action.CREATE:
        return None
    found = set(_keys(change))
    return None if "provider" in found else found


def _keys(change: Change) -> Iterator[str]:
    yield from (field.field.partition(".")[0] for field in change.fields)
    yield from (key for key, state in change.secrets.items() if state in (SecretState.NEW, SecretState.CHANGED))
