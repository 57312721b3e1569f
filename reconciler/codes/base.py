"""What a row of the table of codes is made of, and the forms that most rows have."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from reconciler.model import Answer, Status


class Exit(IntEnum):
    """Exit codes. Where several apply, the first of :data:`PRECEDENCE` wins."""

    DONE = 0
    INVALID = 1
    CHANGES = 2
    ATTENTION = 3
    REFUSED = 4
    STORE = 5
    USAGE = 64
    BUG = 70
    NOT_EXECUTABLE = 126
    """``exec``, as a shell has it."""
    NO_COMMAND = 127
    INTERRUPTED = 130


PRECEDENCE = (
    Exit.BUG, Exit.INTERRUPTED, Exit.USAGE, Exit.STORE, Exit.REFUSED, Exit.NO_COMMAND, Exit.NOT_EXECUTABLE,
    Exit.ATTENTION, Exit.INVALID, Exit.CHANGES, Exit.DONE,
)  # fmt: skip


class Fault(StrEnum):
    """Whose turn it is."""

    CONFIGURATION = "configuration"
    PROVIDER = "provider or network"
    RUNNER = "the machine that runs this"
    STORE = "the store"
    PERSON = "a person must decide"
    OURS = "this tool"


AGAIN = "nothing to fix: run the same command again"
"""The hint of what passes by itself."""


@dataclass(frozen=True, slots=True)
class Code:
    """One row of the table."""

    name: str
    fault: Fault
    exit: Exit
    summary: str
    hint: str = ""
    answer: Answer | None = None
    """The verdict that it belongs to, where it is a provider's."""
    status: Status | None = None
    """What ``list`` shows for a stored credential whose latest verdict has this code."""
    told: str = ""
    """The summary, told of one credential: ``{provider}``, ``{secret}`` and ``{name}`` stand for their names."""

    def about(self, provider: str, secret: str, name: str) -> str:
        """The summary of one credential's trouble, with the names that people know."""
        return self.told.format(provider=provider, secret=secret, name=name) if self.told else f"{self.summary}: {name}"


def valid(name: str, summary: str, status: Status, hint: str = "") -> Code:
    """A provider accepts."""
    return Code(name, Fault.PROVIDER, Exit.DONE, summary, hint, Answer.VALID, status)


def rejected(name: str, summary: str, hint: str, told: str, status: Status = Status.REFUSED_NOW) -> Code:
    """A provider refuses; the credential is to blame."""
    return Code(name, Fault.CONFIGURATION, Exit.ATTENTION, summary, hint, Answer.REJECTED, status, told)


def unknown(name: str, summary: str, hint: str, told: str) -> Code:
    """A provider could not be asked, or said nothing usable."""
    return Code(name, Fault.PROVIDER, Exit.ATTENTION, summary, hint, Answer.UNKNOWN, Status.NOT_REACHED, told)


def manifest(name: str, summary: str, hint: str = "") -> Code:
    """The manifest is invalid."""
    return Code(name, Fault.CONFIGURATION, Exit.INVALID, summary, hint)


def runner(name: str, summary: str, hint: str, told: str) -> Code:
    """This machine lacks something."""
    return Code(name, Fault.RUNNER, Exit.ATTENTION, summary, hint, told=told)


def store(name: str, summary: str, hint: str) -> Code:
    """The store or its key."""
    return Code(name, Fault.STORE, Exit.STORE, summary, hint)


def refused(name: str, summary: str, hint: str) -> Code:
    """A person must look first."""
    return Code(name, Fault.PERSON, Exit.REFUSED, summary, hint)


def usage(name: str, summary: str, hint: str = "") -> Code:
    """How it was called."""
    return Code(name, Fault.PERSON, Exit.USAGE, summary, hint)
