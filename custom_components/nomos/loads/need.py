"""What a load still needs: a fixed time, or the charge its car lacks. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import nan
from typing import Final

from .settings import Car, LoadSettings

_ZERO: Final = timedelta()
_FULL: Final = 100.0
_MAX_LACKING_KWH: Final = 1e5
"""No car lacks more, in kWh."""

TOLERANCE: Final = 1.5
"""Percent of charge not worth another plan or run: more than the error of a sensor in whole percent."""

RECHARGE_BELOW: Final = 3.0
"""Percent below target at which a plugged-in car is charged again."""

REPORT_VALID_FOR: Final = timedelta(hours=1)
"""How long a report is trusted while the car charges: some cars report only once an hour."""

_CORRECT_AFTER: Final = timedelta(minutes=15)
"""After this time, a difference below the tolerance also corrects a reading."""

_MEASURE_AFTER: Final = timedelta(hours=0.5)
"""After how much charging the power of a car is measured."""

_RESTART_AFTER: Final = timedelta(hours=2)
"""After how much charging a new measurement begins."""

_MIN_POWER_SHARE: Final = 0.1
"""The smallest share of its power that a car is assumed to charge with."""

_TAPER_FROM: Final = 90.0
"""Percent of charge above which cars charge more slowly, so that nothing is measured."""

_REPLACE_AFTER: Final = timedelta(hours=12)
"""After this time, a reading that is as expected also replaces the previous one."""

_DROP_AFTER: Final = timedelta(days=2)
"""After this time the car has probably been driven, and its last reading is dropped."""

type RunTime = Callable[[datetime | None], timedelta]
"""Returns how long a load has run since an instant; for its task, if given None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """The charge of a battery as its sensor reports it: in percent, or as missing energy in kWh.

    ``amount`` holds at ``at``; ``seen`` is when it was reported, which is earlier if later charging was added.
    """

    amount: float
    is_energy: bool
    at: datetime
    seen: datetime

    def __post_init__(self) -> None:
        """Refuse an impossible amount; ValueError."""
        if not 0 <= self.amount <= (_MAX_LACKING_KWH if self.is_energy else _FULL):
            raise ValueError("no charge")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRate:
    """How fast a car charges: after the reading ``since``, its charge has changed to ``amount``.

    ``power`` is in kW as metered, like that of the settings; None if it was not measured yet.
    """

    since: Charge
    amount: float
    power: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """The last known values of a load's sensors; None if there was none. ``target`` is in percent."""

    charge: Charge | None = None
    target: float | None = None
    plugged: bool | None = None
    asked: bool | None = None
    pace: ChargeRate | None = None

    def __post_init__(self) -> None:
        """Refuse an impossible target; ValueError."""
        if self.target is not None and not 0 < self.target <= _FULL:
            raise ValueError("no target")


def left(settings: LoadSettings, readings: Readings, ran: RunTime) -> timedelta:
    """Return how long a load still has to run."""
    if settings.car is None:
        return max(settings.duration - ran(None), _ZERO)
    car = at_measured_power(settings.car, readings)
    return car.time_for(max(_lacking(car, readings, ran), 0.0))


def urgent(settings: LoadSettings, readings: Readings, ran: RunTime) -> timedelta:
    """Return how long a load has to run at once, whatever the price: until its car is above its lowest charge.

    Above it by the tolerance, so that it is not switched for every percent.
    """
    car = settings.car and at_measured_power(settings.car, readings)
    if car is None or car.lowest is None or readings.charge is None:
        return _ZERO
    lacking = _lacking(car, readings, ran)
    below = car.lowest - (target(car, readings) - lacking)
    if below <= 0 or lacking <= 0:
        return _ZERO
    return car.time_for(min(below + TOLERANCE, lacking))


def tolerance(settings: LoadSettings) -> timedelta:
    """Return the time up to which neither a need nor a change of it is worth a plan."""
    return settings.car.time_for(TOLERANCE) if settings.car else _ZERO


def needs_recharge(settings: LoadSettings, readings: Readings, ran: RunTime) -> bool:
    """Return whether a car is known to be far enough below its target to be charged again."""
    car = settings.car and at_measured_power(settings.car, readings)
    if car is None or readings.charge is None:
        return False
    return _lacking(car, readings, ran) > RECHARGE_BELOW


def with_charge(
    car: Car, readings: Readings, reported: Charge | None, now: datetime, ran: RunTime
) -> Readings:
    """Return readings updated with what a sensor reports now; ``reported`` is None if it reports nothing.

    A report that is as expected changes nothing, so nothing has to be planned, shown or stored. While a sensor
    reports nothing, the charge is extrapolated by what was charged since.
    """
    car, before = at_measured_power(car, readings), readings.charge
    if reported is None:
        gone = before is not None and now - before.seen > _DROP_AFTER
        return replace(readings, charge=None) if gone else readings
    new = replace(readings, charge=reported)
    if before is None or before.at > now or before.is_energy != reported.is_energy:
        return new
    expected, found = (_lacking(car, one, ran) for one in (readings, new))
    age, error = now - before.seen, abs(found - expected)
    reached = found <= 0 < expected
    # If it lacks more than this, it is charged at once.
    low = target(car, readings) - (car.lowest or 0.0)
    fell = expected <= max(low, 0.0) < found
    differs = error > TOLERANCE or (age > _CORRECT_AFTER and error > 0.1)
    return new if reached or fell or differs or age > _REPLACE_AFTER else readings


def with_charge_rate(
    car: Car, readings: Readings, reported: Charge | None, ran: RunTime
) -> Readings:
    """Return readings with the car's pace updated by what its sensor reports now.

    Only a changed report counts. It may be rounded, so the car may have gained one percent more.
    """
    if reported is None:
        return readings
    if (pace := readings.pace) is None:
        return replace(
            readings, pace=ChargeRate(since=reported, amount=reported.amount)
        )
    start = replace(pace, since=reported, amount=reported.amount)
    if reported.is_energy != pace.since.is_energy or reported.at < pace.since.at:
        return replace(readings, pace=start)
    if reported.amount == pace.amount:
        return readings
    time, points = (
        ran(pace.since.at) - ran(reported.at),
        reported.amount - pace.since.amount,
    )
    if reported.is_energy:
        points *= -_FULL / car.capacity
    full = not reported.is_energy and reported.amount > _TAPER_FROM
    if points < 0 or time <= _ZERO or full:
        return replace(readings, pace=start)
    pace = replace(pace, amount=reported.amount)
    if time >= _MEASURE_AFTER:
        pace = replace(pace, power=car.power_for(points + 1, time))
    if time >= _RESTART_AFTER:
        pace = replace(pace, since=reported)
    return replace(readings, pace=pace)


def at_measured_power(car: Car, readings: Readings) -> Car:
    """Return a car with the power that it really charges with: as measured if that is less than in its settings."""
    if readings.pace is None or (power := readings.pace.power) is None:
        return car
    return replace(car, power=max(min(power, car.power), car.power * _MIN_POWER_SHARE))


def extrapolated(car: Car, readings: Readings, now: datetime, ran: RunTime) -> Readings:
    """Return readings whose charge includes what was charged up to now."""
    if (one := readings.charge) is None or one.at >= now:
        return readings
    car = at_measured_power(car, readings)
    points = car.points_in(ran(one.at))
    amount = (
        max(one.amount - points * car.capacity / _FULL, 0.0)
        if one.is_energy
        else min(one.amount + points, _FULL)
    )
    return replace(readings, charge=replace(one, amount=amount, at=now))


def read_charge(car: Car, text: str, unit: object, at: datetime) -> Charge | None:
    """Return the charge of a battery from a state; None if it is missing or impossible."""
    amount, is_energy = _number(text), unit in ("kWh", "Wh")
    if unit == "Wh":
        amount /= 1000
    can_be = 0 <= amount <= (car.capacity if is_energy else _FULL)
    if not can_be or not (is_energy or unit in ("%", None)):
        return None
    return Charge(amount=amount, is_energy=is_energy, at=at, seen=at)


def read_target(text: str) -> float | None:
    """Return the target percentage from a state; None if it is missing or impossible."""
    percent = _number(text)
    return percent if 0 < percent <= _FULL else None


def _number(text: str) -> float:
    """Return a state as a number; NaN, which fails every check of bounds, if it is not one."""
    try:
        return float(text)
    except ValueError:
        return nan


def _lacking(car: Car, readings: Readings, ran: RunTime) -> float:
    """Return how many percent a car is below its target; negative if it is above.

    A car whose charge was never known counts as empty: it has to be ready, and stops by itself when it is full.
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
    """Return the target percentage: the last known value of its entity, or else that of the settings."""
    if car.target_entity is not None and readings.target is not None:
        return readings.target
    return _FULL if car.target is None else car.target
