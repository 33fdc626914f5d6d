"""What a load still needs: a fixed time, or what its car lacks. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import nan
from typing import Final

from .settings import Car, LoadSettings

_ZERO: Final = timedelta()
_FULL: Final = 100.0
_MOST: Final = 1e5
"""No car lacks more, in kWh."""

SLACK: Final = 1.5
"""Percent of charge that are not worth another plan or another run: more than a sensor of whole percents errs by."""

FALLEN: Final = 3.0
"""Percent below its target from which a car that is plugged in is charged again."""

TRUST: Final = timedelta(hours=1)
"""How long a sensor may keep its last report while the car charges: some cars report no more than once an hour."""

_CORRECT: Final = timedelta(minutes=15)
"""After this time a reading is corrected by less than the slack, too."""

_MEASURED: Final = timedelta(hours=0.5), timedelta(hours=2)
"""For how long a car has to charge until its power is measured, and after which time it is measured anew."""

_SLOWEST: Final = 0.1
"""No car is taken to charge with less of its power."""

_TAPERS: Final = 90.0
"""Percent of charge from which cars charge slower, which says nothing of the next time."""

_CONFIRM: Final = timedelta(hours=12)
"""After this time a reading that is as expected replaces the one before."""

_WORTHLESS: Final = timedelta(days=2)
"""A car has been driven since: a reading of before says nothing."""

type Ran = Callable[[datetime | None], timedelta]
"""How long a load has run since an instant, or for its task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What a sensor reports of a battery: its charge in percent, or the energy in kWh that it lacks.

    It holds at ``at``; ``seen`` is when it was reported, which is earlier if what was charged since is in it.
    """

    amount: float
    is_energy: bool
    at: datetime
    seen: datetime

    def __post_init__(self) -> None:
        """Refuse an amount that cannot be; ValueError."""
        if not 0 <= self.amount <= (_MOST if self.is_energy else _FULL):
            raise ValueError("no charge")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a car charges: since a reading its charge has changed to an amount.

    ``power`` is in kW as the settings have it, None if nothing was measured yet.
    """

    since: Charge
    amount: float
    power: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """What was last read of the sensors of a load; None for what could never be read. ``target`` is in percent."""

    charge: Charge | None = None
    target: float | None = None
    plugged: bool | None = None
    asked: bool | None = None
    pace: Pace | None = None

    def __post_init__(self) -> None:
        """Refuse a target that cannot be; ValueError."""
        if self.target is not None and not 0 < self.target <= _FULL:
            raise ValueError("no target")


def left(settings: LoadSettings, readings: Readings, ran: Ran) -> timedelta:
    """Return how long a load still has to run."""
    if settings.car is None:
        return max(settings.duration - ran(None), _ZERO)
    car = paced(settings.car, readings)
    return car.time_for(max(_lacking(car, readings, ran), 0.0))


def urgent(settings: LoadSettings, readings: Readings, ran: Ran) -> timedelta:
    """Return for how long a load has to run at once, whatever the price: until its car is past its lowest charge.

    Past it by the slack, so that it is not switched for every percent.
    """
    car = settings.car and paced(settings.car, readings)
    if car is None or car.lowest is None or readings.charge is None:
        return _ZERO
    lacking = _lacking(car, readings, ran)
    below = car.lowest - (target(car, readings) - lacking)
    if below <= 0 or lacking <= 0:
        return _ZERO
    return car.time_for(min(below + SLACK, lacking))


def slack(settings: LoadSettings) -> timedelta:
    """Return what of a need is too little to be planned, and by how much it may change without another plan."""
    return settings.car.time_for(SLACK) if settings.car else _ZERO


def has_fallen(settings: LoadSettings, readings: Readings, ran: Ran) -> bool:
    """Return whether a car is known to be so far below its target that it is charged again."""
    car = settings.car and paced(settings.car, readings)
    if car is None or readings.charge is None:
        return False
    return _lacking(car, readings, ran) > FALLEN


def with_charge(
    car: Car, readings: Readings, seen: Charge | None, now: datetime, ran: Ran
) -> Readings:
    """Return readings with what a sensor reports now, None if that is nothing.

    If it is what was expected they stay the same: then nothing has to be planned, shown or stored. A sensor that reports
    nothing is bridged by what was charged since.
    """
    car, before = paced(car, readings), readings.charge
    if seen is None:
        gone = before is not None and now - before.seen > _WORTHLESS
        return replace(readings, charge=None) if gone else readings
    new = replace(readings, charge=seen)
    if before is None or before.at > now or before.is_energy != seen.is_energy:
        return new
    expected, found = (_lacking(car, one, ran) for one in (readings, new))
    age, error = now - before.seen, abs(found - expected)
    reached = found <= 0 < expected
    # From this on it lacks so much that it is charged at once.
    low = target(car, readings) - (car.lowest or 0.0)
    fell = expected <= max(low, 0.0) < found
    differs = error > SLACK or (age > _CORRECT and error > 0.1)
    return new if reached or fell or differs or age > _CONFIRM else readings


def with_pace(car: Car, readings: Readings, seen: Charge | None, ran: Ran) -> Readings:
    """Return readings with how fast a car has charged up to what its sensor reports now.

    Only a report that has changed says something. It may be rounded, so the car may have got one percent more.
    """
    if seen is None:
        return readings
    if (pace := readings.pace) is None:
        return replace(readings, pace=Pace(since=seen, amount=seen.amount))
    start = replace(pace, since=seen, amount=seen.amount)
    if seen.is_energy != pace.since.is_energy or seen.at < pace.since.at:
        return replace(readings, pace=start)
    if seen.amount == pace.amount:
        return readings
    time, points = ran(pace.since.at) - ran(seen.at), seen.amount - pace.since.amount
    if seen.is_energy:
        points *= -_FULL / car.capacity
    full = not seen.is_energy and seen.amount > _TAPERS
    if points < 0 or time <= _ZERO or full:
        return replace(readings, pace=start)
    pace = replace(pace, amount=seen.amount)
    least, most = _MEASURED
    if time >= least:
        pace = replace(pace, power=car.power_for(points + 1, time))
    if time >= most:
        pace = replace(pace, since=seen)
    return replace(readings, pace=pace)


def paced(car: Car, readings: Readings) -> Car:
    """Return a car with the power that it charges with: what its settings say, or what was measured if that is less."""
    if readings.pace is None or (power := readings.pace.power) is None:
        return car
    return replace(car, power=max(min(power, car.power), car.power * _SLOWEST))


def bridged(car: Car, readings: Readings, now: datetime, ran: Ran) -> Readings:
    """Return readings in whose charge is what was charged up to now."""
    if (one := readings.charge) is None or one.at >= now:
        return readings
    car = paced(car, readings)
    points = car.points_in(ran(one.at))
    amount = (
        max(one.amount - points * car.capacity / _FULL, 0.0)
        if one.is_energy
        else min(one.amount + points, _FULL)
    )
    return replace(readings, charge=replace(one, amount=amount, at=now))


def read_charge(car: Car, text: str, unit: object, at: datetime) -> Charge | None:
    """Return what a state says of a battery's charge; None if it says nothing, or nothing that can be."""
    amount, is_energy = _number(text), unit in {"kWh", "Wh"}
    if unit == "Wh":
        amount /= 1000
    can_be = 0 <= amount <= (car.capacity if is_energy else _FULL)
    if not can_be or not (is_energy or unit in {"%", None}):
        return None
    return Charge(amount=amount, is_energy=is_energy, at=at, seen=at)


def read_target(text: str) -> float | None:
    """Return the percent that a state asks for; None if it asks for nothing that can be."""
    percent = _number(text)
    return percent if 0 < percent <= _FULL else None


def _number(text: str) -> float:
    """Return the number that a state is; if it is none, NaN, which is within no bounds."""
    try:
        return float(text)
    except ValueError:
        return nan


def _lacking(car: Car, readings: Readings, ran: Ran) -> float:
    """Return the percent that a car lacks to its target; below zero if it has more.

    A car whose charge was never known is taken to be empty: it has to be ready, and stops by itself when it is full.
    """
    charge = readings.charge
    if charge is None:
        return target(car, readings) - car.points_in(ran(None))
    if charge.is_energy:
        lacking = charge.amount / car.capacity * _FULL
    else:
        lacking = target(car, readings) - charge.amount
    return lacking - car.points_in(ran(charge.at))


def target(car: Car, readings: Readings) -> float:
    """Return the percent to charge to: of its entity if that was ever known, or else the number of the settings."""
    if car.target_entity is not None and readings.target is not None:
        return readings.target
    return _FULL if car.target is None else car.target
