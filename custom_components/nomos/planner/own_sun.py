"""What a load pays for own solar power: only the lost payout, as far as the surplus reaches."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from math import fsum
from typing import Final, Self

from ..pricing import QUARTER, Interval, PriceTable, quarter_of, with_stand_ins
from .expected import HouseOutlook
from .model import Run

_HOUR: Final = timedelta(hours=1)

type _Piece = tuple[datetime, datetime, float, float]
"""Start and end, the share of a load's power that the surplus covers, and the payout lost for it (EUR/kWh)."""


@dataclass(frozen=True, kw_only=True)
class OwnSun(HouseOutlook):
    """The surplus that a load may count on: the sun, less the need of the house and of the loads that come first.

    Without a forecast of sun or house, or while the payout is unknown, there is no surplus.
    """

    def guessed(self, start: datetime, end: datetime) -> Self:
        """Return it with stand-ins for unknown payouts between two aware instants."""
        return replace(self, payouts=with_stand_ins(self.payouts, start, end))

    def between(self, start: datetime, end: datetime) -> tuple[object, ...]:
        """Return what is expected between two aware instants, for comparison: equal if it is the same for a load."""
        payouts = (
            (max(one.start, start), min(one.end, end), one.price)
            for one in self.payouts.between(start, end).intervals
        )
        return (
            self.house.overlapping(start, end),
            self.sun.overlapping(start, end),
            tuple(payouts),
            tuple(one for one in self.runs if one[0].end > start),
        )

    def prices(
        self, table: PriceTable, power: float, start: datetime, end: datetime
    ) -> PriceTable:
        """Return prices, between two aware instants replaced by what a load of some power (kW) pays per kWh.

        That is the payout for the share that the surplus covers, and the import price for the rest. Unknown prices
        stay unknown.
        """
        found: list[Interval] = []
        for one in table.intervals:
            if one.price is None or one.end <= start or end <= one.start:
                found.append(one)
                continue
            found += (
                Interval(since, until, (1 - share) * one.price + share * payout)
                for since, until, share, payout in self._pieces(
                    one.start, one.end, power
                )
            )
        return PriceTable(tuple(found))

    def share(self, runs: Iterable[Run], power: float) -> float:
        """Return the share of the energy of some runs that the surplus covers, from 0 to 1."""
        pieces = [
            ((until - since) / _HOUR, share)
            for run in runs
            for since, until, share, _ in self._pieces(run.start, run.end, power)
        ]
        hours = fsum(length for length, _ in pieces)
        return fsum(length * share for length, share in pieces) / hours if hours else 0

    def _pieces(self, start: datetime, end: datetime, power: float) -> Iterator[_Piece]:
        """Yield stretches without a change: cut at quarter-hours, at new payouts, and at the edges of other runs."""
        edges = self._edges
        while start < end:
            index = bisect_right(edges, start)
            paid = self.payouts.at(start)
            cuts = (
                quarter_of(start) + QUARTER,
                end,
                self.payouts.next_boundary(start) or end,
                *edges[index : index + 1],
            )
            until = min(cuts)
            if paid is None or paid.price is None:
                yield start, until, 0.0, 0.0
            else:
                surplus = self._surplus(start, until)
                yield start, until, min(surplus / power, 1.0), paid.price
            start = until

    @cached_property
    def _edges(self) -> list[datetime]:
        """Return when runs of other loads begin or end, in order."""
        return sorted({at for run, _ in self.runs for at in (run.start, run.end)})

    def _surplus(self, start: datetime, end: datetime) -> float:
        """Return the surplus in kW in a stretch without a change."""
        if not (self.sun.energies and self.house.energies):
            return 0.0
        energy = self.sun.between(start, end) - self.house.between(start, end)
        taken = fsum(power for run, power in self.runs if run.start <= start < run.end)
        return max(energy / ((end - start) / _HOUR) - taken, 0.0)
