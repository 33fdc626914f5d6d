"""Tests of the benchmark of planned loads: its figures are correct."""

from datetime import datetime, time, timedelta
from pathlib import Path

import pytest

from benchmarks.savings import LOADS, main, measure, read
from custom_components.nomos.loads.settings import LoadSettings
from custom_components.nomos.pricing import TARIFF_ZONE

QUARTER = timedelta(minutes=15)


def write_prices(path: Path, prices: list[list[float]]) -> None:
    """Write a file of prices in EUR/MWh, given as hourly prices for each day."""
    lines = ["time,price_eur_mwh"]
    for number, day in enumerate(prices):
        at = datetime(2025, 6, 1 + number, tzinfo=TARIFF_ZONE)
        lines += [
            f"{at + quarter * QUARTER},{day[quarter // 4]}" for quarter in range(96)
        ]
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("load", LOADS)
def test_equal_days_cost_the_optimum(tmp_path: Path, load: str) -> None:
    """The stand-ins for tomorrow are then true; starting at once or at the average costs more."""
    path = tmp_path / "prices.csv"
    write_prices(path, [[80 + (hour * 37) % 90 for hour in range(24)]] * 5)
    found = measure(LoadSettings.of(LOADS[load]), read(path, "flat"))
    assert found.windows == 3
    assert found.regret == pytest.approx(0, abs=1e-9)
    assert found.cost < min(found.at_once, found.average)


def test_surprises_cost_money(tmp_path: Path) -> None:
    """If the night turns out cheaper than the chosen noon, this is regret, in percent of the optimum."""
    path = tmp_path / "prices.csv"
    noon = [100.0] * 9 + [20, 20] + [100] * 13
    night = [5.0] * 5 + [100] * 19
    write_prices(path, [noon, noon, night])
    data = {"duration": {"hours": 2}, "start": "09:00", "end": "09:00"}
    found = measure(LoadSettings.of(data), read(path, "flat"))
    assert found.windows == 1
    fees = 1.45 + 6.656 + 8.9
    assert found.cost == pytest.approx(2 * (2 + fees) * 1.19 / 100)
    assert found.optimum == pytest.approx(2 * (0.5 + fees) * 1.19 / 100)
    assert found.regret == pytest.approx(100 * (found.cost / found.optimum - 1))
    # With prices until midnight, noon is chosen; waiting for the afternoon leads to the night.
    assert found.known_only == pytest.approx(found.cost)
    assert found.waiting == pytest.approx(found.optimum)


def test_fees_by_the_time_of_day(tmp_path: Path) -> None:
    """Module 3 is cheap from 23 to 6 and expensive from 17 to 21 local time."""
    path = tmp_path / "prices.csv"
    write_prices(path, [[0.0] * 24])
    found = {
        one.start.astimezone(TARIFF_ZONE).time(): one.price
        for one in read(path, "module 3").intervals
    }
    assert found[time(5, 45)] == found[time(23)] == pytest.approx(0.1345414)
    assert found[time(6)] == found[time(22, 45)] == pytest.approx(0.2023714)
    assert found[time(17)] == found[time(20, 45)] == pytest.approx(0.2559214)


def test_a_table_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is a row for each load and grid fee."""
    path = tmp_path / "prices.csv"
    write_prices(path, [[80 + (hour * 37) % 90 for hour in range(24)]] * 4)
    assert main([str(path)]) == 0
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == 2 + 2 * len(LOADS)
    assert all("0.00 %" in line for line in lines[2:])
