"""The inverter and the meters of the demo house, which keep running while Home Assistant is down."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .physics import CAPACITY, WALLBOX, Mode, battery_flow, need, split_at_quarters, sun

DOMAIN: Final = "demo_house"
CHANGED: Final = "demo_house_changed"


@dataclass
class Memory:
    """The stored state of the devices; energies in kWh since the start, by meter."""

    at: str
    level: float = 2.0
    mode: Mode = Mode.AUTO
    power: float = 0.0
    until: float = 100.0
    wallbox: bool = False
    meters: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(
            ("grid_import", "grid_export", "solar", "battery_in", "battery_out"), 0.0
        )
    )


class Inverter:
    """Follows commands and counts energy."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with the initial state of the devices."""
        self._hass = hass
        self._store: Store[dict[str, object]] = Store(hass, 1, DOMAIN)
        self.memory = Memory(at=dt_util.utcnow().isoformat())
        self.commands: list[tuple[str, str]] = []
        """The commanded modes since Home Assistant started, each with its time."""
        self.level_is_lost = False
        self.forecast_has_hole = False

    async def async_begin(self) -> None:
        """Load the stored state, and catch up with the time since then."""
        if (stored := await self._store.async_load()) is not None:
            memory = Memory(**stored)  # type: ignore[arg-type]
            memory.mode = Mode(memory.mode)
            self.memory = memory
        self.advance()

    @property
    def percent(self) -> float | None:
        """Return the charge level; None if it is not reported."""
        return None if self.level_is_lost else 100 * self.memory.level / CAPACITY

    @callback
    def advance(self, _now: datetime | None = None) -> None:
        """Simulate the time up to now, and report."""
        memory, now = self.memory, dt_util.utcnow()
        for start, hours in split_at_quarters(datetime.fromisoformat(memory.at), now):
            made = sun(start) * hours
            surplus = made - (need(start) + WALLBOX * memory.wallbox) * hours
            until = memory.until / 100 * CAPACITY
            flow = battery_flow(
                memory.level, surplus, hours, memory.mode, memory.power, until
            )
            grid = flow.charged - flow.discharged - surplus
            memory.level = flow.level
            for meter, energy in {
                "grid_import": max(grid, 0.0),
                "grid_export": max(-grid, 0.0),
                "solar": made,
                "battery_in": flow.charged,
                "battery_out": flow.discharged,
            }.items():
                memory.meters[meter] += energy
        memory.at = now.isoformat()
        self._store.async_delay_save(lambda: asdict(memory), 3600)
        async_dispatcher_send(self._hass, CHANGED)

    @callback
    def set_mode(self, mode: Mode) -> None:
        """Command another mode."""
        self.advance()
        self.memory.mode = mode
        self.commands.append((dt_util.utcnow().isoformat(), mode))
        async_dispatcher_send(self._hass, CHANGED)

    @callback
    def set(self, what: str, value: float | bool) -> None:
        """Set the power or the level of a forced charge, or switch the wallbox."""
        self.advance()
        setattr(self.memory, what, value)
        async_dispatcher_send(self._hass, CHANGED)
