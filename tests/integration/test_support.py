"""Tests of the debug log for support: it says what arrived and what comes next, without personal data."""

from datetime import timedelta
import re

import pytest

from homeassistant.core import HomeAssistant
from tests.integration.helpers import EMAIL, Advance, assert_right, personal
from tests.integration.loads.helpers import DISHWASHER, add, put

pytestmark = pytest.mark.usefixtures("german_hub")

QUARTER = timedelta(minutes=15)


@pytest.fixture
def lines(caplog):
    """Return a function that returns the integration's log lines since its last call."""
    seen = 0

    def since() -> list[str]:
        nonlocal seen
        new, seen = caplog.records[seen:], len(caplog.records)
        return [
            one.getMessage() for one in new if one.name.startswith("custom_components")
        ]

    return since


async def test_a_day(
    hass: HomeAssistant, nomos, linked, advance: Advance, lines
) -> None:
    """A day of a contract with a load has some tens of lines, which say what arrived and what comes next."""
    entry = await linked()
    await add(hass, entry, DISHWASHER, name="Erika's dishwasher")
    logged = lines()
    assert "Contracts: 1 came: 1. consumption active" in logged
    assert (
        "Prices of contract 1 of 1: 96 intervals came, until 2026-06-11 00:00:00+02:00, 0 of them without a price"
    ) in logged
    for _ in range(96):
        await advance(QUARTER)
    day = lines()
    assert len(day) <= 40
    logged += day
    for line in (
        r"Contracts: next request 2026-06-11 13:5\d:\d\d\+02:00: the daily list, .*",
        r"Prices of contract 1 of 1: next request 2026-06-10 1[45]:\d\d.*: some of tomorrow are missing",
        r"Prices of contract 1 of 1: 192 intervals came, until 2026-06-12 00:00:00\+02:00, 0 of them .*",
        r"Prices of contract 1 of 1: next request .*: all are known that should be by now",
        r"Usage of contract 1 of 1: 7 days and 0 months are known, metered until 2026-06-10 00:00:00.*",
        r"Usage of contract 1 of 1: next request 2026-06-11 16:3.*: the daily sync",
        r"Load 1: provisional, in the window 2026-06-10 20:00:00.*: 2026-06-1\d .* to 2026-06-1.*",
        r"Load 1: planned, in the window 2026-06-10 20:00:00.*: 2026-06-11 \d.* to 2026-06-11 \d.*",
        r"Load 1: running, in the window .*",
        r"Load 1: done, .*",
    ):
        assert any(re.fullmatch(line, one) for one in logged), (line, logged)
    log = "\n".join(logged)
    assert not [one for one in personal(nomos, EMAIL, entry) if one in log]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "status", "status": 403}, "NomosPermissionError status=403"),
        ({"kind": "status", "status": 500}, "NomosServerError status=500"),
        ({"kind": "reset"}, "NomosConnectionError"),
        ({"kind": "rate_limit", "retry_after": 60}, "NomosRateLimitError status=429"),
    ],
)
async def test_refused_request(
    hass: HomeAssistant,
    nomos,
    linked,
    advance: Advance,
    subscription,
    lines,
    fault,
    reason,
) -> None:
    """The log says what failed and what continues; prices stay."""
    entry = await linked()
    runtime = entry.runtime_data
    nomos.faults.add(**fault)
    lines()
    for one in runtime.account, runtime.prices[subscription.id]:
        await one.async_refresh()
    logged = lines()
    assert any(
        one.startswith(f"Contracts: could not be read, what is known goes on: {reason}")
        for one in logged
    )
    assert any(
        one.startswith(
            "Prices of contract 1 of 1: could not be read, what is known until "
            f"2026-06-11 00:00:00+02:00 goes on: {reason.split()[0]}"
        )
        for one in logged
    )
    assert not [one for one in logged if "success" in one or "Finished" in one]
    assert len([one for one in logged if ": next request 2026-06-10" in one]) == 2
    await advance(QUARTER)
    assert_right(hass, nomos, subscription)


async def test_refused_access(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription, lines
) -> None:
    """The log says that access was refused and when it is retried."""
    entry = await linked()
    runtime = entry.runtime_data
    nomos.revoke(EMAIL)
    lines()
    await runtime.account.async_refresh()
    await runtime.prices[subscription.id].async_refresh()
    logged = lines()
    assert "Prices of contract 1 of 1: next request -: access is refused" in logged
    assert [
        one for one in logged if one.startswith("Contracts: next request 2026-06-1")
    ]
    assert not [one for one in logged if "success" in one]


async def test_unknown_prices_are_counted(
    hass: HomeAssistant, nomos, linked, lines
) -> None:
    """The log has the number of prices that Nomos left out."""

    def blank(data):
        for item in data["items"][:3]:
            item["amount"] = None
        return data

    nomos.faults.add(kind="mutate", match="prices", change=blank)
    await linked()
    assert [one for one in lines() if "3 of them without a price" in one]


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"start": "01:00:00", "end": "06:00:00"}, "waiting for prices"),
        ({"start": "08:00:00", "end": "20:00:00"}, "above cap"),
    ],
)
async def test_why_a_load_does_not_run(
    hass: HomeAssistant, nomos, linked, lines, settings, why
) -> None:
    """The log has the reason, and only the number of the load."""
    entry = await linked()
    await put(
        hass,
        entry,
        "Erika's dishwasher",
        duration={"hours": 2},
        price_cap=-50,
        **settings,
    )
    [line] = [one for one in lines() if one.startswith("Load ")]
    assert re.fullmatch(f"Load 1: {why}, in the window .*: no run", line)
