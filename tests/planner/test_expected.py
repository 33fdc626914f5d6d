"""Tests of forecasts: energy spread over quarter-hours, and stand-ins for unknown values."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.nomos.planner.expected import EnergyForecast, Expected
from custom_components.nomos.pricing import EMPTY_TABLE, Interval, PriceTable

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
NOTHING = EnergyForecast()


def hourly(*kwh: float, start: datetime = START) -> EnergyForecast:
    """Return an hourly forecast."""
    return EnergyForecast.of(
        (start + index * HOUR, one) for index, one in enumerate(kwh)
    )


def table(*prices: float | None, length: timedelta = HOUR) -> PriceTable:
    """Return consecutive hourly prices."""
    return PriceTable.of(
        Interval(START + index * length, START + (index + 1) * length, price)
        for index, price in enumerate(prices)
    )


def test_energy_is_spread_evenly() -> None:
    """A quarter-hour has a quarter of its hour's energy, and a period across two hours its share of both."""
    forecast = hourly(1.0, 3.0)
    assert forecast.between(START, START + QUARTER) == pytest.approx(0.25)
    half = START + HOUR / 2
    assert forecast.between(half, half + HOUR) == pytest.approx(2.0)


def test_length_of_rows() -> None:
    """A row ends at the next one, the last is as long as the one before, and a single row lasts an hour."""
    rows = [(START + 3 * HOUR, 2.0), (START, 3.0)]
    forecast = EnergyForecast.of(rows)
    assert forecast.starts[-1] == START + 6 * HOUR
    assert forecast.between(START, START + HOUR) == pytest.approx(1.0)
    assert EnergyForecast.of([(START, 3.0)]).starts[-1] == START + HOUR


def test_same_start_twice() -> None:
    """Two rows with the same start contradict each other, in any zone."""
    with pytest.raises(ValueError, match="same start"):
        EnergyForecast.of([(START, 1.0), (START, 2.0)])


def test_stand_ins_beyond_a_forecast() -> None:
    """The last known day stands in for later ones, and the first for earlier ones, at the same local time."""
    forecast = hourly(*range(24))
    for days in (-2, -1, 1, 5, 14):
        at = START + days * DAY + 2 * HOUR
        assert forecast.between(at, at + HOUR) == pytest.approx(2.0), days
    assert forecast.between(START + 20 * DAY, START + 20 * DAY + HOUR) == 0
    assert NOTHING.between(START, START + HOUR) == 0


def test_stand_ins_across_a_clock_change() -> None:
    """The value for 6:00 stands in at 6:00 local time on the day of the clock change."""
    start = datetime(
        2026, 3, 27, 23, tzinfo=UTC
    )  # Midnight in Germany at the start of the previous day.
    forecast = hourly(*range(24), start=start)
    six = datetime(2026, 3, 29, 4, tzinfo=UTC)
    assert forecast.between(six, six + HOUR) == pytest.approx(6.0)


def test_repeated_hour_has_its_own_energy() -> None:
    """When the clock is put back, the second hour is not confused with the first."""
    start = datetime(2026, 10, 25, tzinfo=UTC)
    forecast = hourly(1.0, 3.0, 5.0, start=start)
    found = [
        forecast.between(start + hour * HOUR, start + (hour + 1) * HOUR)
        for hour in range(3)
    ]
    assert found == pytest.approx([1.0, 3.0, 5.0])


def test_quarters() -> None:
    """The first is the rest of a quarter-hour, hours are cut into four, and need is what the sun does not cover."""
    expected = Expected(
        prices=table(0.3, 0.2),
        payouts=table(0.08, 0.09),
        house=hourly(1.0, 2.0),
        sun=hourly(0.0, 4.0),
    )
    start = START + timedelta(minutes=50)
    found = list(expected.quarters(start, START + 2 * HOUR))
    assert [one.hours for one in found] == pytest.approx(
        [1 / 6, 0.25, 0.25, 0.25, 0.25]
    )
    assert found[0].need == pytest.approx(1 / 6)
    assert found[1].need == pytest.approx(-0.5)
    assert [one.price for one in found] == [0.3, 0.2, 0.2, 0.2, 0.2]
    assert [one.payout for one in found] == [0.08, 0.09, 0.09, 0.09, 0.09]
    assert all(one.known for one in found)


def test_unknown_prices_have_stand_ins() -> None:
    """Prices that are unknown, or beyond the end, are replaced by those of the same time on an earlier day."""
    prices = table(*[index / 100 for index in range(24)], 0.5, None, 0.7)
    expected = Expected(prices=prices, payouts=EMPTY_TABLE, house=NOTHING, sun=NOTHING)
    found = list(expected.quarters(START + DAY, START + DAY + 4 * HOUR))
    assert [one.price for one in found[::4]] == [0.5, 0.01, 0.7, 0.03]
    assert [one.known for one in found[::4]] == [True, False, True, False]
    assert {one.payout for one in found} == {0.0}


def test_no_price_at_all() -> None:
    """The quarter-hours end where there is no stand-in for an unknown price."""
    expected = Expected(
        prices=table(0.3, None), payouts=EMPTY_TABLE, house=NOTHING, sun=NOTHING
    )
    assert len(list(expected.quarters(START, START + DAY))) == 4
