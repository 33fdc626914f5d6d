"""A tool for voice assistants: what electricity costs, and when a load is best run.

As with Home Assistant's own tools, an assistant only gets what is exposed to it: the tool exists if the price sensor
of a contract is exposed. Texts and answers are English, since a language model reads them, and times are local.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import chain, count
from typing import Any, Final, override

import probatio

from homeassistant.components.homeassistant.exposed_entities import async_should_expose
from homeassistant.components.llm import LLMTools
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.llm import (
    LLM_API_ASSIST,
    LLMContext,
    Tool,
    ToolAnnotations,
    ToolInput,
    ToolResult,
)
from homeassistant.helpers.selector import TimeSelector
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType

from .account.ranking import rank_contracts
from .const import DOMAIN
from .planner import Plan, PlanRequest, plan
from .prices.coordinator import PriceCoordinator
from .prices.entity import PRICE_UNIT
from .pricing import DayPrices, Interval, PriceTable, local_date
from .runtime import NomosConfigEntry
from .time_input import plan_window

_DAY: Final = timedelta(days=1)


class ElectricityPricesTool(Tool):
    """Returns the prices of now and of the known days, and when a load of some length is cheapest."""

    name = f"{DOMAIN}__get_electricity_prices"
    title = "Get electricity prices"
    description = (
        "Get the household's electricity prices: now, and the lowest, highest and average of today and tomorrow. "
        "With duration_minutes, also find the cheapest time to use electricity for that long, as for a dishwasher, "
        "a washing machine or charging a car. "
        "For 'tonight' use earliest 18:00 and latest 07:00, unless the user says otherwise. "
        "Prices are all-in, in EUR/kWh; tell them in ct/kWh if that sounds better. "
        "Prices of tomorrow are published in the early afternoon; they are null before. "
        "A cheapest time that is provisional may change when they come."
    )
    annotations = ToolAnnotations(
        read_only=True, destructive=False, idempotent=True, open_world=False
    )
    integration = DOMAIN

    def __init__(self, contracts: Mapping[str, PriceCoordinator]) -> None:
        """Offer contracts by their names, the default one first."""
        self._contracts = contracts
        fields: dict[probatio.Marker, Any] = {
            probatio.Optional(
                "duration_minutes",
                description="How long electricity is needed. Leave out to get prices only.",
            ): probatio.All(probatio.Coerce(float), probatio.Range(min=1, max=24 * 60)),
            probatio.Optional(
                "earliest",
                description="Local time before which it must not start. Leave out for now.",
            ): TimeSelector(),
            probatio.Optional(
                "latest",
                description="Local time by which it has to be finished, after midnight if it lies before the "
                "earliest. Leave out for a day later.",
            ): TimeSelector(),
            probatio.Optional(
                "interruptible",
                default=False,
                description="Whether it may run in several parts, as when charging a car.",
            ): cv.boolean,
        }
        if len(contracts) > 1:
            fields[
                probatio.Optional(
                    "contract",
                    default=next(iter(contracts)),
                    description="Whose prices, if the user names a contract.",
                )
            ] = probatio.In(list(contracts))
        self.parameters = probatio.Schema(fields)

    @override
    async def async_call(
        self, hass: HomeAssistant, tool_input: ToolInput, llm_context: LLMContext
    ) -> ToolResult:
        """Answer with known data, without a request to Nomos."""
        # Some models pass null or an empty string for an argument that they mean to omit.
        given = tool_input.tool_args.items()
        arguments = self.parameters(
            {key: value for key, value in given if value not in (None, "")}
        )
        name = arguments.get("contract") or next(iter(self._contracts))
        coordinator = self._contracts[name]
        now = dt_util.utcnow()
        answer = _prices(coordinator, now)
        if len(self._contracts) > 1:
            answer = {"contract": name, **answer}
        if "duration_minutes" in arguments:
            answer["cheapest"] = await hass.async_add_executor_job(
                _cheapest, coordinator.data, arguments, now
            )
        return ToolResult(data=answer)


def _prices(coordinator: PriceCoordinator, now: datetime) -> JsonObjectType:
    """Return what is known of the current interval, today and tomorrow."""
    table, today = coordinator.data, local_date(now)
    current: JsonObjectType | None = None
    if (rating := coordinator.levels.at(now)) is not None:
        current = {
            "price": rating.interval.price,
            "level": rating.level.key,
            "until": _local(rating.interval.end),
        }
    tomorrow = table.day(today + _DAY)
    return {
        "time": _local(now),
        "unit": PRICE_UNIT,
        "now": current,
        "today": _day(table.day(today)),
        "tomorrow": _day(tomorrow) if tomorrow.complete else None,
    }


def _day(day: DayPrices) -> JsonObjectType | None:
    if day.lowest is None or day.highest is None or day.average is None:
        return None
    return {
        "lowest": _interval(day.lowest),
        "highest": _interval(day.highest),
        "average": round(day.average, 4),
    }


def _interval(interval: Interval) -> JsonObjectType:
    return {
        "price": interval.price,
        "start": _local(interval.start),
        "end": _local(interval.end),
    }


def _cheapest(
    table: PriceTable, arguments: Mapping[str, Any], now: datetime
) -> JsonObjectType:
    """Return the best time for a load of some length in a window of local times."""
    earliest, latest = arguments.get("earliest"), arguments.get("latest")
    opens, closes = plan_window(earliest, latest, now)
    request = PlanRequest(
        opens,
        closes,
        timedelta(minutes=arguments["duration_minutes"]),
        contiguous=not arguments["interruptible"],
    )
    found = plan(table, request, now)
    return {
        "window": {"start": _local(max(opens, now)), "end": _local(closes)},
        "status": found.status.value,
        "planned_minutes": round(found.planned / timedelta(minutes=1)),
        "runs": [
            {"start": _local(run.start), "end": _local(run.end)} for run in found.runs
        ],
        "average_price": _per_kwh(found.cost, found),
        "average_price_if_run_at_window_start": _per_kwh(found.cost_if_now, found),
        "provisional": found.provisional,
    }


def _per_kwh(cost: float | None, found: Plan) -> float | None:
    """Return the cost of the planned energy as a price in EUR/kWh."""
    return None if cost is None or not found.energy else round(cost / found.energy, 4)


def _local(instant: datetime) -> str:
    """Return an instant in local time with its offset, to the minute."""
    return dt_util.as_local(instant).isoformat(timespec="minutes")


def _exposed(hass: HomeAssistant, assistant: str) -> dict[str, PriceCoordinator]:
    """Return the contracts whose price sensor an assistant may read, by the names of their devices.

    A feed-in contract has no such sensor.
    """
    entities, devices = er.async_get(hass), dr.async_get(hass)
    entries: list[NomosConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    exposed: dict[str, PriceCoordinator] = {}
    for entry in entries:
        prices = entry.runtime_data.prices
        for contract in rank_contracts(one.contract for one in prices.values()):
            entity_id = entities.async_get_entity_id(
                Platform.SENSOR, DOMAIN, f"{contract.id}_price"
            )
            entity = entities.async_get(entity_id or "")
            if not entity or entity.disabled_by:
                continue
            if async_should_expose(hass, assistant, entity.entity_id):
                device = devices.async_get(entity.device_id or "")
                name = (device and (device.name_by_user or device.name)) or entry.title
                names = chain([name], (f"{name} {number}" for number in count(2)))
                free = next(one for one in names if one not in exposed)
                exposed[free] = prices[contract.id]
    return exposed


@callback
def async_get_tools(
    hass: HomeAssistant, llm_context: LLMContext, api_id: str
) -> LLMTools | None:
    """Return the tool if a price is exposed to the assistant."""
    exposed = _exposed(hass, llm_context.assistant) if api_id == LLM_API_ASSIST else {}
    return LLMTools(tools=[ElectricityPricesTool(exposed)]) if exposed else None
