"""Past prices that the price table no longer has, for actions that request them."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import batched, chain, groupby
from typing import Final, NamedTuple

from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers.json import json_bytes
from homeassistant.util import dt as dt_util
from homeassistant.util.json import json_loads

from ..account.contracts import NomosAccount
from ..api import NomosClient, NomosConnectionError, PriceSeries
from ..codec import encode
from ..const import DOMAIN
from ..errors import REQUEST_ERRORS
from ..pricing import PriceTable, day_bounds, days_between, last_day, local_date
from .conversion import decode_table, price_table
from .coordinator import PriceCoordinator

_CHUNK_DAYS: Final = 31
"""The longest allowed range is not documented; the documentation shows a month."""

_KEPT: Final = 26
"""How many chunks are cached: the year of two contracts, some five megabytes."""

_COMPLETE_FOR: Final = timedelta(days=1)
_WITH_GAPS_FOR: Final = timedelta(hours=1)
_FAILURE_FOR: Final = timedelta(minutes=1)
"""How long an answer is cached: past prices hardly change, but a gap may be filled."""

_DAY: Final = timedelta(days=1)


class _Chunk(NamedTuple):
    """The first and the last day of one request."""

    contract_id: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class _Answer:
    """The result of a request: prices as JSON bytes.

    A month has thousands of intervals, all of which the garbage collector would have to track.
    """

    at: datetime
    remembered_for: timedelta
    found: bytes | Exception

    @property
    def holds(self) -> bool:
        """Return whether the answer is still valid."""
        return timedelta() <= dt_util.utcnow() - self.at < self.remembered_for


class PastPrices:
    """Requests past prices of an account's contracts, once for all callers and one chunk at a time."""

    def __init__(self, account: NomosAccount) -> None:
        """Begin with an empty cache."""
        self._account = account
        self._answers: dict[_Chunk, _Answer] = {}
        """Oldest first."""
        self._turn = asyncio.Lock()

    async def async_prices(
        self, coordinator: PriceCoordinator, start: datetime, end: datetime
    ) -> PriceTable:
        """Return the prices of a range: from the price table, and from past days before it.

        Only the coordinator requests today and tomorrow.

        Raises:
            NomosError: a request failed.
            OAuth2TokenRequestBaseError: there is no access token for now.
            ConfigEntryAuthFailed: Nomos refuses the grant.

        """
        found = {
            chunk: await self._async_chunk(chunk)
            for chunk in _missing(coordinator, start, end)
        }
        if not found:
            return coordinator.data
        return await coordinator.hass.async_add_executor_job(
            _with_past, coordinator.data, found
        )

    async def _async_chunk(self, chunk: _Chunk) -> bytes:
        """Return the prices of a chunk as JSON; cancelling one caller does not cancel the request for others."""
        if (answer := self._remembered(chunk)) is None:
            request = self._account.config_entry.async_create_background_task(
                self._account.hass, self._async_ask(chunk), f"{DOMAIN} past prices"
            )
            await asyncio.wait([request])
            if request.cancelled():
                raise NomosConnectionError("The account was unloaded meanwhile")
            answer = request.result()
        elif isinstance(answer.found, Exception):
            # This raises with the time that is left of a rate limit.
            self._account.connection.pace.check_rate_limit()
        if isinstance(answer.found, Exception):
            raise answer.found
        return answer.found

    def _remembered(self, chunk: _Chunk) -> _Answer | None:
        """Return a cached answer that is still valid."""
        answer = self._answers.get(chunk)
        return answer if answer and answer.holds else None

    async def _async_ask(self, chunk: _Chunk) -> _Answer:
        """Request one chunk at a time: a year must not delay today's prices."""
        async with self._turn:
            if (answer := self._remembered(chunk)) is None:
                answer = await self._async_answer(chunk)
                self._answers.pop(chunk, None)
                self._answers[chunk] = answer
                if len(self._answers) > _KEPT:
                    del self._answers[next(iter(self._answers))]
            return answer

    async def _async_answer(self, chunk: _Chunk) -> _Answer:
        try:
            series = await self._account.async_ask(
                partial(
                    NomosClient.prices,
                    subscription_id=chunk.contract_id,
                    start=chunk.first,
                    end=chunk.last,
                )
            )
        except (ConfigEntryAuthFailed, *REQUEST_ERRORS) as err:
            return _Answer(dt_util.utcnow(), _FAILURE_FOR, err)
        packed, complete = await self._account.hass.async_add_executor_job(
            _pack, chunk, series
        )
        remembered_for = _COMPLETE_FOR if complete else _WITH_GAPS_FOR
        return _Answer(dt_util.utcnow(), remembered_for, packed)


def _pack(chunk: _Chunk, series: PriceSeries) -> tuple[bytes, bool]:
    """Return the prices of a chunk's days as JSON, and whether all are known."""
    begin, end = day_bounds(chunk.first)[0], day_bounds(chunk.last)[1]
    table = price_table(series, begin, end)
    return json_bytes(encode(table.intervals)), table.knows(begin, end)


def _with_past(table: PriceTable, found: Mapping[_Chunk, bytes]) -> PriceTable:
    """Return a price table completed with past prices."""
    past = (decode_table(json_loads(packed)).intervals for packed in found.values())
    return PriceTable.of(chain.from_iterable(past)).merge(table)


def _missing(
    coordinator: PriceCoordinator, start: datetime, end: datetime
) -> list[_Chunk]:
    """Return the past days within the contract that the table lacks, in chunks."""
    contract = coordinator.contract
    if contract.inactive:
        # Nomos reports no prices for it, not even of past days.
        return []
    first = local_date(start)
    last = min(last_day(end), local_date(dt_util.utcnow()) - _DAY)
    if contract.start_at is not None:
        first = max(first, local_date(contract.start_at))
    days = days_between(first, last + _DAY)
    unknown = (day for day in days if not coordinator.data.day(day).complete)
    return [_Chunk(contract.id, *ends) for ends in _ranges(unknown)]


def _ranges(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """Yield the first and last day of each run of consecutive days, cut into chunks."""
    for _, run in groupby(enumerate(days), key=lambda item: item[1] - item[0] * _DAY):
        for part in batched((day for _, day in run), _CHUNK_DAYS, strict=False):
            yield part[0], part[-1]
