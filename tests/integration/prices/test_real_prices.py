"""Test with real quarter-hours of the German auction, through API, table and sensors."""

import csv
from datetime import UTC, date, datetime, timedelta

import pytest

from custom_components.nomos.pricing import day_bounds, local_date
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from simulator.tariff import MARGIN, VAT
from tests.integration.helpers import Advance, state_of
from tests.shared_data import find_shared

QUARTER = timedelta(minutes=15)


PRICES = find_shared("data/day_ahead_de_lu_2025-10.csv")


@pytest.mark.skipif(PRICES is None, reason="the file of real prices is not here")
@pytest.mark.parametrize("now", [datetime(2025, 10, 6, 22, 1, tzinfo=UTC)])
@pytest.mark.parametrize("market_file", [PRICES])
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_every_quarter_hour_of_the_file(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """The sensor shows every price of the auction, negative ones and days of 100 intervals included, and no other."""
    assert PRICES
    with PRICES.open() as lines:
        wholesale = {
            datetime.fromisoformat(row["time"]).astimezone(UTC): float(
                row["price_eur_mwh"]
            )
            for row in csv.DictReader(lines)
        }
    await linked()
    subscription = nomos.customers["smart@example.com"].subscriptions[0]
    last = max(wholesale)
    checked = negative = missing = 0
    lengths: dict[date, int] = {}
    start = min(wholesale)
    while start <= last:
        state = state_of(hass, subscription.id, "price")
        if start in wholesale:
            truth = nomos.price(subscription.id, start)
            assert float(state.state) == pytest.approx(truth.amount / 100)
            # Margin and VAT are the simulator's own; the changes in price are the auction's.
            electricity = state_of(hass, subscription.id, "electricity_price").state
            expected = (wholesale[start] / 10 + MARGIN) * VAT / 100
            assert float(electricity) == pytest.approx(expected, abs=2e-6)
            checked += 1
            negative += wholesale[start] < 0
            lengths[local_date(start)] = len(state.attributes["prices_today"])
        else:
            # If the next day is known by the afternoon, a missing price is a gap.
            assert state.state in {STATE_UNAVAILABLE, STATE_UNKNOWN}
            missing += 1
        await advance(start + QUARTER - datetime.now(UTC) + timedelta(seconds=60))
        start += QUARTER
    assert checked == len(wholesale)
    assert negative > 0
    for day, length in lengths.items():
        begin, end = day_bounds(day)
        assert length == (end - begin) // QUARTER, day
    assert lengths[date(2025, 10, 26)] == 100
    assert missing == 96
