"""Cheap periods and planned runs of flexible loads as a calendar, for people and for other automations."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple, override

from homeassistant.components.calendar import (
    CalendarEntity,
    CalendarEntityDescription,
    CalendarEvent,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .loads.load import signal_changed
from .loads.manager import Loads
from .prices.coordinator import PriceCoordinator
from .prices.entity import NomosEntity
from .pricing import cheap_periods, local_date
from .runtime import NomosConfigEntry

PARALLEL_UPDATES = 0

_HOUR = timedelta(hours=1)
_INSTANT = timedelta(microseconds=1)

CHEAP = "calendar_cheap"
"""The text that names a cheap period: translations have no section for events, so it stands among the messages."""

CALENDAR = CalendarEntityDescription(key="calendar", translation_key="calendar")


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NomosConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the calendar of every subscription that consumes, also of those that appear later."""
    texts = await async_get_translations(
        hass, hass.config.language, "exceptions", [DOMAIN]
    )
    summary = texts[f"component.{DOMAIN}.exceptions.{CHEAP}.message"]

    @callback
    def add(coordinator: PriceCoordinator) -> None:
        if not coordinator.subscription.feeds_in:
            async_add_entities(
                [NomosCalendar(coordinator, entry.runtime_data.loads, summary)]
            )

    entry.runtime_data.async_each_subscription(add)


class _Stretch(NamedTuple):
    """What an event is made of: making one takes long, and most are only compared."""

    start: datetime
    end: datetime
    summary: str


class NomosCalendar(NomosEntity, CalendarEntity):
    """The events of one subscription."""

    def __init__(
        self, coordinator: PriceCoordinator, loads: Loads, summary: str
    ) -> None:
        """Take the loads of the account, and what a cheap period is called in the hub's language."""
        self._loads = loads
        self._summary = summary
        self._attr_event: CalendarEvent | None = None
        self._shown: _Stretch | None = None
        super().__init__(coordinator, CALENDAR)

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """Return the event that goes on or comes next."""
        return self._attr_event

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the loads as well as the prices."""
        await super().async_added_to_hass()
        self.async_on_remove(
            async_dispatcher_connect(
                self.hass,
                signal_changed(self.coordinator.config_entry.entry_id),
                self._handle_coordinator_update,
            )
        )

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return the events that touch a stretch of time."""
        return [
            CalendarEvent(*stretch)
            for stretch in self._stretches()
            if stretch.start < end_date and stretch.end > start_date
        ]

    @override
    def _read_value(self, now: datetime) -> bool:
        coming = (one for one in self._stretches() if one.end > now)
        first = min(coming, key=lambda one: one.start, default=None)
        if first == self._shown:
            return False
        self._shown = first
        self._attr_event = CalendarEvent(*first) if first else None
        return True

    def _stretches(self) -> Iterator[_Stretch]:
        """Yield cheap periods, joined across midnight, and runs."""
        today = local_date(dt_util.utcnow())
        days = (
            self.coordinator.day_levels(today + timedelta(days=offset))
            for offset in (-1, 0, 1)
        )
        for start, end in cheap_periods(days):
            yield from _on_the_clock(start, end, self._summary)
        for load in self._loads.all.values():
            if load.coordinator is not self.coordinator or load.plan is None:
                continue
            for run in load.plan.runs:
                yield from _on_the_clock(run.start, run.end, load.name)


def _on_the_clock(start: datetime, end: datetime, summary: str) -> Iterator[_Stretch]:
    """Yield a stretch of time, in two parts where the clock is set back in it.

    Home Assistant measures events by the clock on the wall, on which the stretch may end before it starts.
    """
    begin = start
    hour = start.replace(minute=0, second=0, microsecond=0) + _HOUR
    while hour < end:
        if _offset(hour) < _offset(hour - _INSTANT):
            yield _Stretch(begin, hour - _INSTANT, summary)
            begin = hour
        hour += _HOUR
    yield _Stretch(begin, end, summary)


def _offset(moment: datetime) -> timedelta:
    return dt_util.as_local(moment).utcoffset() or timedelta()
