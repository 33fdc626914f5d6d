"""Tests that new prices and boundaries leave no needless work to the event loop."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
import sys
from types import FrameType, ModuleType
from typing import Any

from custom_components.nomos.pricing import levels, table
from custom_components.nomos.usage import entities
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from tests.integration.helpers import Advance, state_of


@contextmanager
def calls_of(*modules: ModuleType) -> Iterator[list[str]]:
    """Collect the names of functions of modules that are called in this thread, which runs the event loop."""
    files, called = {module.__file__ for module in modules}, []

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename in files:
            called.append(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        yield called
    finally:
        sys.setprofile(None)


async def test_new_prices_are_rated_elsewhere(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """Merging a response and computing its levels would block the event loop for some milliseconds."""
    nomos.configure(publication_time=time(13))
    await linked()
    flag = subscription.id, "tomorrow_available", Platform.BINARY_SENSOR
    with calls_of(levels, table) as called:
        while state_of(hass, *flag).state != "on":
            await advance(timedelta(minutes=15))
    assert datetime.now(UTC).hour < 14
    assert "at" in called
    assert called.count("rate_day") == called.count("merge") == 0


async def test_usage_is_read_when_it_may_have_changed(
    nomos, linked, advance: Advance
) -> None:
    """Sensors of usage read all days again after a response and at midnight, not at each of 96 boundaries."""
    await linked()
    read = 0
    for _ in range(96):
        before = len(nomos.requests)
        with calls_of(entities) as called:
            await advance(timedelta(minutes=15))
        if called and len(nomos.requests) == before:
            read += 1
    assert read == 1
