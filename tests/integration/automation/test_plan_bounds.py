"""Tests of the bounds on the settings of a load."""

import tracemalloc

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from tests.integration.automation.helpers import make_plan

pytestmark = pytest.mark.usefixtures("german_hub")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"duration": 0}, "duration"),
        ({"duration": -60}, "duration"),
        ({"duration": {"days": 8}}, "duration"),
        ({"energy": 1e302, "power": 1}, "energy"),
        ({"energy": 1, "power": 1e-300}, "power"),
        ({"duration": 60, "power": 0}, "power"),
        ({"duration": 60, "power": "inf"}, "power"),
        ({"duration": 60, "price_cap": "nan"}, "price_cap"),
        ({"duration": 60, "price_cap": 1e300}, "price_cap"),
        ({"duration": 60, "price_floor": "inf"}, "price_floor"),
        ({"duration": 60, "max_runs": 0}, "max_runs"),
        ({"duration": 60, "max_runs": "1e400"}, "max_runs"),
        ({"duration": 60, "min_pause": -1}, "min_pause"),
        ({"duration": 60, "min_run": {"days": 8}}, "min_run"),
        ({"profile": [{"duration": 60, "power": -1}]}, "power"),
        ({"profile": [{"duration": 60, "power": 1e302}]}, "power"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
async def test_out_of_bounds(hass: HomeAssistant, linked, data, field) -> None:
    """A value out of bounds is reported with its field and bounds."""
    await linked()
    with pytest.raises(ServiceValidationError) as wrong:
        await make_plan(hass, **data)
    is_duration = field in {"duration", "min_pause", "min_run"}
    key = "field_not_a_duration" if is_duration else "out_of_bounds"
    assert wrong.value.translation_key == key
    assert (wrong.value.translation_placeholders or {})["field"].endswith(f"{field})")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"duration": "inf"}, "duration"),
        ({"duration": 1e300}, "duration"),
        ({"duration": {"hours": "inf"}}, "duration"),
        ({"duration": "9" * 30 + ":00"}, "duration"),
        ({"duration": 60, "min_pause": -1e300}, "min_pause"),
        ({"duration": 60, "min_pause": {"days": 1e9}}, "min_pause"),
        ({"profile": [{"duration": 1e300, "power": 1}]}, "duration"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
async def test_longer_than_any_time(hass: HomeAssistant, linked, data, field) -> None:
    """A duration that no timedelta can hold is reported with its field."""
    await linked()
    with pytest.raises(ServiceValidationError) as wrong:
        await make_plan(hass, **data)
    assert wrong.value.translation_key == "field_not_a_duration"
    assert (wrong.value.translation_placeholders or {})["field"].endswith(f"{field})")


async def test_largest_plan(hass: HomeAssistant, linked) -> None:
    """The largest allowed plan takes bounded memory."""
    await linked()
    tracemalloc.start()
    await make_plan(
        hass,
        profile=[{"duration": 6300, "power": n / 10} for n in range(96)],
        earliest="2000-01-01 00:00",
        latest="2199-12-31 23:59:59",
        slices=True,
    )
    await make_plan(
        hass,
        duration={"days": 7},
        contiguous=False,
        min_run=1,
        min_pause={"days": 7},
        max_runs=1000,
        price_cap=100,
        price_floor=-100,
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000_000
