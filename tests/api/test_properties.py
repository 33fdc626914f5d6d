"""Property tests that hold for any response."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.nomos.api import (
    Invoice,
    NomosResponseError,
    PriceSeries,
    Subscription,
    Tariff,
    UsageSeries,
)
from custom_components.nomos.api.parsing import number_within
from tests.api.samples import (
    INVOICE,
    PLAN,
    PRICE,
    SUBSCRIPTION_ITEM,
    SUBSCRIPTION_SINGLE,
    USAGE,
    price_answer,
    price_item,
)
from tests.api.strategies import JSON_VALUES, KEYS, property_test

START = datetime(2026, 10, 24, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("read", "sample"),
    [
        (Subscription.from_json, SUBSCRIPTION_ITEM),
        (Subscription.from_json, SUBSCRIPTION_SINGLE),
        (PriceSeries.from_json, PRICE),
        (UsageSeries.from_json, USAGE),
        (Tariff.from_json, PLAN),
        (Invoice.from_json, INVOICE),
    ],
)
@property_test
@given(data=st.data())
def test_any_json_is_read_or_refused(
    read: Callable[[object], object], sample: dict[str, Any], data: st.DataObject
) -> None:
    """Only `NomosResponseError` is raised, for pure noise and for a valid response with noise in it."""
    noise = data.draw(
        JSON_VALUES
        | st.dictionaries(KEYS, JSON_VALUES, min_size=1, max_size=3).map(sample.__or__)
    )
    with suppress(NomosResponseError):
        read(noise)
    with suppress(NomosResponseError):
        read(sample | {data.draw(st.sampled_from(sorted(sample))): noise})


@property_test
@given(
    items=st.lists(
        st.dictionaries(KEYS, JSON_VALUES, max_size=4).map(price_item().__or__),
        max_size=3,
    )
)
def test_any_price_item_is_read_or_refused(items: list[dict[str, Any]]) -> None:
    """The same holds for a single item."""
    with suppress(NomosResponseError):
        PriceSeries.from_json(price_answer(*items))
    with suppress(NomosResponseError):
        UsageSeries.from_json(USAGE | {"data": items})


@property_test
@given(
    data=st.data(),
    quarter_hours=st.lists(st.integers(0, 195), unique=True, max_size=40),
)
def test_order_and_repetition_do_not_matter(
    data: st.DataObject, quarter_hours: list[int]
) -> None:
    """A shuffled list with duplicates is read like the sorted list."""
    amounts = st.none() | st.floats(-100, 100)
    items = [
        price_item(
            (START + timedelta(minutes=15 * index)).isoformat(),
            amount=data.draw(amounts),
        )
        for index in sorted(quarter_hours)
    ]
    again = data.draw(st.lists(st.sampled_from(items), max_size=10)) if items else []
    shuffled = data.draw(st.permutations(items + again))
    expected = PriceSeries.from_json(price_answer(*items))
    assert PriceSeries.from_json(price_answer(*shuffled)) == expected
    assert expected.items is not None
    assert [item.amount for item in expected.items] == [
        item["amount"] for item in items
    ]
    assert all(item.start.tzinfo is UTC for item in expected.items)


@property_test
@given(value=JSON_VALUES)
def test_a_number_is_a_number_in_json_too(value: object) -> None:
    """Whatever counts as a number can be encoded as strict JSON."""
    number = number_within(value, 1e300)
    if number is not None:
        assert not isinstance(value, bool)
        assert json.loads(json.dumps(number, allow_nan=False)) == number
