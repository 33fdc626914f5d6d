"""Entities that show a load: whether it should run now, when next, why or why not, and at what cost."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.components.sensor import SensorDeviceClass

from ..entity import SubentryEntity, SubentryEntityDescription, SubentrySensor
from ..prices.entity import MONEY, PRICE_UNIT
from ..pricing import TARIFF_ZONE
from .load import Load
from .plan import LoadPlan, LoadStatus


def _of_plan[T](
    read: Callable[[LoadPlan, datetime], T],
) -> Callable[[Load, datetime], T | None]:
    """Make a function of a load from one of its plan; None without a plan or a task."""
    return lambda load, now: (
        read(load.plan, now) if load.plan is not None and load.task else None
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _planned_share(load: Load, now: datetime) -> dict[str, Any]:
    share = _of_plan(lambda plan, _: round(100 * plan.share))(load, now)
    return {"planned_share": share}


def _solar_share(load: Load, now: datetime) -> dict[str, Any]:
    """Return the share of own solar power, if the load uses that."""
    if not load.settings.own_sun:
        return {}
    share = _of_plan(lambda plan, _: plan.solar_share)(load, now)
    return {"solar_share": None if share is None else round(100 * share)}


def _saving_vs_average(load: Load, now: datetime) -> dict[str, Any]:
    saving = _of_plan(lambda plan, _: _rounded(plan.saving_vs_average))(load, now)
    return {"saving_vs_average": saving}


def _last_run(load: Load, _now: datetime) -> dict[str, Any]:
    """Return when the load ran last, what it used and saved, and where these figures come from."""
    last = load.meter.stored_ledger.last
    return {
        "source": last and last.source,
        "energy": _rounded(last.energy) if last else None,
        "saved": _rounded(last.saved) if last else None,
        "runs": [_stretch(run.start, run.end) for run in last.runs] if last else [],
    }


LOAD_SENSORS: Final[tuple[SubentryEntityDescription[Load], ...]] = (
    SubentryEntityDescription(
        key="status",
        translation_key="load_status",
        device_class=SensorDeviceClass.ENUM,
        options=[status.value for status in LoadStatus],
        value_fn=lambda load, now: load.status(now).value,
        attributes_fn=_planned_share,
    ),
    SubentryEntityDescription(
        key="next_start",
        translation_key="next_start",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=_of_plan(
            lambda plan, now: run.start if (run := plan.next_run(now)) else None
        ),
    ),
    SubentryEntityDescription(
        key="next_end",
        translation_key="next_end",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=_of_plan(
            lambda plan, now: run.end if (run := plan.next_run(now)) else None
        ),
    ),
    SubentryEntityDescription(
        key="expected_cost",
        translation_key="expected_cost",
        value_fn=_of_plan(lambda plan, _: _rounded(plan.cost)),
        attributes_fn=_solar_share,
        **MONEY,
    ),
    SubentryEntityDescription(
        key="expected_average_price",
        translation_key="expected_average_price",
        native_unit_of_measurement=PRICE_UNIT,
        suggested_display_precision=4,
        entity_registry_enabled_default=False,
        value_fn=_of_plan(lambda plan, _: _rounded(plan.average_price)),
    ),
    SubentryEntityDescription(
        key="expected_saving",
        translation_key="expected_saving",
        value_fn=_of_plan(lambda plan, _: _rounded(plan.saving)),
        attributes_fn=_saving_vs_average,
        **MONEY,
    ),
    # No state class: the recorder would compile a row every five minutes. saved.py writes the statistic.
    SubentryEntityDescription(
        key="saved_this_month",
        translation_key="load_saved_this_month",
        value_fn=lambda load, now: _rounded(
            month.saved if (month := load.meter.month(now)) else None
        ),
        attributes_fn=lambda load, now: {"source": load.meter.source_of(now)},
        **MONEY,
    ),
    SubentryEntityDescription(
        key="last_cost",
        translation_key="load_last_cost",
        entity_registry_enabled_default=False,
        value_fn=lambda load, _: _rounded(
            last.cost if (last := load.meter.stored_ledger.last) else None
        ),
        attributes_fn=_last_run,
        **MONEY,
    ),
)

RUN_NOW: Final = BinarySensorEntityDescription(
    key="run_now",
    translation_key="run_now",
    device_class=BinarySensorDeviceClass.RUNNING,
)


class NomosLoadSensor(SubentrySensor[Load]):
    """A value of the load or of its plan."""

    _unrecorded_attributes = frozenset(
        {"planned_share", "solar_share", "saving_vs_average", "runs"}
    )


class NomosRunNow(SubentryEntity[Load], BinarySensorEntity):
    """Whether the load should run now, with its plan for dashboards."""

    # Plans change often and are not worth recording; the states show when the load ran.
    _unrecorded_attributes = frozenset({"runs", "window"})

    @override
    def _read_value(self, now: datetime) -> object:
        plan = self.planned.plan if self.planned.task else None
        self._attr_is_on = self.planned.running(now)
        self._attr_extra_state_attributes = {
            "window": _stretch(plan.opens, plan.closes) if plan else None,
            "runs": [_stretch(run.start, run.end) for run in plan.runs] if plan else [],
        }
        return self._attr_is_on, self._attr_extra_state_attributes


def _stretch(start: datetime, end: datetime) -> dict[str, str]:
    """Return a time span for other software: local times with UTC offset."""
    return {
        "start": start.astimezone(TARIFF_ZONE).isoformat(),
        "end": end.astimezone(TARIFF_ZONE).isoformat(),
    }
