"""Small JSON files in Home Assistant's storage folder, for data that survives a restart.

A write is durable (complete and on disk, or not at all). Data that could not be written is kept, and written again
with the next request, at a boundary of prices, at an unload and when Home Assistant stops. A file that cannot be
read is set aside: everything but the tokens can be requested again.
"""

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
from datetime import datetime, timedelta
import errno
from functools import partial
import json
import logging
import os
from pathlib import Path
import shutil
from typing import Any, Final

from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.util.hass_dict import HassKey

from .codec import encode
from .const import DOMAIN

_LOGGER = logging.getLogger(__name__)

SET_ASIDE_SUFFIX: Final = ".unreadable"

_VERSION: Final = 1

_MAX_SIZE: Final = 16 * 2**20
"""Far more than any file ever holds."""

_SAVE_DELAY: Final = timedelta(seconds=2)
"""Changes within this time make one write."""

_NO_FSYNC: Final = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
"""Errors of a file system that has no fsync."""

_DATA_FILES: Final[HassKey[dict[str, StoredFile]]] = HassKey(f"{DOMAIN}_files")


def stored_file(hass: HomeAssistant, name: str) -> StoredFile:
    """Return the file with a name, as the same object for all its users, so that their writes keep their order."""
    if _DATA_FILES not in hass.data:
        hass.data[_DATA_FILES] = {}

        async def write_at_last(_event: Event[Any]) -> None:
            await async_write_owed(hass, at_last=True)

        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_FINAL_WRITE, write_at_last)
    return hass.data[_DATA_FILES].setdefault(name, StoredFile(hass, name))


async def async_write_owed(hass: HomeAssistant, *, at_last: bool = False) -> None:
    """Write again what could not be written; ``at_last``, also what waits for further changes."""
    for file in list(hass.data.get(_DATA_FILES, {}).values()):
        if at_last or file.behind:
            await file.async_write()


class StoredFile:
    """One file of JSON data, readable only for Home Assistant's user."""

    def __init__(self, hass: HomeAssistant, name: str) -> None:
        """Name the file; nothing is read or written yet."""
        self._hass = hass
        self._name = name
        # A name may contain an opaque id of Nomos.
        part = "".join(one if one.isalnum() or one in "_-" else "." for one in name)
        self._path = Path(hass.config.path(STORAGE_DIR, f"{DOMAIN}.{part}"))
        self._unfinished = self._path.with_name(f"{self._path.name}.tmp")
        self._aside = self._path.with_name(self._path.name + SET_ASIDE_SUFFIX)
        self._lock = asyncio.Lock()
        self._owed: Any = None
        self._unsub_soon: CALLBACK_TYPE | None = None
        self.behind = False
        """Whether the last write failed, so that the newest data is in memory only."""

    async def async_load[T](self, decode: Callable[[Any], T]) -> T | None:
        """Return the newest data, decoded by ``decode``; None if there is none that can be read.

        Any exception of ``decode`` means that the data cannot be read.
        """
        return await self._async_alone(
            lambda: self._hass.async_add_executor_job(self._load, decode, self._owed)
        )

    async def async_save(self, data: Any) -> None:
        """Store data of types that ``codec.encode`` supports. A repeated failure is logged only once."""
        self._owed = data
        await self.async_write()

    @callback
    def async_save_soon(self, data: Any) -> None:
        """Store data together with other changes within two seconds."""
        self._owed = data
        if self._unsub_soon is None:
            self._unsub_soon = async_call_later(
                self._hass, _SAVE_DELAY, self.async_write
            )

    @callback
    def async_save_later(self, data: Any) -> None:
        """Store data with the next write, or when Home Assistant stops; a power cut may lose it."""
        self._owed = data

    async def async_write(self, _now: datetime | None = None) -> None:
        """Write what is not on the disk yet; if that is nothing, do not wait for a read either."""
        self._cancel_soon()
        if self._owed is not None:
            await self._async_alone(self._async_write)

    async def async_remove(self) -> None:
        """Delete the file, and drop unwritten data."""
        self._owed, self.behind = None, False
        self._cancel_soon()
        await self._async_alone(
            lambda: self._hass.async_add_executor_job(
                _discard, self._path, self._unfinished, self._aside
            )
        )
        self._hass.data[_DATA_FILES].pop(self._name, None)

    async def _async_alone[T](self, work: Callable[[], Awaitable[T]]) -> T:
        """Run one task at a time, each to its end: a thread continues even if its caller was cancelled."""

        async def alone() -> T:
            async with self._lock:
                return await work()

        return await asyncio.shield(
            self._hass.async_create_task(alone(), f"{DOMAIN} {self._name}")
        )

    @callback
    def _cancel_soon(self) -> None:
        if self._unsub_soon is not None:
            self._unsub_soon()
            self._unsub_soon = None

    async def _async_write(self) -> None:
        if (owed := self._owed) is None:
            return
        try:
            await self._hass.async_add_executor_job(self._write, owed)
        except Exception as err:  # noqa: BLE001 - no failure here may lose the data
            level = logging.DEBUG if self.behind else logging.WARNING
            _LOGGER.log(
                level,
                "Could not write %s (%s): what it holds is lost if Home Assistant stops now; it is tried again",
                self._path.name,
                getattr(err, "strerror", None) or type(err).__name__,
            )
            self.behind = True
            return
        if self._owed is owed:
            self._owed = None
        if self.behind:
            _LOGGER.info("%s can be written again", self._path.name)
            self.behind = False

    def _load[T](self, decode: Callable[[Any], T], owed: Any) -> T | None:
        _discard(self._unfinished)
        try:
            content = _read(self._path) if owed is None else _pack(self._name, owed)
        except FileNotFoundError:
            return None
        except OSError as err:
            _LOGGER.warning("Could not read %s (%s)", self._path.name, err.strerror)
            return None
        try:
            return decode(_unpack(self._name, content))
        except Exception:  # noqa: BLE001 - invalid data may raise anything
            _discard(self._aside)
            with contextlib.suppress(OSError):
                self._path.replace(self._aside)
            _LOGGER.warning(
                "%s cannot be read and was set aside as %s",
                self._path.name,
                self._aside.name,
            )
            return None

    def _write(self, data: Any) -> None:
        """Write data durably: a renamed file is on disk only once its folder is."""
        folder = self._path.parent
        folder.mkdir(exist_ok=True)
        # One that a power cut has left may be readable by others.
        _discard(self._unfinished)
        try:
            with open(
                self._unfinished, "xb", opener=partial(os.open, mode=0o600)
            ) as file:
                file.write(_pack(self._name, data))
                file.flush()
                _sync(file.fileno())
            self._unfinished.replace(self._path)
        except BaseException:
            _discard(self._unfinished)
            raise
        handle = os.open(folder, os.O_RDONLY)
        try:
            _sync(handle)
        finally:
            os.close(handle)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_SIZE + 1)
    except IsADirectoryError:
        return b""


def _pack(name: str, data: Any) -> bytes:
    stored = {"version": _VERSION, "name": name, "data": encode(data)}
    return json.dumps(stored, separators=(",", ":")).encode()


def _unpack(name: str, content: bytes) -> Any:
    """Return the data from the content of a file with a name.

    Raises:
        ValueError: it is not JSON that can be stored, or of another file or version. Others are possible.

    """
    if len(content) > _MAX_SIZE:
        raise ValueError("too large")
    stored = json.loads(content.decode())
    # Python accepts lone surrogates and infinite numbers, which Home Assistant cannot store.
    json.dumps(stored, ensure_ascii=False, allow_nan=False).encode()
    if stored["version"] != _VERSION:
        raise ValueError("another version")
    if stored["name"] != name:
        raise ValueError(
            "another file: of another contract or account, or of another kind"
        )
    return stored["data"]


def _sync(descriptor: int) -> None:
    """Flush written data to the disk, as far as the file system can."""
    try:
        os.fsync(descriptor)
    except OSError as err:
        if err.errno not in _NO_FSYNC:
            raise


def _discard(*paths: Path) -> None:
    """Delete files or folders, as far as possible."""
    for path in paths:
        with contextlib.suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
