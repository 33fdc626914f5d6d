"""Tests of price lists and plans as JSON: units, hourly means, unknown prices, and zero."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from custom_components.nomos.planner import PlanRequest, plan
from custom_components.nomos.prices.formats import (
    Format,
    PriceList,
    Resolution,
    Unit,
    plan_response,
)
from custom_components.nomos.pricing import (
    TARIFF_ZONE,
    Components,
    Interval,
    LevelThresholds,
    PriceTable,
    hourly,
)

NOON = datetime(2026, 6, 10, 10, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)


def table_of(*parts: tuple[int, float | None], skip: int = 0) -> PriceTable:
    """Return a table of intervals from noon on, given as (number of quarter-hours, price)."""
    start, intervals = NOON + skip * QUARTER, []
    for quarters, price in parts:
        end = start + quarters * QUARTER
        intervals.append(Interval(start, end, price, Components(electricity=price)))
        start = end
    return PriceTable(tuple(intervals))


def list_of(table: PriceTable, unit: Unit = Unit.EURO) -> PriceList:
    """Return a whole table as a price list."""
    return PriceList(
        table=table,
        start=NOON,
        end=NOON + timedelta(days=1),
        resolution=Resolution.INTERVAL,
        unit=unit,
        thresholds=LevelThresholds(),
        now=NOON,
        feed_in=False,
    )


@pytest.mark.parametrize(
    ("table", "price"),
    [
        (table_of((1, 0.1), (1, 0.2), (1, 0.3), (1, 0.4)), 0.25),
        # Weighted by time, not by the number of intervals.
        (table_of((2, 0.1), (1, 0.2), (1, 0.4)), 0.2),
        (table_of((3, -0.1), (1, 0.1)), -0.05),
        (table_of((4, 0.3)), 0.3),
        # The mean of the known part would mislead.
        (table_of((1, 0.1), (1, 0.2), (1, None), (1, 0.4)), None),
        (table_of((1, 0.1), (1, 0.2), (1, 0.3)), None),
        (table_of((1, 0.1), (1, 0.2), (1, 0.3), skip=1), None),
        (table_of((2, 0.1)), None),
    ],
)
def test_an_hour_is_the_mean_over_its_time(
    table: PriceTable, price: float | None
) -> None:
    """An hour with an unknown part has neither a price nor components."""
    [hour] = hourly(table).intervals
    assert (hour.start, hour.end) == (NOON, NOON + HOUR)
    assert hour.price == pytest.approx(price)
    assert hour.components.electricity == pytest.approx(price)
    assert hour.components.grid is None


def test_hours_around_an_absent_quarter() -> None:
    """A missing quarter-hour only affects its own hour."""
    quarters = table_of(*((1, 0.1) for _ in range(12))).intervals
    table = PriceTable((*quarters[:5], *quarters[6:]))
    assert [one.price for one in hourly(table).intervals] == [0.1, None, 0.1]


@pytest.mark.parametrize("shape", Format)
def test_until_is_the_end_of_what_is_known(shape: Format) -> None:
    """Intervals without a price at the end of a list do not count."""
    known = table_of((1, 0.1), (1, 0.2))
    tail = table_of((1, None), (1, None), skip=2)
    prices = list_of(PriceTable((*known.intervals, *tail.intervals)))
    assert prices.response(shape)["until"] == "2026-06-10T12:30:00+02:00"
    assert list_of(tail).response(shape)["until"] is None


def test_cents_have_no_rounding_errors() -> None:
    """Prices in cents are rounded, since a hundred times a binary fraction is rarely a short decimal."""
    amounts = (0.07, 0.28, 0.2899, -0.0561)
    assert [one * 100 for one in amounts] != [7.0, 28.0, 28.99, -5.61]
    prices = list_of(table_of(*((1, one) for one in amounts)), Unit.CENT)
    response: Any = prices.response(Format.PAIRS)
    assert response["unit"] == "ct/kWh"
    assert [price for _, price in response["prices"]] == [7.0, 28.0, 28.99, -5.61]
    response = prices.response(Format.OBJECTS)
    assert [row["electricity"] for row in response["prices"]] == [
        7.0,
        28.0,
        28.99,
        -5.61,
    ]


def test_no_negative_zero() -> None:
    """A tiny negative amount is rounded to zero, not to minus zero."""
    table = table_of((4, -1e-9))
    made = plan(table, PlanRequest(NOON, NOON + HOUR, HOUR), NOON)
    assert made.cost is not None
    assert made.cost < 0
    response: Any = plan_response(made, NOON, NOON + HOUR, TARIFF_ZONE, slices=True)
    for value in (
        response["cost"],
        response["average_price"],
        response["component_cost"]["electricity"],
        response["slices"][0]["cost"],
    ):
        assert str(value) == "0.0"
