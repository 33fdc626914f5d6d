"""The planner: when should a load run to cost the least, or a source feed in to earn the most?

``plan`` turns a price table and a request into whole numbers (payouts are negative costs), lets ``optimum`` find the
best runs and adds up what they cost. Prices are compared to the billionth of a EUR per kWh: if they differ by less they
count as equal, and then fewer runs and the preference decide.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import fsum, gcd, inf, isfinite
from typing import Final, NamedTuple

from ..pricing.table import Components, Interval, PriceTable
from .model import (
    Objective,
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
from .optimum import Segment, Span, blocks, one_run, several_runs

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
    runs = _runs(pieces, request, opens, closes)
    planned = sum((run.duration for run in runs), _ZERO)
    steps = request.steps if request.profile else ((planned, request.power_kw),)
    slices = tuple(_slices(pieces, runs, steps)) if runs else ()
    energy = fsum(piece.energy_kwh for piece in slices)
    cost = fsum(piece.cost for piece in slices)
    horizon = table.horizon
    return Plan(
        status=_status(planned, request.duration),
        objective=request.objective,
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
    if planned >= asked:
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
    pieces: list[_Piece], request: PlanRequest, opens: datetime, closes: datetime
) -> tuple[Run, ...]:
    """Return the best runs of a window."""
    floor = _limit(request.price_floor, -inf)
    cap = _limit(request.price_cap, inf)
    sign = -1 if request.objective is Objective.HIGHEST else 1
    segments: list[Segment] = [
        (first, last, sign * price)
        for _, _, exact, _, first, last in pieces
        for price in (round(exact * _PRICE_STEPS),)
        if floor <= price <= cap
    ]
    if not segments or not request.duration:
        return ()
    if request.contiguous or request.max_runs == 1:
        spans = _single(segments, request)
    else:
        spans = _several(segments, request, opens, (closes - opens) // _TICK)
    return tuple(
        Run(start=opens + start * _TICK, end=opens + end * _TICK)
        for start, end in spans
    )


def _single(segments: list[Segment], request: PlanRequest) -> list[Span]:
    """Return the best run in one go, cut to what fits unless its power has a profile; in ticks."""
    steps = [
        (length // _TICK, round(power * _POWER_STEPS))
        for length, power in request.steps
    ]
    if request.profile is None:
        longest = max(block[-1][1] - block[0][0] for block in blocks(segments))
        if longest < request.min_run // _TICK:
            return []
        steps = [(min(longest, request.duration // _TICK), 1)]
    start = one_run(segments, steps, late=request.prefer is Prefer.LATE)
    return [] if start is None else [(start, start + sum(step for step, _ in steps))]


def _several(
    segments: list[Segment], request: PlanRequest, opens: datetime, length: int
) -> list[Span]:
    """Return the best runs on the grid, in ticks."""
    slot, duration = _GRID // _TICK, _slots(request.duration)
    # Slots begin at five-minute marks, as prices do; at the opening if every minute of the window is needed.
    skipped = -(opens - _EPOCH) % _GRID // _TICK
    if (length - skipped) // slot < duration:
        skipped = 0
    runs = several_runs(
        _slot_costs(segments, skipped, length),
        duration,
        min_run=min(_slots(request.min_run), duration),
        min_pause=_slots(request.min_pause),
        max_runs=request.max_runs,
        late=request.prefer is Prefer.LATE,
    )
    return [(skipped + start * slot, skipped + end * slot) for start, end in runs]


def _slot_costs(segments: list[Segment], begin: int, length: int) -> list[int | None]:
    """Return what running costs in each slot of the grid; None if it may not run throughout."""
    slot = _GRID // _TICK
    count = max(length - begin, 0) // slot
    spent, covered = [0] * count, [0] * count
    for start, end, price in segments:
        for index in range(max(start - begin, 0) // slot, count):
            at = begin + index * slot
            if at >= end:
                break
            share = min(end, at + slot) - max(start, at)
            spent[index] += share * price
            covered[index] += share
    unit = gcd(slot, *(start - begin for start, _, _ in segments))
    return [
        cost // unit if share == slot else None
        for cost, share in zip(spent, covered, strict=True)
    ]


def _slots(length: timedelta) -> int:
    """Return a length in slots of the grid, rounded up."""
    return -(-length // _GRID)


def _limit(price: float | None, default: float) -> float:
    """Return a price as a whole number, which infinity is not."""
    price = default if price is None else price
    return round(price * _PRICE_STEPS) if isfinite(price) else price


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
