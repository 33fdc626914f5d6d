"""What is known of a contract's meter between two looks.

Days and months in sum, not the readings: the hours are in Home Assistant's long-term statistics.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final, Self

from ..api import GridFeeReduction, Invoice, InvoiceStatus, InvoiceType, MeterType
from .metering import DayUsage, MonthUsage, StatisticKind, month_start

UNWRITTEN: Final = -1
"""The digest of a day whose hours have to be written again, whatever its readings are."""

USAGE: Final = "usage"
PRICES: Final = "prices"
INVOICES: Final = "invoices"
REDUCTIONS: Final = "grid_fee_reductions"
"""The kinds of question that Nomos may refuse."""

_FORGIVEN_AFTER: Final = timedelta(days=30)
"""How long a refusal is taken for an answer."""

_DOUBTED_FOR: Final = timedelta(days=365)
"""How long a month is asked for again that lacks readings: operators deliver months late, but not for ever."""

_SLIP_FORGIVEN_AFTER: Final = timedelta(days=1)
"""The same of a question that was answered before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestInvoice:
    """The invoice that was issued last; nothing in it names the customer."""

    type: InvoiceType
    status: InvoiceStatus
    total: float
    period_start: datetime
    period_end: datetime

    @classmethod
    def of(cls, invoice: Invoice) -> Self:
        """Take over what is shown."""
        return cls(
            type=invoice.type,
            status=invoice.status,
            total=invoice.total,
            period_start=invoice.period_start,
            period_end=invoice.period_end,
        )


@dataclass(frozen=True, slots=True)
class IncompleteMonth:
    """A month, or a part of one, that stands although a reading or a price is missing.

    Attributes:
        since: The day on which that was found.
        readings: How many readings there are; None where Nomos failed to answer.
        repeated: Whether it was answered once more since then.
    """

    since: date
    readings: int | None
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterAnswer:
    """What was learned of a month.

    Attributes:
        meter: What kind of meter answered; None where the answer fits no kind.
        months: The months of an analog meter; None for one that measures intervals.
        days: The days that are new or have changed.
        readings: How many readings there are of all that was asked for.
        recorded: The start of the last hour that was written to the statistics, by series.
        unwritten: Why the hours are not in the statistics; None where they are, or where none are kept.
        no_prices: Whether Nomos says that it has no prices for the contract, of no day.
    """

    meter: MeterType | None = None
    unwritten: Exception | None = None
    no_prices: bool = False
    readings: int = 0
    months: tuple[MonthUsage, ...] | None = None
    days: Mapping[date, DayUsage] = field(default_factory=dict)
    recorded: Mapping[StatisticKind, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecord:
    """What is known of a contract's meter.

    Attributes:
        meter: What kind of meter there is; None until Nomos has said so.
        analog_on: The day on which the meter was first called analog again that had measured intervals.
        days: The days of this month, of the month before, and of older months whose values may still change.
        months: What an analog meter counted, oldest first.
        looked_to: Every day before this one has been asked for; None before the first answer.
        settled_to: The values of every day before this one stand.
        doubts: By the first day: the months that stand although something is missing, the next one to ask for first.
        recorded: The start of the last hour that is in the statistics, by series.
        fees: What the plan costs in EUR a month, by the first day from which it does.
        answered_on: The day on which a question for usage was last answered.
        refused: The kinds of question that Nomos refuses, with the day on which it did.
        invoice: The invoice that was issued last, where it is wanted.
        reductions: The reductions of the grid fee; None where they were not asked for or may not be read.
        reductions_on: The day on which they were asked for.
    """

    meter: MeterType | None = None
    analog_on: date | None = None
    days: Mapping[date, DayUsage] = field(default_factory=dict)
    months: tuple[MonthUsage, ...] = ()
    looked_to: date | None = None
    settled_to: date | None = None
    doubts: Mapping[date, IncompleteMonth] = field(default_factory=dict)
    recorded: Mapping[StatisticKind, datetime] = field(default_factory=dict)
    fees: Mapping[date, float] = field(default_factory=dict)
    answered_on: date | None = None
    refused: Mapping[str, date] = field(default_factory=dict)
    invoice: LatestInvoice | None = None
    reductions: tuple[GridFeeReduction, ...] | None = None
    reductions_on: date | None = None

    @property
    def latest(self) -> DayUsage | None:
        """Return the latest day of which anything was metered."""
        return self.days[max(self.days)] if self.days else None

    def extended(
        self, answer: MeterAnswer, start: date, end: date, *, settles_on: date | None
    ) -> Self:
        """Return the record with what was learned of some days.

        Args:
            answer: what was learned.
            start: the first day that was asked for.
            end: the day after the last one.
            settles_on: today, where the values of these days stand from now on.

        """
        settled = self.settled_to or start
        days = {**self.days, **answer.days}
        record = replace(
            self,
            meter=answer.meter or self.meter,
            analog_on=None if answer.days else self.analog_on,
            days={day: days[day] for day in sorted(days)},
            looked_to=max(self.looked_to or end, end),
            recorded={**self.recorded, **answer.recorded},
        )
        if settles_on is None:
            return replace(record, settled_to=settled)
        return replace(
            record,
            settled_to=max(settled, end) if start <= settled else settled,
            doubts=_doubts(record, answer, start, end, settles_on),
        )

    def with_failure(
        self, start: date, end: date, *, readings: int | None, settles_on: date | None
    ) -> Self:
        """Return the record where some days could not be had, though later ones could.

        Args:
            start: the first day that was asked for.
            end: the day after the last one.
            readings: 0 where Nomos refuses the question, None where it failed to answer.
            settles_on: today, where these days are passed over from now on; they stay in doubt.

        """
        settled = self.settled_to or start
        if settles_on is None:
            return replace(self, settled_to=settled)
        doubts = dict(self.doubts)
        doubt = doubts.pop(start, None) or IncompleteMonth(settles_on, readings)
        return replace(
            self,
            settled_to=max(settled, end) if start <= settled else settled,
            looked_to=max(self.looked_to or end, end),
            doubts={**doubts, start: doubt},
        )

    def with_unwritten(self, answer: MeterAnswer) -> Self:
        """Return the record with days that have still to be written, so that they are asked for again."""
        unwritten = {
            day: replace(one, digest=UNWRITTEN) for day, one in answer.days.items()
        }
        days = {**self.days, **unwritten}
        return replace(
            self,
            meter=answer.meter or self.meter,
            days={day: days[day] for day in sorted(days)},
        )

    def looking_from(self, left: Iterable[date]) -> Self:
        """Return the record with the next look at new days beginning where days are left that may still change."""
        unsettled = [day for day in left if day >= (self.settled_to or day)]
        if self.looked_to is None or not unsettled:
            return self
        return replace(self, looked_to=min(self.looked_to, *unsettled))

    def charging(self, fee: float | None, today: date) -> Self:
        """Return the record with what the plan costs a month today, None where that is not known.

        Another fee than before counts from this month on: days of it that are booked are booked again.
        """
        month = month_start(today)
        known = max((day for day in self.fees if day <= month), default=None)
        if fee is None or (known is not None and self.fees[known] == fee):
            return self
        looked_to = self.looked_to
        if looked_to is not None and known is not None:
            looked_to = min(looked_to, month)
        return replace(self, fees={**self.fees, month: fee}, looked_to=looked_to)

    def refuses(self, kind: str, today: date) -> bool:
        """Return whether Nomos is known to refuse a kind of question."""
        if (refused := self.refused.get(kind)) is None:
            return False
        forgiven = _SLIP_FORGIVEN_AFTER if self.answered(kind) else _FORGIVEN_AFTER
        # A day that has not come was noted by a clock that was ahead.
        return timedelta() <= today - refused < forgiven

    def answered(self, kind: str) -> bool:
        """Return whether a kind of question that is asked daily has ever been answered."""
        answers = {USAGE: self.meter or self.looked_to, INVOICES: self.invoice}
        return answers.get(kind) is not None

    def with_refusal(self, kind: str, today: date) -> Self:
        """Return the record with a refusal."""
        return replace(self, refused={**self.refused, kind: today})

    def without_refusal(self, kind: str) -> Self:
        """Return the record without a refusal."""
        left = {key: day for key, day in self.refused.items() if key != kind}
        return replace(self, refused=left)

    def reset(self) -> Self:
        """Return the record of a contract whose statistics have to be built anew; what it says of days stays."""
        days = {day: replace(one, digest=UNWRITTEN) for day, one in self.days.items()}
        return replace(
            self, days=days, looked_to=None, settled_to=None, doubts={}, recorded={}
        )

    def pruned(self, first: date) -> Self:
        """Return the record without the days before one that stand anyway."""
        kept_from = min(first, self.settled_to or first)
        return replace(
            self, days={day: one for day, one in self.days.items() if day >= kept_from}
        )


def _doubts(
    known: UsageRecord, answer: MeterAnswer, start: date, end: date, today: date
) -> dict[date, IncompleteMonth]:
    """Return what is still in doubt when some days stand; what was asked for goes to the end of the row."""
    doubts = {
        day: one
        for day, one in known.doubts.items()
        if today - one.since < _DOUBTED_FOR
    }
    before = doubts.pop(start, None)
    days = [
        known.days.get(date.fromordinal(ordinal))
        for ordinal in range(start.toordinal(), end.toordinal())
    ]
    if before is None or before.readings is None:
        if not all(
            day is not None and (day.complete or (answer.no_prices and not day.missing))
            for day in days
        ):
            doubts[start] = IncompleteMonth(today, answer.readings)
    elif any(day is None or day.missing for day in days):
        # A price that is missing for the second time will not come.
        readings = max(before.readings, answer.readings)
        doubts[start] = IncompleteMonth(before.since, readings, repeated=True)
    return doubts


EMPTY_RECORD: Final = UsageRecord()
