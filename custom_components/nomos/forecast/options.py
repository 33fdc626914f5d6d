"""The options of an account for forecasts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

SOLAR_FORECASTS: Final = "solar_forecasts"
YEARLY_USAGE: Final = "yearly_usage"
PAYOUT: Final = "payout"
NO_PAYOUT_IF_NEGATIVE: Final = "no_payout_if_negative"

DEFAULT_YEARLY_USAGE: Final = 3500
"""kWh: a household of about three, without electric heating or an electric car."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastOptions:
    """What the customer chose for forecasts.

    ``solar_forecasts`` are ids of config entries, None for those of the Energy dashboard. ``payout`` is in EUR/kWh,
    None for that of the feed-in contract.
    """

    solar_forecasts: tuple[str, ...] | None = None
    kwh_a_year: float = DEFAULT_YEARLY_USAGE
    payout: float | None = None
    no_payout_if_negative: bool = False

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Read the options of a config entry; missing ones have their defaults."""
        solar, payout = options.get(SOLAR_FORECASTS), options.get(PAYOUT)
        return cls(
            solar_forecasts=None if solar is None else tuple(solar),
            kwh_a_year=options.get(YEARLY_USAGE, DEFAULT_YEARLY_USAGE),
            payout=None if payout is None else payout / 100,
            no_payout_if_negative=options.get(NO_PAYOUT_IF_NEGATIVE, False),
        )
