"""Tests of the template sensors for programs that read rows in an attribute of an entity, and of cheapest-energy-hours.

Their rules, from fetch_octopus_rates of Predbat (8.51): the rows of ``raw_today`` and ``raw_tomorrow`` are joined; with
``start``, ``end`` and ``value`` they are in a hundred times the unit of its rates; from the READMEs of EPEX Spot Sensor
and price-timeline-card: ``data`` has rows with ``start_time``, ``end_time`` and ``price_per_kwh``, the latter in EUR.
"""

from datetime import UTC, date, datetime, timedelta
import re

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.integration.helpers import EMAIL, Advance
from tests.integration.recipes import PAGE, recipe
from tests.integration.recipes.test_ev_smart_charging import read_day

QUARTER = timedelta(minutes=15)


@pytest.fixture
def expected_lingering_timers() -> bool:
    """Allow the triggers of template sensors to stay: Home Assistant detaches them only on a reload."""
    return True


async def set_up(hass, advance, name, **replacements):
    """Set up the template sensor of a recipe; it has its rows after a quarter of an hour."""
    config = recipe(name, **replacements)
    assert await async_setup_component(hass, "template", config)
    await hass.async_block_till_done()
    await advance(QUARTER)


def read_rows(rows, start_key, end_key, value_key):
    """Return the price of each quarter-hour in rows that do not overlap."""
    found = {}
    for row in rows:
        start = datetime.fromisoformat(row[start_key])
        end = datetime.fromisoformat(row[end_key])
        assert end - start == QUARTER
        assert start not in found
        found[start] = row[value_key]
    return found


def assert_rows(hass, nomos, start, quarters):
    """Assert that both attributes have exactly so many right prices from a time on."""
    state = hass.states.get("sensor.nomos_rows")
    end = start + quarters * QUARTER
    assert datetime.fromisoformat(state.state) == end
    predbat = read_rows(state.attributes["raw_today"], "start", "end", "value")
    epex = read_rows(
        state.attributes["data"], "start_time", "end_time", "price_per_kwh"
    )
    assert predbat == epex
    assert sorted(predbat) == [start + number * QUARTER for number in range(quarters)]
    subscription = nomos.customers[EMAIL].subscriptions[0]
    for instant, value in predbat.items():
        truth = nomos.price(subscription.id, instant)
        assert value == pytest.approx(truth.amount / 100)


@pytest.mark.parametrize(
    ("now", "midnight", "quarters"),
    [
        (datetime(2026, 6, 10, 8, 3, tzinfo=UTC), (9, 22), 96),
        (datetime(2026, 6, 10, 16, 3, tzinfo=UTC), (9, 22), 96 + 96),
        (datetime(2026, 10, 24, 16, 3, tzinfo=UTC), (23, 22), 96 + 100),
        (datetime(2026, 10, 25, 1, 3, tzinfo=UTC), (24, 22), 100),
        (datetime(2026, 3, 28, 17, 3, tzinfo=UTC), (27, 23), 96 + 92),
        (datetime(2026, 3, 29, 1, 3, tzinfo=UTC), (28, 23), 92),
    ],
)
async def test_rows(
    hass: HomeAssistant, nomos, linked, now, midnight, quarters, advance: Advance
) -> None:
    """The rows have every known price from midnight on, on days of a clock change, too."""
    await linked()
    await set_up(hass, advance, "template-sensor")
    day, hour = midnight
    start = now.replace(day=day, hour=hour, minute=0)
    assert_rows(hass, nomos, start, quarters)


async def test_publication_and_midnight(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """Tomorrow is included as soon as it is known, and yesterday is removed after midnight."""
    await linked()
    await set_up(hass, advance, "template-sensor")
    today = datetime(2026, 6, 9, 22, tzinfo=UTC)
    assert_rows(hass, nomos, today, 96)
    tomorrow = nomos.publication(date(2026, 6, 11))
    await advance(tomorrow - datetime.now(UTC) + timedelta(minutes=30))
    assert hass.states.get("binary_sensor.nomos_prices_for_tomorrow").state == "on"
    assert_rows(hass, nomos, today, 192)
    await advance(datetime(2026, 6, 10, 22, tzinfo=UTC) - datetime.now(UTC))
    assert_rows(hass, nomos, today + timedelta(days=1), 96)


async def test_history(hass: HomeAssistant) -> None:
    """The entity that the page excludes from the history is that of the recipe."""
    config = recipe("template-sensor")
    (sensor,) = config["template"][0]["sensor"]
    (left_out,) = config["recorder"]["exclude"]["entities"]
    assert left_out == "sensor." + sensor["name"].lower().replace(" ", "_")


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 6, 10, 16, 3, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 48, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 3, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 3, tzinfo=UTC),
    ],
)
async def test_ev_smart_charging(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """The sensor for EV Smart Charging has the prices of a contract by the hour, and the current one as its state."""
    await linked()
    subscription = nomos.customers[EMAIL].subscriptions[0]
    await set_up(hass, advance, "evsc", **{"4X44EMKX": subscription.number})
    state = hass.states.get("sensor.price_for_the_car")
    quarters = read_day(state.attributes, 0)
    assert len(state.attributes["prices_today"]) == len(quarters) // 4
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    truth = [
        nomos.price(subscription.id, hour + number * QUARTER).amount
        for number in range(4)
    ]
    assert float(state.state) == pytest.approx(sum(truth) / 400, abs=1e-7)
    for number in range(4):
        assert quarters[hour + number * QUARTER] == float(state.state)


async def test_cheapest_energy_hours(hass: HomeAssistant, linked) -> None:
    """The names on the page are those of the sensor."""
    await linked()
    section = PAGE.read_text().partition("## cheapest-energy-hours\n")[2]
    names = dict(re.findall(r"`(\w+)='(\w+)'`", section.partition("## ")[0]))
    assert names.keys() == {"attr_today", "attr_tomorrow", "time_key", "value_key"}
    attributes = hass.states.get("sensor.nomos_current_price").attributes
    assert attributes[names["attr_tomorrow"]] == []
    for row in attributes[names["attr_today"]]:
        assert datetime.fromisoformat(row[names["time_key"]])
        assert isinstance(row[names["value_key"]], float)
