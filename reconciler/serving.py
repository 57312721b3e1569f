"""Stored credentials for a program that runs for long: cached, looked up again when refused, there without the store.

The first look-up of each credential and version in a process is on the store's record before the value is given; those
that only find the same again are not.
"""

from __future__ import annotations

import os
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from reconciler.app import revealing
from reconciler.app.wiring import Where
from reconciler.consumption import Revealed
from reconciler.errors import StoreError, UsageError
from reconciler.report import Header

T = TypeVar("T")

FRESH_SECONDS = 300.0
"""How long a credential is taken from memory, where nothing else is said."""
STALE_SECONDS = 3600.0
"""How much longer it is taken from memory while the store is away, where nothing else is said."""
PAUSE_SECONDS = 5.0
"""How long a store that was away is not asked again."""
AWAY = ("store-missing", "store-unreachable")
"""What a store that may come back fails with. A wrong key or an altered row is no reason to go on."""

_recorded: set[tuple[int, str, str, str, int]] = set()
"""Process, store, workspace, name and version of each read that is on the record."""


class CredentialWarning(UserWarning):
    """A credential goes by another name now, or its provider refuses it."""


class StoredCredential:
    """One credential as it was stored at one moment. Shows no secret, cannot be pickled or copied."""

    __slots__ = ("_again", "_revealed")

    def __init__(self, revealed: Revealed, again: Callable[[], StoredCredential]) -> None:
        self._revealed = revealed
        self._again = again

    def __repr__(self) -> str:
        return f"<credential {self.name} v{self.version} of {self.provider}>"

    def _refuse(self, *_: Any) -> NoReturn:
        raise TypeError("a credential cannot be pickled, copied or written")

    __reduce__ = __reduce_ex__ = __getstate__ = __copy__ = __deepcopy__ = _refuse

    @property
    def name(self) -> str:
        """The name that it has now, whichever it was asked for by."""
        return self._revealed.name

    @property
    def provider(self) -> str:
        """``twilio``, ``sinch``, ``infobip`` or a plug-in's name."""
        return self._revealed.provider

    @property
    def version(self) -> int:
        """Rises with every change that was stored."""
        return self._revealed.version

    @property
    def settings(self) -> Mapping[str, str]:
        """The provider's public keys."""
        return dict(self._revealed.settings)

    @property
    def identifier(self) -> str:
        """What lists show as Service ID: account SID, service plan ID or base URL."""
        return self._revealed.identifier

    def reveal(self, key: str = "") -> str:
        """A secret's value; ``key`` may be left out where there is one. Raises UsageError ``no-such-field``.

        Call it where the value leaves for its one destination, and keep it nowhere.
        """
        secrets = self._revealed.secrets
        wanted = key or (next(iter(secrets)) if len(secrets) == 1 else "")
        if wanted not in secrets:
            raise UsageError("no-such-field", f"{self.name} has no secret {key!r}; it has {', '.join(sorted(secrets))}")
        return secrets[wanted].reveal()

    def refresh(self) -> StoredCredential:
        """It as it is stored now, past the cache: for when the provider refused it. Raises as ``Served.credential``."""
        return self._again()


@dataclass(slots=True)
class _Held:
    credential: StoredCredential
    fresh_until: float
    serve_until: float


class Served:
    """The credentials of one workspace of one store; may be used from several threads."""

    def __init__(
        self, where: Where, fresh: float = FRESH_SECONDS, stale: float = STALE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._where = where
        self._fresh = fresh
        self._stale = stale
        self._clock = clock
        self.forget()
        _living[id(self)] = self

    def forget(self) -> None:
        """Begin anew: a process that was forked reads for itself, and must not wait for a lock of its parent's."""
        self._held: dict[str, _Held] = {}
        self._lock = threading.RLock()

    def credential(self, name: str) -> StoredCredential:
        """A credential from memory while it is fresh, else from the store; see :func:`reconciler.open_store`.

        Raises UsageError ``no-such-name``, or ``no-such-file`` for a key file that is not there; StoreError.
        """
        with self._lock:
            now = self._clock()
            held = self._held.get(name)
            if held and now < held.fresh_until:
                return held.credential
            try:
                return self._look_up(name)
            except StoreError as error:
                if held is None or error.code.name not in AWAY or now >= held.serve_until:
                    raise
                held.fresh_until = min(now + PAUSE_SECONDS, held.serve_until)
                return held.credential

    def with_credential(
        self, name: str, call: Callable[[StoredCredential], T], is_refused: Callable[[Exception], bool]
    ) -> T:
        """What ``call`` gives. Where it raises what ``is_refused`` takes for the provider's 401, it is called once more
        with the credential as it is stored now, if that is another version.
        """
        credential = self.credential(name)
        try:
            return call(credential)
        except Exception as error:
            if not is_refused(error):
                raise
            newer = self._newer(credential)
            if newer is None:
                raise
        return call(newer)

    def _newer(self, credential: StoredCredential) -> StoredCredential | None:
        """The credential as it is stored now, where that is another one. A store that is away has no other."""
        try:
            found = credential.refresh()
        except StoreError as error:
            if error.code.name not in AWAY:
                raise
            return None
        return found if found.version != credential.version else None

    def _again(self, name: str) -> StoredCredential:
        with self._lock:
            return self._look_up(name)

    def _look_up(self, name: str) -> StoredCredential:
        try:
            opened = revealing.reveal(self._where, [name], "api", lambda opened: opened, known=_known)
        except UsageError:
            self._held.pop(name, None)
            raise
        (one,) = opened.revealed
        _recorded.add(_place(opened.header, one))
        for problem in opened.problems:
            warnings.warn(f"{problem.summary}: {problem.detail}", CredentialWarning, stacklevel=4)
        credential = StoredCredential(one, lambda: self._again(name))
        fresh_until = self._clock() + self._fresh
        self._held[name] = _Held(credential, fresh_until, fresh_until + self._stale)
        return credential


def _place(header: Header, one: Revealed) -> tuple[int, str, str, str, int]:
    """With the process: one that was forked reads for itself."""
    return os.getpid(), header.store_id, header.workspace, one.name, one.version


def _known(header: Header, one: Revealed) -> bool:
    return _place(header, one) in _recorded


_living: weakref.WeakValueDictionary[int, Served] = weakref.WeakValueDictionary()


def _alive() -> list[Served]:
    # a list of references is made at once; to walk the collection itself while another thread opens a store would fail
    found = (reference() for reference in _living.valuerefs())
    return [served for served in found if served is not None]


class _Forking(threading.local):
    """What the thread that forks holds meanwhile. Each has its own: several may fork at once."""

    def __init__(self) -> None:
        self.held: list[threading.RLock] = []


_forking = _Forking()


def _before_fork() -> None:
    """Wait until no thread looks a credential up: a child would inherit the locks of SQLite in mid-use."""
    # all in one order, so that two threads that fork never wait for each other
    for served in sorted(_alive(), key=id):
        served._lock.acquire()
        _forking.held.append(served._lock)


def _in_parent() -> None:
    while _forking.held:
        _forking.held.pop().release()


def _in_child() -> None:
    _forking.held.clear()
    for served in _alive():
        served.forget()


os.register_at_fork(before=_before_fork, after_in_parent=_in_parent, after_in_child=_in_child)
