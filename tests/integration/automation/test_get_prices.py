"""Tests of the action get_prices: contracts, ranges and formats."""

from datetime import UTC, date, datetime, timedelta
import math
from pathlib import Path

import pytest

from custom_components.nomos.const import DOMAIN
from custom_components.nomos.prices import past as price_history
from custom_components.nomos.pricing import LevelThresholds, day_bounds
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.util.yaml import load_yaml_dict
from tests.integration.automation.get_prices import (
    SMART,
    assert_true_prices,
    contract,
    device_id,
    get_prices,
    moment,
)
from tests.integration.helpers import Advance, device_ids
from tests.integration.loads.helpers import add

QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
TODAY = date(2026, 6, 10)


async def test_today_and_tomorrow(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """By default, it returns known prices of today and tomorrow with components and levels, without a request."""
    await linked()
    subscription = contract(nomos)
    before = nomos.count("prices")
    answer = await get_prices(hass)
    rows = answer["prices"]
    assert len(rows) == 96
    assert answer["unit"] == "EUR/kWh"
    assert answer["until"] == "2026-06-11T00:00:00+02:00"
    assert rows[0]["start"] == "2026-06-10T00:00:00+02:00"
    assert_true_prices(nomos, subscription, rows)
    parts = [row["electricity"] + row["grid"] + row["levies"] for row in rows]
    assert parts == pytest.approx([row["price"] for row in rows], abs=1e-5)
    levels = [row["level"] for row in rows]
    assert {"very_cheap", "normal", "very_expensive"} <= set(levels)
    assert levels[[row["price"] for row in rows].index(min(r["price"] for r in rows))]
    assert nomos.count("prices") == before

    await advance(timedelta(hours=8))
    assert len((await get_prices(hass))["prices"]) == 192


@pytest.mark.parametrize(
    ("start", "end", "first", "count"),
    [
        ("2026-06-10", "2026-06-10", "2026-06-10T00:00:00+02:00", 96),
        ("2026-06-10 10:00:00+02:00", "2026-06-10T11:00+02:00", "2026-06-10T10:00", 4),
        # An interval that is partly in the range is included; one that starts at the end of the range is not.
        ("2026-06-10T10:03:07+02:00", "2026-06-10T10:15+02:00", "2026-06-10T10:00", 1),
        ("2026-06-10T10:03:07+02:00", "2026-06-10T10:15:01+02:00", "2026-06-10T10", 2),
        ("2026-06-10T08:00:00Z", None, "2026-06-10T10:00:00+02:00", 56),
        (None, "2026-06-10T12:00:00Z", "2026-06-10T00:00:00+02:00", 56),
        ("2026-06-12", "2026-06-13", None, 0),
    ],
)
async def test_ranges(
    hass: HomeAssistant, nomos, linked, start, end, first, count
) -> None:
    """Days are tariff days, including the last one; the end of a range of times is exclusive."""
    await linked()
    data = {"start": start, "end": end}
    answer = await get_prices(hass, **{k: v for k, v in data.items() if v})
    rows = answer["prices"]
    assert len(rows) == count
    if rows:
        assert rows[0]["start"].startswith(first)
        assert_true_prices(nomos, contract(nomos), rows)
    else:
        assert answer["until"] is None


async def test_levels_of_part_of_a_day(hass: HomeAssistant, linked) -> None:
    """A level refers to the whole day, whatever part of it is requested."""
    await linked()
    for resolution in ("interval", "hour"):
        rows = (await get_prices(hass, resolution=resolution))["prices"]
        part = await get_prices(
            hass,
            start="2026-06-10T17:00:00+02:00",
            end="2026-06-10T21:00:00+02:00",
            resolution=resolution,
        )
        assert part["prices"] == [
            row for row in rows if 17 <= moment(row["start"]).hour < 21
        ]


async def test_thresholds(hass: HomeAssistant, linked) -> None:
    """Levels follow the options of the account."""
    entry = await linked()
    (coordinator,) = entry.runtime_data.prices.values()
    coordinator.thresholds = LevelThresholds(
        cheap_share=50, very_cheap_share=50, very_distance=0.01
    )
    levels = [row["level"] for row in (await get_prices(hass))["prices"]]
    assert "cheap" not in levels
    assert levels.count("very_cheap") > 24


async def test_local_times(hass: HomeAssistant, nomos, linked) -> None:
    """A time without an offset is in the hub's time zone; objects from templates work, too."""
    await hass.config.async_set_time_zone("America/New_York")
    await linked()
    for start, end in (
        ("2026-06-10 04:00:00", "2026-06-10 05:00:00"),
        (datetime(2026, 6, 10, 8, tzinfo=UTC), datetime(2026, 6, 10, 9, tzinfo=UTC)),
    ):
        rows = (await get_prices(hass, start=start, end=end))["prices"]
        assert [row["start"] for row in rows][::3] == [
            "2026-06-10T10:00:00+02:00",
            "2026-06-10T10:45:00+02:00",
        ]
    rows = (await get_prices(hass, start=TODAY, end=TODAY))["prices"]
    assert rows[0]["start"] == "2026-06-10T00:00:00+02:00"


@pytest.mark.parametrize(
    ("now", "day", "count", "hours"),
    [
        (datetime(2026, 3, 29, 8, 3, tzinfo=UTC), date(2026, 3, 29), 92, 23),
        (datetime(2026, 10, 25, 8, 3, tzinfo=UTC), date(2026, 10, 25), 100, 25),
    ],
)
async def test_days_with_a_change_of_clocks(
    hass: HomeAssistant, nomos, linked, day, count, hours
) -> None:
    """They have 92 and 100 different intervals."""
    await linked()
    span = {"start": day.isoformat(), "end": day.isoformat()}
    rows = (await get_prices(hass, **span))["prices"]
    assert len(rows) == len({row["start"] for row in rows}) == count
    assert_true_prices(nomos, contract(nomos), rows)
    begin, end = day_bounds(day)
    assert moment(rows[0]["start"]) == begin
    assert moment(rows[-1]["end"]) == end
    assert len((await get_prices(hass, **span, resolution="hour"))["prices"]) == hours
    by_time = (await get_prices(hass, **span, format="emhass"))["load_cost_forecast"]
    assert len(by_time) == count
    evcc = (await get_prices(hass, **span, format="evcc"))["prices"]
    assert len({row["start"] for row in evcc}) == count


async def test_hours(hass: HomeAssistant, nomos, linked) -> None:
    """The price of an hour is the mean of its quarters; an hour with an unknown quarter has no price."""
    nomos.configure(null_amounts=[5], null_components=[9])
    await linked()
    hours = (await get_prices(hass, resolution="hour"))["prices"]
    quarters = (await get_prices(hass))["prices"]
    assert len(hours) == 24
    for number, hour in enumerate(hours):
        parts = quarters[4 * number : 4 * number + 4]
        assert (hour["start"], hour["end"]) == (parts[0]["start"], parts[3]["end"])
        for key in ("price", "electricity", "grid", "levies"):
            values = [part[key] for part in parts]
            if None in values:
                assert hour[key] is None
            else:
                assert hour[key] == pytest.approx(sum(values) / 4, abs=1e-8)
    assert [row["price"] is None for row in hours].count(True) == 1
    assert hours[1]["price"] is None
    assert hours[1]["level"] is None
    assert hours[3]["level"]


async def test_hourly_plan(hass: HomeAssistant, nomos, linked) -> None:
    """Intervals have the tariff's length."""
    await linked("analog@example.com")
    rows = (await get_prices(hass))["prices"]
    assert len(rows) == 24
    assert_true_prices(nomos, contract(nomos, "analog@example.com"), rows)
    assert (await get_prices(hass, resolution="hour"))["prices"] == rows


async def test_cents(hass: HomeAssistant, linked) -> None:
    """The caller chooses the unit of all amounts."""
    await linked()
    euro = (await get_prices(hass))["prices"]
    answer = await get_prices(hass, unit="ct/kWh")
    assert answer["unit"] == "ct/kWh"
    for one, two in zip(euro, answer["prices"], strict=True):
        for key in ("price", "electricity", "grid", "levies"):
            assert two[key] == pytest.approx(one[key] * 100, abs=1e-6)
    pairs = (await get_prices(hass, unit="ct/kWh", format="pairs"))["prices"]
    assert [price for _, price in pairs] == [row["price"] for row in answer["prices"]]


async def test_formats(hass: HomeAssistant, nomos, linked, advance: Advance) -> None:
    """All formats have the same prices; unknown ones are left out if the format cannot express them."""
    await linked()
    await advance(timedelta(hours=8))
    now = datetime.now(UTC)
    rows = (await get_prices(hass))["prices"]
    known = {row["start"]: row["price"] for row in rows}
    coming = {key: one for key, one in known.items() if moment(key) + QUARTER > now}

    pairs = (await get_prices(hass, format="pairs"))["prices"]
    assert dict(pairs) == known
    pairs = (await get_prices(hass, format="pairs_ms"))["prices"]
    assert pairs == [
        [moment(key).timestamp() * 1000, one] for key, one in known.items()
    ]
    assert all(isinstance(start, int) for start, _ in pairs)

    answer = await get_prices(hass, format="emhass")
    assert answer["load_cost_forecast"] == coming
    answer = await get_prices(hass, format="emhass_list")
    assert answer["load_cost_forecast"] == list(coming.values())
    assert answer["until"] == rows[-1]["end"]

    evcc = (await get_prices(hass, format="evcc"))["prices"]
    assert [set(row) for row in evcc] == [{"start", "end", "value"}] * 192
    assert evcc[0]["start"] == "2026-06-09T22:00:00Z"
    assert evcc[0]["end"] == "2026-06-09T22:15:00Z"
    assert [row["value"] for row in evcc] == list(known.values())

    evsc = await get_prices(hass, format="evsc")
    state = hass.states.get("sensor.nomos_current_price")
    for key in ("prices_today", "prices_tomorrow"):
        assert evsc[key] == state.attributes[key]


async def test_unknown_prices(hass: HomeAssistant, nomos, linked) -> None:
    """No format invents prices; the list for EMHASS ends before the first gap, which would shift it."""
    nomos.configure(null_amounts=[50])
    await linked()
    rows = (await get_prices(hass))["prices"]
    assert rows[50]["price"] is rows[50]["level"] is None
    evcc = (await get_prices(hass, format="evcc"))["prices"]
    assert len(evcc) == 95
    assert all(math.isfinite(row["value"]) for row in evcc)
    answer = await get_prices(hass, format="emhass_list")
    assert answer["load_cost_forecast"] == [row["price"] for row in rows[40:50]]
    assert answer["until"] == rows[50]["start"]


async def test_feed_in(hass: HomeAssistant, nomos, linked) -> None:
    """The only consumption contract is the default; feed-in is chosen by device, id or number."""
    entry = await linked("solar@example.com")
    consumption, feed_in = nomos.customers["solar@example.com"].subscriptions
    assert_true_prices(nomos, consumption, (await get_prices(hass))["prices"])
    for name in (device_id(hass, entry, feed_in), feed_in.id, feed_in.number):
        rows = (await get_prices(hass, subscription=name))["prices"]
        assert len(rows) == 96
        assert_true_prices(nomos, feed_in, rows)
        assert rows[0]["grid"] is None
    answer = await get_prices(hass, subscription=feed_in.id, format="emhass")
    assert answer.keys() == {"unit", "until", "prod_price_forecast"}


async def test_form_offers_contracts(hass: HomeAssistant, nomos, linked) -> None:
    """The form offers the devices of all contracts, and no flexible loads."""
    entry = await linked("solar@example.com")
    await add(hass, entry)
    form = load_yaml_dict(
        str(Path(price_history.__file__).parents[1] / "services.yaml")
    )
    choice = form["get_prices"]["fields"]["subscription"]["selector"]["device"]
    (rule,) = choice["filter"]
    assert rule == {"integration": DOMAIN, "manufacturer": "Nomos"}
    offered = {
        next(iter(device.identifiers))[1]
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
        if device.manufacturer == rule["manufacturer"]
    }
    contracts = nomos.customers["solar@example.com"].subscriptions
    assert offered == {one.id for one in contracts}
    assert device_ids(hass, entry) > offered


async def test_several_accounts(hass: HomeAssistant, nomos, linked) -> None:
    """The account or the contract has to be given; the contract alone is sufficient."""
    one, two = await linked(), await linked("analog@example.com")
    with pytest.raises(ServiceValidationError) as wrong:
        await get_prices(hass)
    assert (
        wrong.value.translation_key == "service_found_multiple_config_entry_for_domain"
    )
    assert len((await get_prices(hass, config_entry=one.entry_id))["prices"]) == 96
    assert len((await get_prices(hass, config_entry=two.entry_id))["prices"]) == 24
    other = contract(nomos, "analog@example.com")
    assert len((await get_prices(hass, subscription=other.id))["prices"]) == 24
    with pytest.raises(ServiceValidationError) as wrong:
        await get_prices(hass, subscription=other.id, config_entry=one.entry_id)
    assert wrong.value.translation_key == "unknown_subscription"


async def test_several_contracts(hass: HomeAssistant, nomos, linked) -> None:
    """With several consumption contracts there is no default."""
    await linked("many@example.com")
    with pytest.raises(ServiceValidationError) as wrong:
        await get_prices(hass)
    assert wrong.value.translation_key == "several_subscriptions"
    hourly = contract(nomos, "many@example.com", 3)
    assert len((await get_prices(hass, subscription=hourly.id))["prices"]) == 24


async def test_following_contract(hass: HomeAssistant, nomos, linked) -> None:
    """The running contract is the default even if another one is about to begin."""
    nomos.add_subscription(SMART, start_at=datetime(2026, 6, 30, 22, tzinfo=UTC))
    entry = await linked()
    assert len(entry.runtime_data.prices) == 2
    rows = (await get_prices(hass))["prices"]
    assert len(rows) == 96
    assert_true_prices(nomos, contract(nomos), rows)


async def test_contract_not_begun(hass: HomeAssistant, nomos, linked) -> None:
    """A contract that has not begun has no prices, and none are requested."""
    await linked("pending@example.com")
    before = nomos.count()
    answer = await get_prices(hass, start="2026-05-01", format="evcc")
    assert answer["prices"] == []
    assert nomos.count() == before
