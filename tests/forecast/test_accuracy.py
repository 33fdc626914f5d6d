"""How well the sun was forecast."""

from datetime import date, timedelta

import pytest

from custom_components.nomos.codec import decode, encode
from custom_components.nomos.forecast.accuracy import SolarAccuracy

DAY = timedelta(days=1)
FIRST = date(2026, 6, 1)


def after(days: int, *, forecast: float = 20.0, actual: float = 20.0) -> SolarAccuracy:
    """Return the record after some days of the same kind."""
    record = SolarAccuracy(entries=("one",))
    for index in range(days):
        day = FIRST + index * DAY
        record = record.with_forecast(day - DAY, {day: forecast})
        record = record.with_actual(day + DAY, {day: actual})
    return record


def test_nothing_known_corrects_nothing() -> None:
    """Without any day the factor is 1."""
    assert SolarAccuracy().factor == 1.0
    assert after(10).factor == pytest.approx(1.0)


def test_the_factor_is_slow_and_bounded() -> None:
    """One day moves it by a fifth of the error, two weeks by most of it; it never leaves its bounds."""
    assert after(1, actual=15.0).factor == pytest.approx(0.95, abs=0.005)
    assert after(14, actual=15.0).factor == pytest.approx(0.78, abs=0.02)
    assert after(60, actual=15.0).factor == pytest.approx(0.75, abs=0.01)
    assert after(60, actual=0.0).factor == 0.5
    assert after(60, actual=90.0).factor == 1.5


def test_dark_days_hardly_count() -> None:
    """With snow on the roof in December: days are weighted by their kWh."""
    record = after(14)
    for index in range(14, 17):
        day = FIRST + index * DAY
        record = record.with_forecast(day - DAY, {day: 1.0}).with_actual(
            day + DAY, {day: 0.0}
        )
    assert record.factor > 0.97
    assert record.days == 17


def test_forecast_made_before_the_day_counts() -> None:
    """A forecast of today made during today is easier, and plans did not use it."""
    record = SolarAccuracy().with_forecast(FIRST, {FIRST: 9.0, FIRST + DAY: 20.0})
    assert record.awaited == {FIRST + DAY: 20.0}
    record = record.with_forecast(FIRST, {FIRST + DAY: 22.0})
    record = record.with_forecast(FIRST + DAY, {FIRST + DAY: 10.0})
    assert record.awaited == {FIRST + DAY: 22.0}
    assert record.due(FIRST + DAY) == []
    assert record.due(FIRST + 2 * DAY) == [FIRST + DAY]


def test_a_day_waits_for_the_meters() -> None:
    """It waits a week, then it is dropped. A forecast of zero is ignored."""
    record = SolarAccuracy().with_forecast(FIRST - DAY, {FIRST: 20.0})
    assert record.with_actual(FIRST + 7 * DAY, {}) == record
    late = record.with_actual(FIRST + 7 * DAY, {FIRST: 10.0})
    assert (late.days, late.awaited) == (1, {})
    gone = record.with_actual(FIRST + 8 * DAY, {})
    assert (gone.days, gone.awaited) == (0, {})
    dark = SolarAccuracy().with_forecast(FIRST - DAY, {FIRST: 0.0})
    assert dark.with_actual(FIRST + DAY, {FIRST: 5.0}) == SolarAccuracy()
    odd = record.with_actual(FIRST + DAY, {FIRST: -5.0})
    assert odd == SolarAccuracy()


def test_stored_as_json() -> None:
    """The record survives a round trip through JSON."""
    record = after(3, actual=17.0).with_forecast(FIRST, {FIRST + 9 * DAY: 12.5})
    assert decode(SolarAccuracy, encode(record)) == record
