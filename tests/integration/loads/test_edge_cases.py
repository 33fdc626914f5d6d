"""Tests of flexible loads with missing or too high prices, and in the nights of clock changes."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.nomos.loads.plan import LoadStatus
from custom_components.nomos.planner import PlanRequest, plan
from custom_components.nomos.pricing import TARIFF_ZONE
from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from tests.integration.helpers import Advance
from tests.integration.loads.helpers import (
    CAR,
    add,
    moment,
    runs_now,
    shown,
    status,
    table_of,
    until,
)

pytestmark = pytest.mark.usefixtures("german_hub")

QUARTER = timedelta(minutes=15)


@pytest.mark.parametrize("fallback", [None, "22:30:00", "02:00:00"])
async def test_without_prices(
    hass: HomeAssistant, nomos, linked, advance: Advance, fallback
) -> None:
    """Without new prices, the load still runs: at the configured time, or when it was cheap yesterday."""
    nomos.publish_at(datetime(2026, 6, 11).date(), "never")
    entry = await linked()
    await until(advance, datetime(2026, 6, 10, 21, 50, tzinfo=UTC))
    load_id = await add(
        hass, entry, start="22:00:00", end="06:00:00", fallback=fallback
    )
    # Half past ten has passed already.
    own = fallback == "02:00:00"
    assert status(hass, load_id) == (
        LoadStatus.FALLBACK if own else LoadStatus.PROVISIONAL
    )
    assert shown(hass, load_id, "expected_cost").state == STATE_UNKNOWN
    ran = []
    for _ in range(40):
        if runs_now(hass, load_id):
            ran.append(datetime.now(UTC).astimezone(TARIFF_ZONE))
        await advance(QUARTER)
    assert len(ran) == 9
    assert not own or ran[0].hour == 2


async def test_own_time_at_the_opening_of_the_window(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """Without prices, a load may start right when its window opens."""
    nomos.publish_at(datetime(2026, 6, 11).date(), "never")
    entry = await linked()
    load_id = await add(
        hass, entry, start="00:00:00", end="06:00:00", fallback="00:00:00"
    )
    assert status(hass, load_id) == LoadStatus.FALLBACK
    opens = datetime(2026, 6, 10, 22, tzinfo=UTC)
    assert moment(hass, load_id, "next_start") == opens
    await until(advance, opens)
    assert runs_now(hass, load_id)


async def test_window_that_passes_without_prices(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """A load that found no price below its cap waits for the next window."""
    entry = await linked()
    nomos.faults.add(kind="reset")
    load_id = await add(hass, entry, start="00:00:00", end="06:00:00", price_cap=100)

    def window():
        assert status(hass, load_id) == LoadStatus.WAITING_FOR_PRICES
        found = shown(hass, load_id, "run_now", "binary_sensor").attributes["window"]
        return [datetime.fromisoformat(found[edge]) for edge in ("start", "end")]

    opens, closes = (datetime(2026, 6, 11, hour, tzinfo=TARIFF_ZONE) for hour in (0, 6))
    assert window() == [opens, closes]
    await until(advance, closes.astimezone(UTC) - timedelta(seconds=1))
    assert window() == [opens, closes]
    await advance(timedelta(seconds=1))
    assert window() == [one + timedelta(days=1) for one in (opens, closes)]


async def test_price_cap(hass: HomeAssistant, nomos, linked, advance: Advance) -> None:
    """With a cap, an interruptible load runs for less time and reports it; a contiguous one waits."""
    entry = await linked()
    prices = sorted(
        one.price for one in table_of(entry).intervals if one.start >= datetime.now(UTC)
    )
    cap = (prices[3] + prices[4]) / 2 * 100
    car = await add(
        hass, entry, CAR, price_cap=cap, min_run=None, min_pause=None, max_runs=None
    )
    assert status(hass, car) == LoadStatus.PARTIAL
    washer = await add(hass, entry, start="00:00:00", end="00:00:00", price_cap=-50)
    assert status(hass, washer) == LoadStatus.ABOVE_CAP


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 3, 28, 17, 5, tzinfo=UTC),
        datetime(2026, 10, 24, 16, 5, tzinfo=UTC),
    ],
)
async def test_nights_of_the_clock_change(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """In windows of 10 and 12 hours, the load runs once, for its duration."""
    entry = await linked()
    load_id = await add(hass, entry)
    opens = (
        datetime.now(UTC)
        .astimezone(TARIFF_ZONE)
        .replace(hour=20, minute=0, second=0, microsecond=0)
    )
    closes = (opens + timedelta(days=1)).replace(hour=7)
    assert (closes.astimezone(UTC) - opens.astimezone(UTC)) in (
        timedelta(hours=10),
        timedelta(hours=12),
    )
    await until(advance, opens.astimezone(UTC))
    best = plan(
        table_of(entry),
        PlanRequest(opens, closes, timedelta(hours=2, minutes=15), power_kw=1.2),
        datetime.now(UTC),
    )
    ran = timedelta()
    while datetime.now(UTC) < closes.astimezone(UTC):
        running = runs_now(hass, load_id)
        assert running == (best.runs[0].start <= datetime.now(UTC) < best.runs[0].end)
        ran += QUARTER * running
        await advance(QUARTER)
    assert ran == timedelta(hours=2, minutes=15)
