"""Helpers for tests of forecasts: meters, the Energy dashboard and solar forecasts."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockModule,
    mock_integration,
    mock_platform,
)
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.nomos.pricing import TARIFF_ZONE
from homeassistant.components.energy.data import async_get_manager
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    async_add_external_statistics,
    async_import_statistics,
)
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

GRID = {
    "type": "grid",
    "stat_energy_from": "sensor.bought",
    "stat_energy_to": "sensor.sold",
    "cost_adjustment_day": 0.0,
}
SOLAR = {
    "type": "solar",
    "stat_energy_from": "sensor.roof",
    "config_entry_solar_forecast": None,
}
BATTERY = {
    "type": "battery",
    "stat_energy_from": "sensor.discharged",
    "stat_energy_to": "sensor.charged",
}


async def dashboard(hass: HomeAssistant, *sources: Mapping[str, Any]) -> None:
    """Set up the Energy dashboard with these sources."""
    assert await async_setup_component(hass, "energy", {})
    manager = await async_get_manager(hass)
    await manager.async_update({"energy_sources": [*sources]})  # type: ignore[typeddict-item]


type Energy = Callable[[datetime], float | None]
"""Maps the local start of an hour to its kWh; None if nothing is counted."""


async def meter(
    hass: HomeAssistant,
    name: str,
    end: datetime,
    energy: Energy,
    *,
    days: int = 30,
    unit: str = "kWh",
) -> None:
    """Write long-term statistics of a meter for some days up to an instant."""
    start = end.replace(minute=0, second=0, microsecond=0) - days * DAY
    total, rows = 0.0, []
    for index in range(days * 24):
        at = start + index * HOUR
        if (kwh := energy(at.astimezone(TARIFF_ZONE))) is not None:
            total += kwh
            rows.append(StatisticData(start=at, state=total, sum=total))
    outside = ":" in name
    metadata = StatisticMetaData(
        mean_type=StatisticMeanType.NONE,
        has_sum=True,
        name=None,
        source=name.partition(":")[0] if outside else "recorder",
        statistic_id=name,
        unit_class="energy",
        unit_of_measurement=unit,
    )
    write = async_add_external_statistics if outside else async_import_statistics
    write(hass, metadata, rows)
    await async_wait_recording_done(hass)


@dataclass
class Sun:
    """An integration with solar forecasts: the answers of its config entries, and how often each was asked."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: int = 0

    async def async_get_solar_forecast(
        self, _hass: HomeAssistant, entry_id: str
    ) -> Any:
        """Return the answer of an entry; if it is an exception, raise it, if an event, wait for it."""
        self.asked += 1
        answer = self.answers[entry_id]
        if isinstance(answer, asyncio.Event):
            await answer.wait()
        if isinstance(answer, BaseException):
            raise answer
        return answer


def add_sun(hass: HomeAssistant, *names: str, domain: str = "sunny") -> Sun:
    """Add an integration with solar forecasts, with a loaded config entry for each name."""
    sun = Sun()
    mock_integration(hass, MockModule(domain))
    mock_platform(hass, f"{domain}.energy", sun)
    for name in names:
        entry = MockConfigEntry(domain=domain, title=f"Roof {name}", entry_id=name)
        entry.add_to_hass(hass)
        entry.mock_state(hass, ConfigEntryState.LOADED)
    return sun


def bright(first: date, days: int, wh: float = 500) -> dict[str, Any]:
    """Return a forecast of the same energy in each hour from 6:00 to 20:00 local time."""
    return {
        "wh_hours": {
            datetime(
                day.year, day.month, day.day, hour, tzinfo=TARIFF_ZONE
            ).isoformat(): wh
            for day in (first + index * DAY for index in range(days))
            for hour in range(6, 21)
        }
    }


def light(local: datetime) -> bool:
    """Return whether there is solar power in an hour."""
    return 6 <= local.hour < 21


def per_day(starts: Iterable[datetime], energies: Iterable[float]) -> dict[date, float]:
    """Return the sum of energies by local day."""
    found: dict[date, float] = {}
    for start, energy in zip(starts, energies, strict=False):
        day = start.astimezone(TARIFF_ZONE).date()
        found[day] = found.get(day, 0.0) + energy
    return found
