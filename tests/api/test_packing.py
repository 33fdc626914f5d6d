"""Tests that a month's response never exists as nested objects all at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
import gc
import json
import random
from typing import Any

import pytest

from custom_components.nomos.api import NomosResponseError, PriceSeries, UsageSeries
from custom_components.nomos.api.parsing import decode
from tests.api.samples import PRICE, USAGE, price_answer, price_item
from tests.api.strategies import DAY, mutate

START = datetime(2026, 9, 30, 22, tzinfo=UTC)
MONTH = [START + timedelta(minutes=15 * number) for number in range(31 * 96)]

PRICES = price_answer(*(price_item(one.isoformat()) for one in MONTH))
METERED = USAGE | {
    "data": [
        {"start": one.isoformat(), "usage": 0.125, "type": "final"} for one in MONTH
    ]
}

YOUNG = 500
"""The number of new objects that starts a garbage collection in these tests."""


@contextmanager
def collector() -> Iterator[list[int]]:
    """Collect garbage often; return a list of the number of objects that outlived two young collections each time."""
    found: list[int] = []

    def count(phase: str, info: dict[str, int]) -> None:
        if info["generation"] == 1:
            old = len(gc.get_objects(2))
            if phase == "start":
                found.append(-old)
            else:
                found[-1] += old

    thresholds = gc.get_threshold()
    gc.collect()
    gc.set_threshold(YOUNG, 3, 1_000_000)
    gc.callbacks.append(count)
    try:
        yield found
    finally:
        gc.callbacks.remove(count)
        gc.set_threshold(*thresholds)


@pytest.mark.parametrize(
    ("model", "answer"), [(PriceSeries, PRICES), (UsageSeries, METERED)]
)
def test_a_month_leaves_few_old_objects(
    model: type[PriceSeries | UsageSeries], answer: dict[str, Any]
) -> None:
    """After reading thousands of items, the collector has few objects to track.

    Without packing, 3,000 to 20,000 objects would outlive two collections.
    """
    body = json.dumps(answer).encode()
    with collector() as found:
        series = model.from_json(decode(body, model.read_item))
        assert series.items is not None
        assert len(series.items) == len(MONTH)
    # There were some collections.
    assert found
    assert sum(found) < YOUNG


def outcome(
    model: type[PriceSeries | UsageSeries],
    body: bytes,
    read_item: Callable[[dict[str, object]], object] | None,
) -> object:
    """Return the result of reading a response."""
    try:
        return model.from_json(decode(body, read_item))
    except NomosResponseError as err:
        return err.field, str(err)


@pytest.mark.parametrize(
    ("model", "answer"),
    [(PriceSeries, PRICE), (PriceSeries, price_answer(*DAY)), (UsageSeries, USAGE)],
)
def test_packing_changes_nothing(
    model: type[PriceSeries | UsageSeries], answer: dict[str, Any]
) -> None:
    """Items that are packed while they are decoded or later give the same result or the same error."""
    chance = random.Random(4)
    read = packed = 0
    for _ in range(2_000):
        body = json.dumps(mutate(answer, chance)).encode()
        plain = outcome(model, body, None)
        assert outcome(model, body, model.read_item) == plain
        read += isinstance(plain, model)
        packed += decode(body) != decode(body, model.read_item)
    assert read > 200
    assert packed > 500


@pytest.mark.parametrize(
    "changed",
    [
        {"timestamp": "soon"},
        {"timestamp": None},
    ],
)
def test_a_bad_price_is_not_packed(changed: dict[str, object]) -> None:
    """It is refused later, when its path in the response is known."""
    values = price_item() | changed
    assert PriceSeries.read_item(values) is values


@pytest.mark.parametrize(
    "values",
    [
        {"start": "soon", "usage": 1},
        {"start": "2026-09-30T22:00:00Z", "usage": 1, "type": 5},
        {"usage": 1},
    ],
)
def test_a_bad_reading_is_not_packed(values: dict[str, object]) -> None:
    """Readings of usage are treated in the same way."""
    assert UsageSeries.read_item(values) is values


def test_a_component_with_a_time_is_a_component() -> None:
    """New fields may appear at any time."""
    component = {"type": "grid", "amount": 1.0, "timestamp": "2026-09-30T22:00:00Z"}
    item = price_item(components=[component])
    body = json.dumps(price_answer(item)).encode()
    series = PriceSeries.from_json(decode(body, PriceSeries.read_item))
    assert series.items is not None
    assert series.items[0].grid == 1.0
    assert series.unreadable == 0


@pytest.mark.parametrize(
    ("model", "answer", "totals"),
    [
        (
            PriceSeries,
            price_answer(*DAY),
            {"timestamp": "2026-09-30T22:00:00Z", "amount": 1.0, "components": []},
        ),
        (UsageSeries, USAGE, {"start": "2026-09-30T22:00:00Z", "usage": 1.0}),
    ],
)
def test_a_response_with_totals_is_no_item(
    model: type[PriceSeries | UsageSeries],
    answer: dict[str, Any],
    totals: dict[str, object],
) -> None:
    """A response that itself has the fields of an item is not mistaken for one."""
    body = json.dumps(answer | totals).encode()
    assert model.from_json(decode(body, model.read_item)) == model.from_json(answer)
