"""The access tokens of one account.

A refresh token is valid for one use, which returns the next one (Nomos API, authentication). So the new token is
written to disk before anything else happens, and a refresh that has begun is always finished, even during an unload,
a cancellation or a reload.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from hashlib import sha256
import logging
import time
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    ImplementationUnavailableError,
    UnknownImplementationError,
)
from homeassistant.helpers.config_entry_oauth2_flow import (
    CLOCK_OUT_OF_SYNC_MAX_SEC,
    AbstractOAuth2Implementation,
    async_get_config_entry_implementation,
)
from homeassistant.util.hass_dict import HassKey

from ..api import is_opaque
from ..codec import decode, read_number
from ..const import DOMAIN
from ..errors import CredentialsMissingError
from ..storage import StoredFile, async_write_owed, stored_file
from .pacing import Pace

_LOGGER = logging.getLogger(__name__)

MAX_TOKEN: Final = 8192
"""Characters of a token: a longer one fits into no header."""

_DATA_WRITERS: Final[HassKey[dict[str, asyncio.Task[None]]]] = HassKey(
    f"{DOMAIN}_token_writers"
)
"""Tasks that are about to store a token, by config entry; they outlive the account object on a reload."""

_LINK: Final = ("auth_implementation", CONF_TOKEN)
"""The link within a config entry's data: a token can only be used by the client that it was issued to."""

_REMEMBERED_ANCESTORS: Final = 50
"""How many replaced tokens the journal keeps: days of refreshes that never reached the config entry on disk."""


def journal(hass: HomeAssistant, entry: ConfigEntry) -> StoredFile:
    """Return the file with the newest token of an entry, ahead of the config entry.

    Home Assistant writes a config entry a second after it changed. The journal is written before the new token is
    used, together with fingerprints of the tokens that it replaced (its ancestors), so that at the next start it is
    certain which of the two is newer, whatever the clock says.
    """
    return stored_file(hass, f"token.{entry.entry_id}")


async def async_ancestors(hass: HomeAssistant, entry: ConfigEntry) -> list[str]:
    """Return the ancestors of the next token: the config entry on disk may still have any of them."""
    replaced = [_fingerprint(entry.data[CONF_TOKEN])]
    if (stored := await journal(hass, entry).async_load(_decode_journal)) is not None:
        link, ancestors = stored
        replaced = [*ancestors, _fingerprint(link[CONF_TOKEN]), *replaced]
    return list(dict.fromkeys(replaced))[-_REMEMBERED_ANCESTORS:]


async def async_write_ahead(
    hass: HomeAssistant,
    entry: ConfigEntry,
    data: Mapping[str, Any],
    ancestors: list[str],
) -> None:
    """Write the future data of the config entry."""
    link = {key: data[key] for key in _LINK if key in data}
    await journal(hass, entry).async_save({**link, "ancestors": ancestors})


async def async_reconcile(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Update the config entry from the journal if the journal is newer.

    It is newer if its token descends from the entry's. Any other token in the entry is from a new link, or from a
    backup that includes the journal; then the entry is right.
    """
    if (stored := await journal(hass, entry).async_load(_decode_journal)) is None:
        return
    link, ancestors = stored
    current = _fingerprint(entry.data[CONF_TOKEN])
    if current in ancestors and current != _fingerprint(link[CONF_TOKEN]):
        _LOGGER.info("Access was renewed just before Home Assistant stopped")
        hass.config_entries.async_update_entry(entry, data={**entry.data, **link})


def _decode_journal(data: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return a link, and the fingerprints of the tokens that its token replaced."""
    ancestors = decode(tuple[str, ...], data["ancestors"])
    decode(str, data.get("auth_implementation", ""))
    token = data[CONF_TOKEN]
    token["expires_at"] = read_number(token["expires_at"], 1e11)
    if not all(
        is_opaque(token[key], MAX_TOKEN) for key in ("access_token", "refresh_token")
    ):
        raise ValueError("not a token")
    return {key: data[key] for key in _LINK if key in data}, ancestors


def _fingerprint(token: Mapping[str, Any]) -> str:
    return sha256(str(token.get("refresh_token")).encode()).hexdigest()[:32]


class AccountTokens:
    """Provides valid access tokens of one config entry."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, pace: Pace) -> None:
        """Belong to a config entry; token requests keep the same pace."""
        self._hass = hass
        self._entry = entry
        self._journal = journal(hass, entry)
        self._pace = pace

    async def async_client(self) -> AbstractOAuth2Implementation:
        """Return the OAuth client that the grant was given to.

        Raises:
            CredentialsMissingError: there is none, as the customer may delete its credentials.
            ConfigEntryAuthFailed: there is no refresh token to use with it.

        """
        if not self._token.get("refresh_token"):
            raise ConfigEntryAuthFailed
        try:
            return await async_get_config_entry_implementation(self._hass, self._entry)
        except (ImplementationUnavailableError, UnknownImplementationError) as err:
            raise CredentialsMissingError(domain=DOMAIN) from err

    async def async_get_access_token(self, rejected: str | None = None) -> str:
        """Return an access token, refreshed if it has expired or was rejected.

        While the journal cannot be written, the current token is used until the API rejects it, as a new one would
        be in memory only.

        Raises:
            OAuth2TokenRequestBaseError: no token is available.

        """
        if self.current == rejected:
            self._store(
                {**self._entry.data, CONF_TOKEN: {**self._token, "expires_at": 0}}
            )
        await async_write_owed(self._hass)
        # Wait for a running refresh even if the current token looks valid: it was rejected.
        writer = _writer(self._hass, self._entry)
        if writer is None and self._has_expired:
            writer = _start_writer(self._hass, self._entry, self._async_rotate())
        if writer is not None:
            # Once for all waiting callers, who share the result, even if one of them is cancelled.
            await asyncio.shield(writer)
        return self.current

    @property
    def current(self) -> str:
        """Return the current access token, valid or not."""
        token: str = self._token["access_token"]
        return token

    @property
    def _token(self) -> dict[str, Any]:
        token: dict[str, Any] = self._entry.data[CONF_TOKEN]
        return token

    @property
    def _has_expired(self) -> bool:
        """Return whether a new token is needed; while the journal is behind, only if this one was rejected."""
        expires_at: float = self._token["expires_at"]
        if self._journal.behind and expires_at:
            return False
        return expires_at <= time.time() + CLOCK_OUT_OF_SYNC_MAX_SEC

    def _store(self, data: Mapping[str, Any]) -> None:
        self._hass.config_entries.async_update_entry(self._entry, data=data)

    async def _async_rotate(self) -> None:
        """Use the refresh token, and write the new one to the journal before anything else sees it."""
        await self._pace.async_turn()
        old, client = self._token, await self.async_client()
        # Read first: nothing may delay writing the answer to disk.
        ancestors = await async_ancestors(self._hass, self._entry)
        new = await client.async_refresh_token(old)
        data = {**self._entry.data, CONF_TOKEN: new}
        # A token that did not rotate cannot be lost.
        if new.get("refresh_token") != old.get("refresh_token"):
            await async_write_ahead(self._hass, self._entry, data, ancestors)
        self._store(data)


def _writer(hass: HomeAssistant, entry: ConfigEntry) -> asyncio.Task[None] | None:
    return hass.data.get(_DATA_WRITERS, {}).get(entry.entry_id)


def _start_writer(
    hass: HomeAssistant, entry: ConfigEntry, work: Coroutine[Any, Any, None]
) -> asyncio.Task[None]:
    """Start a task that stores a token; until it is done, all callers wait for it."""
    writers = hass.data.setdefault(_DATA_WRITERS, {})

    def done(task: asyncio.Task[None]) -> None:
        writers.pop(entry.entry_id, None)
        # Retrieved here, or asyncio would log an exception that no caller awaits any more.
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOGGER.debug("Token refresh failed: %s", type(error).__name__)

    task = hass.async_create_task(work, f"{DOMAIN} token", eager_start=False)
    writers[entry.entry_id] = task
    task.add_done_callback(done)
    return task


async def async_wait_for_refresh(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Wait for a running refresh."""
    while (writer := _writer(hass, entry)) is not None:
        await asyncio.wait([writer])


async def async_replace_link(
    hass: HomeAssistant, entry: ConfigEntry, data: Mapping[str, Any]
) -> None:
    """Store a new link after any running refresh of the old one; later refreshes wait and find the new token.

    The entry is only stored a second later, and the old link is invalid: so the journal comes first here, too.
    """

    async def replace() -> None:
        ancestors = await async_ancestors(hass, entry)
        await async_write_ahead(hass, entry, data, ancestors)
        hass.config_entries.async_update_entry(entry, data=data)

    await async_wait_for_refresh(hass, entry)
    await asyncio.shield(_start_writer(hass, entry, replace()))
