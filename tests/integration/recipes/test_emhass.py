"""Tests of the recipes for EMHASS; tests/clients runs them with EMHASS itself.

Its rules, from docs/passing_data.md and ``treat_runtimeparams`` (version 0.18): with ``method_ts_round: first`` the
window begins with the current time step of the local clock; it has ``prediction_horizon`` steps, five at least. A
forecast by time is averaged over its points in each step; a step without points takes the value before it, and the
first steps take the value after them. A list has to be at least as long as the window, and its values are used in
order. A value that is no number is an error.
"""

from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.nomos.pricing import TARIFF_ZONE
from homeassistant.core import HomeAssistant
from tests.integration.helpers import Advance
from tests.integration.recipes import set_up_emhass

QUARTER = timedelta(minutes=15)


class Emhass(TestServer):
    """A stand-in server for EMHASS, with the data that it received."""

    received: list[dict[str, Any]]


def read_forecast(parameters, key, now):
    """Return the price of each step in EMHASS's window, by the start of the step in UTC."""
    step = timedelta(minutes=int(parameters["optimization_time_step"]))
    horizon = parameters["prediction_horizon"]
    assert isinstance(horizon, int)
    assert horizon >= 5
    assert parameters["method_ts_round"] == "first"
    assert isinstance(parameters["optimization_time_step"], int)
    begin = floor(now, step)
    window = [begin + number * step for number in range(horizon)]
    given = parameters[key]
    if isinstance(given, list):
        assert len(given) >= horizon
        assert all(isinstance(one, int | float) for one in given)
        return dict(zip(window, given, strict=False))
    buckets = defaultdict(list)
    for text, value in given.items():
        assert isinstance(value, int | float)
        buckets[floor(datetime.fromisoformat(text), step)].append(value)
    points = {start: sum(values) / len(values) for start, values in buckets.items()}
    held, values = None, {}
    for start in sorted({*points, *window}):
        held = points.get(start, held)
        values[start] = held
    first = next(value for _, value in sorted(points.items()))
    return {
        start: first if values[start] is None else values[start] for start in window
    }


def floor(instant, step):
    """Return the start of the step that contains an instant, counted from local midnight."""
    local = instant.astimezone(TARIFF_ZONE)
    past = timedelta(
        hours=local.hour,
        minutes=local.minute,
        seconds=local.second,
        microseconds=local.microsecond,
    )
    return (instant - past % step).astimezone(UTC)


@pytest.fixture
async def emhass(hass: HomeAssistant, nomos) -> AsyncIterator[Emhass]:
    """Return a stand-in server for EMHASS."""
    received: list[dict[str, Any]] = []

    async def optimize(request: web.Request) -> web.Response:
        assert request.content_type == "application/json"
        received.append(await request.json())
        return web.json_response("EMHASS >> Action naive-mpc-optim executed...")

    app = web.Application()
    app.router.add_post("/action/naive-mpc-optim", optimize)
    server = Emhass(app)
    server.received = received
    await server.start_server()
    yield server
    if hass.services.has_service("automation", "turn_off"):
        await hass.services.async_call(
            "automation", "turn_off", {"entity_id": "all"}, blocking=True
        )
    await server.close()


async def set_up(hass, emhass, name="emhass", **replacements):
    """Set up a recipe on the hub."""
    url = str(emhass.make_url("")).rstrip("/")
    await set_up_emhass(hass, url, name, **replacements)


def assert_true_prices(nomos, forecast, email="smart@example.com", index=0):
    """Assert that every step has the market's price."""
    subscription = nomos.customers[email].subscriptions[index]
    for start, value in forecast.items():
        truth = nomos.price(subscription.id, start)
        assert value == pytest.approx(truth.amount / 100, abs=1e-9), start


async def test_all_day(
    hass: HomeAssistant, nomos, linked, emhass, advance: Advance
) -> None:
    """Every quarter-hour, EMHASS gets all known future prices for the right steps."""
    await linked()
    await set_up(hass, emhass)
    before = nomos.count("prices")
    await advance(timedelta(minutes=12, seconds=3))  # 10:15:10
    (sent,) = emhass.received
    assert nomos.count("prices") == before
    forecast = read_forecast(sent, "load_cost_forecast", datetime.now(UTC))
    assert len(forecast) == 55
    assert min(forecast) == datetime(2026, 6, 10, 8, 15, tzinfo=UTC)
    assert max(forecast) == datetime(2026, 6, 10, 21, 45, tzinfo=UTC)
    assert_true_prices(nomos, forecast)
    payouts = read_forecast(sent, "prod_price_forecast", datetime.now(UTC))
    assert set(payouts.values()) == {0.0786}
    assert len(payouts) == 55
    emhass.received.clear()
    for _ in range(24):
        await advance(QUARTER)
    # Once each quarter-hour, and once when tomorrow is published.
    assert len(emhass.received) == 25
    forecast = read_forecast(
        emhass.received[-1], "load_cost_forecast", datetime.now(UTC)
    )
    assert len(forecast) == 31 + 96
    assert_true_prices(nomos, forecast)


@pytest.mark.parametrize(
    ("now", "steps"),
    [
        (datetime(2026, 10, 24, 18, 3, tzinfo=UTC), 15 + 100),
        (datetime(2026, 3, 28, 19, 3, tzinfo=UTC), 15 + 92),
    ],
)
async def test_nights_with_a_change_of_clocks(
    hass: HomeAssistant, nomos, linked, emhass, advance: Advance, steps
) -> None:
    """No step is shifted by an hour."""
    await linked()
    await set_up(hass, emhass)
    await advance(timedelta(minutes=12, seconds=10))
    forecast = read_forecast(
        emhass.received[-1], "load_cost_forecast", datetime.now(UTC)
    )
    assert len(forecast) == steps
    assert_true_prices(nomos, forecast)


async def test_half_hours(
    hass: HomeAssistant, nomos, linked, emhass, advance: Advance
) -> None:
    """With a longer time step, EMHASS computes the means."""
    await linked()
    await set_up(hass, emhass, **{"step: 15": "step: 30"})
    await advance(timedelta(minutes=12, seconds=3))
    forecast = read_forecast(
        emhass.received[-1], "load_cost_forecast", datetime.now(UTC)
    )
    # From 10:00 on; the first quarter-hour is over.
    assert len(forecast) == 28
    subscription = nomos.customers["smart@example.com"].subscriptions[0]
    for start, value in list(forecast.items())[1:]:
        two = [
            nomos.price(subscription.id, at).amount / 100
            for at in (start, start + QUARTER)
        ]
        assert value == pytest.approx(sum(two) / 2, abs=1e-9)


async def test_end_of_known_prices(
    hass: HomeAssistant, nomos, linked, emhass, advance: Advance
) -> None:
    """EMHASS is called with five steps, but not with four."""
    nomos.publish_at(date(2026, 6, 11), "never")
    await linked()
    await set_up(hass, emhass)
    await advance(datetime(2026, 6, 10, 20, 45, 10, tzinfo=UTC) - datetime.now(UTC))
    (sent,) = emhass.received
    assert sent["prediction_horizon"] == 5
    assert_true_prices(
        nomos, read_forecast(sent, "load_cost_forecast", datetime.now(UTC))
    )
    for _ in range(4):
        await advance(QUARTER)
    assert emhass.received == [sent]


@pytest.mark.parametrize(
    ("now", "steps"),
    [
        (datetime(2026, 6, 10, 20, 59, 59, tzinfo=UTC), [5]),
        (datetime(2026, 6, 10, 21, 0, 0, tzinfo=UTC), []),
    ],
)
async def test_list(hass: HomeAssistant, nomos, linked, emhass, steps) -> None:
    """The plain list is right if the step is that of the tariff; a list of fewer than five prices is not sent."""
    nomos.publish_at(date(2026, 6, 11), "never")
    await linked()
    await set_up(hass, emhass, "emhass-list")
    await hass.services.async_call("script", "optimize", blocking=True)
    assert [sent["prediction_horizon"] for sent in emhass.received] == steps
    for sent in emhass.received:
        assert_true_prices(
            nomos, read_forecast(sent, "load_cost_forecast", datetime.now(UTC))
        )


@pytest.fixture
def feed_in(nomos):
    """Return a feed-in contract."""
    return nomos.customers["solar@example.com"].subscriptions[1]


async def test_feed_in(
    hass: HomeAssistant, nomos, linked, emhass, feed_in, advance: Advance
) -> None:
    """EMHASS gets the payouts of a feed-in contract; its horizon ends where prices or payouts end."""
    await linked("solar@example.com")
    await set_up(hass, emhass, "emhass-feed-in", **{"4X44EMKX": feed_in.number})
    await advance(timedelta(minutes=12, seconds=3))
    late = nomos.faults.add("status", f"/subscriptions/{feed_in.id}/", status=503)
    await advance(timedelta(hours=7))
    late.times = 0
    await advance(timedelta(hours=3))
    await advance(QUARTER)
    first, *_, between, last = emhass.received
    assert first["prediction_horizon"] == 55
    assert between["prediction_horizon"] == 15
    assert len(between["load_cost_forecast"]) == 15 + 96
    assert last["prediction_horizon"] == 14 + 96
    for sent in (first, between, last):
        for key, index in (("load_cost_forecast", 0), ("prod_price_forecast", 1)):
            now = min(map(datetime.fromisoformat, sent["load_cost_forecast"]))
            forecast = read_forecast(sent, key, now)
            assert_true_prices(nomos, forecast, "solar@example.com", index)


async def test_no_payouts(
    hass: HomeAssistant, nomos, linked, emhass, feed_in, advance: Advance
) -> None:
    """Nothing is sent until both prices and payouts are known."""
    nomos.faults.add("status", f"/subscriptions/{feed_in.id}/", status=503)
    await linked("solar@example.com")
    await set_up(hass, emhass, "emhass-feed-in", **{"4X44EMKX": feed_in.number})
    await advance(timedelta(minutes=12, seconds=3))
    assert not emhass.received
