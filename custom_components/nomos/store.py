"""What survives a restart: small JSON files in Home Assistant's storage folder.

Written durably (complete and on the disk, or not at all), only when something changed, and set aside when they cannot
be read: all of it but the tokens can be asked for again.
"""

import asyncio
from collections.abc import Callable
import contextlib
import json
import logging
import os
from pathlib import Path
import tempfile
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import STORAGE_DIR

from .const import DOMAIN

_LOGGER = logging.getLogger(__name__)

SET_ASIDE_SUFFIX: Final = ".unreadable"


class StoredFile:
    """One file with a version and JSON data, readable only for Home Assistant's user."""

    def __init__(self, hass: HomeAssistant, name: str, version: int) -> None:
        """Name the file; nothing is read or written yet."""
        self._hass = hass
        self._path = Path(hass.config.path(STORAGE_DIR, f"{DOMAIN}.{name}"))
        self._version = version
        self._lock = asyncio.Lock()
        self.behind = False
        """Whether the last that was to be stored is not on the disk."""

    async def async_load[T](self, decode: Callable[[Any], T]) -> T | None:
        """Return what ``decode`` makes of the stored data; None when there is none that can be read.

        ``decode`` may raise LookupError, TypeError, ValueError or OverflowError for data that it does not know.
        """
        async with self._lock:
            return await self._hass.async_add_executor_job(self._load, decode)

    async def async_save(self, data: Any) -> bool:
        """Store data; return whether it is on the disk. A failure is warned of once until it is over."""
        async with self._lock:
            try:
                await self._hass.async_add_executor_job(self._save, data)
            except OSError as err:
                level = logging.DEBUG if self.behind else logging.WARNING
                _LOGGER.log(
                    level,
                    "Could not write %s (%s): what it holds is lost if Home Assistant stops now",
                    self._path.name,
                    err.strerror or type(err).__name__,
                )
                self.behind = True
                return False
            if self.behind:
                _LOGGER.info("%s can be written again", self._path.name)
                self.behind = False
            return True

    async def async_remove(self) -> None:
        """Delete the file."""
        async with self._lock:
            await self._hass.async_add_executor_job(self._remove)

    def _load[T](self, decode: Callable[[Any], T]) -> T | None:
        self._sweep()
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as err:
            _LOGGER.warning("Could not read %s (%s)", self._path.name, err.strerror)
            return None
        try:
            return decode(self._unwrap(json.loads(content)))
        except (
            LookupError,
            TypeError,
            ValueError,
            OverflowError,
            OSError,
            RecursionError,
        ):
            aside = self._path.with_name(self._path.name + SET_ASIDE_SUFFIX)
            with contextlib.suppress(OSError):
                self._path.replace(aside)
            _LOGGER.warning(
                "%s cannot be read and was set aside as %s",
                self._path.name,
                aside.name,
            )
            return None

    def _unwrap(self, stored: Any) -> Any:
        if stored["version"] != self._version:
            raise ValueError("another version")
        return stored["data"]

    def _save(self, data: Any) -> None:
        content = json.dumps({"version": self._version, "data": data}).encode()
        folder = self._path.parent
        folder.mkdir(exist_ok=True)
        # Created with mode 0600.
        descriptor, temporary = tempfile.mkstemp(
            prefix=f"{self._path.name}.", suffix=".tmp", dir=folder
        )
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self._path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
            raise
        # The new name is durable only once the folder is.
        with contextlib.suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def _sweep(self) -> None:
        """Delete what a power cut in the middle of a write has left."""
        for unfinished in self._path.parent.glob(f"{self._path.name}.*.tmp"):
            with contextlib.suppress(OSError):
                unfinished.unlink()

    def _remove(self) -> None:
        self._sweep()
        for path in (
            self._path,
            self._path.with_name(self._path.name + SET_ASIDE_SUFFIX),
        ):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
