"""Prices of days that the price table no longer holds, for those who ask for them."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from homeassistant.exceptions import ConfigEntryAuthFailed, OAuth2TokenRequestBaseError
from homeassistant.helpers.json import json_bytes
from homeassistant.util import dt as dt_util
from homeassistant.util.json import json_loads

from ..account.contracts import NomosAccount
from ..api import NomosClient, NomosConnectionError, NomosError, SubscriptionStatus
from ..const import DOMAIN
from ..pricing import Interval, PriceTable, day_bounds, local_date
from ..time_input import last_day
from .conversion import decode_table, encode_table, price_table
from .coordinator import PriceCoordinator

CHUNK_DAYS: Final = 31
"""Nomos does not say how long a range may be: a month is what its own documentation shows."""

_KEPT: Final = 26
"""How many chunks are remembered: the year of two contracts, some five megabytes."""

_COMPLETE_FOR: Final = timedelta(days=1)
_WITH_GAPS_FOR: Final = timedelta(hours=1)
_FAILURE_FOR: Final = timedelta(minutes=1)
"""For how long an answer is remembered: past prices hardly change, but a gap may be filled."""

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """First and last day of what one request asks for."""

    subscription_id: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class _Answer:
    """What became of a request.

    A month has thousands of intervals. They are kept as the bytes of their JSON, of which the garbage collector knows
    nothing.
    """

    at: datetime
    remembered_for: timedelta
    found: bytes | Exception

    @property
    def holds(self) -> bool:
        """Return whether there is no need to ask again."""
        return timedelta() <= dt_util.utcnow() - self.at < self.remembered_for


class PastPrices:
    """Asks for past days of an account's contracts, once for all who want to know and one chunk at a time."""

    def __init__(self, account: NomosAccount) -> None:
        """Remember nothing yet."""
        self._account = account
        self._answers: dict[_Chunk, _Answer] = {}
        self._requests: dict[_Chunk, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()

    async def async_prices(
        self, coordinator: PriceCoordinator, start: datetime, end: datetime
    ) -> PriceTable:
        """Return what is known of a range: the price table, and before it what Nomos says of past days.

        Today and tomorrow are the coordinator's to ask for.

        Raises:
            NomosError: Nomos did not answer as hoped.
            OAuth2TokenRequestBaseError: no access token could be had for now.
            ConfigEntryAuthFailed: Nomos refuses the grant.

        """
        found = {
            chunk: await self._async_chunk(chunk)
            for chunk in _missing(coordinator, start, end)
        }
        if not found:
            return coordinator.data
        return await coordinator.hass.async_add_executor_job(
            _laid_under, coordinator.data, found
        )

    async def _async_chunk(self, chunk: _Chunk) -> bytes:
        """Return the prices of a chunk as JSON; whoever waits shares the answer, and harms nobody by giving up."""
        answer = self._answers.get(chunk)
        if answer is None or not answer.holds:
            if (request := self._requests.get(chunk)) is None:
                entry = self._account.config_entry
                request = entry.async_create_background_task(
                    self._account.hass, self._async_ask(chunk), f"{DOMAIN} past prices"
                )
                self._requests[chunk] = request
                request.add_done_callback(lambda _: self._requests.pop(chunk))
            await asyncio.wait([request])
            if request.cancelled() or (answer := self._answers.get(chunk)) is None:
                raise NomosConnectionError("The account was unloaded meanwhile")
        elif isinstance(answer.found, Exception):
            # Says until when, as it is by now.
            self._account.connection.check_rate_limit()
        if isinstance(answer.found, Exception):
            raise answer.found
        return answer.found

    async def _async_ask(self, chunk: _Chunk) -> None:
        """Ask for a chunk when those before are done: a year must not keep today's prices waiting."""
        found: bytes | Exception
        async with self._turn:
            try:
                series = await self._account.async_ask(
                    partial(
                        NomosClient.prices,
                        subscription_id=chunk.subscription_id,
                        start=chunk.first,
                        end=chunk.last,
                    )
                )
            except (
                ConfigEntryAuthFailed,
                NomosError,
                OAuth2TokenRequestBaseError,
            ) as err:
                found, remembered_for = err, _FAILURE_FOR
            else:
                found, complete = await self._account.hass.async_add_executor_job(
                    lambda: _pack(chunk, price_table(series))
                )
                remembered_for = _COMPLETE_FOR if complete else _WITH_GAPS_FOR
        self._answers.pop(chunk, None)
        self._answers[chunk] = _Answer(dt_util.utcnow(), remembered_for, found)
        while len(self._answers) > _KEPT:
            del self._answers[next(iter(self._answers))]


def _pack(chunk: _Chunk, table: PriceTable) -> tuple[bytes, bool]:
    """Return the prices of a chunk's days as JSON, and whether each is known."""
    days = _days(chunk.first, chunk.last)
    complete = all(table.day(day).complete for day in days)
    begin, end = day_bounds(chunk.first)[0], day_bounds(chunk.last)[1]
    kept = PriceTable.of(one for one in table.intervals if begin <= one.start < end)
    return json_bytes(encode_table(chunk.subscription_id, kept)), complete


def _laid_under(table: PriceTable, found: Mapping[_Chunk, bytes]) -> PriceTable:
    """Return a price table with past prices that it does not know."""

    def intervals() -> Iterator[Interval]:
        for chunk, packed in found.items():
            stored = json_loads(packed)
            yield from decode_table(chunk.subscription_id, stored).intervals

    return PriceTable.of(intervals()).merge(table)


def _missing(
    coordinator: PriceCoordinator, start: datetime, end: datetime
) -> list[_Chunk]:
    """Return the stretches of past days within the contract that the table does not know."""
    subscription = coordinator.subscription
    if subscription.status in {SubscriptionStatus.PENDING, SubscriptionStatus.ENDED}:
        # Nomos has no prices for them, of no day.
        return []
    first = local_date(start)
    last = min(last_day(end), local_date(dt_util.utcnow()) - _DAY)
    if subscription.start_at is not None:
        first = max(first, local_date(subscription.start_at))
    unknown = (
        day for day in _days(first, last) if not coordinator.data.day(day).complete
    )
    return [_Chunk(subscription.id, *ends) for ends in _stretches(unknown)]


def _days(first: date, last: date) -> Iterable[date]:
    return (first + number * _DAY for number in range((last - first).days + 1))


def _stretches(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """Yield first and last day of each run of days, cut into chunks."""
    stretch: list[date] = []
    for day in days:
        if stretch and (day - stretch[-1] > _DAY or len(stretch) == CHUNK_DAYS):
            yield stretch[0], stretch[-1]
            stretch = []
        stretch.append(day)
    if stretch:
        yield stretch[0], stretch[-1]
