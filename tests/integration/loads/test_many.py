"""Test of a house with twenty loads: they do not block the event loop in one piece."""

import asyncio
from collections import defaultdict
from datetime import UTC, datetime

import pytest

from benchmarks.hub import add_loads
from benchmarks.monitors import States
from benchmarks.publication import loads
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from tests.integration.helpers import Advance
from tests.integration.loads.helpers import QUARTER

pytestmark = pytest.mark.usefixtures("german_hub")

LOADS = 20


class Callbacks:
    """Records which loads write states in each callback of the event loop."""

    def __init__(self, hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
        """Record from now on."""
        self.loads: defaultdict[int, set[str]] = defaultdict(set)
        self._registry = er.async_get(hass)
        self._begun, self._current = 0, [0]
        run = asyncio.Handle._run

        def counted(handle: asyncio.Handle) -> None:
            self._begun += 1
            self._current.append(self._begun)
            run(handle)
            self._current.pop()

        monkeypatch.setattr(asyncio.Handle, "_run", counted)
        hass.bus.async_listen(EVENT_STATE_CHANGED, self._written)

    @callback
    def _written(self, event: Event[EventStateChangedData]) -> None:
        entry = self._registry.async_get(event.data["entity_id"])
        if entry is not None and entry.config_subentry_id is not None:
            self.loads[self._current[-1]].add(entry.config_subentry_id)


async def test_a_callback_for_each_load(
    hass: HomeAssistant, nomos, linked, advance: Advance, monkeypatch
) -> None:
    """When prices arrive, every load is planned in callbacks of its own, and no unchanged state is written."""
    hass.states.async_set("sensor.charge", "30", {"unit_of_measurement": "%"})
    hass.states.async_set("binary_sensor.plugged", "on")
    entry = await linked()
    add_loads(hass, entry, dict(loads(LOADS)))
    await hass.async_block_till_done(wait_background_tasks=True)
    for load in entry.runtime_data.loads.all.values():
        load.async_switch(on=True)
    await hass.async_block_till_done(wait_background_tasks=True)
    [prices] = entry.runtime_data.prices.values()
    before, requests = prices.data.horizon, len(nomos.requests)
    callbacks, states = Callbacks(hass, monkeypatch), States()
    with states.watching(hass):
        while prices.data.horizon == before:
            assert datetime.now(UTC).hour < 14
            await advance(QUARTER)
    written = [found for found in callbacks.loads.values() if found]
    assert max(map(len, written)) == 1
    assert len(set().union(*written)) == LOADS
    assert not states.in_vain.total()
    kinds = [one.kind for one in nomos.requests[requests:]]
    assert kinds.count("prices") <= 2
