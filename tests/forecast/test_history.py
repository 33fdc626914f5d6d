"""Tests of hourly meter readings: gaps, sums and differences."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.nomos.forecast.history import (
    balance,
    subtracted,
    sum_by_hour,
    without_gaps,
)

START = datetime(2026, 6, 10, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hour: int) -> datetime:
    """Return an hour after the start."""
    return START + hour * HOUR


def test_first_hour_is_ignored() -> None:
    """It may contain everything that was counted before."""
    assert without_gaps([(at(0), 99.0), (at(1), 1.0), (at(2), 2.0)]) == {
        at(1): 1.0,
        at(2): 2.0,
    }
    assert without_gaps([]) == {}


def test_a_gap_is_spread() -> None:
    """An inverter that is offline at night catches up in the morning; the hours of a longer gap are missing."""
    assert without_gaps([(at(0), 1.0), (at(3), 0.9), (at(4), 1.0)]) == pytest.approx(
        {at(1): 0.3, at(2): 0.3, at(3): 0.3, at(4): 1.0}
    )
    assert len(without_gaps([(at(0), 1.0), (at(18), 0.9)])) == 18
    assert without_gaps([(at(0), 1.0), (at(19), 0.9), (at(20), 1.0)]) == {at(20): 1.0}


def test_a_meter_that_sleeps() -> None:
    """For a roof at night or a car that is away, the next reading belongs to its own hour alone."""
    rows = [(at(0), 1.0), (at(3), 0.9), (at(30), 7.0), (at(31), 6.0)]
    assert without_gaps(rows, intermittent=True) == {
        at(1): 0.0,
        at(2): 0.0,
        at(3): 0.9,
        at(30): 7.0,
        at(31): 6.0,
    }


def test_rows_that_are_out_of_order() -> None:
    """Rows that are out of order are skipped."""
    assert without_gaps([(at(1), 1.0), (at(0), 1.0), (at(1), 2.0)]) == {at(1): 2.0}


def test_need() -> None:
    """Import, solar power and discharge, less export and charge, in the hours that all of them have."""
    gains = [{at(0): 1.0, at(1): 2.0, at(2): 3.0}, {at(0): 0.5, at(1): 0.5}]
    losses = [{at(1): 0.25, at(2): 9.0}]
    assert balance(gains, losses) == {at(1): 2.25}
    assert balance([{at(0): 1.0}, {}], []) == {}
    assert balance([], []) == {}


def test_loads_may_lack_hours() -> None:
    """An unplugged smart plug counts nothing, so sums and differences of loads tolerate missing hours."""
    assert subtracted({at(0): 3.0, at(1): 3.0}, [{at(1): 2.0, at(5): 1.0}]) == {
        at(0): 3.0,
        at(1): 1.0,
    }
    assert sum_by_hour([{at(0): 1.0}, {at(0): 1.0, at(1): 1.0}]) == {
        at(0): 2.0,
        at(1): 1.0,
    }
