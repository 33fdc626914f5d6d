"""Helpers for loads that use own solar power: forecasts, an account that uses them, and loads."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from custom_components.nomos.loads.planning import plan_load
from custom_components.nomos.planner import Run
from custom_components.nomos.planner.own_sun import OwnSun
from custom_components.nomos.pricing import TARIFF_ZONE
from homeassistant.core import HomeAssistant
from tests.integration.forecast.helpers import Sun, add_sun
from tests.integration.loads.helpers import put, shown

EVENING: dict[str, Any] = {
    "start": "11:00:00",
    "end": "22:00:00",
    "duration": {"hours": 2},
    "power": 3,
    "own_sun": True,
}
"""A load of 3 kW for two hours that has to be done by 22:00."""


def solar_forecast(*powers: tuple[int, float], days: int = 2, first: int = 10) -> Any:
    """Return a forecast for some days of June 2026, from powers (kW) by local hour."""
    return {
        "wh_hours": {
            datetime.combine(day, datetime.min.time(), TARIFF_ZONE)
            .replace(hour=hour)
            .isoformat(): 1000 * power
            for day in (date(2026, 6, first + more) for more in range(days))
            for hour, power in powers
        }
    }


async def add_roof(hass: HomeAssistant, entry, *powers: tuple[int, float]) -> Sun:
    """Add a solar forecast that the account uses from now on; feeding in pays 8 ct/kWh."""
    sun = add_sun(hass, "east")
    sun.answers["east"] = solar_forecast(*powers)
    options = {"solar_forecasts": ["east"], "payout": 8.0}
    hass.config_entries.async_update_entry(entry, options={**entry.options, **options})
    return sun


def runs_of(hass: HomeAssistant, load: str) -> list[tuple[datetime, datetime]]:
    """Return the planned runs of a load, in UTC."""
    return [
        (
            datetime.fromisoformat(run["start"]).astimezone(UTC),
            datetime.fromisoformat(run["end"]).astimezone(UTC),
        )
        for run in shown(hass, load, "run_now", "binary_sensor").attributes["runs"]
    ]


def share_of(hass: HomeAssistant, load: str) -> Any:
    """Return the share of a load's energy that is planned to come from the roof, in percent."""
    return shown(hass, load, "expected_cost").attributes["solar_share"]


def cost_of(hass: HomeAssistant, load: str) -> float:
    """Return a load's expected cost."""
    return float(shown(hass, load, "expected_cost").state)


def plan_counts(entry) -> dict[str, int]:
    """Return how many plans each load has made."""
    return {
        key: load.plan_maker.plan_count
        for key, load in entry.runtime_data.loads.all.items()
    }


async def expected_plan(
    hass: HomeAssistant, entry, load_id: str, before: Mapping[str, float]
) -> Any:
    """Calculate the right plan of a load directly, given the loads planned before it with powers in kW."""
    load = entry.runtime_data.loads.all[load_id]
    outlook = await entry.runtime_data.forecasts.async_outlook(datetime.now(UTC))
    sun = OwnSun(
        house=outlook.house,
        sun=outlook.sun,
        payouts=outlook.payouts,
        runs=tuple(
            (Run(start=start, end=end), power)
            for other, power in before.items()
            for start, end in runs_of(hass, other)
        ),
    )
    return plan_load(
        load.settings,
        replace(load.task, runs=()),
        load.settings.duration,
        load.coordinator.data,
        datetime.now(UTC),
        TARIFF_ZONE,
        sun=sun,
    )


async def assert_right_plan(
    hass: HomeAssistant, entry, load_id: str, before: Mapping[str, float]
) -> None:
    """Assert that a load that has not started has the right plan."""
    made = await expected_plan(hass, entry, load_id, before)
    assert runs_of(hass, load_id) == [(run.start, run.end) for run in made.runs]
    if made.cost is not None:
        assert abs(cost_of(hass, load_id) - made.cost) < 1e-4
    assert share_of(hass, load_id) == round(100 * (made.solar_share or 0))


async def put_many(
    hass: HomeAssistant, entry, count: int, hour: int = 22, **changes: Any
) -> list[str]:
    """Add loads that use the sun, with deadlines an hour apart; the first load has the latest, at ``hour``."""
    return [
        await put(
            hass,
            entry,
            f"Load {index}",
            **(EVENING | {"end": f"{hour - index}:00:00"} | changes),
        )
        for index in range(count)
    ]
