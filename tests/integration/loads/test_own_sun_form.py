"""Tests of the dialog of a load in a house with sun: who is asked for own solar power, and what is said of it."""

from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section
from tests.integration.loads.helpers import begin, fill_in, opened, shown, suggested
from tests.integration.loads.sunny import EVENING, add_roof, runs_of, share_of
from tests.packaging import INTEGRATION, read_json

pytestmark = pytest.mark.usefixtures("german_hub")

BRIGHT = [(18, 4.0), (19, 4.0), (20, 4.0)]
LOAD: dict[str, Any] = EVENING | {
    "name": "Boiler",
    "duration": {"hours": 2, "minutes": 0},
}


def offered(result: Any) -> bool:
    """Return whether own solar power is asked for, under *Price*."""
    [price] = (
        field
        for key, field in result["data_schema"].schema.items()
        if key == "price" and isinstance(field, section)
    )
    return "own_sun" in price.schema.schema


async def reconfigure(hass: HomeAssistant, entry, load: str) -> Any:
    """Open the dialog of a load that is there."""
    return await entry.start_subentry_reconfigure_flow(hass, load)


@pytest.mark.parametrize("load_type", ["appliance", "car", "heat", "other"])
async def test_asked_for_if_the_sun_is_forecast(
    hass: HomeAssistant, linked, load_type
) -> None:
    """Every load may use it, and does not unless somebody says so; without a forecast nobody is asked."""
    entry = await linked()
    assert not offered(await begin(hass, entry, load_type))
    await add_roof(hass, entry, *BRIGHT)
    result = await begin(hass, entry, load_type)
    assert offered(result)
    assert suggested(result)["own_sun"] is False
    options = {**entry.options, "solar_forecasts": []}
    hass.config_entries.async_update_entry(entry, options=options)
    assert not offered(await begin(hass, entry, load_type))


async def test_what_it_says_at_the_end(hass: HomeAssistant, linked) -> None:
    """The dialog ends with what its device shows then, sun included, also for the first load that uses it."""
    hass.config.language = "de"
    entry = await linked()
    await add_roof(hass, entry, *BRIGHT)
    for number in range(2):
        before = set(entry.subentries)
        result = await fill_in(hass, await begin(hass, entry), LOAD)
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


async def test_it_takes_a_power(hass: HomeAssistant, linked) -> None:
    """Which part the sun covers is not known of a load without a power."""
    entry = await linked()
    await add_roof(hass, entry, *BRIGHT)
    wrong = {key: one for key, one in LOAD.items() if key != "power"}
    result = await fill_in(hass, await begin(hass, entry), wrong)
    assert result["errors"] == {"how": "no_power_for_sun"}
    assert opened(result) == ["how"]
    assert suggested(result)["own_sun"] is True
    result = await fill_in(hass, result, LOAD)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


async def test_kept_without_a_forecast_and_taken_back(
    hass: HomeAssistant, linked
) -> None:
    """A load that uses it is still asked; without it, it is planned by prices alone, and its attribute is gone."""
    entry = await linked()
    await add_roof(hass, entry, *BRIGHT)
    await fill_in(hass, await begin(hass, entry), LOAD)
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
    """The field, its mistake and the attribute have texts in both languages."""
    texts = read_json(INTEGRATION / "translations" / f"{language}.json")
    load = texts["config_subentries"]["load"]
    price = load["step"]["settings"]["sections"]["price"]
    label = {"en": "Use own solar power", "de": "Eigenen Solarstrom nutzen"}[language]
    assert price["data"]["own_sun"] == label
    assert price["data_description"]["own_sun"]
    assert load["error"]["no_power_for_sun"]
    cost = texts["entity"]["sensor"]["expected_cost"]
    assert cost["state_attributes"]["solar_share"]["name"]
