"""The prices of days whose usage may still change, as Nomos reports none of a contract that has ended."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from homeassistant.core import HomeAssistant

from ..codec import decode, read_number
from ..pricing import QUARTER, Interval, PriceTable, day_bounds
from ..storage import StoredFile, stored_file

_DAYS: Final = 62
"""How many days are kept at most: this month and the one before."""

_UNKNOWN: Final = "-"

_Days = dict[date, str]
"""The prices of each day's quarter-hours, in ct/kWh."""


def usage_price_file(hass: HomeAssistant, contract_id: str) -> StoredFile:
    """Return the file that holds the prices of a contract's latest days."""
    return stored_file(hass, f"unsettled_prices.{contract_id}")


class UsagePrices:
    """The prices of one contract's latest days by quarter-hour, in memory only during a sync."""

    def __init__(self, hass: HomeAssistant, contract_id: str) -> None:
        """Begin without prices."""
        self._file = usage_price_file(hass, contract_id)
        self._stored: _Days = {}
        self._days: _Days = {}
        self._since = date.max

    async def async_load(self, today: date, *, settled_to: date | None) -> None:
        """Load the stored prices of the latest days that are not settled."""
        self._stored = await self._file.async_load(_decode) or {}
        first = settled_to or date.min
        kept = sorted(day for day in self._stored if day >= first)[-_DAYS:]
        self._days = {day: self._stored[day] for day in kept}
        self._since = max(first, today - timedelta(days=_DAYS))

    async def async_save(self) -> None:
        """Store the prices if they changed."""
        if self._days != self._stored:
            await self._file.async_save(dict(self._days))

    def add(self, table: PriceTable) -> None:
        """Keep the prices of a table."""
        for day in table.days:
            self.completed(day, table.between(*day_bounds(day)))

    def completed(self, day: date, table: PriceTable) -> PriceTable:
        """Return a day's prices from a table, completed with stored ones; keep the result."""
        known = table
        if day in self._days:
            known = _table(day, self._days[day]).merge(table)
        if day >= self._since:
            found = (known.at(start) for start in _quarters(day))
            self._days[day] = " ".join(map(_text, found))
        return known


def _quarters(day: date) -> list[datetime]:
    start, end = day_bounds(day)
    return [start + number * QUARTER for number in range((end - start) // QUARTER)]


def _text(interval: Interval | None) -> str:
    """Return a price as text in ct/kWh, which is shorter than in EUR/kWh."""
    if interval is None or interval.price is None:
        return _UNKNOWN
    return format(round(100 * interval.price, 6), ".12g")


def _table(day: date, texts: str) -> PriceTable:
    """Return the prices of a day; ValueError if there is not one for each quarter-hour."""
    return PriceTable.of(
        Interval(
            start,
            start + QUARTER,
            None if text == _UNKNOWN else round(read_number(float(text)) / 100, 8),
        )
        for start, text in zip(_quarters(day), texts.split(), strict=True)
    )


def _decode(stored: Any) -> _Days:
    """Decode stored prices; ValueError or TypeError if they are invalid."""
    days = decode(_Days, stored)
    for day, texts in days.items():
        _table(day, texts)
    return days
