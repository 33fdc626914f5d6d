"""Switches the devices of a load: on when a run begins, off when it ends."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from .device import Device, DeviceStatus
from .plan import DeviceMemory

if TYPE_CHECKING:
    from .load import Load


class Control:
    """Keeps the devices of one load in line with its runs."""

    def __init__(
        self, hass: HomeAssistant, load: Load, memory: Mapping[str, DeviceMemory]
    ) -> None:
        """Belong to a load. ``memory`` is what was known before a restart."""
        self.devices: dict[str, Device] = {}
        self.memory = memory
        """State of the devices to restore after a restart."""
        self._hass, self._load = hass, load
        self._last_request: tuple[bool, int] | None = None
        self._waiting: asyncio.Task[None] | None = None

    @callback
    def async_stop(self) -> None:
        """Stop; the devices stay as they are."""
        if self._waiting is not None:
            self._waiting.cancel()
        while self.devices:
            _, device = self.devices.popitem()
            device.async_stop()

    @callback
    def async_rename(self, old: str, new: str) -> None:
        """Follow a device under its new entity id."""
        if (device := self.devices.pop(old, None)) is not None:
            device.async_stop()
            self._add(new, device.memory)

    @property
    def counts(self) -> dict[str, int]:
        """Return the number of devices by status, without names, for diagnostics."""
        devices = self.devices.values()
        return {
            "devices": len(devices),
            "obey": sum(one.status is DeviceStatus.IN_LINE for one in devices),
            "left_alone": sum(one.status is DeviceStatus.LEFT_ALONE for one in devices),
            "reported": sum(one.reported for one in devices),
            "commands": sum(one.commands for one in devices),
        }

    @callback
    def async_follow(self) -> None:
        """Update the devices from the load. If it is being planned, wait: no device should switch in between."""
        load = self._load
        if load.plan_maker.planning_task:
            if self._waiting is None:
                self._waiting = load.entry.async_create_background_task(
                    self._hass,
                    self._async_wait(),
                    f"{DOMAIN} wait for a plan",
                    eager_start=False,
                )
            return
        for gone in self.devices.keys() - {*load.settings.devices}:
            self.devices.pop(gone).async_stop()
        task, run = load.task, None
        if task is not None and (current := task.run_at(dt_util.utcnow())):
            run = current.start
        # Asking for a plan or pressing Start now hands the devices back to the load.
        before, self._last_request = (
            self._last_request,
            (load.is_on, load.override_count),
        )
        override = before is not None and (
            load.override_count > before[1] or (load.is_on and not before[0])
        )
        for entity_id in load.settings.devices:
            if entity_id not in self.devices:
                self._add(entity_id, self.memory.get(entity_id))
        for device in list(self.devices.values()):
            device.async_follow(run, override=override)
        self._changed()

    def _add(self, entity_id: str, memory: DeviceMemory | None) -> None:
        self.devices[entity_id] = Device(
            self._hass, self._load, entity_id, memory, self._changed
        )

    async def _async_wait(self) -> None:
        await self._load.plan_maker.async_wait()
        self._waiting = None
        self.async_follow()

    @callback
    def _changed(self) -> None:
        """Store the devices' state, and report to the load whether they obey."""
        memory = {key: device.memory for key, device in self.devices.items()}
        before = self.memory, self._load.meter.stored_ledger
        self.memory = memory
        obeyed = not any(device.reported for device in self.devices.values())
        idle = [device.idle for device in self.devices.values()]
        self._load.async_report_devices(
            obey=obeyed, idle=True if True in idle else None if None in idle else False
        )
        if before != (memory, self._load.meter.stored_ledger):
            self._load.async_save()
