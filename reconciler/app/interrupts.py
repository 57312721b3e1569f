"""Signals that stop a program, kept until what it did is told."""

from __future__ import annotations

import signal
import threading
from typing import Any, Self

STOPPED_BY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def heeded() -> dict[int, Any]:
    """The signals that stop a run, with what they do now; none in a thread, where a program cannot heed them."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {n: signal.getsignal(n) for n in STOPPED_BY if signal.getsignal(n) is not signal.SIG_IGN}


class Interrupts:
    """Signals that came while they stop nothing: before the loop heeds them, and when all but the telling is done."""

    def __init__(self) -> None:
        self.came = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        return self

    def note(self) -> None:
        """From here to the end of the block they are only noted: whatever was done until then will be told."""
        if self._before:
            return
        self._before = heeded()
        for number in self._before:
            signal.signal(number, self._came)

    def _came(self, *_: object) -> None:
        self.came = True

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
