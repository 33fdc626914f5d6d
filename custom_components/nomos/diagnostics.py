"""Diagnostics for support: presence and counts, never names, numbers or tokens."""

from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import Any

from homeassistant.const import CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .account.contract import ContractCoordinator
from .account.contracts import NomosAccount
from .api import API_URL, API_VERSION, api_url
from .loads.load import Load
from .prices.conversion import DISTANCES, PERIODS, SHARES
from .prices.coordinator import PriceCoordinator
from .pricing import DayPrices, local_date
from .runtime import NomosConfigEntry
from .usage.coordinator import UsageCoordinator


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: NomosConfigEntry
) -> dict[str, Any]:
    """Return the state of the link, the prices, the usage, the loads and the batteries of an account."""
    runtime, now, token = entry.runtime_data, dt_util.utcnow(), entry.data[CONF_TOKEN]
    account = runtime.account
    return {
        "now": now.isoformat(),
        "hub_time_zone": hass.config.time_zone,
        "options": {
            name: entry.options[name]
            for name in (*SHARES, *DISTANCES, *PERIODS)
            if name in entry.options
        },
        "polling": not entry.pref_disable_polling,
        "api": {
            "version": API_VERSION,
            "production": api_url() == API_URL,
            "last_error": _error(account.last_error),
            "link": account.link.state,
            "link_tried_at": _iso(account.link.try_at),
            "phase": round(account.phase, 3),
        },
        "token": {
            "fields": sorted(token),
            "scope": token.get("scope"),
            "expires_at": _iso(dt_util.utc_from_timestamp(token["expires_at"])),
        },
        "subscriptions": [
            {
                "status": one.status,
                "type": one.type,
                "shown": one.id in runtime.prices,
                "has_number": one.number is not None,
                "plan_known": account.tariff_of(one) is not None,
                "start_at": _iso(one.start_at),
                "terminated_at": _iso(one.terminated_at),
                "end_at": _iso(one.end_at),
            }
            for one in account.data.values()
        ],
        "prices": [_prices(one, now) for one in runtime.prices.values()],
        "usage": [_usage(one) for one in runtime.usage.values() if one.shown],
        "usage_of_ended_contracts": [
            _usage(one) for one in runtime.usage.values() if not one.shown
        ],
        "loads": [_load(one, account) for one in runtime.loads.all.values()],
        "batteries": [
            one.diagnostics(now)
            for one in (runtime.batteries.all.values() if runtime.batteries else ())
        ],
        "forecasts": runtime.forecasts.report() if runtime.forecasts else None,
    }


def _clock(coordinator: ContractCoordinator[Any]) -> dict[str, Any]:
    """Return a coordinator's last answer and next request."""
    return {
        "contract": coordinator.log_name,
        "last_error": _error(coordinator.last_error),
        "last_answer": _iso(coordinator.last_answer),
        "next_request": _iso(coordinator.next_request),
    }


def _prices(coordinator: PriceCoordinator, now: datetime) -> dict[str, Any]:
    """Return what a price table contains. Market prices are public and reveal nothing about the customer."""
    table, today = coordinator.data, local_date(now)
    current = table.at(now)
    return {
        **_clock(coordinator),
        "type": coordinator.contract.type,
        "unknown_since": _iso(coordinator.gap.unknown_since),
        "intervals": len(table.intervals),
        "horizon": _iso(table.horizon),
        "current": {"start": _iso(current.start), "price": current.price}
        if current
        else None,
        "today": _day(table.day(today)),
        "tomorrow": _day(table.day(today + timedelta(days=1))),
    }


def _usage(usage: UsageCoordinator) -> dict[str, Any]:
    """Return how far usage is known: days and times, no amounts."""
    record = usage.data
    return {
        **_clock(usage),
        "meter": record.meter,
        "statistics": usage.statistics.kept,
        "synced_on": _iso(record.synced_on),
        "settled_to": _iso(record.settled_to),
        "metered_to": _iso(record.metered_to),
        "recorded_to": {key: _iso(at) for key, at in record.recorded.items()},
        "days": len(record.days),
        "days_with_gaps": sum(bool(one.missing) for one in record.days.values()),
        "days_without_prices": sum(not one.priced for one in record.days.values()),
        "months": len(record.analog_months),
        "refused": {key: _iso(day) for key, day in record.refused.items()},
    }


def _load(load: Load, account: NomosAccount) -> dict[str, Any]:
    """Return a load's settings and runs, without its name and those of its devices."""
    plan, task, ledger = load.plan, load.task, load.meter.stored_ledger
    settings = asdict(load.settings)
    for key, value in settings.items():
        if isinstance(value, time | timedelta):
            settings[key] = str(value)
    named = settings.pop("contract_id")
    for key in ("plugged_sensor", "ask_sensor", "energy_sensor"):
        settings[key] = settings[key] is not None
    for key in ("preset_on", "preset_off"):
        settings[key] = settings[key] is not None
    if car := settings["car"]:
        del car["charge_sensor"], car["target_entity"]
    return {
        **settings,
        "number": load.number,
        "need": _need(load),
        "days": sorted(load.settings.days),
        "devices": load.control.counts,
        "named_contract": named and account.log_name_of(named),
        "planned_with": load.coordinator and load.coordinator.log_name,
        "switched_off": load.off,
        "state": load.state(dt_util.utcnow()).name,
        "status": load.status(dt_util.utcnow()),
        "window": task and [_iso(task.opens), _iso(task.closes)],
        "begun": bool(task and task.runs),
        "runs": [[_iso(run.start), _iso(run.end)] for run in plan.runs] if plan else [],
        "solar_share": plan and plan.solar_share,
        "plans_made": load.plan_maker.plan_count,
        "ledger": {
            "source": load.meter.source,
            "metered_at": ledger.reading and _iso(ledger.reading.at),
            "metered_quarter_hours": len(ledger.used),
            "waits_for_meter_until": ledger.unbooked and _iso(ledger.unbooked.until),
            "last": ledger.last and ledger.last.source,
            "last_run_ended": ledger.last and _iso(ledger.last.runs[-1].end),
            "months": len(ledger.months),
        },
    }


def _need(load: Load) -> dict[str, Any]:
    """Return how a load's need is determined and how much is left, without names of the customer's sensors."""
    car, readings = load.settings.car, load.sensors.readings
    now = dt_util.utcnow()
    return {
        "kind": "charge" if car else "energy" if load.settings.energy else "duration",
        "minutes_left": round(load.left(now) / timedelta(minutes=1), 1),
        "charge_known": readings.charge is not None,
        "charge_reported": _iso(readings.charge.seen) if readings.charge else None,
        "measured_kw": readings.pace and readings.pace.power,
        "target_known": readings.target is not None,
        "plugged": readings.plugged,
        "asked": readings.asked,
    }


def _day(day: DayPrices) -> dict[str, Any]:
    return {
        "intervals": len(day.intervals),
        "unpriced": sum(interval.price is None for interval in day.intervals),
        "complete": day.complete,
    }


def _error(error: Exception | None) -> str | None:
    return type(error).__name__ if error else None


def _iso(instant: date | None) -> str | None:
    return instant.isoformat() if instant else None
