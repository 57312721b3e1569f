"""The three services as the sandbox plays them: who is asked about which account with which secret, and the answer."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from reconciler.sandbox.answers import (
    INFOBIP_BALANCE,
    SINCH_BATCHES,
    Answer,
    infobip_error,
    twilio_account,
    twilio_error,
    twilio_numbers,
)

MAIN, RESTRICTED, RESTRICTED_BLIND = "9101", "9102", "9103"
"""Endings of an API key's SID: a Main key, a Restricted one that may read phone numbers, one that may only send."""


@dataclass(frozen=True, slots=True)
class Question:
    """What of a request decides the answer."""

    host: str
    path: str
    authorization: str


class Service(ABC):
    """One service."""

    hosts: re.Pattern[str]
    key: str
    """The key of a credential that names the account, by which a scenario is chosen."""

    @abstractmethod
    def identifier(self, question: Question) -> str:
        """Which account is asked about, or nothing where the path is none of the service's."""

    @abstractmethod
    def answer(self, question: Question, identifier: str) -> Answer:
        """What the service documents for a right secret, and for any other."""

    def declared(self, value: str) -> str:
        """The identifier that :meth:`identifier` will find, from what stands under ``key``."""
        return value

    def ending(self, identifier: str) -> str:
        """The four characters that choose a scenario."""
        return identifier[-4:]

    def form(self, digest: bytes) -> str:
        """A secret in the form of the service's own, made from 32 bytes."""
        return digest[:16].hex()


class Twilio(Service):
    """Accounts and phone numbers. What an API key may read is told by its type, and that by its SID's ending."""

    hosts = re.compile(r"api\.(?:dublin\.ie1\.|sydney\.au1\.)?twilio\.com")
    key = "account_sid"
    _path = re.compile(r"/2010-04-01/Accounts/(?P<sid>AC[0-9a-fA-F]{32})(?P<rest>\.json|/IncomingPhoneNumbers\.json)")

    def identifier(self, question: Question) -> str:
        match = self._path.fullmatch(question.path)
        return match["sid"] if match else ""

    def answer(self, question: Question, identifier: str) -> Answer:
        match = self._path.fullmatch(question.path)
        if match is None:
            return twilio_error(404, 20404, "The requested resource was not found")
        about_account = match["rest"] == ".json"
        user, password = _basic(question.authorization)
        key = user if user.startswith("SK") else ""
        right = password in _secrets("twilio", identifier, "api_key_secret" if key else "auth_token")
        if not right or user not in (identifier, key):
            return twilio_error(401, 20003, "Authenticate")
        allowed = Answer(200, twilio_account(identifier) if about_account else twilio_numbers(identifier))
        return _key_refusal(key[-4:], about_account=about_account) or allowed if key else allowed


class Sinch(Service):
    """Batches of one service plan, of which there are none."""

    hosts = re.compile(r"(?:us|eu|au|br|ca)\.sms\.api\.sinch\.com")
    key = "service_plan_id"
    _path = re.compile(r"/xms/v1/(?P<plan>[A-Za-z0-9_-]{1,64})/batches")

    def identifier(self, question: Question) -> str:
        match = self._path.fullmatch(question.path)
        return match["plan"] if match else ""

    def answer(self, question: Question, identifier: str) -> Answer:
        if not identifier:
            return Answer(404)
        if question.authorization not in {f"Bearer {token}" for token in _secrets("sinch", identifier, "api_token")}:
            return Answer(401)
        return Answer(200, SINCH_BATCHES)

    def form(self, digest: bytes) -> str:
        return base64.b32encode(digest[:20]).decode().lower()


class Infobip(Service):
    """One account per host, with a balance and no bulks."""

    hosts = re.compile(r"(?:[a-z0-9-]+\.)+infobip\.com")
    key = "base_url"

    def identifier(self, question: Question) -> str:
        return question.host

    def answer(self, question: Question, identifier: str) -> Answer:
        if question.authorization not in {f"App {key}" for key in _secrets("infobip", identifier, "api_key")}:
            return infobip_error(401, "UNAUTHORIZED", "Invalid login details")
        if question.path == "/account/1/balance":
            return Answer(200, INFOBIP_BALANCE)
        text = "Bulk not found" if question.path == "/sms/1/bulks" else "Not found"
        return infobip_error(404, "NOT_FOUND", text)

    def declared(self, value: str) -> str:
        return value.removeprefix("https://").removesuffix(":443")

    def ending(self, identifier: str) -> str:
        return identifier.partition(".")[0][-4:]

    def form(self, digest: bytes) -> str:
        return f"{digest[:16].hex()}-{UUID(bytes=digest[16:])}"


SERVICES: Mapping[str, Service] = {"twilio": Twilio(), "sinch": Sinch(), "infobip": Infobip()}


def right_secret(provider: str, settings: Mapping[str, str], field: str, *, rotated: bool = False) -> str:
    """The secret that the sandbox accepts in ``field`` of a credential with these settings; ``rotated``: the other one.

    Derived from the identifier and in the service's own format, so that a demo needs no list of secrets.
    """
    service = SERVICES[provider]
    return _secrets(provider, service.declared(settings[service.key]), field)[rotated]


def _key_refusal(ending: str, *, about_account: bool) -> Answer | None:
    """What an API key of this type may not read; any ending that is not listed is a Standard key's."""
    if ending == RESTRICTED_BLIND or (ending == RESTRICTED and about_account):
        return twilio_error(401, 70051, "Authorization failed")
    return twilio_error(401, 20003, "Authenticate") if about_account and ending != MAIN else None


def _secrets(provider: str, identifier: str, field: str) -> tuple[str, str]:
    """The two that are right at any time, as while a secret is being rotated."""
    seed = f"sandbox {provider} {identifier} {field}"
    first, second = (hashlib.sha256(text.encode()).digest() for text in (seed, f"{seed} rotated"))
    return SERVICES[provider].form(first), SERVICES[provider].form(second)


def _basic(authorization: str) -> tuple[str, str]:
    word, _, encoded = authorization.partition(" ")
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (user, password) if word == "Basic" else ("", "")
