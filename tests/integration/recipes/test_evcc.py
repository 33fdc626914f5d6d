"""Tests of the recipe for evcc.

Its rules, from docs.evcc.io (tariffs, plugins) and evcc's plugin/http.go, plugin/pipeline, tariff/tariff.go and
api/rates.go: the response is passed through jq; its result is converted to text, and that is read as a JSON list of
start, end and value. Times are RFC 3339. Null is read as zero. The rate at an instant is found by bisection, so rates
have to be sorted.
"""

from datetime import UTC, datetime, timedelta
import json
import re
import shutil
import subprocess

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.integration.helpers import Advance
from tests.integration.recipes import recipe

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
QUARTER = timedelta(minutes=15)

JQ = shutil.which("gojq") or shutil.which("jq")
"""evcc has gojq, which gives the same result as jq for this recipe."""

pytestmark = pytest.mark.skipif(not JQ, reason="neither gojq nor jq is here")


def written_out(program, body):
    """Return the output of evcc's pipeline for a response."""
    assert JQ
    done = subprocess.run(
        [JQ, "--raw-output", program],
        input=body,
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout


def read_rates(text):
    """Read rates as evcc does."""
    rates = json.loads(text)
    assert isinstance(rates, list)
    found = []
    for rate in rates:
        for key in ("start", "end"):
            assert RFC_3339.fullmatch(rate[key]), rate[key]
        assert isinstance(rate["value"], int | float)
        found.append(
            (
                datetime.fromisoformat(rate["start"]),
                datetime.fromisoformat(rate["end"]),
                rate["value"],
            )
        )
    assert found == sorted(found)
    return found


def at(rates, instant):
    """Return the rate at an instant."""
    (value,) = [value for start, end, value in rates if start <= instant < end]
    return value


async def ask(hass_client_no_auth, config, body=None):
    """Send the request of a configuration; return the rates that evcc reads from the response."""
    forecast = config["tariffs"]["grid"]["forecast"]
    assert config["tariffs"]["grid"]["type"] == "custom"
    assert forecast["source"] == "http"
    address = forecast["uri"].removeprefix("http://homeassistant.local:8123")
    client = await hass_client_no_auth()
    headers = {
        key: text for header in forecast["headers"] for key, text in header.items()
    }
    answer = await client.request(
        forecast["method"], address, data=body or forecast["body"], headers=headers
    )
    assert answer.status == 200
    return read_rates(written_out(forecast["jq"], await answer.text()))


@pytest.fixture
async def config(hass: HomeAssistant, hass_access_token: str):
    """Return the recipe with a token of this hub."""
    assert await async_setup_component(hass, "api", {})
    return recipe("evcc", YOUR_TOKEN=hass_access_token)


@pytest.mark.parametrize(
    ("now", "count"),
    [
        (datetime(2026, 6, 10, 16, 3, tzinfo=UTC), 192),
        (datetime(2026, 10, 24, 16, 3, tzinfo=UTC), 196),
        (datetime(2026, 3, 28, 16, 3, tzinfo=UTC), 188),
    ],
)
async def test_grid(
    hass: HomeAssistant, nomos, linked, hass_client_no_auth, config, count
) -> None:
    """Evcc gets every price of today and tomorrow, even in nights of a clock change."""
    await linked()
    rates = await ask(hass_client_no_auth, config)
    assert len(rates) == count
    subscription = nomos.customers["smart@example.com"].subscriptions[0]
    instant = datetime.now(UTC)
    while instant < rates[-1][1]:
        truth = nomos.price(subscription.id, instant)
        assert at(rates, instant) == pytest.approx(truth.amount / 100)
        instant += QUARTER


async def test_feed_in(
    hass: HomeAssistant, nomos, linked, hass_client_no_auth, config
) -> None:
    """The body of the request chooses a feed-in contract."""
    await linked("solar@example.com")
    feed_in = nomos.customers["solar@example.com"].subscriptions[1]
    body = recipe("evcc-feed-in", **{"4X44EMKX": feed_in.number})["body"]
    rates = await ask(hass_client_no_auth, config, body)
    now = datetime.now(UTC)
    assert at(rates, now) == pytest.approx(nomos.price(feed_in.id, now).amount / 100)


async def test_unknown_prices(
    hass: HomeAssistant, nomos, linked, hass_client_no_auth, config, advance: Advance
) -> None:
    """An unknown price is left out, since evcc would read it as zero."""
    nomos.configure(null_amounts=[44])
    await linked()
    rates = await ask(hass_client_no_auth, config)
    assert len(rates) == 95
    assert 0 not in [value for _, _, value in rates]
