"""Helpers for tests of triggers, conditions and the assistant: automations that record their runs."""

from collections.abc import Mapping
from datetime import date, timedelta
import json
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)

from custom_components.nomos.const import DOMAIN
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from simulator.berlin import midnight
from tests.integration.helpers import entity_id

type Ran = list[ServiceCall]

QUARTER = timedelta(minutes=15)


def each_kind_of_day(after_midnight: timedelta) -> pytest.MarkDecorator:
    """Run a test on a normal day and on both days of a clock change, beginning at a time after (or before) midnight."""
    days = {
        "usual day": (date(2026, 6, 10), 96),
        "23 hours": (date(2026, 3, 29), 92),
        "25 hours": (date(2026, 10, 25), 100),
    }
    return pytest.mark.parametrize(
        ("now", "quarters"),
        [(midnight(day) + after_midnight, number) for day, number in days.values()],
        ids=days,
    )


def trigger(name: str, target: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Return a trigger as an automation contains it."""
    return {"trigger": f"nomos.{name}", "target": target, "options": options}


def crossing(kind: str, *values: float) -> dict[str, Any]:
    """Return a numerical threshold."""
    names = ("value",) if len(values) == 1 else ("value_min", "value_max")
    return {
        "type": kind,
        **{name: {"number": value} for name, value in zip(names, values, strict=True)},
    }


def device_of(hass: HomeAssistant, subscription) -> dict[str, Any]:
    """Return the device of a contract as a target."""
    price = er.async_get(hass).async_get(entity_id(hass, subscription.id, "price"))
    return {"device_id": price.device_id}


async def automate(
    hass: HomeAssistant,
    triggers: Mapping[str, dict[str, Any]],
    conditions: list[dict[str, Any]] | None = None,
) -> Ran:
    """Set up an automation with triggers by id; return the list to which its runs will be added."""
    ran: Ran = async_mock_service(hass, "test", "automation")
    config = {
        "alias": "test",
        "mode": "parallel",
        "max": 100,
        "triggers": [{"id": key, **value} for key, value in triggers.items()],
        "conditions": conditions or [],
        "actions": {
            "action": "test.automation",
            "data": {"id": "{{ trigger.id }}", "entity": "{{ trigger.entity_id }}"},
        },
    }
    assert await async_setup_component(hass, "automation", {"automation": config})
    await hass.async_block_till_done()
    assert hass.states.get("automation.test").state == "on"
    return ran


async def automate_crossing(
    hass: HomeAssistant, entities: str | list[str], threshold: dict[str, Any]
) -> Ran:
    """Set up an automation that runs when the price of entities crosses a value."""
    target = {"entity_id": entities}
    crossed = trigger("price_crossed_value", target, threshold=threshold)
    return await automate(hass, {"crossed": crossed})


def ids(ran: Ran) -> list[str]:
    """Return the ids of the triggers that fired, in order, and clear the list."""
    seen = [call.data["id"] for call in ran]
    ran.clear()
    return seen


async def show(hass: HomeAssistant, entity_id: str, *states: str | float) -> None:
    """Set several states of an entity, one after the other."""
    for state in states:
        attributes = {}
        if entity_id.startswith("sensor."):
            attributes["unit_of_measurement"] = "EUR/kWh"
        hass.states.async_set(entity_id, str(state), attributes)
        await hass.async_block_till_done()


class Registered:
    """A Nomos account that exists in the registries only, so that tests can set the states of its entities."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Register the account and one device."""
        self._hass = hass
        self.entry = MockConfigEntry(domain=DOMAIN, unique_id="registered")
        self.entry.add_to_hass(hass)
        self.device = self.make_device("s1")

    def make_device(self, name: str) -> dr.DeviceEntry:
        """Register a device."""
        return dr.async_get(self._hass).async_get_or_create(
            config_entry_id=self.entry.entry_id, identifiers={(DOMAIN, name)}, name=name
        )

    def entity(
        self,
        key: str,
        platform: Platform = Platform.SENSOR,
        device: dr.DeviceEntry | None = None,
    ) -> str:
        """Register an entity by its name in translations; return its id."""
        device = device or self.device
        return (
            er.async_get(self._hass)
            .async_get_or_create(
                platform,
                DOMAIN,
                f"{device.name}_{key}",
                config_entry=self.entry,
                device_id=device.id,
                translation_key=key,
                suggested_object_id=f"{device.name}_{key}",
            )
            .entity_id
        )


@pytest.fixture
def registered(hass: HomeAssistant) -> Registered:
    """Return an account that exists in the registries only."""
    return Registered(hass)


async def refresh(hass, **data):
    """Call the refresh action."""
    await hass.services.async_call(DOMAIN, "refresh", data, blocking=True)


async def make_plan(hass, **data):
    """Call the action, and check that its response is plain JSON."""
    answer = await hass.services.async_call(
        DOMAIN, "plan", data, blocking=True, return_response=True
    )
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    return answer
