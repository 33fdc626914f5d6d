"""What feeding in pays: by a contract, or a fixed amount. Pure functions."""

from datetime import datetime, timedelta
from typing import Final

from ..pricing import EMPTY_TABLE, Interval, PriceTable

_FIXED_SPAN: Final = timedelta(days=30)
"""How far a fixed payout extends into past and future: longer than any plan."""

_SUPPLIER_MARGIN: Final = 0.0145
"""EUR/kWh, net, that the supplier is assumed to add to the market price."""

_VAT: Final = 1.19


def payouts(
    now: datetime,
    *,
    fixed: float | None,
    feed_in: PriceTable | None,
    prices: PriceTable,
    none_if_negative: bool,
) -> PriceTable:
    """Return what feeding in pays (EUR/kWh): the fixed amount, else what the feed-in contract pays, else nothing.

    ``prices`` are those of consumption. With ``none_if_negative``, nothing is paid while the market price is negative.
    If no market price is known, ``Expected`` uses that of an earlier day.
    """
    if fixed is None and feed_in is not None:
        if not none_if_negative:
            return feed_in
        return _by_interval(feed_in, None, feeds_in=True)
    amount = fixed or 0.0
    market = feed_in if feed_in is not None and feed_in.intervals else prices
    if none_if_negative and amount and market.intervals:
        return _by_interval(market, amount, feeds_in=market is feed_in)
    return PriceTable.of([Interval(now - _FIXED_SPAN, now + _FIXED_SPAN, amount)])


def market_is_negative(interval: Interval, *, feeds_in: bool) -> bool | None:
    """Return whether the market price of an interval is negative; None if that is not known.

    The API does not report the market price itself, nor what else the component ``electricity`` contains. A payout
    is the market price less a small fee, so its sign is used. Consumers pay the market price, the supplier's margin
    and value-added tax: the sign alone would miss most negative quarter-hours, since four in five of them are above
    -1.45 ct (2025). So 1.45 ct are assumed to be the margin.
    """
    electricity = interval.components.electricity
    if feeds_in:
        electricity = interval.price if electricity is None else electricity
        return None if electricity is None else electricity < 0
    return None if electricity is None else electricity / _VAT < _SUPPLIER_MARGIN


def _by_interval(
    market: PriceTable, amount: float | None, *, feeds_in: bool
) -> PriceTable:
    """Return an amount (None: the interval's own price) for each interval, but zero if the market price is negative."""
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
