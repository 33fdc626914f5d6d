"""The planner: when should a load run to cost the least, or a source feed in to earn the most?

``plan`` turns a price table and a request into whole numbers (of payouts the negative, so that the most is the least
here, too), lets ``plan_search`` find the optimum (the reasons why
it is one are there) and says what it costs. Prices are compared to the billionth of a EUR per kWh: what differs by
less counts as equal, and then fewer runs and the preference decide.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import fsum, gcd, inf, isfinite
from typing import Final, NamedTuple

from .plan_model import (
    Goal,
    Plan,
    PlanRequest,
    PlanStatus,
    Prefer,
    Profile,
    Run,
    Slice,
    Stretch,
    component_sum,
    merged,
    require_aware,
)
from .plan_search import contiguous, interruptible
from .plan_task import Segment, Task, joined
from .table import Components, Interval, PriceTable

_ZERO: Final = timedelta(0)
_TICK: Final = timedelta(microseconds=1)
_GRID: Final = timedelta(minutes=5)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR: Final = timedelta(hours=1)
_PRICE_STEPS: Final = 10**9
_POWER_STEPS: Final = 10**6


class _Piece(NamedTuple):
    """A stretch of the window with one known price; also from when to when, in ticks since the window opens."""

    start: datetime
    end: datetime
    price: float
    components: Components
    first: int
    last: int


def plan(table: PriceTable, request: PlanRequest, now: datetime) -> Plan:
    """Return the best way to run a load, as far as prices are known.

    When not all of the duration fits (the window, price cap and floor, unknown prices), as much as possible is planned: of
    an interruptible load any part that respects its constraints, of a contiguous load one run that is shorter, but
    of a load with a power profile nothing. Then the cost decides, then the number of runs, then the preference.

    Raises:
        ValueError: ``now`` is naive.

    """
    require_aware(now, "Now")
    opens = max(request.earliest.astimezone(UTC), now.astimezone(UTC))
    closes = max(request.latest.astimezone(UTC), opens)
    pieces = _known(table, opens, closes)
    begins = _begins(request, opens) if opens == now else opens
    runs = _runs(pieces, request, opens, begins, max(closes, begins))
    planned = sum((run.duration for run in runs), _ZERO)
    steps = request.steps if request.profile else ((planned, request.power_kw),)
    slices = tuple(_slices(pieces, runs, steps)) if runs else ()
    energy = fsum(piece.energy_kwh for piece in slices)
    cost = fsum(piece.cost for piece in slices)
    horizon = table.horizon
    return Plan(
        status=_status(planned, request.duration),
        goal=request.goal,
        asked=request.duration,
        planned=planned,
        runs=runs,
        slices=slices,
        cost=cost,
        energy=energy,
        average_price=cost / energy if energy else None,
        component_cost=component_sum(slices),
        cost_if_now=_cost_from(pieces, opens, planned, steps) if runs else None,
        cost_at_average=_average(pieces) * energy if runs else None,
        provisional=opens < closes and (horizon is None or horizon < closes),
        unknown=_unknown(pieces, opens, closes),
    )


def _status(planned: timedelta, asked: timedelta) -> PlanStatus:
    if planned == asked:
        return PlanStatus.COMPLETE
    return PlanStatus.SHORT if planned else PlanStatus.INFEASIBLE


def _known(table: PriceTable, opens: datetime, closes: datetime) -> list[_Piece]:
    """Return what is known of the window, cut to it."""
    intervals = table.intervals
    index = max(bisect_right(intervals, opens, key=_start) - 1, 0)
    pieces: list[_Piece] = []
    until, last = opens, 0
    for interval in intervals[index:]:
        start, end, price = interval.start, interval.end, interval.price
        if start >= closes:
            break
        if price is None or end <= opens or not isfinite(price):
            continue
        start, end = max(start, opens), min(end, closes)
        first = last if start == until else (start - opens) // _TICK
        until, last = end, (end - opens) // _TICK
        pieces.append(_Piece(start, end, price, interval.components, first, last))
    return pieces


def _start(interval: Interval) -> datetime:
    return interval.start


def _unknown(
    pieces: list[_Piece], opens: datetime, closes: datetime
) -> tuple[Stretch, ...]:
    """Return what the pieces leave uncovered of the window."""
    known = merged([(piece.start, piece.end) for piece in pieces])
    edges = [opens, *(edge for stretch in known for edge in stretch), closes]
    return tuple(
        (start, end)
        for start, end in zip(edges[::2], edges[1::2], strict=True)
        if start < end
    )


def _runs(
    pieces: list[_Piece],
    request: PlanRequest,
    opens: datetime,
    begins: datetime,
    closes: datetime,
) -> tuple[Run, ...]:
    """Return the best runs, none of which begins before an instant: the search in whole numbers, and back."""
    if not request.duration:
        return ()
    floor = _limit(request.price_floor, -inf)
    cap = _limit(request.price_cap, inf)
    sign = -1 if request.goal is Goal.HIGHEST else 1
    skipped = (begins - opens) // _TICK
    ticks: list[Segment] = [
        (max(first - skipped, 0), last - skipped, sign * price)
        for _, _, exact, _, first, last in pieces
        for price in (round(exact * _PRICE_STEPS),)
        if last > skipped and floor <= price <= cap
    ]
    if not ticks:
        return ()
    length = (closes - begins) // _TICK
    lengths = [step // _TICK for step, _ in request.steps]
    min_run, min_pause = request.min_run // _TICK, request.min_pause // _TICK
    if not request.contiguous:
        # One run of the whole duration respects every minimum run that can be asked for.
        min_run = min(_on_grid(request.min_run), request.duration // _TICK)
        min_pause = _on_grid(request.min_pause)
    unit = gcd(
        length,
        min_run,
        min_pause,
        *lengths,
        *(start for start, _, _ in ticks),
        *(end for _, end, _ in ticks),
    )
    segments = joined(
        [(start // unit, end // unit, price) for start, end, price in ticks]
    )
    late = request.prefer is Prefer.LATE
    if request.profile:
        powers = [
            (length // unit, round(power * _POWER_STEPS))
            for length, (_, power) in zip(lengths, request.profile, strict=True)
        ]
        start = contiguous(segments, powers, late=late)
        total = sum(lengths) // unit
        spans = [] if start is None else [(start, start + total)]
    else:
        task = Task(
            duration=request.duration // _TICK // unit,
            min_run=min_run // unit,
            min_pause=min_pause // unit,
            max_runs=1 if request.contiguous else request.max_runs,
            late=late,
        )
        spans = interruptible(segments, length // unit, task)
    return tuple(
        Run(start=begins + start * unit * _TICK, end=begins + end * unit * _TICK)
        for start, end in spans
    )


def _limit(price: float | None, default: float) -> float:
    """Return a price as a whole number, which infinity is not."""
    price = default if price is None else price
    return round(price * _PRICE_STEPS) if isfinite(price) else price


def _begins(request: PlanRequest, now: datetime) -> datetime:
    """Return when the first run may start: runs under constraints start at a mark of the grid at the earliest."""
    if request.contiguous or not (
        request.min_run or request.min_pause or request.max_runs
    ):
        return now
    return now + -(now - _EPOCH) % _GRID


def _on_grid(length: timedelta) -> int:
    """Return a length in ticks, rounded up to the grid."""
    return -(-length // _GRID) * (_GRID // _TICK)


def _slices(
    pieces: list[_Piece], runs: tuple[Run, ...], steps: Profile
) -> Iterator[Slice]:
    """Yield the parts of the runs with one price and one power; the power follows the steps over the runs."""
    remaining = iter(steps)
    left, power = next(remaining)
    index = 0
    for run in runs:
        at = run.start
        while at < run.end:
            while pieces[index].end <= at:
                index += 1
            if not left:
                left, power = next(remaining)
            piece = pieces[index]
            length = min(piece.end - at, run.end - at, left)
            energy = power * (length / _HOUR)
            yield Slice(
                start=at,
                end=at + length,
                price=piece.price,
                power_kw=power,
                energy_kwh=energy,
                cost=energy * piece.price,
                components=piece.components,
            )
            at += length
            left -= length


def _cost_from(
    pieces: list[_Piece], start: datetime, duration: timedelta, steps: Profile
) -> float | None:
    """Return the cost of one run from an instant on; None if a price in the way is unknown."""
    end = start + duration
    stretches = merged([(piece.start, piece.end) for piece in pieces])
    if not any(one <= start and end <= two for one, two in stretches):
        return None
    run = Run(start=start, end=end)
    return fsum(piece.cost for piece in _slices(pieces, (run,), steps))


def _average(pieces: list[_Piece]) -> float:
    """Return the mean of known prices over time."""
    lengths = [piece.last - piece.first for piece in pieces]
    weighted = [
        piece.price * length for piece, length in zip(pieces, lengths, strict=True)
    ]
    return fsum(weighted) / sum(lengths)
