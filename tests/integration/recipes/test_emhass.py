"""Tests of the recipe for EMHASS.

Its rules, from docs/passing_data.md and ``treat_runtimeparams`` (version 0.18): the window begins with the present time
step of the local clock and has ``prediction_horizon`` steps. A forecast by time is averaged over its points in each
step; a step without points takes the value before it, and the first steps take the value after them. A list has to be
at least as long as the window, and its values are used in order. A value that is no number is an error.
"""

from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
import json
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.nomos.const import DOMAIN
from custom_components.nomos.pricing import TARIFF_ZONE
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.integration.helpers import Advance
from tests.integration.recipes import recipe

QUARTER = timedelta(minutes=15)


class Emhass(TestServer):
    """A stand-in server for EMHASS, with the data that it received."""

    received: list[dict[str, Any]]


def read_forecast(parameters, key, now):
    """Return the price of each step in EMHASS's window, by the start of the step in UTC."""
    step = timedelta(minutes=int(parameters["optimization_time_step"]))
    horizon = parameters["prediction_horizon"]
    assert isinstance(horizon, int)
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


async def set_up(hass, emhass, **replacements):
    """Set up the recipe on the hub."""
    url = str(emhass.make_url("")).rstrip("/")
    config = recipe("emhass", **{"http://localhost:5000": url, **replacements})
    for component in ("rest_command", "automation"):
        assert await async_setup_component(hass, component, config)
    await hass.async_block_till_done()


def assert_true(nomos, forecast, index=0):
    """Assert that every step has the market's price."""
    subscription = nomos.customers["smart@example.com"].subscriptions[index]
    for start, value in forecast.items():
        truth = nomos.price(subscription.id, start)
        assert value == pytest.approx(truth.amount / 100, abs=1e-9), start


async def test_all_day(
    hass: HomeAssistant, nomos, linked, emhass, advance: Advance
) -> None:
    """Every quarter of an hour, EMHASS gets all known future prices for the right steps."""
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
    assert_true(nomos, forecast)
    payouts = read_forecast(sent, "prod_price_forecast", datetime.now(UTC))
    assert set(payouts.values()) == {0.0786}
    assert len(payouts) == 55
    emhass.received.clear()
    for _ in range(24):
        await advance(QUARTER)
    # Once each quarter of an hour, and once when tomorrow is published.
    assert len(emhass.received) == 25
    forecast = read_forecast(
        emhass.received[-1], "load_cost_forecast", datetime.now(UTC)
    )
    assert len(forecast) == 31 + 96
    assert_true(nomos, forecast)


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
    assert_true(nomos, forecast)


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
    # From 10:00 on; the first quarter is over.
    assert len(forecast) == 28
    subscription = nomos.customers["smart@example.com"].subscriptions[0]
    for start, value in list(forecast.items())[1:]:
        two = [
            nomos.price(subscription.id, at).amount / 100
            for at in (start, start + QUARTER)
        ]
        assert value == pytest.approx(sum(two) / 2, abs=1e-9)


async def test_list(hass: HomeAssistant, nomos, linked) -> None:
    """The plain list is right if the step is that of the tariff."""
    await linked()
    answer: Any = await hass.services.async_call(
        DOMAIN,
        "get_prices",
        {"format": "emhass_list"},
        blocking=True,
        return_response=True,
    )
    prices = answer["load_cost_forecast"]
    sent = {
        "optimization_time_step": 15,
        "prediction_horizon": len(prices),
        **json.loads(json.dumps(answer)),
    }
    forecast = read_forecast(sent, "load_cost_forecast", datetime.now(UTC))
    assert len(forecast) == 56
    assert_true(nomos, forecast)


async def test_feed_in(hass: HomeAssistant, nomos, linked) -> None:
    """EMHASS gets the payouts of a feed-in contract as its production price."""
    await linked("solar@example.com")
    feed_in = nomos.customers["solar@example.com"].subscriptions[1]
    step = recipe("emhass-feed-in", **{"4X44EMKX": feed_in.number})
    assert step["response_variable"] == "payouts"
    domain, _, service = step["action"].partition(".")
    answer: Any = await hass.services.async_call(
        domain, service, step["data"], blocking=True, return_response=True
    )
    sent = {"optimization_time_step": 15, "prediction_horizon": 56, **answer}
    for start, value in read_forecast(
        sent, "prod_price_forecast", datetime.now(UTC)
    ).items():
        assert value == pytest.approx(nomos.price(feed_in.id, start).amount / 100)
