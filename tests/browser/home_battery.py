"""The steps of a customer who adds a home battery on a phone and views its plan."""

from pathlib import Path
import re
import shutil

from playwright.async_api import Locator, expect

from scripts.hub_client import HubClient
from scripts.sign_in import DOMAIN
from tests.browser.browser import retry
from tests.browser.journey import Journey, exactly
from tests.browser.keyboard import tab_to

NAMES = {"en": "Battery", "de": "Batterie"}
"""The default name of a battery."""

LEVEL = "sensor.storage_charge_level"
LEVEL_NAMES = {"en": "Storage charge level", "de": "Speicher Ladestand"}
SENSORS = (
    "mode",
    "target_level",
    "charging_power",
    "next_change",
    "expected_gain",
    "gain_this_month",
)
FIGURES = {"capacity": "10", "charge_power": "5"}
STEP = "config_subentries.battery.step.user"


def install_solar_forecast(hub: Path) -> None:
    """Install an integration that forecasts solar power into a hub's configuration folder, before it starts."""
    folder = Path(__file__).parent / "roof"
    shutil.copytree(folder, hub / "custom_components" / folder.name)


async def have_battery(hub: HubClient, language: str) -> None:
    """Set up solar power and a battery in the Energy dashboard."""
    roof = await hub.start_flow("roof")
    await hub.command(
        "energy/save_prefs",
        energy_sources=[
            {
                "type": "solar",
                "stat_energy_from": "sensor.roof_energy",
                "config_entry_solar_forecast": [roof["result"]["entry_id"]],
            },
            {
                "type": "battery",
                "stat_energy_from": "sensor.battery_out",
                "stat_energy_to": "sensor.battery_in",
                "stat_soc": LEVEL,
            },
        ],
    )
    await hub.post(
        f"/api/states/{LEVEL}",
        {
            "state": "35",
            "attributes": {
                "unit_of_measurement": "%",
                "device_class": "battery",
                "friendly_name": LEVEL_NAMES[language],
            },
        },
    )


async def add_battery(journey: Journey) -> None:
    """Add a battery in three steps: open the dialog, enter two figures by the keyboard, and finish."""
    texts, flow, page = journey.texts, journey.flow, journey.page
    await journey.go(f"/config/integrations/integration/{DOMAIN}")
    await journey.press_text(texts.own("config_subentries.battery.initiate_flow.user"))
    # There is one contract, so there is nothing to choose.
    await journey.see_form(STEP, "allowed.subscription")
    await _check_accessible_names(journey)
    for key, text in FIGURES.items():
        await tab_to(page, _number(journey, key))
        await page.keyboard.type(text)
    description = flow.get_by_text(texts.own(f"{STEP}.description"))
    await description.scroll_into_view_if_needed()
    await journey.screenshots.take_dialog("battery", page, flow)
    await _omit_a_figure(journey, "capacity")
    await page.keyboard.press("Enter")
    # The name of the blueprint is a link.
    added = texts.own(
        "config_subentries.battery.create_entry.added", blueprint_url="x"
    ).replace("](x)", "")
    await journey.see(added.replace("[", ""), flow)
    link = flow.get_by_role("link")
    await expect(link).to_have_attribute("href", re.compile(r"/blueprints(\.de)?\.md#"))
    await journey.finish("finish")


def _number(journey: Journey, key: str) -> Locator:
    """Return the input of a number by its accessible name."""
    name = re.compile(re.escape(journey.texts.own(f"{STEP}.data.{key}")))
    return journey.flow.get_by_role("spinbutton", name=name)


async def _check_accessible_names(journey: Journey) -> None:
    """Check what is filled in, and that each field and section has an accessible name."""
    texts, flow = journey.texts, journey.flow
    name = flow.get_by_role("textbox", name=re.compile(texts.own(f"{STEP}.data.name")))
    await expect(name).to_have_value(NAMES[texts.language])
    await expect(flow.get_by_text(LEVEL_NAMES[texts.language]).first).to_be_visible()
    for key in ("capacity", "charge_power", "discharge_power"):
        await expect(_number(journey, key)).to_have_value("")
    for section in ("losses", "allowed"):
        heading = exactly(texts.own(f"{STEP}.sections.{section}.name"))
        button = flow.get_by_role("button", name=heading, expanded=False)
        await expect(button).to_be_visible()


async def _omit_a_figure(journey: Journey, key: str) -> None:
    """Submit the form without a figure; check that the error is at its field and the other input is kept."""
    field = _number(journey, key)
    await field.fill("")
    await field.press("Enter")
    error = journey.texts.own(f"config_subentries.battery.error.no_{key}")
    await journey.see(error, journey.flow)

    async def is_at_its_field() -> None:
        box = await field.bounding_box()
        error_box = await journey.flow.get_by_text(error).first.bounding_box()
        assert box and error_box
        assert abs(error_box["y"] - box["y"]) < 2 * box["height"]

    await retry(is_at_its_field)
    for other, text in (FIGURES | {key: ""}).items():
        await expect(_number(journey, other)).to_have_value(text)
    await field.fill(FIGURES[key])


async def see_battery(journey: Journey) -> None:
    """Check on the device's page what the battery does, and why."""
    texts, page = journey.texts, journey.page
    await journey.see(texts.own("config_subentries.battery.entry_type"))
    await page.locator(
        "ha-config-entry-device-row", has_text=NAMES[texts.language]
    ).click()
    await page.wait_for_url("**/config/devices/device/*")
    for key in SENSORS:
        await journey.see(texts.own(f"entity.sensor.battery_{key}.name"))
    modes = texts.below("entity.sensor.battery_mode.state").values()
    # Until the plan is made, the gain is unknown.
    for key, shown in (("mode", "|".join(modes)), ("expected_gain", r"\d[.,]\d\d")):
        name = texts.own(f"entity.sensor.battery_{key}.name")
        row = page.locator("hui-sensor-entity-row", has_text=name)
        await expect(row).to_contain_text(re.compile(shown))
    await journey.screenshots.take_device("battery-device", page)
