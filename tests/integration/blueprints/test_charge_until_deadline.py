"""Tests of a car that is charged until a deadline."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from custom_components.nomos.planner import PlanRequest, plan
from homeassistant.core import HomeAssistant
from tests.integration.blueprints import (
    Relays,
    go_to,
    is_on,
    reload,
    save,
    settle,
    turn,
)
from tests.integration.blueprints.automations import car
from tests.integration.helpers import Advance
from tests.integration.loads.helpers import table_of

BERLIN = ZoneInfo("Europe/Berlin")
EVENING = datetime(2026, 6, 10, 16, tzinfo=UTC)
DEADLINE = datetime(2026, 6, 11, 7, tzinfo=BERLIN)
STEP = timedelta(minutes=5)
HALF_HOUR = timedelta(minutes=30)


def best(entry, need: timedelta, deadline: datetime = DEADLINE, **rules: Any):
    """Return the cheapest runs from now on."""
    asked: dict[str, Any] = {"contiguous": False, "min_run": HALF_HOUR, **rules}
    request = PlanRequest(datetime.now(UTC), deadline, need, power_kw=11, **asked)
    return plan(table_of(entry), request, datetime.now(UTC)).runs


def need(hass: HomeAssistant) -> float:
    """Return the remaining need, as the helper shows it."""
    return float(hass.states.get("input_number.need").state)


class Watch:
    """Compares the charger with the expected runs, and adds up how long it was on."""

    def __init__(self, hass: HomeAssistant, runs) -> None:
        """Expect these runs."""
        self.hass, self.runs, self.on = hass, runs, timedelta()

    def __call__(self, now: datetime) -> None:
        """Compare at this instant."""
        due = any(run.start <= now < run.end for run in self.runs)
        assert is_on(self.hass, "charger") == due, now
        self.on += STEP * due


@pytest.mark.parametrize("now", [EVENING])
@pytest.mark.parametrize("interruptible", [True, False])
@pytest.mark.parametrize("restart", [True, False])
async def test_a_night(
    hass: HomeAssistant, linked, advance: Advance, subscription, interruptible, restart
) -> None:
    """The charger is on at the cheapest times before the deadline, even across a reload during a run."""
    entry = await linked()
    # A new plan during a run has to keep the minimum run again; without a minimum, it is the same as before.
    shortest = timedelta() if restart else HALF_HOUR
    minutes = shortest.total_seconds() / 60
    await car(hass, subscription, interruptible=interruptible, min_run=minutes)
    assert not is_on(hass, "charger")
    await turn(hass, "plugged", "on")
    assert need(hass) == 22
    rules: dict[str, Any] = {"contiguous": not interruptible}
    rules["min_run"] = shortest if interruptible else timedelta()
    runs = best(entry, timedelta(hours=2), **rules)
    watch = Watch(hass, runs)
    watch(datetime.now(UTC))
    if restart:
        middle = runs[0].start + HALF_HOUR / 2
        await go_to(advance, middle, watch, STEP)
        await reload(hass, entry)
        await save(hass, itself=True)
        assert is_on(hass, "charger")
    await go_to(advance, DEADLINE.astimezone(UTC), watch, STEP)
    assert watch.on == timedelta(hours=2)
    assert need(hass) == pytest.approx(0, abs=0.01)
    await turn(hass, "plugged", "off")
    assert not is_on(hass, "charger")
    assert need(hass) == 22


@pytest.mark.parametrize("now", [EVENING])
async def test_restart_in_mid_run(
    hass: HomeAssistant, linked, advance: Advance, subscription
) -> None:
    """The charger stays on, although a new plan begins at the next multiple of five minutes at the earliest."""
    entry = await linked()
    await car(hass, subscription)
    await turn(hass, "plugged", "on")
    [run, *_] = best(entry, timedelta(hours=2))
    await go_to(advance, run.start + timedelta(minutes=17), None, STEP)
    since = hass.states.get("input_boolean.charger").last_changed
    await reload(hass, entry)
    await save(hass, itself=True)
    await advance(STEP)
    assert is_on(hass, "charger")
    assert hass.states.get("input_boolean.charger").last_changed == since
    await go_to(advance, DEADLINE.astimezone(UTC), None, STEP)
    assert need(hass) == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("now", [EVENING])
async def test_without_an_answer_when_the_run_is_due(
    hass: HomeAssistant, linked, advance: Advance, subscription
) -> None:
    """As long as there can be no new plan, the run of the last one is followed."""
    entry = await linked()
    await car(hass, subscription)
    await turn(hass, "plugged", "on")
    [run, *_] = best(entry, timedelta(hours=2))
    await go_to(advance, run.start - STEP, None, STEP)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await go_to(advance, run.end - STEP, Watch(hass, [run]), STEP)


@pytest.mark.parametrize("now", [EVENING])
async def test_switched_by_hand(
    hass: HomeAssistant, linked, advance: Advance, subscription
) -> None:
    """It is corrected within five minutes, and the missing charge is added later."""
    entry = await linked()
    await car(hass, subscription)
    await turn(hass, "plugged", "on")
    await turn(hass, "charger", "on")
    await advance(STEP)
    assert not is_on(hass, "charger")
    [run, *_] = best(entry, timedelta(hours=2))
    await go_to(advance, run.start + STEP, None, STEP)
    await turn(hass, "charger", "off")
    await advance(STEP)
    assert is_on(hass, "charger")
    await go_to(advance, DEADLINE.astimezone(UTC), None, STEP)
    assert need(hass) == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("now", [EVENING])
async def test_charger_that_is_on_when_plugged_in(
    hass: HomeAssistant, linked, advance: Advance, subscription
) -> None:
    """It does not count as a run of the plan, even for a load in one go and if it is switched off late."""
    entry = await linked()
    charger = Relays(hass, "charger")
    charger.turn("charger", "on")
    charger.troubles = [None]
    await car(hass, subscription, charger="switch.charger", interruptible=False)
    await turn(hass, "plugged", "on")
    assert hass.states.get("switch.charger").state == "off"
    [run] = best(entry, timedelta(hours=2), contiguous=True, min_run=timedelta())
    await go_to(advance, run.start - STEP, None, STEP)
    assert hass.states.get("switch.charger").state == "off"
    await go_to(advance, run.start + STEP, None, STEP)
    assert hass.states.get("switch.charger").state == "on"


@pytest.mark.parametrize("now", [EVENING])
async def test_charger_is_away_for_a_while(
    hass: HomeAssistant, linked, advance: Advance, subscription
) -> None:
    """An unavailable charger does not change the plan, and is corrected at once when it comes back."""
    entry = await linked()
    charger = Relays(hass, "charger")
    await car(hass, subscription, charger="switch.charger", usual_need=55)
    await turn(hass, "plugged", "on")
    [run, *_] = best(entry, timedelta(hours=5))
    await go_to(advance, run.start + STEP, None, STEP)
    begun = hass.states.get("automation.used").attributes["last_triggered"]
    charger.commands.clear()
    charger.turn("charger", "unavailable")
    await settle(hass)
    charger.turn("charger", "off")
    await settle(hass)
    assert charger.commands[-1] == "on"
    await advance(STEP)
    assert hass.states.get("switch.charger").state == "on"
    # A new plan does not know about the run.
    assert hass.states.get("automation.used").attributes["last_triggered"] == begun


@pytest.mark.parametrize("now", [datetime(2026, 2, 8, 18, 7, tzinfo=UTC)])
async def test_run_that_took_a_little_longer(
    hass: HomeAssistant, linked, advance: Advance, subscription
) -> None:
    """The remaining need is a little less than the remaining runs, which stay the same."""
    entry = await linked()
    await car(hass, subscription)
    await turn(hass, "plugged", "on")
    deadline = datetime(2026, 2, 9, 7, tzinfo=BERLIN)
    runs = best(entry, timedelta(hours=2), deadline)
    assert len(runs) == 3
    watch = Watch(hass, runs)
    await go_to(advance, runs[0].end + STEP, watch, STEP)
    await hass.services.async_call(
        "input_number",
        "set_value",
        {"entity_id": "input_number.need", "value": need(hass) - 0.02},
        blocking=True,
    )
    await go_to(advance, deadline.astimezone(UTC), watch, STEP)


@pytest.mark.parametrize("now", [datetime(2026, 6, 10, 6, tzinfo=UTC)])
async def test_plans_again_when_tomorrow_arrives(
    hass: HomeAssistant, linked, advance: Advance, subscription
) -> None:
    """Until then it plans with today's prices; then it plans the remaining need with those of the night."""
    entry = await linked()
    await car(hass, subscription, usual_need=66)
    await turn(hass, "plugged", "on")
    watch = Watch(hass, best(entry, timedelta(hours=6)))
    horizon = table_of(entry).horizon

    while table_of(entry).horizon == horizon:
        watch(datetime.now(UTC))
        await advance(STEP)
    left = need(hass)
    assert left < 66
    watch.runs = best(entry, timedelta(hours=left / 11))
    watch(datetime.now(UTC))
    await go_to(advance, DEADLINE.astimezone(UTC), watch, STEP)
    assert need(hass) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("now", [EVENING])
@pytest.mark.parametrize("missing", ["prices", "integration"])
async def test_without_a_plan(
    hass: HomeAssistant, linked, advance: Advance, subscription, missing: str
) -> None:
    """Without a plan it charges as late as possible, and is ready at the deadline."""
    entry = await linked()
    await car(hass, subscription)
    assert await hass.config_entries.async_unload(entry.entry_id)
    if missing == "integration":
        hass.services.async_remove("nomos", "plan")
    await turn(hass, "plugged", "on")
    latest = DEADLINE.astimezone(UTC) - timedelta(hours=2)
    await go_to(advance, latest - STEP, lambda _: _off(hass), STEP)
    await advance(STEP)
    assert is_on(hass, "charger")
    since = hass.states.get("input_boolean.charger").last_changed
    await go_to(advance, DEADLINE.astimezone(UTC) - STEP, None, STEP)
    assert hass.states.get("input_boolean.charger").last_changed == since
    await go_to(advance, DEADLINE.astimezone(UTC), None, STEP)
    assert not is_on(hass, "charger")
    assert need(hass) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("now", [EVENING])
@pytest.mark.parametrize("error", [False, True], ids=["turned off", "error"])
async def test_interrupted_run(
    hass: HomeAssistant, linked, advance: Advance, subscription, error: bool
) -> None:
    """Whatever happens to the run, the car is charged when time runs short."""
    await linked()
    await car(hass, subscription)
    if error:
        hass.services.async_remove("nomos", "plan")
    await turn(hass, "plugged", "on")
    if not error:
        for service in ("turn_off", "turn_on"):
            await hass.services.async_call(
                "automation", service, {"entity_id": "automation.used"}, blocking=True
            )
    assert hass.states.get("automation.used").attributes["current"] == 0
    latest = DEADLINE.astimezone(UTC) - timedelta(hours=2)
    await go_to(advance, latest, lambda _: _off(hass), STEP)
    await advance(STEP)
    assert is_on(hass, "charger")
    await go_to(advance, DEADLINE.astimezone(UTC) - STEP, None, STEP)
    assert is_on(hass, "charger")
    assert need(hass) < 2


def _off(hass: HomeAssistant) -> None:
    assert not is_on(hass, "charger")


@pytest.mark.parametrize("now", [EVENING])
async def test_need_that_the_car_reports(
    hass: HomeAssistant, linked, advance: Advance, subscription
) -> None:
    """A sensor in hours is only read; charging ends when it reports zero."""
    entry = await linked()
    hours = {"unit_of_measurement": "h"}
    hass.states.async_set("sensor.need", "2", hours)
    await car(hass, subscription, need="sensor.need")
    await turn(hass, "plugged", "on")
    runs = best(entry, timedelta(hours=2))
    await go_to(advance, runs[0].start, None, STEP)
    assert is_on(hass, "charger")
    hass.states.async_set("sensor.need", "0", hours)
    await advance(STEP)
    assert not is_on(hass, "charger")


@pytest.mark.parametrize("now", [EVENING])
async def test_plug_is_pulled(
    hass: HomeAssistant, linked, advance: Advance, subscription
) -> None:
    """The charger is off as soon as the car is unplugged."""
    entry = await linked()
    await car(hass, subscription)
    await turn(hass, "plugged", "on")
    runs = best(entry, timedelta(hours=2))
    await go_to(advance, runs[0].start + STEP, None, STEP)
    assert is_on(hass, "charger")
    await turn(hass, "plugged", "off")
    assert not is_on(hass, "charger")
    await go_to(advance, runs[-1].end, lambda _: _off(hass), STEP)
