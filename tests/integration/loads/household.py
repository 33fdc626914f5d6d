"""A load with its device, for tests in which time passes, prices arrive and people press buttons."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
import logging
from types import MappingProxyType
from typing import Any, Final, cast

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nomos.codec import decode, encode
from custom_components.nomos.const import DOMAIN
from custom_components.nomos.loads.load import SUBENTRY_TYPE, Load
from custom_components.nomos.loads.plan import LoadMemory
from custom_components.nomos.prices.coordinator import PriceCoordinator
from custom_components.nomos.pricing import PriceTable
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import Context, HomeAssistant, ServiceCall
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from tests.integration.helpers import Advance

DEVICE: Final = "switch.device"

_HOUR: Final = timedelta(hours=1)


class House:
    """One load of an account with its control, device and prices."""

    def __init__(
        self,
        hass: HomeAssistant,
        advance: Advance,
        data: dict[str, Any],
        table: PriceTable,
    ) -> None:
        """Add and start the load."""
        self._hass, self._advance = hass, advance
        self._entry = MockConfigEntry(domain=DOMAIN)
        self._subentry = ConfigSubentry(
            data=MappingProxyType(data),
            subentry_type=SUBENTRY_TYPE,
            title="Load",
            unique_id=None,
        )
        self._prices: DataUpdateCoordinator[PriceTable] = DataUpdateCoordinator(
            hass, logging.getLogger(__name__), config_entry=self._entry, name="prices"
        )
        self._prices.async_set_updated_data(table)
        hass.states.async_set(DEVICE, STATE_OFF)
        for service in ("turn_on", "turn_off"):
            hass.services.async_register("switch", service, self._obey)
        self.commanded_at = datetime.min.replace(tzinfo=UTC)
        """The time of the last command to the device."""
        self._begin(LoadMemory(since=datetime.now(UTC)))

    def _begin(self, memory: LoadMemory) -> None:
        self.load = Load(self._hass, self._entry, self._subentry, memory, number=1)
        self.load.async_configure(
            self._subentry, cast("PriceCoordinator", self._prices)
        )

    async def _obey(self, call: ServiceCall) -> None:
        self.commanded_at = datetime.now(UTC)
        state = STATE_ON if call.service == "turn_on" else STATE_OFF
        self._hass.states.async_set(DEVICE, state, context=call.context)

    async def settle(self) -> None:
        """Wait until all tasks are done."""
        await self._hass.async_block_till_done(wait_background_tasks=True)

    async def restart(self) -> None:
        """Stop, and start again from the encoded memory, as if read from disk."""
        memory = self.load.memory
        self.stop()
        self._begin(decode(LoadMemory, encode(memory)))
        await self.settle()

    def stop(self) -> None:
        """Stop the load."""
        self.load.async_stop()

    async def publish(self, table: PriceTable) -> None:
        """Update the prices."""
        self._prices.async_set_updated_data(table)
        await self.settle()

    def by_hand(self) -> str:
        """Toggle the device as a person would; return its new state."""
        before = self.device
        state = STATE_OFF if before == STATE_ON else STATE_ON
        self._hass.states.async_set(DEVICE, state, context=Context(user_id="somebody"))
        return state

    @property
    def device(self) -> str:
        """Return the state of the device."""
        state = self._hass.states.get(DEVICE)
        assert state is not None
        return state.state

    def next_changes(self, now: datetime) -> Iterator[datetime]:
        """Yield the instants at which something may change by itself."""
        load = self.load
        yield now + _HOUR
        if load.plan_maker.replan_at is not None:
            yield load.plan_maker.replan_at
        if load.plan is not None and (change := load.plan.next_change(now)):
            yield change
        for task in filter(None, (load.task, load.previous_task)):
            yield task.closes
            yield from (run.end for run in task.runs)

    async def pass_time(self, until: datetime) -> None:
        """Advance to an instant; nothing changes by itself before it."""
        await self._advance(until - datetime.now(UTC))
