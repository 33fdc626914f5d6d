"""Tests of the market, its replay, and the tariff on top."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
import random

from hypothesis import given, strategies as st
import pytest

from simulator import Simulator
from simulator.berlin import BERLIN, DAY, HOUR, day_intervals, days, midnight
from simulator.market import ReplayMarket, SyntheticMarket
from tests.api.strategies import property_test


def _day(seed: int, day: date) -> list[float]:
    market = SyntheticMarket(seed)
    return [market.price(start) for start in day_intervals(day)]


def test_prices_do_not_depend_on_the_order_of_calls() -> None:
    """Each quarter-hour is computed on its own."""
    starts = day_intervals(date(2026, 10, 25))
    shuffled = random.Random(5).sample(starts, len(starts))
    market = SyntheticMarket(1)
    backwards = {start: market.price(start) for start in shuffled}
    assert [backwards[start] for start in starts] == _day(1, date(2026, 10, 25))
    assert _day(1, date(2026, 6, 1)) != _day(2, date(2026, 6, 1))


def test_a_year_looks_like_one() -> None:
    """Evenings are expensive, noons cheap; some hundred hours are negative, mostly on sunny days, few in winter."""
    year = {
        day: _day(1, day)
        for day in days(date(2026, 1, 1), date(2026, 12, 31))
        if len(day_intervals(day)) == 96
    }
    prices = [price for day in year.values() for price in day]
    assert 50 < sum(prices) / len(prices) < 100
    assert -100 < min(prices) < -5
    assert 120 < max(prices) < 300
    negative = [day for day, values in year.items() if min(values) < 0]
    assert 60 < len(negative) < 200
    assert sum(day.month in {4, 5, 6, 7, 8} for day in negative) > 0.6 * len(negative)
    assert sum(day.month in {12, 1} for day in negative) < 0.1 * len(negative)
    for values in year.values():
        assert max(values[68:88]) > min(values[48:60])
    # Quarter-hours differ, not only hours.
    assert sum(len(set(values)) > 90 for values in year.values()) > 350


@property_test
@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)))
def test_every_instant_has_a_price(instant: datetime) -> None:
    """There is a price for any date."""
    assert -500 <= SyntheticMarket(1).price(instant.replace(tzinfo=UTC)) <= 4000


def _write(path: Path, first: date, last: date, leave_out: date | None = None) -> Path:
    lines = ["time,price_eur_mwh"]
    for day in days(first, last):
        for index, start in enumerate(day_intervals(day)):
            if day != leave_out:
                lines.append(
                    f"{start.astimezone(BERLIN).isoformat(sep=' ')},{day.day * 1000 + index}"
                )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_days_of_the_file_are_exact(tmp_path: Path) -> None:
    """They are replayed by instant, including the day of 100 quarter-hours, but not the day that the file lacks."""
    file = _write(
        tmp_path / "market.csv",
        date(2025, 10, 22),
        date(2025, 10, 26),
        leave_out=date(2025, 10, 24),
    )
    market = ReplayMarket(file, date(2025, 10, 23))
    autumn = day_intervals(date(2025, 10, 26))
    assert [market.price(start) for start in autumn] == [
        26000 + index for index in range(100)
    ]
    assert {market.price(start) for start in day_intervals(date(2025, 10, 24))} == {
        None
    }


def test_other_days_replay_the_file_by_the_wall_clock(tmp_path: Path) -> None:
    """From the anchor on, the file's days are replayed in order and cycling, on days of 92, 96 and 100 quarter-hours."""
    file = _write(
        tmp_path / "market.csv", date(2025, 10, 24), date(2025, 10, 26), leave_out=None
    )

    def replay(anchor: date, day: date) -> list[float | None]:
        return [ReplayMarket(file, anchor).price(start) for start in day_intervals(day)]

    plain = [24000 + index for index in range(96)]
    assert replay(date(2026, 6, 1), date(2026, 6, 1)) == plain
    assert replay(date(2026, 6, 1), date(2026, 6, 2))[0] == 25000
    assert replay(date(2026, 6, 1), date(2026, 6, 4)) == plain
    assert replay(date(2026, 6, 1), date(2026, 5, 31))[0] == 26000
    # On an ordinary day, a day of 100 loses its second 2:00 hour; on a day of 100, an ordinary day repeats its own.
    long = [26000 + index for index in range(100)]
    assert replay(date(2026, 6, 1), date(2026, 6, 3)) == long[:12] + long[16:]
    assert replay(date(2026, 10, 25), date(2026, 10, 25)) == plain[:12] + plain[8:]
    # In spring there is no 2:00 hour.
    assert replay(date(2026, 3, 29), date(2026, 3, 29)) == plain[:8] + plain[12:]


def test_a_short_day_is_filled_from_the_next_hour(tmp_path: Path) -> None:
    """A spring day of 92 quarter-hours is replayed on an ordinary day."""
    file = _write(tmp_path / "market.csv", date(2025, 3, 30), date(2025, 3, 30))
    market = ReplayMarket(file, date(2026, 6, 1))
    values = [29000 + 1000 + index for index in range(92)]
    replayed = [market.price(start) for start in day_intervals(date(2026, 6, 1))]
    assert replayed == values[:8] + values[8:12] + values[8:]


def test_empty_file_is_refused(tmp_path: Path) -> None:
    """An empty file is an error, rather than a market without prices."""
    (tmp_path / "empty.csv").write_text("time,price_eur_mwh\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no prices"):
        ReplayMarket(tmp_path / "empty.csv", date(2026, 1, 1))


def test_simulator_replays_a_file(tmp_path: Path) -> None:
    """The anchor is the local date on which the simulator starts."""
    file = _write(tmp_path / "market.csv", date(2025, 10, 20), date(2025, 10, 21))
    sim = Simulator(now=datetime(2026, 6, 9, 22, 30, tzinfo=UTC), market_file=file)
    found = sim.customers["smart@example.com"].subscriptions[0]
    point = sim.price(found.id, midnight(date(2026, 6, 10)))
    assert point is not None
    assert point.electricity == pytest.approx((20000 / 10 + 1.45) * 1.19)


def test_amount_is_the_sum_of_its_parts() -> None:
    """This holds within rounding; the grid fee is low at night and high in the evening, levies are constant."""
    sim = Simulator(now=datetime(2026, 6, 10, tzinfo=UTC))
    points = sim.day_prices(
        sim.customers["smart@example.com"].subscriptions[0].id, date(2026, 6, 10)
    )
    for point in points:
        assert point.grid is not None
        assert point.levies is not None
        assert point.amount == pytest.approx(
            point.electricity + point.grid + point.levies, abs=2e-4
        )
    grid = [point.grid for point in points]
    assert grid[0] == min(filter(None, grid)) == pytest.approx(3.2 * 1.19)
    assert grid[4 * 19] == max(filter(None, grid)) == pytest.approx(13.4 * 1.19)
    assert len({point.levies for point in points}) == 1
    assert len(points) == 96


def test_hourly_plan_pays_the_mean_and_any_instant_finds_its_interval() -> None:
    """The price is that of the interval that contains the instant."""
    sim = Simulator(now=datetime(2026, 6, 10, tzinfo=UTC))
    hourly = sim.customers["analog@example.com"].subscriptions[0].id
    start = midnight(date(2026, 6, 10))
    point = sim.price(hourly, start + timedelta(minutes=59))
    assert point is not None
    assert point.start == start
    market = SyntheticMarket(1)
    mean = (
        sum(market.price(start + timedelta(minutes=15 * index)) for index in range(4))
        / 40
    )
    assert point.electricity == pytest.approx((mean + 1.45) * 1.19, abs=0.01)


def test_feed_in_is_a_payout_without_other_parts() -> None:
    """The payout is the market price less a fee, and can be negative."""
    sim = Simulator(now=datetime(2026, 6, 14, 9, tzinfo=UTC))
    points = sim.day_prices(
        sim.customers["solar@example.com"].subscriptions[1].id, date(2026, 6, 14)
    )
    assert all(
        point.amount == point.electricity
        and point.grid is None
        and point.levies is None
        for point in points
    )
    assert min(point.amount for point in points) < 0


def test_no_price_outside_the_contract() -> None:
    """There is no price before the start and from the end on."""
    sim = Simulator(now=datetime(2026, 6, 10, tzinfo=UTC))
    found = sim.customers["ended@example.com"].subscriptions[0]
    assert found.start_at is not None
    assert found.end_at is not None
    assert sim.price(found.id, found.start_at - HOUR) is None
    assert sim.price(found.id, found.start_at) is not None
    assert sim.price(found.id, found.end_at - DAY) is not None
    assert sim.price(found.id, found.end_at) is None
    with pytest.raises(ValueError, match="no price"):
        sim.correct_price(found.id, found.end_at, 1.0)
