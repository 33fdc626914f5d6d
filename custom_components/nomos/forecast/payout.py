"""What feeding in pays: by a contract, or a fixed amount. Pure functions."""

from datetime import datetime, timedelta
from typing import Final

from ..pricing import EMPTY_TABLE, Interval, PriceTable

_LONG: Final = timedelta(days=30)
"""How long a fixed payout holds, either way: longer than any plan."""

_MARGIN: Final = 0.0145
"""EUR/kWh, net, that is taken for what the supplier adds to the market price."""

_VAT: Final = 1.19


def payouts(
    now: datetime,
    *,
    fixed: float | None,
    feed_in: PriceTable | None,
    prices: PriceTable,
    market_counts: bool,
) -> PriceTable:
    """Return what feeding in pays (EUR/kWh): the fixed amount, else what the feed-in contract pays, else nothing.

    ``prices`` are those of consumption. If ``market_counts``, nothing is paid while the market price is negative. Where
    no market price is known, ``Expected`` goes by an earlier day.
    """
    if fixed is None and feed_in is not None:
        if not market_counts:
            return feed_in
        return _each(feed_in, None, feeds_in=True)
    amount = fixed or 0.0
    market = feed_in if feed_in is not None and feed_in.intervals else prices
    if market_counts and amount and market.intervals:
        return _each(market, amount, feeds_in=market is feed_in)
    return PriceTable.of([Interval(now - _LONG, now + _LONG, amount)])


def market_is_negative(interval: Interval, *, feeds_in: bool) -> bool | None:
    """Return whether the market price of an interval is negative; None if that is not known.

    The API does not report the market price by itself, and does not say what else the part ``electricity`` holds. A
    payout holds the market price less a fee that is small, so its sign is taken. Consumption pays the market price, what
    the supplier adds, and value-added tax: the sign alone would miss most of the negative quarter-hours, since four in
    five of them are above -1.45 ct (2025). So 1.45 ct of it are taken for the supplier's part.
    """
    electricity = interval.components.electricity
    if feeds_in:
        electricity = interval.price if electricity is None else electricity
        return None if electricity is None else electricity < 0
    return None if electricity is None else electricity / _VAT < _MARGIN


def _each(market: PriceTable, amount: float | None, *, feeds_in: bool) -> PriceTable:
    """Return an amount (None: the price itself) in every interval whose market price is not negative, else nothing."""
    found = []
    for one in market.intervals:
        negative = market_is_negative(one, feeds_in=feeds_in)
        paid = one.price if amount is None else amount
        if negative is None:
            paid = None
        elif negative:
            paid = 0.0
        found.append(Interval(one.start, one.end, paid))
    return PriceTable.of(found) if found else EMPTY_TABLE
