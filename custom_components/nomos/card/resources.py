"""Card and dashboard for the browser: served by Home Assistant itself, and there as long as there is an account."""

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
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN

SCRIPTS: Final = ("nomos-price-card.js", "nomos-dashboard.js")
"""The modules that every page of Home Assistant loads."""

_FOLDER: Final = Path(__file__).parents[1] / "frontend"

_BASE: Final = f"/{DOMAIN}_static"

_SERVED: Final[HassKey[str]] = HassKey(f"{DOMAIN}_card_served")
_SHOWN: Final[HassKey[tuple[str, ...]]] = HassKey(f"{DOMAIN}_card_shown")


async def async_show_card(hass: HomeAssistant) -> None:
    """Let every page of the frontend load the card; nothing where there is no frontend.

    Also an account that cannot be set up yet has its card: a dashboard that shows an error in its place would tell
    the customer less than a card that says what it waits for.
    """
    if FRONTEND_DOMAIN not in hass.config.components or _SHOWN in hass.data:
        return
    folder = await _async_serve(hass)
    # Two accounts are set up side by side, and the other one may have been quicker.
    if _SHOWN not in hass.data:
        hass.data[_SHOWN] = urls = tuple(f"{folder}/{name}" for name in SCRIPTS)
        for url in urls:
            add_extra_js_url(hass, url)


@callback
def async_setup_card(hass: HomeAssistant) -> None:
    """Take the card away whenever the last account goes.

    Home Assistant does not unload an account that waits or failed; that it is disabled or removed shows in its state.
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


async def _async_serve(hass: HomeAssistant) -> str:
    """Serve the scripts and return the path of their folder.

    Browsers may keep them for a month: another content has another path. What Home Assistant serves it goes on
    serving until it is restarted, so it is asked once.
    """
    if (served := hass.data.get(_SERVED)) is not None:
        return served
    version = await hass.async_add_executor_job(_version)
    path = f"{_BASE}/{version}"
    if _SERVED not in hass.data:
        hass.data[_SERVED] = path
        await hass.http.async_register_static_paths(
            [StaticPathConfig(path, str(_FOLDER), cache_headers=True)]
        )
    return path


def _version() -> str:
    """Return what changes whenever a script does."""
    digest = sha256()
    for path in sorted(_FOLDER.glob("*.js")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
