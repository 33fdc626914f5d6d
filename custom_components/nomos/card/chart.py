"""The data of the price card: prices, levels, components, best window, planned runs, batteries, what is expected."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import probatio

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components.websocket_api import async_register_command
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.const import ERR_NOT_FOUND
from homeassistant.components.websocket_api.decorators import (
    async_response,
    websocket_command,
)
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.util import dt as dt_util

from ..api import Subscription, SubscriptionStatus
from ..const import DOMAIN
from ..loads.entities import RUN_NOW
from ..loads.load import Load
from ..planner import Objective, PlanRequest, PlanStatus, plan
from ..planner.expected import Expected
from ..pricing import (
    QUARTER,
    TARIFF_ZONE,
    DayLevels,
    Interval,
    PriceTable,
    day_bounds,
    local_date,
    quarter_of,
)
from ..targets import PRICE, price_coordinator

if TYPE_CHECKING:
    from ..battery.battery import HomeBattery
    from ..runtime import NomosRuntime

_SHORTEST: Final = 15
_LONGEST: Final = 24 * 60
"""Minutes of the best window."""

_DIGITS: Final = 6

_LOAD_KEYS: Final = (
    (Platform.BINARY_SENSOR, RUN_NOW.key),
    (Platform.SENSOR, "next_start"),
)
"""The entities of a load whose states change when its plan does."""


@callback
def async_setup_chart(hass: HomeAssistant) -> None:
    """Register the command that cards send."""
    async_register_command(hass, _chart)


@websocket_command(
    {
        probatio.Required("type"): f"{DOMAIN}/chart",
        probatio.Required("entity_id"): cv.entity_id,
        probatio.Optional("window_minutes", default=120): probatio.All(
            int, probatio.Range(min=_SHORTEST, max=_LONGEST)
        ),
    }
)
@async_response
async def _chart(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer a card with the chart of the contract that a current price sensor belongs to."""
    entity_id: str = msg["entity_id"]
    may_read = connection.user.permissions.check_entity
    if not may_read(entity_id, POLICY_READ):
        raise Unauthorized(entity_id=entity_id, permission=POLICY_READ)
    if not PRICE.among(hass, {entity_id}):
        _refuse(connection, msg, ERR_NOT_FOUND, "chart_not_a_price")
        return
    if (coordinator := price_coordinator(hass, entity_id)) is None:
        _refuse(connection, msg, "not_loaded", "chart_not_loaded")
        return
    now = dt_util.utcnow()
    today = local_date(now)
    levels = {
        day: coordinator.levels.day(day) for day in (today, today + timedelta(days=1))
    }
    runtime: NomosRuntime = coordinator.config_entry.runtime_data
    loads, watched = [], [entity_id]
    for load in runtime.loads.all.values():
        entities = _load_entities(hass, load)
        if load.coordinator is coordinator and all(
            may_read(one, POLICY_READ) for one in entities
        ):
            loads.append(_load(load, now))
            watched += entities
    batteries = []
    for battery in runtime.batteries.all.values() if runtime.batteries else ():
        mode = er.async_get(hass).async_get_entity_id(
            Platform.SENSOR, DOMAIN, f"{battery.id}_mode"
        )
        if battery.coordinator is coordinator and mode and may_read(mode, POLICY_READ):
            batteries.append(_battery(battery, now))
            watched.append(mode)
    drawn = await hass.async_add_executor_job(
        partial(
            chart,
            coordinator.data,
            levels,
            now,
            pays=coordinator.contract.feeds_in,
            minutes=msg["window_minutes"],
            expected=_expected(runtime, coordinator.data) if batteries else None,
        )
    )
    connection.send_result(
        msg["id"],
        {
            **drawn,
            "supply": _supply(coordinator.contract),
            "loads": loads,
            "batteries": batteries,
            "watch": watched,
        },
    )


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


def chart(
    table: PriceTable,
    levels: Mapping[date, DayLevels],
    now: datetime,
    *,
    pays: bool,
    minutes: int,
    expected: Expected | None = None,
) -> dict[str, Any]:
    """Return the chart of the days whose levels are given, the best window of so many minutes, and what is expected.

    An interval is a row of start, end, price, level (1 very cheap to 5 very expensive), electricity, grid, levies.
    All times are seconds since 1970, all prices EUR/kWh; what is not known is None. If the contract ``pays`` the
    customer, a high price is a good one.
    """
    days, rows = [], []
    for shown, ratings in levels.items():
        day = table.day(shown)
        start, end = day_bounds(shown)
        days.append(
            {
                "date": shown.isoformat(),
                "start": _seconds(start),
                "end": _seconds(end),
                "average": _rounded(day.average),
                "complete": day.complete,
            }
        )
        rows += [_row(interval, ratings) for interval in day.intervals]
    return {
        "kind": "feed_in" if pays else "consumption",
        "time_zone": TARIFF_ZONE.key,
        "days": days,
        "intervals": rows,
        "window": _window(table, now, timedelta(minutes=minutes), pays=pays),
        "expected": _energies(expected, quarter_of(now)) if expected else None,
    }


def _expected(runtime: NomosRuntime, prices: PriceTable) -> Expected | None:
    """Return by what batteries are planned; None before the first outlook."""
    outlook = runtime.forecasts.latest if runtime.forecasts else None
    if outlook is None:
        return None
    return outlook.expected(prices, runtime.loads.planned_runs())


def _energies(expected: Expected, start: datetime) -> dict[str, Any]:
    """Return the solar energy and what house and loads need (kWh), by quarter-hours until known prices end."""
    need, sun, at = [], [], start
    while at < (expected.prices.horizon or start):
        used, made = expected.energy(at, at + QUARTER)
        need.append(round(used, 3))
        sun.append(round(made, 3))
        at += QUARTER
    return {"start": _seconds(start), "sun": sun, "need": need}


def _row(interval: Interval, levels: DayLevels) -> list[float | None]:
    rating, parts = levels.at(interval.start), interval.components
    return [
        _seconds(interval.start),
        _seconds(interval.end),
        _rounded(interval.price),
        int(rating.level) if rating else None,
        *map(_rounded, (parts.electricity, parts.grid, parts.levies)),
    ]


def _window(
    table: PriceTable, now: datetime, length: timedelta, *, pays: bool
) -> dict[str, Any] | None:
    """Return the best coming window of a length: the cheapest, or the one that pays most.

    It may begin with the current interval, which counts as a whole. None if prices are not known far enough.
    """
    current, horizon = table.at(now), table.horizon
    start = current.start if current else now
    if horizon is None or horizon <= start:
        return None
    objective = Objective.HIGHEST if pays else Objective.LOWEST
    best = plan(table, PlanRequest(start, horizon, length, objective=objective), start)
    if best.status is not PlanStatus.COMPLETE or best.average_price is None:
        return None
    return {
        "start": _seconds(best.runs[0].start),
        "end": _seconds(best.runs[0].end),
        "average": _rounded(best.average_price),
    }


def _supply(contract: Subscription) -> dict[str, Any]:
    """Return whether a contract has begun or ended, and when it does or did, as far as Nomos says."""
    match contract.status:
        case SubscriptionStatus.PENDING:
            at = contract.start_at
        case SubscriptionStatus.ENDED:
            at = contract.end_at
        case _:
            return {"status": "active", "at": None}
    return {"status": contract.status.value, "at": at and _seconds(at)}


def _load(load: Load, now: datetime) -> dict[str, Any]:
    """Return a load's name and the runs of its plan."""
    runs = load.plan.runs if load.plan else ()
    return {
        "name": load.name,
        "running": load.running(now),
        "runs": [[_seconds(run.start), _seconds(run.end)] for run in runs],
    }


def _battery(battery: HomeBattery, now: datetime) -> dict[str, Any]:
    """Return a battery's name and its plan from now on: start, end, mode, level at the end in percent."""
    rest = battery.plan.rest(now) if battery.plan else ()
    return {
        "name": battery.name,
        "rows": [
            [
                _seconds(quarter.start),
                _seconds(quarter.end),
                step.mode.value,
                round(battery.settings.percent(step.level), 1),
            ]
            for quarter, step in rest
        ],
    }


def _load_entities(hass: HomeAssistant, load: Load) -> list[str]:
    """Return the entities of a load that a card has to watch."""
    find = er.async_get(hass).async_get_entity_id
    found = (find(platform, DOMAIN, f"{load.id}_{key}") for platform, key in _LOAD_KEYS)
    return [entity_id for entity_id in found if entity_id]


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())


def _rounded(value: float | None) -> float | None:
    """Return a price without the digits that the card does not show."""
    return None if value is None else round(value, _DIGITS)
