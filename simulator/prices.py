"""Prices: when a day is published, and the responses to `GET /subscriptions/{id}/prices`."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from . import noise
from .berlin import (
    BERLIN,
    DAY,
    api_time,
    at_local,
    day_intervals,
    days,
    local_date,
    midnight,
)
from .customers import Subscription
from .errors import ApiError, FieldError, bad_field
from .http import Request
from .market import Market
from .settings import Settings, selected
from .tariff import PricePoint, price_of

_REFERENCES = {
    "15min": "EPEX Day-Ahead Quarter-Hourly",
    "hourly": "EPEX Day-Ahead Hourly",
}


class PriceService:
    """Calculates prices from market and contract, and answers price requests."""

    def __init__(self, market: Market, seed: int) -> None:
        """Use a market; the seed fixes the publication times."""
        self._market = market
        self._seed = seed

    # --- True prices -------------------------------------------------------------------------------------------

    def price(self, subscription: Subscription, instant: datetime) -> PricePoint | None:
        """Return the price of the interval that contains an instant, published or not; None outside the contract."""
        step = subscription.step
        seconds = step.total_seconds()
        start = datetime.fromtimestamp(instant.timestamp() // seconds * seconds, UTC)
        if not subscription.covers(start):
            return None
        point = price_of(
            self._market,
            start,
            step,
            feed_in=subscription.feeds_in,
            decimals=subscription.decimals,
        )
        correction = subscription.corrections.get(start)
        if point is None or correction is None:
            return point
        return point.corrected(correction)

    def day_prices(self, subscription: Subscription, day: date) -> list[PricePoint]:
        """Return the prices of a local day, published or not."""
        return [
            point
            for start in day_intervals(day, subscription.step)
            if (point := self.price(subscription, start)) is not None
        ]

    def correct(
        self, subscription: Subscription, instant: datetime, amount: float
    ) -> PricePoint:
        """Change the total of the interval that contains an instant, in ct/kWh, from now on."""
        point = self.price(subscription, instant)
        if point is None:
            raise ValueError("there is no price at this instant")
        subscription.corrections[point.start] = amount
        return point.corrected(amount)

    # --- Publication -------------------------------------------------------------------------------------------

    def publication(self, day: date, settings: Settings) -> datetime | None:
        """Return the instant (UTC) at which a delivery day is published; None: never.

        Without a setting it is between 13:00 and 14:20 local time on the day before, fixed for each day by the seed.
        """
        planned = settings.publications.get(day, settings.publication_time)
        if planned == "never":
            return None
        if isinstance(planned, time):
            return at_local(day - DAY, planned)
        share = noise.uniform(self._seed, "publication", day.toordinal())
        return at_local(day - DAY, time(13)) + timedelta(seconds=int(share * 80 * 60))

    def published_until(
        self, subscription: Subscription, now: datetime, settings: Settings
    ) -> datetime:
        """Return the end (UTC) of published prices without a gap, from the current interval on."""
        step = subscription.step
        start = midnight(local_date(now))
        start += (now - start) // step * step
        while self.price(subscription, start) is not None:
            day = local_date(start)
            if not self._published(day, (start - midnight(day)) // step, now, settings):
                break
            start += step
        return start

    def _published(
        self, day: date, index: int, now: datetime, settings: Settings
    ) -> bool:
        """Whether the index-th interval of a day is published at an instant."""
        published_at = self.publication(day, settings)
        if published_at is None or now < published_at:
            return False
        if settings.partial_batch is None or index < settings.partial_batch:
            return True
        return now >= published_at + timedelta(minutes=settings.partial_minutes)

    # --- Answers -----------------------------------------------------------------------------------------------

    def answer(
        self, request: Request, subscription: Subscription, now: datetime
    ) -> dict[str, Any]:
        """Return the body of the response to a price request."""
        settings = request.settings
        first, last = _read_range(request.query)
        longest = settings.max_price_days
        if longest is not None and (last - first).days >= longest:
            raise bad_field("too_big", "end", f"At most {longest} days")
        status = subscription.status(now)
        if status != "active" and settings.inactive_prices == "error":
            code = {
                "pending": "subscription_not_started",
                "ended": "ended_subscription",
            }
            error = FieldError(code[status], "", f"It is {status}")
            raise ApiError(400, f"The subscription is {status}", (error,))
        return {
            "object": "price",
            "subscription": subscription.id,
            "period": {"start": first.isoformat(), "end": last.isoformat()},
            "unit": settings.unit,
            "currency": settings.currency,
            "resolution": settings.resolution_name or subscription.resolution,
            "reference": _REFERENCES[subscription.resolution],
            "items": self._items(settings, subscription, first, last, now)
            if status == "active"
            else None,
        }

    def _items(
        self,
        settings: Settings,
        subscription: Subscription,
        first: date,
        last: date,
        now: datetime,
    ) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        any_published = False
        # Limit the work for a range of centuries, since there are no prices outside the contract or far ahead.
        if subscription.start_at is not None:
            first = max(first, local_date(subscription.start_at))
        last = min(last, local_date(now) + 31 * DAY)
        for day in days(first, last):
            starts = day_intervals(day, subscription.step)
            for index, start in enumerate(starts):
                point = self.price(subscription, start)
                if point is None:
                    continue
                if self._published(day, index, now, settings):
                    any_published = True
                    if not selected(settings.missing, start, index, len(starts)):
                        items.append(_published(settings, point, index, len(starts)))
                elif settings.unpublished in {"null_amounts", "null_electricity"}:
                    items.append(_unpublished(settings, point, len(items)))
        if not any_published and settings.unpublished in {"error_404", "error_400"}:
            raise ApiError(
                int(settings.unpublished[-3:]),
                "Prices for this period are not available yet",
            )
        if settings.duplicates:
            items += [dict(item) for item in items[::7]]
        if settings.unsorted:
            # A fixed shuffle: the later half first, each half backwards, so no order is right by accident.
            half = len(items) // 2
            items = items[half:][::-1] + items[:half][::-1]
        return items


def _read_range(query: Mapping[str, str]) -> tuple[date, date]:
    """Return the first and last day of a price request; both are required."""
    first, last = (read_day(query, name) for name in ("start", "end"))
    if first is None:
        raise bad_field("invalid_type", "start", "Required")
    if last is None:
        raise bad_field("invalid_type", "end", "Required")
    if last < first:
        raise bad_field("invalid_value", "end", "Must not be before start")
    return first, last


def read_day(query: Mapping[str, str], name: str) -> date | None:
    """Return a date from the query; None if it is absent."""
    if (text := query.get(name)) is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise bad_field(
            "invalid_format", name, "Must be a date like 2026-06-01"
        ) from None


def _timestamp(settings: Settings, start: datetime, index: int) -> str:
    style = settings.timestamps
    if style == "mixed":
        style = ("z", "millis", "offset")[index % 3]
    if style == "offset":
        return start.astimezone(BERLIN).isoformat()
    return api_time(start, millis=style == "millis")


def _components(settings: Settings, point: PricePoint) -> dict[str, Any]:
    if point.grid is None and settings.feed_in_components == "electricity":
        return {"electricity": point.electricity}
    return {
        "electricity": point.electricity,
        "grid": point.grid or 0,
        "levies": point.levies or 0,
    }


def _item(
    settings: Settings, timestamp: str, amount: Any, components: dict[str, Any]
) -> dict[str, Any]:
    item: dict[str, Any] = {"timestamp": timestamp, "amount": amount}
    if settings.components != "absent":
        listed = [{"type": name, "amount": part} for name, part in components.items()]
        if settings.unknown_component:
            listed.append({"type": "simulated_surcharge", "amount": 0.0})
        item["components"] = {"full": listed, "empty": [], "null": None}[
            settings.components
        ]
    return item


def _published(
    settings: Settings, point: PricePoint, index: int, count: int
) -> dict[str, Any]:
    components = _components(settings, point)
    amount: Any = point.amount
    if selected(settings.null_components, point.start, index, count):
        hidden = components.keys() & set(settings.null_component_types)
        components |= dict.fromkeys(hidden)
    if selected(settings.null_amounts, point.start, index, count):
        amount = None
    if selected(settings.nan_amounts, point.start, index, count):
        amount = "NaN" if settings.nan_style == "text" else float("nan")
    timestamp = _timestamp(settings, point.start, index)
    return _item(settings, timestamp, amount, components)


def _unpublished(settings: Settings, point: PricePoint, index: int) -> dict[str, Any]:
    components = _components(settings, point)
    all_hidden = settings.unpublished == "null_amounts"
    components |= dict.fromkeys(components if all_hidden else ["electricity"])
    timestamp = _timestamp(settings, point.start, index)
    return _item(settings, timestamp, None, components)
