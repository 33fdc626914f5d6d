"""Tests of prices for loads that use own solar power, compared with the whole bill with and without the load."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
import os

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.nomos.planner import Run
from custom_components.nomos.planner.expected import EnergyForecast
from custom_components.nomos.planner.own_sun import OwnSun
from custom_components.nomos.pricing import Interval, PriceTable
from tests.planner.surplus import HOUR, QUARTER, SLOT, SLOTS, Surplus, surpluses

CASES = settings(
    deadline=None,
    derandomize=True,
    max_examples=int(os.environ.get("NOMOS_SUN_CASES", "60")),
)
START = datetime(2026, 6, 10, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def flat(amount: float, hours: int = 24) -> PriceTable:
    """Return a constant price for some hours."""
    return PriceTable.of([Interval(START, START + hours * HOUR, amount)])


def steady(power: float) -> EnergyForecast:
    """Return a forecast of a constant power for a day."""
    return EnergyForecast.of((START + hour * HOUR, power) for hour in range(24))


def paid(own: OwnSun, price: float, power: float) -> float | None:
    """Return the price that a load pays at noon."""
    found = own.prices(flat(price), power, START, START + HOUR).at(START)
    assert found is not None
    return found.price


@CASES
@given(surpluses(), st.sampled_from([0.5, 2.0, 7.5]))
def test_price_is_the_rise_of_the_bill(house: Surplus, power: float) -> None:
    """It holds in every five minutes, with negative or unknown values, other loads, and on days of a clock change."""
    found = house.own.prices(house.table, power, house.at(0), house.at(SLOTS))
    for slot in range(SLOTS):
        interval = found.at(house.at(slot))
        assert interval is not None
        true = house.cost(slot, power)
        if true is None:
            assert interval.price is None
        else:
            energy = power * (SLOT / HOUR)
            assert interval.price is not None
            assert interval.end >= house.at(slot + 1)
            assert interval.price * energy == pytest.approx(true, abs=1e-9)


@CASES
@given(surpluses(), st.sampled_from([0.5, 2.0, 7.5]))
def test_times_outside_keep_their_prices(house: Surplus, power: float) -> None:
    """Outside the window nothing changes; horizon and gaps stay, and intervals are sorted without overlap."""
    found = house.own.prices(house.table, power, house.at(6), house.at(12))
    assert found.horizon == house.table.horizon
    PriceTable.of(found.intervals)
    for slot in (*range(6), *range(12, SLOTS)):
        before, after = (one.at(house.at(slot)) for one in (house.table, found))
        assert before is not None
        assert after is not None
        assert after.price == before.price


@pytest.mark.parametrize(
    ("sun", "price", "payout", "expected"),
    [
        (4.0, 0.30, 0.08, 0.08),
        (3.0, 0.30, 0.08, 0.08),
        (2.0, 0.30, 0.08, 0.19),
        (1.0, 0.30, 0.08, 0.30),
        (0.0, 0.30, 0.08, 0.30),
        # From the grid the load would even be paid, but from the roof it costs the payout.
        (4.0, -0.05, 0.08, 0.08),
        (4.0, 0.30, -0.02, -0.02),
    ],
)
def test_share(sun: float, price: float, payout: float, expected: float) -> None:
    """A load of 2 kW in a house that needs 1 kW pays the payout for the part from the sun, the price for the rest."""
    own = OwnSun(house=steady(1.0), sun=steady(sun), payouts=flat(payout))
    assert paid(own, price, 2.0) == pytest.approx(expected)
    share = min(max(sun - 1, 0) / 2, 1)
    assert own.share([Run(start=START, end=START + HOUR)], 2.0) == pytest.approx(share)


def test_other_runs_count_to_the_minute() -> None:
    """Other runs count even within a quarter-hour, and overlapping runs add up."""
    runs = tuple(
        (Run(start=START + first * SLOT, end=START + end * SLOT), 2.0)
        for first, end in ((1, 4), (3, 5))
    )
    own = OwnSun(house=steady(1.0), sun=steady(4.0), payouts=flat(0.1), runs=runs)
    found = own.prices(flat(0.3), 2.0, START, START + HOUR)
    prices = []
    for slot in range(6):
        interval = found.at(START + slot * SLOT)
        assert interval is not None
        prices.append(interval.price)
    assert prices == pytest.approx([0.1, 0.2, 0.2, 0.3, 0.2, 0.1])


def test_unknown_forecasts_mean_no_sun() -> None:
    """Without a forecast of sun or house, or without a payout, the full price is paid."""
    nothing = EnergyForecast()
    for own in (
        OwnSun(house=steady(1.0), sun=nothing, payouts=flat(0.08)),
        OwnSun(house=nothing, sun=steady(9.0), payouts=flat(0.08)),
        OwnSun(house=steady(1.0), sun=steady(9.0), payouts=PriceTable()),
    ):
        assert paid(own, 0.3, 2.0) == 0.3
        assert own.share([Run(start=START, end=START + HOUR)], 2.0) == 0


def test_stand_ins_for_payouts() -> None:
    """As a stand-in, the payout of the same local time a day earlier is used."""
    own = OwnSun(house=steady(1.0), sun=steady(9.0), payouts=flat(0.08))
    start = START + DAY
    table = PriceTable.of([Interval(start, start + HOUR, 0.3)])
    found = own.prices(table, 2.0, start, start + HOUR).at(start)
    guess = own.guessed(start, start + HOUR).prices(table, 2.0, start, start + HOUR)
    guessed = guess.at(start)
    assert found is not None
    assert guessed is not None
    assert (found.price, guessed.price) == (0.3, 0.08)


def test_equality_within_a_window() -> None:
    """Only differences within the window count, not past, later or equivalent values."""
    start, end = START + 2 * HOUR, START + 6 * HOUR
    runs = (
        (Run(start=START, end=start), 2.0),
        (Run(start=start, end=end), 1.0),
    )
    own = OwnSun(house=steady(1.0), sun=steady(4.0), payouts=flat(0.08), runs=runs)
    same = OwnSun(
        house=EnergyForecast(own.house.starts[1:], own.house.energies[1:]),
        sun=EnergyForecast(own.sun.starts, (9.0, 9.0, *own.sun.energies[2:])),
        payouts=flat(0.08, 36),
        runs=runs[1:],
    )
    assert own.between(start, end) == same.between(start, end)
    late = EnergyForecast(own.sun.starts, (*own.sun.energies[:6], *[0.0] * 18))
    other = EnergyForecast(own.sun.starts, (*own.sun.energies[:5], *[0.0] * 19))
    assert own.between(start, end) == replace(own, sun=late).between(start, end)
    for changed in (
        replace(own, sun=other),
        replace(own, house=other),
        replace(own, sun=EnergyForecast()),
        replace(own, payouts=flat(0.07)),
        replace(own, payouts=flat(0.08, 5)),
        replace(own, runs=runs[:1]),
    ):
        assert own.between(start, end) != changed.between(start, end)


def test_dark() -> None:
    """It is dark if the forecast has no sun in any quarter-hour; without a forecast it is unknown."""
    day = EnergyForecast.of(
        (START + hour * HOUR, 1.0 if hour == 2 else 0.0) for hour in range(24)
    )
    assert day.is_dark(START, START + 2 * HOUR)
    assert not day.is_dark(START, START + 2 * HOUR + SLOT)
    assert day.is_dark(START + 3 * HOUR, START + 26 * HOUR)
    assert not day.is_dark(START + 3 * HOUR, START + 26 * HOUR + QUARTER)
    assert not EnergyForecast().is_dark(START, START + HOUR)
