"""Tests of the tool for voice assistants."""

from datetime import UTC, datetime, timedelta
import json
from typing import Any

import probatio
import pytest

from custom_components.nomos.llm import async_get_tools
from custom_components.nomos.planner import PlanRequest, plan
from custom_components.nomos.pricing import local_date
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, llm
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.integration.automation.helpers import device_of
from tests.integration.helpers import entity_id

ASSISTANT = "conversation"
TOOL = "nomos__get_electricity_prices"

pytestmark = pytest.mark.parametrize(
    "now", [datetime(2026, 6, 10, 14, 3, 7, tzinfo=UTC)]
)


@pytest.fixture(autouse=True)
async def assist(hass: HomeAssistant) -> None:
    """Set up the components for assistants, on a hub in Germany."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, "llm", {})
    assert await async_setup_component(hass, "conversation", {})


@pytest.fixture
def expose(hass: HomeAssistant):
    """Return a function that exposes the price sensor of a contract."""

    def one(subscription, *, exposed: bool = True) -> None:
        sensor = entity_id(hass, subscription.id, "price")
        async_expose_entity(hass, ASSISTANT, sensor, exposed)

    return one


async def api(hass: HomeAssistant) -> llm.APIInstance:
    """Return the API that an assistant gets."""
    context = llm.LLMContext("test", Context(), "en", ASSISTANT, None)
    return await llm.async_get_api(hass, llm.LLM_API_ASSIST, context)


async def find_tool(hass: HomeAssistant) -> llm.Tool | None:
    """Return the tool, or None if the assistant does not get it."""
    return next((tool for tool in (await api(hass)).tools if tool.name == TOOL), None)


async def ask(hass: HomeAssistant, **arguments: Any) -> dict[str, Any]:
    """Call the tool as an assistant does; return its result."""
    instance = await api(hass)
    result = await instance.async_call_tool(llm.ToolInput(TOOL, arguments))
    assert not result.error
    answer: dict[str, Any] = json.loads(json.dumps(result.data))
    return answer


async def test_only_what_is_exposed(
    hass: HomeAssistant, linked, subscription, expose, caplog
) -> None:
    """The tool is there as long as the price is exposed and its account is loaded."""
    assert await find_tool(hass) is None
    entry = await linked()
    assert await find_tool(hass) is None
    expose(subscription)
    tool = await find_tool(hass)
    assert tool is not None
    assert tool.annotations.read_only
    assert not tool.annotations.destructive
    assert async_get_tools(hass, (await api(hass)).llm_context, "another") is None
    expose(subscription, exposed=False)
    assert await find_tool(hass) is None
    expose(subscription)
    await hass.config_entries.async_unload(entry.entry_id)
    assert await find_tool(hass) is None
    assert "LLM tools that are not prefixed" not in caplog.text
    assert "without an integration" not in caplog.text


async def test_price_that_is_disabled(
    hass: HomeAssistant, linked, subscription, expose
) -> None:
    """The price of a disabled entity is not exposed, even if it was exposed before."""
    await linked()
    expose(subscription)
    assert await find_tool(hass)
    er.async_get(hass).async_update_entity(
        entity_id(hass, subscription.id, "price"),
        disabled_by=er.RegistryEntryDisabler.USER,
    )
    await hass.async_block_till_done()
    assert await find_tool(hass) is None


async def test_parameters(hass: HomeAssistant, linked, subscription, expose) -> None:
    """Every parameter has a type and a description; with a single contract there is no choice of contract."""
    await linked()
    expose(subscription)
    tool = await find_tool(hass)
    schema = probatio.to_openapi(
        tool.parameters, custom_serializer=llm.selector_serializer
    )
    assert schema["properties"].keys() == {
        "duration_minutes",
        "earliest",
        "latest",
        "interruptible",
    }
    assert not schema.get("required")
    for field in schema["properties"].values():
        assert field["type"]
        assert field["description"]


async def test_prices(hass: HomeAssistant, linked, subscription, expose) -> None:
    """The result has the current price, its level, and the extremes of the known days, in local time."""
    entry = await linked()
    expose(subscription)
    coordinator = entry.runtime_data.prices[subscription.id]
    now = datetime.now(UTC)
    rating = coordinator.levels.at(now)
    today = coordinator.data.day(local_date(now))
    answer = await ask(hass)
    assert answer["time"] == "2026-06-10T16:03+02:00"
    assert answer["unit"] == "EUR/kWh"
    assert answer["now"] == {
        "price": rating.interval.price,
        "level": rating.level.key,
        "until": "2026-06-10T16:15+02:00",
    }
    assert answer["today"]["lowest"]["price"] == today.lowest.price
    assert (
        datetime.fromisoformat(answer["today"]["lowest"]["start"]) == today.lowest.start
    )
    assert answer["today"]["highest"]["price"] == today.highest.price
    assert answer["today"]["average"] == pytest.approx(today.average, abs=1e-4)
    assert answer["tomorrow"]["lowest"]["start"].startswith("2026-06-11")
    assert "cheapest" not in answer
    assert "contract" not in answer
    assert len(json.dumps(answer)) < 1000


async def test_tonight_for_two_hours(
    hass: HomeAssistant, linked, subscription, expose
) -> None:
    """The result has the two cheapest hours of tonight."""
    entry = await linked()
    expose(subscription)
    answer = await ask(
        hass, duration_minutes=120, earliest="18:00", latest="07:00", interruptible=None
    )
    table = entry.runtime_data.prices[subscription.id].data
    now = datetime.now(UTC)
    opens = datetime(2026, 6, 10, 16, tzinfo=UTC)
    closes = datetime(2026, 6, 11, 5, tzinfo=UTC)
    best = plan(table, PlanRequest(opens, closes, timedelta(hours=2)), now)
    assert best.start and best.end
    cheapest = answer["cheapest"]
    assert cheapest["window"] == {
        "start": "2026-06-10T18:00+02:00",
        "end": "2026-06-11T07:00+02:00",
    }
    assert cheapest["status"] == "complete"
    assert cheapest["planned_minutes"] == 120
    assert cheapest["runs"] == [
        {
            "start": dt_util.as_local(best.start).isoformat(timespec="minutes"),
            "end": dt_util.as_local(best.end).isoformat(timespec="minutes"),
        }
    ]
    assert cheapest["average_price"] == pytest.approx(best.average_price, abs=1e-4)
    assert cheapest["average_price"] < cheapest["average_price_if_run_at_window_start"]
    assert cheapest["provisional"] is False


async def test_interruptible_plan_from_now_on(
    hass: HomeAssistant, linked, subscription, expose
) -> None:
    """Without times, the window is the coming day; an interruptible plan costs no more than a contiguous one."""
    await linked()
    expose(subscription)
    whole = (await ask(hass, duration_minutes="240"))["cheapest"]
    parts = (await ask(hass, duration_minutes=240, interruptible=True))["cheapest"]
    assert whole["window"]["start"] == "2026-06-10T16:03+02:00"
    assert whole["window"]["end"] == "2026-06-11T16:03+02:00"
    assert len(whole["runs"]) == 1
    assert parts["average_price"] <= whole["average_price"]
    late = (await ask(hass, duration_minutes=60, earliest="23:00"))["cheapest"]
    assert late["window"] == {
        "start": "2026-06-10T23:00+02:00",
        "end": "2026-06-11T23:00+02:00",
    }
    now = (await ask(hass, duration_minutes=60, earliest="16:03"))["cheapest"]
    assert now["window"] == {
        "start": "2026-06-10T16:03+02:00",
        "end": "2026-06-11T16:03+02:00",
    }
    soon = (await ask(hass, duration_minutes=60, latest="18:00:00"))["cheapest"]
    assert soon["window"]["end"] == "2026-06-10T18:00+02:00"


@pytest.mark.parametrize(("interruptible", "runs"), [(False, 1), (True, 2)])
async def test_interruptible_or_not(
    hass: HomeAssistant, nomos, linked, subscription, expose, interruptible, runs
) -> None:
    """If the load may pause, two separate cheap quarter-hours are both used."""
    first = datetime(2026, 6, 10, 16, tzinfo=UTC)
    for start in (first, first + timedelta(hours=2)):
        nomos.correct_price(subscription.id, start, -50.0)
    await linked()
    expose(subscription)
    found = await ask(hass, duration_minutes=30, interruptible=interruptible)
    assert len(found["cheapest"]["runs"]) == runs
    assert found["cheapest"]["planned_minutes"] == 30
    assert (found["cheapest"]["average_price"] == -0.5) == interruptible


async def test_arguments_that_are_left_empty(
    hass: HomeAssistant, linked, subscription, expose
) -> None:
    """An empty string or null means the same as a missing argument."""
    await linked()
    expose(subscription)
    plain = await ask(hass, duration_minutes=60)
    for nothing in ("", None):
        empty = dict.fromkeys(("earliest", "latest", "interruptible"), nothing)
        assert await ask(hass, duration_minutes=60, **empty) == plain
        assert "cheapest" not in await ask(hass, duration_minutes=nothing)


async def test_window_that_is_open(
    hass: HomeAssistant, linked, subscription, expose
) -> None:
    """The rest of the window begins now, not in the past."""
    await linked()
    expose(subscription)
    found = await ask(hass, duration_minutes=60, earliest="10:00", latest="20:00")
    assert found["cheapest"]["window"] == {
        "start": "2026-06-10T16:03+02:00",
        "end": "2026-06-10T20:00+02:00",
    }


async def test_tomorrow_in_part(
    hass: HomeAssistant, nomos, linked, subscription, expose
) -> None:
    """An incomplete day has no lowest price."""
    hole = datetime(2026, 6, 11, 10, tzinfo=UTC)
    nomos.configure(missing=[(hole, hole + timedelta(minutes=15))])
    entry = await linked()
    expose(subscription)
    table = entry.runtime_data.prices[subscription.id].data
    assert table.at(hole - timedelta(minutes=15))
    assert table.at(hole) is None
    answer = await ask(hass)
    assert answer["today"]
    assert answer["tomorrow"] is None


async def test_what_does_not_fit(
    hass: HomeAssistant, linked, subscription, expose
) -> None:
    """The result says if the window is too short or has no known prices."""
    await linked()
    expose(subscription)
    short = await ask(hass, duration_minutes=180, latest="17:00")
    assert short["cheapest"]["status"] == "short"
    assert short["cheapest"]["planned_minutes"] == 57


async def test_without_prices(
    hass: HomeAssistant, nomos, linked, subscription, expose
) -> None:
    """Unknown values are null, and no time is invented."""
    start = datetime(2026, 6, 9, 22, tzinfo=UTC)
    nomos.configure(null_amounts=[(start, start + timedelta(hours=48))])
    await linked()
    expose(subscription)
    answer = await ask(hass, duration_minutes=60)
    assert answer["now"] is None
    assert answer["today"] is None
    assert answer["tomorrow"] is None
    assert answer["cheapest"]["status"] == "infeasible"
    assert answer["cheapest"]["runs"] == []
    assert answer["cheapest"]["average_price"] is None
    assert answer["cheapest"]["provisional"] is True


@pytest.mark.parametrize(
    "wrong",
    [
        {"duration_minutes": 0},
        {"duration_minutes": "long"},
        {"duration_minutes": 100000},
        {"duration_minutes": "nan"},
        {"duration_minutes": 1e302},
        {"duration_minutes": 60, "earliest": "20:00\ud83d"},
        {"duration_minutes": 60, "earliest": "evening"},
        {"duration_minutes": 60, "latest": "25:00"},
        {"duration_minutes": 60, "contract": "another"},
        {"hours": 2},
    ],
)
async def test_wrong_arguments(
    hass: HomeAssistant, linked, subscription, expose, wrong
) -> None:
    """Wrong arguments are reported to the model."""
    await linked()
    expose(subscription)
    with pytest.raises(probatio.Invalid):
        await ask(hass, **wrong)


async def test_feed_in_is_not_offered(
    hass: HomeAssistant, nomos, linked, expose, subscription
) -> None:
    """The tool uses the consumption contract, not the feed-in contract."""
    entry = await linked("solar@example.com")
    supply = nomos.customers["solar@example.com"].subscriptions[0]
    expose(supply)
    assert len(entry.runtime_data.prices) == 2
    answer = await ask(hass)
    assert "contract" not in answer
    price = entry.runtime_data.prices[supply.id].data.at(datetime.now(UTC)).price
    assert answer["now"]["price"] == price


async def test_several_contracts(
    hass: HomeAssistant, nomos, linked, expose, subscription
) -> None:
    """With several contracts, the first is the default, even if two have the same name."""
    first = await linked()
    second = await linked("analog@example.com")
    other = nomos.customers["analog@example.com"].subscriptions[0]
    expose(subscription)
    expose(other)
    devices = dr.async_get(hass)
    for one in (subscription, other):
        devices.async_update_device(
            device_of(hass, one)["device_id"], name_by_user="Home"
        )
    schema = probatio.to_openapi(
        (await find_tool(hass)).parameters, custom_serializer=llm.selector_serializer
    )
    assert schema["properties"]["contract"]["enum"] == ["Home", "Home 2"]
    now = datetime.now(UTC)
    prices = {
        name: entry.runtime_data.prices[one.id].data.at(now).price
        for name, entry, one in (
            ("Home", first, subscription),
            ("Home 2", second, other),
        )
    }
    for name, price in prices.items():
        answer = await ask(hass, contract=name)
        assert answer["contract"] == name
        assert answer["now"]["price"] == price
    assert (await ask(hass))["contract"] == "Home"
    devices.async_update_device(
        device_of(hass, other)["device_id"], name_by_user="Heat pump"
    )
    assert (await ask(hass, contract="Heat pump"))["now"]["price"] == prices["Home 2"]
