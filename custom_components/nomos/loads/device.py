"""One device of a load: it is commanded until it obeys, and left alone if somebody else switches it."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum, auto
import logging
from typing import TYPE_CHECKING, Final

from homeassistant.const import (
    ATTR_ENTITY_ID,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import (
    CALLBACK_TYPE,
    Context,
    Event,
    EventStateChangedData,
    HassJob,
    HomeAssistant,
    State,
    callback,
    split_entity_id,
)
from homeassistant.helpers.event import async_call_later, async_track_state_change_event
from homeassistant.util import dt as dt_util

from ..api import harmless_text
from ..const import DOMAIN
from ..issues import Issue, async_report
from .plan import DeviceMemory
from .settings import PRESETS

if TYPE_CHECKING:
    from .load import Load

_LOGGER = logging.getLogger(__name__)

_SCRIPT: Final = "script"
"""Scripts are started for a run, and never stopped."""

RETRY_DELAYS: Final = (10, 20, 40, 80, 160)
"""Seconds to wait after each command before it is repeated; after the last one, the device is reported."""

COMMAND_EFFECT_TIME: Final = timedelta(seconds=35)
"""How long after a command a state change may still be its effect: most polled devices are polled every 30 s."""

_REMEMBERED_COMMANDS: Final = 8
"""How many of our own commands are remembered, to recognise their effects."""


class DeviceStatus(Enum):
    """Whether a device is in line with its load."""

    IN_LINE = auto()
    """It is in the state that the load wants."""
    AWAITED = auto()
    """It was commanded, or will be as soon as it is available."""
    LEFT_ALONE = auto()
    """It was switched by hand, and is left alone until the next start or end of a run."""


class Device:
    """One entity that a load switches.

    It is commanded at every start and end of a run, and again when it becomes available or has not obeyed.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        load: Load,
        entity_id: str,
        memory: DeviceMemory | None,
        changed: Callable[[], None],
    ) -> None:
        """Follow the entity. ``memory`` was stored before a restart; ``changed`` is called on every change."""
        self.status = DeviceStatus.AWAITED
        self.commands = 0
        """Number of commands since Home Assistant started."""
        self.reported = False
        """Whether an issue reports that it does not obey."""
        self.idle: bool | None = None
        """Whether its last known state is not what the current run needs; None if no state is known."""
        self.entity_id = entity_id
        self._domain = split_entity_id(entity_id)[0]
        self._hass, self._load, self._changed = hass, load, changed
        if memory is None:
            # A device that is on while its load is off was switched on by somebody else.
            memory = DeviceMemory(by_hand=not load.is_on)
        self.memory = memory
        self._target: str | None = None
        self._attempts = 0
        self._started = True
        """Whether the script was started for the current run."""
        self._preset_is_known = memory.preset is not None
        """Whether the preset to restore after the current run has been looked up."""
        self._contexts: deque[str] = deque(maxlen=_REMEMBERED_COMMANDS)
        self._commanded_at: datetime | None = None
        self._call: asyncio.Task[None] | None = None
        self._unsub_timer: CALLBACK_TYPE | None = None
        self._unsub_states = async_track_state_change_event(
            hass, entity_id, self._state_changed
        )

    @callback
    def async_follow(self, run: datetime | None, *, override: bool) -> None:
        """Follow the load. ``run`` is the start of its current run; ``override`` ends what was switched by hand."""
        if run != self.memory.run or override:
            if run != self.memory.run:
                self._started = self._preset_is_known = False
                # Until its state changes, it has not reacted to the run.
                self.idle = run is not None
            self.memory = replace(self.memory, run=run, by_hand=False)
            self._target = self._target_value()
            self._start()
            return
        before, self._target = self._target, self._target_value()
        if self._target != before or not self._is_busy():
            self._bring_into_line()

    @callback
    def async_stop(self) -> None:
        """Stop following the entity, and leave it as it is."""
        self._unsub_states()
        self._cancel()
        self._report(present=False)

    def _target_value(self) -> str | None:
        """Return the state or preset that the entity should have; None if the load does not care."""
        running, settings = self.memory.run is not None, self._load.settings
        if self._domain == _SCRIPT:
            return STATE_ON if running else None
        if self._domain not in PRESETS:
            return STATE_ON if running else STATE_OFF
        if running:
            return settings.preset_on
        return settings.preset_off or self.memory.preset

    def _value(self, state: State | None) -> str | None:
        """Return the state or preset that commands set; None if it is unknown."""
        if state is None or state.state in {STATE_UNAVAILABLE, STATE_UNKNOWN}:
            return None
        if self._domain in PRESETS:
            value = state.attributes.get(PRESETS[self._domain].attribute)
            return value if isinstance(value, str) else None
        return state.state

    def _is_in_line(self) -> bool:
        if self._target is None:
            return True
        if self._domain == _SCRIPT:
            return self._started
        return self._value(self._state) == self._target

    @property
    def _state(self) -> State | None:
        return self._hass.states.get(self.entity_id)

    def _is_busy(self) -> bool:
        """Return whether a command is pending, or all of them have failed."""
        return self._unsub_timer is not None or self.reported

    @callback
    def _state_changed(self, event: Event[EventStateChangedData]) -> None:
        """Distinguish changes by others from the effects of our commands."""
        old, new = event.data["old_state"], event.data["new_state"]
        if self._value(new) is None:
            self._became_unavailable()
        elif self._value(old) is None:
            if self.status is not DeviceStatus.LEFT_ALONE:
                self._bring_into_line()
        elif self._is_in_line():
            self._obeyed()
        elif self._value(old) == self._value(new) or self._domain == _SCRIPT:
            return
        elif not self._is_own_effect(event):
            self._leave_alone()
        elif self.status is DeviceStatus.IN_LINE:
            # It seemed to obey, but changed back: command it again while attempts are left.
            self._set_status(DeviceStatus.AWAITED)
            if self._unsub_timer is None:
                self._attempt()

    def _is_own_effect(self, event: Event[EventStateChangedData]) -> bool:
        """Return whether a change is an effect of our commands, and not somebody's wish.

        A polled entity may show the commanded state for a while, and then its real one.
        """
        context, at = event.context, self._commanded_at
        if context.id in self._contexts:
            return True
        by_somebody = context.user_id is not None or context.parent_id is not None
        if by_somebody or at is None:
            return False
        return timedelta() <= event.time_fired - at <= COMMAND_EFFECT_TIME

    def _became_unavailable(self) -> None:
        """Wait for the entity to come back; during a run, report it if that takes too long."""
        if self.status is DeviceStatus.LEFT_ALONE:
            return
        obeyed = self.status is DeviceStatus.IN_LINE
        self._set_status(DeviceStatus.AWAITED)
        if self.memory.run is None:
            if obeyed:
                self._cancel_timer()
        elif not self._is_busy():
            self._attempts = 0
            self._attempt()

    def _bring_into_line(self) -> None:
        """Command the entity if its state is wrong and was not set by hand."""
        if self._is_in_line():
            self._obeyed()
        elif self.memory.by_hand:
            self._leave_alone()
        else:
            self._set_status(DeviceStatus.AWAITED)
            if self._is_available() or self.memory.run is not None:
                if self._unsub_timer is None:
                    self._attempts = 0
                self._attempt()

    def _start(self) -> None:
        """Command the entity even if its state looks right: some do not know their real state."""
        self._cancel()
        self._attempts = 0
        self._set_status(DeviceStatus.AWAITED)
        started = self._domain == _SCRIPT and self._started
        if self._target is not None and not started:
            self._send()
        if self._is_in_line():
            self._obeyed()

    @callback
    def _attempt(self, _now: datetime | None = None) -> None:
        """Command the entity if it has not obeyed; report it after the last attempt."""
        self._cancel_timer()
        if self._is_in_line():
            self._obeyed()
        elif self._attempts < len(RETRY_DELAYS):
            self._send()
        else:
            _LOGGER.debug("Load %s: a device does not obey", self._load.number)
            self._report(present=True)
            self._changed()

    def _send(self) -> None:
        """Command the entity if it is available, and schedule a check."""
        self._unsub_timer = async_call_later(
            self._hass,
            RETRY_DELAYS[self._attempts],
            HassJob(self._attempt, cancel_on_shutdown=True),
        )
        self._attempts += 1
        if self._is_available():
            self._command()

    def _is_available(self) -> bool:
        state = self._state
        return state is not None and state.state != STATE_UNAVAILABLE

    def _command(self) -> None:
        """Call the action that sets the wanted state or preset."""
        assert self._target is not None
        data = {ATTR_ENTITY_ID: self.entity_id}
        if self._domain in PRESETS:
            self._remember_preset()
            service, attribute = PRESETS[self._domain]
            data[attribute] = self._target
        else:
            service = f"turn_{self._target}"
        context = Context()
        self._contexts.append(context.id)
        self._commanded_at = dt_util.utcnow()
        self.commands += 1
        if self._call is not None:
            self._call.cancel()
        self._call = self._load.entry.async_create_background_task(
            self._hass,
            self._async_call(service, data, context),
            f"{DOMAIN} command to a device",
            eager_start=False,
        )

    def _remember_preset(self) -> None:
        """Remember the preset that the entity had before the run."""
        if self.memory.run is None or self._preset_is_known:
            return
        self._preset_is_known = True
        preset = self._value(self._state)
        if preset not in {None, self._target} and harmless_text(preset) == preset:
            self.memory = replace(self.memory, preset=preset)
            self._changed()

    async def _async_call(
        self, service: str, data: dict[str, str], context: Context
    ) -> None:
        try:
            await self._hass.services.async_call(
                self._domain, service, data, blocking=True, context=context
            )
        except Exception as err:  # noqa: BLE001  an integration may raise anything
            _LOGGER.debug(
                "Load %s: a device refused a command: %s",
                self._load.number,
                type(err).__name__,
            )
            return
        if self._domain == _SCRIPT:
            self._started = True
            self._obeyed()

    def _obeyed(self) -> None:
        """Note that the entity has obeyed; a pending check makes sure that it stays so."""
        memory = replace(self.memory, by_hand=False)
        if memory.run is None and memory.preset is not None:
            memory, self._target = replace(memory, preset=None), None
        self.memory = memory
        self._report(present=False)
        self._set_status(DeviceStatus.IN_LINE)

    def _leave_alone(self) -> None:
        """Leave the entity as somebody switched it, until the next start or end of a run."""
        self._cancel()
        self.memory = replace(self.memory, by_hand=True)
        self._report(present=False)
        self._set_status(DeviceStatus.LEFT_ALONE)

    def _set_status(self, status: DeviceStatus) -> None:
        self.status = status
        if self.memory.run is None:
            self.idle = False
        elif self._domain == _SCRIPT or self._value(self._state) is not None:
            self.idle = not self._is_in_line()
        self._changed()

    def _report(self, *, present: bool) -> None:
        if present == self.reported:
            return
        self.reported = present
        state = self._state
        async_report(
            self._hass,
            Issue.DEVICE_UNREACHABLE,
            f"{self._load.id} {self.entity_id}",
            self._load.name,
            present=present,
            device=state.name if state else self.entity_id,
            entity=self.entity_id,
        )

    def _cancel(self) -> None:
        self._cancel_timer()
        if self._call is not None:
            self._call.cancel()

    def _cancel_timer(self) -> None:
        if self._unsub_timer is not None:
            self._unsub_timer()
            self._unsub_timer = None
