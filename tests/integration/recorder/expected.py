"""Compares the statistics with values that are computed from the simulated market and meter."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from simulator import Simulator
from simulator.berlin import local_date, midnight

TOLERANCE = 1e-6


def exact(number: float) -> Fraction:
    """Return a number exactly as its decimal notation, without binary rounding."""
    return Fraction(str(number))


def true_hours(
    nomos: Simulator, subscription_id: str, first: date, end: date
) -> tuple[dict[datetime, Fraction], dict[datetime, Fraction]]:
    """Return kWh and EUR by hour, for the quarter-hours that the meter has reported so far."""
    energy: dict[datetime, Fraction] = defaultdict(Fraction)
    money: dict[datetime, Fraction] = defaultdict(Fraction)
    subscription = nomos.subscription(subscription_id)
    for start, kwh, _final in nomos.metered(subscription_id, first, end):
        hour = start.replace(minute=0)
        energy[hour] += exact(kwh)
        point = nomos.price(subscription_id, start)
        amount = subscription.corrections.get(point.start, point.amount)
        money[hour] += exact(kwh) * exact(amount) / 100
    return dict(energy), dict(money)


def true_fees(monthly: float, first: date, end: date) -> dict[datetime, Fraction]:
    """Return the base fee in EUR by the hour in which it is booked, the first of each day."""
    fees = {}
    day = first
    while day < end:
        after = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
        fees[midnight(day)] = exact(monthly) / (after - day.replace(day=1)).days
        day += timedelta(days=1)
    return fees


async def written_rows(
    hass: HomeAssistant, subscription_id: str, series: str
) -> list[tuple[datetime, float, float]]:
    """Return start, value and total of every hour in the database, in order."""
    await async_wait_recording_done(hass)
    name = f"nomos:{subscription_id}_{series}"
    rows = await get_instance(hass).async_add_executor_job(
        lambda: statistics_during_period(
            hass,
            datetime(2000, 1, 1, tzinfo=UTC),
            None,
            {name},
            "hour",
            None,
            {"state", "sum"},
        )
    )
    return [
        (
            datetime.fromtimestamp(row["start"], UTC),
            row["state"] or 0.0,
            row["sum"] or 0.0,
        )
        for row in rows.get(name, [])
    ]


def assert_same(
    rows: list[tuple[datetime, float, float]], truth: dict[datetime, Fraction]
) -> None:
    """Assert that hours, values and totals are as expected."""
    assert [start for start, _, _ in rows] == sorted(truth)
    total = Fraction()
    for start, state, running in rows:
        total += truth[start]
        assert abs(Fraction(state) - truth[start]) < TOLERANCE, start
        assert abs(Fraction(running) - total) < TOLERANCE, start


async def assert_true(
    hass: HomeAssistant, nomos: Simulator, subscription_id: str, first: date, end: date
) -> None:
    """Assert that all statistics of a contract match the market and the meter."""
    energy, money = true_hours(nomos, subscription_id, first, end)
    subscription = nomos.subscription(subscription_id)
    if subscription.type == "feed_in":
        assert_same(await written_rows(hass, subscription_id, "returned"), energy)
        assert_same(await written_rows(hass, subscription_id, "compensation"), money)
        assert not await written_rows(hass, subscription_id, "base_fee")
        return
    assert_same(await written_rows(hass, subscription_id, "usage"), energy)
    assert_same(await written_rows(hass, subscription_id, "cost"), money)
    monthly = nomos.world.plans[subscription.plan].price
    fees = true_fees(monthly, first, end)
    assert_same(await written_rows(hass, subscription_id, "base_fee"), fees)
    both = {
        hour: money.get(hour, Fraction()) + fees.get(hour, Fraction())
        for hour in money.keys() | fees.keys()
    }
    assert_same(await written_rows(hass, subscription_id, "total_cost"), both)


def supply_begins(nomos: Simulator, subscription_id: str) -> date:
    """Return the first day of supply."""
    start = nomos.subscription(subscription_id).start_at
    assert start
    return local_date(start)
