"""Tests of what a load still needs; for a car by its charge, whatever its sensor reports."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.nomos.codec import decode, encode
from custom_components.nomos.loads.need import (
    RECHARGE_BELOW,
    TOLERANCE,
    Charge,
    ChargeRate,
    Readings,
    RunTime,
    at_measured_power,
    extrapolated,
    left,
    needs_recharge,
    read_charge,
    read_target,
    tolerance,
    urgent,
    with_charge,
    with_charge_rate,
)
from custom_components.nomos.loads.plan import Task
from custom_components.nomos.loads.settings import Car, LoadSettings
from custom_components.nomos.planner import Run

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CASES = settings(deadline=None, derandomize=True, max_examples=300)

DATA: dict[str, Any] = {
    "capacity": 60,
    "power": 11,
    "charge_sensor": "sensor.car",
    "target": 80,
    "lowest_charge": 20,
}


def of(**changes: Any) -> LoadSettings:
    """Return the settings of a car."""
    return LoadSettings.of(
        {key: value for key, value in (DATA | changes).items() if value is not None}
    )


def car_of(one: LoadSettings) -> Car:
    """Return the car of a load."""
    assert one.car
    return one.car


def percent(amount: float, at: datetime = NOW) -> Readings:
    """Return readings with a charge in percent."""
    return Readings(charge=Charge(amount=amount, is_energy=False, at=at, seen=at))


def ran_in(*runs: tuple[float, float], now: datetime = NOW) -> RunTime:
    """Return the run time of a task with these runs (hours from now)."""
    task = Task(
        opens=NOW - 90 * HOUR,
        closes=NOW + 90 * HOUR,
        runs=tuple(
            Run(start=NOW + first * HOUR, end=NOW + last * HOUR) for first, last in runs
        ),
    )
    return lambda since: task.time_run(now, since)


NEVER = ran_in()


def test_fixed_need() -> None:
    """It is the duration, or that of the energy, less what has run; no sensor counts."""
    washer = LoadSettings.of({"duration": {"hours": 2}})
    assert left(washer, Readings(), NEVER) == 2 * HOUR
    assert left(washer, percent(50), ran_in((-1.5, -1))) == 1.5 * HOUR
    assert left(washer, Readings(), ran_in((-3, 0))) == timedelta()
    boiler = LoadSettings.of({"energy": 6, "power": 2})
    assert left(boiler, Readings(), ran_in((-1, 0))) == 2 * HOUR
    assert tolerance(washer) == urgent(washer, Readings(), NEVER) == timedelta()
    assert not needs_recharge(washer, Readings(), NEVER)


def test_need_of_a_car_includes_losses() -> None:
    """30 % of 60 kWh are 18 kWh, for which the meter counts 20 kWh."""
    assert left(of(power=10), percent(50), NEVER) == 2 * HOUR
    energy = Charge(amount=18, is_energy=True, at=NOW, seen=NOW)
    assert left(of(power=10), Readings(charge=energy), NEVER) == 2 * HOUR
    assert left(of(), percent(90), NEVER) == timedelta()


def test_a_charge_that_was_never_read() -> None:
    """The car is assumed to be empty, but this alone does not make it charge at once."""
    assert left(of(power=10), Readings(), NEVER) == timedelta(hours=5, minutes=20)
    assert left(of(power=10), Readings(), ran_in((-5, 0))) == timedelta(minutes=20)
    assert urgent(of(), Readings(), NEVER) == timedelta()
    assert not needs_recharge(of(), Readings(), NEVER)


def test_the_target_of_an_entity() -> None:
    """It counts if it was ever read; otherwise the number does, and without that a full battery."""
    elsewhere = of(target_entity="number.target", power=10)
    assert left(elsewhere, replace(percent(50), target=65.0), NEVER) == HOUR
    assert left(elsewhere, percent(50), NEVER) == 2 * HOUR
    without = of(target_entity="number.target", target=None, power=9)
    assert left(without, percent(86.5), NEVER) == HOUR
    assert left(of(power=10), replace(percent(50), target=100.0), NEVER) == 2 * HOUR


def test_below_the_lowest_charge() -> None:
    """Below its lowest charge, a car is charged at once past it, but not beyond the target."""
    assert urgent(of(power=10), percent(6.5), NEVER) == HOUR
    half = ran_in((-1, 1), now=NOW + HOUR / 2)
    assert urgent(of(power=10), percent(6.5), half) == HOUR / 2
    assert urgent(of(), percent(20), NEVER) == timedelta()
    low = of(lowest_charge=80)
    assert urgent(low, percent(79), NEVER) == left(low, percent(79), NEVER)
    entity = of(target_entity="number.target", lowest_charge=60)
    assert urgent(entity, replace(percent(50), target=40.0), NEVER) == timedelta()
    assert urgent(of(lowest_charge=None), percent(0), NEVER) == timedelta()


CHARGES = st.floats(0, 100)
RUNS = st.lists(st.floats(-20, 20), max_size=6).map(
    lambda edges: tuple(zip(*[iter(sorted(edges))] * 2, strict=False))
)


@CASES
@given(first=CHARGES, second=CHARGES, runs=RUNS, energy=st.booleans(), age=CHARGES)
def test_expected_reports_change_nothing(first, second, runs, energy, age) -> None:
    """Readings are kept or replaced; either way the need is off by no more than the tolerance."""
    one, ran = of(), ran_in(*runs)
    car = car_of(one)
    before = percent(first, NOW - age / 10 * HOUR)
    amount = second / 100 * car.capacity if energy else second
    seen = Charge(amount=amount, is_energy=energy, at=NOW, seen=NOW)
    after = with_charge(car, before, seen, NOW, ran)
    assert after in (before, replace(before, charge=seen))
    exact = left(one, replace(before, charge=seen), ran)
    second_more = timedelta(seconds=1)
    assert abs(left(one, after, ran) - exact) <= car.time_for(TOLERANCE) + second_more
    assert with_charge(car, after, seen, NOW, ran) == after
    assert bool(exact) or not left(one, after, ran)


@CASES
@given(amount=CHARGES, runs=RUNS, later=st.floats(0, 20), energy=st.booleans())
def test_bridging_counts_every_run_once(amount, runs, later, energy) -> None:
    """A charge that is projected to the end of a task implies the same need then and later."""
    one = of(target=100)
    car = car_of(one)
    charge = Charge(amount=amount, is_energy=energy, at=NOW - 9 * HOUR, seen=NOW)
    if energy:
        charge = replace(charge, amount=amount / 100 * car.capacity)
    before = Readings(charge=charge)
    moved = extrapolated(car, before, NOW, ran_in(*runs))
    assert moved.charge
    assert moved.charge.seen == charge.seen
    then = ran_in(*runs, now=NOW + later * HOUR)
    assert left(one, moved, then) == pytest.approx(
        left(one, before, then), abs=timedelta(seconds=1)
    )
    assert left(one, moved, then) <= left(one, moved, ran_in(*runs))


def test_a_silent_sensor() -> None:
    """Charging since the last reading is counted, until that reading is too old."""
    one = of(power=10)
    car, old = car_of(one), percent(50, NOW - 2 * HOUR)
    ran = ran_in((-1, 0))
    assert with_charge(car, old, None, NOW, ran) == old
    assert left(one, old, ran) == HOUR
    ancient = percent(50, NOW - 49 * HOUR)
    assert with_charge(car, ancient, None, NOW, ran) == Readings()


def test_which_readings_are_news() -> None:
    """Jitter of one percent is not; a larger change, reaching the target or lowest charge, and elapsed time are."""
    car = car_of(of())

    def is_news(before: float, amount: float, minutes: float = 1) -> bool:
        old = percent(before, NOW - timedelta(minutes=minutes))
        seen = Charge(amount=amount, is_energy=False, at=NOW, seen=NOW)
        return with_charge(car, old, seen, NOW, NEVER) != old

    assert not is_news(45, 46)
    assert not is_news(46, 45)
    assert is_news(45, 47)
    assert is_news(45, 46, minutes=16)
    assert not is_news(45, 45, minutes=16)
    assert is_news(45, 45, minutes=13 * 60)
    assert is_news(79.5, 80)
    assert not is_news(80, 79.5)
    assert is_news(20, 19.9)
    assert not is_news(19.9, 20)
    assert is_news(45, 45, minutes=-5)


def test_a_car_that_was_driven_again() -> None:
    """It is charged again once it is a few percent below its target."""
    assert needs_recharge(of(), percent(80 - RECHARGE_BELOW - 0.1), NEVER)
    assert not needs_recharge(of(), percent(80 - RECHARGE_BELOW), NEVER)


@pytest.mark.parametrize(
    ("text", "unit", "amount"),
    [
        ("45", "%", 45),
        ("45.5", None, 45.5),
        (" 0 ", "%", 0),
        ("100", "%", 100),
        ("100.1", "%", None),
        ("-0.1", "%", None),
        ("18", "kWh", 18),
        ("18000", "Wh", 18),
        ("60.1", "kWh", None),
        ("45", "km", None),
        ("45", ["%"], None),
        *((text, "%", None) for text in ("", "unknown", "unavailable", "45 %", "4 5")),
        *((text, "%", None) for text in ("nan", "inf", "-inf", "1e999", "\ud83d")),
    ],
)
def test_states_of_a_charge(text, unit, amount) -> None:
    """A state is a percentage, or the missing energy in kWh or Wh; anything else is ignored."""
    charge = read_charge(car_of(of()), text, unit, NOW)
    assert (charge and charge.amount) == amount
    if charge:
        assert charge.is_energy == (unit in ("kWh", "Wh"))


@CASES
@given(text=st.text(st.characters(codec=None)) | st.floats().map(str))
def test_any_state(text) -> None:
    """Any state yields a plausible charge and target, or none."""
    for unit in ("%", "kWh", "Wh", None):
        charge = read_charge(car_of(of()), text, unit, NOW)
        assert charge is None or 0 <= charge.amount <= 100
    target = read_target(text)
    assert target is None or 0 < target <= 100


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"capacity": None}, "no_capacity"),
        ({"capacity": 0}, "no_capacity"),
        ({"capacity": float("nan")}, "no_capacity"),
        ({"power": None}, "no_power"),
        ({"charge_sensor": None}, "no_charge_sensor"),
        ({"charge_sensor": ""}, "no_charge_sensor"),
        ({"target": None}, "no_target"),
        ({"target": 0}, "target_out_of_range"),
        ({"target": 101}, "target_out_of_range"),
        ({"lowest_charge": 81}, "lowest_above_target"),
        ({"lowest_charge": -1}, "lowest_above_target"),
    ],
)
def test_contradicting_settings_of_a_car(changes, error) -> None:
    """Settings of a car that contradict themselves are refused."""
    with pytest.raises(ValueError, match=f"^{error}$"):
        of(**changes)


def test_settings_of_a_car() -> None:
    """By default a car may pause, and may need more than its window when empty; other loads have no car."""
    one = of(power=2.3, start="22:00:00", end="06:00:00")
    assert not one.contiguous
    assert one.energy is None
    assert of(contiguous=True).contiguous
    assert LoadSettings.of({"duration": {"hours": 1}}).car is None
    assert of(plugged_sensor="binary_sensor.plug").request_sensor is None
    asked = of(plugged_sensor="binary_sensor.plug", repeat="on_demand")
    assert asked.request_sensor == "binary_sensor.plug"
    by_hand = of(
        plugged_sensor="binary_sensor.plug",
        ask_sensor="input_boolean.car",
        repeat="on_demand",
    )
    assert by_hand.request_sensor == "input_boolean.car"


def reports(
    one: LoadSettings,
    *amounts: tuple[float, float],
    run: tuple[float, float] = (0, 9),
    is_energy: bool = False,
) -> Readings:
    """Return the readings after a sensor has reported amounts, given as (minutes from now, amount)."""
    readings = Readings()
    for minute, amount in amounts:
        at = NOW + minute * timedelta(minutes=1)
        seen = Charge(amount=amount, is_energy=is_energy, at=at, seen=at)
        readings = with_charge_rate(car_of(one), readings, seen, ran_in(run, now=at))
    return readings


def power_of(one: LoadSettings, readings: Readings) -> float:
    """Return the power with which a car is planned."""
    return at_measured_power(car_of(one), readings).power


def test_a_car_that_charges_slowly() -> None:
    """After half an hour of charging, the car is planned with the power that its charge shows."""
    one = of(power=10)
    # 15 % of 60 kWh per hour are 10 kW; this car takes half of that.
    assert power_of(one, reports(one, (0, 40), (8, 41), (16, 42))) == 10
    slow = reports(one, (0, 40), (8, 41), (32, 44))
    assert 5 <= power_of(one, slow) <= 7
    slow = reports(one, *((minute, 40 + minute // 8) for minute in range(0, 240, 4)))
    assert 5 <= power_of(one, slow) <= 5.5
    later = replace(slow, charge=percent(50).charge)
    assert 3.6 * HOUR < left(one, later, ran_in((-6, -3))) <= 4 * HOUR
    energy = reports(
        one,
        *((minute, 40 - minute * 0.075) for minute in range(0, 240, 7)),
        is_energy=True,
    )
    assert 5 <= power_of(one, energy) <= 5.5


def test_reports_without_a_clue_to_the_power() -> None:
    """Rare reports, time without a run, a drive, the end of a charge, and rounding do not distort the power."""
    one = of(power=10)
    hourly = ((minute, 20 + 15 * (minute // 60)) for minute in range(240))
    assert power_of(one, reports(one, *hourly)) == pytest.approx(10, abs=0.5)
    assert power_of(one, reports(one, (0, 40), (300, 42), run=(-9, -8))) == 10
    assert power_of(one, reports(one, (0, 60), (200, 30), (220, 35))) == 10
    assert power_of(one, reports(one, (0, 91), (60, 92), (120, 93))) == 10
    whole = ((minute, float(int(40.9 + minute / 4))) for minute in range(120))
    assert power_of(one, reports(one, *whole)) == pytest.approx(10, abs=0.01)
    assert power_of(one, reports(one, (0, 40), (500, 41))) == pytest.approx(1)
    stored = reports(one, (0, 40), (40, 43))
    assert decode(Readings, encode(stored)) == stored
    since = Charge(amount=40, is_energy=False, at=NOW, seen=NOW)
    assert stored.pace is not None
    assert replace(stored.pace, power=None) == ChargeRate(since=since, amount=43)
    assert stored.pace.power == pytest.approx(4)
