"""Tests of how fast an account sends requests, with a real clock, real sockets, and Nomos's limit."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.nomos.account.pacing import Pace
from custom_components.nomos.const import DOMAIN
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from simulator import Simulator
from simulator.berlin import local_date, midnight
from tests.integration.helpers import CLIENT_ID, CLIENT_SECRET

MANY = "many@example.com"
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def pauses() -> None:
    """Keep the real pauses."""


@pytest.fixture
async def nomos(
    monkeypatch: pytest.MonkeyPatch, socket_enabled: None
) -> AsyncIterator[Simulator]:
    """Return a simulator with a running clock and a rate limit."""
    simulator = Simulator(
        seed=7,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        redirect_uris=("https://example.com",),
    )
    assert simulator.settings.rate_limit == 10
    await simulator.start()
    monkeypatch.setenv("NOMOS_API_URL", simulator.url)
    yield simulator
    await simulator.stop()


def busiest_second(requests):
    """Return the highest number of requests within any second."""
    times = sorted(one.time for one in requests)
    return max(sum(begin <= time < begin + SECOND for time in times) for begin in times)


@pytest.mark.usefixtures("credentials", "current_request_with_host")
async def test_twelve_contracts(hass: HomeAssistant, nomos: Simulator, walk) -> None:
    """Linking, setup and the import of twelve contracts stay within the limit, and nothing is missing."""
    first, *others = nomos.customers[MANY].subscriptions
    nomos.remove_subscription(first.id)
    today = local_date(nomos.clock.now())
    for one in others:
        nomos.set_subscription(one.id, start_at=midnight(today - timedelta(days=3)))
    assert len(nomos.customers[MANY].subscriptions) == 12

    flow = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    entry = (await walk(flow, MANY))["result"]
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=2))
    await hass.async_block_till_done(wait_background_tasks=True)

    api = [one for one in nomos.requests if one.kind not in {"page", "authorize"}]
    assert {one.status for one in api if one.customer} == {200}
    for kind in "prices", "usage":
        asked = {one.path for one in api if one.kind == kind}
        assert len(asked) == 12, kind
    runtime = entry.runtime_data
    assert all(one.data.horizon for one in runtime.prices.values())
    assert all(one.data.synced_on for one in runtime.usage.values())
    paced = [one for one in api if one.customer or one.kind == "token"]
    assert busiest_second(paced) <= 8


async def test_cancelled_request_delays_no_other(hass: HomeAssistant) -> None:
    """Requests are sent in order; one that is cancelled while it waits leaves no gap."""
    pace, done = Pace(0.5), []

    async def ask(name: int) -> None:
        await pace.async_turn()
        done.append((name, hass.loop.time()))

    tasks = [hass.async_create_task(ask(name)) for name in range(4)]
    tasks[1].cancel()
    await hass.async_block_till_done()
    assert [name for name, _ in done] == [0, 2, 3]
    assert tasks[1].cancelled()
