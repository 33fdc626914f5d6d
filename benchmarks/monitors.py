"""Monitors for a running hub: its event loop, files and states."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
import gc
import os
from pathlib import Path
import sys
from threading import get_ident
from time import thread_time
from types import CodeType
from typing import Any, Final, cast

import custom_components.nomos
from homeassistant.const import EVENT_STATE_CHANGED, EVENT_STATE_REPORTED
from homeassistant.core import Event, HomeAssistant, callback

PACKAGE: Final = str(Path(custom_components.nomos.__file__).parent)

_EVENTS: Final = sys.monitoring.events
_TOOL: Final = sys.monitoring.PROFILER_ID


@dataclass(slots=True)
class LoopTime:
    """The processor time, in seconds, of callbacks of the event loop in which code of the integration ran.

    Home Assistant's part of such a callback counts, too, since the integration caused it. Full garbage collections do
    not count, since anything that allocates memory may start one.

    Attributes:
        stretches: each callback's time.
        causes: their sum by the first function of the integration that was entered.
        longest: the longest of each cause.
        everything: the time of all callbacks, ours or not.
    """

    stretches: list[float] = field(default_factory=list)
    causes: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    longest: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    everything: float = 0.0
    _first: str | None = None
    _collected: float = 0.0
    _thread: int = field(default_factory=get_ident)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Monitor the event loop that runs in this thread."""
        handle = cast("Any", __import__("asyncio").Handle)
        run = handle._run  # noqa: SLF001 - there is no other place where callbacks are run
        handle._run = lambda one: self._timed(run, one)  # noqa: SLF001
        gc.callbacks.append(self._collecting)
        sys.monitoring.use_tool_id(_TOOL, "benchmark")
        entered = _EVENTS.PY_START | _EVENTS.PY_RESUME
        for event in (_EVENTS.PY_START, _EVENTS.PY_RESUME):
            sys.monitoring.register_callback(_TOOL, event, self._entered)
        sys.monitoring.set_events(_TOOL, entered)
        try:
            yield
        finally:
            sys.monitoring.set_events(_TOOL, 0)
            sys.monitoring.free_tool_id(_TOOL)
            gc.callbacks.remove(self._collecting)
            handle._run = run  # noqa: SLF001

    def _timed(self, run: Callable[[Any], None], handle: Any) -> None:
        self._forget()
        begin = thread_time()
        run(handle)
        taken = thread_time() - begin - self._collected
        self.everything += taken
        if self._first is not None:
            self.stretches.append(taken)
            self.causes[self._first] += taken
            self.longest[self._first] = max(self.longest[self._first], taken)

    def _forget(self) -> None:
        self._first, self._collected = None, 0.0

    def _entered(self, code: CodeType, _offset: int) -> object:
        if not code.co_filename.startswith(PACKAGE):
            return sys.monitoring.DISABLE
        if self._first is None and get_ident() == self._thread:
            name = Path(code.co_filename).stem
            self._first = f"{name}.{code.co_qualname}"
        return None

    def _collecting(self, phase: str, _info: dict[str, int]) -> None:
        if get_ident() == self._thread:
            self._collected += thread_time() * (-1 if phase == "start" else 1)


@dataclass(slots=True)
class Writes:
    """The writes to each file in ``.storage``: their number and bytes."""

    times: Counter[str] = field(default_factory=Counter)
    bytes: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Monitor renames, since all files are written under a temporary name and then renamed."""
        originals = {name: getattr(os, name) for name in ("replace", "rename")}

        def watched(original: Callable[..., None]) -> Callable[..., None]:
            def move(source: Any, target: Any, *args: Any, **options: Any) -> None:
                path = Path(os.fsdecode(target))
                if path.parent.name == ".storage":
                    self.times[_kind(path.name)] += 1
                    self.bytes[_kind(path.name)] += Path(source).stat().st_size
                original(source, target, *args, **options)

            return move

        for name, original in originals.items():
            setattr(os, name, watched(original))
        try:
            yield
        finally:
            for name, original in originals.items():
                setattr(os, name, original)


def _kind(name: str) -> str:
    """Return a file's name without the ids of the account or contract."""
    return ".".join(name.split(".")[:2])


@dataclass(slots=True)
class States:
    """The writes of each entity's state, with and without a change."""

    changed: Counter[str] = field(default_factory=Counter)
    in_vain: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def watching(self, hass: HomeAssistant) -> Iterator[None]:
        """Monitor the state machine."""
        stops = []
        for event_type, counter in (
            (EVENT_STATE_CHANGED, self.changed),
            (EVENT_STATE_REPORTED, self.in_vain),
        ):

            @callback
            def count(event: Event[Any], counter: Counter[str] = counter) -> None:
                counter[event.data["entity_id"]] += 1

            @callback
            def every(_: Any) -> bool:
                return True

            stops.append(hass.bus.async_listen(event_type, count, event_filter=every))
        try:
            yield
        finally:
            for stop in stops:
                stop()
