"""Tests of the recipes for EMHASS: the prices of each optimised step are compared with the simulator's."""

from datetime import UTC, date, datetime, timedelta

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.integration.helpers import EMAIL
from tests.integration.recipes import recipe

QUARTER = timedelta(minutes=15)
PAID = 0.0786
"""The payout in the recipe, in EUR/kWh."""
PAID_IN_LIST = 0.05
"""The payout of the list's recipe, which differs so that the plans cannot be confused."""


@pytest.fixture(autouse=True)
async def turn_off(hass: HomeAssistant):
    """Turn automations off after the test."""
    yield
    if hass.services.has_service("automation", "turn_off"):
        await hass.services.async_call(
            "automation", "turn_off", {"entity_id": "all"}, blocking=True
        )


async def set_up(hass, emhass, name="emhass", **replacements):
    """Set up a recipe, plus the expected use of the household, since EMHASS has no history here."""
    given = (
        "{{ (parameters | combine({'load_power_forecast': [500] * 300})) | to_json }}"
    )
    command = recipe(
        "emhass",
        **{
            "http://localhost:5000": emhass.url,
            "{{ parameters | to_json }}": given,
        },
    )
    assert await async_setup_component(hass, "rest_command", command)
    script = {
        "script": {"send_list": recipe("emhass-list", **{str(PAID): str(PAID_IN_LIST)})}
    }
    assert await async_setup_component(hass, "script", script)
    config = recipe(name, **replacements)
    assert await async_setup_component(hass, "automation", config)
    await hass.async_block_till_done()


async def optimize(hass, emhass):
    """Run the automation; return the plan that EMHASS made."""
    await emhass.set_clock(datetime.now(UTC))
    target = {"entity_id": "all"}
    await hass.services.async_call("automation", "trigger", target, blocking=True)
    return await emhass.plan()


async def optimize_by_list(hass, emhass):
    """Send the plain list; return the plan that EMHASS made."""
    await emhass.set_clock(datetime.now(UTC))
    await hass.services.async_call("script", "send_list", blocking=True)
    return await emhass.plan()


def floor(instant, step):
    """Return the start of the step that contains an instant; the German UTC offset is whole hours."""
    return instant - (instant - datetime.min.replace(tzinfo=UTC)) % step


def true_prices(nomos, subscription, until, step):
    """Return the price of each step from the current one on (EUR/kWh): the mean of its remaining intervals."""
    now = datetime.now(UTC)
    prices, start = {}, floor(now, step)
    while start < until:
        quarters = [start + number * QUARTER for number in range(step // QUARTER)]
        values = [
            nomos.price(subscription.id, quarter).amount / 100
            for quarter in quarters
            if quarter + QUARTER > now
        ]
        prices[start] = sum(values) / len(values)
        start += step
    return prices


def assert_exact(
    nomos, plan, subscription, until=None, *, step=QUARTER, paid=PAID, feed_in=None
):
    """Assert that a plan was optimised with exactly the right prices and payouts, and ends at a time."""
    until = until or nomos.published_until(subscription.id)
    assert {row["optim_status"] for row in plan} == {"Optimal"}
    starts = [datetime.fromisoformat(row["timestamp"]) for row in plan]
    prices = true_prices(nomos, subscription, until, step)
    assert starts == list(prices)
    assert [row["unit_load_cost"] for row in plan] == pytest.approx(
        list(prices.values()), abs=1e-9
    )
    payouts = (
        list(true_prices(nomos, feed_in, until, step).values())
        if feed_in
        else [paid] * len(plan)
    )
    assert [row["unit_prod_price"] for row in plan] == pytest.approx(payouts, abs=1e-9)


@pytest.fixture
def smart(nomos):
    """Return the contract with a quarter-hourly tariff."""
    return nomos.customers[EMAIL].subscriptions[0]


@pytest.mark.parametrize("now", [datetime(2025, 10, 9, 8, 3, 7, tzinfo=UTC)])
async def test_day(hass: HomeAssistant, nomos, linked, emhass, smart) -> None:
    """EMHASS gets every known price each quarter-hour and at publication."""
    await linked()
    await set_up(hass, emhass)
    today = datetime(2025, 10, 9, 22, tzinfo=UTC)
    for minute in (15, 30):
        at = datetime(2025, 10, 9, 8, minute, 10, tzinfo=UTC)
        await emhass.advance(at - datetime.now(UTC))
        assert_exact(nomos, await emhass.plan(), smart, today)
    published = nomos.publication(date(2025, 10, 10))
    await emhass.advance(published - datetime.now(UTC) + timedelta(minutes=31))
    assert hass.states.get("binary_sensor.nomos_prices_for_tomorrow").state == "on"
    assert_exact(nomos, await emhass.plan(), smart, today + timedelta(days=1))


@pytest.mark.parametrize("now", [datetime(2025, 10, 9, 7, 58, tzinfo=UTC)])
async def test_any_second(hass: HomeAssistant, nomos, linked, emhass, smart) -> None:
    """At any second of an interval, its edges included, prices are not shifted."""
    await linked()
    await set_up(hass, emhass)
    for odd in ("00:00", "07:29.999", "07:30", "14:59.999"):
        at = datetime.fromisoformat(f"2025-10-09T08:{odd}+00:00")
        await emhass.advance(at - datetime.now(UTC))
        assert_exact(nomos, await optimize(hass, emhass), smart)
        by_list = await optimize_by_list(hass, emhass)
        assert_exact(nomos, by_list, smart, paid=PAID_IN_LIST)


@pytest.mark.parametrize(
    "now",
    [
        datetime(2025, 10, 25, 18, 10, 31, tzinfo=UTC),
        datetime(2025, 10, 26, 0, 37, 31, tzinfo=UTC),
        datetime(2025, 10, 26, 1, 7, 29, tzinfo=UTC),
        datetime(2025, 3, 29, 18, 10, 31, tzinfo=UTC),
        datetime(2025, 3, 30, 0, 52, 31, tzinfo=UTC),
        datetime(2025, 3, 30, 1, 7, 29, tzinfo=UTC),
    ],
)
async def test_change_of_clocks(
    hass: HomeAssistant, nomos, linked, emhass, smart
) -> None:
    """No step is shifted by an hour, on the eve and in the night of a clock change."""
    await linked()
    await set_up(hass, emhass)
    assert_exact(nomos, await optimize(hass, emhass), smart)
    by_list = await optimize_by_list(hass, emhass)
    assert_exact(nomos, by_list, smart, paid=PAID_IN_LIST)


@pytest.mark.parametrize("email", [EMAIL, "analog@example.com"])
@pytest.mark.parametrize("minutes", [15, 30, 60])
@pytest.mark.parametrize("now", [datetime(2025, 10, 25, 18, 37, 31, tzinfo=UTC)])
async def test_steps_and_tariffs(
    hass: HomeAssistant, nomos, linked, emhass, email, minutes
) -> None:
    """Steps of any length work with quarter-hourly and hourly prices."""
    await linked(email)
    await set_up(hass, emhass, **{"step: 15": f"step: {minutes}"})
    subscription = nomos.customers[email].subscriptions[0]
    plan = await optimize(hass, emhass)
    assert_exact(nomos, plan, subscription, step=timedelta(minutes=minutes))


@pytest.mark.parametrize("now", [datetime(2025, 10, 9, 8, 10, 31, tzinfo=UTC)])
async def test_feed_in(hass: HomeAssistant, nomos, linked, emhass) -> None:
    """EMHASS gets prices and payouts as far as both are known, and nothing until both are."""
    consumption, feed_in = nomos.customers["solar@example.com"].subscriptions
    late = nomos.faults.add("status", f"/subscriptions/{feed_in.id}/", status=503)
    await linked("solar@example.com")
    await set_up(hass, emhass, "emhass-feed-in", **{"4X44EMKX": feed_in.number})
    assert await optimize(hass, emhass) is None
    late.times = 0
    await emhass.advance(timedelta(hours=1))
    today = datetime(2025, 10, 9, 22, tzinfo=UTC)
    assert_exact(
        nomos, await optimize(hass, emhass), consumption, today, feed_in=feed_in
    )
    late.times = None
    await emhass.advance(timedelta(hours=6))
    assert hass.states.get("binary_sensor.nomos_prices_for_tomorrow").state == "on"
    assert_exact(
        nomos, await optimize(hass, emhass), consumption, today, feed_in=feed_in
    )
    late.times = 0
    await emhass.advance(timedelta(hours=3))
    assert_exact(nomos, await optimize(hass, emhass), consumption, feed_in=feed_in)


@pytest.mark.parametrize("now", [datetime(2025, 10, 9, 20, 52, 31, tzinfo=UTC)])
async def test_few_steps(hass: HomeAssistant, nomos, linked, emhass, smart) -> None:
    """EMHASS plans five steps and refuses four, so it is not called with four."""
    nomos.publish_at(date(2025, 10, 10), "never")
    await linked()
    await set_up(hass, emhass)
    plan = await optimize(hass, emhass)
    assert len(plan) == 5
    assert_exact(nomos, plan, smart)
    assert len(await optimize_by_list(hass, emhass)) == 5
    await emhass.advance(timedelta(minutes=10))
    assert await optimize(hass, emhass) is None
    assert await optimize_by_list(hass, emhass) is None
    status, _ = await emhass.request(
        "POST",
        "/action/naive-mpc-optim",
        json={
            "prediction_horizon": 4,
            "optimization_time_step": 15,
            "load_cost_forecast": [0.3] * 4,
            "prod_price_forecast": [0.1] * 4,
            "load_power_forecast": [500] * 4,
        },
    )
    assert status >= 400
