"""Cheap periods and planned runs of loads as a calendar, for people and for automations."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import override

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
from .entity import signal_changed
from .prices.coordinator import PriceCoordinator
from .prices.entity import NomosEntity
from .pricing import PeriodKind, day_bounds, local_date, touching
from .runtime import NomosConfigEntry

PARALLEL_UPDATES = 0

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)

CHEAP = "calendar_cheap"
"""The translation key of cheap periods: it is among the exceptions, since events have no section."""

CALENDAR = CalendarEntityDescription(key="calendar", translation_key="calendar")

type _Event = tuple[datetime, datetime, str]
"""Start, end and summary. Most events are only compared, and a ``CalendarEvent`` takes thirty times as long."""


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NomosConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the calendars of all consumption contracts, including those that appear later."""
    texts = await async_get_translations(
        hass, hass.config.language, "exceptions", [DOMAIN]
    )
    summary = texts[f"component.{DOMAIN}.exceptions.{CHEAP}.message"]

    @callback
    def add(coordinator: PriceCoordinator) -> None:
        if not coordinator.contract.feeds_in:
            async_add_entities([NomosCalendar(coordinator, summary)])

    entry.runtime_data.async_each_contract(add)


class NomosCalendar(NomosEntity, CalendarEntity):
    """The events of one contract."""

    def __init__(self, coordinator: PriceCoordinator, summary: str) -> None:
        """Name cheap periods in the hub's language."""
        self._summary = summary
        self._attr_event: CalendarEvent | None = None
        super().__init__(coordinator, CALENDAR)

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """Return the current event or the next one."""
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
        """Return the events that overlap a range of time."""
        return [
            CalendarEvent(start, end, summary)
            for start, end, summary in self._events()
            if start < end_date and end > start_date
        ]

    @override
    def _read_value(self, now: datetime) -> object:
        coming = (event for event in self._events() if event[1] > now)
        first = min(coming, key=lambda event: event[0], default=None)
        self._attr_event = CalendarEvent(*first) if first else None
        return first

    def _events(self) -> Iterator[_Event]:
        """Yield the cheap periods of yesterday, today and tomorrow, and the runs of loads."""
        today = local_date(dt_util.utcnow())
        start, _ = day_bounds(today - _DAY)
        _, end = day_bounds(today + _DAY)
        periods = self.coordinator.levels.periods(PeriodKind.CHEAP)
        for period in touching(periods, start, end):
            yield from _split(period.start, period.end, self._summary)
        for load in self.coordinator.config_entry.runtime_data.loads.all.values():
            if load.coordinator is self.coordinator and load.plan is not None:
                for run in load.plan.runs:
                    yield from _split(run.start, run.end, load.name)


def _split(start: datetime, end: datetime, summary: str) -> Iterator[_Event]:
    """Yield an event, in two parts if the clock is set back during it.

    Home Assistant compares events by wall clock time, by which one could end before it starts.
    """
    hour = start.replace(minute=0, second=0, microsecond=0) + _HOUR
    # Most events are short, and a house with many loads has many.
    changes = _offset(start) != _offset(end)
    while changes and hour < end:
        if _offset(hour) < _offset(hour - _INSTANT):
            yield start, hour - _INSTANT, summary
            start = hour
        hour += _HOUR
    yield start, end, summary


def _offset(moment: datetime) -> timedelta:
    return dt_util.as_local(moment).utcoffset() or timedelta()
