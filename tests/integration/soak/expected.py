"""What a house can know at an instant, worked out without looking at the integration."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from simulator import Simulator
from simulator.berlin import DAY, at_local, local_date, midnight

FOREVER = datetime(9000, 1, 1, tzinfo=UTC)

LAST_FIRST_LOOK = time(14, 2)
"""By then every installation has begun to ask for tomorrow."""

LONGEST_GAP = timedelta(minutes=132)
"""In so long a stretch without trouble every installation asks at least once while it lacks something: its gaps grow
to 120 minutes, moved by up to 7 %, and setting up is tried every ten minutes at least."""

LONGEST_GAP_IN_THE_DARK = timedelta(minutes=37)
"""The same for an installation that does not know the present price: 30 minutes, 15 %, and a request's patience."""

MIDNIGHT_WATCH = timedelta(minutes=1), timedelta(minutes=11)
"""An installation that lacks the new day asks in the first minutes of it; without trouble around midnight it knows."""


@dataclass(slots=True)
class Span:
    """A time in which prices could not be had: all of them, or those of intervals in [first, last)."""

    start: datetime
    end: datetime
    what: str
    intervals: tuple[datetime, datetime] | None = None

    def concerns(self, interval: datetime) -> bool:
        """Whether an interval could not be had."""
        return (
            self.intervals is None or self.intervals[0] <= interval < self.intervals[1]
        )


@dataclass(slots=True)
class Publication:
    """When a delivery day comes out: its first intervals, and the rest."""

    first: datetime
    count: int
    rest: datetime


@dataclass(slots=True)
class Expected:
    """Troubles and publications, from which follows what was obtainable."""

    sim: Simulator
    step: timedelta
    spans: list[Span] = field(default_factory=list)
    publications: dict[date, Publication] = field(default_factory=dict)
    superseded: dict[tuple[str, datetime], set[float]] = field(default_factory=dict)
    disturbed: set[date] = field(default_factory=set)
    """Local days on which the usual budget of requests does not hold."""

    def trouble(
        self,
        start: datetime,
        end: datetime,
        what: str,
        intervals: tuple[datetime, datetime] | None = None,
    ) -> Span:
        """Note a time of trouble; an end that is not known yet may be set later."""
        span = Span(start, end, what, intervals)
        self.spans.append(span)
        if end != FOREVER:
            self.disturb(start, end)
        return span

    def end(self, span: Span, at: datetime) -> None:
        """Set the end of a trouble."""
        span.end = at
        self.disturb(span.start, at)

    def disturb(self, start: datetime, end: datetime) -> None:
        """Note days that are not ordinary: those of a trouble, and the next morning, too, if it ends late."""
        day = local_date(start)
        while day <= local_date(end + timedelta(hours=4)):
            self.disturbed.add(day)
            day += DAY

    def published(self, interval: datetime) -> datetime:
        """Return since when an interval's price is out; FOREVER: it is not planned to be."""
        day = local_date(interval)
        if (plan := self.publications.get(day)) is None:
            moment = self.sim.publication(day)
            return FOREVER if moment is None else moment
        index = (interval - midnight(day)) // self.step
        return plan.first if index < plan.count else plan.rest

    def obtainable(self, interval: datetime, now: datetime) -> str | None:
        """Return why a house must have been able to get an interval's price by now; None when it was excused."""
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
        """Return the longest time between two instants without any trouble, or without any that concerns an interval."""
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
        """Return the stretches without trouble between two instants."""
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
        """Return what is wrong at an instant."""
        return sorted({one.what for one in self.spans if one.start <= now < one.end})

    def forget_before(self, instant: datetime) -> None:
        """Drop what is past."""
        self.spans = [span for span in self.spans if span.end >= instant]
        for day in [day for day in self.publications if midnight(day + DAY) < instant]:
            del self.publications[day]
        for key in [key for key in self.superseded if key[1] < instant]:
            del self.superseded[key]
