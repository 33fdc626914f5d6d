"""Tests of a hub whose clock was wrong for a while, although its timers and Nomos are right.

No known price is lost, and within a minute everything is as on a hub whose clock was always right.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import product
import json
from typing import Any

import freezegun
from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from simulator import Simulator
from tests.integration.helpers import CLIENT_ID, CLIENT_SECRET, EMAIL, assert_right
from tests.integration.loads.helpers import DISHWASHER, moment, runs_now
from tests.integration.soak.clock import SoakClock, kernel_timers
from tests.integration.soak.house import House

DAY = timedelta(days=1)
AFTERNOON = datetime(2026, 6, 10, 13, 7, 11, tzinfo=UTC)
"""The start of the tests, when tomorrow is known."""
MINUTE, HOURS = timedelta(minutes=1), timedelta(hours=2)


@pytest.fixture
def now() -> datetime:
    """Begin when tomorrow is known."""
    return AFTERNOON


@pytest.fixture
def freezer() -> Iterator[FrozenDateTimeFactory]:
    """Return a frozen clock for everything but the simulator, which has the right time."""
    with freezegun.freeze_time(ignore=["simulator"]) as frozen:
        assert isinstance(frozen, FrozenDateTimeFactory)
        yield frozen


@pytest.fixture(params=[True, False], ids=["notified", "not_notified"])
def notified(request: pytest.FixtureRequest) -> bool:
    """Return whether the kernel reports that the clock was set."""
    return bool(request.param)


@contextmanager
def no_timers() -> Iterator[dict[int, int]]:
    """Simulate a kernel that does not report that the clock was set."""

    def refuse(*_args: object, **_options: object) -> int:
        raise OSError("no timer for you")

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr("os.timerfd_create", refuse)
        yield {}


@pytest.fixture
async def clock(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    now: datetime,
    notified: bool,
) -> AsyncIterator[SoakClock]:
    """Return the clock with the hub's and the true time, which may differ."""
    freezer.move_to(now)
    clock = SoakClock(hass, freezer, now)
    with kernel_timers() if notified else no_timers() as clock.timers:
        yield clock
        clock.release()


@pytest.fixture
async def nomos(
    clock: SoakClock, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Simulator]:
    """Return a simulator with the true time."""
    sim = Simulator(
        seed=7,
        now=lambda: clock.true,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
    )
    sim.configure(rate_limit=None)
    await sim.start()
    monkeypatch.setenv("NOMOS_API_URL", sim.url)
    yield sim
    await clock.advance(timedelta(minutes=2))
    await sim.stop()


@pytest.fixture
async def house(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    nomos: Simulator,
    clock: SoakClock,
    credentials: None,
) -> AsyncIterator[House]:
    """Return a hub in Germany that is not started, with a linked account and a dishwasher."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    token = nomos.issue_tokens(EMAIL)
    entry = MockConfigEntry(
        domain="nomos",
        title="4X44EMKX",
        unique_id=nomos.customers[EMAIL].id,
        data={
            "auth_implementation": "nomos",
            "token": {
                **token,
                "expires_at": clock.hub.timestamp() + token["expires_in"],
            },
        },
        subentries_data=[
            ConfigSubentryData(
                data={
                    **{key: DISHWASHER[key] for key in DISHWASHER if key != "name"},
                    "fallback": "22:30:00",
                },
                subentry_type="load",
                title="Dishwasher",
                unique_id=None,
            )
        ],
    )
    entry.add_to_hass(hass)
    house = House(hass, hass_storage, clock, nomos, entry, EMAIL)
    yield house
    if house.is_on:
        await house.stop()


def stored_starts(files: Callable[[str], Any]) -> set[int]:
    """Return the starts of the stored intervals."""
    [path] = files("prices").values()
    intervals = json.loads(path.read_text())["data"]
    return {start for start, _, price, *_ in intervals if price is not None}


async def correct_clock(clock: SoakClock, *, notified: bool) -> None:
    """Set the clock right, and wait until that must have been noticed: a minute at most."""
    await clock.jump(timedelta())
    await clock.advance(timedelta(seconds=2 if notified else 62))


@pytest.mark.parametrize(
    ("notified", "restarted", "days", "lasting"),
    [
        *product([True], [False], [1, 9, 365, -9], [MINUTE, HOURS]),
        *product([True], [True], [1, 9, 365, -1, -365], [HOURS]),
        (True, True, 9, MINUTE),
        (False, False, 365, MINUTE),
        (False, False, 1, HOURS),
        (False, False, -9, HOURS),
        (False, True, 9, HOURS),
        (False, True, 1, MINUTE),
    ],
    indirect=["notified"],
)
async def test_recovery_from_a_wrong_clock(
    hass: HomeAssistant,
    nomos: Simulator,
    subscription: Any,
    clock: SoakClock,
    house: House,
    files: Callable[[str], Any],
    *,
    days: int,
    lasting: timedelta,
    restarted: bool,
    notified: bool,
) -> None:
    """Once the clock is right, known prices are shown and on disk, loads are planned, and everything works."""
    await house.start()
    await clock.advance(timedelta(minutes=20))
    [load_id] = house.entry.subentries
    known, start = stored_starts(files), moment(hass, load_id, "next_start")
    assert_right(hass, nomos, subscription)
    if restarted:
        await house.stop()
    asked = nomos.count("prices")
    await clock.jump(days * DAY)
    if restarted:
        await house.start()
    await clock.advance(lasting)
    assert nomos.count("prices") - asked <= 12
    asked = nomos.count("prices")
    await correct_clock(clock, notified=notified)
    assert_right(hass, nomos, subscription)
    assert known <= stored_starts(files)
    assert len(stored_starts(files)) <= 7 * 96
    assert moment(hass, load_id, "next_start") == start
    runtime = house.entry.runtime_data
    for one in (
        runtime.account,
        runtime.prices[subscription.id],
        runtime.usage[subscription.id],
    ):
        assert clock.true < one.next_request < clock.true + DAY, one.name
    # The load runs and tomorrow's prices arrive in time: nothing waits for a day in the far future.
    await clock.advance(start + timedelta(seconds=2) - clock.true)
    assert runs_now(hass, load_id)
    await clock.advance(AFTERNOON + DAY - clock.true)
    assert_right(hass, nomos, subscription)
    assert runtime.prices[subscription.id].data.intervals[-1].end == datetime(
        2026, 6, 12, 22, tzinfo=UTC
    )
    assert nomos.count("prices") - asked <= 8
    assert len(stored_starts(files)) <= 4 * 96


@pytest.mark.parametrize("unpublished", ["null_amounts", "null_electricity"])
@pytest.mark.parametrize("notified", [True], indirect=True)
async def test_unknown_prices_replace_no_known_ones(
    hass: HomeAssistant,
    nomos: Simulator,
    subscription: Any,
    clock: SoakClock,
    house: House,
    files: Callable[[str], Any],
    unpublished: str,
) -> None:
    """Unpublished days that Nomos lists without prices do not replace days with prices."""
    await house.start()
    await clock.advance(timedelta(minutes=20))
    nomos.configure(unpublished=unpublished)
    known = stored_starts(files)
    await clock.jump(9 * DAY)
    await clock.advance(HOURS)
    nomos.faults.add("status", status=503)
    await correct_clock(clock, notified=True)
    assert_right(hass, nomos, subscription)
    assert known <= stored_starts(files)


@pytest.mark.parametrize("days", [1, 9, -9])
async def test_linked_while_the_clock_was_wrong(
    hass: HomeAssistant,
    nomos: Simulator,
    subscription: Any,
    clock: SoakClock,
    house: House,
    *,
    days: int,
    notified: bool,
) -> None:
    """If nothing was known before, the price is shown within a minute of the clock being set right."""
    await clock.jump(days * DAY)
    await house.start()
    await clock.advance(timedelta(hours=2))
    asked = nomos.count("prices")
    await correct_clock(clock, notified=notified)
    assert_right(hass, nomos, subscription)
    assert nomos.count("prices") - asked <= 2


async def test_wait_is_independent_of_the_clock(
    nomos: Simulator, clock: SoakClock, house: House, *, notified: bool
) -> None:
    """A wait of ten minutes takes ten minutes, whatever the clock does."""
    await house.start()
    [prices] = house.entry.runtime_data.prices.values()
    await clock.jump(timedelta(hours=1))
    await clock.advance(timedelta(seconds=62))
    nomos.faults.add("rate_limit", "prices", times=1, retry_after=600)
    await clock.drive(prices.async_refresh())
    await correct_clock(clock, notified=notified)
    asked = nomos.count("prices")
    await clock.drive(prices.async_refresh())
    assert nomos.count("prices") == asked
    await clock.advance(timedelta(minutes=10))
    await clock.drive(prices.async_refresh())
    assert nomos.count("prices") == asked + 1


async def test_contract_that_ended_by_a_wrong_clock(
    hass: HomeAssistant,
    nomos: Simulator,
    subscription: Any,
    clock: SoakClock,
    house: House,
    *,
    notified: bool,
) -> None:
    """A contract that only a wrong clock considered ended is requested again."""
    subscription.end_at = AFTERNOON + 5 * DAY
    await house.start()
    await clock.jump(9 * DAY)
    await clock.advance(DAY)
    await correct_clock(clock, notified=notified)
    await clock.advance(timedelta(minutes=5))
    assert_right(hass, nomos, subscription)


async def test_list_that_lacked_a_contract(
    nomos: Simulator, subscription: Any, clock: SoakClock, house: House
) -> None:
    """A contract that is missing from one list is not removed because the clock jumps to the next day."""
    await house.start()
    account = house.entry.runtime_data.account
    nomos.remove_subscription(subscription.id)
    await clock.drive(account.async_refresh())
    await clock.jump(timedelta(hours=21))
    await clock.advance(timedelta(seconds=62))
    await clock.drive(account.async_refresh())
    assert subscription.id in account.data


async def test_run_that_began_by_a_wrong_clock(
    hass: HomeAssistant, clock: SoakClock, house: House, *, notified: bool
) -> None:
    """A run that began on a future day does not prevent tonight's plan."""
    await house.start()
    await clock.advance(timedelta(minutes=20))
    [load_id] = house.entry.subentries
    start = moment(hass, load_id, "next_start")
    ahead = datetime(2026, 6, 19, 20, 29, 31, tzinfo=UTC)
    await clock.jump(ahead - clock.true)
    await clock.advance(timedelta(minutes=2))
    assert runs_now(hass, load_id)
    await correct_clock(clock, notified=notified)
    assert not runs_now(hass, load_id)
    assert moment(hass, load_id, "next_start") == start
    await clock.advance(start + timedelta(seconds=2) - clock.true)
    assert runs_now(hass, load_id)
