"""Tests of other integrations' solar forecasts, and of their accuracy."""

import asyncio
from datetime import UTC, date, datetime
import json
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nomos.forecast.forecasts import Forecasts
from custom_components.nomos.forecast.outlook import Problem
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
from tests.integration.forecast.helpers import (
    DAY,
    HOUR,
    SOLAR,
    Sun,
    add_sun,
    bright,
    dashboard,
    light,
    meter,
    per_day,
)

TODAY = date(2026, 6, 10)
NOON = datetime(2026, 6, 10, 10, tzinfo=UTC)


def choose(hass: HomeAssistant, entry: MockConfigEntry, *forecasts: str) -> None:
    """Choose solar forecasts in the options of an account."""
    hass.config_entries.async_update_entry(
        entry, options={"solar_forecasts": [*forecasts]}
    )


def sun_at(outlook, start: datetime) -> float:
    """Return the expected solar energy in an hour."""
    made: float = outlook.sun.between(start, start + HOUR)
    return made


async def test_forecasts_of_the_dashboard(
    hass: HomeAssistant, linked, forecasts_of, files
) -> None:
    """By default, the Energy dashboard's forecasts are added up, even of several integrations."""
    entry = await linked()
    sun, moon = add_sun(hass, "east", "west"), add_sun(hass, "shed", domain="moony")
    sun.answers = {"east": bright(TODAY, 3), "west": bright(TODAY, 3, 1000)}
    moon.answers = {"shed": bright(TODAY, 2, 100)}
    forecasts = forecasts_of(entry)
    outlook = await forecasts.async_outlook(NOON)
    assert not outlook.sun.energies
    assert not files("forecast")
    one = {**SOLAR, "config_entry_solar_forecast": ["east", "shed"]}
    two = {**one, "stat_energy_from": "sensor.shed"}
    two["config_entry_solar_forecast"] = ["west", "east"]
    await dashboard(hass, one, two)
    outlook = await forecasts.async_outlook(NOON)
    assert outlook.problems == ()
    assert sun_at(outlook, NOON) == pytest.approx(1.6)
    assert sun_at(outlook, NOON + DAY) == pytest.approx(1.6)
    assert (sun.asked, moon.asked) == (2, 1)
    assert files("forecast")


async def test_chosen_forecasts(hass: HomeAssistant, linked, forecasts_of) -> None:
    """The options replace the dashboard's forecasts, even if none is chosen."""
    entry = await linked()
    sun = add_sun(hass, "east", "west")
    sun.answers = {"east": bright(TODAY, 2), "west": bright(TODAY, 2, 1000)}
    await dashboard(hass, {**SOLAR, "config_entry_solar_forecast": ["east"]})
    forecasts = forecasts_of(entry)
    for chosen, made in ((("west",), 1.0), (("west", "east"), 1.5), ((), 0.0)):
        choose(hass, entry, *chosen)
        outlook = await forecasts.async_outlook(NOON)
        assert outlook.problems == ()
        assert sun_at(outlook, NOON) == pytest.approx(made)


async def test_answers_are_kept(hass: HomeAssistant, linked, forecasts_of) -> None:
    """Ten simultaneous callers cause one request, and an answer is kept for 15 minutes."""
    entry = await linked()
    sun = add_sun(hass, "east")
    sun.answers = {"east": bright(TODAY, 2)}
    choose(hass, entry, "east")
    forecasts = forecasts_of(entry)
    await asyncio.gather(*(forecasts.async_outlook(NOON) for _ in range(10)))
    await forecasts.async_outlook(NOON + HOUR / 5)
    assert sun.asked == 1
    await forecasts.async_outlook(NOON + HOUR / 4)
    assert sun.asked == 2
    # The clock was set back.
    await forecasts.async_outlook(NOON - DAY)
    assert sun.asked == 3


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (None, Problem.SUN_UNAVAILABLE),
        (HomeAssistantError("Erika's roof"), Problem.SUN_UNAVAILABLE),
        (TimeoutError(), Problem.SUN_UNAVAILABLE),
        (ValueError(), Problem.SUN_UNAVAILABLE),
        (asyncio.CancelledError(), Problem.SUN_UNAVAILABLE),
        ({"wh_hours": {}}, Problem.SUN_UNAVAILABLE),
        ("text", Problem.SUN_ABSURD),
        ({"wh_hours": {"2026-06-10T12:00:00+02:00": -5}}, Problem.SUN_ABSURD),
        (bright(TODAY - 3 * DAY, 2), Problem.SUN_STALE),
    ],
)
async def test_a_forecast_that_fails(
    hass: HomeAssistant, linked, forecasts_of, caplog, answer, problem
) -> None:
    """The failure is reported, its details are not logged, and the other forecast counts."""
    entry = await linked()
    sun = add_sun(hass, "east", "west")
    sun.answers = {"east": answer, "west": bright(TODAY, 2)}
    choose(hass, entry, "east", "west")
    outlook = await forecasts_of(entry).async_outlook(NOON)
    assert outlook.problems == (problem,)
    assert sun_at(outlook, NOON) == pytest.approx(0.5)
    assert "Erika" not in caplog.text


async def test_unavailable_entry(hass: HomeAssistant, linked, forecasts_of) -> None:
    """A forecast is unavailable if its entry was removed, is not loaded, or offers none."""
    entry = await linked()
    sun = add_sun(hass, "east", "west")
    sun.answers = {"east": bright(TODAY, 2), "west": bright(TODAY, 2)}
    choose(hass, entry, "east", "west")
    forecasts = forecasts_of(entry)
    assert (await forecasts.async_outlook(NOON)).problems == ()
    west = hass.config_entries.async_get_entry("west")
    west.mock_state(hass, ConfigEntryState.SETUP_RETRY)
    for _ in range(2):
        outlook = await forecasts.async_outlook(dt_util.utcnow())
        assert outlook.problems == (Problem.SUN_UNAVAILABLE,)
        assert sun_at(outlook, NOON) == pytest.approx(0.5)
        if hass.config_entries.async_get_entry("west"):
            west.mock_state(hass, ConfigEntryState.LOADED)
            await hass.config_entries.async_remove("west")
    for other in ("nobody", entry.entry_id):
        choose(hass, entry, other)
        outlook = await forecasts.async_outlook(NOON)
        assert outlook.problems == (Problem.SUN_UNAVAILABLE,)
        assert not outlook.sun.energies


async def test_a_forecast_that_hangs(
    hass: HomeAssistant, linked, forecasts_of, advance
) -> None:
    """A forecast that hangs is given up after a while."""
    entry = await linked()
    sun = add_sun(hass, "east")

    sun.answers = {"east": asyncio.Event()}
    choose(hass, entry, "east")
    asked = asyncio.create_task(forecasts_of(entry).async_outlook(NOON))
    while not asked.done():
        await advance(HOUR / 60)
    outlook = asked.result()
    assert outlook.problems == (Problem.SUN_UNAVAILABLE,)


async def live(forecasts, freezer, sun, days: int) -> None:
    """Advance by days, with an outlook at noon and one after midnight."""
    for _ in range(days):
        for hour in (10, 22.5):
            at = dt_util.utcnow().replace(hour=0, minute=0, second=0) + hour * HOUR
            freezer.move_to(at)
            sun.answers = {"east": bright(at.date(), 4)}
            await forecasts.async_outlook(at)
        freezer.move_to(dt_util.utcnow() + 2 * HOUR)


async def test_what_the_roof_makes_corrects_the_forecast(
    hass: HomeAssistant, linked, forecasts_of, freezer, files
) -> None:
    """If the roof makes less than forecast, the factor falls slowly, and it survives a restart."""
    entry = await linked()
    sun = add_sun(hass, "east")
    end = dt_util.utcnow() + 30 * DAY
    await meter(
        hass, "sensor.roof", end, lambda one: 0.4 if light(one) else None, days=40
    )
    await dashboard(hass, {**SOLAR, "config_entry_solar_forecast": ["east"]})
    forecasts = forecasts_of(entry)
    await live(forecasts, freezer, sun, 3)
    # The first day had already begun, and the last one is complete only when the roof reports again.
    assert forecasts.report()["sun_factor_days"] == 1
    await live(forecasts, freezer, sun, 20)
    report = forecasts.report()
    assert report["sun_factor_days"] == 21
    assert report["sun_factor"] == pytest.approx(0.82, abs=0.02)
    now = dt_util.utcnow()
    sun.answers = {"east": bright(now.date(), 4)}
    outlook = await forecasts.async_outlook(now)
    days = per_day(outlook.sun.starts, outlook.sun.energies)
    assert list(days.values()) == pytest.approx([7.5 * report["sun_factor"]] * 4, 0.01)

    (file,) = files("forecast").values()
    assert json.loads(file.read_text())["data"]["days"] == 21
    again = forecasts_of(entry)
    await again.async_outlook(now)
    assert again.report() == forecasts.report()

    # The factor does not apply to another forecast.
    add_sun(hass, "west", domain="moony").answers = {"west": bright(now.date(), 4)}
    choose(hass, entry, "west")
    await again.async_outlook(now)
    assert again.report()["sun_factor_days"] == 0
    assert again.report()["sun_factor"] == 1.0


async def test_without_meters_nothing_is_corrected(
    hass: HomeAssistant, linked, forecasts_of, freezer
) -> None:
    """Without meters, the forecast is used as it is, and no day waits for ever."""
    entry = await linked()
    sun = add_sun(hass, "east")
    choose(hass, entry, "east")
    await dashboard(hass, SOLAR)
    forecasts = forecasts_of(entry)
    await live(forecasts, freezer, sun, 12)
    assert forecasts.report()["sun_factor_days"] == 0
    assert len(forecasts._record.awaited) <= 12


@pytest.mark.parametrize(
    "data",
    [
        '{"version": 1}',
        "[]",
        '{"forecast": -5}',
        '{"actual": -1.0, "forecast": 5.0}',
        '{"awaited": {"soon": 5}}',
        '{"awaited": {"2026-06-11": -1}}',
        '{"days": 1.5}',
    ],
)
async def test_a_file_that_cannot_be_read(
    hass: HomeAssistant, linked, forecasts_of, files, data
) -> None:
    """An unreadable file is set aside, and nothing is corrected."""
    entry = await linked()
    sun = add_sun(hass, "east")
    sun.answers = {"east": bright(TODAY, 3)}
    choose(hass, entry, "east")
    await forecasts_of(entry).async_outlook(NOON)
    ((name, file),) = files("forecast").items()
    stored = json.loads(file.read_text())
    stored["data"] = json.loads(data)
    file.write_text(json.dumps(stored))
    outlook = await forecasts_of(entry).async_outlook(NOON)
    assert sun_at(outlook, NOON) == pytest.approx(0.5)
    assert files("forecast").keys() == {name, f"{name}.unreadable"}


@pytest.fixture
async def slow(hass: HomeAssistant, linked, forecasts_of) -> tuple[Sun, Forecasts, Any]:
    """Return two solar forecasts, of which only the slow one is loaded, and a request that waits for it."""
    entry = await linked()
    sun = add_sun(hass, "east", "west")
    sun.answers = {"east": asyncio.Event(), "west": bright(TODAY, 2)}
    choose(hass, entry, "east", "west")
    hass.config_entries.async_get_entry("west").mock_state(
        hass, ConfigEntryState.SETUP_RETRY
    )
    forecasts = forecasts_of(entry)
    request = hass.async_create_task(forecasts.async_outlook(NOON))
    while not sun.asked:
        assert not request.done()
        await asyncio.sleep(0)
    return sun, forecasts, request


async def test_loaded_while_another_is_read(hass: HomeAssistant, slow) -> None:
    """What was read without it is not kept."""
    sun, forecasts, request = slow
    stop = forecasts.async_start()
    hass.config_entries.async_get_entry("west").mock_state(
        hass, ConfigEntryState.LOADED
    )
    sun.answers["east"].set()
    sun.answers["east"] = bright(TODAY, 2)
    assert (await request).problems
    await hass.async_block_till_done(wait_background_tasks=True)
    stop()
    assert forecasts.latest.problems == ()
    assert sun_at(forecasts.latest, NOON) == pytest.approx(1)


async def test_cancelled_request(hass: HomeAssistant, slow) -> None:
    """The next one reads the sun."""
    sun, forecasts, request = slow
    request.cancel()
    hass.config_entries.async_get_entry("west").mock_state(
        hass, ConfigEntryState.LOADED
    )
    sun.answers["east"] = bright(TODAY, 2)
    outlook = await forecasts.async_outlook(NOON)
    assert outlook.problems == ()
    assert sun_at(outlook, NOON) == pytest.approx(1)
