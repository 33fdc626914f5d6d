"""The configuration of Home Assistant's Energy dashboard: meters, chosen solar forecasts and batteries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.core import HomeAssistant

_KINDS: Final = ("grid", "solar", "battery")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBattery:
    """A battery of the dashboard: discharge meter, sensor of the charge level (%), usable kWh, name."""

    meter: str | None
    level_sensor: str | None
    capacity: float | None
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """Statistics by what they measure, and solar forecasts with the statistic of the actual production."""

    grid_import: frozenset[str] = frozenset()
    grid_export: frozenset[str] = frozenset()
    solar: frozenset[str] = frozenset()
    battery_out: frozenset[str] = frozenset()
    battery_in: frozenset[str] = frozenset()
    forecasts: tuple[tuple[str, str], ...] = ()
    """Pairs of a statistic and a config entry with its forecast."""
    batteries: tuple[KnownBattery, ...] = ()

    @property
    def chosen(self) -> tuple[str, ...]:
        """Return the config entries whose solar forecast the household chose."""
        return tuple(dict.fromkeys(entry for _, entry in self.forecasts))

    @property
    def gains(self) -> frozenset[str]:
        """Return the statistics of energy that comes into the house."""
        return self.grid_import | self.solar | self.battery_out

    @property
    def losses(self) -> frozenset[str]:
        """Return the statistics of energy that leaves it or is stored."""
        return self.grid_export | self.battery_in

    def solar_of(self, entries: frozenset[str]) -> frozenset[str]:
        """Return the solar meters that some forecasts belong to; all meters if a forecast belongs to none."""
        if entries <= set(self.chosen):
            return frozenset(
                meter for meter, entry in self.forecasts if entry in entries
            )
        return self.solar


async def async_dashboard(hass: HomeAssistant) -> Dashboard:
    """Return the configuration of the Energy dashboard; an empty one if there is none."""
    if "energy" not in hass.config.components:
        return Dashboard()
    # Only households with forecasts need this module.
    from homeassistant.components.energy.data import async_get_manager  # noqa: PLC0415

    manager = await async_get_manager(hass)
    return read_preferences(manager.data)


def read_preferences(stored: Any) -> Dashboard:
    """Return the configuration in the dashboard's stored preferences, without what cannot be read.

    Since 2026.11 there may be a meter of the whole house, which does not change what the dashboard shows. Whether it
    includes the battery is not documented, so it is not used here either.
    """
    found = stored.get("energy_sources") if isinstance(stored, dict) else None
    sources: dict[str, list[Mapping[str, Any]]] = {kind: [] for kind in _KINDS}
    for one in found if isinstance(found, list) else ():
        if isinstance(one, dict) and one.get("type") in _KINDS:
            sources[one["type"]].append(one)

    def statistics(kind: str, key: str) -> frozenset[str]:
        named = (_given(one, key, str) for one in sources[kind])
        return frozenset(name for name in named if name is not None)

    return Dashboard(
        grid_import=statistics("grid", "stat_energy_from"),
        grid_export=statistics("grid", "stat_energy_to"),
        solar=statistics("solar", "stat_energy_from"),
        battery_out=statistics("battery", "stat_energy_from"),
        battery_in=statistics("battery", "stat_energy_to"),
        forecasts=tuple(
            (meter, entry)
            for one in sources["solar"]
            if (meter := _given(one, "stat_energy_from", str)) is not None
            for entry in one.get("config_entry_solar_forecast") or ()
            if isinstance(entry, str)
        ),
        batteries=tuple(
            KnownBattery(
                meter=_given(one, "stat_energy_from", str),
                level_sensor=_given(one, "stat_soc", str),
                capacity=_given(one, "capacity", float, int),
                name=_given(one, "name", str),
            )
            for one in sources["battery"]
        ),
    )


def _given[T](source: Mapping[str, Any], key: str, *kinds: type[T]) -> T | None:
    value = source.get(key)
    return value if isinstance(value, kinds) else None
