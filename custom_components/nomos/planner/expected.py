"""What is expected until prices end, and for another day: energy, prices and payouts by quarter-hour."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import accumulate, pairwise, takewhile
from typing import Final, Self

from ..pricing import QUARTER, TARIFF_ZONE, PriceTable, quarter_of
from ..pricing.stand_in import with_stand_ins
from .battery import Quarter
from .model import PlannedRuns

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_DAYS: Final = (0, *range(-1, -15, -1), 1, 2)
"""Days on which energy is looked up at the same clock time: the day itself, then earlier days, then later ones."""


@dataclass(frozen=True)
class EnergyForecast:
    """Expected energy in kWh by stretches of time without gaps, spread evenly within each.

    ``starts`` are instants in UTC, one more than there are stretches: the last one is the end of the forecast.
    """

    starts: tuple[datetime, ...] = ()
    energies: tuple[float, ...] = ()

    @classmethod
    def of(cls, rows: Iterable[tuple[datetime, float]]) -> Self:
        """Make a forecast from rows in any order: each lasts until the next one, the last as long as the one before.

        A single row lasts an hour.

        Raises:
            ValueError: two rows have the same start.

        """
        ordered = sorted((start.astimezone(UTC), kwh) for start, kwh in rows)
        starts = [start for start, _ in ordered]
        if any(one == two for one, two in pairwise(starts)):
            raise ValueError("Two rows have the same start")
        if starts:
            starts.append(
                starts[-1] + (starts[-1] - starts[-2] if starts[1:] else _HOUR)
            )
        return cls(tuple(starts), tuple(kwh for _, kwh in ordered))

    def times(self, factor: float) -> Self:
        """Return the forecast multiplied by a factor."""
        return replace(self, energies=tuple(one * factor for one in self.energies))

    def between(self, start: datetime, end: datetime) -> float:
        """Return the energy between two aware instants less than a day apart, in kWh.

        If the forecast does not cover it, the same clock time of the next best day is used; zero if there is none.
        """
        if not self.energies:
            return 0.0
        length = end - start
        local = start.astimezone(TARIFF_ZONE)
        for days in _DAYS:
            # In autumn, this is the first of two local hours with the same name.
            shifted = local + timedelta(days=days) if days else local
            at = shifted.astimezone(UTC)
            if self.starts[0] <= at and at + length <= self.starts[-1]:
                return max(self._total_until(at + length) - self._total_until(at), 0.0)
        return 0.0

    def is_dark(self, start: datetime, end: datetime) -> bool:
        """Return whether no energy is expected between two aware instants; False without a forecast."""
        at = quarter_of(start)
        while at < end:
            if self.between(at, at + QUARTER) > 0:
                return False
            at += QUARTER
        return bool(self.energies)

    def overlapping(
        self, start: datetime, end: datetime
    ) -> tuple[tuple[datetime, float], ...]:
        """Return the stretches that overlap the time between two aware instants: their starts and energy in kWh."""
        first = max(bisect_right(self.starts, start) - 1, 0)
        pairs = zip(self.starts[first:], self.energies[first:], strict=False)
        return tuple(takewhile(lambda pair: pair[0] < end, pairs))

    def _total_until(self, instant: datetime) -> float:
        """Return the energy from the first start to an instant within the forecast."""
        index = min(bisect_right(self.starts, instant), len(self.energies)) - 1
        start, end = self.starts[index], self.starts[index + 1]
        return self._sums[index] + self.energies[index] * (
            (instant - start) / (end - start)
        )

    @cached_property
    def _sums(self) -> tuple[float, ...]:
        return tuple(accumulate(self.energies, initial=0.0))


@dataclass(frozen=True, kw_only=True)
class HouseOutlook:
    """The outlook of a house: its need, its solar power, payouts (EUR/kWh), and runs that add to the need."""

    house: EnergyForecast
    sun: EnergyForecast
    payouts: PriceTable
    runs: PlannedRuns = ()

    def expected(self, prices: PriceTable, runs: PlannedRuns) -> Expected:
        """Combine it with prices and runs; its own runs are dropped."""
        return Expected(
            prices=prices,
            payouts=self.payouts,
            house=self.house,
            sun=self.sun,
            runs=runs,
        )


@dataclass(frozen=True, kw_only=True)
class Expected(HouseOutlook):
    """What is expected of a house with a battery, and prices (EUR/kWh).

    For an unknown price or payout, that of the same clock time on the last day with one stands in.
    """

    prices: PriceTable

    def split_at_horizon(
        self, start: datetime, end: datetime
    ) -> tuple[list[Quarter], list[Quarter]]:
        """Return the quarter-hours to plan, as far as prices are known, and those that value the charge left.

        The latter continue until a day after the last known price.
        """
        horizon = self.prices.horizon or start
        quarters = list(self.quarters(start, min(end, horizon)))
        # They end earlier at a missing price without a stand-in.
        until = quarters[-1].end if quarters else start
        beyond = max(horizon, until) + _DAY
        return quarters, list(self.quarters(until, beyond))

    def quarters(self, start: datetime, end: datetime) -> Iterator[Quarter]:
        """Yield the quarter-hours between two aware instants, up to the first unknown price without a stand-in.

        The first and the last may be cut short; a price that changes within a quarter-hour splits it.
        """
        prices = with_stand_ins(self.prices, start, end)
        payouts = with_stand_ins(self.payouts, start, end)
        at, end = start.astimezone(UTC), end.astimezone(UTC)
        while at < end:
            interval = prices.at(at)
            if interval is None or interval.price is None:
                return
            until = min(quarter_of(at) + QUARTER, interval.end, end)
            known, paid = self.prices.at(at), payouts.at(at)
            need, sun = self.energy(at, until)
            yield Quarter(
                at,
                until,
                need - sun,
                interval.price,
                paid.price or 0.0 if paid else 0.0,
                known is not None and known.price is not None,
            )
            at = until

    def energy(self, start: datetime, end: datetime) -> tuple[float, float]:
        """Return what house and loads use, and the solar energy (kWh), between instants less than a day apart."""
        loads = sum(
            power * max((min(end, run.end) - max(start, run.start)) / _HOUR, 0.0)
            for run, power in self.runs
        )
        return self.house.between(start, end) + loads, self.sun.between(start, end)
