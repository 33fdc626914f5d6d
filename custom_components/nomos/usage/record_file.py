"""How what is known of a contract's meter lies on the disk."""

from dataclasses import asdict, fields
from datetime import date
from typing import Any, Final

from homeassistant.core import HomeAssistant

from ..api import (
    GridFeeReduction,
    InvoiceStatus,
    InvoiceType,
    MeterType,
    NomosResponseError,
)
from ..prices.conversion import slug
from ..storage import (
    StoredFile,
    read_count,
    read_day,
    read_flag,
    read_instant,
    read_number,
    stored_file,
)
from .metering import DayUsage, MonthUsage, StatisticKind
from .record import IncompleteMonth, LatestInvoice, UsageRecord


def usage_file(hass: HomeAssistant, subscription_id: str) -> StoredFile:
    """Return the file that holds what is known of a contract's meter."""
    return stored_file(hass, f"usage.{slug(subscription_id)}")


_DAY_FIELDS: Final = tuple(one.name for one in fields(DayUsage))


def encode_record(subscription_id: str, record: UsageRecord) -> dict[str, Any]:
    """Return a record as JSON; points in time in seconds since 1970."""
    return {
        "subscription": subscription_id,
        "meter": record.meter,
        "analog_on": _iso(record.analog_on),
        "days": [
            [one.day.isoformat(), *(getattr(one, name) for name in _DAY_FIELDS[1:])]
            for one in record.days.values()
        ],
        "months": [
            [one.month.isoformat(), one.kwh, one.final] for one in record.months
        ],
        "looked_to": _iso(record.looked_to),
        "settled_to": _iso(record.settled_to),
        "doubts": [
            [day.isoformat(), one.since.isoformat(), one.readings, one.repeated]
            for day, one in record.doubts.items()
        ],
        "recorded": {key: at.timestamp() for key, at in record.recorded.items()},
        "fees": {day.isoformat(): fee for day, fee in record.fees.items()},
        "answered_on": _iso(record.answered_on),
        "refused": {key: day.isoformat() for key, day in record.refused.items()},
        "invoice": {
            **asdict(record.invoice),
            "period_start": record.invoice.period_start.timestamp(),
            "period_end": record.invoice.period_end.timestamp(),
        }
        if record.invoice
        else None,
        "reductions": None
        if record.reductions is None
        else [one.to_json() for one in record.reductions],
        "reductions_on": _iso(record.reductions_on),
    }


def decode_record(subscription_id: str, stored: Any) -> UsageRecord:
    """Read what ``encode_record`` wrote; ValueError where it is of another subscription, or nonsense."""
    if stored["subscription"] != subscription_id:
        raise ValueError("another subscription")
    days = (_day(values) for values in stored["days"])
    invoice = stored["invoice"]
    return UsageRecord(
        meter=None if stored["meter"] is None else MeterType(stored["meter"]),
        analog_on=_date(stored.get("analog_on")),
        days={one.day: one for one in days},
        months=tuple(
            MonthUsage(read_day(month), read_number(kwh), read_flag(final))
            for month, kwh, final in stored["months"]
        ),
        looked_to=_date(stored["looked_to"]),
        settled_to=_date(stored["settled_to"]),
        doubts=dict(map(_doubt, stored["doubts"])),
        recorded={
            StatisticKind(key): read_instant(at)
            for key, at in dict(stored["recorded"]).items()
        },
        fees={
            read_day(day): read_number(fee)
            for day, fee in dict(stored.get("fees", {})).items()
        },
        answered_on=_date(stored.get("answered_on")),
        refused={key: read_day(day) for key, day in dict(stored["refused"]).items()},
        invoice=None
        if invoice is None
        else LatestInvoice(
            type=InvoiceType(invoice["type"]),
            status=InvoiceStatus(invoice["status"]),
            total=read_number(invoice["total"]),
            period_start=read_instant(invoice["period_start"]),
            period_end=read_instant(invoice["period_end"]),
        ),
        reductions=_reductions(stored["reductions"]),
        reductions_on=_date(stored["reductions_on"]),
    )


def _doubt(stored: Any) -> tuple[date, IncompleteMonth]:
    if isinstance(stored, str):
        # As version 0.1 wrote it: the day alone.
        day = read_day(stored)
        return day, IncompleteMonth(day, 0)
    day, since, readings, repeated = stored
    return read_day(day), IncompleteMonth(
        read_day(since),
        None if readings is None else read_count(readings),
        read_flag(repeated),
    )


def _day(values: list[Any]) -> DayUsage:
    named = dict(zip(_DAY_FIELDS, values, strict=True))
    return DayUsage(
        day=read_day(named["day"]),
        kwh=read_number(named["kwh"]),
        cost=_optional(named["cost"]),
        priced_kwh=read_number(named["priced_kwh"]),
        lowest=_optional(named["lowest"]),
        mean=_optional(named["mean"]),
        highest=_optional(named["highest"]),
        readings=read_count(named["readings"]),
        missing=read_count(named["missing"]),
        final=read_flag(named["final"]),
        digest=read_count(named["digest"]),
    )


def _reductions(stored: Any) -> tuple[GridFeeReduction, ...] | None:
    if stored is None:
        return None
    try:
        return tuple(GridFeeReduction.from_json(one) for one in stored)
    except NomosResponseError as err:
        raise ValueError(err.field) from None


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _date(text: str | None) -> date | None:
    return None if text is None else read_day(text)


def _optional(value: Any) -> float | None:
    return None if value is None else read_number(value)
