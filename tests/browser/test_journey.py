"""The whole journey of a customer in the real frontend, from the first login to the removal of the account."""

from pathlib import Path

import pytest

from scripts.sign_in import Customer
from tests.browser.browser import NARROW, WIDE, open_browser, open_window
from tests.browser.card_actions import see_actions
from tests.browser.energy import see_energy
from tests.browser.home_battery import (
    add_battery,
    have_battery,
    install_solar_forecast,
    see_battery,
)
from tests.browser.journey import Journey
from tests.browser.my_redirect import HOST as MY_HOST, open_my_redirect
from tests.browser.ready_dashboard import see_dashboard
from tests.browser.screenshots import Screenshots
from tests.e2e.processes import start_processes


@pytest.mark.parametrize("my", [False, True], ids=["own-callback", "my-redirect"])
@pytest.mark.parametrize("language", ["en", "de"])
async def test_journey(
    tmp_path: Path, pytestconfig: pytest.Config, language: str, my: bool
) -> None:
    """Every page can be reached and is translated, and nothing fails."""
    folder: Path | None = pytestconfig.getoption("--pictures", None) if my else None
    install_solar_forecast(tmp_path / "hub")
    async with (
        start_processes(tmp_path / "hub", language=language, my=my) as processes,
        Customer(processes.simulator_url) as customer,
        processes.hub.client(processes.token) as hub,
        open_my_redirect(tmp_path, processes.hub.url) as my_port,
        open_browser(
            f"--host-resolver-rules=MAP {MY_HOST} 127.0.0.1:{my_port}"
        ) as browser,
        open_window(
            browser, language, logs=[processes.hub.log, processes.simulator.log]
        ) as (
            context,
            guard,
        ),
    ):
        # Tomorrow's prices are published, whatever the time of day.
        await customer.control("POST", "settings", {"publication_time": "00:00"})
        journey = Journey(
            processes=processes,
            context=context,
            page=await context.new_page(),
            guard=guard,
            my=my,
            screenshots=Screenshots(folder, language),
        )
        await journey.log_in()
        if my:
            await journey.follow_my_link()
        else:
            await journey.add_integration()
        await journey.see_account()
        # The German journey is on a phone, except when pictures are taken, which are wide.
        if language == "de" and not my:
            await journey.resize(NARROW)
        await journey.add_load()
        await journey.run_load()
        if language == "en" and not my:
            await journey.add_load_by_keys()
        # People add a battery on a phone, standing next to it.
        await journey.resize(NARROW)
        await have_battery(hub, language)
        await add_battery(journey)
        await see_battery(journey)
        await journey.resize(WIDE)
        await see_dashboard(journey, hub)
        if folder or (language == "en" and not my):
            await see_actions(journey, hub)
        await journey.change_options()
        await journey.link_again(hub, customer)
        await see_energy(journey, hub)
        await journey.remove(hub)
