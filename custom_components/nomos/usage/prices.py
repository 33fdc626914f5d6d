"""The prices of days whose usage may still change: of a contract that has ended, Nomos reports none any more."""

from datetime import date, timedelta
from functools import partial
from typing import Any, Final

from homeassistant.core import HomeAssistant

from ..prices.conversion import slug
from ..pricing import Interval, PriceTable, day_bounds, local_date
from ..storage import StoredFile, read_day, read_number, stored_file

_DAYS: Final = 62
"""How many days are kept at most: this month and the one before."""

_QUARTER: Final = timedelta(minutes=15)

_UNKNOWN: Final = "-"


def usage_price_file(hass: HomeAssistant, subscription_id: str) -> StoredFile:
    """Return the file that holds the prices of a contract's latest days."""
    return stored_file(hass, f"unsettled_prices.{slug(subscription_id)}")


class UsagePrices:
    """The prices of one contract's latest days by the quarter-hour, in memory only while usage is asked for."""

    def __init__(self, hass: HomeAssistant, subscription_id: str) -> None:
        """Begin with none."""
        self._subscription_id = subscription_id
        self._file = usage_price_file(hass, subscription_id)
        self._stored: dict[date, str] = {}
        self._days: dict[date, str] = {}
        self._since = date.max

    async def async_load(self, today: date, *, settled_to: date | None) -> None:
        """Take what is stored of the days that are not settled: the newest of them."""
        decode = partial(_decode, self._subscription_id)
        self._stored = await self._file.async_load(decode) or {}
        first = settled_to or date.min
        kept = sorted(day for day in self._stored if day >= first)[-_DAYS:]
        self._days = {day: self._stored[day] for day in kept}
        self._since = max(first, today - timedelta(days=_DAYS))

    async def async_save(self) -> None:
        """Store what is new."""
        if self._days == self._stored:
            return
        days = {day.isoformat(): prices for day, prices in self._days.items()}
        await self._file.async_save(
            {"subscription": self._subscription_id, "days": days}
        )
        self._stored = dict(self._days)

    def add(self, table: PriceTable) -> None:
        """Take over the prices that a table knows."""
        for day in {local_date(one.start) for one in table.intervals}:
            self.laid_under(day, table.between(*day_bounds(day)))

    def laid_under(self, day: date, table: PriceTable) -> PriceTable:
        """Return the prices that a table knows of a day, completed by those that were known before."""
        known = self._of(day).merge(table) if day in self._days else table
        if day >= self._since:
            self._days[day] = _text(day, known)
        return known

    def _of(self, day: date) -> PriceTable:
        """Return the prices that are known of a day."""
        start, _ = day_bounds(day)
        return PriceTable.of(
            Interval(start + number * _QUARTER, start + (number + 1) * _QUARTER, price)
            for number, price in enumerate(map(_price, self._days[day].split()))
        )


def _text(day: date, table: PriceTable) -> str:
    """Return a day's prices in ct/kWh, which are shorter than the same in EUR/kWh."""
    start, end = day_bounds(day)
    found = (
        table.at(start + number * _QUARTER)
        for number in range((end - start) // _QUARTER)
    )
    return " ".join(
        _UNKNOWN
        if one is None or one.price is None
        else format(round(100 * one.price, 6), ".12g")
        for one in found
    )


def _price(text: str) -> float | None:
    return None if text == _UNKNOWN else round(read_number(float(text)) / 100, 8)


def _decode(subscription_id: str, stored: Any) -> dict[date, str]:
    """Read what was stored; ValueError or TypeError for what is of another contract, or nonsense."""
    if stored["subscription"] != subscription_id:
        raise ValueError("another subscription")
    days = {read_day(day): str(text) for day, text in dict(stored["days"]).items()}
    for day, text in days.items():
        start, end = day_bounds(day)
        prices = [_price(one) for one in text.split()]
        if len(prices) != (end - start) // _QUARTER:
            raise ValueError("no prices")
    return days
