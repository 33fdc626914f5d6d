"""Tests of the action get_prices for past days."""

from datetime import date, timedelta
import math

from custom_components.nomos.pricing import TARIFF_ZONE, day_bounds
from homeassistant.core import HomeAssistant
from tests.integration.automation.get_prices import (
    assert_true_prices,
    contract,
    get_prices,
    moment,
)
from tests.integration.helpers import Advance


async def test_history(hass: HomeAssistant, nomos, linked) -> None:
    """Past days are requested month by month and not stored."""
    entry = await linked()
    subscription = contract(nomos)
    table = entry.runtime_data.prices[subscription.id].data
    before = len(nomos.requests)
    answer = await get_prices(hass, start="2026-02-26", end="2026-06-10")
    rows = answer["prices"]
    asked = [one.query for one in nomos.requests[before:] if one.kind == "prices"]
    assert asked == [
        {"start": "2026-02-26", "end": "2026-03-28"},
        {"start": "2026-03-29", "end": "2026-04-28"},
        {"start": "2026-04-29", "end": "2026-05-29"},
        {"start": "2026-05-30", "end": "2026-06-09"},
    ]
    # 105 days, one of them an hour short.
    assert len(rows) == 105 * 96 - 4
    assert rows[0]["start"] == "2026-02-26T00:00:00+01:00"
    assert_true_prices(nomos, subscription, rows)
    assert all(row["level"] for row in rows)
    assert entry.runtime_data.prices[subscription.id].data is table


async def test_history_that_is_known(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """Yesterday is in the table if the hub was running; only missing days are requested."""
    await linked()
    await advance(timedelta(hours=16))
    before = nomos.count("prices")
    assert len((await get_prices(hass, start="2026-06-10"))["prices"]) == 192
    assert nomos.count("prices") == before
    await get_prices(hass, start="2026-06-08", end="2026-06-08")
    assert nomos.count("prices") == before + 1
    assert nomos.requests[-1].query == {"start": "2026-06-08", "end": "2026-06-08"}


async def test_history_before_the_contract(hass: HomeAssistant, nomos, linked) -> None:
    """Days before supply began are not requested."""
    subscription = contract(nomos)
    nomos.set_subscription(subscription.id, start_at=day_bounds(date(2026, 6, 1))[0])
    await linked()
    before = len(nomos.requests)
    rows = (await get_prices(hass, start="2025-12-01", end="2026-06-10"))["prices"]
    assert [one.query["start"] for one in nomos.requests[before:]] == ["2026-06-01"]
    assert rows[0]["start"] == "2026-06-01T00:00:00+02:00"
    before = len(nomos.requests)
    await get_prices(hass, start="2025-12-01", end="2025-12-31")
    assert len(nomos.requests) == before


async def test_year(hass: HomeAssistant, nomos, linked) -> None:
    """The longest range takes thirteen requests."""
    await linked()
    before = nomos.count("prices")
    answer = await get_prices(
        hass, start="2025-05-07", end="2026-06-10", resolution="hour", format="pairs"
    )
    assert nomos.count("prices") - before == math.ceil(399 / 31)
    assert len(answer["prices"]) == 400 * 24
    local = {
        moment(start).astimezone(TARIFF_ZONE).isoformat()
        for start, _ in answer["prices"]
    }
    assert local == {start for start, _ in answer["prices"]}
