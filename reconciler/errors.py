"""The exceptions that reach a user, each with a code of :mod:`reconciler.codes`, a message and a hint.

::

    ReconcilerError
    ├── UsageError           the command line, or a name or file that does not exist
    ├── ManifestInvalid      the manifest; carries every problem
    ├── StoreError           store or key: missing, unreachable, not ours, held, damaged
    ├── Refused              a gate said no; a person must look
    ├── SecretUnavailable    one reference gives no usable value here
    └── NotAsked             a provider could not be asked; becomes an unknown verdict

A message never holds a secret, a body or a library's own text about a value.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.codes import CODES
from reconciler.model import Answer, Problem, Verdict


class ReconcilerError(Exception):
    """Anything that a user is told about in one message, without a traceback."""

    def __init__(self, code: str, detail: str = "", hint: str = "") -> None:
        super().__init__(code, detail)
        self.code = CODES[code]
        self.detail = detail
        self.hint = hint or self.code.hint

    def __str__(self) -> str:
        return f"{self.code.summary}: {self.detail}" if self.detail else self.code.summary

    def problem(self) -> Problem:
        """The same as a value, for a report."""
        return Problem(self.code.name, self.code.summary, detail=self.detail, hint=self.hint)


def unforeseen(error: BaseException) -> Problem:
    """A bug as a value: of what kind it is, never its message, which could hold a secret."""
    code = CODES["bug"]
    return Problem(code.name, code.summary, detail=f"{type(error).__module__}.{type(error).__qualname__}",
                   hint=code.hint)  # fmt: skip


class UsageError(ReconcilerError):
    """How it was called: exit 64."""


class ManifestInvalid(ReconcilerError):
    """The manifest cannot be used: exit 1. ``problems`` has all of them, in order of place.

    ``declared`` and ``files`` count what was looked at.
    """

    def __init__(self, problems: Sequence[Problem], declared: int = 0, files: int = 0) -> None:
        super().__init__(problems[0].code)
        self.problems = tuple(problems)
        self.declared = declared
        self.files = files


class StoreError(ReconcilerError):
    """Store, lease or key: exit 5."""


class Refused(ReconcilerError):
    """A gate refused; nothing was written: exit 4."""


class SecretUnavailable(ReconcilerError):
    """A reference gives no usable value here: ``secret-missing``, ``secret-malformed`` or ``secret-tracked``."""


class NotAsked(ReconcilerError):
    """No usable answer came; ``asked`` says what was tried, without credentials.

    ``http_status``, ``provider_code`` and ``request_id`` are those of an answer that said nothing usable.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        asked: str = "",
        at: str = "",
        http_status: int | None = None,
        provider_code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(code, detail)
        self.asked = asked
        self.at = at
        self.http_status = http_status
        self.provider_code = provider_code
        self.request_id = request_id

    def verdict(self) -> Verdict:
        """The same as a verdict, which says nothing about the credential."""
        return Verdict(
            Answer.UNKNOWN,
            self.code.name,
            http_status=self.http_status,
            provider_code=self.provider_code,
            request_id=self.request_id,
            asked=self.asked,
            at=self.at,
            notes=(self.detail,) if self.detail else (),
        )
