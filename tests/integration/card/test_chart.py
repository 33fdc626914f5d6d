"""Tests of the card's data, compared with the price table, the levels and all possible windows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from custom_components.nomos.pricing import local_date
from homeassistant.auth.models import TOKEN_TYPE_LONG_LIVED_ACCESS_TOKEN
from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from tests.integration.battery import helpers as battery_helpers
from tests.integration.helpers import EMAIL, Advance, entity_id, state_of
from tests.integration.loads.helpers import CAR, DISHWASHER, add, shown

QUARTER = timedelta(minutes=15)


@pytest.fixture
async def ask(hass: HomeAssistant, nomos, hass_admin_user, hass_ws_client):
    """Return a function that sends a card's request, over a new connection each time, since the clock moves far."""
    token = await hass.auth.async_create_refresh_token(
        hass_admin_user,
        client_name="card",
        token_type=TOKEN_TYPE_LONG_LIVED_ACCESS_TOKEN,
        access_token_expiration=timedelta(days=10),
    )

    async def asked(entity: str, client: Any = None, **more: Any) -> Any:
        client = client or await hass_ws_client(
            hass, hass.auth.async_create_access_token(token)
        )
        await client.send_json_auto_id(
            {"type": "nomos/chart", "entity_id": entity, **more}
        )
        return await client.receive_json()

    return asked


def seconds(moment: datetime) -> float:
    """Return an instant in the format of the response."""
    return moment.timestamp()


async def test_both_days(
    hass: HomeAssistant, nomos, linked, ask, advance: Advance
) -> None:
    """The response has every interval with level and components, tomorrow included once it is published."""
    entry = await linked()
    subscription = nomos.customers[EMAIL].subscriptions[0]
    sensor = entity_id(hass, subscription.id, "price")
    chart = (await ask(sensor))["result"]
    assert chart["kind"] == "consumption"
    assert chart["time_zone"] == "Europe/Berlin"
    assert [day["date"] for day in chart["days"]] == ["2026-06-10", "2026-06-11"]
    assert [day["complete"] for day in chart["days"]] == [True, False]
    assert chart["days"][1]["average"] is None
    assert chart["days"][0]["end"] == chart["days"][1]["start"]
    assert len(chart["intervals"]) == 96

    await advance(timedelta(hours=6))
    coordinator = entry.runtime_data.prices[subscription.id]
    chart = (await ask(sensor))["result"]
    assert [day["complete"] for day in chart["days"]] == [True, True]
    assert len(chart["intervals"]) == 192
    today = local_date(datetime.now(UTC))
    average = float(state_of(hass, subscription.id, "average_price_today").state)
    assert chart["days"][0]["average"] == pytest.approx(average, abs=1e-6)
    table = coordinator.data
    known = [*table.day(today).intervals, *table.day(today + timedelta(1)).intervals]
    for row, interval in zip(chart["intervals"], known, strict=True):
        start, end, price, level, *parts = row
        assert (start, end) == (seconds(interval.start), seconds(interval.end))
        assert price == pytest.approx(interval.price, abs=1e-6)
        rating = coordinator.levels.at(interval.start)
        assert level == rating.level
        assert sum(parts) == pytest.approx(price, abs=1e-5)
    assert {row[3] for row in chart["intervals"]} == {1, 2, 3, 4, 5}
    assert chart["watch"] == [sensor]
    assert chart["loads"] == []


async def test_yesterday_on_request(
    hass: HomeAssistant, nomos, linked, ask, advance: Advance
) -> None:
    """Yesterday is included only on request, as far as it is stored; the response says whether it is."""
    entry = await linked()
    subscription = nomos.customers[EMAIL].subscriptions[0]
    sensor = entity_id(hass, subscription.id, "price")
    chart = (await ask(sensor, yesterday=True))["result"]
    assert not chart["yesterday"]
    assert [day["date"][-2:] for day in chart["days"]] == ["09", "10", "11"]
    assert len(chart["intervals"]) == 96
    await advance(timedelta(days=1))
    chart = (await ask(sensor))["result"]
    assert chart["yesterday"]
    assert [day["date"][-2:] for day in chart["days"]] == ["11", "12"]
    chart = (await ask(sensor, yesterday=True))["result"]
    assert [day["date"][-2:] for day in chart["days"]] == ["10", "11", "12"]
    assert chart["days"][0]["complete"]
    table = entry.runtime_data.prices[subscription.id].data
    stored = table.day(local_date(datetime.now(UTC)) - timedelta(1)).intervals
    assert [row[0] for row in chart["intervals"][:96]] == [
        seconds(one.start) for one in stored
    ]
    assert {row[3] for row in chart["intervals"][:96]} == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("minutes", [15, 120, 330])
@pytest.mark.parametrize(("email", "key"), [(EMAIL, "price"), ("solar@x", "payout")])
async def test_the_best_window_is_the_best(
    hass: HomeAssistant, nomos, linked, ask, advance, minutes, email, key
) -> None:
    """No other future window costs less or, for feed-in, pays more."""
    email = email if key == "price" else "solar@example.com"
    await linked(email)
    await advance(timedelta(hours=6))
    kind = "consumption" if key == "price" else "feed_in"
    subscription = next(
        one for one in nomos.customers[email].subscriptions if one.type == kind
    )
    sensor = entity_id(hass, subscription.id, key)
    chart = (await ask(sensor, window_minutes=minutes))["result"]
    assert chart["kind"] == kind
    now = seconds(datetime.now(UTC))
    ahead = [row for row in chart["intervals"] if row[1] > now]
    count = minutes // 15
    averages = [
        sum(row[2] for row in ahead[first : first + count]) / count
        for first in range(len(ahead) - count + 1)
    ]
    best = min(averages) if key == "price" else max(averages)
    worst = max(averages) if key == "price" else min(averages)
    [window] = chart["windows"]
    assert window["end"] - window["start"] == minutes * 60
    assert window["start"] >= ahead[0][0]
    assert window["average"] == pytest.approx(best, abs=2e-6)
    assert best != pytest.approx(worst)


async def test_no_window_where_too_little_is_known(
    hass: HomeAssistant, nomos, linked, ask
) -> None:
    """There is no window that is longer than the remaining known prices."""
    await linked()
    sensor = entity_id(hass, nomos.customers[EMAIL].subscriptions[0].id, "price")
    assert (await ask(sensor, window_minutes=13 * 60))["result"]["windows"]
    assert (await ask(sensor, window_minutes=15 * 60))["result"]["windows"] == []


async def test_supply(hass: HomeAssistant, nomos, linked, ask) -> None:
    """The response says whether supply has begun or ended, and when."""
    entry = await linked("pending@example.com")
    subscription = nomos.customers["pending@example.com"].subscriptions[0]
    sensor = entity_id(hass, subscription.id, "price")
    begin = seconds(subscription.start_at)
    chart = (await ask(sensor))["result"]
    assert chart["supply"] == {"status": "pending", "at": begin}
    assert chart["intervals"] == []
    account = entry.runtime_data.account
    nomos.set_subscription(subscription.id, status="active")
    await account.async_refresh()
    assert (await ask(sensor))["result"]["supply"] == {"status": "active", "at": None}
    end = datetime(2026, 6, 9, 22, tzinfo=UTC)
    nomos.set_subscription(subscription.id, status="ended", end_at=end)
    await account.async_refresh()
    chart = (await ask(sensor))["result"]
    assert chart["supply"] == {"status": "ended", "at": seconds(end)}


async def test_no_window_when_prices_have_run_out(
    hass: HomeAssistant, nomos, linked, ask, advance: Advance
) -> None:
    """In a long outage, the response has the day's known prices, later none, but never an error."""
    await linked()
    sensor = entity_id(hass, nomos.customers[EMAIL].subscriptions[0].id, "price")
    nomos.faults.add(kind="reset")
    midnight = datetime(2026, 6, 10, 22, tzinfo=UTC)
    for now, windows, known in (
        (midnight - QUARTER, True, 96),
        (midnight, False, 0),
        (midnight + timedelta(hours=3), False, 0),
    ):
        await advance(now - datetime.now(UTC))
        chart = (await ask(sensor, window_minutes=15))["result"]
        assert bool(chart["windows"]) == windows
        assert len(chart["intervals"]) == known


@pytest.mark.parametrize(
    ("now", "count"),
    [
        (datetime(2026, 3, 29, 8, 3, 7, tzinfo=UTC), 92),
        (datetime(2026, 10, 25, 8, 3, 7, tzinfo=UTC), 100),
    ],
)
async def test_days_of_23_and_25_hours(
    hass: HomeAssistant, nomos, linked, ask, count
) -> None:
    """Days begin and end at the tariff's midnight, even on days of a clock change."""
    await linked()
    sensor = entity_id(hass, nomos.customers[EMAIL].subscriptions[0].id, "price")
    chart = (await ask(sensor))["result"]
    assert len(chart["intervals"]) == count
    today = chart["days"][0]
    assert today["end"] - today["start"] == count * 900


async def test_loads_and_watched_entities(
    hass: HomeAssistant, nomos, german_hub, linked, ask, advance: Advance
) -> None:
    """The response has each load with its runs, and the entities that the card has to watch."""
    entry = await linked()
    sensor = entity_id(hass, nomos.customers[EMAIL].subscriptions[0].id, "price")
    dishwasher = await add(hass, entry, DISHWASHER)
    car = await add(hass, entry, CAR)
    await advance(timedelta(hours=6))
    chart = (await ask(sensor))["result"]
    assert [load["name"] for load in chart["loads"]] == ["Dishwasher", "Car"]
    for load, key in zip(chart["loads"], (dishwasher, car), strict=True):
        state = shown(hass, key, "run_now", "binary_sensor")
        assert load["running"] == (state.state == "on")
        assert load["runs"] == [
            [seconds(datetime.fromisoformat(run[edge])) for edge in ("start", "end")]
            for run in state.attributes["runs"]
        ]
        assert load["runs"]
        assert state.entity_id in chart["watch"]
        assert shown(hass, key, "next_start").entity_id in chart["watch"]
    assert chart["watch"][0] == sensor
    assert len(chart["watch"]) == 5

    begin = datetime.fromtimestamp(chart["loads"][0]["runs"][0][0], UTC)
    while datetime.now(UTC) < begin + timedelta(minutes=5):
        await advance(QUARTER)
    assert (await ask(sensor))["result"]["loads"][0]["running"] is True

    # A load without entities is still drawn, but has nothing to watch.
    er.async_get(hass).async_remove(
        shown(hass, dishwasher, "run_now", "binary_sensor").entity_id
    )
    assert len((await ask(sensor))["result"]["watch"]) == 4


async def test_batteries(hass: HomeAssistant, nomos, german_hub, linked, ask) -> None:
    """The response has a battery's schedule from now on, and the card watches its mode."""
    entry = await linked()
    sensor = entity_id(hass, nomos.customers[EMAIL].subscriptions[0].id, "price")
    before = (await ask(sensor))["result"]
    assert before["batteries"] == []
    assert before["expected"] is None
    battery_helpers.report(hass, 30)
    battery = await battery_helpers.add(hass, entry)
    chart = (await ask(sensor))["result"]
    [one] = chart["batteries"]
    assert one["name"] == "Battery"
    mode = battery_helpers.state_of(hass, battery)
    schedule = [[row["mode"], row["level"]] for row in mode.attributes["schedule"]]
    assert [row[2:] for row in one["rows"]] == schedule
    # Forecasts end exactly where the plan ends.
    expected = chart["expected"]
    assert expected["start"] == one["rows"][0][0] // 900 * 900
    assert len(expected["need"]) == len(expected["sun"]) == len(schedule)
    assert min(expected["need"]) > 0
    assert set(expected["sun"]) == {0}
    assert chart["watch"] == [sensor, mode.entity_id]


async def test_feed_in_has_no_loads(
    hass: HomeAssistant, nomos, german_hub, linked, ask
) -> None:
    """A load belongs to the contract with which it is planned."""
    entry = await linked("solar@example.com")
    await add(hass, entry, DISHWASHER)
    contracts = {
        one.type: one for one in nomos.customers["solar@example.com"].subscriptions
    }
    payout = entity_id(hass, contracts["feed_in"].id, "payout")
    chart = (await ask(payout))["result"]
    assert chart["loads"] == []
    assert chart["watch"] == [payout]
    price = entity_id(hass, contracts["consumption"].id, "price")
    assert len((await ask(price))["result"]["loads"]) == 1


async def test_nothing_personal(hass: HomeAssistant, nomos, linked, ask) -> None:
    """The response contains prices, but no personal data."""
    await linked()
    subscription = nomos.customers[EMAIL].subscriptions[0]
    chart = (await ask(entity_id(hass, subscription.id, "price")))["result"]
    assert set(chart) == {
        "kind",
        "supply",
        "time_zone",
        "days",
        "yesterday",
        "intervals",
        "exact",
        "period",
        "windows",
        "batteries",
        "expected",
        "loads",
        "watch",
    }
    assert subscription.id not in str(chart)
    assert subscription.number not in str(chart)


async def test_permissions(
    hass: HomeAssistant,
    nomos,
    german_hub,
    linked,
    ask,
    hass_ws_client,
    hass_read_only_access_token,
    hass_read_only_user,
) -> None:
    """Prices require permission for the sensor; loads, for their own entities."""
    entry = await linked()
    sensor = entity_id(hass, nomos.customers[EMAIL].subscriptions[0].id, "price")
    load = await add(hass, entry, DISHWASHER)
    # Without its group, which may read everything, this user may read the price sensor only.
    hass_read_only_user.groups = []
    hass_read_only_user.mock_policy(
        {"entities": {"entity_ids": {sensor: {POLICY_READ: True}}}}
    )
    client = await hass_ws_client(hass, hass_read_only_access_token)
    chart = (await ask(sensor, client))["result"]
    assert len(chart["intervals"]) == 96
    assert chart["loads"] == []
    assert chart["watch"] == [sensor]
    hass_read_only_user.mock_policy({})
    reply = await ask(sensor, client)
    assert reply["error"]["code"] == "unauthorized"
    assert shown(hass, load, "run_now", "binary_sensor")


async def test_errors(hass: HomeAssistant, nomos, linked, ask) -> None:
    """A wrong entity, an account that is not loaded and an invalid window have distinct errors."""
    entry = await linked()
    subscription = nomos.customers[EMAIL].subscriptions[0]
    for other in (entity_id(hass, subscription.id, "price_level"), "sensor.nowhere"):
        error = (await ask(other))["error"]
        assert error["code"] == "not_found"
        assert error["translation_key"] == "chart_not_a_price"
        assert error["translation_placeholders"] == {"entity_id": other}
    sensor = entity_id(hass, subscription.id, "price")
    for minutes in (0, 14, 1441, "two"):
        reply = await ask(sensor, window_minutes=minutes)
        assert reply["error"]["code"] == "invalid_format"
    assert await hass.config_entries.async_unload(entry.entry_id)
    error = (await ask(sensor))["error"]
    assert error["code"] == "not_loaded"
    assert error["translation_key"] == "chart_not_loaded"
    assert error["translation_domain"] == "nomos"
