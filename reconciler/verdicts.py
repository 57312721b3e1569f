"""What a verdict makes of a change, and of a stored credential: a pure table, and the status that ``list`` shows."""

from __future__ import annotations

from reconciler.codes import CODES
from reconciler.model import Action, Answer, Result, Status, Verdict
from reconciler.plans import Change
from reconciler.state import Record, Rejection


def settle(change: Change, verdict: Verdict | None) -> Result:
    """What becomes of a change under a verdict; ``None`` where the provider need not be asked (section 6)."""
    answer = verdict.answer if verdict else Answer.VALID
    return _SETTLED[answer].get(change.action, Result.KEPT)


_SETTLED: dict[Answer, dict[Action, Result]] = {
    Answer.VALID: {
        Action.CREATE: Result.CREATED,
        Action.UPDATE: Result.UPDATED,
        Action.RENAME: Result.RENAMED,
        Action.DELETE: Result.DELETED,
    },
    Answer.REJECTED: dict.fromkeys((Action.CREATE, Action.UPDATE, Action.RENAME), Result.REJECTED),
    Answer.UNKNOWN: dict.fromkeys((Action.CREATE, Action.UPDATE, Action.RENAME), Result.FAILED),
}


def status(record: Record | None, rejection: Rejection | None) -> Status:
    """What ``list`` shows; a record's own trouble goes before that of an update waiting beside it."""
    if record is None:
        return Status.REJECTED
    own = _own_status(record.verdict)
    if own in (Status.REFUSED_NOW, Status.SUSPENDED):
        return own
    return Status.UPDATE_REJECTED if rejection else own


def overwrites(record: Record, verdict: Verdict) -> bool:
    """Whether a check's verdict replaces the stored one: an unknown never takes a refusal back (D5)."""
    return verdict.answer is not Answer.UNKNOWN or status(record, None).startswith("ready")


def after_check(record: Record, verdict: Verdict) -> Status:
    """The status of a stored credential once a check has heard ``verdict``."""
    return _own_status(verdict) if overwrites(record, verdict) else status(record, None)


def _own_status(verdict: Verdict) -> Status:
    return CODES[verdict.code].status or Status.READY
