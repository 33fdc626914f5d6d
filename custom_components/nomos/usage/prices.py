"""The prices of days whose usage may still change: of a contract that has ended, Nomos reports none any more."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from homeassistant.core import HomeAssistant

from ..codec import decode, read_number
from ..pricing import Interval, PriceTable, day_bounds, local_date
from ..storage import StoredFile, stored_file

_DAYS: Final = 62
"""How many days are kept at most: this month and the one before."""

_QUARTER: Final = timedelta(minutes=15)

_UNKNOWN: Final = "-"

_Days = dict[date, str]
"""The prices of each day's quarter-hours, in ct/kWh."""


def usage_price_file(hass: HomeAssistant, contract_id: str) -> StoredFile:
    """Return the file that holds the prices of a contract's latest days."""
    return stored_file(hass, f"unsettled_prices.{contract_id}")


class UsagePrices:
    """The prices of one contract's latest days by the quarter-hour, in memory only while usage is asked for."""

    def __init__(self, hass: HomeAssistant, contract_id: str) -> None:
        """Begin with none."""
        self._file = usage_price_file(hass, contract_id)
        self._stored: _Days = {}
        self._days: _Days = {}
        self._since = date.max

    async def async_load(self, today: date, *, settled_to: date | None) -> None:
        """Take the stored prices of the days that are not settled: the newest of them."""
        self._stored = await self._file.async_load(_decode) or {}
        first = settled_to or date.min
        kept = sorted(day for day in self._stored if day >= first)[-_DAYS:]
        self._days = {day: self._stored[day] for day in kept}
        self._since = max(first, today - timedelta(days=_DAYS))

    async def async_save(self) -> None:
        """Store what is new."""
        if self._days != self._stored:
            await self._file.async_save(dict(self._days))

    def add(self, table: PriceTable) -> None:
        """Keep the prices of a table."""
        for day in {local_date(one.start) for one in table.intervals}:
            self.completed(day, table.between(*day_bounds(day)))

    def completed(self, day: date, table: PriceTable) -> PriceTable:
        """Return the prices of a day in a table, completed by those that are kept; keep what is new."""
        known = table
        if day in self._days:
            prices = map(_price, self._days[day].split())
            known = PriceTable.of(
                Interval(start, start + _QUARTER, price)
                for start, price in zip(_quarters(day), prices, strict=True)
            ).merge(table)
        if day >= self._since:
            found = (known.at(start) for start in _quarters(day))
            self._days[day] = " ".join(
                _text(one.price if one else None) for one in found
            )
        return known


def _quarters(day: date) -> list[datetime]:
    start, end = day_bounds(day)
    return [start + number * _QUARTER for number in range((end - start) // _QUARTER)]


def _text(price: float | None) -> str:
    """Return a price in ct/kWh, which is shorter than the same in EUR/kWh."""
    return _UNKNOWN if price is None else format(round(100 * price, 6), ".12g")


def _price(text: str) -> float | None:
    return None if text == _UNKNOWN else round(read_number(float(text)) / 100, 8)


def _decode(stored: Any) -> _Days:
    """Read what was stored; ValueError or TypeError if it is nonsense."""
    days = decode(_Days, stored)
    for day, text in days.items():
        if len([_price(one) for one in text.split()]) != len(_quarters(day)):
            raise ValueError("not a price for each quarter-hour")
    return days
