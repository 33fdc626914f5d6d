"""Tests of the dialog of a load in a house with solar power: when the option is offered, and its texts."""

from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section
from tests.integration.loads.helpers import (
    expanded_sections,
    fill_in,
    open_form,
    shown,
    suggested,
)
from tests.integration.loads.sunny import EVENING, add_roof, runs_of, share_of
from tests.packaging import INTEGRATION, read_json

pytestmark = pytest.mark.usefixtures("german_hub")

BRIGHT = [(18, 4.0), (19, 4.0), (20, 4.0)]
LOAD: dict[str, Any] = EVENING | {
    "name": "Boiler",
    "duration": {"hours": 2, "minutes": 0},
}


def offered(result: Any) -> bool:
    """Return whether own solar power is offered, under *Price*."""
    [price] = (
        field
        for key, field in result["data_schema"].schema.items()
        if key == "price" and isinstance(field, section)
    )
    return "own_sun" in price.schema.schema


async def reconfigure(hass: HomeAssistant, entry, load: str) -> Any:
    """Open the dialog of an existing load."""
    return await entry.start_subentry_reconfigure_flow(hass, load)


@pytest.mark.parametrize("load_type", ["appliance", "car", "heat", "other"])
async def test_offered_with_a_solar_forecast(
    hass: HomeAssistant, linked, load_type
) -> None:
    """It is offered for every load and off by default; without a forecast it is not offered."""
    entry = await linked()
    assert not offered(await open_form(hass, entry, load_type))
    await add_roof(hass, entry, *BRIGHT)
    result = await open_form(hass, entry, load_type)
    assert offered(result)
    assert suggested(result)["own_sun"] is False
    options = {**entry.options, "solar_forecasts": []}
    hass.config_entries.async_update_entry(entry, options=options)
    assert not offered(await open_form(hass, entry, load_type))


async def test_preview(hass: HomeAssistant, linked) -> None:
    """The preview equals what the device then shows, sun included, even for the first load that uses it."""
    hass.config.language = "de"
    entry = await linked()
    await add_roof(hass, entry, *BRIGHT)
    for number in range(2):
        before = set(entry.subentries)
        result = await fill_in(hass, await open_form(hass, entry), LOAD)
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await hass.async_block_till_done(wait_background_tasks=True)
        [load] = set(entry.subentries) - before
        assert entry.subentries[load].data["own_sun"] is True
        texts = result["description_placeholders"]
        [(start, end), *_] = runs_of(hass, load)
        assert (
            f"{start.hour + 2:02}:{start:%M}–{end.hour + 2:02}:{end:%M}"
            in texts["times"]
        )
        saving = float(shown(hass, load, "expected_saving").state)
        if saving > 0.01:
            assert texts["saving"] == f"{saving:.2f} EUR".replace(".", ",")
        if number == 0:
            assert share_of(hass, load) == 100
        else:
            assert share_of(hass, load) < 100


async def test_power_is_required(hass: HomeAssistant, linked) -> None:
    """Without a power, the part that the sun covers is unknown."""
    entry = await linked()
    await add_roof(hass, entry, *BRIGHT)
    wrong = {key: one for key, one in LOAD.items() if key != "power"}
    result = await fill_in(hass, await open_form(hass, entry), wrong)
    assert result["errors"] == {"how": "no_power_for_sun"}
    assert expanded_sections(result) == ["how"]
    assert suggested(result)["own_sun"] is True
    result = await fill_in(hass, result, LOAD)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


async def test_kept_without_a_forecast_and_taken_back(
    hass: HomeAssistant, linked
) -> None:
    """A load that uses it keeps the option; if turned off, it is planned by prices alone and loses the attribute."""
    entry = await linked()
    await add_roof(hass, entry, *BRIGHT)
    await fill_in(hass, await open_form(hass, entry), LOAD)
    await hass.async_block_till_done(wait_background_tasks=True)
    [load] = entry.subentries
    sunny = runs_of(hass, load)
    options = {**entry.options, "solar_forecasts": []}
    hass.config_entries.async_update_entry(entry, options=options)
    result = await reconfigure(hass, entry, load)
    assert suggested(result)["own_sun"] is True
    await fill_in(hass, result, LOAD | {"own_sun": False})
    await hass.async_block_till_done(wait_background_tasks=True)
    assert "solar_share" not in shown(hass, load, "expected_cost").attributes
    assert runs_of(hass, load) != sunny
    assert not offered(await reconfigure(hass, entry, load))


@pytest.mark.parametrize("language", ["en", "de"])
async def test_texts(hass: HomeAssistant, linked, language) -> None:
    """The field, its error and the attribute have texts in both languages."""
    texts = read_json(INTEGRATION / "translations" / f"{language}.json")
    load = texts["config_subentries"]["load"]
    price = load["step"]["settings"]["sections"]["price"]
    label = {"en": "Use own solar power", "de": "Eigenen Solarstrom nutzen"}[language]
    assert price["data"]["own_sun"] == label
    assert price["data_description"]["own_sun"]
    assert load["error"]["no_power_for_sun"]
    cost = texts["entity"]["sensor"]["expected_cost"]
    assert cost["state_attributes"]["solar_share"]["name"]
