"""The model of a hub that fleets are played with, against the integration itself."""

from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.fleet.api import DAY, NOON, Closure, Question, Scenario, at_time, clock
from benchmarks.fleet.simulation import play
from homeassistant.core import HomeAssistant
from tests.integration.helpers import Advance

KINDS = {
    Question.TOKEN: "token",
    Question.SUBSCRIPTIONS: "subscriptions",
    Question.PRICES: "prices",
    Question.USAGE: "usage",
}
STEP = timedelta(seconds=30)
BEGIN = NOON.astimezone(UTC)


def day(published, *closures):
    """Return a day to play."""
    return Scenario(name="x", title="x", published=published, closures=closures)


@pytest.mark.parametrize(
    "scenario",
    [
        day(at_time(12, 57)),
        day(at_time(15, 20)),
        day(None),
        day(at_time(12, 57), Closure(begin=at_time(13, 30), end=at_time(14, 30))),
    ],
    ids=["early", "late", "never", "outage"],
)
async def test_hub_asks_as_its_model_does(
    hass: HomeAssistant, nomos, linked, advance: Advance, scenario
) -> None:
    """From noon to noon the same requests of each kind.

    In a night without prices their number is a matter of dice. And where timers that are a second apart go off in one
    step of the test's clock, they share a refresh that fails; the model has each try for itself.
    """
    entry = await linked()
    await advance(BEGIN + timedelta(days=1) - datetime.now(UTC))
    begin = BEGIN + timedelta(days=1)
    tomorrow = begin.date() + timedelta(days=1)
    published = scenario.published
    nomos.configure(
        publications={
            tomorrow: "never" if published is None else clock(published)[:5],
        }
    )
    for closure in scenario.closures:
        first, last = (
            begin + timedelta(seconds=second) for second in (closure.begin, closure.end)
        )
        nomos.faults.add(kind="status", status=503, between=(first, last))
    count = len(nomos.requests)
    while datetime.now(UTC) < begin + timedelta(seconds=DAY):
        await advance(STEP)
    asked = nomos.requests[count:]
    phase = entry.runtime_data.account.phase
    model = play(scenario, 1, phases=[phase])
    for question, kind in KINDS.items():
        counts = model.kinds[question].counts
        assert sum(one.kind == kind for one in asked) == pytest.approx(
            sum(counts), abs=1 if scenario.closures else 0 if published else 2
        ), kind
