"""The soak test: a simulated year full of faults, in which every obtainable price is shown.

`scripts/test tests/integration/test_soak.py --soak-days N --soak-seed S` runs another year; figures follow the results.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
import logging
import os
import random
from typing import Any

import freezegun
from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nomos.const import DOMAIN
from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from simulator import Simulator
from tests.integration.helpers import CLIENT_ID, CLIENT_SECRET
from tests.integration.soak.checker import Checker
from tests.integration.soak.clock import SoakClock, kernel_timers
from tests.integration.soak.disk import Disk
from tests.integration.soak.expected import Expected
from tests.integration.soak.house import House
from tests.integration.soak.proxy import Proxy
from tests.integration.soak.report import LogWatch, summary
from tests.integration.soak.runner import Runner
from tests.integration.soak.stage import Stage

CI = ((1, 150), (2, 100), (3, 150))
"""Seeds and days. An account with two contracts takes twice the time, so it has fewer days."""

DAYS = 400

ACCOUNTS = ("smart@example.com", "analog@example.com", "solar@example.com")
ZONES = (
    "Europe/Berlin",
    "UTC",
    "America/New_York",
    "Asia/Kathmandu",
    "Pacific/Auckland",
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the years of CI, or the one that the command line names."""
    if "soak_seed" in metafunc.fixturenames:
        seed = metafunc.config.getoption("--soak-seed")
        days = metafunc.config.getoption("--soak-days")
        metafunc.parametrize(
            ("soak_seed", "soak_days"),
            [(one, days or length) for one, length in CI]
            if seed is None
            else [(seed, days or DAYS)],
        )


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Give the hub its own configuration folder."""
    return hass_tmp_config_dir


@pytest.fixture
def log() -> Iterator[LogWatch]:
    """Return a log handler for warnings and errors; lower levels would only take time."""
    watch, root = LogWatch(), logging.getLogger()
    level = root.level
    root.setLevel(logging.WARNING)
    root.addHandler(watch)
    yield watch
    root.removeHandler(watch)
    root.setLevel(level)


@pytest.fixture
def freezer() -> Iterator[FrozenDateTimeFactory]:
    """Return a frozen clock for everything but the simulator, which has its own clock and uses real datetimes."""
    with freezegun.freeze_time(ignore=["simulator"]) as frozen:
        assert isinstance(frozen, FrozenDateTimeFactory)
        yield frozen


@pytest.fixture
def kernel() -> Iterator[dict[int, int]]:
    """Replace the kernel's timers, which report that the clock was set."""
    with kernel_timers() as timers:
        yield timers


@pytest.fixture(autouse=True)
def clean_log() -> None:
    """Replace the check of the debug log; the soak searches its own log for secrets."""


@pytest.fixture
def storage_patches(hass_storage: dict[str, Any]) -> Iterator[pytest.MonkeyPatch]:
    """Return patches that are undone before the in-memory storage, which the soak's disk uses."""
    with pytest.MonkeyPatch.context() as patches:
        yield patches


@pytest.fixture
async def clock(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    kernel: dict[int, int],
    soak_seed: int,
) -> AsyncIterator[SoakClock]:
    """Return the clock of a hub in some time zone, at some minute of the year."""
    rng = random.Random(soak_seed)
    # The real class, since instances of the frozen one are slow; at this point it is not replaced yet.
    start: datetime = freezegun.api.real_datetime(
        2026, 1, 1, 10, 7, 11, tzinfo=UTC
    ) + timedelta(minutes=rng.randrange(365 * 1440))
    freezer.move_to(start)
    await hass.config.async_set_time_zone(rng.choice(ZONES))
    clock = SoakClock(hass, freezer, start)
    clock.timers = kernel
    create = os.timerfd_create

    def create_if_known(clock_id: int, *, flags: int) -> int:
        if not clock.kernel_reports:
            raise OSError("no such timers")
        return create(clock_id, flags=flags)

    # Undone before the replacement of the kernel's timers that it uses.
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(os, "timerfd_create", create_if_known)
        yield clock


@pytest.fixture
async def proxy(
    clock: SoakClock, monkeypatch: pytest.MonkeyPatch, soak_seed: int
) -> Proxy:
    """Return the proxy of a running Nomos; the soak stops Nomos."""
    sim = Simulator(
        seed=soak_seed,
        now=lambda: clock.true,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
    )
    sim.configure(rate_limit=None)
    proxy = Proxy(sim)
    proxy.install()
    clock.is_waiting = lambda: proxy.held > 0
    await sim.start()
    monkeypatch.setenv("NOMOS_API_URL", sim.url)
    return proxy


@pytest.fixture
async def entry(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    clock: SoakClock,
    proxy: Proxy,
    soak_seed: int,
) -> MockConfigEntry:
    """Return the account of the seed's customer, linked but not set up."""
    hass_storage["core.uuid"] = {"version": 1, "data": {"uuid": f"hub {soak_seed}"}}
    assert await async_setup_component(hass, "application_credentials", {})
    await async_import_client_credential(
        hass, DOMAIN, ClientCredential(CLIENT_ID, CLIENT_SECRET, "Nomos credentials")
    )
    email = ACCOUNTS[soak_seed % len(ACCOUNTS)]
    token = proxy.sim.issue_tokens(email)
    proxy.newest = token["refresh_token"]
    expires_at = clock.true.timestamp() + token["expires_in"]
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Soak",
        unique_id=proxy.sim.customers[email].id,
        data={
            "auth_implementation": DOMAIN,
            "token": {**token, "expires_at": expires_at},
        },
    )
    entry.add_to_hass(hass)
    hass.config_entries._async_schedule_save()
    return entry


async def test_soak(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    clock: SoakClock,
    proxy: Proxy,
    entry: MockConfigEntry,
    storage_patches: pytest.MonkeyPatch,
    log: LogWatch,
    soak_seed: int,
    soak_days: int,
    report_figures: Callable[[str], None],
) -> None:
    """Whatever happens in a year, every obtainable price is shown, and no other."""
    sim, start, email = proxy.sim, clock.true, ACCOUNTS[soak_seed % len(ACCOUNTS)]
    disk = Disk(hass.config.config_dir)
    disk.install(storage_patches)
    await clock.advance(timedelta(seconds=2))

    subscriptions = sim.customers[email].subscriptions
    expected = Expected(sim, subscriptions[0].step)
    expected.record_disturbed(start, start)
    house = House(hass, hass_storage, clock, sim, entry, email, disk)
    checker = Checker(hass, clock, sim, proxy, expected, house, subscriptions, log)
    checks = random.Random(f"checks {soak_seed}")
    stage = Stage(checks, clock, sim, proxy, expected, house, checker, subscriptions)
    runner = Runner(soak_seed, soak_days, stage)
    random.seed(soak_seed)
    try:
        await runner.run()
    finally:
        if house.is_on:
            await house.stop()
        await clock.advance(timedelta(minutes=5))
        await sim.stop()
        await clock.settle()
        clock.release()
        what = f"{email} in {hass.config.time_zone} from {start:%Y-%m-%d}"
        report_figures(
            summary(checker.figures, checker.kinds, proxy.rotations, soak_seed, what)
        )
    text = "\n".join(log.lines)
    assert sim.secrets
    assert not [one for one in sim.secrets if len(one) > 6 and one in text]
    if checker.violations:
        pytest.fail("\n\n".join(map(str, checker.violations)), pytrace=False)
