"""The wholesale market: day-ahead prices in EUR/MWh for the quarter-hours of any day."""

from abc import ABC, abstractmethod
import csv
from dataclasses import dataclass
from datetime import UTC, date, datetime
import math
from pathlib import Path
from typing import override

from . import noise, weather
from .berlin import BERLIN, local_date


class Market(ABC):
    """A source of day-ahead prices; the price of an interval never changes."""

    @abstractmethod
    def price(self, start: datetime) -> float | None:
        """Return the price in EUR/MWh of the quarter-hour that starts at an aware instant; None without an auction."""


@dataclass(frozen=True, slots=True)
class SyntheticMarket(Market):
    """Prices shaped like those of German days: peaks, nights, weekends, seasons, sun and wind.

    Each quarter-hour is computed on its own from the seed, so the order of calls does not matter, and markets of the
    same seed are equal.
    """

    seed: int

    @override
    def price(self, start: datetime) -> float:
        local = start.astimezone(BERLIN)
        day = local.date().toordinal()
        hour = local.hour + local.minute / 60
        season = weather.summer(local)
        weekday = local.weekday()
        position = day + hour / 24
        # Weather lasts for days: wind changes about every third day.
        wind = noise.smooth(self.seed, "wind", position / 3)
        sunshine = weather.sunshine(self.seed, position)
        working = (0.55, 0.45)[weekday - 5] if weekday >= 5 else 1.0
        price = (
            104 - 22 * season - 62 * (wind - 0.35) - (0, 10, 20)[max(0, weekday - 4)]
        )
        price += 34 * working * weather.peak(hour, 8, 1.6)
        price += (38 + 16 * working) * weather.peak(hour, 18.4 + 1.6 * season, 2.1)
        price -= 20 * (weather.peak(hour, 3.2, 3) + weather.peak(hour, 27.2, 3))
        # The country's solar power pushes prices down, most of all at weekends.
        solar = (
            weather.daylight(hour, season)
            * (0.18 + 0.72 * season)
            * (0.15 + 0.85 * sunshine)
        )
        price -= solar * (150 if weekday < 5 else 175)
        # Plants ramp within the hour: while prices fall, its first quarter is expensive; while they rise, its last.
        ramp = math.cos(2 * math.pi * (hour - 2) / 12) * (local.minute - 22.5) / 22.5
        price += -6 * ramp + 4 * noise.signed(
            self.seed, "quarter", int(start.timestamp()) // 900
        )
        if price < 0:
            # Plants switch off below zero, so negative prices are frequent but rarely deep.
            price *= 0.3
        return round(max(price, -500.0), 2)


class ReplayMarket(Market):
    """The prices of a real auction, read from a CSV file with the header `time,price_eur_mwh`.

    Days within the file's range are replayed exactly, by instant; a day missing there has no prices. Every other
    day replays one of the file's days, in their order and cycling, the first one on the anchor day, by the local
    wall clock: a repeated hour takes the file's repeated hour or else the plain one, an hour that the file's day
    lacks takes the hour after it.
    """

    def __init__(self, file: Path, anchor: date) -> None:
        """Read the file; `anchor` is the local date on which its first day is replayed."""
        self._anchor = anchor
        self._exact: dict[datetime, float] = {}
        by_day: dict[date, dict[tuple[int, int, int], float]] = {}
        with file.open(newline="", encoding="utf-8") as handle:
            for row in csv.DictReader(handle):
                instant = datetime.fromisoformat(row["time"]).astimezone(UTC)
                price = float(row["price_eur_mwh"])
                self._exact[instant] = price
                local = instant.astimezone(BERLIN)
                by_day.setdefault(local.date(), {})[
                    local.hour, local.minute, local.fold
                ] = price
        if not by_day:
            raise ValueError("the market file holds no prices")
        self._days = [by_day[day] for day in sorted(by_day)]
        self._first, self._last = min(by_day), max(by_day)

    @override
    def price(self, start: datetime) -> float | None:
        day = local_date(start)
        if self._first <= day <= self._last:
            return self._exact.get(start.astimezone(UTC))
        local = start.astimezone(BERLIN)
        source = self._days[(day - self._anchor).days % len(self._days)]
        hour, minute = local.hour, local.minute
        for key in (
            (hour, minute, local.fold),
            (hour, minute, 0),
            (hour + 1, minute, 0),
        ):
            if (price := source.get(key)) is not None:
                return price
        return None
