"""Tests of what customers do with a real Home Assistant process."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
import json
import re
from zoneinfo import ZoneInfo

import pytest

from scripts.develop import wait_for_price
from scripts.hub import INTEGRATION, wait_until_running
from scripts.hub_client import HubClient, HubError, Json
from scripts.sign_in import (
    CLIENT_ID,
    DOMAIN,
    Customer,
    ensure_credentials,
    finish,
    link,
    link_again,
    to_sign_in,
    walk,
)
from tests.e2e.processes import Processes

BERLIN = ZoneInfo("Europe/Berlin")
CODE_LIFETIME = timedelta(minutes=10)
LOG_RECORD = re.compile(r"(?m)^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")


async def true_price(customer: Customer, at: datetime) -> float:
    """Return the simulator's price at an instant, in EUR/kWh."""
    state = await customer.control("GET", "state")
    subscription, *_ = state["customers"][customer.email]["subscriptions"]
    truth = await customer.control(
        "GET",
        "prices",
        subscription=subscription["id"],
        date=at.astimezone(BERLIN).date().isoformat(),
    )
    begun = [
        item for item in truth["items"] if datetime.fromisoformat(item["start"]) <= at
    ]
    amount: float = begun[-1]["amount"]
    return amount / 100


async def assert_true_price(
    client: HubClient, customer: Customer, *, since: datetime
) -> None:
    """Assert that the simulator's current price is shown."""
    before = datetime.now(UTC)
    shown = await wait_for_price(client, since=since)
    state = await client.state(shown.entity_id)
    assert state is not None
    # The interval may have ended between two requests.
    moments = [before - timedelta(seconds=1), datetime.now(UTC)]
    truth = [await true_price(customer, at) for at in moments]
    assert float(shown.state) in [pytest.approx(price, abs=1e-6) for price in truth]
    assert state["attributes"]["unit_of_measurement"] == "EUR/kWh"
    assert state["attributes"]["state_class"] == "measurement"


async def eventually[T](look: Callable[[], T], *, timeout: float = 10) -> T:
    """Call a function until its result is true; return the result."""
    async with asyncio.timeout(timeout):
        while not (seen := look()):
            await asyncio.sleep(0.1)
    return seen


def assert_clear_abort(result: Json, *reasons: str) -> None:
    """Assert that the flow was aborted for one of these reasons, and that the reason has a text."""
    assert result["type"] == "abort", result
    assert result["reason"] in reasons
    english = json.loads((INTEGRATION / "translations" / "en.json").read_text())
    assert english["config"]["abort"][result["reason"]]


async def assert_nothing_stored(client: HubClient, processes: Processes) -> None:
    """Assert that there is no entry, in memory or on disk, and no pending flow."""
    assert await client.entries(DOMAIN) == []
    assert await client.flows(DOMAIN) == []
    # Home Assistant writes changed entries after a second.
    await eventually(lambda: processes.stored_entries() == [])


async def test_the_frontend_can_load(client: HubClient) -> None:
    """The requests that the frontend's loading screen waits for are answered."""
    assert await client.command("get_services")
    assert await client.command("get_panels")
    assert await client.command("frontend/get_themes")
    assert await client.command("persistent_notification/get") == []


async def test_link_and_read_the_price(client: HubClient, customer: Customer) -> None:
    """A person links the account and sees the right price."""
    since = datetime.now(UTC)
    entry = await link(client, customer)

    assert entry["state"] == "loaded"
    await assert_true_price(client, customer, since=since)
    [stored] = await client.entries(DOMAIN)
    assert stored["title"] == "4X44EMKX"


async def test_lone_surrogate_for_a_time(client: HubClient, customer: Customer) -> None:
    """A time template with half an emoji is refused; Home Assistant's own time parser would crash the process."""
    await link(client, customer)
    for action, field in (
        ("get_prices", "start"),
        ("get_prices", "end"),
        ("plan", "earliest"),
        ("plan", "latest"),
    ):
        data: Json = {field: '{{ "2026-06-10 20:0\\ud83d" }}'}
        if action == "plan":
            data["duration"] = 3600
        step = {"action": f"{DOMAIN}.{action}", "data": data, "response_variable": "x"}
        with pytest.raises(HubError, match="is not a time"):
            await client.command("execute_script", sequence=[step])
    assert await client.entries(DOMAIN)


async def test_denied(
    client: HubClient, customer: Customer, processes: Processes
) -> None:
    """Denying ends the flow with a sentence and stores nothing; allowing then works."""
    await ensure_credentials(client)
    result = await walk(client, customer, await client.start_flow(DOMAIN), allow=False)
    assert_clear_abort(result, "link_user_rejected_authorize")
    await assert_nothing_stored(client, processes)

    assert (await link(client, customer))["state"] == "loaded"


async def test_wrong_client_secret(
    client: HubClient, customer: Customer, processes: Processes
) -> None:
    """A mistyped secret ends the flow with a sentence; the right one then works."""
    processes.secrets.add("mistyped-secret")
    await ensure_credentials(client, secret="mistyped-secret")
    result = await walk(client, customer, await client.start_flow(DOMAIN))
    assert_clear_abort(result, "link_oauth_unauthorized")
    await assert_nothing_stored(client, processes)

    [credential] = await client.credentials(DOMAIN)
    assert credential["client_id"] == CLIENT_ID
    await client.remove_credentials(credential["id"])
    assert (await link(client, customer))["state"] == "loaded"


async def test_expired_code(
    client: HubClient, customer: Customer, processes: Processes
) -> None:
    """A customer who returns too late gets an explanation and can try again."""
    await ensure_credentials(client)
    step = await to_sign_in(client, await client.start_flow(DOMAIN))
    back = await customer.sign_in(step["url"])
    dawdling = CODE_LIFETIME + timedelta(minutes=1)
    seconds = dawdling.total_seconds()
    await customer.control("POST", "clock", {"advance_seconds": seconds})
    try:
        await customer.return_to_hub(back)
        result = await finish(client, step["flow_id"])
    finally:
        await customer.control("POST", "clock", {"advance_seconds": -seconds})
    assert_clear_abort(result, "link_oauth_unauthorized")
    await assert_nothing_stored(client, processes)

    assert (await link(client, customer))["state"] == "loaded"


async def test_second_link_of_the_same_account(
    client: HubClient, customer: Customer
) -> None:
    """Adding an account a second time renews its access."""
    await link(client, customer)
    result = await walk(client, customer, await client.start_flow(DOMAIN))
    assert_clear_abort(result, "linked_again")
    assert len(await client.entries(DOMAIN)) == 1


async def refresh(client: HubClient) -> None:
    """Make the hub request prices from Nomos; raise its error if that fails."""
    with suppress(HubError):
        await client.post(f"/api/services/{DOMAIN}/refresh")


async def test_revoked(
    client: HubClient, customer: Customer, processes: Processes
) -> None:
    """After access is revoked, the account asks once to be linked again, and then works."""
    begin = datetime.now(UTC)
    entry = await link(client, customer)
    first = await eventually(processes.remember_tokens)
    await wait_for_price(client, since=begin)
    await customer.control("POST", "revoke", {"email": customer.email})
    # With all prices known, the hub sends no requests, so only a manual one reveals the refusal.
    await refresh(client)
    [flow] = await client.flows(DOMAIN)
    assert flow["context"]["source"] == "reauth"
    assert flow["step_id"] == "reauth_confirm"

    async with Customer(processes.simulator_url, "analog@example.com") as stranger:
        step = await client.flow_step(flow["flow_id"])
        result = await walk(client, stranger, step)
        processes.secrets.update(stranger.codes)
    assert_clear_abort(result, "wrong_account")
    assert processes.remember_tokens() == first

    since = datetime.now(UTC)
    await link_again(client, customer, entry["entry_id"])
    await assert_true_price(client, customer, since=since)
    await eventually(lambda: processes.remember_tokens() - first)
    assert await client.flows(DOMAIN) == []
    assert len(await client.entries(DOMAIN)) == 1


async def test_reconfigure(client: HubClient, customer: Customer) -> None:
    """A working account can be linked again."""
    entry = await link(client, customer)
    since = datetime.now(UTC)
    step = await client.start_flow(DOMAIN, entry_id=entry["entry_id"])
    result = await walk(client, customer, step)
    assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
    await assert_true_price(client, customer, since=since)


async def test_restart(
    client: HubClient, customer: Customer, processes: Processes
) -> None:
    """After a restart, the price comes back by itself."""
    await link(client, customer)
    await client.disconnect()
    await processes.hub.stop()
    assert processes.remember_tokens(), "the link is on disk"
    since = datetime.now(UTC)
    await processes.hub.start()
    await wait_until_running(client)

    await assert_true_price(client, customer, since=since)
    assert await client.flows(DOMAIN) == []


def log_records(processes: Processes) -> Iterator[str]:
    """Yield all records that Home Assistant has logged in these tests, with their tracebacks."""
    yield from LOG_RECORD.split(processes.hub.log.read_text(errors="replace"))


def contains_secret(secret: str, text: str) -> bool:
    """Return whether a text contains a secret; six digits inside a longer id do not count."""
    return re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", text) is not None


async def test_logs(
    client: HubClient, customer: Customer, processes: Processes
) -> None:
    """The tests above were logged in detail, without secrets or errors."""
    await link(client, customer)
    await eventually(processes.remember_tokens)
    processes.secrets.update(customer.codes)
    records = list(log_records(processes))
    ours = [text for text in records if f"custom_components.{DOMAIN}" in text]
    assert any(" DEBUG " in text for text in ours)
    assert len(processes.secrets) > 5

    for log in (processes.hub.log, processes.simulator.log):
        text = log.read_text(errors="replace")
        # The assertion must not print the secret that it finds.
        leaks = sum(contains_secret(secret, text) for secret in processes.secrets)
        assert leaks == 0, f"{leaks} secrets in {log.name}"
    assert not [
        text
        for text in ours
        if re.search(r" (ERROR|CRITICAL) \(.*?\) \[custom_components", text)
        # Home Assistant's coordinators report revoked access in this single line.
        and "Nomos refuses access" not in text
    ]
    assert not [
        text
        for text in records
        if "Traceback (most recent call last)" in text
        # At debug level, Home Assistant's coordinators log every refusal with a traceback.
        and " DEBUG " not in text.partition("\n")[0]
        and ("custom_components/nomos" in text or f"custom_components.{DOMAIN}" in text)
    ]
