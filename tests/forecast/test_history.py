"""Hours of meters: gaps, sums, and what is left of them."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.nomos.forecast.history import added, less, need_of, without_gaps

START = datetime(2026, 6, 10, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hour: int) -> datetime:
    """Return an hour after the start."""
    return START + hour * HOUR


def test_the_first_hour_is_not_used() -> None:
    """It may hold all that was counted before."""
    assert without_gaps([(at(0), 99.0), (at(1), 1.0), (at(2), 2.0)]) == {
        at(1): 1.0,
        at(2): 2.0,
    }
    assert without_gaps([]) == {}


def test_a_gap_is_spread() -> None:
    """An inverter that is away at night catches up in the morning; after a longer gap, its hours are missing."""
    assert without_gaps([(at(0), 1.0), (at(3), 0.9), (at(4), 1.0)]) == pytest.approx(
        {at(1): 0.3, at(2): 0.3, at(3): 0.3, at(4): 1.0}
    )
    assert len(without_gaps([(at(0), 1.0), (at(18), 0.9)])) == 18
    assert without_gaps([(at(0), 1.0), (at(19), 0.9), (at(20), 1.0)]) == {at(20): 1.0}


def test_a_meter_that_sleeps() -> None:
    """A roof at night, or a car that is not there: what is counted then was used in that hour."""
    rows = [(at(0), 1.0), (at(3), 0.9), (at(30), 7.0), (at(31), 6.0)]
    assert without_gaps(rows, asleep=True) == {
        at(1): 0.0,
        at(2): 0.0,
        at(3): 0.9,
        at(30): 7.0,
        at(31): 6.0,
    }


def test_rows_that_are_out_of_order() -> None:
    """They do no harm."""
    assert without_gaps([(at(1), 1.0), (at(0), 1.0), (at(1), 2.0)]) == {at(1): 2.0}


def test_need() -> None:
    """Import, solar power and the battery's, less export and what is stored, in the hours that all have."""
    gains = [{at(0): 1.0, at(1): 2.0, at(2): 3.0}, {at(0): 0.5, at(1): 0.5}]
    losses = [{at(1): 0.25, at(2): 9.0}]
    assert need_of(gains, losses) == {at(1): 2.25}
    assert need_of([{at(0): 1.0}, {}], []) == {}
    assert need_of([], []) == {}


def test_loads_may_lack_hours() -> None:
    """A plug that is unplugged counts nothing; all that is added up need not have all hours."""
    assert less({at(0): 3.0, at(1): 3.0}, [{at(1): 2.0, at(5): 1.0}]) == {
        at(0): 3.0,
        at(1): 1.0,
    }
    assert added([{at(0): 1.0}, {at(0): 1.0, at(1): 1.0}]) == {at(0): 2.0, at(1): 1.0}
