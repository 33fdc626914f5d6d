"""Tests of the action that plans a load."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from custom_components.nomos.planner import PlanRequest, plan
from custom_components.nomos.pricing import TARIFF_ZONE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.json import json_bytes
from tests.integration.automation.helpers import make_plan
from tests.integration.helpers import Advance

pytestmark = pytest.mark.usefixtures("german_hub")

SMART = "smart@example.com"
QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)


def table_of(entry):
    """Return the prices of the account's first contract."""
    return next(iter(entry.runtime_data.prices.values())).data


def local(text):
    """Return an instant by its German local time."""
    return datetime.fromisoformat(text).replace(tzinfo=TARIFF_ZONE)


async def test_answer(hass: HomeAssistant, linked, advance: Advance) -> None:
    """The response is the planner's plan, with local times and rounded amounts."""
    entry = await linked()
    await advance(timedelta(hours=8))
    answer = await make_plan(
        hass,
        duration={"hours": 2, "minutes": 15},
        power=2,
        earliest="20:00:00",
        latest="07:00",
        slices=True,
    )
    opens, closes = local("2026-06-10T20:00"), local("2026-06-11T07:00")
    truth = plan(
        table_of(entry),
        PlanRequest(opens, closes, timedelta(hours=2, minutes=15), power_kw=2),
        datetime.now(UTC),
    )
    assert answer["status"] == "complete"
    assert answer["provisional"] is False
    assert answer["unknown"] == []
    assert answer["window"] == {
        "start": "2026-06-10T20:00:00+02:00",
        "end": "2026-06-11T07:00:00+02:00",
    }
    assert [
        (datetime.fromisoformat(run["start"]), datetime.fromisoformat(run["end"]))
        for run in answer["runs"]
    ] == [(run.start, run.end) for run in truth.runs]
    assert answer["start"] == answer["runs"][0]["start"]
    assert answer["start"].endswith("+02:00")
    assert answer["end"] == answer["runs"][-1]["end"]
    assert answer["asked_seconds"] == answer["planned_seconds"] == 8100
    assert answer["energy"] == 4.5
    assert answer["cost"] == pytest.approx(truth.cost, abs=1e-6)
    assert answer["average_price"] == pytest.approx(truth.cost / 4.5, abs=1e-6)
    assert sum(answer["component_cost"].values()) == pytest.approx(
        answer["cost"], abs=1e-4
    )
    assert answer["saving_vs_now"] == pytest.approx(
        answer["cost_if_now"] - answer["cost"], abs=2e-6
    )
    assert answer["saving_vs_average"] > 0
    assert sum(one["cost"] for one in answer["slices"]) == pytest.approx(
        answer["cost"], abs=1e-5
    )
    assert sum(one["energy"] for one in answer["slices"]) == pytest.approx(4.5)
    assert {one["power"] for one in answer["slices"]} == {2}
    assert all(one["grid"] for one in answer["slices"])


async def test_energy(hass: HomeAssistant, linked) -> None:
    """The duration is energy divided by power."""
    await linked()
    answer = await make_plan(hass, energy=3, power=2)
    assert answer["asked_seconds"] == 5400
    assert answer["energy"] == 3
    assert "slices" not in answer


async def test_profile(hass: HomeAssistant, linked) -> None:
    """The power may change during a run."""
    await linked()
    answer = await make_plan(
        hass,
        profile=[
            {"duration": "00:20:00", "power": 2.4},
            {"duration": {"minutes": 70}, "power": 0.3},
        ],
        latest="2026-06-10 22:00",
        slices=True,
    )
    assert answer["asked_seconds"] == 5400
    assert answer["energy"] == pytest.approx(0.8 + 0.35)
    assert [one["power"] for one in answer["slices"]][0] == 2.4
    assert [one["power"] for one in answer["slices"]][-1] == 0.3
    assert len(answer["runs"]) == 1


async def test_split(hass: HomeAssistant, linked) -> None:
    """An interruptible load keeps its minimum run and pause, and costs no more than a contiguous one."""
    await linked()
    load = {"duration": "03:00:00", "latest": "23:30:00"}
    one_go = await make_plan(hass, **load)
    split = await make_plan(
        hass,
        **load,
        contiguous=False,
        min_run="00:30:00",
        min_pause={"minutes": 20},
        max_runs=3,
    )
    assert split["cost"] <= one_go["cost"]
    assert 1 < len(split["runs"]) <= 3
    times = [
        (datetime.fromisoformat(run["start"]), datetime.fromisoformat(run["end"]))
        for run in split["runs"]
    ]
    assert all(end - start >= 2 * QUARTER for start, end in times)
    assert all(two[0] - one[1] >= timedelta(minutes=20) for one, two in pairwise(times))


async def test_price_cap(hass: HomeAssistant, linked) -> None:
    """With a price cap, less than requested or nothing is planned, and the response says so."""
    entry = await linked()
    prices = sorted(
        one.price
        for one in table_of(entry).intervals
        if one.end > datetime.now(UTC) and one.price is not None
    )
    load = {"duration": "02:00:00", "contiguous": False}
    answer = await make_plan(hass, **load, price_cap=prices[2])
    assert answer["status"] == "short"
    assert answer["planned_seconds"] < answer["asked_seconds"] == 7200
    answer = await make_plan(hass, **load, price_cap=-5)
    assert answer["status"] == "infeasible"
    assert answer["start"] is answer["end"] is answer["average_price"] is None
    assert answer["runs"] == []
    assert answer["cost"] == 0
    assert answer["component_cost"] == {
        "electricity": None,
        "grid": None,
        "levies": None,
    }


async def test_feed_in(hass: HomeAssistant, nomos, linked) -> None:
    """For feed-in, the plan uses the highest payout and shows the gain, unless the lowest is requested."""
    entry = await linked("solar@example.com")
    _, contract = nomos.customers["solar@example.com"].subscriptions
    coordinator = entry.runtime_data.prices[contract.id]
    now = datetime.now(UTC)
    quarters = sorted(
        one.price
        for one in coordinator.data.intervals
        if one.start >= now and one.price is not None
    )
    load = {"subscription": contract.number, "contiguous": False, "latest": "00:00"}
    sold = await make_plan(hass, **load, duration="01:00", power=4)
    assert sold["goal"] == "highest"
    assert sold["status"] == "complete"
    assert sold["cost"] == pytest.approx(sum(quarters[-4:]))
    assert sold["saving_vs_now"] == pytest.approx(sold["cost"] - sold["cost_if_now"])
    assert sold["saving_vs_average"] > 0
    answer = await make_plan(hass, **load, duration="01:00", power=4, goal="lowest")
    assert answer["goal"] == "lowest"
    assert answer["cost"] == pytest.approx(sum(quarters[:4]))
    assert answer["saving_vs_average"] > 0
    answer = await make_plan(hass, **load, duration="01:00", price_floor=quarters[-2])
    assert answer["status"] == "short"
    assert answer["planned_seconds"] == 1800
    answer = await make_plan(hass, duration="01:00", latest="00:00")
    assert answer["goal"] == "lowest"


async def test_prefer(hass: HomeAssistant, nomos, linked) -> None:
    """Among equally good plans, the earliest or the latest is chosen."""
    subscription = nomos.customers[SMART].subscriptions[0]
    for hour in (12, 20):
        nomos.correct_price(
            subscription.id, datetime(2026, 6, 10, hour, tzinfo=UTC), -90.0
        )
    await linked()
    early = await make_plan(hass, duration="00:15:00")
    late = await make_plan(hass, duration="00:15:00", prefer="late")
    assert early["start"] == "2026-06-10T14:00:00+02:00"
    assert late["start"] == "2026-06-10T22:00:00+02:00"
    assert early["cost"] == late["cost"] == -0.225


@pytest.mark.parametrize(
    ("earliest", "latest", "opens", "closes"),
    [
        # It is 10:03:07 in Germany.
        (None, None, "10T10:03:07", "11T10:03:07"),
        (None, "07:00", "10T10:03:07", "11T07:00"),
        (None, "10:04", "10T10:03:07", "10T10:04"),
        ("20:00", None, "10T20:00", "11T20:00"),
        ("09:00", None, "11T09:00", "12T09:00"),
        ("20:00", "07:00", "10T20:00", "11T07:00"),
        ("09:00", "17:00", "10T10:03:07", "10T17:00"),
        ("2026-06-10 20:00:00", "07:00", "10T20:00", "11T07:00"),
        ("2026-06-10T18:00:00Z", None, "10T20:00", "11T20:00"),
        ("2026-06-09 20:00", "07:00", "10T10:03:07", "11T07:00"),
        ("20:00", "2026-06-11 07:00:00", "10T20:00", "11T07:00"),
        (None, "2026-06-11T05:00:00+00:00", "10T10:03:07", "11T07:00"),
        ("2026-06-10 12:00", "2026-06-10 13:00", "10T12:00", "10T13:00"),
        # An automation with a time trigger makes its call a moment later.
        ("10:03", None, "10T10:03:07", "11T10:03"),
        ("10:03", "2026-06-11 07:00", "10T10:03:07", "11T07:00"),
        ("10:02", None, "11T10:02", "12T10:02"),
    ],
)
async def test_windows(
    hass: HomeAssistant, linked, earliest, latest, opens, closes
) -> None:
    """Times of day can span midnight; dates with a time are used as they are."""
    await linked()
    bounds = {"earliest": earliest, "latest": latest}
    answer = await make_plan(
        hass, duration="00:30:00", **{k: v for k, v in bounds.items() if v}
    )
    found = [
        datetime.fromisoformat(answer["window"][key]).replace(tzinfo=None)
        for key in ("start", "end")
    ]
    assert found == [
        datetime.fromisoformat(f"2026-06-{text}") for text in (opens, closes)
    ]


async def test_objects_from_templates(hass: HomeAssistant, linked) -> None:
    """Times and dates with a time may be objects or text."""
    await linked()
    answer = await make_plan(
        hass,
        duration=timedelta(minutes=30),
        earliest=datetime(2026, 6, 10, 12, tzinfo=UTC),
        latest=datetime(2026, 6, 10, 20, 0).time(),
    )
    assert answer["window"] == {
        "start": "2026-06-10T14:00:00+02:00",
        "end": "2026-06-10T20:00:00+02:00",
    }


async def test_hub_elsewhere(hass: HomeAssistant, linked) -> None:
    """Times of day are in the hub's time zone, as are those in the response."""
    await hass.config.async_set_time_zone("Atlantic/Canary")
    await linked()
    answer = await make_plan(hass, duration="01:00:00", latest="20:00")
    assert answer["window"]["end"] == "2026-06-10T20:00:00+01:00"


async def test_before_tomorrow_is_known(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """A plan with incomplete prices says that it is provisional, and which prices are unknown."""
    await linked()
    load = {"duration": "01:00:00", "earliest": "20:00", "latest": "07:00"}
    answer = await make_plan(hass, **load)
    assert answer["status"] == "complete"
    assert answer["provisional"] is True
    assert answer["unknown"] == [
        {"start": "2026-06-11T00:00:00+02:00", "end": "2026-06-11T07:00:00+02:00"}
    ]
    await advance(timedelta(hours=8))
    answer = await make_plan(hass, **load)
    assert answer["provisional"] is False


@pytest.mark.parametrize("now", [datetime(2026, 10, 24, 18, 3, tzinfo=UTC)])
async def test_night_with_a_change_of_clocks(hass: HomeAssistant, linked) -> None:
    """The night to 25 October has 12 hours between 20:00 and 07:00."""
    await linked()
    answer = await make_plan(
        hass, duration="12:00:00", earliest="20:00", latest="07:00", slices=True
    )
    assert answer["status"] == "short"
    assert answer["planned_seconds"] == 12 * 3600 - 180
    assert answer["start"] == "2026-10-24T20:03:00+02:00"
    assert answer["end"] == "2026-10-25T07:00:00+01:00"
    starts = [one["start"] for one in answer["slices"]]
    assert "2026-10-25T02:30:00+02:00" in starts
    assert "2026-10-25T02:30:00+01:00" in starts


async def test_hourly_and_feed_in(hass: HomeAssistant, nomos, linked) -> None:
    """Plans work with every contract; with hourly prices, a run may begin within an hour."""
    await linked("solar@example.com")
    feed_in = nomos.customers["solar@example.com"].subscriptions[1]
    answer = await make_plan(
        hass, duration="01:00:00", latest="23:00", subscription=feed_in.id
    )
    assert answer["status"] == "complete"
    assert answer["component_cost"]["grid"] is None
    await linked("analog@example.com")
    hourly = nomos.customers["analog@example.com"].subscriptions[0]
    answer = await make_plan(
        hass, duration="01:30:00", latest="23:00", subscription=hourly.id
    )
    assert answer["planned_seconds"] == 5400


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({}, "load_missing"),
        ({"power": 2}, "load_missing"),
        ({"profile": []}, "load_missing"),
        ({"energy": 2}, "energy_without_power"),
        ({"duration": "01:00:00", "energy": 2}, "duration_and_energy"),
        ({"duration": "01:00:00", "energy": 2, "power": 1}, "duration_and_energy"),
        (
            {"duration": 60, "profile": [{"duration": 60, "power": 1}]},
            "profile_alone",
        ),
        ({"energy": 1000, "power": 0.1}, "load_too_long"),
        ({"profile": [{"duration": {"days": 4}, "power": 1}] * 2}, "load_too_long"),
        (
            {"profile": [{"duration": 60, "power": 1}], "contiguous": False},
            "profile_in_one_go",
        ),
        ({"duration": 60, "min_run": 61, "contiguous": False}, "min_run_too_long"),
        ({"duration": 60, "earliest": "25:00"}, "invalid_time"),
        ({"duration": 60, "earliest": "99999999999:00"}, "invalid_time"),
        ({"duration": 60, "latest": "tonight"}, "invalid_time"),
        ({"duration": 60, "latest": "1026-06-10 10:00"}, "invalid_time"),
        ({"duration": 60, "latest": "2026-06-10 10:00"}, "window_over"),
        (
            {
                "duration": 60,
                "earliest": "2026-06-11 10:00",
                "latest": "2026-06-11 09:00",
            },
            "end_before_start",
        ),
        (
            {"duration": 60, "earliest": "20:00", "latest": "2026-06-10 19:00"},
            "end_before_start",
        ),
        ({"duration": 60, "subscription": "nobody"}, "unknown_subscription"),
        ({"duration": 60, "subscription": "\ud83d" * 999}, "unknown_subscription"),
        ({"duration": 60, "earliest": "20:00\ud83d"}, "invalid_time"),
        ({"duration": 60, "latest": "2026-06-11 20:00:00\x00"}, "invalid_time"),
        ({"duration": 60, "latest": "1" * 10_000_000}, "invalid_time"),
        ({"profile": [{"duration": 60, "power": 1}] * 97}, "too_many_rows"),
        ({"profile": [{"duration": 60, "power": 1}] * 40_000}, "too_many_rows"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
async def test_bad_input(hass: HomeAssistant, linked, data, key) -> None:
    """Bad input leads to a clear error."""
    await linked()
    with pytest.raises(ServiceValidationError) as wrong:
        await make_plan(hass, **data)
    assert wrong.value.translation_key == key
    # Home Assistant can send the error to the frontend.
    assert len(json_bytes(wrong.value.translation_placeholders)) < 1000


@pytest.mark.parametrize(
    "data",
    [
        {"duration": "soon"},
        {"duration": "nan"},
        {"duration": "9" * 5000 + ":00"},
        {"duration": 60, "goal": "best"},
        {"duration": 60, "prefer": "cheap"},
        {"profile": [{"duration": 60}]},
    ],
)
async def test_impossible_values(hass: HomeAssistant, linked, data) -> None:
    """Values that a field cannot hold are refused."""
    await linked()
    with pytest.raises(ServiceValidationError):
        await make_plan(hass, **data)


async def test_no_prices(hass: HomeAssistant, nomos, linked) -> None:
    """Without prices, there is no plan."""
    await linked("pending@example.com")
    answer = await make_plan(hass, duration=3600, latest="20:00")
    assert answer["status"] == "infeasible"
    assert answer["unknown"] == [answer["window"]]
