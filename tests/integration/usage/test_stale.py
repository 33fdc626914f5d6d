"""Tests that old usage and contract values are not shown as current if Nomos does not answer for days."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from homeassistant.const import EVENT_STATE_CHANGED, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from simulator.berlin import midnight
from tests.integration.helpers import entity_id, restart, state_of
from tests.integration.usage.helpers import ANALOG, contract, true_day

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)

EVENING = datetime(2026, 6, 10, 16, 3, 7, tzinfo=UTC)

USAGE = ("usage_latest_day", "cost_this_month", "metered_to")
CONTRACT = ("contract_status", "plan", "base_fee")

pytestmark = [
    pytest.mark.usefixtures("entity_registry_enabled_by_default"),
    pytest.mark.parametrize("now", [EVENING]),
]


@pytest.fixture
def usage_known() -> bool:
    """Begin with a new account."""
    return False


@pytest.fixture
def wait(advance):
    """Return a function that advances the clock by days, two hours at a time."""

    async def passes(days: float) -> None:
        for _ in range(round(days * 12)):
            await advance(2 * HOUR)

    return passes


def missing(hass: HomeAssistant, subscription, keys=(*USAGE, *CONTRACT)) -> set[str]:
    """Return the unavailable sensors."""
    return {
        key
        for key in keys
        if state_of(hass, subscription.id, key).state == STATE_UNAVAILABLE
    }


async def test_nomos_is_down(hass: HomeAssistant, nomos, linked, advance, wait) -> None:
    """Known values are shown for three days, then nothing, even after restarts, until Nomos is back."""
    nomos.configure(usage_gaps=False)
    subscription = contract(nomos)
    entry = await linked()
    await advance(HOUR / 20)
    before = {key: state_of(hass, subscription.id, key).state for key in USAGE}
    nomos.faults.add(kind="reset")
    await wait(3.2)
    assert not missing(hass, subscription)
    assert state_of(hass, subscription.id, USAGE[0]).state == before[USAGE[0]]
    await wait(0.2)
    assert missing(hass, subscription) == {*USAGE, *CONTRACT}
    assert hass.states.get(entity_id(hass, subscription.id, "price"))

    for _ in range(4):
        # Before the first response or failure, values are still shown.
        await restart(hass, entry)
        assert not missing(hass, subscription)
        await advance(timedelta(minutes=7, seconds=11))
        assert missing(hass, subscription) == {*USAGE, *CONTRACT}
        await wait(0.9)

    nomos.faults.clear()
    await wait(1)
    assert not missing(hass, subscription)
    today = datetime.now(UTC).astimezone().date()
    day = state_of(hass, subscription.id, "usage_latest_day").attributes["date"]
    assert day in {(today - DAY).isoformat(), (today - 2 * DAY).isoformat()}
    kwh, _ = true_day(nomos, subscription, datetime.fromisoformat(day).date())
    shown = state_of(hass, subscription.id, "usage_latest_day").state
    assert float(shown) == pytest.approx(kwh, abs=1e-6)


async def test_contract_ends_while_usage_is_old(
    hass: HomeAssistant, nomos, linked, advance, wait
) -> None:
    """The usage of an ended contract is available from the moment on when its end is known."""
    subscription = contract(nomos)
    entry = await linked()
    await advance(HOUR / 20)
    nomos.faults.add(kind="reset", match="usage")
    await wait(3.7)
    assert missing(hass, subscription) == {*USAGE}
    nomos.set_subscription(subscription.id, status="ended", end_at=datetime.now(UTC))
    await entry.runtime_data.account.async_refresh()
    await hass.async_block_till_done()
    assert not missing(hass, subscription, USAGE)


@pytest.mark.parametrize("daily", [False, True])
async def test_the_hub_was_off(
    hass: HomeAssistant, nomos, linked, advance, freezer, daily
) -> None:
    """Old values are shown until the response arrives; a hub that runs for an hour each evening shows everything."""
    nomos.configure(usage_gaps=False)
    subscription = contract(nomos)
    entry = await linked()
    await advance(HOUR / 20)
    events = async_capture_events(hass, EVENT_STATE_CHANGED)
    for _ in range(7 if daily else 1):
        assert await hass.config_entries.async_unload(entry.entry_id)
        freezer.tick((1 if daily else 9) * DAY)
        events.clear()
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert not missing(hass, subscription)
        for _ in range(10):
            await advance(HOUR / 10)
        assert not missing(hass, subscription)
    ours = {entity_id(hass, subscription.id, key) for key in (*USAGE, *CONTRACT)}
    assert not [
        one
        for one in events
        if one.data["entity_id"] in ours
        and one.data["new_state"] is not None
        and one.data["new_state"].state == STATE_UNAVAILABLE
    ]


async def test_usage_alone_is_not_answered(
    hass: HomeAssistant, nomos, linked, advance, wait
) -> None:
    """If only usage is refused or fails, only its sensors become unavailable."""
    subscription = contract(nomos)
    await linked()
    await advance(HOUR / 20)
    nomos.faults.add(kind="status", match="usage", status=403)
    await wait(3.2)
    assert not missing(hass, subscription)
    await wait(1)
    assert missing(hass, subscription) == {*USAGE}
    nomos.faults.clear()
    await wait(2)
    assert not missing(hass, subscription)


async def test_old_data_of_a_working_meter(
    hass: HomeAssistant, nomos, linked, advance, wait
) -> None:
    """Sensors stay available for a meter that is rarely read, late data, and an ended contract."""
    subscription = contract(nomos)
    analog = nomos.customers[ANALOG].subscriptions[0]
    await linked()
    await linked(ANALOG)
    await advance(HOUR / 20)
    nomos.configure(usage_delay_days=20)
    await wait(6)
    assert not missing(hass, subscription)
    keys = ("usage_latest_month", *CONTRACT)
    assert not missing(hass, analog, keys)
    end = datetime.now(UTC) + DAY
    for one in (subscription, analog):
        nomos.set_subscription(one.id, end_at=midnight(end.date()))
    await wait(6)
    for one in (subscription, analog):
        assert state_of(hass, one.id, "contract_status").state == "ended"
    assert not missing(hass, subscription)
    assert not missing(hass, analog, keys)
    nomos.faults.add(kind="reset")
    await wait(4.5)
    assert missing(hass, subscription) == {*CONTRACT}
    assert missing(hass, analog, keys) == {*CONTRACT}
