"""Tests of the examples in docs/actions.md: calls and the structure of their responses."""

from datetime import timedelta
import json
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.util.yaml import parse_yaml
from tests.integration.helpers import Advance
from tests.integration.recipes import blocks

PAGE = "docs/actions.md"


def shape(value):
    """Return the structure of a response: its keys and the types of its values."""
    match value:
        case dict():
            return {key: shape(one) for key, one in value.items()}
        case list():
            return [shape(one) for one in value[:1]]
        case bool() | str():
            return type(value)
        case _:
            return float


@pytest.fixture
async def answers(hass: HomeAssistant, linked, advance: Advance):
    """Return the responses to the calls on the page."""
    await linked()
    found = []
    for block in blocks(PAGE):
        call: Any = parse_yaml(block)
        domain, _, name = call["action"].partition(".")
        found.append(
            await hass.services.async_call(
                domain,
                name,
                call.get("data", {}),
                blocking=True,
                return_response="response_variable" in call,
            )
        )
    await advance(timedelta(seconds=1))
    return found


async def test_calls_and_answers(answers) -> None:
    """Every call works, and its response has the structure that the page shows."""
    prices, plan, split, battery, nothing = answers
    shown_prices, shown_plan, shown_battery = map(json.loads, blocks(PAGE, "json"))
    assert nothing is None
    assert shape(prices) == shape(shown_prices)
    assert len(prices["prices"]) == 18
    assert shape(plan) == shape(shown_plan)
    assert shape(battery) == shape(shown_battery)
    assert battery["gain"] >= 0
    assert split["slices"]
    assert split["status"] in {"complete", "short"}
