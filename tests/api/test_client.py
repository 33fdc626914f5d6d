"""Tests of the client: what it sends and what it returns."""

from datetime import UTC, date, datetime, timedelta
import logging
from typing import Any

import aiohttp
import pytest

from custom_components.nomos.api import (
    API_URL,
    API_VERSION,
    NomosClient,
    NomosRequestError,
    NomosResponseError,
    UsageResolution,
)
from custom_components.nomos.api.address import ENVIRONMENT_VARIABLE
from custom_components.nomos.api.client import MAX_PAGES
from tests.api.samples import (
    INVOICE,
    PLAN,
    PRICE,
    SUBSCRIPTION_ITEM,
    USAGE,
    price_answer,
    price_item,
    without,
)
from tests.api.server import TOKEN, ScriptedServer, Tokens

DAY = date(2026, 10, 1)
NEXT_DAY = date(2026, 10, 2)


def _subscriptions(*ids: str) -> list[dict[str, Any]]:
    return [SUBSCRIPTION_ITEM | {"id": each} for each in ids]


async def test_headers_of_every_request(
    client: NomosClient, server: ScriptedServer
) -> None:
    """Version and token are in the headers, and nothing secret is in the URL."""
    server.reply(PLAN)
    await client.tariff("pln_1")
    (request,) = server.requests
    assert (request.method, request.raw_path) == ("GET", "/plans/pln_1")
    assert request.headers["X-API-Version"] == API_VERSION == "2026-05-27.curie"
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.headers["Accept"] == "application/json"


async def test_prices(
    client: NomosClient, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Both days are inclusive, and a datetime counts as its date."""
    server.reply(PRICE)
    series = await client.prices(
        "sub_1", datetime(2026, 10, 1, 23, 59, tzinfo=UTC), NEXT_DAY
    )
    assert series.resolution == timedelta(minutes=15)
    (request,) = server.requests
    assert (
        request.raw_path
        == "/subscriptions/sub_1/prices?start=2026-10-01&end=2026-10-02"
    )
    assert "unreadable" not in caplog.text


@pytest.mark.parametrize("code", ["subscription_not_started", "ended_subscription"])
async def test_error_that_means_no_prices(
    client: NomosClient, server: ScriptedServer, code: str
) -> None:
    """A refusal because the contract is not active means the same as `items: null`."""
    refusal = {"code": code, "field": "", "message": "Not now"}
    server.reply({"code": "BAD_REQUEST", "errors": [refusal]}, status=400)
    assert (await client.prices("sub_1", DAY, NEXT_DAY)).items is None


async def test_usage(client: NomosClient, server: ScriptedServer) -> None:
    """The resolution is always sent, since the default depends on the meter."""
    server.reply(USAGE)
    series = await client.usage("sub_1", DAY, NEXT_DAY, UsageResolution.HOUR)
    assert len(series.items) == 2
    (request,) = server.requests
    assert (
        request.raw_path
        == "/subscriptions/sub_1/usage?resolution=hour&start=2026-10-01&end=2026-10-02"
    )


async def test_unreadable_items_are_logged(
    client: NomosClient, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The log explains a gap in the prices."""
    server.reply(price_answer(price_item(amount="n/a")))
    server.reply(USAGE | {"data": [{"start": "2026-10-01T00:00:00Z", "usage": None}]})
    assert (await client.prices("sub_1", DAY, DAY)).unreadable == 1
    assert (
        await client.usage("sub_1", DAY, NEXT_DAY, UsageResolution.DAY)
    ).unreadable == 1
    ours = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.nomos")
    ]
    assert ours == [
        "Nomos sent 1 unreadable items for subscriptions/prices",
        "Nomos sent 1 unreadable items for subscriptions/usage",
    ]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("a/../b", "/plans/a%2F..%2Fb"),
        ("a b?c#d%2e", "/plans/a%20b%3Fc%23d%252e"),
        ("Zähler", "/plans/Z%C3%A4hler"),
        ("...", "/plans/..."),
    ],
)
async def test_ids_are_quoted(
    client: NomosClient, server: ScriptedServer, given: str, sent: str
) -> None:
    """An id can only ever be one segment of the path."""
    server.reply(PLAN)
    await client.tariff(given)
    assert server.requests[0].raw_path == sent


@pytest.mark.parametrize("given", ["", ".", "..", "\ud800"])
async def test_invalid_ids_are_not_sent(
    client: NomosClient, server: ScriptedServer, given: str
) -> None:
    """Such ids would request something else, or cannot be sent at all."""
    with pytest.raises(NomosRequestError):
        await client.prices(given, DAY, DAY)
    assert not server.requests


async def test_all_subscriptions_on_one_page(
    client: NomosClient, server: ScriptedServer
) -> None:
    """The client requests the largest pages and returns all contracts in order, whatever their status."""
    server.reply(
        {
            "object": "list",
            "items": _subscriptions("b", "a"),
            "has_more": False,
            "next_page": None,
        }
    )
    assert [each.id for each in await client.subscriptions()] == ["b", "a"]
    assert [request.raw_path for request in server.requests] == [
        "/subscriptions?limit=100"
    ]


@pytest.mark.parametrize(
    "rest",
    [
        {},
        {"has_more": None, "next_page": None},
        {"has_more": False, "next_page": "more"},
        {"next_page": "more"},
        {"has_more": True},
        {"has_more": True, "next_page": None},
        {"has_more": True, "next_page": ""},
    ],
)
async def test_end_of_a_list(
    client: NomosClient, server: ScriptedServer, rest: dict[str, Any]
) -> None:
    """A page that announces no further one or has no cursor is the last; it may be empty."""
    server.reply({"object": "list", "items": []} | rest)
    assert await client.subscriptions() == ()
    assert len(server.requests) == 1


async def test_pages_follow_the_cursor(
    client: NomosClient, server: ScriptedServer
) -> None:
    """Other parameters stay, and an item that moved between pages is returned once, in its last version."""
    server.reply(
        {"items": _subscriptions("d", "c"), "has_more": True, "next_page": "a=&b/"}
    )
    server.reply(
        {
            "items": [
                SUBSCRIPTION_ITEM | {"id": "c", "status": "ended"},
                *_subscriptions("b"),
            ],
            "has_more": True,
            "next_page": "2",
        }
    )
    server.reply({"items": _subscriptions("a"), "has_more": False, "next_page": None})
    found = await client.subscriptions()
    assert [(each.id, each.status.value) for each in found] == [
        ("d", "active"),
        ("c", "ended"),
        ("b", "active"),
        ("a", "active"),
    ]
    assert [request.query for request in server.requests] == [
        {"limit": "100"},
        {"limit": "100", "cursor": "a=&b/"},
        {"limit": "100", "cursor": "2"},
    ]


async def test_a_repeated_cursor_is_an_error(
    client: NomosClient, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """This includes a cursor that returns after others."""
    for each, cursor in (("a", "1"), ("b", "2"), ("c", "1")):
        server.reply(
            {"items": _subscriptions(each), "has_more": True, "next_page": cursor}
        )
    assert [each.id for each in await client.subscriptions()] == ["a", "b", "c"]
    assert len(server.requests) == 3
    assert "List /subscriptions does not end" in caplog.text


async def test_an_endless_list_is_an_error(
    client: NomosClient, server: ScriptedServer
) -> None:
    """The number of requests for a list is limited."""
    for index in range(MAX_PAGES + 1):
        server.reply(
            {
                "items": _subscriptions(f"s{index}"),
                "has_more": True,
                "next_page": str(index),
            }
        )
    assert len(await client.subscriptions()) == MAX_PAGES
    assert len(server.requests) == MAX_PAGES


@pytest.mark.parametrize(
    ("page", "field"),
    [
        ({"has_more": False}, "items"),
        ({"items": None}, "items"),
        ({"items": {}}, "items"),
        ({"items": [SUBSCRIPTION_ITEM, 1]}, "items[1]"),
        (
            {"items": [SUBSCRIPTION_ITEM, without(SUBSCRIPTION_ITEM, "customer")]},
            "items[1].customer",
        ),
        ({"items": [], "has_more": "yes"}, "has_more"),
        ({"items": [], "has_more": True, "next_page": 2}, "next_page"),
    ],
)
async def test_malformed_lists(
    client: NomosClient, server: ScriptedServer, page: dict[str, Any], field: str
) -> None:
    """A list is complete or an error, since a skipped item would look like a contract that disappeared."""
    server.reply(page)
    with pytest.raises(NomosResponseError) as caught:
        await client.subscriptions()
    assert caught.value.field == field
    assert caught.value.status == 200


async def test_a_tampered_cursor(client: NomosClient, server: ScriptedServer) -> None:
    """The whole list is an error."""
    server.reply({"items": _subscriptions("a"), "has_more": True, "next_page": "1"})
    server.reply({"code": "BAD_REQUEST", "message": "Invalid cursor"}, status=400)
    with pytest.raises(NomosRequestError):
        await client.subscriptions()


async def test_invoices(client: NomosClient, server: ScriptedServer) -> None:
    """All invoices of a contract are returned, each of them once."""
    server.reply({"items": [INVOICE, INVOICE, INVOICE | {"id": "inv_2"}]})
    found = await client.invoices(INVOICE["subscription"])
    assert [each.id for each in found] == [INVOICE["id"], "inv_2"]


async def test_the_filter_of_invoices_is_checked(
    client: NomosClient, server: ScriptedServer
) -> None:
    """A server that ignores the filter would return all invoices."""
    server.reply(
        {
            "items": [
                INVOICE | {"id": "1", "subscription": "sub_1"},
                INVOICE | {"id": "2", "subscription": "sub_2"},
            ],
            "has_more": True,
            "next_page": "n",
        }
    )
    server.reply({"items": [INVOICE | {"id": "3", "subscription": "sub_1"}]})
    assert [each.id for each in await client.invoices("sub_1")] == ["1", "3"]
    assert [request.raw_path for request in server.requests] == [
        "/invoices?filter%5Bsubscription%5D%5Beq%5D=sub_1&limit=100",
        "/invoices?filter%5Bsubscription%5D%5Beq%5D=sub_1&limit=100&cursor=n",
    ]


async def test_invoices_of_an_odd_id(
    client: NomosClient, server: ScriptedServer
) -> None:
    """An id or a cursor that cannot be encoded raises one of our errors."""
    with pytest.raises(NomosRequestError):
        await client.invoices("\ud800")
    assert not server.requests
    server.reply({"items": [], "has_more": True, "next_page": "\ud800"})
    with pytest.raises(NomosResponseError):
        await client.invoices("sub_1")
    assert len(server.requests) == 1


@pytest.mark.parametrize("shown", ["2026-01-29.edison", "<b>odd</b>"])
async def test_another_version_is_logged_once(
    client: NomosClient,
    session: aiohttp.ClientSession,
    server: ScriptedServer,
    shown: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is accepted, with one warning for each client."""
    server.reply(PLAN, headers={"X-API-Version": shown})
    await client.tariff("a")
    await client.tariff("a")
    warnings = [
        record for record in caplog.records if record.levelno == logging.WARNING
    ]
    assert len(warnings) == 1
    assert API_VERSION in warnings[0].getMessage()
    assert "<" not in warnings[0].getMessage()
    await NomosClient(session, Tokens(), base_url=server.url).tariff("a")
    assert sum(record.levelno == logging.WARNING for record in caplog.records) == 2


async def test_the_version_header_may_be_missing(
    client: NomosClient, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Gateways and old servers do not send the version back, which is ignored."""

    async def answer(_: aiohttp.web.Request) -> aiohttp.web.Response:
        return aiohttp.web.json_response(PLAN)

    server.then(answer)
    await client.tariff("a")
    assert not [
        record for record in caplog.records if record.levelno >= logging.WARNING
    ]


async def test_url_of_a_client(
    session: aiohttp.ClientSession,
    server: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An explicit URL takes precedence over the stand-in from the environment."""
    server.reply(PLAN)
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, server.url)
    assert (await NomosClient(session, Tokens()).tariff("a")).name == PLAN["name"]
    assert (
        await NomosClient(session, Tokens(), base_url=f"{server.url}/").tariff("a")
    ).name == PLAN["name"]
    monkeypatch.delenv(ENVIRONMENT_VARIABLE)
    assert NomosClient(session, Tokens())._base_url == API_URL
