"""The sentence at the end of the dialog: what the new load will do."""

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..const import CURRENCY
from .manager import Loads
from .plan import LoadPlan, LoadStatus, Task
from .planning import plan_load
from .sensors import initial_need
from .settings import LoadSettings

_SHOWN: Final = 3
"""The number of runs that are named."""


async def async_preview(
    hass: HomeAssistant, loads: Loads, data: Mapping[str, Any]
) -> tuple[str, dict[str, str]]:
    """Return the sentence's translation key and placeholders, from the data of a new subentry."""
    settings, now = LoadSettings.of(data), dt_util.utcnow()
    zone = dt_util.get_default_time_zone()
    coordinator = loads.coordinator_of(settings.contract_id)
    plan = None
    if coordinator is not None and coordinator.data is not None:
        left = initial_need(hass, settings, now)
        opens, closes = settings.next_window(now, zone, left)
        sun = None
        if settings.own_sun and loads.sun is not None:
            sun = await loads.sun.async_left(closes)
        # As if it were asked for now, so that the saving is against starting now.
        plan = await hass.async_add_executor_job(
            plan_load,
            settings,
            Task(opens=max(opens, now), closes=closes),
            left,
            coordinator.data,
            now,
            zone,
            timedelta(),
            sun,
        )
    key, placeholders = describe(plan, now, zone, hass.config.language)
    return f"asked_{key}" if settings.on_demand else key, placeholders


def describe(
    plan: LoadPlan | None, now: datetime, zone: tzinfo, language: str
) -> tuple[str, dict[str, str]]:
    """Return the translation key that fits a plan, and its placeholders in the customer's notation."""
    if plan is not None and plan.status is LoadStatus.DONE:
        return "full", {}
    if plan is None or not plan.runs:
        return "unknown", {}
    german = language.startswith("de")
    runs = [
        f"{run.start.astimezone(zone):%H:%M}–{run.end.astimezone(zone):%H:%M}"
        for run in plan.runs
    ]
    times = ", ".join([*runs[:_SHOWN], *(["…"] if len(runs) > _SHOWN else [])])
    day = plan.runs[0].start.astimezone(zone).date()
    match (day - now.astimezone(zone).date()).days:
        case 0:
            key = "today"
        case 1:
            key = "tomorrow"
        case _:
            date = f"{day.day}.{day.month}." if german else day.isoformat()
            return "later", {"date": date, "times": times}
    if plan.saving is None or (saving := round(plan.saving, 2)) <= 0:
        return key, {"times": times}
    amount = f"{saving:.2f}".replace(".", "," if german else ".")
    return f"{key}_saves", {"times": times, "saving": f"{amount} {CURRENCY}"}
