"""The demo house as pure functions: its need, its solar power, and how its battery follows a mode."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import exp, sqrt
from random import Random
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

BERLIN: Final = ZoneInfo("Europe/Berlin")
QUARTER: Final = timedelta(minutes=15)
HOUR: Final = timedelta(hours=1)

CAPACITY: Final = 10.0
POWER: Final = 5.0
EFFICIENCY: Final = sqrt(0.9)
RESERVE: Final = 1.0
WALLBOX: Final = 4.0
"""The power of the wallbox, in kW."""


class Mode(StrEnum):
    """The modes of the inverter, as its manufacturer names them."""

    AUTO = "Auto"
    NO_DISCHARGE = "No discharge"
    NO_CHARGE = "No charge"
    FORCE_CHARGE = "Force charge"


def usual_need(at: datetime) -> float:
    """Return what the house usually draws at an instant, in kW: a base load and three peaks a day."""
    local = at.astimezone(BERLIN)
    hour = local.hour + local.minute / 60
    peaks = ((0.3, 7.5, 1.5), (0.3, 12.5, 1.5), (0.9, 19.0, 2.5))
    return 0.3 + sum(
        height * exp(-(((hour - peak) / width) ** 2)) for height, peak, width in peaks
    )


def need(at: datetime) -> float:
    """Return what the house really draws in the quarter-hour of an instant, in kW: the usual, give or take 40 %."""
    start = quarter_of(at)
    return usual_need(start) * Random(f"need {start.isoformat()}").uniform(0.6, 1.4)


def usual_sun(at: datetime) -> float:
    """Return the solar power on a clear day, in kW: more in summer."""
    local = at.astimezone(BERLIN)
    summer = 1 - abs(local.month - 6.5) / 6
    hour = local.hour + local.minute / 60 - (1.0 if local.dst() else 0.0)
    half = 4.0 + 4.0 * summer
    return max(1 - ((hour - 12) / half) ** 2, 0.0) * (0.5 + 4.0 * summer)


def sun(at: datetime) -> float:
    """Return the solar power in the quarter-hour of an instant, in kW, under the day's clouds."""
    start = quarter_of(at)
    clouds = Random(f"clouds {start.astimezone(BERLIN).date()}").uniform(0.3, 1.0)
    return usual_sun(start) * clouds


def sun_forecast(now: datetime) -> dict[datetime, float]:
    """Return the hourly energy in Wh of today and the next three days; each day is off by up to 15 %."""
    midnight = now.astimezone(BERLIN).replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight.astimezone(UTC)
    hours = {}
    for index in range(4 * 24):
        at = start + index * HOUR
        day = at.astimezone(BERLIN).date()
        off = Random(f"forecast {day}").uniform(0.85, 1.15)
        made = sum(sun(at + part * QUARTER) / 4 for part in range(4))
        hours[at] = 1000 * off * made
    return hours


def quarter_of(at: datetime) -> datetime:
    """Return the start of the quarter-hour of an instant."""
    utc = at.astimezone(UTC)
    return utc.replace(minute=utc.minute // 15 * 15, second=0, microsecond=0)


class Flow(NamedTuple):
    """A battery over some time: energies (kWh, on the house's side), and the level at the end (kWh)."""

    charged: float
    discharged: float
    level: float


def battery_flow(
    level: float, surplus: float, hours: float, mode: Mode, power: float, until: float
) -> Flow:
    """Return what the battery does with a solar surplus (kWh; negative if the house needs more).

    ``power`` (kW) and ``until`` (kWh) are those of a forced charge.
    """
    most_in = min(POWER * hours, (CAPACITY - level) / EFFICIENCY)
    most_out = min(POWER * hours, max(level - RESERVE, 0.0) * EFFICIENCY)
    charged = min(max(surplus, 0.0), most_in)
    discharged = min(max(-surplus, 0.0), most_out)
    match mode:
        case Mode.AUTO:
            pass
        case Mode.NO_DISCHARGE:
            discharged = 0.0
        case Mode.NO_CHARGE:
            charged = 0.0
        case Mode.FORCE_CHARGE:
            wanted = min(power * hours, max(until - level, 0.0) / EFFICIENCY)
            charged, discharged = max(charged, min(wanted, most_in)), 0.0
    return Flow(
        charged,
        discharged,
        level + charged * EFFICIENCY - discharged / EFFICIENCY,
    )


def split_at_quarters(
    start: datetime, end: datetime
) -> Iterator[tuple[datetime, float]]:
    """Split the time between two instants at quarter-hours; yield each part's start and its length in hours."""
    while start < end:
        until = min(quarter_of(start) + QUARTER, end)
        yield start, (until - start) / HOUR
        start = until
