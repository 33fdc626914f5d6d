"""The levels of days, worked out once per change of a day."""

from datetime import date, timedelta
from typing import Final

from ..pricing import DayLevels, DayPrices, LevelThresholds

_KEPT: Final = timedelta(days=2)
"""Who asks for yesterday asks for tomorrow next: neither may push the other out."""


class LevelCache:
    """Remembers the levels of the days around the one that was asked for last."""

    def __init__(self, thresholds: LevelThresholds) -> None:
        """Judge by what the customer calls cheap and expensive."""
        self._thresholds = thresholds
        self._known: dict[date, tuple[DayPrices, DayLevels]] = {}

    def of(self, day: date, prices: DayPrices) -> DayLevels:
        """Return the levels of a tariff day with these prices."""
        known = self._known.get(day)
        if known is not None and known[0] is prices:
            return known[1]
        # Another table may say the same of the day; comparing once is enough to know.
        if known is not None and known[0] == prices:
            levels = known[1]
        else:
            levels = DayLevels.of(prices, self._thresholds)
        self._known = {
            key: value for key, value in self._known.items() if abs(key - day) <= _KEPT
        }
        self._known[day] = prices, levels
        return levels
