"""Tests of harmful responses: lone surrogates, endless bodies, other customers' contracts, cookies, free text."""

from datetime import timedelta
import gzip
import json
import tracemalloc
from typing import Any

import pytest
from yarl import URL

from custom_components.nomos.application_credentials import NomosOAuth2Implementation
from custom_components.nomos.const import DOMAIN
from custom_components.nomos.diagnostics import async_get_config_entry_diagnostics
from homeassistant.components.application_credentials import ClientCredential
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import InvalidData
from homeassistant.exceptions import (
    OAuth2TokenRequestConnectionError,
    OAuth2TokenRequestError,
    OAuth2TokenRequestReauthError,
)
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.json import json_bytes
from scripts.sign_in import Customer
from tests.api.server import ScriptedServer
from tests.integration.helpers import (
    HOUR,
    Advance,
    assert_right,
    device_ids,
    reauth_flows,
)

HALF = "\ud83d"
"""Half of an emoji, which Home Assistant cannot write to a JSON file."""


def assert_storable(hass: HomeAssistant) -> str:
    """Assert that Home Assistant can write its entries, devices and entities; return them as text."""
    return "".join(
        json_bytes(keeper._data_to_save()).decode()
        for keeper in (hass.config_entries, dr.async_get(hass), er.async_get(hass))
    )


def changed_items(**values: Any):
    """Return a function that sets fields of the first item of a response."""

    def change(answer: dict[str, Any]) -> dict[str, Any]:
        answer["items"][0] |= values
        return answer

    return change


@pytest.mark.usefixtures("credentials", "current_request_with_host")
async def test_hostile_texts(hass: HomeAssistant, nomos, walk) -> None:
    """Names and numbers are sanitised, so that everything can be stored."""
    number = f"X{HALF}Y\x00\u202e" + "9" * 5000
    nomos.faults.add(
        kind="mutate", match="subscriptions", change=changed_items(number=number)
    )
    nomos.faults.add(
        kind="set_fields", match="plans", values={"name": f"Nomos{HALF}\nstrøm"}
    )
    flow = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    result = await walk(flow)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert result["result"].state is ConfigEntryState.LOADED
    (device,) = dr.async_entries_for_config_entry(
        dr.async_get(hass), result["result"].entry_id
    )
    assert device.serial_number == "X\ufffdY\ufffd\ufffd" + "9" * 95
    assert device.model == "Nomos\ufffd\ufffdstrøm"
    assert result["title"] == device.serial_number
    assert "\ufffd" in assert_storable(hass)


@pytest.mark.parametrize("field", ["id", "customer", "plan"])
@pytest.mark.parametrize(
    "odd", [f"sub_{HALF}", "sub_\x00", "sub_ä", "s" * 5000, "a b", 7]
)
async def test_hostile_ids(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription, field, odd
) -> None:
    """A response with an impossible id is rejected, and known values stay."""
    entry = await linked()
    known = device_ids(hass, entry)
    nomos.faults.add(
        kind="mutate", match="subscriptions", change=changed_items(**{field: odd})
    )
    account = entry.runtime_data.account
    await account.async_refresh()
    assert account.last_error.field == f"items[0].{field}"
    assert device_ids(hass, entry) == known
    assert_right(hass, nomos, subscription)
    assert_storable(hass)


@pytest.mark.parametrize(
    "values",
    [
        {"access_token": f"a{HALF}"},
        {"access_token": "a\r\nX-Evil: 1"},
        {"access_token": "a" * 10_000},
        {"access_token": ["a"]},
        {"refresh_token": f"r{HALF}"},
        {"refresh_token": {"r": 1}},
        {"refresh_token": "r" * 10_000},
    ],
)
async def test_hostile_tokens(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription, values
) -> None:
    """A response with an impossible token is discarded, without a prompt to link again."""
    entry = await linked()
    before = dict(entry.data["token"])
    nomos.faults.add(kind="set_fields", match="token", values=values)
    await advance(2 * HOUR)
    await entry.runtime_data.account.async_refresh()
    assert nomos.count("token")
    assert entry.data["token"] == before
    assert not reauth_flows(hass)
    assert_storable(hass)


@pytest.mark.parametrize(
    ("lifetime", "seconds"),
    [
        (1e18, 86400),
        pytest.param(10**400, 3600, id="digits"),
        (float("nan"), 3600),
        (float("inf"), 3600),
        (-5, 60),
        (True, 3600),
        ("soon", 3600),
        ("7200", 7200),
        ([], 3600),
        (None, 3600),
        (5400.7, 5400),
    ],
)
async def test_lifetimes(
    hass: HomeAssistant, nomos, linked, freezer, lifetime, seconds
) -> None:
    """Any lifetime of a token is limited to a plausible one, which the diagnostics can show."""
    entry = await linked()
    freezer.tick(2 * HOUR)
    nomos.faults.add(
        kind="set_fields", match="token", values={"expires_in": lifetime}, times=1
    )
    await entry.runtime_data.account.async_refresh()
    assert entry.data["token"]["expires_in"] == seconds
    assert (await async_get_config_entry_diagnostics(hass, entry))["token"]


@pytest.mark.usefixtures("credentials", "current_request_with_host")
async def test_kept_fields_of_a_token(
    hass: HomeAssistant, nomos, walk, files, freezer
) -> None:
    """Only known fields of a token are stored in entry and journal, at linking and at a refresh."""
    nomos.faults.add(
        kind="set_fields",
        match="token",
        values={"id_token": "erika.mustermann", "scope": f"read{HALF}", "x": {"y": 1}},
    )
    flow = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    entry = (await walk(flow))["result"]
    await hass.async_block_till_done(wait_background_tasks=True)
    kept = {"access_token", "refresh_token", "token_type", "expires_in", "expires_at"}
    assert entry.data["token"].keys() == kept
    freezer.tick(2 * HOUR)
    await entry.runtime_data.account.async_refresh()
    assert entry.data["token"].keys() == kept
    (journal,) = files("token").values()
    assert "erika" not in journal.read_text()
    assert json.loads(journal.read_text())


def zipped(size: int) -> bytes:
    """Return a response with tokens and padding, compressed to a thousandth."""
    body = b'{"access_token": "a", "expires_in": 3600' + b" " * size + b"}"
    return gzip.compress(body)


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (200, zipped(200_000_000), {"Content-Encoding": "gzip"}),
        (401, zipped(200_000_000), {"Content-Encoding": "gzip"}),
        (200, b"[" * 60_000, {}),
        (200, b"[" * 1_000_000, {}),
        (200, b'{"a":' * 10_000, {}),
        (200, b'{"access_token": "a", "expires_in": ' + b"9" * 5_000 + b"}", {}),
        (400, b"[" * 60_000, {}),
    ],
    ids=[
        "bomb",
        "refusing bomb",
        "deep",
        "abyss",
        "deep objects",
        "digits",
        "deep refusal",
    ],
)
async def test_endless_token_answers(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, status, body, headers
) -> None:
    """A token response is read up to a limit and decoded safely; an endless one says nothing about the grant."""
    async with ScriptedServer() as server:
        server.raw(body, status, headers)
        monkeypatch.setenv("NOMOS_API_URL", server.url)
        credential = ClientCredential("client", "secret")
        client = NomosOAuth2Implementation(hass, DOMAIN, credential)
        tracemalloc.start()
        with pytest.raises(
            (OAuth2TokenRequestConnectionError, OAuth2TokenRequestError)
        ) as failed:
            await client.async_refresh_token({"refresh_token": "r"})
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert not isinstance(failed.value, OAuth2TokenRequestReauthError)
    assert peak < 5_000_000


async def test_contract_of_another_customer(
    hass: HomeAssistant, nomos, linked, subscription, caplog: pytest.LogCaptureFixture
) -> None:
    """Another customer's contract in the list is not shown, stored or logged."""
    foreign = {"id": "sub_foreign", "customer": "cus_foreign", "number": "FOREIGN"}

    def change(answer: dict[str, Any]) -> dict[str, Any]:
        answer["items"].insert(0, answer["items"][0] | foreign)
        return answer

    nomos.faults.add(kind="mutate", match="subscriptions", change=change)
    entry = await linked()
    assert device_ids(hass, entry) == {subscription.id}
    assert entry.runtime_data.account.data.keys() == {subscription.id}
    assert_right(hass, nomos, subscription)
    assert "contracts of another customer" in caplog.text
    assert "sub_foreign" not in caplog.text + assert_storable(hass)


async def test_only_contracts_of_another_customer(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """A list without own contracts counts as empty: nothing is removed before the next day's list says the same."""
    entry = await linked()
    nomos.faults.add(
        kind="mutate",
        match="subscriptions",
        change=changed_items(customer="cus_foreign"),
    )
    account = entry.runtime_data.account
    await account.async_refresh()
    assert account.last_error is None
    assert device_ids(hass, entry) == {subscription.id}
    await advance(timedelta(hours=21, seconds=17))
    await account.async_refresh()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not account.data


@pytest.mark.usefixtures("credentials", "current_request_with_host")
async def test_link_with_contracts_of_two_customers(
    hass: HomeAssistant, nomos, walk
) -> None:
    """An account is not linked if its contracts have different customers."""

    def change(answer: dict[str, Any]) -> dict[str, Any]:
        answer["items"].append(answer["items"][0] | {"id": "a", "customer": "b"})
        return answer

    nomos.faults.add(kind="mutate", match="subscriptions", change=change)
    flow = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    result = await walk(flow)
    assert result["reason"] == "cannot_connect"


@pytest.mark.usefixtures(
    "credentials", "current_request_with_host", "disable_mock_zeroconf_resolver"
)
async def test_cookies(
    hass: HomeAssistant, nomos, linked, monkeypatch, freezer, hass_client_no_auth
) -> None:
    """No cookie of Nomos is sent back, neither by the flow nor by token requests or any account."""
    # Cookie jars ignore cookies of hosts without a name.
    url = nomos.url.replace("127.0.0.1", "localhost")
    monkeypatch.setenv("NOMOS_API_URL", url)
    nomos.faults.add(kind="headers", headers={"Set-Cookie": "sid=1; Path=/"})
    flow = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    async with Customer(url, "smart@example.com") as customer:
        back = await customer.sign_in(flow["url"])
    await (await hass_client_no_auth()).get(back.relative())
    flow = await hass.config_entries.flow.async_configure(flow["flow_id"])
    assert flow["result"].state is ConfigEntryState.LOADED
    other = await linked("solar@example.com")
    freezer.tick(2 * HOUR)
    await other.runtime_data.account.async_refresh()
    asked = [one for one in nomos.requests if one.kind != "authorize"]
    assert {"token", "subscriptions", "prices"} <= {one.kind for one in asked}
    assert not [one for one in asked if one.cookies]


@pytest.mark.usefixtures("credentials", "current_request_with_host")
async def test_text_of_a_refused_link(
    hass: HomeAssistant, nomos, hass_client_no_auth
) -> None:
    """The error in the callback's URL is shown only if it looks like a code, since it is rendered as Markdown."""
    flow = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    state = URL(flow["url"]).query["state"]
    back = URL("/auth/external/callback").with_query(
        state=state, error="[click](https://example.com)"
    )
    await (await hass_client_no_auth()).get(back)
    result = await hass.config_entries.flow.async_configure(flow["flow_id"])
    assert result["reason"] == "link_user_rejected_authorize"
    assert (result["description_placeholders"] or {})["error"] == "-"


@pytest.mark.parametrize("odd", ["nan", "inf", 1e300])
async def test_invalid_options(hass: HomeAssistant, linked, odd) -> None:
    """The form of the options accepts only numbers."""
    entry = await linked()
    form = await hass.config_entries.options.async_init(entry.entry_id)
    for given in (
        {"cheap_share": odd, "battery": {}},
        {"battery": {"yearly_usage": odd}},
        {"battery": {"payout": odd}},
        {"battery": {"solar_forecasts": [odd]}},
    ):
        with pytest.raises(InvalidData):
            await hass.config_entries.options.async_configure(form["flow_id"], given)


FREE_TEXT = "Erika Mustermann, Hauptstr. 1"


@pytest.mark.usefixtures("credentials", "current_request_with_host")
@pytest.mark.parametrize("match", ["token", "subscriptions", "prices", "plans"])
@pytest.mark.parametrize("status", [400, 403, 404, 422, 429, 500])
async def test_free_text_is_not_logged(
    hass: HomeAssistant, nomos, walk, linked, freezer, caplog, match, status
) -> None:
    """Free text of Nomos is not logged; status and code are."""
    fault = {
        "kind": "status",
        "status": status,
        "code": "ODD_CODE",
        "message": FREE_TEXT,
        "body": {
            "code": "ODD_CODE",
            "message": FREE_TEXT,
            "error_description": FREE_TEXT,
            "requestId": FREE_TEXT,
        },
    }
    entry = await linked()
    freezer.tick(2 * HOUR)
    nomos.faults.add(match=match, **fault)
    await entry.runtime_data.account.async_refresh()
    for coordinator in entry.runtime_data.prices.values():
        await coordinator.async_refresh()
    flow = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    await walk(flow, "solar@example.com")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert "ODD_CODE" in caplog.text
    assert "Erika" not in caplog.text
    assert "Hauptstr" not in caplog.text
