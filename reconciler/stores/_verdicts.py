"""What a provider said, as the JSON of a column, and back. What is read may have been written by anybody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from reconciler.canonical import to_json
from reconciler.codes import CODES
from reconciler.model import Account, Answer, Verdict

_ACCOUNT = ("id", "name", "type", "status", "currency")
_VERDICT = ("http_status", "provider_code", "request_id", "asked", "at")
_TEXTS = ("notes", "likely")


def account_json(account: Account) -> str:
    return to_json(_account_facts(account))


def _account_facts(account: Account) -> dict[str, str]:
    return {key: text for key in _ACCOUNT if (text := getattr(account, key))}


def account_of(facts: Mapping[str, str]) -> Account:
    """Raises TypeError for what is no text."""
    _are_texts(facts.values())
    return Account(**facts)


def _are_texts(values: Iterable[object]) -> None:
    if not all(type(value) is str for value in values):
        raise TypeError("it holds something that is no text")


def verdict_json(verdict: Verdict) -> str:
    facts: dict[str, Any] = {"answer": verdict.answer, "code": verdict.code}
    facts |= {key: value for key in _VERDICT if (value := getattr(verdict, key)) not in (None, "")}
    if account := _account_facts(verdict.account):
        facts["account"] = account
    facts |= {key: texts for key in _TEXTS if (texts := getattr(verdict, key))}
    return to_json(facts)


def verdict_of(facts: Mapping[str, Any]) -> Verdict:
    """``facts`` as read from JSON; what is absent has nothing to say. Raises KeyError for a code that there is not."""
    if CODES[facts["code"]].answer != facts["answer"]:
        raise ValueError("the code belongs to another answer")
    said: dict[str, Any] = {key: facts[key] for key in _VERDICT if key in facts}
    if said.get("at"):
        is_time(said["at"])
    if type(said.get("http_status", 0)) is not int:
        raise TypeError("a status is a number")
    _are_texts(said[key] for key in said if key != "http_status")
    said |= {key: tuple(facts[key]) for key in _TEXTS if key in facts}
    _are_texts(text for key in _TEXTS for text in said.get(key, ()))
    return Verdict(Answer(facts["answer"]), facts["code"], account_of(facts.get("account", {})), **said)


def is_time(text: str) -> None:
    """Raise what UNREADABLE names for what is no moment: lists reckon with it."""
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("a time without a zone")
