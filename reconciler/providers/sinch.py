"""Sinch SMS (the REST API known as XMS): a service plan, its region and its API token."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar, Literal

from reconciler.causes import Cause
from reconciler.http import Http, Reply, bearer
from reconciler.model import Verdict
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
from reconciler.secret import Secret

REGIONS = ("us", "eu", "au", "br", "ca")
DASHBOARD = "Sinch Build Dashboard (dashboard.sinch.com)"
_PLAN = ("service_plan_id", "api_token")
CAUSES: Mapping[str, tuple[Cause, ...]] = {
    "key-refused": (
        Cause("the API token was replaced in the dashboard, or copied incompletely", ("api_token",), by_itself=True),
        Cause("the service plan lives in another region: its token works only there", ("region", *_PLAN)),
        Cause("the token is another service plan's: each has its own", _PLAN),
        Cause("it is a project's access key: the service plan's own API token is wanted", ("api_token",)),
    ),
    "account-inactive": (Cause("Sinch blocked the account: only its support can say why", by_itself=True),),
    "not-found": (
        Cause("the service plan lives in another region", ("region", "service_plan_id")),
        Cause("service_plan_id is mistyped", ("service_plan_id",)),
        Cause("the service plan was deleted", by_itself=True),
    ),
}


class SinchFields(Fields):
    """A Sinch SMS service plan, the region it lives in, and its API token."""

    service_plan_id: str = setting(
        title="Service plan ID",
        find=f"{DASHBOARD}: SMS, APIs, REST configuration, Service plan ID.",
        variable="SINCH_SERVICE_PLAN_ID",
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        usual="^[0-9a-z]{32}$",
        examples=["00000000000000000000000000000002"],
    )
    api_token: str = secret(
        title="API token",
        find=f"{DASHBOARD}: SMS, APIs, REST configuration, API token of this service plan.",
        variable="SINCH_API_TOKEN",
    )
    region: Literal["us", "eu", "au", "br", "ca"] = setting(
        title="Region",
        find=f"{DASHBOARD}: SMS, APIs, the region of the service plan. New accounts are made in us.",
        variable="SINCH_REGION",
    )


class Sinch(Provider):
    """Asks the service plan's own region for an empty list of batches."""

    name: ClassVar[str] = "sinch"
    title: ClassVar[str] = "Sinch"
    fields: ClassVar[type[Fields]] = SinchFields
    identifier: ClassVar[str] = "service_plan_id"
    account: ClassVar[tuple[str, ...]] = ("service_plan_id", "region")
    region: ClassVar[str] = "region"
    hosts: ClassVar[tuple[str, ...]] = tuple(f"{region}.sms.api.sinch.com" for region in REGIONS)
    docs: ClassVar[str] = "https://developers.sinch.com/docs/sms/getting-started"
    support: ClassVar[str] = "https://sinch.com/contact-us/"
    terms: ClassVar[str] = "https://sinch.com/legal/terms-of-service/"
    causes: ClassVar[Mapping[str, tuple[Cause, ...]]] = CAUSES

    async def check(self, settings: Mapping[str, str], secrets: Mapping[str, Secret], http: Http) -> Verdict:
        """List the batches that start from now on: none, so that nobody's number or message is in the answer."""
        plan = settings["service_plan_id"]
        start = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        reply = await http.get(
            f"https://{settings['region']}.sms.api.sinch.com/xms/v1/{plan}/batches?page=0&page_size=1&start_date={start}",
            headers={"authorization": bearer(secrets["api_token"])},
            account=plan,
        )
        if reply.status == 200:
            return _batches(reply)
        return _refusal(reply)


def _batches(reply: Reply) -> Verdict:
    body = mapping(reply.json)
    if not isinstance(body.get("count"), int) or not isinstance(body.get("batches"), list):
        raise unexpected(reply)
    return verdict(reply, "accepted")


def _refusal(reply: Reply) -> Verdict:
    """What a 4xx says. 401 and 404 may come without a body, but not with a web page.

    Of the documented 403 codes only ``blocked_account`` is about the account. The others are about a request to send,
    and a 403 that is not Sinch's own may come from a gateway: neither says anything about the credential.
    """
    code = _code(reply)
    if reply.content_type == "text/html":
        raise unexpected(reply, code)
    if reply.status == 401:
        return verdict(reply, "key-refused", provider_code=code)
    if reply.status == 403 and code == "blocked_account":
        return verdict(reply, "account-inactive", provider_code=code)
    if reply.status == 404:
        return verdict(reply, "not-found", provider_code=code)
    raise unexpected(reply, code)


def _code(reply: Reply) -> str:
    """The error code in any of the three shapes that Sinch documents; nothing where there is no body.

    ``{"code", "text"}`` (XMS), ``{"error": {"status", ...}}`` (newer pages), ``{"type": ".../registry/<code>"}``.
    """
    body = mapping(reply.json)
    problem_type = text(body.get("type")).rpartition("/")[2]
    return error_code(body.get("code") or mapping(body.get("error")).get("status") or problem_type)
