"""The actions: return prices, plan and control loads, plan a battery, refresh."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import probatio

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
    service,
)
from homeassistant.helpers.target import (
    TargetSelection,
    async_extract_referenced_entity_ids,
)
from homeassistant.util import dt as dt_util

from . import action_fields as field
from .account.ranking import feed_in_contract, named_contract, only_contract
from .api import NomosRateLimitError
from .battery_action import PLAN_BATTERY_FIELDS, battery_response
from .const import DOMAIN
from .errors import REQUEST_ERRORS, invalid_input, raise_action_failed
from .loads.load import Load
from .planner import Objective, PlanRequest, Prefer, Profile, duration_for, plan
from .prices.coordinator import PriceCoordinator
from .prices.formats import Format, PriceList, Resolution, Unit, plan_response
from .pricing import EMPTY_TABLE
from .runtime import NomosConfigEntry
from .scheduled_coordinator import ScheduledCoordinator
from .time_input import plan_window, price_range

_ZERO: Final = timedelta()
_LONGEST_LOAD: Final = timedelta(days=7)
_MAX_STEPS: Final = 96


# Times are read as text: templates, YAML and scripts pass text, dates, times or dates with time.
_ACCOUNT: Final = {probatio.Optional("config_entry"): field.text}
_CONTRACT: Final = {**_ACCOUNT, probatio.Optional("subscription"): field.text}

_LENGTH: Final = field.duration(timedelta(seconds=1), _LONGEST_LOAD)
_PART: Final = field.duration(_ZERO, _LONGEST_LOAD)

REFRESH_SCHEMA: Final = probatio.Schema(_ACCOUNT)
LOAD_SCHEMA: Final = cv.make_entity_service_schema({})
GET_PRICES_SCHEMA: Final = probatio.Schema(
    {
        **_CONTRACT,
        probatio.Optional("start"): field.text,
        probatio.Optional("end"): field.text,
        probatio.Optional("resolution", default="interval"): field.choice(Resolution),
        probatio.Optional("unit", default="EUR/kWh"): field.choice(Unit),
        probatio.Optional("format", default="objects"): field.choice(Format),
    }
)
PLAN_SCHEMA: Final = probatio.Schema(
    {
        **_CONTRACT,
        probatio.Optional("duration"): _LENGTH,
        probatio.Optional("energy"): field.number(0.001, 1000),
        probatio.Optional("power"): field.number(0.001, 1000),
        probatio.Optional("profile"): field.rows(
            _MAX_STEPS,
            {
                probatio.Required("duration"): _LENGTH,
                probatio.Required("power"): field.number(0, 1000),
            },
        ),
        probatio.Optional("earliest"): field.text,
        probatio.Optional("latest"): field.text,
        probatio.Optional("contiguous", default=True): field.flag,
        probatio.Optional("min_run", default=_ZERO): _PART,
        probatio.Optional("min_pause", default=_ZERO): _PART,
        probatio.Optional("max_runs"): probatio.All(
            field.number(1, 1000), probatio.Coerce(int)
        ),
        probatio.Optional("price_cap"): field.price,
        probatio.Optional("price_floor"): field.price,
        probatio.Optional("goal"): field.choice(Objective),
        probatio.Optional("prefer", default="early"): field.choice(Prefer),
        probatio.Optional("slices", default=False): field.flag,
    }
)
PLAN_BATTERY_SCHEMA: Final = probatio.Schema({**_CONTRACT, **PLAN_BATTERY_FIELDS})


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions, once for all accounts."""
    answer, nothing = SupportsResponse.ONLY, SupportsResponse.NONE
    for name, action, schema, response in (
        ("get_prices", _async_get_prices, GET_PRICES_SCHEMA, answer),
        ("plan", _async_plan, PLAN_SCHEMA, answer),
        ("plan_battery", _async_plan_battery, PLAN_BATTERY_SCHEMA, answer),
        ("refresh", _async_refresh, REFRESH_SCHEMA, nothing),
        ("skip_load", _async_skip_load, LOAD_SCHEMA, nothing),
        ("start_load", _async_start_load, LOAD_SCHEMA, nothing),
    ):
        hass.services.async_register(
            DOMAIN,
            name,
            action,
            schema=field.action_data(hass, name, schema),
            supports_response=response,
        )


async def _async_get_prices(call: ServiceCall) -> ServiceResponse:
    """Return the prices of a range of time."""
    entry, coordinator = _find_contract(call)
    now, shape = dt_util.utcnow(), call.data["format"]
    start, end = call.data.get("start"), call.data.get("end")
    if start is None and shape in {Format.EMHASS, Format.EMHASS_LIST}:
        # EMHASS plans from the current step on, to which the first value of a list belongs.
        start = now.isoformat()
    opens, closes = price_range(start, end, now)
    try:
        table = await entry.runtime_data.past.async_prices(coordinator, opens, closes)
    except (ConfigEntryAuthFailed, *REQUEST_ERRORS) as err:
        raise_action_failed(call.hass, entry, err)
    prices = PriceList(
        table=table,
        start=opens,
        end=closes,
        resolution=call.data["resolution"],
        unit=call.data["unit"],
        thresholds=coordinator.thresholds,
        now=now,
        feed_in=coordinator.contract.feeds_in,
    )
    if table is coordinator.data:
        return prices.response(shape)
    # A year has 35,000 quarter-hours.
    return await call.hass.async_add_executor_job(prices.response, shape)


async def _async_plan(call: ServiceCall) -> ServiceResponse:
    """Return the best time for a load, or for feeding in."""
    _, coordinator = _find_contract(call)
    now, zone = dt_util.utcnow(), dt_util.get_default_time_zone()
    earliest, latest = call.data.get("earliest"), call.data.get("latest")
    opens, closes = plan_window(earliest, latest, now)
    usual = Objective.HIGHEST if coordinator.contract.feeds_in else Objective.LOWEST
    request = _plan_request(call.data, opens, closes, usual)
    # Planning many short runs at similar prices can take most of a second.
    made = await call.hass.async_add_executor_job(plan, coordinator.data, request, now)
    opens = max(opens, now)
    return plan_response(made, opens, closes, zone, slices=call.data["slices"])


async def _async_plan_battery(call: ServiceCall) -> ServiceResponse:
    """Return the plan of a battery: the inverter's mode for each quarter-hour."""
    entry, coordinator = _find_contract(call)
    if coordinator.contract.feeds_in:
        raise invalid_input("battery_needs_consumption")
    prices = entry.runtime_data.prices
    feed_in = feed_in_contract(one.contract for one in prices.values())
    payouts = prices[feed_in.id].data if feed_in else EMPTY_TABLE
    now, zone = dt_util.utcnow(), dt_util.get_default_time_zone()
    return await call.hass.async_add_executor_job(
        battery_response, call.data, coordinator.data, payouts, now, zone
    )


def _plan_request(
    data: Mapping[str, Any], opens: datetime, closes: datetime, usual: Objective
) -> PlanRequest:
    """Return the request for the planner; ServiceValidationError if the fields contradict each other."""
    duration, profile = _load(data)
    if profile is not None and not data["contiguous"]:
        raise invalid_input("profile_in_one_go")
    if data["min_run"] > duration:
        raise invalid_input("min_run_too_long")
    return PlanRequest(
        opens,
        closes,
        duration,
        contiguous=data["contiguous"],
        power_kw=data.get("power", 1.0),
        profile=profile,
        min_run=data["min_run"],
        min_pause=data["min_pause"],
        max_runs=data.get("max_runs"),
        price_cap=data.get("price_cap"),
        price_floor=data.get("price_floor"),
        objective=data.get("goal", usual),
        prefer=data["prefer"],
    )


def _load(data: Mapping[str, Any]) -> tuple[timedelta, Profile | None]:
    """Return how long a load runs, and its power step by step if that varies."""
    profile: Profile | None = None
    if "profile" in data:
        if not data.keys().isdisjoint({"duration", "energy", "power"}):
            raise invalid_input("profile_alone")
        profile = tuple((step["duration"], step["power"]) for step in data["profile"])
        length = sum((length for length, _ in profile), _ZERO)
    elif "energy" in data:
        if "duration" in data:
            raise invalid_input("duration_and_energy")
        if "power" not in data:
            raise invalid_input("energy_without_power")
        length = duration_for(data["energy"], data["power"])
    else:
        length = data.get("duration", _ZERO)
    if not length:
        raise invalid_input("load_missing")
    if length > _LONGEST_LOAD:
        raise invalid_input("load_too_long")
    return length, profile


async def _async_start_load(call: ServiceCall) -> None:
    """Start the targeted loads now."""
    for load in _chosen_loads(call):
        load.async_start_now()


async def _async_skip_load(call: ServiceCall) -> None:
    """End the runs of the targeted loads, or skip their next ones."""
    for load in _chosen_loads(call):
        load.async_skip()


def _chosen_loads(call: ServiceCall) -> list[Load]:
    """Return the loads whose devices or entities are targeted; ServiceValidationError if there is none."""
    hass, registry = call.hass, er.async_get(call.hass)
    target = async_extract_referenced_entity_ids(hass, TargetSelection(call.data))
    entities = map(registry.async_get, target.referenced | target.indirectly_referenced)
    chosen = {entity.config_subentry_id for entity in entities if entity is not None}
    entries: list[NomosConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    loads = [
        load
        for entry in entries
        for key, load in entry.runtime_data.loads.all.items()
        if key in chosen
    ]
    if not loads:
        raise invalid_input("no_load_chosen")
    return loads


async def _async_refresh(call: ServiceCall) -> None:
    """Request the contracts and the prices of an account now."""
    entry: NomosConfigEntry = service.async_get_config_entry(
        call.hass, DOMAIN, call.data.get("config_entry")
    )
    account = entry.runtime_data.account
    try:
        account.connection.pace.check_rate_limit()
    except NomosRateLimitError as err:
        raise_action_failed(call.hass, entry, err)
    failure: Exception | None = None
    prices = entry.runtime_data.prices.values()
    asked: tuple[ScheduledCoordinator[Any], ...] = (account, *prices)
    for coordinator in asked:
        await coordinator.async_manual_refresh()
        failure = failure or coordinator.last_error
    if failure is not None:
        raise_action_failed(call.hass, entry, failure)


def _find_contract(call: ServiceCall) -> tuple[NomosConfigEntry, PriceCoordinator]:
    """Return the contract given by device, id or number, and its account.

    Raises:
        ServiceValidationError: there is no such account or contract, or it is ambiguous.

    """
    hass, entry_id = call.hass, call.data.get("config_entry")
    wanted: str | None = call.data.get("subscription")
    names = {wanted} if wanted else set[str]()
    if wanted is not None and dr.async_get(hass).async_get(wanted) is not None:
        device, owner = service.async_get_device_and_config_entry(hass, DOMAIN, wanted)
        entry_id = entry_id or owner.entry_id
        names = {name for domain, name in device.identifiers if domain == DOMAIN}
    entries: list[NomosConfigEntry] = (
        [service.async_get_config_entry(hass, DOMAIN, entry_id)]
        if entry_id or wanted is None
        else hass.config_entries.async_loaded_entries(DOMAIN)
    )
    for entry in entries:
        prices = entry.runtime_data.prices
        contracts = [one.contract for one in prices.values()]
        if wanted is not None:
            found = named_contract(contracts, names)
        elif (found := only_contract(contracts)) is None:
            key = "several_subscriptions" if contracts else "no_subscription"
            raise invalid_input(key, account=entry.title)
        if found is not None:
            return entry, prices[found.id]
    raise invalid_input("unknown_subscription", subscription=wanted)
