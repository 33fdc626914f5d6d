"""Hypothesis strategies for the tests of the client."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
import random
from typing import Any

from hypothesis import settings, strategies as st

from tests.api.samples import price_item

# The machine may be slow and busy, and examples are not kept in the repository.
property_test = settings(max_examples=150, deadline=None, database=None)

KEYS = st.sampled_from(
    [
        *(
            "id",
            "customer",
            "plan",
            "status",
            "type",
            "number",
            "created_at",
            "start_at",
            "end_at",
            "meter",
            "name",
        ),
        *(
            "unit",
            "currency",
            "resolution",
            "items",
            "timestamp",
            "amount",
            "components",
            "subscription",
            "price",
        ),
        *(
            "data",
            "start",
            "usage",
            "meter_type",
            "total",
            "period_start",
            "code",
            "message",
            "error",
            "errors",
        ),
        *("requestId", "error_description", "has_more", "next_page"),
    ]
)
TEXTS = st.text(max_size=20) | st.sampled_from(
    [
        *(
            "ct/kWh",
            "EUR",
            "15min",
            "hourly",
            "active",
            "smart",
            "final",
            "electricity",
            "2026-10-01T00:00:00Z",
        ),
        *(
            "0001-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59-23:59",
            "2026-10-01",
            "\ud800",
            "24:00",
        ),
    ]
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | TEXTS, inner, max_size=8)
    ),
    max_leaves=20,
)


DAY = [
    price_item(
        (
            datetime(2026, 10, 24, 22, tzinfo=UTC) + timedelta(minutes=15 * number)
        ).isoformat()
    )
    for number in range(6)
]


def deep(levels: int) -> Any:
    """Return nested lists."""
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


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside a JSON value."""
    found = [path]
    if isinstance(value, dict):
        for key, item in value.items():
            found += paths(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += paths(item, (*path, index))
    return found


def mutate(sample: Any, chance: random.Random) -> Any:
    """Return a copy with one to four changes: values replaced, removed, duplicated, swapped or added."""
    value = deepcopy(sample)
    for _ in range(chance.randint(1, 4)):
        path = chance.choice(paths(value))
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
