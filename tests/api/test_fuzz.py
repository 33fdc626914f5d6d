"""A fuzz of everything that reads answers: valid ones, bent in every way that a broken server could."""

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
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

from .samples import (
    INVOICE,
    PLAN,
    PRICE,
    SUBSCRIPTION_ITEM,
    SUBSCRIPTION_SINGLE,
    USAGE,
    price_answer,
    price_item,
)

CASES = 120_000
"""Over all kinds of answers, and split evenly among them."""

DAY = [
    price_item(
        (
            datetime(2026, 10, 24, 22, tzinfo=UTC) + timedelta(minutes=15 * number)
        ).isoformat()
    )
    for number in range(6)
]

READERS: list[tuple[Callable[[object], object], dict[str, Any]]] = [
    (Subscription.from_json, SUBSCRIPTION_ITEM),
    (Subscription.from_json, SUBSCRIPTION_SINGLE),
    (PriceSeries.from_json, PRICE),
    (PriceSeries.from_json, price_answer(*DAY)),
    (UsageSeries.from_json, USAGE),
    (Tariff.from_json, PLAN),
    (Invoice.from_json, INVOICE),
]


def deep(levels: int) -> Any:
    """Return lists within lists."""
    value: Any = None
    for _ in range(levels):
        value = [value]
    return value


ODDITIES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    10**400,
    -(10**400),
    1e308,
    -1e302,
    10_000.01,
    -0.0,
    float("nan"),
    float("inf"),
    float("-inf"),
    "",
    " ",
    "null",
    "NaN",
    "1e9",
    "0x10",
    "💡" * 50,
    "\x00\x1b[31m",
    "\ud800",
    "A" * 10_000,
    "<html><body>502</body></html>",
    "2026-02-30T00:00:00Z",
    "2026-10-25T02:30:00",
    "9999-12-31T23:59:59Z",
    "0000-00-00T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "+275760-09-13T00:00:00Z",
    "2026-06-10T24:00:00Z",
    "2026-06-10T00:07:00Z",
    [],
    {},
    [[]],
    [{}],
    {"id": {}},
    {"": None},
    deep(200),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of everything within a JSON value."""
    found = [path]
    if isinstance(value, dict):
        for key, item in value.items():
            found += places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += places(item, (*path, index))
    return found


def bend(sample: Any, chance: random.Random) -> Any:
    """Return a copy with one to four changes: values replaced, removed, doubled, swapped or added."""
    value = deepcopy(sample)
    for _ in range(chance.randint(1, 4)):
        path = chance.choice(places(value))
        if not path:
            if chance.random() < 0.02:
                return deepcopy(chance.choice(ODDITIES))
            continue
        parent = value
        for step in path[:-1]:
            parent = parent[step]
        key = path[-1]
        match chance.randrange(6):
            case 0:
                del parent[key]
            case 1 if isinstance(parent, list):
                parent.insert(chance.randint(0, len(parent)), deepcopy(parent[key]))
            case 2 if isinstance(parent, list):
                chance.shuffle(parent)
            case 3 if isinstance(parent[key], str):
                text = parent[key]
                cut = chance.randint(0, len(text))
                parent[key] = (
                    text[:cut]
                    + chance.choice(["", "é", "0", "Z", "-"])
                    + text[cut + 1 :]
                )
            case 4 if isinstance(parent, dict):
                parent[chance.choice(["extra", "type", "id", "items"])] = deepcopy(
                    chance.choice(ODDITIES)
                )
            case _:
                parent[key] = deepcopy(chance.choice(ODDITIES))
    return value


@pytest.mark.parametrize("seed", range(len(READERS)))
def test_bent_answers_are_read_or_refused(
    seed: int, record_property: Callable[[str, object], None]
) -> None:
    """Whatever is in an answer, a valid model comes out of it or `NomosResponseError`, and nothing else."""
    read, sample = READERS[seed]
    chance = random.Random(seed)
    outcomes: Counter[str] = Counter()
    for _ in range(CASES // len(READERS) + 1):
        bent = bend(sample, chance)
        model = refusal = None
        try:
            model = read(bent)
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
    """Assert what every model that was read keeps."""
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
        assert type(model).from_json(model.to_json()) == model
        # Whatever is kept can be stored: no half characters, nothing endless.
        assert len(json.dumps(model.to_json(), ensure_ascii=False).encode()) < 3000
    if isinstance(model, Invoice):
        assert abs(model.total) <= 10_000_000
        assert abs(model.usage_kwh or 0) <= 1_000_000


def test_bent_errors_are_errors() -> None:
    """Every body of a refusal becomes a step of the ladder, in one safe line."""
    chance = random.Random(99)
    envelope = {
        "code": "BAD_REQUEST",
        "message": "Wait 30 seconds before retrying.",
        "requestId": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "errors": [{"code": "invalid_type", "field": "end", "message": "Required"}],
        "error": {"code": "X", "message": "y"},
    }
    for _ in range(5_000):
        text = json.dumps(bend(envelope, chance)).encode("utf-8", "surrogatepass")
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
