"""The websocket command of price cards, and what they show of an account besides prices."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import probatio

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components.websocket_api import decorators
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.const import ERR_NOT_FOUND
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.util import dt as dt_util

from ..api import Subscription, SubscriptionStatus
from ..const import DOMAIN
from ..loads.entities import RUN_NOW
from ..loads.load import Load
from ..planner.expected import Expected
from ..prices.coordinator import PriceCoordinator
from ..pricing import PriceTable
from ..targets import PRICE, price_coordinator
from .drawing import ChartOptions, chart, seconds

if TYPE_CHECKING:
    from ..battery.battery import HomeBattery
    from ..runtime import NomosRuntime

_SHORTEST: Final = 15
_LONGEST: Final = 24 * 60
"""Bounds of a best window's length, in minutes."""

_MOST: Final = 5
"""How many best windows a card may request."""

_WATCHED: Final = (
    (Platform.BINARY_SENSOR, RUN_NOW.key),
    (Platform.SENSOR, "next_start"),
    (Platform.SENSOR, "mode"),
)
"""The entities of a load or a battery whose states change when its plan does."""


@decorators.websocket_command(
    {
        probatio.Required("type"): f"{DOMAIN}/chart",
        probatio.Required("entity_id"): cv.entity_id,
        probatio.Optional("window_minutes", default=120): probatio.All(
            int, probatio.Range(min=_SHORTEST, max=_LONGEST)
        ),
        probatio.Optional("windows", default=1): probatio.All(
            int, probatio.Range(min=1, max=_MOST)
        ),
        probatio.Optional("yesterday", default=False): bool,
        probatio.Optional("resolution", default="quarter"): probatio.In(
            ("quarter", "hour")
        ),
    }
)
@decorators.async_response
async def async_send_chart(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Send a card the chart of the contract that a current price sensor belongs to."""
    entity_id: str = msg["entity_id"]
    may_read = partial(connection.user.permissions.check_entity, key=POLICY_READ)
    if not may_read(entity_id):
        raise Unauthorized(entity_id=entity_id, permission=POLICY_READ)
    if not PRICE.among(hass, {entity_id}):
        _refuse(connection, msg, ERR_NOT_FOUND, "chart_not_a_price")
        return
    if (coordinator := price_coordinator(hass, entity_id)) is None:
        _refuse(connection, msg, "not_loaded", "chart_not_loaded")
        return
    now = dt_util.utcnow()
    runtime: NomosRuntime = coordinator.config_entry.runtime_data
    loads = _shown(hass, runtime.loads.all, coordinator, may_read)
    homes = runtime.batteries.all if runtime.batteries else {}
    batteries = _shown(hass, homes, coordinator, may_read)
    drawn = await hass.async_add_executor_job(
        partial(
            chart,
            coordinator.levels,
            now,
            ChartOptions(
                minutes=msg["window_minutes"],
                windows=msg["windows"],
                yesterday=msg["yesterday"],
                hours=msg["resolution"] == "hour",
            ),
            pays=coordinator.contract.feeds_in,
            expected=_expected(runtime, coordinator.data) if batteries else None,
        )
    )
    watched = (entities for _, entities in [*loads, *batteries])
    connection.send_result(
        msg["id"],
        {
            **drawn,
            "supply": _supply(coordinator.contract),
            "loads": [_load(load, now) for load, _ in loads],
            "batteries": [_battery(battery, now) for battery, _ in batteries],
            "watch": [entity_id, *chain.from_iterable(watched)],
        },
    )


def _shown[T: (Load, HomeBattery)](
    hass: HomeAssistant,
    known: Mapping[str, T],
    coordinator: PriceCoordinator,
    may_read: Callable[[str], bool],
) -> list[tuple[T, list[str]]]:
    """Return the contract's loads or batteries that the user may see, with the entities that a card has to watch."""
    find = er.async_get(hass).async_get_entity_id
    shown = []
    for name, one in known.items():
        found = (find(platform, DOMAIN, f"{name}_{key}") for platform, key in _WATCHED)
        watched = [entity_id for entity_id in found if entity_id]
        if one.coordinator is coordinator and all(map(may_read, watched)):
            shown.append((one, watched))
    return shown


def _refuse(
    connection: ActiveConnection, msg: dict[str, Any], code: str, key: str
) -> None:
    connection.send_error(
        msg["id"],
        code,
        f"{msg['entity_id']}: {key}",
        translation_key=key,
        translation_domain=DOMAIN,
        translation_placeholders={"entity_id": msg["entity_id"]},
    )


def _expected(runtime: NomosRuntime, prices: PriceTable) -> Expected | None:
    """Return what batteries are planned with; None before the first outlook."""
    outlook = runtime.forecasts.latest if runtime.forecasts else None
    return outlook.expected(prices, runtime.loads.planned_runs()) if outlook else None


def _supply(contract: Subscription) -> dict[str, Any]:
    """Return whether a contract is pending, active or ended, and when it begins or ended, if known."""
    match contract.status:
        case SubscriptionStatus.PENDING:
            at = contract.start_at
        case SubscriptionStatus.ENDED:
            at = contract.end_at
        case _:
            return {"status": "active", "at": None}
    return {"status": contract.status.value, "at": at and seconds(at)}


def _load(load: Load, now: datetime) -> dict[str, Any]:
    """Return a load's name and the runs of its plan."""
    runs = load.plan.runs if load.plan else ()
    return {
        "name": load.name,
        "running": load.running(now),
        "runs": [[seconds(run.start), seconds(run.end)] for run in runs],
    }


def _battery(battery: HomeBattery, now: datetime) -> dict[str, Any]:
    """Return a battery's name and its plan from now on: start, end, mode, level at the end in percent."""
    rest = battery.plan.rest(now) if battery.plan else ()
    return {
        "name": battery.name,
        "rows": [
            [
                seconds(quarter.start),
                seconds(quarter.end),
                step.mode.value,
                round(battery.settings.percent(step.level), 1),
            ]
            for quarter, step in rest
        ],
    }
