"""Missing prices: since when, and which issues to raise for the customer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
import logging
from typing import Final

from ..issues import Issue

_LOGGER = logging.getLogger(__name__)

_LATE: Final = timedelta(hours=1)
"""How long the current price may be missing before there is an issue."""

_HOPELESS: Final = timedelta(days=2)
"""How long Nomos must report no prices for a contract before requests become less frequent."""


@dataclass(slots=True)
class MissingPrices:
    """Since when prices of one contract have been missing, by the hub's clock."""

    unknown_since: datetime | None = None
    """Since when there has been no price for the current interval."""
    none_since: datetime | None = None
    """Since when Nomos has reported no prices, for the contract or because none are published yet."""
    none_for_contract: bool = False

    def note_prices(self) -> None:
        """Record that Nomos reports prices, or that none are expected."""
        self.none_since, self.none_for_contract = None, False

    def note_none(self, now: datetime, *, for_contract: bool) -> None:
        """Record that Nomos reports no prices."""
        self.none_since = self.none_since or now
        self.none_for_contract |= for_contract

    def is_hopeless(self, now: datetime) -> bool:
        """Return whether there have been no prices for so long that frequent requests are pointless."""
        return self.none_since is not None and now - self.none_since >= _HOPELESS

    def update(
        self, now: datetime, *, supplied: bool, known: bool, asked: bool
    ) -> None:
        """Record and log when the current price goes missing, and when it is known again."""
        if known or not supplied:
            if self.unknown_since is not None and supplied:
                _LOGGER.info("Prices are back")
            self.unknown_since = None
        elif self.unknown_since is None and asked:
            self.unknown_since = now
            _LOGGER.warning(
                "There is no price for the current interval; Nomos is asked again by itself"
            )

    def issues(
        self, now: datetime, *, denied: bool, connected: bool
    ) -> Mapping[Issue, bool]:
        """Return which issues are present, given whether prices are denied and access works."""
        late = self.unknown_since is not None and now - self.unknown_since >= _LATE
        # This issue suggests checking the connection, which does not always help.
        check = connected and not denied and not self.none_for_contract
        return {Issue.ACCESS_DENIED: denied, Issue.PRICES_LATE: late and check}

    def shift(self, step: timedelta) -> None:
        """Move with a step of the hub's clock, so that durations stay the same."""
        if self.unknown_since is not None:
            self.unknown_since += step
        if self.none_since is not None:
            self.none_since += step
