"""Tests that EV Smart Charging can read the current price sensor as it is.

Its rules, from helpers/price_adaptor.py and helpers/raw.py of ev_smart_charging (2026): the sensor has the attributes
prices_today and prices_tomorrow. The first row of today defines the keys: the time is one of time, start, hour,
start_time, datetime, as ISO 8601 text or as datetime; the value is one of price, value, price_ct_per_kwh,
electricity_price. The minutes of the first two rows decide between quarters and hours; an hour becomes four quarters.
The rows of both lists are joined, grouped by the date in their time, and compared with the hub's date. A day needs
more than twelve rows.
"""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.nomos.const import DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from tests.integration.helpers import Advance

QUARTER = timedelta(minutes=15)
TIME_KEYS = ("time", "start", "hour", "start_time", "datetime")
VALUE_KEYS = ("price", "value", "price_ct_per_kwh", "electricity_price")


def read_day(attributes, offset):
    """Return the quarters of today or tomorrow by their start, or None if there are too few."""
    first = attributes["prices_today"][0]
    time_key = next(key for key in TIME_KEYS if key in first)
    value_key = next(key for key in VALUE_KEYS if key in first)
    if offset and not attributes["prices_tomorrow"]:
        return None
    rows = [
        (datetime.fromisoformat(row[time_key]), row[value_key])
        for row in attributes["prices_today"] + attributes["prices_tomorrow"]
    ]
    minutes = rows[1][0].minute - rows[0][0].minute
    assert minutes in {0, 15}, "not supported"
    parts = 4 if minutes == 0 else 1
    day = dt_util.now().date() + timedelta(days=offset)
    quarters = {
        start + number * QUARTER: value
        for start, value in rows
        for number in range(parts)
        if (start + number * QUARTER).date() == day
    }
    return quarters if len(quarters) > 12 else None


@pytest.mark.parametrize("email", ["smart@example.com", "analog@example.com"])
@pytest.mark.parametrize(
    ("now", "counts"),
    [
        (datetime(2026, 6, 10, 16, 3, tzinfo=UTC), (96, 96)),
        (datetime(2026, 10, 24, 16, 3, tzinfo=UTC), (96, 100)),
        (datetime(2026, 3, 29, 16, 3, tzinfo=UTC), (92, 96)),
    ],
)
async def test_sensor(hass: HomeAssistant, nomos, linked, email, counts) -> None:
    """It reads quarters and hours, on days of a clock change, too."""
    await linked(email)
    subscription = nomos.customers[email].subscriptions[0]
    state = hass.states.get("sensor.nomos_current_price")
    for offset, count in enumerate(counts):
        quarters = read_day(state.attributes, offset)
        assert len(quarters) == count
        for start, value in quarters.items():
            truth = nomos.price(subscription.id, start)
            assert value == pytest.approx(truth.amount / 100)
    current = max(
        start for start in read_day(state.attributes, 0) if start <= dt_util.now()
    )
    assert read_day(state.attributes, 0)[current] == float(state.state)


async def test_midnight(hass: HomeAssistant, linked, advance: Advance) -> None:
    """Tomorrow is absent until it is known, and at midnight it becomes today."""
    await linked()
    state = hass.states.get("sensor.nomos_current_price")
    assert len(read_day(state.attributes, 0)) == 96
    assert read_day(state.attributes, 1) is None
    await advance(timedelta(hours=8))
    state = hass.states.get("sensor.nomos_current_price")
    tomorrow = read_day(state.attributes, 1)
    await advance(timedelta(hours=5, minutes=56, seconds=53))
    assert dt_util.now().isoformat() == "2026-06-11T00:00:00+02:00"
    state = hass.states.get("sensor.nomos_current_price")
    assert read_day(state.attributes, 0) == tomorrow
    assert read_day(state.attributes, 1) is None


async def test_action(hass: HomeAssistant, linked, advance: Advance) -> None:
    """The action's response can be read in the same way."""
    await linked()
    await advance(timedelta(hours=8))
    answer = await hass.services.async_call(
        DOMAIN, "get_prices", {"format": "evsc"}, blocking=True, return_response=True
    )
    state = hass.states.get("sensor.nomos_current_price")
    for offset in (0, 1):
        assert read_day(answer, offset) == read_day(state.attributes, offset)
