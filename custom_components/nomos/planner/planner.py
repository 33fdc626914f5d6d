"""The planner: when should a load run to cost the least, or a source feed in to earn the most?

``plan`` turns a price table and a request into whole numbers (payouts are negative costs), lets ``optimum`` find the
best runs and adds up what they cost. Prices are compared to the billionth of a EUR per kWh: if they differ by less,
they count as equal, and then fewer runs and the preference decide.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from math import fsum, inf, isfinite, sumprod
from typing import Final

from ..pricing import Components, PriceTable
from .model import (
    Objective,
    Plan,
    PlanRequest,
    PlanStatus,
    Prefer,
    Run,
    Slice,
    TimeSpan,
)
from .optimum import Segment, Span, blocks, one_run, several_runs, slot_costs

_ZERO: Final = timedelta(0)
_TICK: Final = timedelta(microseconds=1)
_GRID: Final = timedelta(minutes=5)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR: Final = timedelta(hours=1)
_PRICE_DIGITS: Final = 9
_POWER_STEPS: Final = 10**6


def plan(table: PriceTable, request: PlanRequest, now: datetime) -> Plan:
    """Return the best plan, as far as prices are known.

    If not all of the duration fits (window, price cap and floor, unknown prices), as much as possible is planned:
    for an interruptible load any part that respects its constraints, for a contiguous load one shorter run, but
    nothing for a load with a power profile. Then the cost decides, then the number of runs, then the preference.
    """
    opens = max(request.earliest.astimezone(UTC), now.astimezone(UTC))
    closes = max(request.latest.astimezone(UTC), opens)
    known = _known(table, opens, closes)
    unknown = _gaps(known, opens, closes)
    runs = _runs(known, request, opens, closes)
    planned = sum((run.duration for run in runs), _ZERO)
    slices = tuple(_slices(table, runs, request))
    energy = fsum(piece.energy_kwh for piece in slices)
    cost = fsum(piece.cost for piece in slices)
    run_at_opening = Run(start=opens, end=opens + planned)
    cost_if_now = None
    if runs and run_at_opening.end <= (unknown[0][0] if unknown else closes):
        cost_if_now = fsum(
            one.cost for one in _slices(table, (run_at_opening,), request)
        )
    status = PlanStatus.SHORT if planned else PlanStatus.INFEASIBLE
    return Plan(
        status=PlanStatus.COMPLETE if planned >= request.duration else status,
        objective=request.objective,
        asked=request.duration,
        planned=planned,
        runs=runs,
        slices=slices,
        cost=cost,
        energy=energy,
        average_price=cost / energy if energy else None,
        component_cost=_component_cost(slices),
        cost_if_now=cost_if_now,
        cost_at_average=_average(known) * energy if runs else None,
        provisional=opens < closes
        and (table.horizon is None or table.horizon < closes),
        unknown=unknown,
    )


type _Known = list[tuple[datetime, datetime, float]]
"""Start, end and price of the parts of a window with a known price."""


def _known(table: PriceTable, opens: datetime, closes: datetime) -> _Known:
    return [
        (max(interval.start, opens), min(interval.end, closes), interval.price)
        for interval in table.between(opens, closes).intervals
        if interval.price is not None and isfinite(interval.price)
    ]


def _gaps(known: _Known, opens: datetime, closes: datetime) -> tuple[TimeSpan, ...]:
    """Return the stretches of a window without a known price."""
    starts = [opens, *(end for _, end, _ in known)]
    ends = [*(start for start, _, _ in known), closes]
    pairs = zip(starts, ends, strict=True)
    return tuple((start, end) for start, end in pairs if start < end)


def _average(known: _Known) -> float:
    hours = [(end - start) / _HOUR for start, end, _ in known]
    return sumprod(hours, [price for _, _, price in known]) / fsum(hours)


def _runs(
    known: _Known, request: PlanRequest, opens: datetime, closes: datetime
) -> tuple[Run, ...]:
    floor, cap = request.price_floor, request.price_cap
    low = round(-inf if floor is None else floor, _PRICE_DIGITS)
    high = round(inf if cap is None else cap, _PRICE_DIGITS)
    sign = -1 if request.objective is Objective.HIGHEST else 1
    segments = [
        (_ticks(start), _ticks(end), sign * round(price * 10**_PRICE_DIGITS))
        for start, end, exact in known
        if low <= (price := round(exact, _PRICE_DIGITS)) <= high
    ]
    if not segments or opens == closes or not request.duration:
        return ()
    once = request.max_runs == 1 and request.running_since is None
    if request.contiguous or once:
        spans = _contiguous_spans(segments, request)
    else:
        spans = _interruptible_spans(segments, request, _ticks(opens), _ticks(closes))
    return tuple(
        Run(start=_EPOCH + start * _TICK, end=_EPOCH + end * _TICK)
        for start, end in spans
    )


def _ticks(instant: datetime) -> int:
    return (instant - _EPOCH) // _TICK


def _contiguous_spans(segments: list[Segment], request: PlanRequest) -> list[Span]:
    """Return the best single run, cut to what fits unless its power has a profile."""
    if request.profile is not None:
        steps = [
            (length // _TICK, round(power * _POWER_STEPS))
            for length, power in request.profile
        ]
    else:
        longest = max(block[-1][1] - block[0][0] for block in blocks(segments))
        if longest < request.min_run // _TICK:
            return []
        steps = [(min(longest, request.duration // _TICK), 1)]
    start = one_run(segments, steps, late=request.prefer is Prefer.LATE)
    return [] if start is None else [(start, start + sum(step for step, _ in steps))]


def _interruptible_spans(
    segments: list[Segment], request: PlanRequest, opens: int, closes: int
) -> list[Span]:
    """Return the best runs on the grid."""
    slot, duration = _GRID // _TICK, _slots(request.duration)
    # Slots begin at five-minute marks, as prices do, or at the opening if every minute of the window is needed.
    first = opens + -opens % slot
    running = 0
    since = request.running_since
    if since is not None and segments[0][0] == opens:
        # The run in progress continues to the next mark.
        running = max((first - _ticks(since)) // slot, 1)
        left = request.duration // _TICK - (first - opens)
        if left <= 0:
            return [(opens, opens + request.duration // _TICK)]
        duration = -(-left // slot)
    elif (closes - first) // slot < duration:
        first = opens
    edges = range(first, closes + 1, slot)
    spans = several_runs(
        slot_costs(segments, edges),
        duration,
        min_run=_slots(request.min_run),
        min_pause=_slots(request.min_pause),
        max_runs=request.max_runs,
        late=request.prefer is Prefer.LATE,
        running=running,
    )
    runs = [(edges[start], edges[end]) for start, end in spans]
    if running and runs and runs[0][0] == first:
        runs[0] = opens, runs[0][1]
    elif running and opens < first:
        runs.insert(0, (opens, first))
    return runs


def _slots(length: timedelta) -> int:
    """Return a length in slots of the grid, rounded up."""
    return -(-length // _GRID)


def _slices(
    table: PriceTable, runs: Iterable[Run], request: PlanRequest
) -> Iterator[Slice]:
    """Yield the parts of runs with one price and one power; all prices of the runs are known."""
    for run in runs:
        start = run.start
        for length, power in request.profile or ((run.duration, request.power_kw),):
            end = start + length
            for interval in table.between(start, end).intervals:
                assert interval.price is not None
                first, last = max(start, interval.start), min(end, interval.end)
                energy = power * ((last - first) / _HOUR)
                yield Slice(
                    start=first,
                    end=last,
                    price=interval.price,
                    power_kw=power,
                    energy_kwh=energy,
                    cost=energy * interval.price,
                    components=interval.components,
                )
            start = end


def _component_cost(slices: tuple[Slice, ...]) -> Components:
    """Return the cost of each component in EUR; None for one that is unknown in any slice."""
    used = [piece for piece in slices if piece.energy_kwh]

    def total(name: str) -> float | None:
        prices = [getattr(piece.components, name) for piece in used]
        if not used or None in prices:
            return None
        return sumprod(prices, [piece.energy_kwh for piece in used])

    return Components(total("electricity"), total("grid"), total("levies"))
