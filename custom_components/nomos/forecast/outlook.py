"""The outlook: what all forecasts add up to, and what is wrong with them."""

from dataclasses import dataclass
from enum import StrEnum

from ..planner.expected import HouseOutlook


class HouseSource(StrEnum):
    """What the need of the house is known from."""

    METERS = "meters"
    """The meters of the Energy dashboard."""
    USAGE = "usage"
    """What Nomos metered: the energy that the house drew from the grid."""
    YEARLY = "yearly"
    """A yearly usage in kWh, spread by the standard profile of a household."""


class Problem(StrEnum):
    """What is missing in an outlook, or wrong with it."""

    SUN_UNAVAILABLE = "sun_unavailable"
    """A solar forecast is gone, not loaded, or does not answer."""
    SUN_ABSURD = "sun_absurd"
    """A solar forecast has impossible values; they are left out."""
    SUN_GAP = "sun_gap"
    """A solar forecast lacks an hour in the middle of a day; the hour counts as zero."""
    SUN_STALE = "sun_stale"
    """A solar forecast ends before today; it is left out."""
    METERS_INCOMPLETE = "meters_incomplete"
    """The meters of the Energy dashboard, or their statistics, are not enough for a typical day."""
    METERS_ABSURD = "meters_absurd"
    """More than a tenth of the hours are left out: the meters add up to a negative or an impossible need."""
    STATISTICS_UNREADABLE = "statistics_unreadable"
    """The recorder's database could not be read; this is tried again."""


@dataclass(frozen=True, kw_only=True)
class Outlook(HouseOutlook):
    """The outlook of the house without loads and battery, and where it comes from.

    The need reaches to the end of the fourth day after today, the sun as far as all of its forecasts do.
    """

    house_source: HouseSource
    problems: tuple[Problem, ...] = ()
