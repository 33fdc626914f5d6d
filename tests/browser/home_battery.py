"""The steps of a customer who adds a home battery on a phone, and sees its plan."""

from pathlib import Path
import re
import shutil

from playwright.async_api import Locator, expect

from scripts.hub_client import HubClient
from scripts.sign_in import DOMAIN
from tests.browser.journey import Journey, exactly
from tests.browser.keyboard import tab_to

NAMES = {"en": "Battery", "de": "Batterie"}
"""What a battery is called unless something else is entered."""

LEVEL, LEVEL_NAME = "sensor.storage_charge_level", "Storage Charge level"
SENSORS = (
    "mode",
    "target_level",
    "charging_power",
    "next_change",
    "expected_gain",
    "gain_this_month",
)
STEP = "config_subentries.battery.step.user"


def install_roof(hub: Path) -> None:
    """Install an integration that forecasts the sun in a hub's configuration folder, before it starts."""
    folder = Path(__file__).parent / "roof"
    shutil.copytree(folder, hub / "custom_components" / folder.name)


async def have_battery(hub: HubClient) -> None:
    """Have a roof and a battery, which the Energy dashboard knows."""
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
                "friendly_name": LEVEL_NAME,
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
    await _hear_form(journey)
    await _forget(journey)
    for key, text in (("capacity", "10"), ("charge_power", "5")):
        await tab_to(page, _number(journey, key))
        await page.keyboard.type(text)
    await journey.screenshots.take_dialog("battery", page, flow)
    await page.keyboard.press("Enter")
    await journey.see(texts.own("config_subentries.battery.create_entry.added"), flow)
    await journey.finish("finish")


def _number(journey: Journey, key: str) -> Locator:
    """Return the box of a number as a screen reader finds it."""
    name = re.compile(re.escape(journey.texts.own(f"{STEP}.data.{key}")))
    return journey.flow.get_by_role("spinbutton", name=name)


async def _hear_form(journey: Journey) -> None:
    """Check what is filled in already, and that a screen reader names each field and each section."""
    texts, flow = journey.texts, journey.flow
    name = flow.get_by_role("textbox", name=re.compile(texts.own(f"{STEP}.data.name")))
    await expect(name).to_have_value(NAMES[texts.language])
    await expect(flow.get_by_text(LEVEL_NAME).first).to_be_visible()
    for key in ("capacity", "charge_power", "discharge_power"):
        await expect(_number(journey, key)).to_have_value("")
    for section in ("losses", "allowed"):
        heading = exactly(texts.own(f"{STEP}.sections.{section}.name"))
        button = flow.get_by_role("button", name=heading, expanded=False)
        await expect(button).to_be_visible()


async def _forget(journey: Journey) -> None:
    """Send the form without the figures; each mistake is said at its field, one after the other."""
    await journey.press("submit", journey.flow)
    error = journey.texts.own("config_subentries.battery.error.no_capacity")
    await journey.see(error, journey.flow)
    box = await _number(journey, "capacity").bounding_box()
    said = await journey.flow.get_by_text(error).first.bounding_box()
    assert box and said
    assert abs(said["y"] - box["y"]) < 2 * box["height"]


async def see_battery(journey: Journey) -> None:
    """See on its device's page what it does, and why."""
    texts, page = journey.texts, journey.page
    await journey.see(texts.own("config_subentries.battery.entry_type"))
    await page.locator(
        "ha-config-entry-device-row", has_text=NAMES[texts.language]
    ).click()
    await page.wait_for_url("**/config/devices/device/*")
    for key in SENSORS:
        await journey.see(texts.own(f"entity.sensor.battery_{key}.name"))
    modes = texts.below("entity.sensor.battery_mode.state").values()
    row = page.locator(
        "hui-sensor-entity-row", has_text=texts.own("entity.sensor.battery_mode.name")
    )
    await expect(row).to_contain_text(re.compile("|".join(modes)))
    await journey.screenshots.take_device("battery-device", page)
