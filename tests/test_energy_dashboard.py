"""Tests of how the Energy dashboard's preferences are read."""

import pytest

from custom_components.nomos.energy_dashboard import (
    Dashboard,
    KnownBattery,
    read_preferences,
)

GRID = {"type": "grid", "stat_energy_from": "sensor.in", "stat_energy_to": "sensor.out"}
SOLAR = {
    "type": "solar",
    "stat_energy_from": "sensor.roof",
    "config_entry_solar_forecast": ["east", "west"],
}
BATTERY = {
    "type": "battery",
    "stat_energy_from": "sensor.discharged",
    "stat_energy_to": "sensor.charged",
}


def test_preferences() -> None:
    """All kinds of sources are read; gas and the whole house's meter are ignored."""
    shed: dict[str, object] = {**SOLAR, "stat_energy_from": "sensor.shed"}
    shed["config_entry_solar_forecast"] = None
    others = [
        {"type": "home", "stat_energy_to": "sensor.house"},
        {"type": "gas", "stat_energy_from": "sensor.gas"},
        {"type": "grid", "stat_energy_from": None, "stat_energy_to": "sensor.out2"},
    ]
    found = read_preferences({"energy_sources": [GRID, SOLAR, shed, BATTERY, *others]})
    assert found.grid_import == {"sensor.in"}
    assert found.gains == {
        "sensor.in",
        "sensor.roof",
        "sensor.shed",
        "sensor.discharged",
    }
    assert found.losses == {"sensor.out", "sensor.out2", "sensor.charged"}
    assert found.chosen == ("east", "west")


@pytest.mark.parametrize(
    "odd",
    [
        None,
        5,
        {},
        {"energy_sources": None},
        {"energy_sources": [None, 5, {}, {"type": "grid", "stat_energy_from": 5}]},
        {"energy_sources": [{"type": "solar", "config_entry_solar_forecast": ["a"]}]},
    ],
)
def test_unreadable_preferences(odd) -> None:
    """Unreadable preferences count as empty."""
    assert read_preferences(odd) == Dashboard()


def test_meters_of_a_forecast() -> None:
    """A forecast is compared with the dashboard's meters for it; one that the dashboard does not know, with all."""
    found = Dashboard(
        solar=frozenset({"roof", "shed"}), forecasts=(("roof", "a"), ("roof", "b"))
    )
    assert found.solar_of(frozenset({"a"})) == {"roof"}
    assert found.solar_of(frozenset({"a", "b"})) == {"roof"}
    assert found.solar_of(frozenset({"a", "other"})) == {"roof", "shed"}


def test_batteries() -> None:
    """All batteries are returned in order; invalid names and numbers are left out."""
    first = BATTERY | {"stat_soc": "sensor.level", "capacity": 10, "name": "Cellar"}
    odd = BATTERY | {"stat_soc": "sensor.other", "capacity": "10", "name": 5}
    found = read_preferences({"energy_sources": [BATTERY, first, odd]})
    meter = "sensor.discharged"
    assert found.batteries == (
        KnownBattery(meter=meter, level_sensor=None, capacity=None, name=None),
        KnownBattery(
            meter=meter, level_sensor="sensor.level", capacity=10, name="Cellar"
        ),
        KnownBattery(
            meter=meter, level_sensor="sensor.other", capacity=None, name=None
        ),
    )
