"""Tests of the blueprints in real automations on simulated days."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
import shutil
from typing import Any
from unittest.mock import patch

from homeassistant.components.automation import BaseAutomationEntity
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_component import DATA_INSTANCES
from homeassistant.setup import async_setup_component
from tests.integration.helpers import Advance, entity_id

FOLDER = Path(__file__).resolve().parents[3] / "blueprints" / "automation" / "nomos"
FILES = sorted(FOLDER.glob("*.yaml"))
ENGLISH = [path for path in FILES if not path.name.endswith(".de.yaml")]
"""Each one also exists in German, with different texts only."""
QUARTER = timedelta(minutes=15)


async def settle(hass: HomeAssistant) -> None:
    """Run everything that is due, but do not wait for automations that are waiting themselves."""
    for _ in range(2):
        while busy := [
            task
            for task in hass._tasks | hass._background_tasks
            if task is not asyncio.current_task()
            and not any(name in repr(task) for name in ("automation", "helpers/script"))
        ]:
            await asyncio.wait(busy, timeout=1)
        # The actions of an automation run at once, since none of them leaves the event loop.
        for _ in range(50):
            await asyncio.sleep(0)


def install(hass: HomeAssistant) -> None:
    """Copy the blueprints to the folder of imported blueprints."""
    target = Path(hass.config.path("blueprints", "automation", "nomos"))
    shutil.copytree(FOLDER, target, dirs_exist_ok=True)


async def helpers(hass: HomeAssistant, *names: str) -> None:
    """Set up toggle helpers."""
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(
        hass, "input_boolean", {"input_boolean": {name: {} for name in names}}
    )


async def use(hass: HomeAssistant, blueprint: str, **inputs: Any) -> None:
    """Set up an automation from a blueprint with inputs."""
    await hass.async_add_executor_job(install, hass)
    config = {
        "id": "used",
        "alias": "used",
        "use_blueprint": {"path": f"nomos/{blueprint}.yaml", "input": inputs},
    }
    assert await async_setup_component(hass, "automation", {"automation": [config]})
    await settle(hass)
    assert hass.states.get("automation.used").state == "on"


def is_on(hass: HomeAssistant, name: str) -> bool:
    """Return whether a switch is on."""
    return hass.states.get(f"input_boolean.{name}").state == "on"


async def turn(hass: HomeAssistant, name: str, state: str) -> None:
    """Turn a switch on or off."""
    await hass.services.async_call(
        "input_boolean",
        f"turn_{state}",
        {"entity_id": f"input_boolean.{name}"},
        blocking=True,
    )
    await settle(hass)


class Relays:
    """Switches that may fail."""

    def __init__(self, hass: HomeAssistant, *names: str) -> None:
        """Set up the switches, all off."""
        self._hass = hass
        self.commands: list[str] = []
        self.troubles: list[Exception | None] = []
        """The outcomes of the next commands (an error, or lost); later commands are obeyed."""
        for name in names:
            self.turn(name, "off")
        for state in ("on", "off"):
            hass.services.async_register("switch", f"turn_{state}", self._obey)

    def turn(self, name: str, state: str) -> None:
        """Set a state: on, off or unavailable."""
        self._hass.states.async_set(f"switch.{name}", state)

    async def _obey(self, call: ServiceCall) -> None:
        state = call.service.removeprefix("turn_")
        self.commands.append(state)
        if self.troubles:
            if (trouble := self.troubles.pop(0)) is not None:
                raise trouble
            return
        for entity in call.data["entity_id"]:
            self.turn(entity.removeprefix("switch."), state)


async def reload(hass: HomeAssistant, entry) -> None:
    """Unload the account and set it up again, as a restart does."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    await settle(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)


async def save(hass: HomeAssistant, *, itself: bool) -> None:
    """Save this automation with a change, or another automation, as Home Assistant's editor does."""
    automation = hass.data[DATA_INSTANCES]["automation"].get_entity("automation.used")
    assert isinstance(automation, BaseAutomationEntity)
    assert automation.raw_config
    used = dict(automation.raw_config)
    other = {"id": "other", "alias": "other", "triggers": [], "actions": []}
    changed = used if itself else other
    changed["description"] = str(datetime.now(UTC))
    with patch(
        "homeassistant.config.load_yaml_config_file",
        return_value={"automation": [used, other]},
    ):
        await hass.services.async_call(
            "automation", "reload", {"id": changed["id"]}, blocking=True
        )
    await settle(hass)


def device(hass: HomeAssistant, subscription, key: str = "price") -> str:
    """Return the device of a contract."""
    found = er.async_get(hass).async_get(entity_id(hass, subscription.id, key))
    assert found.device_id
    return found.device_id


async def go_to(
    advance: Advance,
    instant: datetime,
    check: Callable[[datetime], None] | None = None,
    step: timedelta = QUARTER,
) -> None:
    """Advance to an instant step by step, with a check just after each step."""
    while (now := datetime.now(UTC)) < instant:
        rest = timedelta(seconds=now.timestamp() % step.total_seconds())
        await advance(min(step - rest, instant - now))
        if check is not None:
            check(datetime.now(UTC))
