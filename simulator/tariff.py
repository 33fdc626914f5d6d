"""Calculates the customer's working price (ct/kWh) and its components from the market price."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from .berlin import BERLIN, QUARTER, intervals
from .market import Market

VAT = 1.19
# Net ct/kWh. Levies: concession fee, combined heat and power, § 19, offshore grid, electricity tax.
MARGIN = 1.45
LEVIES = 1.66 + 0.446 + 1.559 + 0.941 + 2.05
GRID_LOW, GRID_STANDARD, GRID_HIGH = 3.2, 8.9, 13.4
FEED_IN_FEE = 0.4


@dataclass(frozen=True, slots=True)
class PricePoint:
    """The true price of one interval, in ct/kWh; a feed-in price has no grid part and no levies."""

    start: datetime
    amount: float
    electricity: float
    grid: float | None = None
    levies: float | None = None

    def corrected(self, amount: float) -> PricePoint:
        """Return the point with another total; the electricity part takes the difference."""
        return replace(
            self,
            amount=amount,
            electricity=round(self.electricity + amount - self.amount, 4),
        )


def grid_fee(start: datetime) -> float:
    """Return the net grid fee in ct/kWh: low from 23 to 6, high from 17 to 21 local time."""
    hour = start.astimezone(BERLIN).hour
    if hour >= 23 or hour < 6:
        return GRID_LOW
    return GRID_HIGH if 17 <= hour < 21 else GRID_STANDARD


# Cached: a fleet of hubs requests the same few days again and again, and a market's prices never change.
@lru_cache(maxsize=1 << 16)
def price_of(
    market: Market, start: datetime, step: timedelta, *, feed_in: bool, decimals: int
) -> PricePoint | None:
    """Return the price of the interval that starts at an instant; None if the market has none for it.

    An hourly plan pays the mean of its quarter-hours. A feed-in payout is the market price less a fee, without VAT:
    the simulated customers are VAT-exempt.
    """
    quarters = [
        market.price(quarter) for quarter in intervals(start, start + step, QUARTER)
    ]
    known = [price for price in quarters if price is not None]
    if len(known) != len(quarters):
        return None
    spot = sum(known) / len(known) / 10
    if feed_in:
        amount = round(spot - FEED_IN_FEE, decimals)
        return PricePoint(start, amount, amount)
    electricity, grid, levies = (
        (spot + MARGIN) * VAT,
        grid_fee(start) * VAT,
        LEVIES * VAT,
    )
    return PricePoint(
        start,
        round(electricity + grid + levies, decimals),
        round(electricity, decimals),
        round(grid, decimals),
        round(levies, decimals),
    )
