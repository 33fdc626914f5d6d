"""Tests of the fleet simulation and of the claims based on it: counts, not times."""

from datetime import date, time
from pathlib import Path
import random
from xml.parsers import expat

import pytest

from benchmarks.fleet.api import (
    DAY,
    Answer,
    Api,
    Closure,
    RequestKind,
    Scenario,
    at_time,
    clock,
)
from benchmarks.fleet.hub import POLLERS, Hub
from benchmarks.fleet.jobs import BY_NAME, SMALL
from benchmarks.fleet.page import day_row, with_tables
from benchmarks.fleet.picture import draw
from benchmarks.fleet.scenarios import PUBLICATIONS, SCENARIOS, TROUBLE
from benchmarks.fleet.simulation import simulate
from benchmarks.fleet.variants import RETURNS, Variant, applied
from custom_components.nomos.schedule import first_fetch

DOCS = Path(__file__).resolve().parent.parent / "docs"
HUBS = 2000
NORMAL = PUBLICATIONS[0]
BY_1520 = PUBLICATIONS[:4]


def ids(scenario):
    """Return a scenario's name as the id of a test."""
    return scenario.name


def busiest_minute(result, begin=0):
    """Return the highest mean rate within a minute, since single seconds of a small fleet depend on chance."""
    return max(result.all.per_second(60)[begin // 60 :])


def test_times_of_day():
    """The day lasts from noon to noon."""
    assert at_time(12) == 0
    assert at_time(13, 30) == 5400
    assert clock(at_time(11, 59)) == "11:59:00"
    assert at_time(11, 59) == DAY - 60


def test_the_real_schedule_is_simulated():
    """The fleet follows the parameters of the schedule."""
    phases = [number / 50 for number in range(50)]
    times = [first_fetch(date(2026, 6, 10), phase) for phase in phases]
    begin = min(times).timestamp()

    def asked():
        counts = (
            simulate(NORMAL, 50, phases=phases).kinds[RequestKind.SUBSCRIPTIONS].counts
        )
        return [second for second, count in enumerate(counts) for _ in range(count)]

    for second, scheduled in zip(asked(), times, strict=True):
        due = scheduled.timestamp() - begin + at_time(13, 30) + 1
        assert due <= second <= due + 2
    later = Variant(title="", values={"FIRST_FETCH": time(15)})
    before = asked()
    with applied(later):
        assert [second - 5400 for second in asked()] == before
    assert asked() == before


@pytest.mark.parametrize(
    ("scenario", "requests", "prices"),
    [*zip(BY_1520, ({6}, {6, 7}, {7}, {8}), ({2}, {2, 3}, {3}, {4}), strict=True)],
    ids=[scenario.name for scenario in BY_1520],
)
def test_requests_of_a_day(scenario, requests, prices):
    """A hub sends at most eight requests, even on late days and with usage, for any phase and any random numbers."""
    result = simulate(scenario, HUBS)
    assert set(result.per_hub) == requests
    kinds = result.kinds
    assert (
        kinds[RequestKind.SUBSCRIPTIONS].total == kinds[RequestKind.USAGE].total == HUBS
    )
    assert kinds[RequestKind.TOKEN].total == 2 * HUBS
    assert min(prices) * HUBS <= kinds[RequestKind.PRICES].total <= max(prices) * HUBS
    assert result.all.total == sum(
        count * hubs for count, hubs in result.per_hub.items()
    )


@pytest.mark.parametrize("scenario", SCENARIOS, ids=ids)
def test_nobody_is_lost(scenario):
    """Every hub gets tomorrow's prices soon after they are published and the API works."""
    # Scaled to a few thousand hubs, the limit would refuse every request.
    result = simulate(scenario, 20 * HUBS, sample=HUBS)
    assert sum(result.per_hub.values()) == HUBS
    known = result.known_by(1)
    if scenario.published is None:
        assert known is None
        # A whole night and a morning without prices: about two requests and half a token each hour.
        assert result.most < 60
        return
    assert sum(result.learned) == HUBS
    trouble = max(
        (closure.end for closure in scenario.closures), default=scenario.published
    )
    if scenario.power is not None:
        trouble = max(trouble, scenario.power[1])
    # With the request for corrections at the latest, if the fault is over by then.
    assert trouble <= known <= max(trouble + 130 * 60, at_time(16, 42))


@pytest.mark.parametrize("name", ["down", "cut", "limit", "until-1500"])
def test_no_synchronised_return(name):
    """After an outage or a wait, the fleet's requests are hardly denser than on a normal day."""
    scenario = BY_NAME[name]
    end = max((closure.end for closure in scenario.closures), default=0)
    usual = busiest_minute(simulate(NORMAL, HUBS))
    assert busiest_minute(simulate(scenario, HUBS), end) <= 1.5 * usual


def test_a_wait_for_all_is_kept_and_spread():
    """Each hub is asked to wait once; if all returned within a minute, it would be a flood."""
    scenario = BY_NAME["until-1500"]
    now, before = (
        _simulated(scenario, variant) for variant in (RETURNS[0], RETURNS[1])
    )
    for result in (now, before):
        assert result.refused.total == HUBS
        assert sum(result.all.counts[: at_time(15)]) == HUBS
    assert busiest_minute(before) > 10 * busiest_minute(now)


def _simulated(scenario, variant):
    with applied(variant):
        return simulate(scenario, HUBS)


def test_a_fleet_without_prices_spreads_out():
    """Two hours after a midnight without prices, its busiest minute is no busier than one in the afternoon."""
    result = simulate(BY_NAME["never"], HUBS)
    assert busiest_minute(result, at_time(2)) < 1.1 * busiest_minute(
        simulate(NORMAL, HUBS)
    )


@pytest.mark.parametrize("name", ["published-1420", "down", "limit"])
def test_sample_represents_the_fleet(name):
    """The worst second, the requests and the times of a sample are those of the fleet."""
    full, part = (
        simulate(BY_NAME[name], 10_000, sample=simulated)
        for simulated in (10_000, 1_000)
    )
    assert (part.scale, part.simulated) == (10, 1_000)
    assert part.all.worst()[0] == pytest.approx(full.all.worst()[0], rel=0.2)
    assert part.all.total == pytest.approx(full.all.total, rel=0.05)
    for share in (0.5, 0.95):
        assert part.known_by(share) == pytest.approx(full.known_by(share), abs=300)


def test_sample_divides_the_fleet():
    """A hub cannot represent half a hub."""
    with pytest.raises(ValueError, match="divide"):
        simulate(NORMAL, 1001, sample=1000)


def test_same_seed_same_day():
    """A day can be simulated again, and another seed is another day."""
    first, again, other = (simulate(NORMAL, 200, seed=seed) for seed in (1, 1, 2))
    assert first.all.counts == again.all.counts
    assert first.all.counts != other.all.counts


def make_hub():
    """Return a hub with an expired token."""
    return Hub(0.5, random.Random(1), [0.0] * len(POLLERS))


def scenario_with(**changes):
    """Return a scenario with changes."""
    return Scenario(name="x", title="x", published=0, **changes)


def test_no_request_during_a_wait():
    """After 429, no request is sent until the wait is over."""
    closure = Closure(begin=0, end=100, answer=Answer.TOO_MANY)
    api = Api(scenario_with(closures=(closure,)), hubs=1, scale=1)
    hub = make_hub()
    assert hub.ask(0, RequestKind.PRICES, api) is Answer.TOO_MANY
    assert hub.ask(99, RequestKind.PRICES, api) is Answer.NOT_SENT
    assert hub.requests == sum(api.refused) == 1
    assert hub.ask(100, RequestKind.PRICES, api) is Answer.SUCCESS
    # The access token and the prices.
    assert hub.requests == 3
    assert hub.ask(3679, RequestKind.PRICES, api) is Answer.SUCCESS
    assert hub.requests == 4
    # Twenty seconds before the end of the token's hour.
    assert hub.ask(3680, RequestKind.PRICES, api) is Answer.SUCCESS
    assert hub.requests == 6


def test_a_cut_request_is_sent_twice():
    """The HTTP client repeats a GET whose connection broke."""
    closure = Closure(begin=0, end=100, answer=Answer.CUT)
    api = Api(scenario_with(closures=(closure,)), hubs=1, scale=1)
    hub = make_hub()
    assert hub.ask(5, RequestKind.PRICES, api) is Answer.CUT
    assert hub.requests == 3
    assert api.requests[RequestKind.TOKEN.value][5] == 1
    assert api.requests[RequestKind.PRICES.value][5] == 2


def test_capacity_is_scaled():
    """The limit for a million hubs is scaled to the fleet, and its window to the sample."""
    scenario = scenario_with(capacity=1_000_000)
    for scale, hubs in ((1, 3), (10, 3)):
        api = Api(scenario, hubs=hubs, scale=scale)
        answers = [
            api.ask(second, RequestKind.PRICES)[0] for second in (20, 20, 20, 20)
        ]
        assert answers == [Answer.SUCCESS] * 3 + [Answer.TOO_MANY]
        fresh = api.ask(20 + scale, RequestKind.PRICES)[0]
        assert fresh is Answer.SUCCESS
        assert sum(api.refused) == 1


def test_a_power_cut_forgets_the_schedule():
    """No request is sent without power, and afterwards only what is missing is requested."""
    off, on = at_time(14, 10), at_time(14, 20)
    result = simulate(
        scenario_with(power=(off, on)),
        100,
        phases=[number / 100 for number in range(100)],
    )
    counts = result.all.counts
    assert sum(counts[: at_time(14, 1)]) == 3 * 100
    assert sum(counts[off : at_time(16, 10)]) == 0
    assert result.all.total == 6 * 100


@pytest.mark.parametrize("scenario", [NORMAL, TROUBLE[0]], ids=ids)
def test_the_page_is_up_to_date(scenario):
    """The figures in docs/fleet.md are those of this schedule; if not, regenerate them (benchmarks/fleet)."""
    row = f"| {' | '.join(day_row(simulate(scenario, SMALL)))} |"
    assert row in (DOCS / "fleet.md").read_text()


def test_tables_have_their_place():
    """A table replaces the previous one; it is an error if the page has no place for it."""
    page = "a\n<!-- one -->\nold\n<!-- end -->\nb\n<!-- two -->\n<!-- end -->\n"
    new = with_tables(page, {"one": "1", "two": "2"})
    assert new == (
        "a\n<!-- one -->\n1\n<!-- end -->\nb\n<!-- two -->\n2\n<!-- end -->\n"
    )
    assert with_tables(new, {"one": "1"}) == new
    with pytest.raises(ValueError, match="three"):
        with_tables(page, {"three": "3"})


@pytest.mark.parametrize("name", ["published-1257", "until-1500", "never"])
def test_picture_is_well_formed(name):
    """A picture is a valid SVG, and shows refusals if there were any."""
    picture = draw(simulate(BY_NAME[name], 500), 0, DAY)
    shapes: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda tag, attributes: (
        shapes.append(attributes["class"]) if tag == "polygon" else None
    )
    parser.Parse(picture, True)
    assert shapes == (["asked", "refused"] if name == "until-1500" else ["asked"])
    assert BY_NAME[name].title in picture
    assert "prefers-color-scheme: dark" in picture


def test_every_picture_is_on_the_page():
    """The page shows every picture, and every picture on it exists."""
    page = (DOCS / "fleet.md").read_text()
    drawn = {path.name for path in (DOCS / "pictures").glob("fleet-*.svg")}
    assert drawn
    assert drawn == {part.split(")")[0] for part in page.split("(pictures/")[1:]}
