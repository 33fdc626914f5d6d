"""Synthetic households: base load, habits by clock time, and appliances that run now and then."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp
import random

from custom_components.nomos.pricing import TARIFF_ZONE

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Household:
    """A household: base load (kW), morning and evening use (kWh), and appliances."""

    name: str
    base: float
    morning: float
    evening: float
    appliances: tuple[tuple[float, float, tuple[int, int]], ...] = ()
    """For each: kWh (used within one hour), runs per day, first and last hour of the day."""
    step: float = 0.0
    """The resolution of the meter (kWh)."""
    away: float = 0.0
    """The share of days on which nobody is at home."""


HOUSEHOLDS = (
    Household("couple", 0.12, 0.4, 0.8, ((0.9, 0.6, (18, 22)), (0.8, 0.3, (8, 18)))),
    Household("family", 0.25, 0.7, 1.4, ((1.2, 1, (19, 23)), (1.0, 0.8, (8, 20)))),
    Household("whole kWh", 0.25, 0.7, 1.4, ((1.2, 1, (19, 23)),), step=1.0),
    Household("traveller", 0.15, 0.4, 0.9, ((1.0, 0.5, (18, 22)),), away=0.3),
    Household("flow heater", 0.2, 0.5, 0.9, ((4.0, 1.2, (6, 23)),)),
)


def hours_of(
    household: Household, start: datetime, days: int, seed: int
) -> Mapping[datetime, float]:
    """Return the hourly energy of some days."""
    chance = random.Random(f"{household.name} {seed}")
    found: dict[datetime, float] = {}
    runs: dict[datetime, float] = {}
    away: dict[int, bool] = {}
    counted = shown = 0.0
    for index in range(days * 24):
        at = start + index * HOUR
        local = at.astimezone(TARIFF_ZONE)
        day, weekend = local.toordinal(), local.weekday() >= 5
        if day not in away:
            away[day] = chance.random() < household.away
            for energy, often, (first, last) in household.appliances:
                for _ in range(2):
                    if chance.random() < often / 2:
                        hour = chance.randrange(first, last)
                        runs[local.replace(hour=hour)] = energy * chance.uniform(
                            0.7, 1.3
                        )
        shift = 1.5 if weekend else 0.0
        habit = household.morning * exp(-(((local.hour - 7 - shift) / 1.5) ** 2))
        habit += household.evening * exp(-(((local.hour - 19) / 2.5) ** 2))
        habit += household.morning / 2 * weekend * (9 < local.hour < 17)
        energy = household.base * chance.uniform(0.8, 1.2)
        if not away[day]:
            energy += habit * chance.lognormvariate(0, 0.4) + runs.get(local, 0.0)
        counted += energy
        if household.step:
            energy = counted // household.step * household.step - shown
            shown += energy
        found[at] = energy
    return found
