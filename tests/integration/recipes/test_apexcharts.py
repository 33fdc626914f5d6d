"""Tests of the recipes for the ApexCharts card, and of the script of the last one.

The card's rules, from its README, src/graphEntry.ts and src/types-config.ts (2.2.3): a data_generator is the body of an
async function of entity, start, end, hass and moment, in strict mode, that returns pairs of milliseconds and a number
or null. Unknown options are an error. ``hass.callService`` is the frontend's; its sixth argument requests the response.
"""

from datetime import UTC, datetime, timedelta
import json
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers.json import json_dumps
from homeassistant.setup import async_setup_component
from tests.integration.helpers import Advance
from tests.integration.recipes import recipe
from tests.node import run_node

QUARTER = timedelta(minutes=15)
CARD_OPTIONS = {
    "type",
    "graph_span",
    "span",
    "now",
    "header",
    "series",
    "stacked",
    "update_interval",
    "show",
    "yaxis",
    "all_series_config",
    "apex_config",
    "experimental",
}
SERIES_OPTIONS = {
    "entity",
    "attribute",
    "name",
    "type",
    "color",
    "opacity",
    "curve",
    "stroke_width",
    "extend_to_end",
    "unit",
    "invert",
    "data_generator",
    "float_precision",
    "min",
    "max",
    "offset",
    "fill_raw",
    "show",
    "group_by",
    "transform",
    "color_threshold",
}
SHOWN = {"legend_value": False, "in_header": "before_now"}
"""Otherwise the card shows tomorrow's last value as if it were the current one."""
START_OF_SPAN = datetime(2026, 6, 3, 22, 0, tzinfo=UTC)
RUN = """
const {body, entity, answers, start, end} = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const AsyncFunction = Object.getPrototypeOf(async function () {}).constructor;
const calls = [];
const hass = {callService: async (domain, service, data, target, notify, returns) => {
  calls.push({domain, service, data, returns});
  const response = answers[calls.length - 1];
  if (response === undefined) throw new Error('no answer yet');
  return {response};
}};
new AsyncFunction('entity', 'start', 'end', 'hass', 'moment', `'use strict'; ${body}`)(
  entity, new Date(start), new Date(end), hass, undefined
).then(data => ({calls, data}), error => ({calls, error: String(error)}))
  .then(result => console.log(JSON.stringify(result)));
"""


def run(body, entity, answers):
    """Run a data_generator as the card does, with a span that ends today."""
    given = json_dumps(
        {
            "body": body,
            "entity": entity,
            "answers": answers,
            "start": START_OF_SPAN,
            "end": START_OF_SPAN + timedelta(days=7),
        }
    )
    return json.loads(run_node("-e", RUN, given=given))


async def generate(hass, series, *, in_plan=False):
    """Return the data of a series, and the hub's responses; there is none while the entity is unavailable."""
    assert series.keys() <= SERIES_OPTIONS
    assert series["show"] == (SHOWN | {"in_header": False} if in_plan else SHOWN)
    state = hass.states.get(series["entity"])
    assert state, series["entity"]
    unavailable = {**state.as_dict(), "state": "unavailable", "attributes": {}}
    assert run(series["data_generator"], unavailable, []) == {"calls": [], "data": []}
    answers: list[Any] = []
    while "error" in (
        result := run(series["data_generator"], state.as_dict(), answers)
    ):
        assert "no answer yet" in result["error"], result["error"]
        call = result["calls"][-1]
        assert call["returns"] is True
        answers.append(
            await hass.services.async_call(
                call["domain"],
                call["service"],
                call["data"],
                blocking=True,
                return_response=True,
            )
        )
    for point in result["data"]:
        assert isinstance(point[0], int)
        assert point[1] is None or isinstance(point[1], int | float)
    assert [x for x, _ in result["data"]] == sorted(x for x, _ in result["data"])
    return result["data"], answers


def instant(milliseconds):
    """Convert milliseconds of a chart to an instant."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


@pytest.fixture
async def subscription(nomos, linked, advance: Advance):
    """Return the contract of a hub that knows tomorrow."""
    await linked()
    await advance(timedelta(hours=8))
    return nomos.customers["smart@example.com"].subscriptions[0]


async def test_prices(hass: HomeAssistant, nomos, subscription) -> None:
    """The chart shows every price, in cents."""
    card = recipe("apexcharts-prices")
    assert card.keys() <= CARD_OPTIONS
    (series,) = card["series"]
    data, asked = await generate(hass, series)
    assert not asked
    assert len(data) == 192
    for x, y in data:
        truth = nomos.price(subscription.id, instant(x))
        assert y == pytest.approx(truth.amount)


async def test_plan(hass: HomeAssistant, nomos, subscription) -> None:
    """The plan is drawn over exactly the prices of its intervals."""
    card = recipe("apexcharts-plan")
    assert card.keys() <= CARD_OPTIONS
    prices = await generate(hass, card["series"][0])
    plan = await generate(hass, card["series"][1], in_plan=True)
    assert len(prices[0]) == 192
    (answer,) = plan[1]
    assert answer["status"] == "complete"
    points = plan[0]
    assert instant(points[0][0]) == datetime.fromisoformat(answer["start"])
    assert instant(points[-1][0]) == datetime.fromisoformat(answer["end"])
    assert points[-1][1] is None
    for begin, end, gap in zip(points[::3], points[1::3], points[2::3], strict=True):
        truth = nomos.price(subscription.id, instant(begin[0]))
        assert begin[1] == end[1] == pytest.approx(truth.amount / 100)
        assert begin[0] < end[0] == gap[0]


async def test_past_days(hass: HomeAssistant, nomos, subscription) -> None:
    """The chart shows every hour of seven days, for which one request is sent."""
    card = recipe("apexcharts-past")
    assert card.keys() <= CARD_OPTIONS
    before = nomos.count("prices")
    (series,) = card["series"]
    for _ in range(2):
        data, _ = await generate(hass, series)
        assert len(data) == 7 * 24
    assert nomos.count("prices") == before + 1
    assert instant(data[0][0]) == START_OF_SPAN
    for x, y in data:
        quarters = [
            nomos.price(subscription.id, instant(x) + number * QUARTER).amount
            for number in range(4)
        ]
        assert y == pytest.approx(sum(quarters) / 4, abs=1e-5)


async def test_components(hass: HomeAssistant, nomos, subscription) -> None:
    """The components add up to the price of the hour."""
    card = recipe("apexcharts-components")
    assert card.keys() <= CARD_OPTIONS
    parts = [(await generate(hass, series))[0] for series in card["series"]]
    assert len(parts) == 3
    for points in zip(*parts, strict=True):
        starts = {x for x, _ in points}
        assert len(starts) == 1
        hour = instant(starts.pop())
        quarters = [
            nomos.price(subscription.id, hour + number * QUARTER).amount
            for number in range(4)
        ]
        assert sum(y for _, y in points) == pytest.approx(sum(quarters) / 4, abs=1e-3)


async def test_script(hass: HomeAssistant, nomos, subscription) -> None:
    """The script returns the cheapest hour of today and tomorrow."""
    script = {"cheapest_hour": recipe("anything-script")}
    assert await async_setup_component(hass, "script", {"script": script})
    answer = await hass.services.async_call(
        "script", "cheapest_hour", blocking=True, return_response=True
    )
    hours: Any = await hass.services.async_call(
        "nomos",
        "get_prices",
        {"resolution": "hour", "unit": "ct/kWh"},
        blocking=True,
        return_response=True,
    )
    assert answer == min(hours["prices"], key=lambda hour: hour["price"])
