"""Tests of the dialog for loads: types, sections and errors."""

from datetime import UTC, datetime, time, timedelta
from types import MappingProxyType
from typing import Any

import pytest

from custom_components.nomos.loads.load import SUBENTRY_TYPE
from custom_components.nomos.planner import PlanRequest, plan
from custom_components.nomos.pricing import TARIFF_ZONE
from homeassistant.config_entries import SOURCE_USER, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from tests.integration.helpers import EMAIL
from tests.integration.loads.helpers import (
    CAR,
    DISHWASHER,
    add,
    expanded_sections,
    fill_in,
    moment,
    open_form,
    shown,
    suggested,
    table_of,
)
from tests.packaging import INTEGRATION, read_json

pytestmark = pytest.mark.usefixtures("german_hub")

TWO_HOURS: dict[str, float] = {"hours": 2, "minutes": 0}
TYPES: dict[str, dict[str, Any]] = {
    "appliance": {
        "duration": TWO_HOURS,
        "repeat": "on_demand",
        "power": 0.5,
        "contiguous": True,
    },
    "car": {
        "energy": 20,
        "power": 11,
        "contiguous": False,
        "min_run": 30,
        "min_pause": 15,
    },
    "heat": {
        "duration": {"hours": 3, "minutes": 0},
        "repeat": "daily",
        "power": 2,
        "contiguous": False,
        "min_run": 30,
        "min_pause": 30,
    },
    "other": {"repeat": "daily", "contiguous": True},
}
CHARGE: dict[str, Any] = {
    "charge_sensor": "sensor.charge",
    "capacity": 60,
    "target": 80,
}
EVERY_TYPE: dict[str, Any] = {"end": "07:00", "prefer": "early", "days": "every_day"}


@pytest.mark.parametrize("load_type", TYPES)
async def test_defaults_of_a_type(hass: HomeAssistant, linked, load_type) -> None:
    """Each type has suitable defaults, and all sections are collapsed."""
    entry = await linked()
    result = await open_form(hass, entry, load_type)
    assert result["step_id"] == "settings"
    assert suggested(result) == EVERY_TYPE | TYPES[load_type]
    assert expanded_sections(result) == []


@pytest.mark.parametrize("load_type", TYPES)
async def test_a_name_is_enough(hass: HomeAssistant, linked, load_type) -> None:
    """The defaults of a type are sufficient; only *Something else* needs a duration."""
    entry = await linked()
    result = await open_form(hass, entry, load_type)
    filled = suggested(result) | {"name": "Load"}
    if load_type == "other":
        filled["duration"] = TWO_HOURS
    result = await fill_in(hass, result, filled)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    [subentry] = entry.subentries.values()
    assert subentry.title == "Load"
    repeat = {"repeat": "daily"} | TYPES[load_type]
    assert subentry.data == EVERY_TYPE | repeat | {
        "type": load_type,
        **({"duration": TWO_HOURS} if load_type == "other" else {}),
    }


def fields(result):
    """Return the keys of a form's fields."""
    schema = result["data_schema"].schema
    return {str(key) for key in schema if not hasattr(schema[key], "options")} | {
        str(inner)
        for field in schema.values()
        if hasattr(field, "options")
        for inner in field.schema.schema
    }


async def test_every_type_has_all_fields(hass: HomeAssistant, linked) -> None:
    """No type hides a field, but only a car has the fields for charging."""
    entry = await linked()
    asked = {one: fields(await open_form(hass, entry, one)) for one in TYPES}
    assert asked["appliance"] == asked["heat"] == asked["other"]
    assert asked["car"] - asked["other"] == {
        "capacity",
        "charge_sensor",
        "target",
        "target_entity",
        "plugged_sensor",
        "lowest_charge",
    }
    assert asked["other"] <= asked["car"]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("load_type", TYPES)
async def test_every_field_has_its_text(
    hass: HomeAssistant, nomos, linked, load_type, language
) -> None:
    """Every field, section, option and type has a text where Home Assistant expects it."""
    nomos.add_subscription(EMAIL)
    entry = await linked()
    texts = read_json(INTEGRATION / "translations" / f"{language}.json")
    step = texts["config_subentries"]["load"]["step"]["settings"]
    result = await open_form(hass, entry, load_type)
    for key, field in result["data_schema"].schema.items():
        if not hasattr(field, "options"):
            assert step["data"][str(key)]
            continue
        for inner, selector in field.schema.schema.items():
            assert step["sections"][str(key)]["data"][str(inner)]
            if name := selector.config.get("translation_key"):
                options = texts["selector"][name]["options"]
                assert options.keys() == set(selector.config["options"])
    menu = texts["config_subentries"]["load"]["step"]["user"]["menu_options"]
    assert menu.keys() == TYPES.keys()


@pytest.mark.parametrize(
    ("changes", "error", "place"),
    [
        ({"duration": {"hours": 0, "minutes": 0}}, "no_duration", "duration"),
        ({"duration": None}, "no_duration", "duration"),
        ({"start": "20:00:00", "end": "21:00:00"}, "window_too_short", "end"),
        (
            {"repeat": "on_demand", "start": None, "within": 2},
            "within_too_short",
            "when",
        ),
        ({"contiguous": False, "min_run": 300}, "min_run_too_long", "how"),
        ({"fallback": "12:00:00"}, "fallback_outside", "when"),
        ({"days": "chosen"}, "no_days", "when"),
        ({"energy": 2, "power": None}, "no_power", "how"),
        ({"name": "Dish\ud83d"}, "name_unfit", "name"),
        ({"name": "Dish\x00"}, "name_unfit", "name"),
        ({"name": "D" * 101}, "name_unfit", "name"),
        ({"preset_on": "boost\x00"}, "preset_unfit", "device"),
        ({"preset_off": "e" * 101}, "preset_unfit", "device"),
        ({"devices": ["climate.boiler"]}, "no_preset", "device"),
        ({"min_pause": -1e300}, "out_of_range", "how"),
        ({"max_runs": 1e300}, "out_of_range", "how"),
        ({"within": 0}, "out_of_range", "when"),
        ({"power": 0}, "out_of_range", "how"),
        ({"price_cap": 1e9}, "out_of_range", "price"),
    ],
)
async def test_settings_that_contradict_each_other(
    hass: HomeAssistant, nomos, linked, changes, error, place
) -> None:
    """The form shows the error at the field, keeps the input, and accepts corrected settings."""
    entry = await linked()
    wrong = {key: one for key, one in (DISHWASHER | changes).items() if one is not None}
    result = await fill_in(hass, await open_form(hass, entry), wrong)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {place: error}
    expected = wrong | {"duration": wrong.get("duration", {})}
    kept = suggested(result)
    for key, value in expected.items():
        assert kept.get(key, {}) == value, key
    assert expanded_sections(result) == (
        [place] if place in ("when", "how", "price", "device") else []
    )
    if error == "out_of_range":
        assert result["description_placeholders"].keys() == {"low", "high"}
    result = await fill_in(hass, result, DISHWASHER)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


@pytest.mark.parametrize(
    ("changes", "error", "place"),
    [
        ({"energy": None}, "no_duration", "energy"),
        ({"power": None}, "no_power", "power"),
        ({"energy": 200, "power": 0.1}, "window_too_short", "end"),
        ({"energy": 1000}, "out_of_range", "energy"),
        ({"target": 80}, "no_charge_sensor", "charge"),
        ({"lowest_charge": 20}, "no_charge_sensor", "charge"),
        ({"charge_sensor": "sensor.charge", "target": 80}, "no_capacity", "charge"),
        ({"charge_sensor": "sensor.charge", "capacity": 60}, "no_target", "charge"),
        (CHARGE | {"lowest_charge": 90}, "lowest_above_target", "charge"),
        (CHARGE | {"target": 101}, "out_of_range", "charge"),
        (CHARGE | {"power": None}, "no_power", "power"),
    ],
)
async def test_mistakes_with_a_car(
    hass: HomeAssistant, linked, changes, error, place
) -> None:
    """Errors in a car's fields outside the sections are shown at those fields."""
    entry = await linked()
    result = await open_form(hass, entry, "car")
    wrong = suggested(result) | {"name": "Car"} | changes
    wrong = {key: one for key, one in wrong.items() if one is not None}
    result = await fill_in(hass, result, wrong)
    assert result["errors"] == {place: error}
    assert expanded_sections(result) == (["charge"] if place == "charge" else [])


async def test_a_car_by_charge(hass: HomeAssistant, linked) -> None:
    """The sensor of a car's battery takes precedence over the default energy."""
    entry = await linked()
    hass.states.async_set("sensor.charge", "50", {"unit_of_measurement": "%"})
    result = await open_form(hass, entry, "car")
    filled = suggested(result) | CHARGE | {"name": "Car"}
    result = await fill_in(hass, result, filled)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    [load] = entry.runtime_data.loads.all.values()
    assert load.settings.car is not None
    assert load.settings.energy is None


@pytest.mark.parametrize(
    "changes",
    [
        {"duration": {"hours": 1e300}},
        {"duration": {"hours": float("inf")}},
        {"start": "20:00\ud83d"},
        {"power": "nan"},
        {"price_cap": "nan"},
        {"min_run": "nan"},
        {"min_run": "inf"},
        {"min_run": "many"},
        {"min_run": [1]},
        {"max_runs": 10**400},
        {"repeat": "weekly"},
        {"days": "someday"},
        {"weekdays": ["mon", "monday"]},
        {"weekdays": "mon"},
        {"devices": ["light.hall"]},
        {"energy_sensor": "switch.washer"},
        {"ask_sensor": "sensor.washer"},
        {"ask_sensor": "\ud83d"},
        {"preset_on": 5},
    ],
)
async def test_invalid_input(hass: HomeAssistant, linked, changes) -> None:
    """The form rejects values that its fields do not allow."""
    entry = await linked()
    result = await open_form(hass, entry)
    with pytest.raises(InvalidData):
        await fill_in(hass, result, DISHWASHER | changes)


async def test_short_times(hass: HomeAssistant, linked) -> None:
    """A time without a leading zero, which Home Assistant accepts, is accepted and read correctly."""
    entry = await linked()
    load_id = await add(hass, entry, start="7:00", end="19:5")
    load = entry.runtime_data.loads.all[load_id]
    assert (load.settings.start, load.settings.end) == (time(7), time(19, 5))


async def test_account_that_is_not_loaded(hass: HomeAssistant, nomos, linked) -> None:
    """Without a loaded account there are no contracts to choose from, so every step is aborted."""
    entry = await linked()
    load_id = await add(hass, entry)
    form = await open_form(hass, entry)
    await hass.config_entries.async_unload(entry.entry_id)
    flows = hass.config_entries.subentries
    for result in (
        await flows.async_init(
            (entry.entry_id, SUBENTRY_TYPE), context={"source": SOURCE_USER}
        ),
        await entry.start_subentry_reconfigure_flow(hass, load_id),
        await fill_in(hass, form, DISHWASHER),
    ):
        assert result["type"] is FlowResultType.ABORT
        assert result["reason"] == "entry_not_loaded"


OLD = {
    "duration": {"hours": 2, "minutes": 15},
    "start": "00:00:00",
    "end": "00:00:00",
    "contiguous": True,
    "prefer": "late",
    "min_run": 45.0,
}


async def test_load_from_another_version(hass: HomeAssistant, nomos, linked) -> None:
    """A load from another form opens with its values and is not changed by that."""
    entry = await linked()
    future = {"of_a_later_version": 1, "subscription": nomos.customers[EMAIL].id}
    old = ConfigSubentry(
        data=MappingProxyType(OLD | future),
        subentry_type=SUBENTRY_TYPE,
        title="Pool pump",
        unique_id=None,
    )
    hass.config_entries.async_add_subentry(entry, old)
    await hass.async_block_till_done()
    result = await entry.start_subentry_reconfigure_flow(hass, old.subentry_id)
    filled = {"name": "Pool pump", "repeat": "daily", "days": "every_day"} | OLD
    assert suggested(result) == filled
    result = await fill_in(hass, result, filled)
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.subentries[old.subentry_id].title == "Pool pump"
    del filled["name"]
    assert entry.subentries[old.subentry_id].data == filled | future


async def test_optional_fields(hass: HomeAssistant, linked) -> None:
    """A cleared field is removed, and settings that the form does not show are kept."""
    entry = await linked()
    load_id = await add(hass, entry, CAR, type="heat", fallback="02:00:00")
    result = await entry.start_subentry_reconfigure_flow(hass, load_id)
    assert suggested(result)["start"] == "00:00:00"
    cleared = {"start", "fallback", "max_runs", "power"}
    filled = {key: one for key, one in suggested(result).items() if key not in cleared}
    await fill_in(hass, result, filled)
    await hass.async_block_till_done()
    data = entry.subentries[load_id].data
    assert data["type"] == "heat"
    assert not data.keys() & cleared


async def test_a_contract_that_is_gone(hass: HomeAssistant, nomos, linked) -> None:
    """If a load's contract is gone, its form shows the default one, and can be submitted unchanged."""
    nomos.add_subscription(EMAIL)
    entry = await linked()
    gone = ConfigSubentry(
        data=MappingProxyType(OLD | {"subscription": "gone"}),
        subentry_type=SUBENTRY_TYPE,
        title="Pool pump",
        unique_id=None,
    )
    hass.config_entries.async_add_subentry(entry, gone)
    await hass.async_block_till_done()
    result = await entry.start_subentry_reconfigure_flow(hass, gone.subentry_id)
    filled = suggested(result)
    assert filled["subscription"] in [
        one.id for one in nomos.customers[EMAIL].subscriptions
    ]
    result = await fill_in(hass, result, filled)
    assert result["reason"] == "reconfigure_successful"


@pytest.mark.parametrize(
    ("changes", "repeat"),
    [
        ({}, "daily"),
        ({"plugged_sensor": "binary_sensor.plugged_in"}, "on_demand"),
        ({"ask_sensor": "input_boolean.asked"}, "on_demand"),
        ({"plugged_sensor": "binary_sensor.plugged_in", "repeat": "daily"}, "daily"),
    ],
)
async def test_whether_a_car_is_charged_on_demand(
    hass: HomeAssistant, linked, changes, repeat
) -> None:
    """With a plug sensor, a car is charged on demand, otherwise daily."""
    entry = await linked()
    result = await open_form(hass, entry, "car")
    filled = suggested(result) | {"name": "Car"} | changes
    await fill_in(hass, result, filled)
    await hass.async_block_till_done()
    [subentry] = entry.subentries.values()
    assert subentry.data["repeat"] == repeat


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 6, 10, 16, 0, tzinfo=TARIFF_ZONE).astimezone(UTC),
        datetime(2026, 6, 10, 23, 59, tzinfo=TARIFF_ZONE).astimezone(UTC),
        datetime(2026, 6, 11, 6, 59, tzinfo=TARIFF_ZONE).astimezone(UTC),
        datetime(2026, 6, 10, 7, 0, tzinfo=TARIFF_ZONE).astimezone(UTC),
    ],
    ids=str,
)
async def test_entered_at_odd_times(
    hass: HomeAssistant, nomos, linked, now: datetime
) -> None:
    """With only a name and a duration, a load runs at the cheapest time until 7:00, even if entered at night."""
    entry = await linked()
    load_id = await add(
        hass, entry, {"name": "Dryer", "duration": TWO_HOURS, "power": 1}
    )
    closes = datetime(2026, 6, 11, 7, tzinfo=TARIFF_ZONE)
    if now.astimezone(TARIFF_ZONE).hour == 6:
        closes += timedelta(days=1)
    table = table_of(entry)
    start = moment(hass, load_id, "next_start")
    assert now < start <= closes - timedelta(hours=2)
    if table.knows(now, closes):
        opens = now + timedelta(minutes=1)
        request = PlanRequest(opens, closes, timedelta(hours=2))
        best = plan(table, request, now)
        assert float(shown(hass, load_id, "expected_cost").state) == pytest.approx(
            best.cost, abs=1e-4
        )
