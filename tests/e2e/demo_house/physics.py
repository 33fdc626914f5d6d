"""What the demo house needs, what its roof makes, and what its battery does as it is told. Pure."""

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
"""kW of what is plugged in."""


class Mode(StrEnum):
    """What the inverter can be told, in its maker's words."""

    AUTO = "Auto"
    NO_DISCHARGE = "No discharge"
    NO_CHARGE = "No charge"
    FORCE_CHARGE = "Force charge"


def usual_need(at: datetime) -> float:
    """Return what the house usually draws at an instant, in kW: two peaks a day."""
    local = at.astimezone(BERLIN)
    hour = local.hour + local.minute / 60
    peaks = ((0.3, 7.5, 1.5), (0.3, 12.5, 1.5), (0.9, 19.0, 2.5))
    return 0.3 + sum(
        height * exp(-(((hour - peak) / width) ** 2)) for height, peak, width in peaks
    )


def need(at: datetime) -> float:
    """Return what the house draws in the quarter-hour of an instant, in kW: never quite the usual."""
    start = quarter_of(at)
    return usual_need(start) * Random(f"need {start.isoformat()}").uniform(0.6, 1.4)


def usual_sun(at: datetime) -> float:
    """Return what the roof makes on a clear day, in kW: more in summer."""
    local = at.astimezone(BERLIN)
    summer = 1 - abs(local.month - 6.5) / 6
    hour = local.hour + local.minute / 60 - (1.0 if local.dst() else 0.0)
    half = 4.0 + 4.0 * summer
    return max(1 - ((hour - 12) / half) ** 2, 0.0) * (0.5 + 4.0 * summer)


def sun(at: datetime) -> float:
    """Return what the roof makes in the quarter-hour of an instant, in kW: clouds last for a day."""
    start = quarter_of(at)
    clouds = Random(f"clouds {start.astimezone(BERLIN).date()}").uniform(0.3, 1.0)
    return usual_sun(start) * clouds


def sun_forecast(now: datetime) -> dict[datetime, float]:
    """Return the energy in Wh by the hour, today and in the three days after it; off by some percent each day."""
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
    """What moves in a stretch of time: energies in kWh at the house's side, and the charge level after it in kWh."""

    charged: float
    discharged: float
    level: float


def obey(
    level: float, surplus: float, hours: float, mode: Mode, power: float, until: float
) -> Flow:
    """Return what the battery does with a surplus of the sun (kWh, negative: what the house needs).

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


def stretches(start: datetime, end: datetime) -> Iterator[tuple[datetime, float]]:
    """Yield the parts of quarter-hours between two instants: their start and their length in hours."""
    while start < end:
        until = min(quarter_of(start) + QUARTER, end)
        yield start, (until - start) / HOUR
        start = until
