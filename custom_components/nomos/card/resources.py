"""Serves card and dashboard to the browser as long as there is an account."""

from hashlib import sha256
from pathlib import Path
from typing import Final

from homeassistant.components.frontend import (
    DOMAIN as FRONTEND_DOMAIN,
    add_extra_js_url,
    remove_extra_js_url,
)
from homeassistant.components.http.server import StaticPathConfig
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.singleton import singleton
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN

SCRIPTS: Final = ("nomos-price-card.js", "nomos-dashboard.js")
"""The modules that every page of Home Assistant loads."""

_FOLDER: Final = Path(__file__).parents[1] / "frontend"

_SERVED: Final[HassKey[str]] = HassKey(f"{DOMAIN}_card_served")
_SHOWN: Final[HassKey[tuple[str, ...]]] = HassKey(f"{DOMAIN}_card_shown")


async def async_show_card(hass: HomeAssistant) -> None:
    """Let every page of the frontend load the card, if there is a frontend.

    Also for an account that cannot be set up yet: a card that says what it waits for tells the customer more than a
    dashboard with an error in its place.
    """
    if FRONTEND_DOMAIN not in hass.config.components:
        return
    folder = await _async_serve(hass)
    if _SHOWN not in hass.data:
        hass.data[_SHOWN] = urls = tuple(f"{folder}/{name}" for name in SCRIPTS)
        for url in urls:
            add_extra_js_url(hass, url)


@callback
def async_setup_card(hass: HomeAssistant) -> None:
    """Remove the card when the last account goes.

    Home Assistant does not unload an account that waits or failed; its state shows that it was disabled or removed.
    """

    @callback
    def changed(_change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain != DOMAIN or any(
            one.state is not ConfigEntryState.NOT_LOADED
            for one in hass.config_entries.async_entries(DOMAIN)
        ):
            return
        for url in hass.data.pop(_SHOWN, ()):
            remove_extra_js_url(hass, url)

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)


@singleton(_SERVED, async_=True)
async def _async_serve(hass: HomeAssistant) -> str:
    """Serve the scripts until Home Assistant is restarted, and return the path of their folder.

    Browsers may keep them for a month, so the path depends on their content.
    """
    path = f"/{DOMAIN}_static/{await hass.async_add_executor_job(_version)}"
    await hass.http.async_register_static_paths(
        [StaticPathConfig(path, str(_FOLDER), cache_headers=True)]
    )
    return path


def _version() -> str:
    """Return a short digest of the scripts."""
    digest = sha256()
    for path in sorted(_FOLDER.glob("*.js")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
