"""The usage record of a contract: sums of days and months. The hours are in the long-term statistics."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from ..api import GridFeeReduction, Invoice, InvoiceStatus, InvoiceType, MeterType
from ..pricing import day_bounds, days_between
from .ledger import StatisticKind
from .metering import AnalogMonth, DayUsage, HourUsage
from .months import is_settled, month_start, months_before, next_month

USAGE: Final = "usage"
PRICES: Final = "prices"
INVOICES: Final = "invoices"
REDUCTIONS: Final = "grid_fee_reductions"
"""The endpoints that Nomos may refuse."""

_REFUSED_FOR: Final = timedelta(days=30)
"""How long an endpoint is skipped after a refusal."""

_REFUSED_ONCE_FOR: Final = timedelta(days=1)
"""The same for one that has answered before."""

_INCOMPLETE_FOR: Final = timedelta(days=365)
"""How long an incomplete month is retried: grid operators may deliver months late, but not for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestInvoice:
    """The invoice that was issued last, without personal data."""

    type: InvoiceType
    status: InvoiceStatus
    total: float
    period_start: datetime
    period_end: datetime

    @classmethod
    def of(cls, invoice: Invoice) -> Self:
        """Keep the parts of an invoice that are shown."""
        return cls(**{one.name: getattr(invoice, one.name) for one in fields(cls)})


class MonthStatus(StrEnum):
    """Whether a month's values may still change."""

    OPEN = "open"
    INCOMPLETE = "incomplete"
    """They no longer change, but a reading or a price is missing."""
    SETTLED = "settled"


_CLOSED: Final = frozenset({MonthStatus.INCOMPLETE, MonthStatus.SETTLED})


@dataclass(frozen=True, slots=True)
class MonthState:
    """A calendar month that was requested.

    Attributes:
        status: Whether its values may still change.
        tried_on: The day of the last request, which covered all days of an open month before it.
        since: The day on which it was found to be incomplete; None if it is not.
        readings: How many readings an incomplete month has; None if Nomos failed to answer.
        unpriced: Whether an incomplete month lacks a price that may still come.
    """

    status: MonthStatus
    tried_on: date
    since: date | None = None
    readings: int | None = None
    unpriced: bool = False

    def has_all_of(self, readings: int) -> bool:
        """Return whether an answer with so many readings adds nothing to an incomplete month.

        Its days are no longer known, so an answer with fewer readings could remove something.
        """
        return self.readings is not None and (
            readings < self.readings
            or (readings == self.readings and not self.unpriced)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthAnswer:
    """The answer for a month, or for a part of one.

    Attributes:
        meter: The kind of meter; None if it stays as it was.
        readings: How many readings there are in all.
        days: The days that are new or have changed.
        hours: The hours of these days; None if there is nothing to write.
        no_prices: Whether Nomos reports that the contract has no prices at all.
    """

    meter: MeterType | None = None
    readings: int = 0
    days: Mapping[date, DayUsage] = field(default_factory=dict)
    hours: Mapping[datetime, HourUsage] | None = None
    no_prices: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecord:
    """What is known of a contract's usage.

    Attributes:
        meter: The kind of meter; None until Nomos has answered.
        analog_on: The day on which Nomos first reported as analog a meter that had measured intervals.
        days: The days of this month, of the month before, and of older months whose values may still change, in order.
        months: The months that are in the statistics, by their first day.
        analog_months: What an analog meter counted, oldest first.
        synced_on: The day of the last sync that left nothing out; None before the first one.
        answered_on: The day on which a request for usage was last answered.
        recorded: The start of the last hour that is in the statistics, by statistic.
        fees: The base fee in EUR a month, by the first day on which it applies.
        refused: The endpoints that Nomos refuses, with the day of the refusal.
        invoice: The invoice that was issued last, if it is wanted.
        reductions: The reductions of the grid fee; None if they were not requested or were refused.
        reductions_on: The day on which they were requested.
    """

    meter: MeterType | None = None
    analog_on: date | None = None
    days: Mapping[date, DayUsage] = field(default_factory=dict)
    months: Mapping[date, MonthState] = field(default_factory=dict)
    analog_months: tuple[AnalogMonth, ...] = ()
    synced_on: date | None = None
    answered_on: date | None = None
    recorded: Mapping[StatisticKind, datetime] = field(default_factory=dict)
    fees: Mapping[date, float] = field(default_factory=dict)
    refused: Mapping[str, date] = field(default_factory=dict)
    invoice: LatestInvoice | None = None
    reductions: tuple[GridFeeReduction, ...] | None = None
    reductions_on: date | None = None

    @property
    def metered_to(self) -> datetime | None:
        """Return the end of the latest day that has every reading; None if there is none."""
        complete = [day for day, one in self.days.items() if not one.missing]
        return day_bounds(max(complete))[1] if complete else None

    @property
    def settled_to(self) -> date | None:
        """Return the first day of the first month that may still change; None without any month."""
        if not self.months:
            return None
        month = min(self.months)
        while self.status(month) in _CLOSED:
            month = next_month(month)
        return month

    def status(self, month: date) -> MonthStatus | None:
        """Return the status of the month that begins on a day; None if it was never requested."""
        state = self.months.get(month)
        return state.status if state else None

    def with_month(
        self, start: date, end: date, answer: MonthAnswer, today: date
    ) -> Self:
        """Return the record with an answer for a month, or for a part of it, that is in the statistics."""
        record, month = self.with_days(answer), month_start(start)
        state = MonthState(MonthStatus.OPEN, today)
        if is_settled(month, today):
            days = [record.days.get(day) for day in days_between(start, end)]
            state = _closed(self.months.get(month), answer, days, today)
        return replace(
            record,
            analog_on=None if answer.days else self.analog_on,
            months={**self.months, month: state},
        )

    def with_failure(self, month: date, today: date, *, transient: bool) -> Self:
        """Return the record after a month failed; if it can no longer change, it becomes incomplete.

        If the failure was not ``transient``, Nomos refused the request.
        """
        if not is_settled(month, today):
            return self
        state = self.months.get(month)
        if state is None or state.status is not MonthStatus.INCOMPLETE:
            state = MonthState(
                MonthStatus.INCOMPLETE, today, today, None if transient else 0
            )
        state = replace(state, tried_on=today)
        return replace(self, months={**self.months, month: state})

    def with_unwritten(self, month: date, answer: MonthAnswer) -> Self:
        """Return the record with days that are not in the statistics: their month must be requested again."""
        months = {first: one for first, one in self.months.items() if first != month}
        return replace(self.with_days(answer), months=months)

    def with_days(self, answer: MonthAnswer) -> Self:
        """Return the record with the days of an answer."""
        days = {**self.days, **answer.days}
        return replace(
            self,
            meter=answer.meter or self.meter,
            days={day: days[day] for day in sorted(days)},
        )

    def with_base_fee(self, fee: float | None, today: date) -> Self:
        """Return the record with today's monthly base fee in EUR, None if it is unknown.

        A changed fee applies from this month on; booked days of it are booked again.
        """
        month = month_start(today)
        known = max((day for day in self.fees if day <= month), default=None)
        if fee is None or (known is not None and self.fees[known] == fee):
            return self
        months = dict(self.months)
        if known is not None and self.status(month) is MonthStatus.OPEN:
            months[month] = MonthState(MonthStatus.OPEN, month)
        return replace(self, fees={**self.fees, month: fee}, months=months)

    def without_future(self, today: date) -> Self:
        """Return the record without months that were tried in the future, when the clock was ahead."""
        months = {
            month: one for month, one in self.months.items() if one.tried_on <= today
        }
        return replace(self, months=months)

    def pruned(self, today: date) -> Self:
        """Return the record without old days whose values no longer change, and with old gaps accepted."""
        first = months_before(today, 1)
        days = {
            day: one
            for day, one in self.days.items()
            if day >= first or self.status(month_start(day)) not in _CLOSED
        }
        months = {
            month: MonthState(MonthStatus.SETTLED, state.tried_on)
            if state.since is not None and today - state.since >= _INCOMPLETE_FOR
            else state
            for month, state in self.months.items()
        }
        return replace(self, days=days, months=months)

    def reset(self) -> Self:
        """Return the record for building the statistics again; its days stay, so that they can be shown."""
        return replace(self, months={}, synced_on=None, recorded={})

    def refuses(self, endpoint: str, today: date) -> bool:
        """Return whether an endpoint was refused so recently that it is skipped."""
        if (refused := self.refused.get(endpoint)) is None:
            return False
        wait = _REFUSED_ONCE_FOR if self.answered(endpoint) else _REFUSED_FOR
        # A day in the future was recorded by a clock that was ahead.
        return timedelta() <= today - refused < wait

    def answered(self, endpoint: str) -> bool:
        """Return whether an endpoint that is requested daily has ever answered."""
        answers = {USAGE: self.meter or self.answered_on, INVOICES: self.invoice}
        return answers.get(endpoint) is not None

    def with_refusal(self, endpoint: str, day: date | None) -> Self:
        """Return the record with the day on which an endpoint was refused, None if it answered."""
        refused = {**self.refused, endpoint: day}
        return replace(
            self, refused={key: on for key, on in refused.items() if on is not None}
        )


def _closed(
    before: MonthState | None,
    answer: MonthAnswer,
    days: list[DayUsage | None],
    today: date,
) -> MonthState:
    """Return the state of a month whose values no longer change, after an answer."""
    gaps = any(day is None or day.missing for day in days)
    known = before.readings if before else None
    # A price that is missing for the second time is not coming.
    unpriced = (
        known is None
        and not answer.no_prices
        and any(day is not None and not day.priced for day in days)
    )
    if not gaps and not unpriced:
        return MonthState(MonthStatus.SETTLED, today)
    since = today if before is None or known is None else before.since
    readings = max(known or 0, answer.readings)
    return MonthState(MonthStatus.INCOMPLETE, today, since, readings, unpriced)


EMPTY_RECORD: Final = UsageRecord()
