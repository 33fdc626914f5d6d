"""Tests of the devices of loads: each is linked to the contract with which the load is planned."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from custom_components.nomos.const import DOMAIN
from custom_components.nomos.prices.coordinator import PriceCoordinator
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from simulator import Simulator
from simulator.customers import Subscription
from tests.integration.helpers import EMAIL, Advance
from tests.integration.loads.helpers import DISHWASHER, add, fill_in

pytestmark = pytest.mark.usefixtures("german_hub")


@pytest.fixture
def contracts(nomos: Simulator) -> tuple[Subscription, Subscription]:
    """Return the customer's contract and a second one with the same prices."""
    return nomos.customers[EMAIL].subscriptions[0], nomos.add_subscription(EMAIL)


def device(hass: HomeAssistant, entry, key: str) -> dr.DeviceEntry | None:
    """Return the device of a load or a contract."""
    return dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, key), entry.entry_id
    )


def contract_of(hass: HomeAssistant, entry, load: str) -> str | None:
    """Return the name of the contract to which a load's device is linked."""
    via = device(hass, entry, load).via_device_id
    return dr.async_get(hass).async_get(via).name if via else None


async def test_device_is_linked_to_its_contract(
    hass: HomeAssistant, contracts, linked
) -> None:
    """This holds from the start, after a reload, and when another contract is chosen."""
    first, second = contracts
    entry = await linked()
    loads = [
        await add(hass, entry, name=one.number, subscription=one.id)
        for one in (first, second)
    ]
    expected = [f"Nomos {one.number}" for one in (first, second)]
    assert [contract_of(hass, entry, load) for load in loads] == expected

    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert [contract_of(hass, entry, load) for load in loads] == expected

    result = await entry.start_subentry_reconfigure_flow(hass, loads[0])
    await fill_in(hass, result, DISHWASHER | {"subscription": second.id})
    await hass.async_block_till_done()
    assert contract_of(hass, entry, loads[0]) == expected[1]


async def test_contract_that_disappears(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """The device is linked to the contract with which the load is planned from then on."""
    second = nomos.add_subscription(EMAIL)
    entry = await linked()
    load = await add(hass, entry, subscription=second.id)
    nomos.remove_subscription(second.id)
    for _ in range(2):
        await advance(timedelta(days=1))
    assert device(hass, entry, second.id) is None
    assert device(hass, entry, load).name == "Dishwasher"
    assert contract_of(hass, entry, load) == "Nomos"


async def test_the_only_contract(hass: HomeAssistant, nomos, linked) -> None:
    """A load without a chosen contract is linked to the consumption contract."""
    entry = await linked("solar@example.com")
    load = await add(hass, entry)
    assert contract_of(hass, entry, load) == "Nomos"


async def test_contract_ends(
    hass: HomeAssistant, nomos, contracts, linked, freezer
) -> None:
    """From then on the load is planned with the other contract, even if usage is still being requested."""
    first, second = contracts
    entry = await linked()
    runtime = entry.runtime_data
    load = await add(hass, entry, subscription=second.id)
    freezer.tick(timedelta(days=1))
    nomos.faults.add(kind="delay", match="usage", seconds=5, times=1)
    usage = runtime.usage[second.id]
    request = hass.async_create_background_task(usage.async_refresh(), "usage")
    while nomos.faults.pending:
        assert not request.done()
        await asyncio.sleep(0)
    nomos.set_subscription(second.id, status="ended", end_at=datetime.now(UTC))
    await runtime.account.async_refresh()
    assert runtime.loads.all[load].coordinator is runtime.prices[first.id]
    assert contract_of(hass, entry, load) == "Nomos"
    request.cancel()


async def test_contract_ends_while_its_load_is_planned(
    hass: HomeAssistant, nomos, contracts, linked
) -> None:
    """The load is planned again with the other contract, even if its prices are the same."""
    first, second = contracts
    entry = await linked()
    runtime = entry.runtime_data
    load = runtime.loads.all[await add(hass, entry, subscription=second.id)]
    table = load.coordinator.data
    planned: list[PriceCoordinator] = []

    @callback
    def plan(event) -> None:
        if event.data["action"] == "remove":
            load.async_replan()
            assert load.plan_maker.planning_task
            planned.append(load.coordinator)

    stop = hass.bus.async_listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, plan)
    nomos.set_subscription(second.id, status="ended", end_at=datetime.now(UTC))
    await runtime.account.async_refresh()
    stop()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert [one.contract_id for one in planned] == [second.id]
    assert load.coordinator is runtime.prices[first.id]
    assert load.coordinator.data == table
    assert load.plan_maker.is_valid
