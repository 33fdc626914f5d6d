"""The hub of the soak: its disk, starts, stops, power cuts, and the customer who links again."""

from collections.abc import Callable
import copy
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nomos.const import DOMAIN
from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import STORAGE_DIR
from simulator import Simulator
from tests.integration.soak.clock import SoakClock
from tests.integration.soak.disk import Disk

_SHUTDOWN = timedelta(seconds=30)
"""How long a clean stop takes, in which Home Assistant writes delayed data."""

_ENTRIES = "core.config_entries"


class House:
    """One linked account on a hub that starts and stops."""

    def __init__(
        self,
        hass: HomeAssistant,
        hass_storage: dict[str, Any],
        clock: SoakClock,
        sim: Simulator,
        entry: MockConfigEntry,
        email: str,
        disk: Disk | None = None,
    ) -> None:
        """Use a config entry that was added to Home Assistant, but not set up."""
        self.disk = disk or Disk(hass.config.config_dir)
        self.entry = entry
        self.is_on = False
        self.linked_at = clock.true
        self._hass = hass
        self._storage = hass_storage
        self._clock = clock
        self._sim = sim
        self._email = email

    @property
    def reauth_flows(self) -> list[Any]:
        """Return the flows that ask to link again."""
        return [
            flow
            for flow in self._hass.config_entries.flow.async_progress_by_handler(DOMAIN)
            if flow["context"]["source"] == SOURCE_REAUTH
        ]

    async def start(self) -> None:
        """Start with what is on disk."""
        self.is_on = True
        await self._clock.drive(
            self._hass.config_entries.async_setup(self.entry.entry_id)
        )

    async def stop(self) -> None:
        """Stop cleanly."""
        await self._clock.drive(
            self._hass.config_entries.async_unload(self.entry.entry_id)
        )
        await self._clock.advance(_SHUTDOWN)
        await self._forget_process()
        self._read_entry()
        self.is_on = False

    async def cut_power(self) -> None:
        """Stop at once: only what is on disk survives."""
        restore = self._disk()
        for task in self._hass._tasks | self._hass._background_tasks:
            task.cancel()
        await self._clock.settle()
        await self._clock.drive(
            self._hass.config_entries.async_unload(self.entry.entry_id)
        )
        await self._forget_process()
        restore()
        self.is_on = False

    async def link_again(self) -> str:
        """Link again as the flow does after the customer's consent; return the refresh token."""
        self._end_flows()
        token = self._sim.issue_tokens(self._email)
        self._hass.config_entries.async_update_entry(
            self.entry,
            data={
                **self.entry.data,
                "token": {
                    **token,
                    "expires_at": self._clock.hub.timestamp() + token["expires_in"],
                },
            },
        )
        self.linked_at = self._clock.true
        if self.is_on:
            await self._clock.drive(
                self._hass.config_entries.async_reload(self.entry.entry_id)
            )
        return str(token["refresh_token"])

    def _end_flows(self) -> None:
        for flow in self._hass.config_entries.flow.async_progress_by_handler(DOMAIN):
            self._hass.config_entries.flow.async_abort(flow["flow_id"])

    async def _forget_process(self) -> None:
        """Drop everything that is only in memory."""
        for task in self._hass._tasks | self._hass._background_tasks:
            task.cancel()
        await self._clock.settle()
        self._end_flows()
        for key in [
            key for key in self._hass.data if str(key).startswith(f"{DOMAIN}_")
        ]:
            del self._hass.data[key]

    def _disk(self) -> Callable[[], None]:
        """Take a snapshot of the disk; return a function that restores it."""
        stored = {
            key: copy.deepcopy(value)
            for key, value in self._storage.items()
            if key.startswith(DOMAIN) or key == _ENTRIES
        }
        folder = Path(self._hass.config.path(STORAGE_DIR))
        files = {path: path.read_bytes() for path in folder.glob(f"{DOMAIN}.*")}

        def restore() -> None:
            for key in [key for key in self._storage if key.startswith(DOMAIN)]:
                del self._storage[key]
            self._storage.update(stored)
            with self.disk.working():
                for path in folder.glob(f"{DOMAIN}.*"):
                    if path not in files:
                        path.unlink()
                for path, content in files.items():
                    path.write_bytes(content)
            self._read_entry()

        return restore

    def _stored_data(self) -> dict[str, Any]:
        """Return the config entry's data on the disk."""
        entries = self._storage[_ENTRIES]["data"]["entries"]
        data: dict[str, Any] = next(
            one["data"] for one in entries if one["entry_id"] == self.entry.entry_id
        )
        return data

    def _read_entry(self) -> None:
        """Load the config entry's data from the disk, if it was ever written."""
        if _ENTRIES in self._storage:
            self._hass.config_entries.async_update_entry(
                self.entry, data=self._stored_data()
            )

    @property
    def unsaved(self) -> bool:
        """Whether the config entry in memory is newer than the one on the disk."""
        return self._stored_data() != dict(self.entry.data)

    def has_on_disk(self, secret: str) -> bool:
        """Return whether any file that the integration or Home Assistant reads contains a text."""
        folder = Path(self._hass.config.path(STORAGE_DIR))
        return secret in str(self._stored_data()) or any(
            secret.encode() in path.read_bytes()
            for path in folder.glob(f"{DOMAIN}.*")
            if path.suffix not in {".tmp", ".unreadable"}
        )

    def linked_since(self, instant: datetime) -> bool:
        """Whether the customer linked the account after an instant."""
        return self.linked_at >= instant
