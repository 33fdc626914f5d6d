"""Tests of the preview at the end of the dialog: when the load runs, and what that saves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from custom_components.nomos.loads.plan import LoadPlan, LoadStatus
from custom_components.nomos.loads.preview import describe
from custom_components.nomos.planner import PlanRequest, Run, plan
from custom_components.nomos.pricing import TARIFF_ZONE
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.integration.loads.helpers import (
    fill_in,
    moment,
    open_form,
    shown,
    suggested,
    table_of,
)
from tests.packaging import INTEGRATION, leaves, read_json

pytestmark = pytest.mark.usefixtures("german_hub")


@pytest.mark.parametrize("load_type", ["appliance", "heat"])
async def test_preview_equals_the_plan(
    hass: HomeAssistant, nomos, linked, load_type
) -> None:
    """The preview equals what the device then shows: when the load runs, or would if requested."""
    hass.config.language = "de"
    entry = await linked()
    result = await open_form(hass, entry, load_type)
    filled = suggested(result) | {"name": "Load", "end": "20:00:00", "contiguous": True}
    result = await fill_in(hass, result, filled)
    await hass.async_block_till_done()
    [load_id] = entry.subentries
    if load_type == "appliance":
        switch = {"entity_id": shown(hass, load_id, "planned", "switch").entity_id}
        await hass.services.async_call("switch", "turn_on", switch, blocking=True)
        await hass.async_block_till_done()
    start, end = (
        moment(hass, load_id, key).astimezone(TARIFF_ZONE)
        for key in ("next_start", "next_end")
    )
    asked = "asked_" if load_type == "appliance" else ""
    assert result["description"] == f"{asked}today_saves"
    request = PlanRequest(
        datetime.now(UTC),
        datetime(2026, 6, 10, 20, tzinfo=TARIFF_ZONE),
        end - start,
        power_kw=filled["power"],
    )
    saving = plan(table_of(entry), request, datetime.now(UTC)).saving_vs_now
    assert result["description_placeholders"] == {
        "times": f"{start:%H:%M}–{end:%H:%M}",
        "saving": f"{saving:.2f} EUR".replace(".", ","),
    }
    if load_type == "appliance":
        expected = float(shown(hass, load_id, "expected_saving").state)
        assert expected == pytest.approx(saving, abs=1e-4)


async def test_preview_without_prices(hass: HomeAssistant, nomos, linked) -> None:
    """Without known prices, the dialog says so."""
    entry = await linked()
    [coordinator] = entry.runtime_data.prices.values()
    coordinator.data = None
    result = await open_form(hass, entry, "heat")
    result = await fill_in(hass, result, suggested(result) | {"name": "Boiler"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["description"] == "unknown"


def made(*hours: tuple[int, int], **changes) -> LoadPlan:
    """Return a plan of runs, given as full hours since 1 June in Berlin."""
    first = datetime(2026, 6, 1, tzinfo=TARIFF_ZONE)
    runs = tuple(
        Run(start=first + timedelta(hours=start), end=first + timedelta(hours=end))
        for start, end in hours
    )
    opens, closes = first, first + timedelta(days=4)
    return LoadPlan(
        opens=opens, closes=closes, status=LoadStatus.PLANNED, runs=runs, **changes
    )


@pytest.mark.parametrize(
    ("made_plan", "key", "named"),
    [
        (None, "unknown", {}),
        (made(), "unknown", {}),
        (made((20, 22)), "today", {"times": "20:00–22:00"}),
        (made((23, 25)), "today", {"times": "23:00–01:00"}),
        (
            made((26, 28), saving=0.2149),
            "tomorrow_saves",
            {"times": "02:00–04:00", "saving": "0.21 EUR"},
        ),
        (made((26, 28), saving=0.004), "tomorrow", {"times": "02:00–04:00"}),
        (made((26, 28), saving=-0.5), "tomorrow", {"times": "02:00–04:00"}),
        (
            made((20, 21), (22, 23), (24, 25), (26, 27)),
            "today",
            {"times": "20:00–21:00, 22:00–23:00, 00:00–01:00, …"},
        ),
        (
            made((50, 52), saving=1),
            "later",
            {"date": "2026-06-03", "times": "02:00–04:00"},
        ),
    ],
)
def test_sentence_of_a_plan(made_plan: LoadPlan | None, key, named) -> None:
    """The sentence depends on day and saving; its times are in the hub's time zone."""
    now = datetime(2026, 6, 1, 19, tzinfo=TARIFF_ZONE)
    assert describe(made_plan, now, TARIFF_ZONE, "en") == (key, named)


@pytest.mark.parametrize(
    ("charge", "said"), [("80", "full"), ("79", "full"), ("60", "today")]
)
async def test_a_car_that_is_full(
    hass: HomeAssistant, nomos, linked, charge, said
) -> None:
    """There is nothing to plan, so it does not wait for prices."""
    entry = await linked()
    hass.states.async_set("sensor.car", charge, {"unit_of_measurement": "%"})
    result = await open_form(hass, entry, "car")
    filled = suggested(result) | {
        "name": "Car",
        "charge_sensor": "sensor.car",
        "capacity": 60,
        "target": 80,
        "power": 11,
        "end": "20:00:00",
    }
    result = await fill_in(hass, result, filled)
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    assert result["description"].startswith(said)


def test_german_date_and_money() -> None:
    """On a German hub, dates and amounts are in German format."""
    now = datetime(2026, 6, 1, 19, tzinfo=TARIFF_ZONE)
    _, later = describe(made((50, 52)), now, TARIFF_ZONE, "de")
    assert later["date"] == "3.6."
    _, saves = describe(made((26, 28), saving=1.5), now, TARIFF_ZONE, "de")
    assert saves["saving"] == "1,50 EUR"


def test_every_sentence_is_said() -> None:
    """There is a text for every sentence, and no unused text."""
    texts = read_json(INTEGRATION / "translations" / "en.json")
    now = datetime(2026, 6, 1, 19, tzinfo=TARIFF_ZONE)
    plans = [
        None,
        replace(made(), status=LoadStatus.DONE),
        *(
            made((hour, hour + 1), saving=one)
            for hour in (20, 26, 50)
            for one in (0, 1)
        ),
    ]
    said = {describe(one, now, TARIFF_ZONE, "en")[0] for one in plans}
    created = dict(leaves(texts["config_subentries"]["load"]["create_entry"]))
    assert created.keys() == said | {f"asked_{one}" for one in said}
