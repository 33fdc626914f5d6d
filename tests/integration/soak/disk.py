"""The hub's disk, which may be full, read-only or broken for a while."""

import builtins
from collections.abc import Callable, Iterator
from contextlib import contextmanager
import errno
import io
import os
from pathlib import Path
from typing import Any, Final, Literal

import pytest

from homeassistant.helpers.storage import Store
from homeassistant.util.file import WriteError

type DiskFault = Literal["full", "no inodes", "read-only", "broken", "cannot rename"]

_ERRORS: Final[dict[DiskFault, tuple[int, frozenset[str]]]] = {
    # A file system with delayed allocation reports the error at fsync.
    "full": (errno.ENOSPC, frozenset({"fsync"})),
    "no inodes": (errno.ENOSPC, frozenset({"open", "mkdir"})),
    "read-only": (
        errno.EROFS,
        frozenset({"open", "mkdir", "rename", "replace", "unlink", "remove"}),
    ),
    "broken": (errno.EIO, frozenset({"fsync", "rename", "replace"})),
    "cannot rename": (errno.ENOSPC, frozenset({"rename", "replace"})),
}
"""For each fault: the operating system's error, and the calls that fail."""

DISK_FAULTS: Final = tuple(_ERRORS)

_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Disk:
    """Intercepts every call that writes below a folder.

    Power cuts are simulated with the contents of the files, so a successful fsync does nothing; waiting for the real
    disk would only take time.
    """

    def __init__(self, folder: str) -> None:
        """Begin with a working disk."""
        self.fault: DiskFault | None = None
        self._folder = os.path.realpath(folder)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Replace calls of the operating system, and of Home Assistant's storage, which tests keep in memory."""
        for name in ("rename", "replace", "unlink", "remove", "mkdir"):
            monkeypatch.setattr(os, name, self._guarded(name, getattr(os, name)))
        monkeypatch.setattr(os, "open", self._guarded_open(os.open))
        monkeypatch.setattr(os, "fsync", self._fsync)
        file = self._guarded_file(io.open)
        for module in (io, builtins):
            monkeypatch.setattr(module, "open", file)
        write = Store._async_write_data

        async def written(store: Store[Any], data: dict[str, Any]) -> None:
            if self.fault is not None:
                raise WriteError(os.strerror(_ERRORS[self.fault][0]))
            await write(store, data)

        monkeypatch.setattr(Store, "_async_write_data", written)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Allow writes by the test itself."""
        fault, self.fault = self.fault, None
        try:
            yield
        finally:
            self.fault = fault

    def _check(self, call: str, path: Any) -> None:
        if self.fault is None:
            return
        number, calls = _ERRORS[self.fault]
        if call in calls and os.path.realpath(path).startswith(self._folder):
            raise OSError(number, os.strerror(number), str(path))

    def _guarded(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(path: Any, *args: Any, **options: Any) -> Any:
            self._check(name, path)
            return real(path, *args, **options)

        return guarded

    def _guarded_open(self, real: Callable[..., int]) -> Callable[..., int]:
        def guarded(path: Any, flags: int, *args: Any, **options: Any) -> int:
            if flags & _WRITING:
                self._check("open", path)
            return real(path, flags, *args, **options)

        return guarded

    def _guarded_file(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
            if not isinstance(file, int) and set(mode) & set("wax+"):
                self._check("open", file)
            return real(file, mode, *args, **options)

        return guarded

    def _fsync(self, file: Any) -> None:
        if self.fault is not None:
            number = file if isinstance(file, int) else file.fileno()
            self._check("fsync", Path(f"/proc/self/fd/{number}").readlink())
