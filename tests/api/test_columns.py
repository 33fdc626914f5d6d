"""Tests of packed sequences and mappings."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import gc

import pytest

from custom_components.nomos.api.columns import CompactMapping, CompactSequence
from custom_components.nomos.usage.metering import HourUsage


@dataclass(frozen=True, slots=True)
class Row:
    """An item that is kept in columns."""

    start: datetime
    state: float
    sum: float


START = datetime(2026, 10, 1, tzinfo=UTC)
ROWS = tuple((START + timedelta(hours=one), one / 4, float(one)) for one in range(5))
ITEMS = tuple(Row(*row) for row in ROWS)


def test_a_sequence_of_items() -> None:
    """It can be used like a tuple of the items."""
    packed = CompactSequence(Row, ROWS)
    assert len(packed) == 5
    assert packed[0] == ITEMS[0]
    assert packed[-1] == ITEMS[-1]
    assert list(packed) == list(ITEMS)
    assert list(reversed(packed)) == list(reversed(ITEMS))
    assert ITEMS[3] in packed
    assert packed.index(ITEMS[3]) == 3
    with pytest.raises(IndexError):
        packed[5]
    assert packed
    assert not CompactSequence(Row)


def test_a_part_stays_packed() -> None:
    """A month is not unpacked for one of its days."""
    part = CompactSequence(Row, ROWS)[1:3]
    assert isinstance(part, CompactSequence)
    assert part == ITEMS[1:3]


def test_equality_is_that_of_the_items() -> None:
    """Equality does not depend on how the other sequence stores its items."""
    packed = CompactSequence(Row, ROWS)
    assert packed == ITEMS
    assert list(ITEMS) == packed
    assert packed == CompactSequence(Row, tuple(ROWS))
    assert packed != ITEMS[:4]
    assert packed != (*ITEMS[:4], ITEMS[0])
    # Raw rows are not equal to the items.
    assert packed != ROWS
    assert packed != 5


def test_a_mapping_of_items() -> None:
    """It can be used like a dictionary of the items."""
    rows = {START: (0.5, 0.125, True), START + timedelta(hours=1): (0.25, None, False)}
    packed = CompactMapping(HourUsage, rows)
    assert packed == {start: HourUsage(*row) for start, row in rows.items()}
    assert list(packed) == list(rows)
    assert len(packed) == 2
    assert packed[START] == HourUsage(0.5, 0.125, True)
    with pytest.raises(KeyError):
        packed[START - timedelta(hours=1)]


def test_the_collector_ignores_rows() -> None:
    """The purpose of packing: after its first pass, the garbage collector no longer tracks rows, unlike objects."""
    packed = CompactSequence(
        Row, tuple((START, float(one), one / 2) for one in range(1_000))
    )
    unpacked = tuple(packed)
    gc.collect()
    assert not any(gc.is_tracked(row) for row in packed.rows)
    assert all(gc.is_tracked(item) for item in unpacked)
