"""Finds what an account leaves behind in Home Assistant: tasks, timers, listeners and data."""

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

from custom_components.nomos.const import DOMAIN
from homeassistant.components.frontend import DATA_EXTRA_MODULE_URL
from homeassistant.core import HassJob, HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import DATA_DISPATCHER

_PACKAGE = "custom_components.nomos"

_OF_OTHERS = {f"{_PACKAGE}.{name}" for name in ("card.resources", "storage", "trigger")}
"""Modules whose listeners belong to Home Assistant or to an automation, not to an account."""


def left_behind(hass: HomeAssistant) -> list[str]:
    """Return the tasks, timers and listeners that unloaded accounts left running."""
    loop: Any = hass.loop
    found = [f"task {task!r}" for task in asyncio.all_tasks(loop) if _runs_ours(task)]
    found += [
        f"timer {handle!r}"
        for handle in loop._scheduled
        if not handle.cancelled() and _is_ours((handle._callback, *handle._args))
    ]
    found += [
        f"reader {key!r}"
        for key in loop._selector.get_map().values()
        if any(handle and _is_ours(handle._callback) for handle in key.data)
    ]
    found += [
        f"listener to {event}: {job!r}"
        for event, listeners in hass.bus._listeners.items()
        for job, _ in listeners
        if _is_ours(job)
    ]
    found += [
        f"receiver of {signal}: {target!r}"
        for signal, targets in hass.data.get(DATA_DISPATCHER, {}).items()
        for target in targets
        if _is_ours(target)
    ]
    return found


def remembered(hass: HomeAssistant, entry_ids: set[str]) -> list[str]:
    """Return the data that removed accounts left behind."""
    found = [
        f"{key}: {value!r}"
        for key, value in hass.data.items()
        if str(key).startswith(DOMAIN)
        and any(one in text for one in entry_ids for text in _texts(value))
    ]
    found += [str(issue) for issue in ir.async_get(hass).issues if issue[0] == DOMAIN]
    if (modules := hass.data.get(DATA_EXTRA_MODULE_URL)) is not None:
        found += [url for url in modules.urls if DOMAIN in url]
    files = Path(hass.config.path(".storage")).glob(f"{DOMAIN}.*")
    return found + [path.name for path in files]


def _runs_ours(task: asyncio.Task[Any]) -> bool:
    awaited: Any = task.get_coro()
    while awaited is not None:
        if (code := getattr(awaited, "cr_code", None)) is None:
            return False
        if "/custom_components/nomos/" in code.co_filename:
            return True
        awaited = awaited.cr_await
    return False


def _is_ours(thing: Any) -> bool:
    """Return whether a callback belongs to an account."""
    match thing:
        case tuple() | list():
            return any(map(_is_ours, thing))
        case partial():
            return _is_ours((thing.func, *thing.args, *thing.keywords.values()))
        case MethodType():
            return _is_ours(thing.__self__)
        case HassJob():
            return _is_ours(thing.target)
        case FunctionType():
            module = thing.__module__
        case _ if hasattr(thing, "job"):
            return _is_ours(thing.job)
        case _:
            module = type(thing).__module__
    return module.startswith(_PACKAGE) and module not in _OF_OTHERS


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for pair in value.items():
                yield from _texts(pair)
        case list() | tuple() | set():
            for one in value:
                yield from _texts(one)
