"""Tests of cheap and expensive periods."""

from datetime import date, datetime, timedelta

import pytest

from custom_components.nomos.pricing import (
    DEFAULT_THRESHOLDS,
    EMPTY_TABLE,
    PeriodKind,
    PeriodLimits,
    PriceTable,
    TableLevels,
    day_bounds,
)
from tests.pricing.test_levels import DAY, HOUR, QUARTER, START, ct, day_of

NEXT_DAY = DAY + timedelta(days=1)

# Relative to the day's median of 30 ct: cheap, under, at and over it, expensive; negative; unknown.
PRICES = {"c": 26, "u": 29.5, "m": 30, "o": 30.5, "e": 34, "n": -1, "?": None}


def minutes(shortest, bridged):
    """Return limits from minutes."""
    return PeriodLimits(
        shortest=timedelta(minutes=shortest), bridged=timedelta(minutes=bridged)
    )


USUAL = minutes(30, 30)


def quarters(drawing, *, more=0):
    """Return a day's quarter-hours from a drawing, one character each; a space stands for any number at the median."""
    prices = [PRICES[char] for char in drawing.replace(" ", "m" * (97 - len(drawing)))]
    prices += [30] * (96 - len(prices))
    return ct(*(None if price is None else price + more for price in prices))


def table_of(*days):
    """Return a table of consecutive days, given as drawings or as prices."""
    found = []
    for number, day in enumerate(days):
        prices = quarters(day) if isinstance(day, str) else day
        length = QUARTER if len(prices) == 96 else HOUR
        found += day_of(prices, length, DAY + timedelta(days=number)).intervals
    return PriceTable.of(found)


def spans(*days, kind=PeriodKind.CHEAP, limits=USUAL):
    """Return the start and end of periods, in quarter-hours since the start of the first day."""
    levels = TableLevels(table_of(*days), DEFAULT_THRESHOLDS, limits)
    return [
        ((one.start - START) / QUARTER, (one.end - START) / QUARTER)
        for one in levels.periods(kind)
    ]


@pytest.mark.parametrize(
    ("drawing", "periods"),
    [
        ("m", []),
        ("c", []),
        ("cc", [(0, 2)]),
        ("mmccm", [(2, 4)]),
        ("cuc", [(0, 3)]),
        ("cuuc", [(0, 4)]),
        ("cuuuc", []),
        ("ccuuucc", [(0, 2), (5, 7)]),
        ("cucuuc", [(0, 6)]),
        ("uccuu", [(1, 3)]),
        # Not bridged: at or over the median, expensive, or unknown.
        ("ccmcc", [(0, 2), (3, 5)]),
        ("ccocc", [(0, 2), (3, 5)]),
        ("ccuec", [(0, 2)]),
        ("cc?cc", [(0, 2), (3, 5)]),
        ("ccu?cc", [(0, 2), (4, 6)]),
        ("c?c", []),
    ],
)
def test_cheap_periods(drawing, periods):
    """Gaps under the median are bridged up to the limit, then short periods dropped; expensive ones mirror that."""
    assert spans(drawing) == periods
    mirrored = drawing.translate(str.maketrans("cuoe", "eouc"))
    assert spans(mirrored, kind=PeriodKind.EXPENSIVE) == periods


def test_limits():
    """Each limit does what its name says and is inclusive; zero turns it off."""
    drawing = "cuc ccuuuccc"
    exact = [(0, 1), (2, 3), (88, 90), (93, 96)]
    none = PeriodLimits(shortest=timedelta(), bridged=timedelta(), most=None)
    assert spans(drawing, limits=none) == exact
    assert spans(drawing, limits=minutes(45, 15)) == [(0, 3), (93, 96)]
    assert spans(drawing, limits=minutes(60, 45)) == [(88, 96)]
    assert spans(drawing, limits=minutes(120, 45)) == [(88, 96)]
    assert spans(drawing, limits=minutes(121, 45)) == []


def test_two_a_day():
    """Each day keeps the periods that are worth most, deep or long, and the earlier of equals."""
    assert spans("ccmccmcccm") == [(0, 2), (6, 9)]
    assert spans("ccmcccmcccm") == [(3, 6), (7, 10)]
    deep = quarters("ccmcccmccc")
    deep[0] = deep[1] = 0.1
    assert spans(deep) == [(0, 2), (3, 6)]
    mirrored = "ccmccmcccm".translate(str.maketrans("cuoe", "eouc"))
    assert spans(mirrored, kind=PeriodKind.EXPENSIVE) == [(0, 2), (6, 9)]
    all_of_them = PeriodLimits(most=None)
    assert len(spans("ccmccmcccm", limits=all_of_them)) == 3


def test_two_a_day_and_midnight():
    """A period that reaches midnight counts for both days; one that a day leaves out may be used by the next."""
    assert spans(" cc", "mccmccc") == [(94, 96), (100, 103)]
    assert spans(" cc", "ccmccmccc") == [(94, 98), (102, 105)]
    # The first day had two that were worth more.
    assert spans("cccmccc cc", "ccmcccm") == [(0, 3), (4, 7), (96, 98), (99, 102)]
    assert spans("cccmccc cc", "mcccm") == [(0, 3), (4, 7), (97, 100)]
    # A period that is only long enough with tomorrow comes last, whatever it is worth.
    today = quarters("ccmcc c")
    today[95] = -1.0
    assert spans(today) == [(0, 2), (3, 5)]
    assert spans(today, "cc") == [(0, 2), (3, 5), (96, 98)]
    assert spans("cc c", "cc") == [(0, 2), (95, 98)]


def test_below_zero_is_in_no_expensive_period():
    """A negative price is cheap even if the day's median is lower still."""
    prices = ct(*[-5] * 80, 1, 1, -1, 1, 1, *[-5] * 11)
    assert spans(prices, kind=PeriodKind.EXPENSIVE) == [(80, 82), (83, 85)]


def test_hours():
    """With hourly prices, each hour is long enough, and gaps are hours."""
    prices = ct(20, 29.5, 20, 31, *[30] * 20)
    assert spans(prices) == [(0, 4), (8, 12)]
    assert spans(prices, limits=minutes(60, 60)) == [(0, 12)]
    assert spans(prices, limits=minutes(75, 30)) == []


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_days_of_a_clock_change(day):
    """A skipped or repeated hour does not change the length of a period."""
    start, end = day_bounds(day)
    prices = [30] * ((end - start) // QUARTER)
    prices[6] = prices[9] = prices[10] = 20
    prices[7] = prices[8] = 29
    levels = TableLevels(PriceTable(day_of(ct(*prices), QUARTER, day).intervals))
    (period,) = levels.periods(PeriodKind.CHEAP)
    assert (period.start, period.end) == (start + 6 * QUARTER, start + 11 * QUARTER)


def test_periods_across_midnight():
    """Periods that meet at midnight are one, a gap across it is bridged, and the whole has to be long enough."""
    assert spans("c c", "c c") == [(95, 97)]
    assert spans(" cu", "uc") == [(94, 98)]
    assert spans(" cuu", "uc") == []
    assert spans(" c?", "c") == []


def test_each_day_has_its_own_median():
    """The same price may be cheap before midnight and normal after it, and be a bridge on one side only."""
    assert spans(" cc", quarters("uuuu", more=-3.5)) == [(94, 96)]
    # 29.5 ct is under 30, but not under 29.
    tomorrow = quarters("mc", more=-1)
    tomorrow[0] = 0.295
    assert spans(" ccu", tomorrow) == [(93, 95)]
    assert spans(" ccu", quarters("ucc", more=-1)) == [(93, 99)]


def test_unknown_tomorrow():
    """A period that is cut off by the horizon is as long as its known part, and tomorrow only adds to today."""
    assert spans(" c") == []
    assert spans(" cc") == [(94, 96)]
    assert spans(" ccu") == [(93, 95)]
    assert spans(" ccu", "m") == [(93, 95)]
    assert spans(" ccu", "cc") == [(93, 98)]
    assert spans(" cc", "m") == [(94, 96)]
    assert spans(" cc", "c") == [(94, 97)]


def test_at_any_instant():
    """An instant is in a period from its start to its end; without a price there is no answer."""
    levels = TableLevels(table_of("mccuc? ee"))
    found = {
        at: [levels.within(kind, START + at * QUARTER) for kind in PeriodKind]
        for at in (-0.01, 0, 0.99, 1, 3.5, 4.99, 5, 6, 94, 95.99, 96)
    }
    cheap, expensive, neither, unknown = (
        [True, False],
        [False, True],
        [False, False],
        [None, None],
    )
    assert found == {
        -0.01: unknown,
        0: neither,
        0.99: neither,
        1: cheap,
        3.5: cheap,
        4.99: cheap,
        5: unknown,
        6: neither,
        94: expensive,
        95.99: expensive,
        96: unknown,
    }


def test_results_are_cached():
    """Levels and periods of a table stay the same objects."""
    levels = TableLevels(table_of("cc", "cc"))
    assert levels.day(DAY) is levels.day(DAY)
    assert levels.periods(PeriodKind.CHEAP) is levels.periods(PeriodKind.CHEAP)
    assert levels.at(START) == levels.day(DAY)[0]


def test_periods_of_several_days():
    """Periods are returned in full, even across midnight."""
    assert spans("cccc mcc", "cc cc") == [(0, 4), (94, 98), (190, 192)]


def test_nothing_is_known():
    """An empty table has no levels and no periods."""
    levels = TableLevels(EMPTY_TABLE)
    assert levels.day(DAY) == ()
    assert levels.at(datetime.now(START.tzinfo)) is None
    assert all(levels.periods(kind) == () for kind in PeriodKind)
