"""The need of the house without loads and battery: from meters, from usage, or from a yearly number of kWh."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from homeassistant.core import HomeAssistant

from ..energy_dashboard import Dashboard
from ..statistics import StatisticsError, statistics_are_kept
from .history import (
    HourlyEnergy,
    async_energy_by_hour,
    balance,
    subtracted,
    sum_by_hour,
)
from .outlook import HouseSource, Problem
from .typical import (
    HOUR,
    WEEKS,
    EnergyOfHour,
    TypicalDay,
    plausible,
    standard_household,
    typical_day,
)

_MAX_DROPPED_SHARE: Final = 0.1
"""The share of hours that may be left out without reporting a problem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What the need of the house is known from: a typical day, or a yearly usage in kWh."""

    source: HouseSource
    typical: TypicalDay | None = None
    kwh_a_year: float
    problems: tuple[Problem, ...] = ()

    @property
    def energy(self) -> EnergyOfHour:
        """Return a function for the energy of a clock hour of a day."""
        if self.typical is not None:
            return self.typical.of
        return standard_household(self.kwh_a_year)


async def async_read_house(
    hass: HomeAssistant,
    dashboard: Dashboard,
    *,
    usage: Collection[str],
    loads: Collection[str],
    kwh_a_year: float,
    now: datetime,
) -> House:
    """Return what the house needs without loads, from the first source that suffices.

    ``usage`` are the statistics of what Nomos metered, ``loads`` those of loads with a meter, which are subtracted.
    """
    yearly = House(source=HouseSource.YEARLY, kwh_a_year=kwh_a_year)
    if not statistics_are_kept(hass):
        return yearly
    # The first hour of a statistic is not used: it may hold more than an hour.
    end = now.replace(minute=0, second=0, microsecond=0)
    names = {*usage, *loads}
    if dashboard.grid_import:
        names |= dashboard.gains | dashboard.losses
    try:
        found = await async_energy_by_hour(
            hass,
            names,
            end - WEEKS - HOUR,
            end,
            intermittent={*dashboard.solar, *loads},
        )
    except StatisticsError:
        return replace(yearly, problems=(Problem.STATISTICS_UNREADABLE,))

    def of(names: Iterable[str]) -> list[HourlyEnergy]:
        return [found.get(name, {}) for name in names]

    problems: tuple[Problem, ...] = ()
    if dashboard.grid_import:
        need = subtracted(balance(of(dashboard.gains), of(dashboard.losses)), of(loads))
        day = typical_day(usable := plausible(need))
        if len(usable) < (1 - _MAX_DROPPED_SHARE) * len(need):
            problems = (Problem.METERS_ABSURD,)
        elif day is None:
            problems = (Problem.METERS_INCOMPLETE,)
        if day is not None:
            return replace(
                yearly, source=HouseSource.METERS, typical=day, problems=problems
            )
    day = typical_day(plausible(subtracted(sum_by_hour(of(usage)), of(loads))))
    if day is not None:
        return replace(yearly, source=HouseSource.USAGE, typical=day, problems=problems)
    return replace(yearly, problems=problems)
