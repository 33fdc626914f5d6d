"""What forecasts come to, and what is wrong with them."""

from dataclasses import dataclass
from enum import StrEnum

from ..planner.expected import HouseOutlook


class HouseSource(StrEnum):
    """What the need of the house is known from."""

    METERS = "meters"
    """The meters of the Energy dashboard."""
    USAGE = "usage"
    """What Nomos metered: what the house drew from the grid."""
    YEARLY = "yearly"
    """A number of kWh a year, spread as a standard household does."""


class Problem(StrEnum):
    """What a plan has to do without."""

    SUN_UNAVAILABLE = "sun_unavailable"
    """A solar forecast is gone, not loaded, or does not answer."""
    SUN_ABSURD = "sun_absurd"
    """A solar forecast has values that cannot be; they are left out."""
    SUN_GAP = "sun_gap"
    """A solar forecast lacks an hour in the middle of a day; nothing is expected of it."""
    SUN_STALE = "sun_stale"
    """A solar forecast ends before today; it is left out."""
    METERS_INCOMPLETE = "meters_incomplete"
    """The meters of the Energy dashboard, or their statistics, do not suffice for a typical day."""
    METERS_ABSURD = "meters_absurd"
    """More than a tenth of the hours are left out, since the meters come to less than nothing, or to too much."""
    STATISTICS_UNREADABLE = "statistics_unreadable"
    """The recorder's database could not be read; it is tried again."""


@dataclass(frozen=True, kw_only=True)
class Outlook(HouseOutlook):
    """What is expected of the house without loads and battery, and what that is known from.

    The need reaches to the end of the fourth day after today, the sun as far as all of its forecasts do.
    """

    house_source: HouseSource
    problems: tuple[Problem, ...] = ()
