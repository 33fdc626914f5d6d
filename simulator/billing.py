"""The monthly billing of a contract: invoices, meter readings, grid-fee reductions."""

from datetime import date, datetime, time
from typing import Any

from . import noise
from .berlin import (
    HOUR,
    add_months,
    api_time,
    at_local,
    intervals,
    local_date,
    midnight,
    month_start,
    working_day,
)
from .customers import Subscription, World
from .objects import meter_id
from .prices import PriceService
from .usage import UsageService


class BillingService:
    """Invoices and readings of all contracts. Past months do not change, so each is computed once."""

    def __init__(self, world: World, prices: PriceService, usage: UsageService) -> None:
        """Bill the world's contracts."""
        self._world = world
        self._prices = prices
        self._usage = usage
        self._months: dict[tuple[str, date, float], tuple[float, float]] = {}

    def _month(self, subscription: Subscription, month: date) -> tuple[float, float]:
        """Return kWh and EUR (without base fee) of a month, from hourly samples."""
        key = (subscription.id, month, subscription.estimated_usage)
        if key not in self._months:
            energy = self._usage.month(subscription, month)
            # A mean of prices every six hours is good enough for an amount that nobody checks.
            end = midnight(add_months(month, 1))
            points = [
                self._prices.price(subscription, start)
                for start in intervals(midnight(month), end, 6 * HOUR)
            ]
            known = [point.amount for point in points if point is not None]
            mean = sum(known) / len(known) if known else 30.0
            self._months[key] = round(energy, 2), round(energy * mean / 100, 2)
        return self._months[key]

    # --- Invoices ----------------------------------------------------------------------------------------------

    def invoices(
        self, subscription: Subscription, now: datetime
    ) -> list[dict[str, Any]]:
        """Return a contract's invoices, oldest first."""
        if subscription.start_at is None:
            return []
        result: list[dict[str, Any]] = []
        month = month_start(local_date(subscription.start_at))
        number = 0
        while midnight(month) < now:
            number += 1
            result += self._month_invoices(subscription, month, number, now)
            month = add_months(month, 1)
            if (
                subscription.end_at is not None
                and midnight(month) >= subscription.end_at
            ):
                break
        return result

    def _month_invoices(
        self, subscription: Subscription, month: date, number: int, now: datetime
    ) -> list[dict[str, Any]]:
        result: list[dict[str, Any]] = []
        if subscription.meter_type == "analog":
            issued = at_local(month, time(6))
            item = self._invoice(subscription, month, number, issued, "prepayment", now)
            item["total"] = round(subscription.estimated_usage / 12 * 0.3, 2)
            if number == 2:
                item |= {"status": "uncollectible", "paid_at": None}
            if issued <= now:
                result.append(item)
        issued = at_local(working_day(add_months(month, 1), 8), time(9))
        if issued > now:
            return result
        energy, amount = self._month(subscription, month)
        fee = self._world.plans[subscription.plan].price
        item = self._invoice(subscription, month, number, issued, "usage", now)
        # Feed-in is a credit.
        total = fee - amount if subscription.feeds_in else fee + amount
        item |= {"usage": energy, "total": round(total, 2)}
        result.append(item)
        if number == 3:
            # One month was invoiced wrongly: the original is voided, and a void invoice reverses it.
            item |= {"status": "voided", "paid_at": None}
            void = self._invoice(
                subscription, month, number, issued + 72 * HOUR, "void", now
            )
            void |= {"voids": item["id"], "total": -item["total"]}
            result.append(void)
        return result

    def _invoice(
        self,
        subscription: Subscription,
        month: date,
        number: int,
        issued: datetime,
        kind: str,
        now: datetime,
    ) -> dict[str, Any]:
        paid = issued + 14 * 24 * HOUR
        following = add_months(month, 1)
        return {
            "object": "invoice",
            "id": noise.identifier(
                "inv", self._world.seed, f"{subscription.id}:{month}:{kind}"
            ),
            "customer": self._world.customers[subscription.email].id,
            "subscription": subscription.id,
            "invoice_number": f"{subscription.number or 'SIM'}-{number:03}{kind[0].upper()}",
            "month": month.month,
            "year": month.year,
            "period_start": api_time(
                max(midnight(month), subscription.start_at or midnight(month))
            ),
            "period_end": api_time(
                min(midnight(following), subscription.end_at or midnight(following))
            ),
            "period_number": number,
            "status": "paid" if paid <= now else "open",
            "issued_at": api_time(issued),
            "paid_at": api_time(paid) if paid <= now else None,
            "type": kind,
        }

    # --- Meter readings ----------------------------------------------------------------------------------------

    def readings(
        self, subscription: Subscription, now: datetime
    ) -> list[dict[str, Any]]:
        """Return a contract's readings, oldest first: one at the start, then quarterly ones of an analog meter."""
        start = subscription.start_at
        if start is None or start > now:
            return []
        value = float(int(20000 * noise.uniform(self._world.seed, subscription.id, 2)))
        result = [self._reading(subscription, start, value, "customer_report")]
        month = month_start(local_date(start))
        while (
            subscription.meter_type == "analog"
            and midnight(add_months(month, 1)) <= now
        ):
            value += self._month(subscription, month)[0]
            month = add_months(month, 1)
            if (
                subscription.end_at is not None
                and midnight(month) > subscription.end_at
            ):
                break
            kind = "grid_reading" if month.month % 3 == 1 else "grid_estimation"
            result.append(
                self._reading(subscription, midnight(month), round(value, 1), kind)
            )
        return result

    def _reading(
        self, subscription: Subscription, at: datetime, value: float, kind: str
    ) -> dict[str, Any]:
        return {
            "object": "meter_reading",
            "id": noise.identifier("mr", self._world.seed, f"{subscription.id}:{at}"),
            "customer": self._world.customers[subscription.email].id,
            "subscription": subscription.id,
            "meter": meter_id(self._world, subscription),
            "value": value,
            "timestamp": api_time(at, millis=True),
            "type": kind,
            "created_at": api_time(at + 10 * HOUR, millis=True),
        }

    # --- Grid-fee reductions -----------------------------------------------------------------------------------

    def reductions(self, subscription: Subscription) -> list[dict[str, Any]]:
        """Return a contract's grid-fee reductions: module 3 (varying grid fee) for consumption with a smart meter."""
        if (
            subscription.feeds_in
            or subscription.meter_type == "analog"
            or subscription.start_at is None
        ):
            return []
        return [
            {
                "object": "grid_fee_reduction",
                "id": noise.identifier("gfr", self._world.seed, subscription.id),
                "subscription": subscription.id,
                "customer": self._world.customers[subscription.email].id,
                "type": "enwg-14a-module-3",
                "status": "activated",
                "valid_from": api_time(subscription.start_at),
                "valid_until": None,
                "created_at": api_time(subscription.created_at),
                "updated_at": api_time(subscription.created_at),
            }
        ]
