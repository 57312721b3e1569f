"""A provider and a resolver in one file: the package that docs/plugins.md builds, as the tests install it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from reconciler.causes import Cause
from reconciler.errors import SecretUnavailable
from reconciler.http import Http, bearer
from reconciler.model import Account, Verdict
from reconciler.providers.base import (
    Fields,
    Provider,
    error_code,
    mapping,
    secret,
    setting,
    text,
    unexpected,
    verdict,
)
from reconciler.resolvers.base import Surroundings, usable
from reconciler.secret import Secret

PORTAL = "Acme portal (portal.acme.example)"


class AcmeFields(Fields):
    """An Acme account and one of its API keys."""

    account: str = setting(
        title="Account",
        find=f"{PORTAL}: Settings, Account number.",
        pattern=r"^acme-[0-9]{4}$",
        examples=["acme-0001"],
    )
    api_key: str = secret(title="API key", find=f"{PORTAL}: Settings, API keys.")


class Acme(Provider):
    """Asks who the key belongs to."""

    name: ClassVar[str] = "acme"
    title: ClassVar[str] = "Acme SMS"
    fields: ClassVar[type[Fields]] = AcmeFields
    identifier: ClassVar[str] = "account"
    account: ClassVar[tuple[str, ...]] = ("account",)
    hosts: ClassVar[tuple[str, ...]] = ("api.acme.example",)
    docs: ClassVar[str] = "https://docs.acme.example"
    support: ClassVar[str] = "https://acme.example/support"
    terms: ClassVar[str] = "https://acme.example/terms"
    causes: ClassVar[Mapping[str, tuple[Cause, ...]]] = {
        "key-refused": (
            Cause("the key was revoked in the portal, or copied incompletely", ("api_key",), by_itself=True),
            Cause("the key is another account's", ("account", "api_key")),
        ),
    }

    async def check(self, settings: Mapping[str, str], secrets: Mapping[str, Secret], http: Http) -> Verdict:
        account = settings["account"]
        reply = await http.get(
            "https://api.acme.example/v1/me",
            headers={"authorization": bearer(secrets["api_key"])},
            account=account,
        )
        body = mapping(reply.json)
        if reply.status == 200 and body.get("account") == account:
            return verdict(reply, "accepted", account=Account(id=account, name=text(body.get("name"))))
        if reply.status == 200 and text(body.get("account")):
            return verdict(reply, "wrong-account", account=Account(id=text(body["account"])))
        if reply.status == 401 and "error" in body:
            return verdict(reply, "key-refused", provider_code=error_code(body["error"]))
        raise unexpected(reply)


class Drawer:
    """``drawer://NAME``: a file of the folder that the operator names in DRAWER; ``#key`` takes one key out of it."""

    scheme = "drawer"

    def resolve(self, path: str, around: Surroundings) -> Secret:
        return usable(self.read(path, around))

    def read(self, path: str, around: Surroundings) -> str:
        folder = around.environ.get("DRAWER")
        if not folder or "/" in path:
            raise SecretUnavailable("secret-missing", "DRAWER names no folder, or the path is more than a name")
        try:
            return (Path(folder) / path).read_text()
        except (OSError, UnicodeDecodeError):
            raise SecretUnavailable("secret-missing", f"there is no {path} in {folder}") from None
