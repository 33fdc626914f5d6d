"""Prices of days that the price table no longer holds, for those who ask for them."""

from asyncio import sleep
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from homeassistant.util import dt as dt_util

from .api import NomosClient, SubscriptionStatus
from .coordinator import PriceCoordinator
from .moments import last_day
from .price_tables import price_table
from .pricing import Interval, PriceTable, local_date

CHUNK_DAYS: Final = 31
"""Nomos does not say how long a range may be: a month is what its own documentation shows."""

PAUSE: Final = 0.5
"""Seconds between two requests for history."""

_DAY: Final = timedelta(days=1)


async def async_prices(
    coordinator: PriceCoordinator, start: datetime, end: datetime
) -> PriceTable:
    """Return what is known of a range: the price table, and before it what Nomos says of past days.

    Today and tomorrow are the coordinator's to ask for, and what is fetched here is not kept: it would only grow.

    Raises:
        NomosError: Nomos did not answer as hoped.
        OAuth2TokenRequestBaseError: no access token could be had for now.
        ConfigEntryAuthFailed: Nomos refuses the grant.

    """
    found: list[Interval] = []
    for number, (first, last) in enumerate(_missing(coordinator, start, end)):
        if number:
            await sleep(PAUSE)
        series = await coordinator.account.async_ask(
            partial(
                NomosClient.prices,
                subscription_id=coordinator.subscription_id,
                start=first,
                end=last,
            )
        )
        found += [
            interval
            for interval in price_table(series).intervals
            if first <= local_date(interval.start) <= last
        ]
    return PriceTable.of(found).merge(coordinator.data) if found else coordinator.data


def _missing(
    coordinator: PriceCoordinator, start: datetime, end: datetime
) -> list[tuple[date, date]]:
    """Return the stretches of past days within the contract that the table does not know."""
    subscription = coordinator.subscription
    if subscription.status in {SubscriptionStatus.PENDING, SubscriptionStatus.ENDED}:
        # Nomos has no prices for them, of no day.
        return []
    first = local_date(start)
    last = min(last_day(end), local_date(dt_util.utcnow()) - _DAY)
    if subscription.start_at is not None:
        first = max(first, local_date(subscription.start_at))
    days = (first + number * _DAY for number in range((last - first).days + 1))
    return list(
        _stretches(day for day in days if not coordinator.data.day(day).complete)
    )


def _stretches(days: Iterator[date]) -> Iterator[tuple[date, date]]:
    """Yield first and last day of each run of days, cut into chunks."""
    stretch: list[date] = []
    for day in days:
        if stretch and (day - stretch[-1] > _DAY or len(stretch) == CHUNK_DAYS):
            yield stretch[0], stretch[-1]
            stretch = []
        stretch.append(day)
    if stretch:
        yield stretch[0], stretch[-1]
