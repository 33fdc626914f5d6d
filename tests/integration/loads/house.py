"""A simulated car: its battery, its plug, and sensors that report whatever a test wants."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from custom_components.nomos.loads.load import SUBENTRY_TYPE
from custom_components.nomos.pricing import TARIFF_ZONE
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from tests.integration.helpers import Advance
from tests.integration.loads.helpers import runs_now, shown

CHARGE = "sensor.my_secret_car_charge"
PLUG = "binary_sensor.my_secret_car_plugged"
DOOR = "input_boolean.my_secret_door"
TARGET = "number.my_secret_target"

CAPACITY, POWER = 60.0, 10.0
HOUR = timedelta(hours=1)
STEP = timedelta(minutes=5)
QUARTER = timedelta(minutes=15)

CAR: dict[str, Any] = {
    "capacity": CAPACITY,
    "power": POWER,
    "charge_sensor": CHARGE,
    "target": 80,
    "plugged_sensor": PLUG,
    "repeat": "on_demand",
    "end": "07:00:00",
    "min_run": 15,
    "min_pause": 15,
}


async def add(hass, entry, settings, **changes) -> str:
    """Add a load as the form stores it; return its subentry's id."""
    data = {
        key: value
        for key, value in (settings | changes).items()
        if value is not None and key != "name"
    }
    subentry = ConfigSubentry(
        data=MappingProxyType(data),
        subentry_type=SUBENTRY_TYPE,
        title=settings.get("name", "Car"),
        unique_id=None,
    )
    hass.config_entries.async_add_subentry(entry, subentry)
    await hass.async_block_till_done()
    return subentry.subentry_id


class House:
    """A car that charges while its load runs; its sensor may report the charge or not."""

    def __init__(self, hass: HomeAssistant, advance: Advance, charge: float) -> None:
        """Begin with a charge level in percent."""
        self.hass, self._advance = hass, advance
        self.charge = charge
        self.load = ""
        self.power = POWER
        self.says: Callable[[float], str] = lambda charge: str(round(charge))
        self.limit = 100.0
        self.ran: list[tuple[datetime, float]] = []
        self.report()

    def report(self) -> None:
        """Set the sensor's state."""
        self.hass.states.async_set(
            CHARGE, self.says(self.charge), {"unit_of_measurement": "%"}
        )

    async def plug(self, state: str) -> None:
        """Set the state of the plug."""
        self.hass.states.async_set(PLUG, state)
        await self.hass.async_block_till_done()

    async def until(self, end: datetime, step: timedelta = STEP) -> None:
        """Advance to an instant by full minutes, faster while nothing runs; the car charges while its load runs."""
        while (now := datetime.now(UTC)) < end:
            running = bool(self.load) and runs_now(self.hass, self.load)
            pace = step if running else max(step, QUARTER)
            length = min(
                pace - timedelta(seconds=now.timestamp() % pace.seconds), end - now
            )
            if running:
                self.ran.append((now, self.charge))
                gained = length / HOUR * self.power * 0.9 / CAPACITY * 100
                self.charge = min(self.charge + gained, self.limit)
            elif self.load and (start := self._next_start()) and start > now:
                length = min(length, start - now)
            await self._advance(length)
            self.report()
            await self.hass.async_block_till_done()

    def _next_start(self) -> datetime | None:
        state = shown(self.hass, self.load, "next_start").state
        known = state not in ("unknown", "unavailable")
        return datetime.fromisoformat(state) if known else None


def berlin(day: int, hour: int, minute: int = 0, month: int = 6) -> datetime:
    """Return a local time of 2026."""
    return datetime(2026, month, day, hour, minute, tzinfo=TARIFF_ZONE).astimezone(UTC)


def is_asked(hass, load) -> bool:
    """Return whether *Planned* is on."""
    return bool(shown(hass, load, "planned", "switch").state == "on")
