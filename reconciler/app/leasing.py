"""Hold a workspace's lease for as long as one block writes; wait for somebody else's, as long as a person wants."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from reconciler.errors import StoreError
from reconciler.model import Origin
from reconciler.stores.base import Holder, Lease, Store

if TYPE_CHECKING:
    from tenacity import RetryCallState

LEASE_SECONDS = 60.0
"""How long others wait for a run that was killed. Every commit and every heartbeat renews it."""
HEARTBEAT_SECONDS = LEASE_SECONDS / 4
SILENT_SECONDS = 0.4
"""A wait is said from here on: what is shorter, nobody notices."""


def _unheard(_text: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a lease that somebody else holds."""

    seconds: float = 0.0
    tell: Callable[[str], None] = _unheard
    """Told once that there is a wait."""
    flags: str = ""
    """Options that lead to the same store, for the next command."""


AT_ONCE = Patience()


def no_beat() -> None:
    """Nothing is held, so nothing needs to be kept."""


@contextmanager
def holding(store: Store, workspace: str, origin: Origin, patience: Patience = AT_ONCE) -> Iterator[Lease]:
    """Take the lease, and give it back. Raises StoreError ``lease-held``.

    A store that cannot take it back any more is no reason to lose what the block did: the lease expires by itself.
    """
    holder = Holder(origin.actor, origin.host, os.getpid(), origin.run_url)
    lease = _taken(store, workspace, holder, patience)
    try:
        yield lease
    finally:
        with suppress(StoreError):
            store.release(lease)


def heartbeat(store: Store, lease: Lease) -> Callable[[], None]:
    """What keeps a lease while no commit does. Raises StoreError ``lease-lost`` where it is not this run's any more."""
    return lambda: store.renew(lease, LEASE_SECONDS)


def paced(beat: Callable[[], None]) -> Callable[[], None]:
    """The heartbeat for work that says often that it goes on: it beats only when it is time to."""
    last = monotonic()

    def alive() -> None:
        nonlocal last
        if monotonic() - last >= HEARTBEAT_SECONDS:
            beat()
            last = monotonic()

    return alive


def _taken(store: Store, workspace: str, holder: Holder, patience: Patience) -> Lease:
    try:
        if patience.seconds:
            return _waited(store, workspace, holder, patience)
        return store.acquire(workspace, holder, LEASE_SECONDS)
    except StoreError as error:
        if not _is_held(error):
            raise
        raise StoreError("lease-held", error.detail, f"{error.hint}{patience.flags} --yes") from None


def _waited(store: Store, workspace: str, holder: Holder, patience: Patience) -> Lease:
    from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

    told = False

    def say(state: RetryCallState) -> None:
        nonlocal told
        error = state.outcome.exception() if state.outcome else None
        if not told and isinstance(error, StoreError) and (state.seconds_since_start or 0.0) >= SILENT_SECONDS:
            told = True
            patience.tell(f"Waiting up to {patience.seconds:.0f} s for the lease of {error.detail}. Ctrl-C stops.")

    waiting = Retrying(
        retry=retry_if_exception(_is_held), stop=stop_after_delay(patience.seconds), wait=wait_random(0.1, 0.3),
        before_sleep=say, reraise=True,
    )  # fmt: skip
    return waiting(store.acquire, workspace, holder, LEASE_SECONDS)


def _is_held(error: BaseException) -> bool:
    return isinstance(error, StoreError) and error.code.name == "lease-held"
