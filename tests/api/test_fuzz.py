"""Fuzz tests of all response parsing: valid responses with changes that a broken server could make."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC
import json
import random
from typing import Any

import pytest

from custom_components.nomos.api import (
    Invoice,
    NomosError,
    NomosResponseError,
    PriceSeries,
    Subscription,
    Tariff,
    UsageSeries,
    parse_error,
)
from custom_components.nomos.codec import decode, encode
from tests.api.samples import (
    INVOICE,
    PLAN,
    PRICE,
    SUBSCRIPTION_ITEM,
    SUBSCRIPTION_SINGLE,
    USAGE,
    price_answer,
)
from tests.api.strategies import DAY, mutate

CASES = 120_000
"""The number of examples, split evenly among all kinds of responses."""


READERS: list[tuple[Callable[[object], object], dict[str, Any]]] = [
    (Subscription.from_json, SUBSCRIPTION_ITEM),
    (Subscription.from_json, SUBSCRIPTION_SINGLE),
    (PriceSeries.from_json, PRICE),
    (PriceSeries.from_json, price_answer(*DAY)),
    (UsageSeries.from_json, USAGE),
    (Tariff.from_json, PLAN),
    (Invoice.from_json, INVOICE),
]


@pytest.mark.parametrize("seed", range(len(READERS)))
def test_mutated_responses_are_read_or_refused(
    seed: int, record_property: Callable[[str, object], None]
) -> None:
    """Any response gives a valid model or raises `NomosResponseError`, nothing else."""
    read, sample = READERS[seed]
    chance = random.Random(seed)
    outcomes: Counter[str] = Counter()
    for _ in range(CASES // len(READERS) + 1):
        mutated = mutate(sample, chance)
        model = refusal = None
        try:
            model = read(mutated)
        except NomosResponseError as err:
            refusal = err
        outcomes["read" if refusal is None else "refused"] += 1
        if refusal is None:
            check(model)
        else:
            assert refusal.field
            assert len(str(refusal)) <= 200
    record_property("outcomes", dict(outcomes))
    assert outcomes["read"] > 100
    assert outcomes["refused"] > 100


def check(model: object) -> None:
    """Assert what must hold for every model."""
    repr(model)
    if isinstance(model, PriceSeries):
        starts = [item.start for item in model.items or ()]
        assert starts == sorted(set(starts))
        assert all(start.tzinfo is UTC for start in starts)
        assert all(
            amount is None or abs(amount) <= 10_000
            for item in model.items or ()
            for amount in (item.amount, item.electricity, item.grid, item.levies)
        )
    if isinstance(model, UsageSeries):
        starts = [item.start for item in model.items]
        assert starts == sorted(set(starts))
        assert all(abs(item.kwh) <= 1_000_000 for item in model.items)
    if isinstance(model, Subscription | Tariff):
        # Everything in a model can be stored: no lone surrogates, no infinite numbers.
        stored = json.dumps(encode(model), ensure_ascii=False).encode()
        assert len(stored) < 3000
        assert decode(type(model), json.loads(stored)) == model
    if isinstance(model, Invoice):
        assert abs(model.total) <= 10_000_000


def test_mutated_errors_are_errors() -> None:
    """Every body of a refusal becomes an error whose text is one safe line."""
    chance = random.Random(99)
    envelope = {
        "code": "BAD_REQUEST",
        "message": "Wait 30 seconds before retrying.",
        "requestId": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "errors": [{"code": "invalid_type", "field": "end", "message": "Required"}],
        "error": {"code": "X", "message": "y"},
    }
    for _ in range(5_000):
        text = json.dumps(mutate(envelope, chance)).encode("utf-8", "surrogatepass")
        body = text[: chance.randint(0, len(text))] if chance.random() < 0.3 else text
        header = chance.choice(["1", "-1", "nan", "Wed, 21 Oct 2026 07:28:00 GMT", "x"])
        error = parse_error(
            chance.choice([400, 401, 403, 404, 422, 429, 500, 503]),
            {"Retry-After": header},
            body,
        )
        assert isinstance(error, NomosError)
        assert len(str(error)) <= 200
        assert "\n" not in str(error)
