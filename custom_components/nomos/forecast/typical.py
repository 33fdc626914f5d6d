"""The typical day of a house: from the energy of past hours, or from a standard profile. Pure functions."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import cos, fsum, pi
from typing import Final

from ..planner.expected import EnergyForecast
from ..pricing import TARIFF_ZONE, day_bounds

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)

WEEKS: Final = timedelta(weeks=4)
"""How much of the past the typical day is based on."""

_MAX_HOURLY_KWH: Final = 50.0
"""The most kWh that a house can draw in an hour: somewhat more than three phases of 63 A."""

_METER_SKEW: Final = 0.1
"""kWh by which a sum of meters may be below zero in an hour: they do not all count at the same time."""

_TRIMMED: Final = 0.1
"""The share of an hour's samples that is left out at either end."""

_MIN_HOURS_OF_DAY: Final = 12
"""A day with fewer hours does not count."""

_MIN_DAYS: Final = 3
_MIN_CLOCK_HOURS: Final = 18
"""With fewer days, or fewer clock hours, there is no typical day."""

type EnergyOfHour = Callable[[date, int], float]
"""Returns the energy in kWh of a clock hour of a day."""


@dataclass(frozen=True, slots=True)
class TypicalDay:
    """The energy in kWh by clock hour, from Monday to Friday and at the weekend.

    ``days`` is the number of days that it is based on.
    """

    workday: tuple[float, ...]
    weekend: tuple[float, ...]
    days: int

    def of(self, day: date, hour: int) -> float:
        """Return the energy of a clock hour of a day, in kWh."""
        return (self.weekend if _is_weekend(day) else self.workday)[hour]


def plausible(hours: Mapping[datetime, float]) -> dict[datetime, float]:
    """Return the hours with an energy (kWh) that is possible in a house: a number, not negative and not too high."""
    return {
        start: max(energy, 0.0)
        for start, energy in hours.items()
        if -_METER_SKEW <= energy <= _MAX_HOURLY_KWH
    }


def typical_day(hours: Mapping[datetime, float]) -> TypicalDay | None:
    """Return the typical day of a house from the energy (kWh) of past hours; None if there are too few.

    It is the mean without the highest and the lowest tenth: a median would miss what is used only now and then, and
    everything that a meter counts in steps of a kWh.
    """
    samples: dict[tuple[bool, int], list[float]] = defaultdict(list)
    days: dict[date, int] = defaultdict(int)
    for start, energy in hours.items():
        local = start.astimezone(TARIFF_ZONE)
        samples[_is_weekend(local.date()), local.hour].append(energy)
        days[local.date()] += 1
    whole = sum(count >= _MIN_HOURS_OF_DAY for count in days.values())
    known = {hour for _, hour in samples}
    if whole < _MIN_DAYS or len(known) < _MIN_CLOCK_HOURS:
        return None

    def usual(hour: int, *, weekend: bool) -> float:
        # A clock hour without samples is like the one before it.
        hour = next(one % 24 for one in range(hour, hour - 24, -1) if one % 24 in known)
        # Until there has been a weekend, weekdays stand in for it, and the other way round.
        return _trimmed_mean(samples[weekend, hour] or samples[not weekend, hour])

    return TypicalDay(
        tuple(usual(hour, weekend=False) for hour in range(24)),
        tuple(usual(hour, weekend=True) for hour in range(24)),
        whole,
    )


def _trimmed_mean(samples: list[float]) -> float:
    trimmed = round(len(samples) * _TRIMMED)
    kept = sorted(samples)[trimmed : len(samples) - trimmed]
    return fsum(kept) / len(kept)


def _is_weekend(day: date) -> bool:
    return day.weekday() >= 5


def hourly_forecast(energy: EnergyOfHour, first: date, days: int) -> EnergyForecast:
    """Return what is expected by hour for some days; a clock hour that occurs twice counts twice."""
    start, end = day_bounds(first)[0], day_bounds(first + (days - 1) * DAY)[1]
    starts = [start + index * HOUR for index in range((end - start) // HOUR)]
    local = [one.astimezone(TARIFF_ZONE) for one in starts]
    return EnergyForecast(
        (*starts, end), tuple(energy(one.date(), one.hour) for one in local)
    )


type _Week = tuple[tuple[float, ...], tuple[float, ...]]


def _week(workday: tuple[int, ...], weekend: tuple[int, ...]) -> _Week:
    """Return the shape of a week by clock hour, scaled to a mean of one."""
    mean = (5 * sum(workday) + 2 * sum(weekend)) / (7 * 24)
    return tuple(one / mean for one in workday), tuple(one / mean for one in weekend)


# fmt: off
_WINTER: Final = _week(
    (60, 45, 40, 39, 40, 52, 98, 135, 135, 128, 124, 130, 145, 134, 116, 108, 118, 162, 208, 216, 190, 155, 130, 94),
    (75, 58, 47, 42, 41, 43, 57, 92, 142, 172, 178, 182, 192, 172, 146, 132, 138, 176, 212, 206, 178, 150, 134, 104),
)
_SUMMER: Final = _week(
    (74, 54, 46, 43, 44, 54, 88, 118, 128, 128, 128, 136, 150, 138, 122, 114, 118, 136, 160, 174, 174, 164, 152, 112),
    (86, 66, 53, 46, 44, 45, 58, 92, 138, 164, 172, 180, 190, 168, 144, 132, 132, 144, 160, 168, 166, 158, 150, 118),
)
# fmt: on
"""A household by clock hour, on weekdays and at the weekend: the shape of the standard profile H0."""

_SEASON: Final = 0.22
"""The share by which a household uses more in the middle of January, and less in the middle of July."""

_HOURS_A_YEAR: Final = 365.25 * 24


def standard_household(kwh_a_year: float) -> EnergyOfHour:
    """Return the standard profile of a household with a yearly usage in kWh."""

    def energy(day: date, hour: int) -> float:
        cold = cos(2 * pi * (day.timetuple().tm_yday - 15) / 365.25)
        winter, summer = _WINTER[_is_weekend(day)], _SUMMER[_is_weekend(day)]
        shape = (winter[hour] * (1 + cold) + summer[hour] * (1 - cold)) / 2
        return kwh_a_year / _HOURS_A_YEAR * (1 + _SEASON * cold) * shape

    return energy
