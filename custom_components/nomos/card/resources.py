"""Serves card and dashboard to the browser as long as there is an account."""

import asyncio
from collections.abc import Mapping
from hashlib import sha256
import logging
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.hdrs import CACHE_CONTROL

from homeassistant.components.frontend import (
    DOMAIN as FRONTEND_DOMAIN,
    add_extra_js_url,
    async_register_built_in_panel,
    async_remove_panel,
    remove_extra_js_url,
)
from homeassistant.components.lovelace.const import CONF_RESOURCE_TYPE_WS, LOVELACE_DATA
from homeassistant.components.lovelace.resources import ResourceStorageCollection
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.const import CONF_ID, CONF_URL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.http import HomeAssistantView

from ..const import DOMAIN

_LOGGER = logging.getLogger(__name__)

FOLDER: Final = Path(__file__).parents[1] / "frontend"

_PLACE: Final = f"/{DOMAIN}_static"

LOADER: Final = f"{_PLACE}/card.js"
"""The script that pages load. YAML configurations contain this address, so it must not change."""

_MODULES: Final = ("nomos-price-card.js", "nomos-dashboard.js")
"""What the loader imports."""

_START_PANEL: Final = "nomos-start"
"""The page that opens the ready-made dashboard, and adds it first if necessary."""

_KEPT: Final = "public, max-age=31536000, immutable"
_REVALIDATE: Final = "no-cache"


async def async_setup_card(hass: HomeAssistant) -> None:
    """Offer the card before any account is set up, and remove it with the last one.

    An account that cannot be set up yet has it, too: a card that shows what it is waiting for is more helpful than
    an error on the dashboard.
    """
    if FRONTEND_DOMAIN not in hass.config.components:
        return
    card = _Card(hass)
    await card.async_follow()

    @callback
    def changed(_change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain == DOMAIN and not card.is_right:
            hass.async_create_task(card.async_follow(), f"{DOMAIN} card")

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)


class _Card:
    """Makes pages load the card as long as there is an account that is not disabled."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._lock = asyncio.Lock()
        self._shown = False
        self._url: str | None = None

    @property
    def is_right(self) -> bool:
        """Whether the card is shown exactly if there is an enabled account."""
        entries = self._hass.config_entries
        wanted = entries.async_entries(DOMAIN, include_disabled=False)
        return self._shown == bool(wanted)

    async def async_follow(self) -> None:
        """Show the card, or remove it."""
        async with self._lock:
            if self.is_right:
                return
            if self._url is None:
                self._url = await self._async_serve()
            self._shown = not self._shown
            change = add_extra_js_url if self._shown else remove_extra_js_url
            change(self._hass, self._url)
            url = self._url if self._shown else None
            _register_start_panel(self._hass, url)
            await _async_list(self._hass, url)

    async def _async_serve(self) -> str:
        """Serve the modules until Home Assistant is restarted, and return the address of their loader."""
        files = await self._hass.async_add_executor_job(read_modules)
        version = version_of(files)
        self._hass.http.register_view(_ScriptView(files, version))
        return f"{LOADER}?v={version}"


@callback
def _register_start_panel(hass: HomeAssistant, url: str | None) -> None:
    """Register the page that leads to the ready-made dashboard; None removes it.

    It is in no menu. Unlike scripts, pages are available at once in a browser that is open while linking.
    """
    if url is None:
        async_remove_panel(hass, _START_PANEL, warn_if_unknown=False)
        return
    page = {
        "name": _START_PANEL,
        "module_url": f"{_PLACE}/{url.rpartition('=')[2]}/{_START_PANEL}.js",
        "embed_iframe": False,
        "trust_external": False,
    }
    async_register_built_in_panel(
        hass,
        "custom",
        frontend_url_path=_START_PANEL,
        config={"_panel_custom": page},
        require_admin=True,
        update=True,
        show_in_sidebar=False,
    )


async def _async_list(hass: HomeAssistant, url: str | None) -> None:
    """Add the loader's address to the resources of all dashboards; None removes it.

    Cast receivers load nothing else. Pages that open before the integration is set up also get the address from
    there, and have the modules cached. Resources that are configured in YAML cannot be changed.
    """
    lovelace = hass.data.get(LOVELACE_DATA)
    resources = lovelace and lovelace.resources
    if not isinstance(resources, ResourceStorageCollection):
        return
    try:
        await resources.async_get_info()  # loads them
        ours = {
            item[CONF_ID]: item[CONF_URL]
            for item in resources.async_items()
            if item[CONF_URL].partition("?")[0] == LOADER
        }
        data = {CONF_RESOURCE_TYPE_WS: "module", CONF_URL: url}
        if url is None:
            for item in ours:
                await resources.async_delete_item(item)
        elif not ours:
            await resources.async_create_item(data)
        elif url not in ours.values():
            await resources.async_update_item(next(iter(ours)), data)
    except Exception as error:  # noqa: BLE001 - no fault of that file may prevent the setup
        _LOGGER.warning(
            "The card could not be listed among the resources of dashboards: %s",
            type(error).__name__,
        )


def read_modules(folder: Path = FOLDER) -> dict[str, bytes]:
    """Return all modules by name.

    They are kept in memory: an update replaces the files long before the restart that activates it.
    """
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.js"))}


def version_of(files: Mapping[str, bytes]) -> str:
    """Return a short digest of the modules."""
    return sha256(b"".join(files.values())).hexdigest()[:12]


class _ScriptView(HomeAssistantView):
    """The loader and the modules.

    The loader imports the modules of the current version, whichever one the page knows. A page of an older version
    gets the current modules, which mostly fit. Browsers only cache what was requested by the current version.
    """

    url = LOADER
    name = f"{DOMAIN}:card"
    requires_auth = False

    def __init__(self, files: Mapping[str, bytes], version: str) -> None:
        self.extra_urls = [f"{_PLACE}/{{version}}/{{module}}"]
        lines = [f'import "{_PLACE}/{version}/{module}";\n' for module in _MODULES]
        self._files = {**files, "": "".join(lines).encode()}
        self._version = version

    async def get(
        self, request: web.Request, version: str = "", module: str = ""
    ) -> web.Response:
        """Return a module, or else the loader."""
        if (content := self._files.get(module)) is None:
            raise web.HTTPNotFound
        keep = self._version in {version, request.query.get("v")}
        return web.Response(
            body=content,
            content_type="text/javascript",
            charset="utf-8",
            headers={CACHE_CONTROL: _KEPT if keep else _REVALIDATE},
        )
