"""The need of the house without loads and battery: from meters, from usage, or from a number of kWh a year."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from homeassistant.core import HomeAssistant

from ..energy_dashboard import Dashboard
from ..statistics import StatisticsError, statistics_are_kept
from .history import Hours, added, async_energy_by_hour, less, need_of, past
from .outlook import HouseSource, Problem
from .typical import (
    HOUR,
    WEEKS,
    EnergyOfHour,
    TypicalDay,
    possible,
    standard_household,
    typical_day,
)

_MANY: Final = 0.1
"""The share of hours that may be left out without a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What the need of the house is known from: a typical day, or a number of kWh a year."""

    source: HouseSource
    typical: TypicalDay | None = None
    kwh_a_year: float
    problems: tuple[Problem, ...] = ()

    @property
    def energy(self) -> EnergyOfHour:
        """Return the energy of a clock hour of a day."""
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

    Args:
        hass: it has the recorder.
        dashboard: names the meters.
        usage: the statistics of what Nomos metered.
        loads: the statistics of loads with a meter, which are subtracted.
        kwh_a_year: what the household uses in a year, if nothing is known.
        now: an aware instant.

    """
    yearly = House(source=HouseSource.YEARLY, kwh_a_year=kwh_a_year)
    if not statistics_are_kept(hass):
        return yearly
    # The first hour of a statistic is not used: it may hold more than an hour.
    start, end = past(now, WEEKS + HOUR)
    names = {*usage, *loads}
    if dashboard.grid_import:
        names |= dashboard.gains | dashboard.losses
    try:
        found = await async_energy_by_hour(
            hass, names, start, end, sleeping={*dashboard.solar, *loads}
        )
    except StatisticsError:
        return replace(yearly, problems=(Problem.STATISTICS_UNREADABLE,))
    of_loads = [found[name] for name in loads if name in found]
    problems: list[Problem] = []
    if dashboard.grid_import:
        need = less(metered_need(dashboard, found), of_loads)
        day = typical_day(usable := possible(need))
        if len(usable) < (1 - _MANY) * len(need):
            problems.append(Problem.METERS_ABSURD)
        elif day is None:
            problems.append(Problem.METERS_INCOMPLETE)
        if day is not None:
            return replace(
                yearly,
                source=HouseSource.METERS,
                typical=day,
                problems=tuple(problems),
            )
    need = less(added(found.get(name, {}) for name in usage), of_loads)
    if (day := typical_day(possible(need))) is not None:
        return replace(
            yearly, source=HouseSource.USAGE, typical=day, problems=tuple(problems)
        )
    return replace(yearly, problems=tuple(problems))


def metered_need(dashboard: Dashboard, found: Mapping[str, Hours]) -> Hours:
    """Return what the house used, in the hours that all meters of the dashboard have."""
    return need_of(
        [found.get(name, {}) for name in dashboard.gains],
        [found.get(name, {}) for name in dashboard.losses],
    )
