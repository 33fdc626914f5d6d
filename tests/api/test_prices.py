"""Tests of prices in every form in which they may be sent."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from custom_components.nomos.api import NomosResponseError, PriceItem, PriceSeries
from tests.api.samples import PRICE, price_answer, price_item, without

START = datetime(2026, 9, 30, 22, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)


def _read(data: object) -> Sequence[PriceItem]:
    items = PriceSeries.from_json(data).items
    assert items is not None
    return items


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(start: datetime, end: datetime, step: timedelta) -> list[dict[str, Any]]:
    return [
        price_item(_iso(start + index * step), amount=index)
        for index in range((end - start) // step)
    ]


def test_a_price_answer() -> None:
    """Amounts stay in ct/kWh, as the API sends them."""
    assert PriceSeries.from_json(PRICE) == PriceSeries(
        resolution=QUARTER,
        items=(
            PriceItem(
                start=START, amount=24.44, electricity=8.77, grid=9.47, levies=6.2
            ),
        ),
        unreadable=0,
    )


@pytest.mark.parametrize("resolution", ["15min", "hourly"])
def test_an_inactive_subscription_has_no_prices(resolution: str) -> None:
    """Null is not the same as an empty list."""
    assert (
        PriceSeries.from_json(PRICE | {"items": None, "resolution": resolution}).items
        is None
    )
    assert (
        PriceSeries.from_json(PRICE | {"items": [], "resolution": resolution}).items
        == ()
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param(
            {"amount": None},
            (None, 8.77, 9.47, 6.2),
            id="total unknown, not summed up",
        ),
        pytest.param(
            {
                "components": [
                    {"type": "electricity", "amount": None},
                    {"type": "grid", "amount": 9},
                ]
            },
            (24.44, None, 9.0, None),
            id="one component unknown",
        ),
        pytest.param(
            {
                "amount": None,
                "components": [
                    {"type": "electricity", "amount": None},
                    {"type": "levies", "amount": 6},
                ],
            },
            (None, None, None, 6.0),
            id="before the auction",
        ),
        pytest.param({"amount": -3.5}, (-3.5, 8.77, 9.47, 6.2), id="negative"),
        pytest.param({"amount": 0}, (0.0, 8.77, 9.47, 6.2), id="zero"),
        pytest.param({"components": []}, (24.44, None, None, None), id="no components"),
        pytest.param(
            {"components": None}, (24.44, None, None, None), id="components null"
        ),
        pytest.param(
            {"components": [{"type": "electricity", "amount": 8}]},
            (24.44, 8.0, None, None),
            id="feed-in",
        ),
        pytest.param(
            {
                "components": [
                    {"type": "vat", "amount": 4},
                    {"type": "grid", "amount": 9},
                ]
            },
            (24.44, None, 9.0, None),
            id="unknown component",
        ),
        pytest.param({"brand_new": 1}, (24.44, 8.77, 9.47, 6.2), id="unknown field"),
    ],
)
def test_items(changed: dict[str, object], expected: tuple[float | None, ...]) -> None:
    """All these forms are documented or likely, so none of them counts as unreadable."""
    series = PriceSeries.from_json(price_answer(price_item(**changed)))
    assert series.items is not None
    (item,) = series.items
    assert (item.amount, item.electricity, item.grid, item.levies) == expected
    assert series.unreadable == 0


@pytest.mark.parametrize(
    "components",
    [{}, "grid", 1, [1], [None], [{"amount": 1}], [{"type": 1, "amount": 1}]],
)
def test_malformed_components_do_not_affect_the_total(components: object) -> None:
    """The total is valid even if its components are not."""
    series = PriceSeries.from_json(price_answer(price_item(components=components)))
    (item,) = series.items or ()
    assert item.amount == 24.44
    assert (item.electricity, item.grid, item.levies) == (None, None, None)
    assert series.unreadable == 1


def test_components_may_be_missing() -> None:
    """The total does not need them."""
    (item,) = _read(price_answer(without(price_item(), "components")))
    assert (item.amount, item.electricity) == (24.44, None)


@pytest.mark.parametrize(
    "bad",
    [
        "24.44",
        "NaN",
        True,
        False,
        float("nan"),
        float("inf"),
        -float("inf"),
        10**400,
        1e302,
        -10_000.01,
        [],
        {},
    ],
)
def test_one_bad_number_does_not_lose_a_day(bad: object) -> None:
    """It is unknown and counted as unreadable, both in a total and in a component."""
    series = PriceSeries.from_json(
        price_answer(
            price_item(amount=bad),
            price_item("2026-09-30T22:15:00Z"),
            price_item(
                "2026-09-30T22:30:00Z", components=[{"type": "grid", "amount": bad}]
            ),
        )
    )
    assert series.items is not None
    assert [item.amount for item in series.items] == [None, 24.44, 24.44]
    assert [item.grid for item in series.items] == [9.47, 9.47, None]
    assert series.unreadable == 2


def test_missing_numbers_count_as_unreadable() -> None:
    """Null is a documented value, a missing number is not."""
    series = PriceSeries.from_json(
        price_answer(
            without(price_item(), "amount"),
            price_item("2026-09-30T23:00:00Z", components=[{"type": "grid"}]),
        )
    )
    assert series.items is not None
    assert [item.amount for item in series.items] == [None, 24.44]
    assert series.unreadable == 2


def test_gaps_stay_gaps() -> None:
    """Missing intervals are not filled in."""
    items = _read(
        price_answer(
            price_item("2026-09-30T22:00:00Z"), price_item("2026-09-30T22:45:00Z")
        )
    )
    assert [item.start for item in items] == [START, START + 3 * QUARTER]


def test_items_are_sorted_and_the_last_of_equal_starts_wins() -> None:
    """If an interval is sent twice, the later item counts."""
    items = _read(
        price_answer(
            price_item("2026-09-30T22:15:00Z", amount=2),
            price_item("2026-09-30T22:00:00Z", amount=0),
            price_item("2026-10-01T00:00:00+02:00", amount=1),
        )
    )
    assert [(item.start, item.amount) for item in items] == [
        (START, 1.0),
        (START + QUARTER, 2.0),
    ]


@pytest.mark.parametrize(
    ("start", "end", "step", "resolution", "count"),
    [
        (datetime(2026, 9, 30, 22), datetime(2026, 10, 1, 22), QUARTER, "15min", 96),
        (datetime(2026, 3, 28, 23), datetime(2026, 3, 29, 22), QUARTER, "15min", 92),
        (datetime(2026, 10, 24, 22), datetime(2026, 10, 25, 23), QUARTER, "15min", 100),
        (datetime(2026, 10, 24, 22), datetime(2026, 10, 26, 23), QUARTER, "15min", 196),
        (datetime(2026, 3, 28, 23), datetime(2026, 3, 29, 22), HOUR, "hourly", 23),
        (datetime(2026, 10, 24, 22), datetime(2026, 10, 25, 23), HOUR, "hourly", 25),
    ],
)
def test_days_of_every_length(
    start: datetime, end: datetime, step: timedelta, resolution: str, count: int
) -> None:
    """The API sends UTC, so a clock change is nothing special."""
    series = PriceSeries.from_json(
        price_answer(*_day(start, end, step), resolution=resolution)
    )
    assert series.resolution == step
    assert series.items is not None
    assert [item.amount for item in series.items] == list(range(count))
    assert series.items[0].start == start.replace(tzinfo=UTC)
    assert series.items[-1].start == end.replace(tzinfo=UTC) - step


@pytest.mark.parametrize(
    "timestamp",
    [
        "2026-09-30T22:00:00Z",
        "2026-09-30T22:00:00.000Z",
        "2026-09-30T22:00Z",
        "2026-10-01T00:00:00+02:00",
        "2026-10-01T00:00:00.000+0200",
        "2026-09-30T22:00:00+00:00",
    ],
)
def test_spellings_of_a_timestamp(timestamp: str) -> None:
    """All spellings of a start mean the same instant."""
    (item,) = _read(price_answer(price_item(timestamp)))
    assert item.start == START
    assert item.start.tzinfo is UTC


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("15min", QUARTER),
        ("hourly", HOUR),
        ("hour", HOUR),
        ("60min", HOUR),
        ("Hourly ", HOUR),
    ],
)
def test_known_resolutions(name: str, expected: timedelta) -> None:
    """The names of today's and of older documentation are known."""
    assert PriceSeries.from_json(price_answer(resolution=name)).resolution == expected


@pytest.mark.parametrize("minutes", [15, 30, 60])
def test_an_unknown_resolution_is_inferred(minutes: int) -> None:
    """The smallest distance decides, in any order, with gaps and duplicates."""
    step = timedelta(minutes=minutes)
    starts = [START + index * step for index in (5, 0, 2, 3, 3, 9)]
    series = PriceSeries.from_json(
        price_answer(*(price_item(_iso(start)) for start in starts), resolution="PT?")
    )
    assert series.resolution == step
    assert series.items is not None
    assert len(series.items) == 5


@pytest.mark.parametrize(
    "minutes", [[], [0], [0, 0], [0, 5, 10], [0, 120], [0, 15, 20], [0, 45]]
)
def test_a_resolution_that_is_not_evident_is_refused(minutes: list[int]) -> None:
    """It is never guessed; no tariff that we know has five minutes."""
    items = (price_item(_iso(START + timedelta(minutes=minute))) for minute in minutes)
    with pytest.raises(NomosResponseError) as caught:
        PriceSeries.from_json(price_answer(*items, resolution="5min"))
    assert caught.value.field == "resolution"


@pytest.mark.parametrize("unit", ["ct/kWh", "CT/KWH", " ct / kWh "])
def test_spellings_of_the_unit(unit: str) -> None:
    """Case and spaces are ignored."""
    assert _read(PRICE | {"unit": unit})[0].amount == 24.44


@pytest.mark.parametrize("currency", ["EUR", "eur", None])
def test_spellings_of_the_currency(currency: str | None) -> None:
    """A response without a currency is in euros."""
    assert _read(PRICE | {"currency": currency})
    assert _read(without(PRICE, "currency"))


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (PRICE | {"unit": "EUR/kWh"}, "unit"),
        (PRICE | {"unit": "ct/MWh"}, "unit"),
        (PRICE | {"unit": "EUR/kWh", "items": None}, "unit"),
        (PRICE | {"unit": None}, "unit"),
        (PRICE | {"unit": 1}, "unit"),
        (without(PRICE, "unit"), "unit"),
        (PRICE | {"currency": "SEK"}, "currency"),
        (PRICE | {"currency": 978}, "currency"),
        (without(PRICE, "resolution"), "resolution"),
        (PRICE | {"resolution": 15}, "resolution"),
        (without(PRICE, "items"), "items"),
        (PRICE | {"items": {}}, "items"),
        (PRICE | {"items": "none"}, "items"),
        (PRICE | {"items": False}, "items"),
        (price_answer(None), "items[0]"),
        (price_answer(price_item(), [1]), "items[1]"),
        (
            price_answer(price_item(), without(price_item(), "timestamp")),
            "items[1].timestamp",
        ),
        (price_answer(price_item(None)), "items[0].timestamp"),
        (price_answer(price_item(1790000000)), "items[0].timestamp"),
        (price_answer(price_item("")), "items[0].timestamp"),
        (price_answer(price_item("now")), "items[0].timestamp"),
        (price_answer(price_item("2026-09-30")), "items[0].timestamp"),
        (price_answer(price_item("2026-09-30T22:00:00")), "items[0].timestamp"),
        (price_answer(price_item("2026-02-30T22:00:00Z")), "items[0].timestamp"),
        (price_answer(price_item("2026-09-30T22:05:00Z")), "items[0].timestamp"),
        (price_answer(price_item("2026-09-30T22:00:01Z")), "items[0].timestamp"),
        (price_answer(price_item("2026-09-30T22:00:00.001Z")), "items[0].timestamp"),
        (
            price_answer(price_item("2026-09-30T22:15:00Z"), resolution="hourly"),
            "items[0].timestamp",
        ),
        ([PRICE], "body"),
        (None, "body"),
    ],
)
def test_misleading_responses_are_refused(data: object, field: str) -> None:
    """A wrong position, scale or form raises an error that names the field."""
    with pytest.raises(NomosResponseError) as caught:
        PriceSeries.from_json(data)
    assert caught.value.field == field
    assert caught.value.status is None
