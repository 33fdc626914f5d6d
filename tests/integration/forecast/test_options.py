"""Tests of the options for forecasts."""

from typing import Any

from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockModule,
    mock_integration,
    mock_platform,
)

from custom_components.nomos.forecast.form import async_forecast_fields
from custom_components.nomos.forecast.options import ForecastOptions
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.integration.forecast.helpers import SOLAR, add_sun, dashboard


async def show(hass: HomeAssistant, entry: MockConfigEntry) -> tuple[Any, Any]:
    """Open the options; return the form, and the fields of its section."""
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert form["type"] is FlowResultType.FORM
    section = form["data_schema"].schema["battery"]
    assert section.options["collapsed"]
    return form, {str(key): key for key in section.schema.schema}


async def submit(hass: HomeAssistant, form: Any, **battery: Any) -> None:
    """Submit the form with these values in the section."""
    result = await hass.config_entries.options.async_configure(
        form["flow_id"], {"battery": battery}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)


def suggested(fields: Any) -> Any:
    """Return the suggested solar forecasts."""
    return fields["solar_forecasts"].description["suggested_value"]


async def test_usual_values(hass: HomeAssistant, nomos, linked) -> None:
    """Without solar forecasts there is nothing to choose; defaults are stored without a request to Nomos."""
    entry = await linked()
    requests = len(nomos.requests)
    form, fields = await show(hass, entry)
    assert set(fields) == {"yearly_usage", "payout", "no_payout_if_negative"}
    await submit(hass, form)
    assert ForecastOptions.of(entry.options) == ForecastOptions()
    assert entry.options["yearly_usage"] == 3500
    assert len(nomos.requests) == requests


async def test_what_is_entered(hass: HomeAssistant, linked) -> None:
    """Values are stored along with the levels and shown again, and an amount can be cleared."""
    entry = await linked()
    form, _ = await show(hass, entry)
    await submit(hass, form, yearly_usage=4200, payout=8.11, no_payout_if_negative=True)
    found = ForecastOptions.of(entry.options)
    assert found.kwh_a_year == 4200
    assert round(found.payout or 0, 6) == 0.0811
    assert found.no_payout_if_negative
    assert entry.options["cheap_share"] == 25
    form, fields = await show(hass, entry)
    assert fields["payout"].description["suggested_value"] == 8.11
    await submit(hass, form, yearly_usage=4200)
    assert ForecastOptions.of(entry.options).payout is None


async def test_solar_forecasts(hass: HomeAssistant, linked) -> None:
    """The dashboard's forecasts are suggested, and followed until they are changed here."""
    entry = await linked()
    add_sun(hass, "east", "west")
    await dashboard(hass, {**SOLAR, "config_entry_solar_forecast": ["east", "gone"]})
    form, fields = await show(hass, entry)
    assert suggested(fields) == ["east"]
    await submit(hass, form, solar_forecasts=["east"])
    assert ForecastOptions.of(entry.options).solar_forecasts is None

    form, _ = await show(hass, entry)
    await submit(hass, form, solar_forecasts=["west"])
    assert ForecastOptions.of(entry.options).solar_forecasts == ("west",)
    form, fields = await show(hass, entry)
    assert suggested(fields) == ["west"]

    # A browser omits a field that was cleared.
    await submit(hass, form)
    assert ForecastOptions.of(entry.options).solar_forecasts == ()
    form, fields = await show(hass, entry)
    assert suggested(fields) == []
    await submit(hass, form, solar_forecasts=["east"])
    assert ForecastOptions.of(entry.options).solar_forecasts is None


async def test_a_forecast_that_was_removed(hass: HomeAssistant, linked) -> None:
    """A removed forecast is not shown and does not prevent saving."""
    entry = await linked()
    add_sun(hass, "east", "west")
    hass.config_entries.async_update_entry(
        entry, options={"solar_forecasts": ["west", "east"]}
    )
    await hass.config_entries.async_remove("west")
    form, fields = await show(hass, entry)
    assert suggested(fields) == ["east"]
    await submit(hass, form, solar_forecasts=["east"])
    assert ForecastOptions.of(entry.options).solar_forecasts == ("east",)


async def test_integrations_that_cannot_be_loaded(hass: HomeAssistant, linked) -> None:
    """Integrations that cannot be loaded offer no forecasts and cause no error."""
    entry = await linked()
    add_sun(hass, "east")
    mock_integration(hass, MockModule("broken"))._top_level_files.add("energy.py")
    mock_platform(hass, "moony.energy", object())
    for domain in ("broken", "moony", "gone"):
        MockConfigEntry(domain=domain, entry_id=domain).add_to_hass(hass)
    _, fields = await show(hass, entry)
    assert suggested(fields) == []
    offered = next(iter((await async_forecast_fields(hass)).values()))
    assert [one["value"] for one in offered.config["options"]] == ["east"]


async def test_loads_may_use_the_sun_of_the_energy_dashboard(
    hass: HomeAssistant, linked
) -> None:
    """The Energy dashboard's forecasts need not be chosen again; if it has none, there is none here."""
    entry = await linked()
    assert not await entry.runtime_data.async_forecasts_sun()
    add_sun(hass, "east")
    await dashboard(hass, SOLAR | {"config_entry_solar_forecast": ["east"]})
    assert await entry.runtime_data.async_forecasts_sun()
    hass.config_entries.async_update_entry(entry, options={"solar_forecasts": []})
    assert not await entry.runtime_data.async_forecasts_sun()
