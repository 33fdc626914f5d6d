"""Tests of the sources of the house's expected need."""

from datetime import UTC, date, datetime

import pytest

from custom_components.nomos.forecast.outlook import HouseSource, Problem
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
from tests.integration.forecast.helpers import (
    BATTERY,
    DAY,
    GRID,
    HOUR,
    SOLAR,
    dashboard,
    light,
    meter,
    per_day,
)
from tests.integration.recorder.helpers import advance_until_synced, set_start

NOON = datetime(2026, 6, 10, 10, tzinfo=UTC)
FRIDAY_NOON = NOON + 2 * DAY
SATURDAY_NOON = NOON + 3 * DAY


def need_at(outlook, start: datetime) -> float:
    """Return the expected need of the house in an hour."""
    need: float = outlook.house.between(start, start + HOUR)
    return need


async def house_with_everything(hass: HomeAssistant) -> None:
    """Write the meters of a house that needs 1 kWh in each hour, 2 at weekends, with sun and battery."""
    now = dt_util.utcnow()
    await dashboard(hass, GRID, SOLAR, BATTERY)
    weekend = lambda local: 2.0 if local.weekday() >= 5 else 1.0  # noqa: E731
    await meter(
        hass,
        "sensor.bought",
        now,
        lambda one: 0.0 if light(one) else weekend(one) - 0.25,
    )
    await meter(
        hass, "sensor.sold", now, lambda one: 2000.0 if light(one) else 0.0, unit="Wh"
    )
    await meter(
        hass, "sensor.roof", now, lambda one: weekend(one) + 2.5 if light(one) else None
    )
    await meter(hass, "sensor.charged", now, lambda one: 0.5 if light(one) else 0.0)
    await meter(hass, "sensor.discharged", now, lambda one: 0.0 if light(one) else 0.25)


async def test_meters(hass: HomeAssistant, linked, forecasts_of) -> None:
    """The need follows from import, sun and battery, for weekdays and weekends, with Wh and meters asleep at night."""
    entry = await linked()
    await house_with_everything(hass)
    outlook = await forecasts_of(entry).async_outlook(dt_util.utcnow())
    assert outlook.house_source is HouseSource.METERS
    assert outlook.problems == ()
    assert need_at(outlook, FRIDAY_NOON) == pytest.approx(1.0, abs=0.01)
    assert need_at(outlook, SATURDAY_NOON) == pytest.approx(2.0, abs=0.01)
    assert outlook.house.starts[0] <= dt_util.utcnow()
    assert outlook.house.starts[-1] >= dt_util.utcnow() + 3 * DAY


async def test_loads_are_not_part_of_it(
    hass: HomeAssistant, linked, forecasts_of, loads
) -> None:
    """The use of a load with a meter is subtracted; a load without statistics changes nothing."""
    entry = await linked()
    await dashboard(hass, {**GRID, "stat_energy_to": None})
    now = dt_util.utcnow()
    night = lambda local: local.hour == 2  # noqa: E731
    await meter(hass, "sensor.bought", now, lambda one: 11.5 if night(one) else 0.5)
    await meter(hass, "sensor.car", now, lambda one: 11.0 if night(one) else None)
    at_two = datetime(2026, 6, 12, tzinfo=UTC)
    forecasts = forecasts_of(entry)
    assert need_at(await forecasts.async_outlook(now), at_two) == pytest.approx(11.5)
    loads |= {"sensor.car", "sensor.gone"}
    outlook = await forecasts.async_outlook(now)
    assert outlook.house_source is HouseSource.METERS
    assert need_at(outlook, at_two) == pytest.approx(0.5)


async def test_nothing_is_known(hass: HomeAssistant, linked, forecasts_of) -> None:
    """Without data, a standard household with a configurable number of kWh per year is used."""
    entry = await linked()
    forecasts = forecasts_of(entry)
    outlook = await forecasts.async_outlook(dt_util.utcnow())
    assert outlook.house_source is HouseSource.YEARLY
    assert outlook.problems == ()
    days = per_day(outlook.house.starts, outlook.house.energies)
    assert len(days) == 5
    assert all(6 < one < 10 for one in days.values())
    hass.config_entries.async_update_entry(entry, options={"yearly_usage": 7000})
    double = await forecasts.async_outlook(dt_util.utcnow())
    assert sum(double.house.energies) == pytest.approx(2 * sum(outlook.house.energies))


async def test_our_own_usage(hass: HomeAssistant, linked, forecasts_of, usage) -> None:
    """Without meters, usage from Nomos counts, including that of a preceding contract."""
    entry = await linked()
    now = dt_util.utcnow()
    change = now - 14 * DAY
    usage |= {"nomos:old_usage", "nomos:new_usage"}
    await meter(hass, "nomos:old_usage", change, lambda _: 0.75, days=20)
    await meter(hass, "nomos:new_usage", now - 2 * DAY, lambda _: 0.75, days=12)
    outlook = await forecasts_of(entry).async_outlook(now)
    assert outlook.house_source is HouseSource.USAGE
    assert need_at(outlook, SATURDAY_NOON) == pytest.approx(0.75)


@pytest.mark.parametrize("usage_known", [False])
async def test_the_statistics_of_the_account(
    hass: HomeAssistant, nomos, linked, forecasts_of, usage, subscription, advance
) -> None:
    """The statistics that the usage import writes can be read."""
    contract = set_start(nomos, date(2026, 6, 1))
    entry = await linked()
    await advance_until_synced(entry, contract, advance, date(2026, 6, 10))
    found = entry.runtime_data.usage[subscription.id].statistics
    usage.add(found.energy_statistic)
    outlook = await forecasts_of(entry).async_outlook(dt_util.utcnow())
    assert outlook.house_source is HouseSource.USAGE


async def test_a_meter_without_statistics(
    hass: HomeAssistant, linked, forecasts_of, usage
) -> None:
    """If one meter has no statistics, this is reported, and the next source counts."""
    entry = await linked()
    now = dt_util.utcnow()
    await dashboard(hass, GRID, SOLAR)
    await meter(hass, "sensor.bought", now, lambda _: 1.0)
    await meter(hass, "sensor.sold", now, lambda _: 0.0)
    forecasts = forecasts_of(entry)
    outlook = await forecasts.async_outlook(now)
    assert outlook.house_source is HouseSource.YEARLY
    assert outlook.problems == (Problem.METERS_INCOMPLETE,)
    await meter(hass, "nomos:usage", now, lambda _: 0.5)
    usage.add("nomos:usage")
    outlook = await forecasts.async_outlook(now)
    assert outlook.house_source is HouseSource.USAGE
    assert outlook.problems == (Problem.METERS_INCOMPLETE,)


async def test_negative_meters(hass: HomeAssistant, linked, forecasts_of) -> None:
    """Swapped import and export result in a negative need, which is reported."""
    entry = await linked()
    now = dt_util.utcnow()
    await dashboard(hass, GRID)
    await meter(hass, "sensor.bought", now, lambda _: 0.5)
    await meter(hass, "sensor.sold", now, lambda _: 2.0)
    outlook = await forecasts_of(entry).async_outlook(now)
    assert outlook.house_source is HouseSource.YEARLY
    assert outlook.problems == (Problem.METERS_ABSURD,)


async def test_some_negative_hours(hass: HomeAssistant, linked, forecasts_of) -> None:
    """Negative hours are left out, and reported if there are many; the others count."""
    entry = await linked()
    now = dt_util.utcnow()
    await dashboard(hass, GRID)
    await meter(hass, "sensor.bought", now, lambda _: 1.0)
    await meter(hass, "sensor.sold", now, lambda one: 2.0 if one.day % 4 == 0 else 0.0)
    outlook = await forecasts_of(entry).async_outlook(now)
    assert outlook.house_source is HouseSource.METERS
    assert outlook.problems == (Problem.METERS_ABSURD,)
    assert need_at(outlook, NOON) == pytest.approx(1.0)


async def test_holes(hass: HomeAssistant, linked, forecasts_of) -> None:
    """If the hub was off for hours or days, the typical day is the same."""
    entry = await linked()
    now = dt_util.utcnow()
    await dashboard(hass, {**GRID, "stat_energy_to": None})

    def off(local: datetime) -> float | None:
        if local.day in {20, 21, 22} or (local.day == 5 and 8 <= local.hour < 14):
            return None
        return 3.0 if local.hour == 19 else 0.5

    await meter(hass, "sensor.bought", now, off)
    outlook = await forecasts_of(entry).async_outlook(now)
    assert outlook.house_source is HouseSource.METERS
    assert outlook.problems == ()
    assert need_at(outlook, datetime(2026, 6, 12, 17, tzinfo=UTC)) == pytest.approx(3.0)
    assert need_at(outlook, NOON) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("now", "day", "hours"),
    [
        (datetime(2026, 3, 28, 9, 5, tzinfo=UTC), date(2026, 3, 29), 23),
        (datetime(2026, 10, 24, 9, 5, tzinfo=UTC), date(2026, 10, 25), 25),
        (datetime(2026, 4, 2, 9, 5, tzinfo=UTC), date(2026, 4, 2), 24),
        (datetime(2026, 10, 29, 9, 5, tzinfo=UTC), date(2026, 10, 29), 24),
    ],
)
async def test_clock_changes(
    hass: HomeAssistant, linked, forecasts_of, now, day, hours
) -> None:
    """A habit keeps its local time across a clock change."""
    entry = await linked()
    await dashboard(hass, {**GRID, "stat_energy_to": None})
    await meter(hass, "sensor.bought", now, lambda one: 3.0 if one.hour == 19 else 0.5)
    outlook = await forecasts_of(entry).async_outlook(now)
    days = per_day(outlook.house.starts, outlook.house.energies)
    assert days[day] == pytest.approx(3.0 + 0.5 * (hours - 1))
    evening = datetime(day.year, day.month, day.day, 19)
    start = evening.replace(tzinfo=dt_util.get_time_zone("Europe/Berlin"))
    assert need_at(outlook, start.astimezone(UTC)) == pytest.approx(3.0)


async def test_a_database_that_cannot_be_read(
    hass: HomeAssistant, linked, forecasts_of, advance
) -> None:
    """This is reported, and retried half an hour later."""
    entry = await linked()
    await house_with_everything(hass)
    forecasts, instance = forecasts_of(entry), get_instance(hass)
    engine, instance._get_session = instance._get_session, None
    outlook = await forecasts.async_outlook(dt_util.utcnow())
    instance._get_session = engine
    assert outlook.house_source is HouseSource.YEARLY
    assert outlook.problems == (Problem.STATISTICS_UNREADABLE,)
    outlook = await forecasts.async_outlook(dt_util.utcnow() + HOUR / 4)
    assert outlook.house_source is HouseSource.YEARLY
    outlook = await forecasts.async_outlook(dt_util.utcnow() + HOUR / 2)
    assert outlook.house_source is HouseSource.METERS


async def test_once_a_day(hass: HomeAssistant, linked, forecasts_of) -> None:
    """It is read once yesterday is complete, and at once if the meters change."""
    entry = await linked()
    await dashboard(hass, {**GRID, "stat_energy_to": None})
    now = dt_util.utcnow()
    await meter(hass, "sensor.bought", now, lambda _: 1.0)
    await meter(hass, "sensor.other", now, lambda _: 0.25)
    forecasts = forecasts_of(entry)
    assert need_at(await forecasts.async_outlook(now), NOON) == pytest.approx(1.0)
    await meter(hass, "sensor.bought", now, lambda _: 2.0)
    midnight = datetime(2026, 6, 10, 22, tzinfo=UTC)
    for later in (now + 5 * HOUR, midnight + HOUR / 12):
        assert need_at(await forecasts.async_outlook(later), NOON) == pytest.approx(1.0)
    later = midnight + HOUR / 4
    assert need_at(await forecasts.async_outlook(later), NOON) == pytest.approx(2.0)
    await dashboard(
        hass, {**GRID, "stat_energy_from": "sensor.other", "stat_energy_to": None}
    )
    assert need_at(await forecasts.async_outlook(later), NOON) == pytest.approx(0.25)
