"""Tests of `GET /subscriptions/{id}/prices`: days, publication, contracts and all forms of a response."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, override

import pytest

from simulator.berlin import BERLIN, DAY, at_local, day_intervals, midnight
from simulator.market import Market
from tests.simulator.helpers import Nomos

TODAY, TOMORROW = date(2026, 6, 10), date(2026, 6, 11)


async def _items(
    nomos: Nomos, start: date = TODAY, end: date | None = None, **which: Any
) -> list[dict[str, Any]]:
    answer = await nomos.prices(start.isoformat(), (end or start).isoformat(), **which)
    assert answer.status == 200, answer.text
    items: list[dict[str, Any]] = answer.json["items"]
    return items


async def test_a_day_has_the_true_prices(nomos: Nomos) -> None:
    """Amounts and components are in ct/kWh, starts in UTC."""
    found = nomos.subscription("smart")
    answer = (await nomos.prices("2026-06-10")).json
    assert {
        key: answer[key]
        for key in (
            "object",
            "subscription",
            "unit",
            "currency",
            "resolution",
            "period",
        )
    } == {
        "object": "price",
        "subscription": found.id,
        "unit": "ct/kWh",
        "currency": "EUR",
        "resolution": "15min",
        "period": {"start": "2026-06-10", "end": "2026-06-10"},
    }
    truth = nomos.sim.day_prices(found.id, TODAY)
    assert answer["items"] == [
        {
            "timestamp": point.start.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "amount": point.amount,
            "components": [
                {"type": "electricity", "amount": point.electricity},
                {"type": "grid", "amount": point.grid},
                {"type": "levies", "amount": point.levies},
            ],
        }
        for point in truth
    ]
    assert answer["items"][0]["timestamp"] == "2026-06-09T22:00:00Z"


@pytest.mark.parametrize(
    ("day", "quarters"),
    [("2026-03-29", 92), ("2026-03-28", 96), ("2025-10-26", 100), ("2025-10-25", 96)],
)
async def test_days_have_92_96_or_100_quarter_hours(
    nomos: Nomos, day: str, quarters: int
) -> None:
    """Days are those of Berlin, contiguous in UTC; both ends of a range are inclusive."""
    first = date.fromisoformat(day)
    items = await _items(nomos, first)
    assert len(items) == quarters
    starts = [datetime.fromisoformat(item["timestamp"]) for item in items]
    assert starts == day_intervals(first)
    assert len(await _items(nomos, first, customer="analog")) == quarters // 4
    assert len(await _items(nomos, first - DAY, first)) == 96 + quarters


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "start"),
        ("?end=2026-06-10", "start"),
        ("?start=2026-06-10", "end"),
        ("?start=10.06.2026&end=2026-06-10", "start"),
        ("?start=2026-06-10&end=2026-6-1", "end"),
        ("?start=2026-06-10&end=2026-06-09", "end"),
        ("?start=2026-02-30&end=2026-06-09", "start"),
    ],
)
async def test_range_is_required_and_checked(
    nomos: Nomos, query: str, field: str
) -> None:
    """An invalid range is a 400 that names the field."""
    answer = await nomos.get(
        f"/subscriptions/{nomos.subscription('smart').id}/prices{query}"
    )
    assert answer.status == 400
    assert answer.json["errors"][0]["field"] == field


async def test_tomorrow_comes_in_the_afternoon(nomos: Nomos) -> None:
    """It is published between 13:00 and 14:20 local time, always at the same second for the same day."""
    moments = [
        nomos.sim.publication(TODAY + timedelta(days=offset)) for offset in range(60)
    ]
    clocks = [
        moment.astimezone(BERLIN).time() for moment in moments if moment is not None
    ]
    assert len(clocks) == 60
    assert time(13) <= min(clocks) < max(clocks) <= time(14, 20)
    assert len(set(clocks)) > 50
    moment = nomos.sim.publication(TOMORROW)
    assert moment is not None
    nomos.sim.clock.set(moment - timedelta(seconds=1))
    assert len(await _items(nomos, TODAY, TOMORROW)) == 96
    assert await _items(nomos, TOMORROW) == []
    assert nomos.sim.published_until(nomos.subscription("smart").id) == midnight(
        TOMORROW
    )
    nomos.sim.clock.set(moment)
    assert len(await _items(nomos, TODAY, TOMORROW)) == 192
    assert len(await _items(nomos, TODAY, TOMORROW + DAY)) == 192
    assert nomos.sim.published_until(nomos.subscription("smart").id) == midnight(
        TOMORROW + DAY
    )


async def test_publication_can_be_late_or_never(nomos: Nomos) -> None:
    """This can be set by day or for all days."""
    sim = nomos.sim
    sim.publish_at(TOMORROW, time(19))
    sim.publish_at(TOMORROW + DAY, "never")
    sim.clock.set(at_local(TODAY, time(18, 59, 59)))
    assert await _items(nomos, TOMORROW) == []
    sim.clock.set(at_local(TODAY, time(19)))
    assert len(await _items(nomos, TOMORROW)) == 96
    sim.clock.set(at_local(TOMORROW + DAY, time(12)))
    assert await _items(nomos, TOMORROW + DAY) == []
    sim.configure(publication_time=time(15))
    sim.clock.set(at_local(TOMORROW + DAY, time(14, 59)))
    assert await _items(nomos, TOMORROW + 2 * DAY) == []
    sim.clock.set(at_local(TOMORROW + DAY, time(15)))
    assert len(await _items(nomos, TOMORROW + 2 * DAY)) == 96


async def test_publication_in_two_batches(nomos: Nomos) -> None:
    """Part of tomorrow is published first, the rest later."""
    moment = nomos.sim.publication(TOMORROW)
    assert moment is not None
    nomos.sim.configure(partial_batch=40, partial_minutes=30)
    nomos.sim.clock.set(moment)
    assert len(await _items(nomos, TOMORROW)) == 40
    assert len(await _items(nomos, TODAY)) == 96
    nomos.sim.clock.set(moment + timedelta(minutes=30))
    assert len(await _items(nomos, TOMORROW)) == 96


@pytest.mark.parametrize(
    ("shape", "parts"),
    [
        ("null_amounts", {"electricity": False, "grid": False, "levies": False}),
        ("null_electricity", {"electricity": False, "grid": True, "levies": True}),
    ],
)
async def test_unpublished_as_nulls(
    nomos: Nomos, shape: str, parts: dict[str, bool]
) -> None:
    """Intervals are sent without prices."""
    nomos.sim.configure(unpublished=shape)
    items = await _items(nomos, TODAY, TOMORROW)
    assert len(items) == 192
    assert all(item["amount"] is not None for item in items[:96])
    assert all(item["amount"] is None for item in items[96:])
    known = {
        part["type"]: part["amount"] is not None for part in items[150]["components"]
    }
    assert known == parts


@pytest.mark.parametrize(("shape", "status"), [("error_404", 404), ("error_400", 400)])
async def test_unpublished_as_an_error(nomos: Nomos, shape: str, status: int) -> None:
    """An error is sent only if nothing in the range is published."""
    nomos.sim.configure(unpublished=shape)
    assert (await nomos.prices("2026-06-11")).status == status
    assert len(await _items(nomos, TODAY, TOMORROW)) == 96


async def test_inactive_contracts_have_null_items(nomos: Nomos) -> None:
    """Both pending and ended contracts have null items, or an error if configured."""
    for name, code in (
        ("pending", "subscription_not_started"),
        ("ended", "ended_subscription"),
    ):
        nomos.sim.configure(inactive_prices="null")
        assert (await nomos.prices("2026-06-10", customer=name)).json["items"] is None
        nomos.sim.configure(inactive_prices="error")
        answer = await nomos.prices("2026-06-10", customer=name)
        assert (answer.status, answer.json["errors"][0]["code"]) == (400, code)


async def test_contract_begins_and_ends_within_a_day(nomos: Nomos) -> None:
    """There are only intervals from the start to the end of the contract."""
    found = nomos.subscription("smart")
    noon = at_local(TODAY, time(12))
    nomos.sim.set_subscription(found.id, start_at=at_local(TODAY, time(6)), end_at=noon)
    assert len(await _items(nomos)) == 24
    nomos.sim.clock.set(noon)
    assert (await nomos.prices("2026-06-10")).json["items"] is None


async def test_pending_contract_becomes_active(nomos: Nomos) -> None:
    """The clock alone makes it active."""
    nomos.sim.clock.advance(timedelta(days=10))
    assert (
        len(
            await _items(
                nomos, date(2026, 6, 19), date(2026, 6, 20), customer="pending"
            )
        )
        == 96
    )


async def test_feed_in_components(nomos: Nomos) -> None:
    """They are electricity alone, or all three with zeros."""
    items = await _items(nomos, customer="solar", index=1)
    assert [part["type"] for part in items[0]["components"]] == ["electricity"]
    assert items[0]["amount"] == items[0]["components"][0]["amount"]
    nomos.sim.configure(feed_in_components="all")
    parts = (await _items(nomos, customer="solar", index=1))[0]["components"]
    assert {part["type"]: part["amount"] for part in parts[1:]} == {
        "grid": 0,
        "levies": 0,
    }


async def test_correction_replaces_one_price(nomos: Nomos) -> None:
    """A corrected price is sent from then on."""
    found = nomos.subscription("smart")
    start = midnight(TODAY) + timedelta(hours=5)
    before = await _items(nomos)
    nomos.sim.correct_price(found.id, start + timedelta(minutes=7), 12.34)
    after = await _items(nomos)
    assert [index for index in range(96) if before[index] != after[index]] == [20]
    assert after[20]["amount"] == 12.34
    assert sum(part["amount"] for part in after[20]["components"]) == pytest.approx(
        12.34, abs=1e-3
    )
    assert nomos.sim.price(found.id, start).amount == 12.34


async def test_holes_nulls_and_nan(nomos: Nomos) -> None:
    """They can be configured by index in each day, or by instants."""
    nomos.sim.configure(
        missing=[
            0,
            -1,
            [
                midnight(TODAY) + timedelta(hours=1),
                midnight(TODAY) + timedelta(hours=2),
            ],
        ],
        null_amounts=[10],
        null_components=[20],
        null_component_types=["grid"],
        nan_amounts=[30],
    )
    items = {
        datetime.fromisoformat(item["timestamp"]): item for item in await _items(nomos)
    }
    starts = day_intervals(TODAY)
    assert [index for index, start in enumerate(starts) if start not in items] == [
        0,
        4,
        5,
        6,
        7,
        95,
    ]
    assert items[starts[10]]["amount"] is None
    assert None not in [part["amount"] for part in items[starts[10]]["components"]]
    assert [
        part["type"]
        for part in items[starts[20]]["components"]
        if part["amount"] is None
    ] == ["grid"]
    assert items[starts[30]]["amount"] == "NaN"
    nomos.sim.configure(nan_style="literal")
    assert '"amount": NaN' in (await nomos.prices("2026-06-10")).text


async def test_odd_orders_and_names(nomos: Nomos) -> None:
    """There may be duplicates, shuffled items, other timestamps, units, names and components."""
    nomos.sim.configure(
        duplicates=True,
        unsorted=True,
        timestamps="mixed",
        unit="EUR/kWh",
        resolution_name="60min",
        unknown_component=True,
        currency="CHF",
    )
    answer = (await nomos.prices("2026-06-10")).json
    stamps = [item["timestamp"] for item in answer["items"]]
    assert len(stamps) > 96
    instants = [datetime.fromisoformat(stamp) for stamp in stamps]
    assert len(set(instants)) == 96
    assert instants != sorted(instants)
    assert {len(stamp) for stamp in stamps} == {20, 24, 25}
    assert (answer["unit"], answer["resolution"], answer["currency"]) == (
        "EUR/kWh",
        "60min",
        "CHF",
    )
    assert answer["items"][0]["components"][-1]["type"] == "simulated_surcharge"


@pytest.mark.parametrize(
    ("style", "value"), [("empty", []), ("null", None), ("absent", "absent")]
)
async def test_components_may_be_missing(
    nomos: Nomos, style: str, value: object
) -> None:
    """They can be missing in three ways."""
    nomos.sim.configure(components=style)
    assert (await _items(nomos))[0].get("components", "absent") == value


async def test_long_ranges(nomos: Nomos) -> None:
    """A long range gets a full response within the contract, or a refusal if configured."""
    assert len(await _items(nomos, date(2026, 5, 1), date(2026, 5, 31))) == 31 * 96
    assert len(await _items(nomos, date(1, 1, 1), date(2024, 10, 1))) == 96
    assert len(await _items(nomos, TODAY, date.max)) == 96
    nomos.sim.configure(max_price_days=31)
    assert (await nomos.prices("2026-05-01", "2026-05-31")).status == 200
    assert (await nomos.prices("2026-05-01", "2026-06-01")).status == 400


async def test_hourly_contract_and_change_of_resolution(nomos: Nomos) -> None:
    """The response names the resolution."""
    answer = (await nomos.prices("2026-06-10", customer="analog")).json
    assert (answer["resolution"], len(answer["items"])) == ("hourly", 24)
    nomos.sim.set_subscription(nomos.subscription("analog").id, resolution="15min")
    assert len(await _items(nomos, customer="analog")) == 96


async def test_a_day_that_the_market_lacks_is_never_published(nomos: Nomos) -> None:
    """A gap in the market file leads to no intervals and no error."""

    class Hole(Market):
        @override
        def price(self, start: datetime) -> float | None:
            return None if start.astimezone(UTC) >= midnight(TOMORROW) else 80.0

    nomos.sim.prices._market = Hole()
    nomos.sim.clock.advance(timedelta(days=1))
    assert await _items(nomos, TOMORROW) == []
