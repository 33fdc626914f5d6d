"""What a hub can know at an instant, independent of the integration."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from simulator import Simulator
from simulator.berlin import DAY, at_local, local_date, midnight

FOREVER = datetime(9000, 1, 1, tzinfo=UTC)

LAST_FIRST_LOOK = time(14, 2)
"""By this local time, every installation has requested tomorrow."""

LONGEST_GAP = timedelta(minutes=132)
"""In a period of this length without faults, every installation with missing data sends a request: the gaps grow to
120 minutes, with a jitter of up to 7 %, and setup is retried every ten minutes."""

LONGEST_GAP_IN_THE_DARK = timedelta(minutes=37)
"""The same for an installation without the current price: 30 minutes, 15 %, and a request's timeout."""

MIDNIGHT_WATCH = timedelta(minutes=1), timedelta(minutes=11)
"""An installation without the new day's prices requests them in the day's first minutes; without faults it gets them."""


@dataclass(slots=True)
class Span:
    """A period without prices: without all of them, or those of intervals in [first, last)."""

    start: datetime
    end: datetime
    what: str
    intervals: tuple[datetime, datetime] | None = None

    def concerns(self, interval: datetime) -> bool:
        """Whether an interval is affected."""
        return (
            self.intervals is None or self.intervals[0] <= interval < self.intervals[1]
        )


@dataclass(slots=True)
class Publication:
    """When a delivery day is published: its first intervals, and the rest."""

    first: datetime
    count: int
    rest: datetime


@dataclass(slots=True)
class Expected:
    """The faults and publications, which determine what was obtainable."""

    sim: Simulator
    step: timedelta
    spans: list[Span] = field(default_factory=list)
    publications: dict[date, Publication] = field(default_factory=dict)
    superseded: dict[tuple[str, datetime], set[float]] = field(default_factory=dict)
    disturbed: set[date] = field(default_factory=set)
    """Local days to which the usual budget of requests does not apply."""

    def trouble(
        self,
        start: datetime,
        end: datetime,
        what: str,
        intervals: tuple[datetime, datetime] | None = None,
    ) -> Span:
        """Record a fault; its end may be set later."""
        span = Span(start, end, what, intervals)
        self.spans.append(span)
        if end != FOREVER:
            self.record_disturbed(start, end)
        return span

    def end(self, span: Span, at: datetime) -> None:
        """Set the end of a fault."""
        span.end = at
        self.record_disturbed(span.start, at)

    def record_disturbed(self, start: datetime, end: datetime) -> None:
        """Record days as not quiet: those of a fault, and the next one, too, if it ends late."""
        day = local_date(start)
        while day <= local_date(end + timedelta(hours=4)):
            self.disturbed.add(day)
            day += DAY

    def published(self, interval: datetime) -> datetime:
        """Return when an interval's price is published; FOREVER if never."""
        day = local_date(interval)
        if (plan := self.publications.get(day)) is None:
            moment = self.sim.publication(day)
            return FOREVER if moment is None else moment
        index = (interval - midnight(day)) // self.step
        return plan.first if index < plan.count else plan.rest

    def obtainable(self, interval: datetime, now: datetime) -> str | None:
        """Return why a hub must have an interval's price by now; None if a fault excuses it."""
        day = local_date(interval)
        begin = max(self.published(interval), at_local(day - DAY, LAST_FIRST_LOOK))
        for start, end in self._calm(interval, begin, now):
            if end - start >= LONGEST_GAP:
                return f"no trouble from {start:%d %H:%M} to {end:%d %H:%M} UTC"
            turn = midnight(day)
            if start <= turn - MIDNIGHT_WATCH[0] and end >= turn + MIDNIGHT_WATCH[1]:
                return "no trouble around midnight"
        return None

    def calm(
        self,
        begin: datetime,
        now: datetime,
        *ignored: str,
        interval: datetime | None = None,
    ) -> timedelta:
        """Return the longest period between two instants without faults, or without those that affect an interval."""
        return max(
            (end - start for start, end in self._calm(interval, begin, now, ignored)),
            default=timedelta(),
        )

    def _calm(
        self,
        interval: datetime | None,
        begin: datetime,
        now: datetime,
        ignored: tuple[str, ...] = (),
    ) -> list[tuple[datetime, datetime]]:
        """Return the periods without faults between two instants."""
        stretches = []
        for span in sorted(self.spans, key=lambda one: one.start):
            if span.what in ignored or not (
                span.intervals is None if interval is None else span.concerns(interval)
            ):
                continue
            if span.start > begin:
                stretches.append((begin, min(span.start, now)))
            begin = max(begin, span.end)
        stretches.append((begin, now))
        return [(start, end) for start, end in stretches if end > start]

    def current_troubles(self, now: datetime) -> list[str]:
        """Return the faults at an instant."""
        return sorted({one.what for one in self.spans if one.start <= now < one.end})

    def forget_before(self, instant: datetime) -> None:
        """Drop past data."""
        self.spans = [span for span in self.spans if span.end >= instant]
        for day in [day for day in self.publications if midnight(day + DAY) < instant]:
            del self.publications[day]
        for key in [key for key in self.superseded if key[1] < instant]:
            del self.superseded[key]
