"""Tests of the prices that are kept for usage that may still change."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.nomos.pricing import Interval, PriceTable, day_bounds
from custom_components.nomos.usage.prices import UsagePrices, usage_price_file
from homeassistant.core import HomeAssistant

QUARTER = timedelta(minutes=15)
DAYS = (date(2026, 3, 29), date(2026, 6, 10), date(2026, 10, 25))
"""Days of 92, 96 and 100 quarter-hours."""

AMOUNTS = st.none() | st.decimals(-10_000, 10_000, places=6).map(float)


@pytest.fixture(autouse=True)
async def no_file_is_left(
    hass: HomeAssistant, nothing_is_left_behind: None
) -> AsyncIterator[None]:
    """Delete the file and its unreadable copy, since there is no account whose removal would."""
    yield
    await usage_price_file(hass, "sub_1").async_remove()


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(
    day=st.sampled_from(DAYS),
    length=st.sampled_from([QUARTER, 4 * QUARTER]),
    amounts=st.lists(AMOUNTS, min_size=100, max_size=100),
)
async def test_exact(hass: HomeAssistant, nomos, day, length, amounts) -> None:
    """Prices are read exactly as they were kept, and unknown ones are unknown."""
    start, end = day_bounds(day)
    count = (end - start) // length
    table = PriceTable.of(
        Interval(
            start + number * length,
            start + (number + 1) * length,
            None if amount is None else round(amount / 100, 8),
        )
        for number, amount in enumerate(amounts[:count])
    )
    await usage_price_file(hass, "sub_1").async_remove()
    kept = UsagePrices(hass, "sub_1")
    await kept.async_load(day, settled_to=None)
    kept.add(table)
    await kept.async_save()
    again = UsagePrices(hass, "sub_1")
    await again.async_load(day, settled_to=None)
    found = again.completed(day, PriceTable())
    for number in range((end - start) // QUARTER):
        at = start + number * QUARTER
        one, truth = found.at(at), table.at(at)
        assert (one.price if one else None) == truth.price
    await again.async_load(day + timedelta(days=1), settled_to=day + timedelta(days=1))
    await again.async_save()
    await kept.async_load(day, settled_to=None)
    assert kept.completed(day, PriceTable()) == PriceTable()


@pytest.mark.parametrize(
    "data",
    [
        [],
        None,
        [1],
        {"2026-06-10": "1 2 3"},
        {"2026-06-10": 5},
        {"2026-06-10": " ".join(["nan"] * 96)},
        {"9999-12-31": "1"},
        {"10 June": "1"},
    ],
)
async def test_a_file_that_makes_no_sense(
    hass: HomeAssistant, nomos, data: Any
) -> None:
    """An implausible file is set aside, and prices are kept from then on."""
    path = Path(hass.config.path(".storage", "nomos.unsettled_prices.sub_1"))
    path.parent.mkdir(exist_ok=True)
    content = {"version": 1, "name": "unsettled_prices.sub_1", "data": data}
    path.write_text(json.dumps(content))
    kept = UsagePrices(hass, "sub_1")
    await kept.async_load(date(2026, 6, 10), settled_to=None)
    assert kept.completed(date(2026, 6, 10), PriceTable()) == PriceTable()
    assert not path.exists()
