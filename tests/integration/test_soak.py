"""The soak: a simulated year, a runner of faults, and at every interval the price that was obtainable.

`scripts/test tests/integration/test_soak.py --soak-days N --soak-seed S` runs any other year; the figures follow the results.
"""

from collections.abc import Callable, Iterator
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
"""Seeds and days. A house with two contracts takes twice the time, and needs fewer."""

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
    """Give the hub a disk of its own."""
    return hass_tmp_config_dir


@pytest.fixture
def log() -> Iterator[LogWatch]:
    """Return what the log holds from warnings up; anything below would only cost time."""
    watch, root = LogWatch(), logging.getLogger()
    level = root.level
    root.setLevel(logging.WARNING)
    root.addHandler(watch)
    yield watch
    root.removeHandler(watch)
    root.setLevel(level)


@pytest.fixture
def freezer() -> Iterator[FrozenDateTimeFactory]:
    """Return a frozen clock that leaves the simulator alone: it is told the time, and counts with real datetimes."""
    with freezegun.freeze_time(ignore=["simulator"]) as frozen:
        assert isinstance(frozen, FrozenDateTimeFactory)
        yield frozen


@pytest.fixture
def kernel() -> Iterator[dict[int, int]]:
    """Stand in for the kernel, which reports that the clock was set."""
    with kernel_timers() as timers:
        yield timers


@pytest.fixture(autouse=True)
def clean_log() -> None:
    """Leave the debug log to the other tests; the soak looks for secrets in its own."""


@pytest.fixture
def storage_patches(hass_storage: dict[str, Any]) -> Iterator[pytest.MonkeyPatch]:
    """Return what is undone before the storage in memory goes, on which the soak's disk builds."""
    with pytest.MonkeyPatch.context() as patches:
        yield patches


async def test_soak(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    freezer: FrozenDateTimeFactory,
    kernel: dict[int, int],
    monkeypatch: pytest.MonkeyPatch,
    storage_patches: pytest.MonkeyPatch,
    log: LogWatch,
    soak_seed: int,
    soak_days: int,
    report_figures: Callable[[str], None],
) -> None:
    """Whatever happens in a year, a price that was obtainable is shown, and no other."""
    rng = random.Random(soak_seed)
    # Not the frozen kind, which makes all that is derived from it slow; looked up here, where it is not replaced.
    start: datetime = freezegun.api.real_datetime(
        2026, 1, 1, 10, 7, 11, tzinfo=UTC
    ) + timedelta(minutes=rng.randrange(365 * 1440))
    zone, email = rng.choice(ZONES), ACCOUNTS[soak_seed % len(ACCOUNTS)]
    hass_storage["core.uuid"] = {"version": 1, "data": {"uuid": f"hub {soak_seed}"}}
    freezer.move_to(start)
    await hass.config.async_set_time_zone(zone)
    clock = SoakClock(hass, freezer, start)
    clock.timers = kernel
    create = os.timerfd_create

    def create_if_known(clock_id: int, *, flags: int) -> int:
        if not clock.kernel_reports:
            raise OSError("no such timers")
        return create(clock_id, flags=flags)

    monkeypatch.setattr(os, "timerfd_create", create_if_known)
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
    disk = Disk(hass.config.config_dir)
    disk.install(storage_patches)
    assert await async_setup_component(hass, "application_credentials", {})
    await async_import_client_credential(
        hass, DOMAIN, ClientCredential(CLIENT_ID, CLIENT_SECRET, "Nomos credentials")
    )
    customer = sim.customers[email]
    token = sim.issue_tokens(email)
    proxy.newest = token["refresh_token"]
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Soak",
        unique_id=customer.id,
        data={
            "auth_implementation": DOMAIN,
            "token": {**token, "expires_at": start.timestamp() + token["expires_in"]},
        },
    )
    entry.add_to_hass(hass)
    hass.config_entries._async_schedule_save()
    await clock.advance(timedelta(seconds=2))

    subscriptions = customer.subscriptions
    expected = Expected(sim, subscriptions[0].step)
    expected.disturb(start, start)
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
        what = f"{email} in {zone} from {start:%Y-%m-%d}"
        report_figures(
            summary(checker.figures, checker.kinds, proxy.rotations, soak_seed, what)
        )
    text = "\n".join(log.lines)
    assert sim.secrets
    assert not [one for one in sim.secrets if len(one) > 6 and one in text]
    if checker.violations:
        pytest.fail("\n\n".join(map(str, checker.violations)), pytrace=False)
