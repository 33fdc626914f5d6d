"""Tests of `GET /subscriptions/{id}/usage`: availability, final values and resolutions."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from simulator.berlin import DAY, at_local, day_intervals, midnight
from tests.simulator.helpers import Nomos

TODAY = date(2026, 6, 10)
YESTERDAY = TODAY - DAY


async def _usage(
    nomos: Nomos, customer: str = "smart", which: Any = 0, **query: Any
) -> Any:
    found = nomos.subscription(customer, which)
    text = "&".join(f"{key}={value}" for key, value in query.items())
    answer = await nomos.get(f"/subscriptions/{found.id}/usage?{text}", customer)
    assert answer.status == 200, answer.text
    return answer.json


async def test_end_is_exclusive_and_days_are_of_berlin(nomos: Nomos) -> None:
    """One day has 96 quarter-hours, with starts in UTC with milliseconds."""
    nomos.sim.configure(usage_gaps=False)
    answer = await _usage(
        nomos, start=TODAY - 2 * DAY, end=YESTERDAY, resolution="15min"
    )
    assert (answer["object"], answer["meter_type"], answer["resolution"]) == (
        "usage",
        "smart",
        "15min",
    )
    starts = [datetime.fromisoformat(entry["start"]) for entry in answer["data"]]
    assert starts == day_intervals(TODAY - 2 * DAY)
    assert answer["data"][0]["start"] == "2026-06-07T22:00:00.000Z"
    assert all(entry["usage"] >= 0 for entry in answer["data"])
    for day, quarters in ((date(2026, 3, 29), 92), (date(2025, 10, 26), 100)):
        assert (
            len(
                (await _usage(nomos, start=day, end=day + DAY, resolution="15min"))[
                    "data"
                ]
            )
            == quarters
        )


async def test_yesterday_comes_at_four(nomos: Nomos) -> None:
    """Usage is available from 16:00 on the following day, or later with a delay."""
    nomos.sim.configure(usage_gaps=False)
    nomos.sim.clock.set(at_local(TODAY, time(15, 59)))
    assert (await _usage(nomos))["data"] == []
    nomos.sim.clock.set(at_local(TODAY, time(16)))
    assert len((await _usage(nomos))["data"]) == 96
    nomos.sim.configure(usage_delay_days=2)
    assert (await _usage(nomos))["data"] == []


async def test_preliminary_values_become_final(nomos: Nomos) -> None:
    """They become final on the 8th working day of the next month, some with changed values."""
    nomos.sim.configure(usage_gaps=False)
    query: dict[str, Any] = {
        "start": "2026-05-01",
        "end": "2026-06-01",
        "resolution": "15min",
    }
    # 10 June 2026 is the 8th working day; the fixture's clock is frozen at that day's morning.
    final = (await _usage(nomos, **query))["data"]
    nomos.sim.clock.set(midnight(TODAY) - timedelta(seconds=1))
    first = (await _usage(nomos, **query))["data"]
    assert {entry["type"] for entry in first} == {"preliminary"}
    assert {entry["type"] for entry in final} == {"final"}
    assert [entry["start"] for entry in first] == [entry["start"] for entry in final]
    changed = sum(
        one["usage"] != other["usage"] for one, other in zip(first, final, strict=True)
    )
    assert 0.02 * len(first) < changed < 0.3 * len(first)


async def test_buckets_add_up(nomos: Nomos) -> None:
    """Hours, days, weeks and months sum the quarter-hours and begin at local midnights."""
    nomos.sim.configure(usage_gaps=False)
    span: dict[str, Any] = {"start": "2026-02-02", "end": "2026-03-02"}
    total = sum(
        entry["usage"]
        for entry in (await _usage(nomos, resolution="15min", **span))["data"]
    )
    for resolution, count in (("hour", 28 * 24), ("day", 28), ("week", 4)):
        data = (await _usage(nomos, resolution=resolution, **span))["data"]
        assert len(data) == count
        assert sum(entry["usage"] for entry in data) == pytest.approx(total, abs=0.5)
    weeks = [
        entry["start"]
        for entry in (await _usage(nomos, resolution="week", **span))["data"]
    ]
    assert weeks[0] == "2026-02-01T23:00:00.000Z"
    months = (
        await _usage(nomos, resolution="month", start="2026-02-10", end="2026-03-10")
    )["data"]
    assert [entry["start"] for entry in months] == [
        "2026-01-31T23:00:00.000Z",
        "2026-02-28T23:00:00.000Z",
    ]
    assert months[0]["usage"] > total * 0.8


@pytest.mark.parametrize(
    ("span", "resolution"),
    [
        (1, "15min"),
        (2, "15min"),
        (3, "hour"),
        (30, "day"),
        (200, "week"),
        (400, "month"),
    ],
)
async def test_auto_resolution_depends_on_the_range(
    nomos: Nomos, span: int, resolution: str
) -> None:
    """The thresholds are ours: Nomos does not publish its own."""
    assert (await _usage(nomos, start=TODAY - span * DAY, end=TODAY))[
        "resolution"
    ] == resolution


async def test_analog_meters_have_months_only(nomos: Nomos) -> None:
    """At any resolution, they have complete months that are preliminary until the quarterly reading."""
    answer = await _usage(
        nomos, "analog", resolution="15min", start="2026-01-01", end="2026-07-01"
    )
    assert (answer["meter_type"], answer["resolution"]) == ("analog", "month")
    assert [entry["start"][:7] for entry in answer["data"]] == [
        "2025-12",
        "2026-01",
        "2026-02",
        "2026-03",
        "2026-04",
    ]
    assert [entry["type"] for entry in answer["data"]] == ["final"] * 3 + [
        "preliminary"
    ] * 2
    assert len((await _usage(nomos, "analog"))["data"]) == 12
    nomos.sim.configure(analog_usage="empty")
    assert (await _usage(nomos, "analog"))["data"] == []


async def test_feed_in_is_positive_and_follows_the_sun(nomos: Nomos) -> None:
    """It is zero at night and highest at noon."""
    nomos.sim.configure(usage_gaps=False)
    day = TODAY - 5 * DAY
    data = (
        await _usage(nomos, "solar", 1, start=day, end=day + DAY, resolution="hour")
    )["data"]
    energies = [entry["usage"] for entry in data]
    assert energies[0] == energies[23] == 0
    assert 9 <= energies.index(max(energies)) <= 17


async def test_households_have_evening_peaks(nomos: Nomos) -> None:
    """They also have a base load at night."""
    nomos.sim.configure(usage_gaps=False)
    data = (
        await _usage(nomos, start="2026-03-02", end="2026-03-30", resolution="hour")
    )["data"]
    by_hour = [
        sum(entry["usage"] for entry in data[hour : 27 * 24 : 24]) for hour in range(24)
    ]
    assert max(by_hour) == max(by_hour[18:21])
    assert 0 < min(by_hour) < max(by_hour) / 3


async def test_gaps(nomos: Nomos) -> None:
    """Real meters lose some data, and tests can remove more."""
    span: dict[str, Any] = {
        "start": "2024-10-01",
        "end": "2026-06-01",
        "resolution": "15min",
    }
    some = len((await _usage(nomos, **span))["data"])
    nomos.sim.configure(usage_gaps=False)
    everything = len((await _usage(nomos, **span))["data"])
    assert 0.99 * everything < some < everything
    nomos.sim.configure(usage_missing=[0, 1, 2])
    day = TODAY - 5 * DAY
    assert (
        len((await _usage(nomos, start=day, end=day + DAY, resolution="15min"))["data"])
        == 93
    )


async def test_odd_requests(nomos: Nomos) -> None:
    """Empty and endless ranges, wrong resolutions and unknown types of values are handled."""
    for customer in ("smart", "analog", "pending"):
        ages = await _usage(nomos, customer, start="0001-01-01", end="9999-12-31")
        assert ages["resolution"] == "month"
        assert len(ages["data"]) == {"smart": 21, "analog": 20, "pending": 0}[customer]
    assert (await _usage(nomos, start=TODAY, end=TODAY))["data"] == []
    path = f"/subscriptions/{nomos.subscription('smart').id}/usage"
    nomos.sim.configure(
        usage_empty_range="error", usage_unknown_type=True, usage_gaps=False
    )
    assert (await nomos.get(f"{path}?start={TODAY}&end={TODAY}")).status == 400
    assert (await nomos.get(f"{path}?start={TODAY}&end={YESTERDAY}")).status == 400
    assert (await nomos.get(f"{path}?resolution=decade")).status == 400
    assert (await nomos.get(f"{path}?start=yesterday")).status == 400
    data = (await _usage(nomos, start=TODAY - 3 * DAY, end=TODAY, resolution="day"))[
        "data"
    ]
    assert {entry["type"] for entry in data} == {"substitute"}
