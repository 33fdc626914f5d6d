"""What a load shows: whether it should run now, when next, why or why not, and what that costs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.helpers.entity import EntityDescription

from ..const import CURRENCY
from ..entity import SubentryEntity
from ..prices.entity import PRICE_UNIT
from ..pricing import TARIFF_ZONE
from .load import Load, signal_changed
from .plan import LoadPlan, LoadStatus


@dataclass(frozen=True, kw_only=True)
class NomosLoadDescription(SensorEntityDescription):
    """A sensor that reads a load at an instant."""

    value_fn: Callable[[Load, datetime], str | float | datetime | None]


def _of_plan(
    read: Callable[[LoadPlan, datetime], float | datetime | None],
) -> Callable[[Load, datetime], float | datetime | None]:
    """Return a reader of a load that reads its plan, and None without one."""
    return lambda load, now: read(plan, now) if (plan := _plan_of(load)) else None


def _plan_of(load: Load) -> LoadPlan | None:
    """Return the plan that a load shows: none without a task."""
    return load.plan if load.task else None


def _money(
    key: str, value_fn: Callable[[LoadPlan], float | None]
) -> NomosLoadDescription:
    return NomosLoadDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.MONETARY,
        native_unit_of_measurement=CURRENCY,
        suggested_display_precision=2,
        value_fn=_of_plan(lambda plan, _: _rounded(value_fn(plan))),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


LOAD_SENSORS: Final = (
    NomosLoadDescription(
        key="status",
        translation_key="load_status",
        device_class=SensorDeviceClass.ENUM,
        options=[status.value for status in LoadStatus],
        value_fn=lambda load, now: load.status(now).value,
    ),
    NomosLoadDescription(
        key="next_start",
        translation_key="next_start",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=_of_plan(
            lambda plan, now: run.start if (run := plan.next_run(now)) else None
        ),
    ),
    NomosLoadDescription(
        key="next_end",
        translation_key="next_end",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=_of_plan(
            lambda plan, now: run.end if (run := plan.next_run(now)) else None
        ),
    ),
    _money("expected_cost", lambda plan: plan.cost),
    NomosLoadDescription(
        key="expected_average_price",
        translation_key="expected_average_price",
        native_unit_of_measurement=PRICE_UNIT,
        suggested_display_precision=4,
        entity_registry_enabled_default=False,
        value_fn=_of_plan(lambda plan, _: _rounded(plan.average_price)),
    ),
    _money("expected_saving", lambda plan: plan.saving),
    NomosLoadDescription(
        key="saved_this_month",
        translation_key="load_saved_this_month",
        # No state class: the recorder would derive a row from it every five minutes. The statistic is saved.py's.
        device_class=SensorDeviceClass.MONETARY,
        native_unit_of_measurement=CURRENCY,
        suggested_display_precision=2,
        value_fn=lambda load, now: _rounded(
            month.saved if (month := load.meter.month(now)) else None
        ),
    ),
    NomosLoadDescription(
        key="last_cost",
        translation_key="load_last_cost",
        device_class=SensorDeviceClass.MONETARY,
        native_unit_of_measurement=CURRENCY,
        suggested_display_precision=2,
        entity_registry_enabled_default=False,
        value_fn=lambda load, _: _rounded(
            last.cost if (last := load.meter.kept.last) else None
        ),
    ),
)

RUN_NOW: Final = BinarySensorEntityDescription(
    key="run_now",
    translation_key="run_now",
    device_class=BinarySensorDeviceClass.RUNNING,
)


class LoadEntity(SubentryEntity):
    """An entity of one load."""

    def __init__(self, load: Load, description: EntityDescription) -> None:
        """Belong to the load's device."""
        self._load = load
        super().__init__(load.id, description, signal_changed(load.id))


class NomosLoadSensor(LoadEntity, SensorEntity):
    """A value of the load or of its plan."""

    entity_description: NomosLoadDescription

    @override
    def _read_value(self, now: datetime) -> object:
        self._attr_native_value = self.entity_description.value_fn(self._load, now)
        return self._attr_native_value


class NomosLoadStatus(NomosLoadSensor):
    """What the load does, and how much of what it needs is planned."""

    _unrecorded_attributes = frozenset({"planned_share"})

    @override
    def _read_value(self, now: datetime) -> object:
        plan = _plan_of(self._load)
        share = plan and round(100 * plan.share)
        self._attr_extra_state_attributes = {"planned_share": share}
        return share, super()._read_value(now)


class NomosExpectedCost(NomosLoadSensor):
    """What the plan costs, and how much of its energy comes from the own sun if the load uses that."""

    _unrecorded_attributes = frozenset({"solar_share"})

    @override
    def _read_value(self, now: datetime) -> object:
        plan = _plan_of(self._load)
        share = plan.solar_share if plan else None
        share = None if share is None else round(100 * share)
        if self._load.settings.own_sun:
            self._attr_extra_state_attributes = {"solar_share": share}
        else:
            self._attr_extra_state_attributes = {}
        return share, super()._read_value(now)


class NomosExpectedSaving(NomosLoadSensor):
    """What the plan saves against starting as the window opens, and against the average of the window."""

    _unrecorded_attributes = frozenset({"saving_vs_average"})

    @override
    def _read_value(self, now: datetime) -> object:
        plan = _plan_of(self._load)
        saving = _rounded(plan.saving_vs_average) if plan else None
        self._attr_extra_state_attributes = {"saving_vs_average": saving}
        return saving, super()._read_value(now)


class NomosSavedThisMonth(NomosLoadSensor):
    """What planning saved in this month, and how that is known."""

    @override
    def _read_value(self, now: datetime) -> object:
        source = self._load.meter.source_of(now)
        self._attr_extra_state_attributes = {"source": source}
        return source, super()._read_value(now)


class NomosLastCost(NomosLoadSensor):
    """What the load cost when it ran last."""

    _unrecorded_attributes = frozenset({"runs"})

    @override
    def _read_value(self, now: datetime) -> object:
        last = self._load.meter.kept.last
        self._attr_extra_state_attributes = {
            "source": last and last.source,
            "energy": _rounded(last.energy) if last else None,
            "saved": _rounded(last.saved) if last else None,
            "runs": [_stretch(run.start, run.end) for run in last.runs] if last else [],
        }
        return last, super()._read_value(now)


_KINDS: Final[dict[str, type[NomosLoadSensor]]] = {
    "status": NomosLoadStatus,
    "expected_cost": NomosExpectedCost,
    "expected_saving": NomosExpectedSaving,
    "saved_this_month": NomosSavedThisMonth,
    "last_cost": NomosLastCost,
}


class NomosRunNow(LoadEntity, BinarySensorEntity):
    """Whether the load should run now, with its plan for dashboards."""

    # Plans change often and are no history; the states say when the load ran.
    _unrecorded_attributes = frozenset({"runs", "window"})

    @override
    def _read_value(self, now: datetime) -> object:
        plan = _plan_of(self._load)
        self._attr_is_on = self._load.running(now)
        self._attr_extra_state_attributes = {
            "window": _stretch(plan.opens, plan.closes) if plan else None,
            "runs": [_stretch(run.start, run.end) for run in plan.runs] if plan else [],
        }
        return self._attr_is_on, self._attr_extra_state_attributes


def load_sensors(load: Load) -> Iterator[NomosLoadSensor]:
    """Make the sensors of a load."""
    for description in LOAD_SENSORS:
        yield _KINDS.get(description.key, NomosLoadSensor)(load, description)


def _stretch(start: datetime, end: datetime) -> dict[str, str]:
    """Return a stretch of time as other software reads it: local times with their offset."""
    return {
        "start": start.astimezone(TARIFF_ZONE).isoformat(),
        "end": end.astimezone(TARIFF_ZONE).isoformat(),
    }
