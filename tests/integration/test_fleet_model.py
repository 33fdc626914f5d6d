"""The fleet simulation's model of a hub, compared with the integration itself."""

from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.fleet.api import (
    DAY,
    NOON,
    Closure,
    RequestKind,
    Scenario,
    at_time,
    clock,
)
from benchmarks.fleet.simulation import simulate
from homeassistant.core import HomeAssistant
from tests.integration.helpers import Advance

KINDS = {
    RequestKind.TOKEN: "token",
    RequestKind.SUBSCRIPTIONS: "subscriptions",
    RequestKind.PRICES: "prices",
    RequestKind.USAGE: "usage",
}
STEP = timedelta(seconds=30)
BEGIN = NOON.astimezone(UTC)


def day(published, *closures):
    """Return a day to simulate."""
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
async def test_hub_sends_the_requests_of_its_model(
    hass: HomeAssistant, nomos, linked, advance: Advance, scenario
) -> None:
    """From noon to noon, both send the same number of requests of each kind.

    In a night without prices, the number depends on chance. And timers that are a second apart, but fire in one step of
    the test's clock, share a refresh that fails, while in the model each tries on its own.
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
    model = simulate(scenario, 1, phases=[phase])
    for request, kind in KINDS.items():
        counts = model.kinds[request].counts
        assert sum(one.kind == kind for one in asked) == pytest.approx(
            sum(counts), abs=1 if scenario.closures else 0 if published else 2
        ), kind
