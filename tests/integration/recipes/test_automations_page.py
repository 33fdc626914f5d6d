"""Tests of the examples in docs/automations.md: triggers fire and conditions hold when they should."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml
from tests.integration.blueprints import QUARTER, device
from tests.integration.helpers import Advance, entity_id
from tests.integration.loads.helpers import add, table_of
from tests.integration.recipes import blocks

CONTRACT, LOAD = "0123456789abcdef", "fedcba9876543210"


def example(number: int, contract: str = CONTRACT, load: str = LOAD) -> Any:
    """Return an example of the page, with the devices filled in."""
    text = blocks("docs/automations.md")[number]
    return parse_yaml(text.replace(CONTRACT, contract).replace(LOAD, load))


@pytest.fixture
async def contract(hass: HomeAssistant, nomos, linked, subscription) -> tuple[Any, str]:
    """Return an account, and its contract's device, which is in the cellar."""
    begin = datetime(2026, 6, 10, 10, tzinfo=UTC)
    for number in range(4):
        nomos.correct_price(subscription.id, begin + number * QUARTER, -1.0)
    entry = await linked()
    found = device(hass, subscription)
    cellar = ar.async_get(hass).async_create("cellar")
    assert cellar.id == "cellar"
    dr.async_get(hass).async_update_device(found, area_id=cellar.id)
    return entry, found


async def test_triggers(hass: HomeAssistant, contract, advance: Advance) -> None:
    """Each trigger fires within a day, and every start has an end."""
    entry, found = contract
    load = await add(hass, entry)
    [load_device] = (
        one.id
        for one in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
        if any(load in identifier for _, identifier in one.identifiers)
    )
    triggers = (
        example(0, found, load_device)["triggers"]
        + example(1, found, load_device)["triggers"]
    )
    names = [
        f"{number} {one['trigger'].removeprefix('nomos.')}"
        for number, one in enumerate(triggers)
    ]
    fired = async_mock_service(hass, "test", "fired")
    config = {
        "alias": "used",
        "mode": "queued",
        "max": 100,
        "triggers": [
            {**one, "id": name} for name, one in zip(names, triggers, strict=True)
        ],
        "actions": [{"action": "test.fired", "data": {"id": "{{ trigger.id }}"}}],
    }
    assert await async_setup_component(hass, "automation", {"automation": config})
    assert hass.states.get("automation.used").state == "on"
    for _ in range(2 * 96):
        await advance(QUARTER)
        await advance(timedelta(seconds=1))
    seen = [call.data["id"] for call in fired]
    assert sorted(set(seen)) == sorted(names)
    for started, ended in pairwise(names):
        if started.endswith("started") and ended.endswith("ended"):
            assert seen.count(started) - seen.count(ended) in {0, 1}, started


async def test_conditions(hass: HomeAssistant, contract, advance: Advance) -> None:
    """All conditions hold at the cheapest time of the day, and not at the most expensive."""
    entry, found = contract
    held = async_mock_service(hass, "test", "held")
    sequence = [*example(2, found)["conditions"], {"action": "test.held"}]
    script = {"one": {"sequence": sequence}}
    assert await async_setup_component(hass, "script", {"script": script})
    day = table_of(entry).day(datetime(2026, 6, 10, tzinfo=UTC).date())
    ahead = [one for one in day.intervals if one.start > datetime.now(UTC)]
    best, worst = (
        pick(ahead, key=lambda one: (one.price, one.start)) for pick in (min, max)
    )
    for one, count in sorted([(best.start, 1), (worst.start, 0)]):
        await advance(one - datetime.now(UTC) + timedelta(seconds=1))
        held.clear()
        await hass.services.async_call("script", "one", blocking=True)
        assert len(held) == count


@pytest.mark.parametrize("cheaper", [True, False])
async def test_message(
    hass: HomeAssistant, nomos, linked, subscription, advance: Advance, cheaper
) -> None:
    """There is one message if tomorrow is cheaper than today, and none if it is not."""
    midnight = datetime(2026, 6, 10, 22, tzinfo=UTC)
    for number in range(96):
        nomos.correct_price(
            subscription.id, midnight + number * QUARTER, 1.0 if cheaper else 99.0
        )
    entry = await linked()
    er.async_get(hass).async_update_entity(
        entity_id(hass, subscription.id, "average_price_tomorrow"), disabled_by=None
    )
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    sent = async_mock_service(hass, "notify", "notify")
    config = {"alias": "used", **example(3)}
    assert await async_setup_component(hass, "automation", {"automation": config})
    await hass.async_block_till_done()
    for _ in range(8 * 4):
        await advance(QUARTER)
    assert hass.states.get("binary_sensor.nomos_prices_for_tomorrow").state == "on"
    assert [call.data["message"] for call in sent] == (
        ["Tomorrow will be cheaper than today."] if cheaper else []
    )
