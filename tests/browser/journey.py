"""The steps of a customer through Home Assistant's pages; each one checks what is shown at its end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
import re

from playwright.async_api import BrowserContext, Locator, Page, expect

from custom_components.nomos.const import PAGES
from scripts.hub_client import HubClient, HubError
from scripts.sign_in import CLIENT_ID, CLIENT_SECRET, CUSTOMER, DOMAIN, Customer
from tests.browser.browser import wait_for_history
from tests.browser.console_guard import ConsoleGuard
from tests.browser.keyboard import tab_to
from tests.browser.my_redirect import HOST as MY_HOST
from tests.browser.screenshots import Screenshots
from tests.browser.texts import Texts
from tests.e2e.processes import PASSWORD, USER, Processes

LOADS = {"en": "Dishwasher", "de": "Spülmaschine"}
BY_KEYS = {"en": "Washer", "de": "Waschmaschine"}
"""The name of the load that is added by keyboard."""

DASHBOARD = "dashboard-nomos"
"""The path of the ready-made dashboard."""

TITLE = "4X44EMKX"
"""The number of the customer's contract, which names the account."""


def exactly(text: str) -> re.Pattern[str]:
    """Return a pattern that matches the whole text, since other buttons' names may contain it."""
    return re.compile(rf"^\s*{re.escape(text)}\s*$")


@dataclass(kw_only=True, slots=True)
class Journey:
    """A customer at a browser."""

    processes: Processes
    context: BrowserContext
    page: Page
    guard: ConsoleGuard
    my: bool
    screenshots: Screenshots

    @property
    def texts(self) -> Texts:
        """The expected texts."""
        return self.guard.texts

    @property
    def flow(self) -> Locator:
        """The dialog of a flow."""
        return self.page.locator("dialog-data-entry-flow")

    # Actions on any page

    async def go(self, path: str) -> None:
        """Open a page of Home Assistant by its path."""
        await wait_for_history(self.page)
        await self.page.goto(self.processes.hub.url + path)

    async def reload(self) -> None:
        """Load the page again."""
        await wait_for_history(self.page)
        await self.page.reload()

    async def resize(self, size: tuple[int, int]) -> None:
        """Change the size of the window."""
        await self.page.set_viewport_size({"width": size[0], "height": size[1]})

    async def press(self, button: str, within: Locator | Page | None = None) -> None:
        """Press one of Home Assistant's own buttons."""
        await self.press_text(self.texts.button(button), within)

    async def press_text(self, text: str, within: Locator | Page | None = None) -> None:
        """Press the button with this text."""
        place = within or self.page
        await place.get_by_role("button", name=exactly(text)).first.click()

    async def see(self, text: str, within: Locator | Page | None = None) -> None:
        """Wait for a text; then check the whole page for faults."""
        place = within or self.page
        await expect(place.get_by_text(text, exact=True).first).to_be_visible()
        await self.guard.read(self.page)

    async def see_form(self, step: str, *absent: str) -> None:
        """Check that a step's form has the translated title, and a label and description for every field.

        This opens all sections. ``absent`` names fields, or whole sections, that the form leaves out.
        """
        await self.see(self.texts.own(f"{step}.title"), self.flow)
        labels = self.texts.field_texts(step, "data", absent)
        descriptions = self.texts.field_texts(step, "data_description", absent)
        await expect(self.flow.locator("ha-selector")).to_have_count(len(labels))
        await self.toggle_sections()
        for text in descriptions.values():
            await expect(self.flow.get_by_text(text).first).to_be_attached()
        assert (await self.guard.read(self.page)).labels == labels
        await self.toggle_sections()

    async def toggle_sections(self) -> None:
        """Open or close all sections of a form by keyboard, with the space bar, since Enter submits the form."""
        for section in await self.flow.locator("ha-form-expandable").all():
            await section.locator("#summary").press("Space")

    async def finish(self, button: str) -> None:
        """Press the last button of a flow; it closes."""
        await self.press(button, self.flow)
        await self._see_flow_close()

    async def _see_flow_close(self) -> None:
        await expect(self.flow.locator("ha-dialog")).to_have_count(0)
        await wait_for_history(self.page)

    # The steps

    async def log_in(self) -> None:
        """Enter name and password."""
        await self.go("/")
        await self.page.locator('input[name="username"]').fill(USER)
        password = self.page.locator('input[name="password"]')
        await password.fill(PASSWORD)
        await password.press("Enter")
        await self.page.locator("home-assistant-main").wait_for()

    async def add_integration(self) -> None:
        """Choose Nomos from the list of all integrations, and enter the application credentials."""
        await self.go("/config/integrations/dashboard")
        await self.press("add_integration")
        dialog = self.page.locator("dialog-add-integration")
        await dialog.locator("ha-input-search input").fill("Nomos")
        await dialog.locator("ha-integration-list-item", has_text="Nomos").click()
        await self._enter_credentials()

    async def follow_my_link(self) -> None:
        """Follow a My link as in many readmes, which opens the same dialog."""
        link = f"https://{MY_HOST}/redirect/config_flow_start/?domain={DOMAIN}"
        await self.page.goto(link)
        await self.press("ok", self.page.locator("dialog-box"))
        await self._enter_credentials()

    async def _enter_credentials(self) -> None:
        dialog = self.page.locator("dialog-add-application-credential")
        fields = {"name": "Nomos", "clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET}
        await dialog.locator('input[name="name"]').wait_for()
        redirect_uri = (
            f"https://{MY_HOST}/redirect/oauth"
            if self.my
            else f"{self.processes.hub.url}/auth/external/callback"
        )
        await self.see(redirect_uri, dialog)
        await self.screenshots.take_dialog("credentials", self.page, dialog)
        for name, text in fields.items():
            await dialog.locator(f'input[name="{name}"]').fill(text)
        async with self._signing_in():
            await self.press("add", dialog)

    @asynccontextmanager
    async def _signing_in(self) -> AsyncIterator[None]:
        """Sign in on the page that opens and closes by itself."""
        async with self.context.expect_page() as opening:
            yield
        nomos = await opening.value
        await nomos.locator("#email").fill(CUSTOMER)
        await nomos.locator("#continue").click()
        code = await nomos.locator("#mailbox-code").inner_text()
        await nomos.locator("#code").fill(code)
        await nomos.locator("#continue").click()
        await nomos.locator("#allow").wait_for()
        async with nomos.expect_event("close"):
            await nomos.locator("#allow").click()
            if self.my:
                await nomos.locator("#link").click()

    async def see_account(self) -> None:
        """Check that the account is linked, and that its device has a price."""
        created = self.texts.own("config.create_entry.default", **PAGES)
        linked, _, following = created.partition("\n\n")
        await self.see(linked, self.flow)
        for named in re.findall(r"\[(.+?)\]", following):
            link = self.flow.get_by_role("link", name=named)
            href = re.compile("^/(config/|nomos-start$)")
            await expect(link).to_have_attribute("href", href)
        if self.my:
            # The first link adds and opens the dashboard, although this page was loaded before the strategy existed.
            first = re.findall(r"\[(.+?)\]", following)[0]
            await self.flow.get_by_role("link", name=first).click()
            await self.page.wait_for_url(f"**/{DASHBOARD}/*")
            await expect(self.page.locator("nomos-price-card")).to_be_visible()
            await self.guard.read(self.page)
            await self.go(f"/config/integrations/integration/{DOMAIN}")
            await self.page.locator("ha-config-entry-device-row").click()
        else:
            await self.press("skip", self.flow)
        await self.page.wait_for_url("**/config/devices/device/*")
        for sensor in ("price", "lowest_price_today", "price_level"):
            await self.see(self.texts.own(f"entity.sensor.{sensor}.name"))
        price = self.page.get_by_text(re.compile(r"\d[.,]\d{4}\s?EUR/kWh"))
        await expect(price.first).to_be_visible()
        await self.screenshots.take_device("device", self.page)

    async def add_load(self) -> None:
        """Add a dishwasher as a family would; check that it gets a device."""
        name = LOADS[self.texts.language]
        steps = "config_subentries.load.step"
        await self.go(f"/config/integrations/integration/{DOMAIN}")
        button = self.texts.own("config_subentries.load.initiate_flow.user")
        await self.press_text(button)
        await self.see(self.texts.own(f"{steps}.user.title"), self.flow)
        option = self.texts.own(f"{steps}.user.menu_options.appliance")
        await self.flow.get_by_text(option, exact=True).click()
        # It is not a car, and there is no solar forecast and only one contract, so those fields are absent.
        absent = (
            *("energy", "power", "charge", "how.duration"),
            *("price.own_sun", "price.subscription"),
        )
        await self.see_form(f"{steps}.settings", *absent)

        await self.flow.locator('input[name="name"]').fill(name)
        hours = self.flow.locator('input[name="hours"]')
        for number, text in enumerate(("3", "6")):  # the duration, and ready by
            await hours.nth(number).fill(text)
            await hours.nth(number).blur()
        description = self.texts.own(f"{steps}.settings.description")
        await self.flow.get_by_text(description).scroll_into_view_if_needed()
        await self.screenshots.take_dialog("load", self.page, self.flow)
        await self._check_accessible_names()
        await self._enter_an_invalid_value()
        await self.press("submit", self.flow)
        end = self.flow.get_by_text(re.compile(r"\d\d:\d\d–\d\d:\d\d"))
        await expect(end.first).to_be_visible()
        await self.guard.read(self.page)
        await self.finish("finish")
        await self.see(self.texts.own("config_subentries.load.entry_type"))
        device = self.page.locator("ha-config-entry-device-row", has_text=name)
        await device.click()
        await self.page.wait_for_url("**/config/devices/device/*")

    async def _check_accessible_names(self) -> None:
        """Check that assistive technology gets names for the form's fields, and its sections as expandable buttons."""
        form = "config_subentries.load.step.settings"
        name, length, end = (
            re.compile(re.escape(self.texts.own(f"{form}.data.{key}")))
            for key in ("name", "duration", "end")
        )
        await expect(self.flow.get_by_role("textbox", name=name)).to_be_visible()
        for group in (length, end):
            await expect(self.flow.get_by_role("group", name=group)).to_be_visible()
        for section in ("when", "how", "price", "device"):
            heading = exactly(self.texts.own(f"{form}.sections.{section}.name"))
            button = self.flow.get_by_role("button", name=heading, expanded=False)
            await expect(button).to_be_visible()

    async def add_load_by_keys(self) -> None:
        """Add a load by keyboard, as far as Home Assistant allows it."""
        steps = "config_subentries.load"
        await self.go(f"/config/integrations/integration/{DOMAIN}")
        add = exactly(self.texts.own(f"{steps}.initiate_flow.user"))
        await tab_to(self.page, self.page.get_by_role("button", name=add).first)
        await self.page.keyboard.press("Enter")
        option = self.texts.own(f"{steps}.step.user.menu_options.appliance")
        # Home Assistant's own list cannot be reached by keyboard.
        await self.flow.get_by_text(option, exact=True).click()
        name = self.flow.locator('input[name="name"]')
        await tab_to(self.page, name)
        await self.page.keyboard.type(BY_KEYS[self.texts.language])
        await self.page.keyboard.press("Enter")
        finish = exactly(self.texts.button("finish"))
        await tab_to(self.page, self.flow.get_by_role("button", name=finish))
        await self.page.keyboard.press("Enter")
        await self._see_flow_close()
        await self.see(BY_KEYS[self.texts.language])

    async def _enter_an_invalid_value(self) -> None:
        """Enter an invalid value in a section; check that the error is shown at its field and all input is kept."""
        how = self.texts.own("config_subentries.load.step.settings.sections.how.name")
        heading = self.page.get_by_role("heading", name=how)
        section = self.flow.locator("ha-form-expandable").filter(has=heading)
        # The shortest run follows power and energy.
        field = section.locator("ha-selector-number").nth(2).locator("input")
        await section.locator("#summary").press("Space")
        await field.fill("600")
        await field.blur()
        await section.locator("#summary").press("Space")
        await self.press("submit", self.flow)
        error = self.texts.own("config_subentries.load.error.min_run_too_long")
        await self.see(error, self.flow)
        await expect(field).to_be_visible()
        await expect(field).to_have_value("600")
        name = LOADS[self.texts.language]
        await expect(self.flow.locator('input[name="name"]')).to_have_value(name)
        await field.fill("")
        await field.blur()

    async def run_load(self) -> None:
        """Request the dishwasher and check its plan; start it now, skip that run, and request it again."""
        await self._see_status("not_asked")
        await self._ask_for_load()
        for sensor in ("next_start", "next_end", "expected_cost", "expected_saving"):
            await self.see(self.texts.own(f"entity.sensor.{sensor}.name"))
        await self.see(self.texts.own("entity.binary_sensor.run_now.name"))
        await self.screenshots.take_device("load-device", self.page, cards=2)
        await self._press_entity("load_start_now")
        await self._see_status("running")
        await self._press_entity("load_skip")
        await expect(self.page.get_by_role("switch")).not_to_be_checked()
        await self._ask_for_load()

    async def _ask_for_load(self) -> None:
        """Turn on the switch on the device's page; check that the load then has a plan."""
        await self.page.locator("ha-switch").click()
        await expect(self.page.get_by_role("switch")).to_be_checked()
        await self._see_status("planned")

    async def _see_status(self, status: str) -> None:
        """Check the load's status among the sensors of its device."""
        text = self.texts.own(f"entity.sensor.load_status.state.{status}")
        row = self.page.locator("hui-sensor-entity-row", has_text=text)
        await expect(row.first).to_be_visible()
        await self.guard.read(self.page)

    async def _press_entity(self, key: str) -> None:
        """Press a button entity on a device's page."""
        name = self.texts.own(f"entity.button.{key}.name")
        row = self.page.locator("hui-button-entity-row", has_text=name)
        await row.get_by_role("button").last.click()

    async def change_options(self) -> None:
        """Change what counts as cheap: first to contradictory, then to valid values."""
        await self.go(f"/config/integrations/integration/{DOMAIN}")
        row = self.page.locator("ha-config-entry-row")
        await row.get_by_label(self.texts.button("configure")).first.click()
        await self.see_form("options.step.init")
        field = self.flow.locator("ha-selector", has=self.page.locator("input"))
        await field.nth(0).locator("input").fill("5")
        await self.press("submit", self.flow)
        await self.see(self.texts.own("options.error.more_than_cheap"), self.flow)
        await field.nth(0).locator("input").fill("20")
        await self.press("submit", self.flow)
        await self.finish("finish")

    async def link_again(self, hub: HubClient, customer: Customer) -> None:
        """Revoke access at Nomos; link the account again when Home Assistant asks for it."""
        await customer.control("POST", "revoke", {"email": CUSTOMER})
        with suppress(HubError):
            await hub.post(f"/api/services/{DOMAIN}/refresh")
        await self.go("/config/integrations/dashboard")
        card = self.page.locator("ha-config-flow-card", has_text=TITLE)
        await card.wait_for()
        await self.guard.read(self.page)
        await self.press("reconfigure", card)
        step = "config.step.reauth_confirm"
        await self.see(self.texts.own(f"{step}.description"), self.flow)
        await self.see(self.texts.own(f"{step}.title", name=TITLE), self.flow)
        async with self._signing_in():
            await self.press("submit", self.flow)
        await self.flow.get_by_text(exactly(self.texts.button("close"))).wait_for()
        await self.guard.read(self.page)
        await self.finish("close")
        await expect(card).to_have_count(0)
        [entry] = await hub.entries(DOMAIN)
        assert entry["state"] == "loaded"

    async def remove(self, hub: HubClient) -> None:
        """Delete the account; check that nothing of it remains."""
        await self.go(f"/config/integrations/integration/{DOMAIN}")
        row = self.page.locator("ha-config-entry-row")
        await row.get_by_label(self.texts.button("menu")).first.click()
        delete = exactly(self.texts.button("delete"))
        await row.get_by_role("menuitem", name=delete).first.click()
        await self.press("delete", self.page.locator("dialog-box"))
        await expect(row).to_have_count(0)
        await self.guard.read(self.page)
        # Home Assistant has closed the websocket, which was not read for a minute.
        await hub.disconnect()
        assert await hub.entries(DOMAIN) == []
        assert await hub.entities(DOMAIN) == []
        # Pages that are loaded from now on do not have the card. This one may show the question whether to delete the
        # credentials, which Home Assistant asks only if the answer arrives before the entry vanishes from the page.
        self.page = await self.context.new_page()
        await self.go("/")
        await self.page.locator("home-assistant-main").wait_for()
        scripts = await self.page.locator("script").all_inner_texts()
        assert not [one for one in scripts if f"/{DOMAIN}_static/" in one]
