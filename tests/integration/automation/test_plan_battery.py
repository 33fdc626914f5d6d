"""Tests of the action that plans a battery."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
import json
from typing import Any

import pytest

from custom_components.nomos.const import DOMAIN
from custom_components.nomos.pricing import PriceTable
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from tests.integration.helpers import Advance

pytestmark = pytest.mark.usefixtures("german_hub")

QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
USUAL = {"level": 20, "capacity": 10, "charge_power": 5, "discharge_power": 4}
MODES = {"self_use", "hold", "delay_charge", "charge", "feed_in"}


async def plan_battery(hass: HomeAssistant, **data: Any) -> Any:
    """Call the action, and check that its response is plain JSON."""
    answer = await hass.services.async_call(
        DOMAIN, "plan_battery", {**USUAL, **data}, blocking=True, return_response=True
    )
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    return answer


def hourly(*kwh: float, hours: int = 48) -> list[dict[str, Any]]:
    """Return hourly rows from the current hour on, with the values repeated."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return [
        {"start": (start + index * HOUR).isoformat(), "kwh": kwh[index % len(kwh)]}
        for index in range(hours)
    ]


def spent(answer: dict[str, Any], needs: list[dict[str, Any]], payout: float) -> float:
    """Return the cost of a schedule, calculated from its rows alone."""
    need_of = {datetime.fromisoformat(row["start"]): row["kwh"] for row in needs}
    level, cost, way = 20 / 100 * 10, 0.0, 0.9**0.5
    for row in answer["schedule"]:
        start, end = (datetime.fromisoformat(row[key]) for key in ("start", "end"))
        hour = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        need = need_of[hour] * ((end - start) / HOUR)
        moved = row["level"] / 100 * 10 - level
        level += moved
        charged, discharged = max(moved, 0) / way, max(-moved, 0) * way
        grid = need + charged - discharged
        cost += grid * (row["import_price"] if grid > 0 else payout) + 0.05 * discharged
    return cost


async def test_answer(hass: HomeAssistant, linked, advance: Advance) -> None:
    """The schedule covers every quarter-hour until prices end, and its amounts equal the sums of its rows."""
    entry = await linked()
    await advance(timedelta(hours=8, minutes=7, seconds=33))
    table = next(iter(entry.runtime_data.prices.values())).data
    needs = hourly(0.3, 0.6, 0.9)
    answer = await plan_battery(hass, house_forecast=needs, payout=0.08)
    rows = answer["schedule"]
    times = [
        (datetime.fromisoformat(row["start"]), datetime.fromisoformat(row["end"]))
        for row in rows
    ]
    assert times[0][0] == datetime.now(UTC)
    assert all(one[1] == two[0] for one, two in pairwise(times))
    assert all(end - start == QUARTER for start, end in times[1:])
    assert times[-1][1] == table.horizon == datetime.fromisoformat(answer["until"])
    assert {row["mode"] for row in rows} <= MODES
    assert [row["import_price"] for row in rows] == [
        table.at(start).price for start, _ in times
    ]
    assert "charge" in {row["mode"] for row in rows}
    assert answer["provisional"] is False
    assert answer["gain"] > 0
    assert answer["gain"] == pytest.approx(answer["cost_self_use"] - answer["cost"])
    cost = spent(answer, needs, 0.08) - answer["end_value"]
    assert answer["cost"] == pytest.approx(cost, abs=0.003)


async def test_before_tomorrow_is_published(hass: HomeAssistant, linked) -> None:
    """A plan that ends with today's prices is provisional, even if more is requested, but not if less is."""
    entry = await linked()
    table = next(iter(entry.runtime_data.prices.values())).data
    needs = hourly(0.5)
    answer = await plan_battery(hass, house_forecast=needs)
    assert answer["provisional"] is True
    assert datetime.fromisoformat(answer["until"]) == table.horizon
    later = (table.horizon + HOUR).isoformat()
    longer = await plan_battery(hass, house_forecast=needs, until=later)
    assert longer == answer
    soon = datetime.now(UTC) + 2 * HOUR
    short = await plan_battery(hass, house_forecast=needs, until=soon.isoformat())
    assert short["provisional"] is False
    assert datetime.fromisoformat(short["until"]) == soon
    *whole, cut = short["schedule"]
    assert whole == answer["schedule"][: len(whole)]
    assert cut["end"] == short["until"]


async def test_sun_fills_the_battery_by_itself(hass: HomeAssistant, linked) -> None:
    """Nothing is bought that the sun will provide for free."""
    await linked()
    answer = await plan_battery(
        hass, house_forecast=hourly(0.4), solar_forecast=hourly(2.0), payout=0
    )
    assert "charge" not in {row["mode"] for row in answer["schedule"]}
    assert answer["schedule"][-1]["level"] == 100


async def test_permissions(hass: HomeAssistant, linked) -> None:
    """Without permission, the battery is neither charged from nor discharged to the grid."""
    await linked()
    modes = set()
    for from_grid, to_grid in ((False, False), (True, True)):
        answer = await plan_battery(
            hass,
            house_forecast=hourly(0.5),
            payout=2,
            from_grid=from_grid,
            to_grid=to_grid,
        )
        modes = {row["mode"] for row in answer["schedule"]}
        assert ("charge" in modes, "feed_in" in modes) == (from_grid, to_grid)


async def test_payout_by_rows(hass: HomeAssistant, linked) -> None:
    """A payout row applies from its time on."""
    await linked()
    from_then = datetime.now(UTC) + 3 * HOUR
    answer = await plan_battery(
        hass,
        to_grid=True,
        level=100,
        payout=[{"start": from_then.isoformat(), "price": 2, "end": "ignored"}],
    )
    fed = [row["start"] for row in answer["schedule"] if row["mode"] == "feed_in"]
    assert datetime.fromisoformat(fed[0]) >= from_then


async def test_extra_keys_and_any_order(hass: HomeAssistant, linked) -> None:
    """Rows of other programs are accepted as they are, in any order."""
    await linked()
    needs = hourly(0.2, 0.9)
    extra = [{**row, "end": "later", "source": 3} for row in reversed(needs)]
    assert await plan_battery(hass, house_forecast=extra) == await plan_battery(
        hass, house_forecast=needs
    )


OUT_OF_BOUNDS: list[tuple[dict[str, Any], str]] = [
    ({"level": 101}, "level"),
    ({"level": "nan"}, "level"),
    ({"capacity": 0}, "capacity"),
    ({"charge_power": 0}, "charge_power"),
    ({"discharge_power": 1e9}, "discharge_power"),
    ({"efficiency": 0}, "efficiency"),
    ({"efficiency": 101}, "efficiency"),
    ({"reserve": -1}, "reserve"),
    ({"wear": -0.01}, "wear"),
    ({"payout": 1e9}, "payout"),
    ({"payout": [{"start": "2026-06-10 12:00", "price": "inf"}]}, "payout"),
    (
        {"solar_forecast": [{"start": "2026-06-10 12:00", "kwh": -1}]},
        "solar_forecast",
    ),
    (
        {"house_forecast": [{"start": "2026-06-10 12:00", "kwh": 1e99}]},
        "house_forecast",
    ),
]


async def test_out_of_bounds(hass: HomeAssistant, linked) -> None:
    """A value out of bounds is reported with its field and bounds."""
    await linked()
    for data, field in OUT_OF_BOUNDS:
        with pytest.raises(ServiceValidationError) as wrong:
            await plan_battery(hass, **data)
        assert wrong.value.translation_key == "out_of_bounds"
        assert field in (wrong.value.translation_placeholders or {})["field"]


ROW = {"start": "2026-06-10 12:00", "kwh": 1}
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"until": "yesterday"}, "invalid_time"),
    ({"until": "2020-01-01 00:00"}, "window_over"),
    ({"house_forecast": [{"start": "soon", "kwh": 1}]}, "invalid_time"),
    ({"house_forecast": [{"start": "\ud800", "kwh": 1}]}, "invalid_time"),
    ({"house_forecast": [ROW] * 2}, "same_start"),
    ({"solar_forecast": [ROW] * 1001}, "too_many_rows"),
    ({"payout": [{"start": "2026-06-10", "price": 1}] * 2}, "same_start"),
]


async def test_refused(hass: HomeAssistant, linked) -> None:
    """Contradictory input is reported with a sentence that explains it."""
    await linked()
    for data, key in REFUSED:
        with pytest.raises(ServiceValidationError) as wrong:
            await plan_battery(hass, **data)
        assert wrong.value.translation_key == key


WRONG_TYPES: list[dict[str, Any]] = [
    {"house_forecast": "sunny"},
    {"house_forecast": [1, 2]},
    {"solar_forecast": [{"start": "2026-06-10 12:00"}]},
    {"solar_forecast": {"2026-06-10 12:00": 3}},
    {"payout": "much"},
    {"payout": None},
    {"level": None},
    {"unknown": 1},
]


async def test_wrong_types(hass: HomeAssistant, linked) -> None:
    """A value that is neither a number nor a list of rows is refused, with its field."""
    await linked()
    for data in WRONG_TYPES:
        with pytest.raises(ServiceValidationError) as wrong:
            await plan_battery(hass, **data)
        assert next(iter(data)) in (wrong.value.translation_placeholders or {})["field"]


async def test_no_payouts(hass: HomeAssistant, linked) -> None:
    """An empty list of payouts means that feeding in pays nothing."""
    await linked()
    answer = await plan_battery(hass, payout=[])
    assert answer["cost"] == (await plan_battery(hass, payout=0))["cost"]


async def test_gap_without_stand_ins(hass: HomeAssistant, linked) -> None:
    """The plan ends where not even prices of earlier days are known, and says so."""
    entry = await linked()
    coordinator = next(iter(entry.runtime_data.prices.values()))
    now = datetime.now(UTC)
    coordinator.data = PriceTable.of(
        one
        for one in coordinator.data.intervals
        if one.start > now - HOUR and not 2 * HOUR < one.start - now < 3 * HOUR
    )
    answer = await plan_battery(hass)
    assert answer["until"] == answer["schedule"][-1]["end"]
    assert datetime.fromisoformat(answer["until"]) < now + 3 * HOUR
    assert answer["provisional"] is True
