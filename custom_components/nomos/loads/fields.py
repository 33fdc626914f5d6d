"""The fields of the form that describes a load, and their initial values by type of load."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, override

import probatio

from homeassistant.const import CONF_NAME
from homeassistant.helpers.selector import (
    BooleanSelector,
    DurationSelector,
    EntitySelector,
    SelectSelector,
    TextSelector,
)

from ..form_fields import (
    CheckedNumber,
    Fields,
    SectionedForm,
    ShortTime,
    choice,
    entities,
)
from ..planner import Prefer
from .settings import READY_BY, WEEKDAYS, Days, Repeat


class LoadType(StrEnum):
    """Types of loads, each with its own initial values in the form; translation keys."""

    APPLIANCE = "appliance"
    CAR = "car"
    HEAT = "heat"
    OTHER = "other"


INITIAL_VALUES: Final[Mapping[LoadType, Mapping[str, Any]]] = {
    # A dishwasher or washer is not full every day.
    LoadType.APPLIANCE: {
        "duration": {"hours": 2, "minutes": 0},
        "repeat": Repeat.ON_DEMAND,
        "power": 0.5,
    },
    LoadType.CAR: {
        "energy": 20,
        "power": 11,
        "contiguous": False,
        "min_run": 30,
        "min_pause": 15,
    },
    LoadType.HEAT: {
        "duration": {"hours": 3, "minutes": 0},
        "repeat": Repeat.DAILY,
        "power": 2,
        "contiguous": False,
        "min_run": 30,
        "min_pause": 30,
    },
    LoadType.OTHER: {"repeat": Repeat.DAILY},
}
"""Initial values in the form of a new load, by type."""


class _Duration(DurationSelector):
    """A duration: if it is too large, Home Assistant's own check raises ``OverflowError``."""

    @override
    def __call__(self, data: Any) -> dict[str, float]:
        try:
            return super().__call__(data)
        except OverflowError:
            raise probatio.Invalid("no duration") from None


# In steps of the planner's grid.
_MINUTES: Final = CheckedNumber(0, 720, 5, "min")

_DURATION: Final[Fields] = {
    probatio.Optional("duration"): _Duration(
        {"enable_day": False, "enable_second": False}
    )
}
_POWER: Final[Fields] = {
    probatio.Optional("power"): CheckedNumber(0.01, 100, 0.01, "kW"),
}
_ENERGY: Final[Fields] = {
    probatio.Optional("energy"): CheckedNumber(0.1, 200, 0.1, "kWh"),
}
_NAME: Final[Fields] = {probatio.Required(CONF_NAME): TextSelector()}
_READY_BY: Final[Fields] = {probatio.Required("end", default=READY_BY): ShortTime()}

_WHEN: Final[Fields] = {
    probatio.Optional("repeat"): choice(Repeat, "repeat"),
    probatio.Optional("ask_sensor"): entities("binary_sensor", "input_boolean"),
    probatio.Optional("start"): ShortTime(),
    probatio.Optional("within"): CheckedNumber(1, 48, 1, "h"),
    probatio.Required("days", default=Days.EVERY_DAY.value): choice(Days, "days"),
    probatio.Optional("weekdays"): SelectSelector(
        {"options": [*WEEKDAYS], "multiple": True, "translation_key": "weekdays"}
    ),
    probatio.Optional("fallback"): ShortTime(),
}
_CHARGE: Final[Fields] = {
    probatio.Optional("capacity"): CheckedNumber(1, 200, 0.1, "kWh"),
    probatio.Optional("charge_sensor"): entities("sensor", "number", "input_number"),
    probatio.Optional("target"): CheckedNumber(1, 100, 1, "%"),
    probatio.Optional("target_entity"): entities("number", "input_number", "sensor"),
    probatio.Optional("plugged_sensor"): entities("binary_sensor", "input_boolean"),
    probatio.Optional("lowest_charge"): CheckedNumber(0, 100, 1, "%"),
}
_HOW: Final[Fields] = {
    probatio.Required("contiguous", default=True): BooleanSelector(),
    probatio.Optional("min_run"): _MINUTES,
    probatio.Optional("min_pause"): _MINUTES,
    probatio.Optional("max_runs"): CheckedNumber(1, 24, 1),
    probatio.Optional("energy_sensor"): EntitySelector(
        {"domain": "sensor", "device_class": "energy"}
    ),
}
_PRICE: Final[Fields] = {
    probatio.Optional("price_cap"): CheckedNumber(-100, 200, 0.1, "ct/kWh"),
    probatio.Required("prefer", default=Prefer.EARLY.value): choice(Prefer, "prefer"),
}
_SUN: Final[Fields] = {
    probatio.Required("own_sun", default=False): BooleanSelector(),
}
_DEVICE: Final[Fields] = {
    probatio.Optional("devices"): entities(
        "switch",
        "input_boolean",
        "climate",
        "water_heater",
        "script",
        multiple=True,
    ),
    probatio.Optional("preset_on"): TextSelector(),
    probatio.Optional("preset_off"): TextSelector(),
}

FIELD_OF: Final = {
    "name_unfit": CONF_NAME,
    "preset_unfit": "preset_on",
    "no_preset": "preset_on",
    "no_power_for_sun": "power",
    "target_out_of_range": "target",
    "lowest_above_target": "lowest_charge",
    "window_too_short": "end",
    "within_too_short": "within",
    "min_run_too_long": "min_run",
    "no_days": "weekdays",
    "fallback_outside": "fallback",
}
"""The field that is to blame for what can never be planned, if it is not the one that is missing."""


def load_form(load_type: LoadType, contract: Fields, *, sun: bool) -> SectionedForm:
    """Return the form of a type of load; ``sun``: whether own solar power is offered."""
    price = _PRICE | (_SUN if sun else {}) | contract
    rest = {"when": _WHEN, "how": _HOW, "price": price, "device": _DEVICE}
    if load_type is LoadType.CAR:
        first, rest["how"] = _ENERGY | _POWER, _DURATION | _HOW
        rest = {"charge": _CHARGE} | rest
    else:
        first, rest["how"] = _DURATION, _POWER | _ENERGY | _HOW
    return SectionedForm(_NAME | first | _READY_BY, rest)
