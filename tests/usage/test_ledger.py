"""Tests of the running totals."""

from collections.abc import Mapping
from datetime import date, datetime
from fractions import Fraction

from hypothesis import given, strategies as st
import pytest

from custom_components.nomos.pricing import day_bounds
from custom_components.nomos.totals import Rows, RunningTotal
from custom_components.nomos.usage.ledger import StatisticKind, revisions
from custom_components.nomos.usage.metering import HourUsage
from tests.usage.samples import AUTUMN, DAY, HOUR, exact, property_test, starts_of

DAYS = [AUTUMN - DAY, AUTUMN, AUTUMN + DAY]
HOURS = [hour for day in DAYS for hour in starts_of(day, HOUR)]

type Database = dict[StatisticKind, dict[datetime, tuple[float, float]]]


def accounts_of(
    database: Database, since: datetime
) -> dict[StatisticKind, RunningTotal]:
    """Return the rows from an hour on, and the total before it."""
    accounts = {}
    for series, written in database.items():
        earlier = [start for start in written if start < since]
        accounts[series] = RunningTotal(
            {start: written[start] for start in sorted(written) if start >= since},
            written[max(earlier)][1] if earlier else 0.0,
        )
    return accounts


def apply(
    database: Database,
    since: datetime,
    hours: Mapping[datetime, HourUsage],
    fees: Mapping[date, float],
    *,
    selling: bool = False,
) -> Mapping[StatisticKind, Rows]:
    """Write the necessary rows as the database would; return them."""
    changed = revisions(accounts_of(database, since), hours, fees, selling=selling)
    for series, rows in changed.items():
        assert rows
        assert list(rows) == sorted(rows)
        database.setdefault(series, {}).update(rows)
    return changed


def assert_rows(written: Rows, values: Mapping[datetime, Fraction]) -> None:
    """Assert that rows equal those that are computed from scratch."""
    assert sorted(written) == sorted(values)
    total = Fraction()
    for start in sorted(values):
        total += values[start]
        assert abs(Fraction(written[start][0]) - values[start]) < 1e-8
        assert abs(Fraction(written[start][1]) - total) < 1e-8


ENERGY = st.integers(0, 9999).map(lambda number: number / 1000)
MONEY = st.integers(-999_999, 999_999).map(lambda number: number / 1_000_000)
USAGE = st.builds(HourUsage, ENERGY, MONEY, st.booleans()) | st.builds(
    HourUsage, ENERGY, st.none(), st.just(False)
)


@st.composite
def changes(
    draw: st.DrawFn,
) -> tuple[datetime, dict[datetime, HourUsage], dict[date, float]]:
    """Draw a sync of one to three days: its start, hours and base fees."""
    first = draw(st.integers(0, 2))
    since = day_bounds(DAYS[first])[0]
    due = [hour for hour in HOURS if hour >= since]
    hours = draw(st.dictionaries(st.sampled_from(due), USAGE, max_size=12))
    fees = draw(st.dictionaries(st.sampled_from(DAYS[first:]), ENERGY, min_size=1))
    return since, hours, fees


@property_test
@given(st.lists(changes(), max_size=8))
def test_any_history_ends_with_the_right_rows(history):
    """Rows equal those computed from scratch, written rows stay, and repeating changes nothing."""
    database: Database = {}
    energy: dict[datetime, Fraction] = {}
    money: dict[datetime, Fraction] = {}
    charged: dict[datetime, Fraction] = {}
    for since, hours, fees in history:
        apply(database, since, hours, fees)
        for hour, usage in hours.items():
            energy[hour] = exact(usage.kwh)
            if usage.cost is not None and (usage.priced or hour not in money):
                money[hour] = exact(usage.cost)
        for day, fee in fees.items():
            charged.setdefault(day_bounds(day)[0], exact(fee))
        assert_rows(database.get(StatisticKind.USAGE, {}), energy)
        assert_rows(database.get(StatisticKind.COST, {}), money)
        assert_rows(database.get(StatisticKind.BASE_FEE, {}), charged)
        both = {
            hour: money.get(hour, Fraction()) + charged.get(hour, Fraction())
            for hour in money.keys() | charged.keys()
        }
        assert_rows(database.get(StatisticKind.TOTAL_COST, {}), both)
        assert apply(database, since, hours, fees) == {}


@property_test
@given(st.lists(changes(), max_size=5))
def test_feed_in_has_no_fee(history):
    """Feed-in has two statistics, energy and cost."""
    database: Database = {}
    energy: dict[datetime, Fraction] = {}
    for since, hours, fees in history:
        apply(database, since, hours, fees, selling=True)
        energy.update({hour: exact(usage.kwh) for hour, usage in hours.items()})
    assert database.keys() <= {StatisticKind.RETURNED, StatisticKind.COMPENSATION}
    assert_rows(database.get(StatisticKind.RETURNED, {}), energy)


@property_test
@given(
    st.dictionaries(st.sampled_from(HOURS), ENERGY, min_size=1),
    st.dictionaries(st.sampled_from(HOURS), ENERGY),
    ENERGY,
)
def test_only_what_changed_is_written(there, news, before):
    """An hour is written if its value or its total differs, and only then."""
    first = RunningTotal(before=before).revised(there)
    rows = RunningTotal(first, before).revised(news)
    merged = {**there, **news}
    old = new = exact(before)
    for hour in sorted(merged):
        old += exact(there.get(hour, 0.0))
        new += exact(merged[hour])
        changed = hour not in there or there[hour] != merged[hour] or old != new
        assert (hour in rows) == changed


def test_nothing_is_removed():
    """Hours that are not part of a sync stay."""
    database: Database = {}
    apply(database, HOURS[0], {hour: HourUsage(1.0, 0.5, True) for hour in HOURS}, {})
    changed = apply(database, HOURS[0], {HOURS[3]: HourUsage(3.0, 0.5, True)}, {})
    # The costs are the same.
    assert changed.keys() == {StatisticKind.USAGE}
    assert list(changed[StatisticKind.USAGE]) == HOURS[3:]
    assert database[StatisticKind.USAGE][HOURS[-1]][1] == len(HOURS) + 2
    assert apply(database, HOURS[0], {}, {}) == {}


def test_a_gap_is_filled():
    """Late hours change the totals of later hours only."""
    database: Database = {}
    late = HOURS[5:9]
    early = [hour for hour in HOURS if hour not in late]
    apply(database, HOURS[0], {hour: HourUsage(0.5, 0.1, True) for hour in early}, {})
    before = dict(database[StatisticKind.USAGE])
    changed = apply(
        database, HOURS[0], {hour: HourUsage(0.25, 0.1, True) for hour in late}, {}
    )
    assert list(changed[StatisticKind.USAGE]) == HOURS[5:]
    for hour in HOURS[9:]:
        row = database[StatisticKind.USAGE][hour]
        assert row == (0.5, before[hour][1] + 1.0)


@pytest.mark.parametrize(
    ("cost", "priced", "kept"),
    [
        (0.4, False, 0.9),
        (None, False, 0.9),
        (0.4, True, 0.4),
    ],
)
def test_partial_cost_does_not_replace_a_complete_one(cost, priced, kept):
    """If prices are missing later, the known cost stays."""
    database: Database = {}
    hour = HOURS[0]
    apply(database, hour, {hour: HourUsage(3.0, 0.9, True)}, {})
    apply(database, hour, {hour: HourUsage(2.0, cost, priced)}, {})
    assert database[StatisticKind.USAGE][hour][0] == 2.0
    assert database[StatisticKind.COST][hour][0] == kept


def test_partial_cost_is_better_than_none():
    """It is kept until the complete cost is known."""
    database: Database = {}
    hour = HOURS[0]
    for usage, expected in (
        (HourUsage(3.0, None, False), None),
        (HourUsage(3.0, 0.4, False), 0.4),
        (HourUsage(3.0, 0.9, True), 0.9),
    ):
        apply(database, hour, {hour: usage}, {})
        row = database.get(StatisticKind.COST, {}).get(hour)
        assert (row[0] if row else None) == expected


def test_charged_fees_are_kept():
    """The plan's current fee does not change that of earlier days."""
    database: Database = {}
    apply(database, HOURS[0], {}, {DAYS[0]: 0.3})
    changed = apply(database, HOURS[0], {}, {DAYS[0]: 0.5, DAYS[1]: 0.5})
    midnights = [day_bounds(day)[0] for day in DAYS]
    assert changed[StatisticKind.BASE_FEE] == {midnights[1]: (0.5, 0.8)}
    assert changed[StatisticKind.TOTAL_COST] == {midnights[1]: (0.5, 0.8)}


def test_fees_that_become_known_later_are_added():
    """The fee is added to costs that were written before it was known."""
    database: Database = {}
    hours = {hour: HourUsage(1.0, 0.25, True) for hour in HOURS[:24]}
    apply(database, HOURS[0], hours, {})
    assert StatisticKind.TOTAL_COST not in database
    apply(database, HOURS[0], {}, {DAYS[0]: 1.0})
    total = database[StatisticKind.TOTAL_COST]
    assert list(total) == HOURS[:24]
    assert total[HOURS[0]][0] == 1.25
    assert total[HOURS[23]][1] == 7.0


def test_rounding_errors_do_not_add_up():
    """Ten thousand times 0.1 is 1000, and no row is written again because of a binary rounding error."""
    values = {HOURS[0] + number * HOUR: 0.1 for number in range(10_000)}
    rows = RunningTotal().revised(values)
    assert rows[max(rows)][1] == 1000
    later = dict(list(rows.items())[5000:])
    state, total = next(iter(later.values()))
    assert RunningTotal(later, total - state).revised(dict.fromkeys(later, 0.1)) == {}
