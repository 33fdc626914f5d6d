"""Prices: when a day is published, and what `GET /subscriptions/{id}/prices` says about it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from . import noise
from .berlin import (
    BERLIN,
    DAY,
    at_local,
    day_intervals,
    days,
    local_date,
    midnight,
    wire,
)
from .call import Call
from .customers import Subscription
from .errors import ApiError, FieldError, bad_field
from .market import Market
from .settings import CURIE, Settings, selected
from .tariff import PricePoint, price_of

_REFERENCES = {
    "15min": "EPEX Day-Ahead Quarter-Hourly",
    "hourly": "EPEX Day-Ahead Hourly",
}


def publication(day: date, seed: int, settings: Settings) -> datetime | None:
    """Return the instant (UTC) at which a delivery day is published; None: never.

    Without a setting it lies between 13:00 and 14:20 local time on the day before, fixed for each day by the seed.
    """
    planned = settings.publications.get(day, settings.publication_time)
    if planned == "never":
        return None
    if isinstance(planned, time):
        return at_local(day - DAY, planned)
    return at_local(day - DAY, time(13)) + timedelta(
        seconds=int(noise.uniform(seed, "publication", day.toordinal()) * 80 * 60)
    )


def true_price(
    market: Market, subscription: Subscription, instant: datetime
) -> PricePoint | None:
    """Return the price of the interval that contains an instant, published or not; None outside the contract."""
    step = subscription.step
    start = datetime.fromtimestamp(
        instant.timestamp() // step.total_seconds() * step.total_seconds(), UTC
    )
    if not subscription.covers(start):
        return None
    point = price_of(
        market,
        start,
        step,
        feed_in=subscription.type == "feed_in",
        decimals=subscription.decimals,
    )
    correction = subscription.corrections.get(start)
    return point if point is None or correction is None else point.corrected(correction)


class PriceDesk:
    """Answers price requests from the market, the contract and the clock."""

    def __init__(self, market: Market, seed: int) -> None:
        """Work from a market; the seed fixes the publication times."""
        self._market = market
        self._seed = seed

    def published(
        self, day: date, index: int, now: datetime, settings: Settings
    ) -> bool:
        """Whether the index-th interval of a day is out at an instant."""
        moment = publication(day, self._seed, settings)
        if moment is None or now < moment:
            return False
        if settings.partial_batch is None or index < settings.partial_batch:
            return True
        return now >= moment + timedelta(minutes=settings.partial_minutes)

    def published_until(
        self, subscription: Subscription, now: datetime, settings: Settings
    ) -> datetime:
        """Return the end (UTC) of what is published without a gap from the present interval on."""
        step = subscription.step
        start = midnight(local_date(now))
        start += (now - start) // step * step
        while true_price(self._market, subscription, start) is not None:
            day = local_date(start)
            if not self.published(day, (start - midnight(day)) // step, now, settings):
                break
            start += step
        return start

    def answer(
        self, call: Call, subscription: Subscription, now: datetime
    ) -> dict[str, Any]:
        """Return the body of a price request."""
        settings = call.settings
        if subscription.type == "feed_in" and call.version != CURIE:
            raise ApiError(
                400,
                "Feed-in subscriptions need a newer API version",
                (FieldError("upgrade_api_version", "", f"Use {CURIE}"),),
            )
        first, last = read_range(call.query)
        if (
            settings.max_price_days is not None
            and (last - first).days >= settings.max_price_days
        ):
            raise bad_field("too_big", "end", f"At most {settings.max_price_days} days")
        body: dict[str, Any] = {
            "object": "price",
            "subscription": subscription.id,
            "period": {"start": first.isoformat(), "end": last.isoformat()},
            "unit": settings.unit,
            "currency": settings.currency,
            "resolution": settings.resolution_name or subscription.resolution,
            "reference": _REFERENCES[subscription.resolution],
            "items": None,
        }
        status = subscription.status(now)
        if status != "active":
            if settings.inactive_prices == "error":
                code = (
                    "subscription_not_started"
                    if status == "pending"
                    else "ended_subscription"
                )
                raise ApiError(
                    400,
                    f"The subscription is {status}",
                    (FieldError(code, "", f"It is {status}"),),
                )
            return body
        body["items"] = self._items(settings, subscription, first, last, now)
        return body

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
        # A range of a century must not keep the simulator busy: nothing lies outside the contract or far ahead.
        if subscription.start_at is not None:
            first = max(first, local_date(subscription.start_at))
        last = min(last, local_date(now) + 31 * DAY)
        for day in days(first, last):
            starts = day_intervals(day, subscription.step)
            for index, start in enumerate(starts):
                point = true_price(self._market, subscription, start)
                if point is None:
                    continue
                if self.published(day, index, now, settings):
                    any_published = True
                    if not selected(settings.missing, start, index, len(starts)):
                        items.append(
                            _published(
                                settings,
                                point,
                                index,
                                len(starts),
                                feed_in=_is_feed_in(subscription),
                            )
                        )
                elif settings.unpublished in {"null_amounts", "null_electricity"}:
                    items.append(
                        _unpublished(
                            settings,
                            point,
                            len(items),
                            feed_in=_is_feed_in(subscription),
                        )
                    )
        if not any_published and settings.unpublished in {"error_404", "error_400"}:
            raise ApiError(
                int(settings.unpublished[-3:]),
                "Prices for this period are not available yet",
            )
        if settings.duplicates:
            items += [dict(item) for item in items[::7]]
        if settings.unsorted:
            # A fixed shuffle: later half first, each backwards, so that neither order is right by accident.
            half = len(items) // 2
            items = items[half:][::-1] + items[:half][::-1]
        return items


def read_range(query: Mapping[str, str]) -> tuple[date, date]:
    """Return the days of a price request, both inclusive and both required."""
    found = [read_day(query, name) for name in ("start", "end")]
    if (first := found[0]) is None:
        raise bad_field("invalid_type", "start", "Required")
    if (last := found[1]) is None:
        raise bad_field("invalid_type", "end", "Required")
    if last < first:
        raise bad_field("invalid_value", "end", "Must not be before start")
    return first, last


def read_day(query: Mapping[str, str], name: str) -> date | None:
    """Return a day of the query; None when it is absent."""
    if (text := query.get(name)) is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise bad_field(
            "invalid_format", name, "Must be a date like 2026-06-01"
        ) from None


def _is_feed_in(subscription: Subscription) -> bool:
    return subscription.type == "feed_in"


def _timestamp(settings: Settings, start: datetime, index: int) -> str:
    style = settings.timestamps
    if style == "mixed":
        style = ("z", "millis", "offset")[index % 3]
    if style == "offset":
        return start.astimezone(BERLIN).isoformat()
    return wire(start, millis=style == "millis")


def _components(
    settings: Settings, point: PricePoint, *, feed_in: bool
) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "electricity": point.electricity,
        "grid": point.grid,
        "levies": point.levies,
    }
    if feed_in:
        parts = {"electricity": point.electricity}
        if settings.feed_in_components == "all":
            parts |= {"grid": 0, "levies": 0}
    return parts


def _item(
    settings: Settings, timestamp: str, amount: Any, parts: dict[str, Any]
) -> dict[str, Any]:
    item: dict[str, Any] = {"timestamp": timestamp, "amount": amount}
    if settings.components != "absent":
        components = [{"type": name, "amount": value} for name, value in parts.items()]
        if settings.unknown_component:
            components.append({"type": "simulated_surcharge", "amount": 0.0})
        item["components"] = {"full": components, "empty": [], "null": None}[
            settings.components
        ]
    return item


def _published(
    settings: Settings, point: PricePoint, index: int, count: int, *, feed_in: bool
) -> dict[str, Any]:
    parts = _components(settings, point, feed_in=feed_in)
    amount: Any = point.amount
    if selected(settings.null_components, point.start, index, count):
        parts |= dict.fromkeys(parts.keys() & set(settings.null_component_types))
    if selected(settings.null_amounts, point.start, index, count):
        amount = None
    if selected(settings.nan_amounts, point.start, index, count):
        amount = "NaN" if settings.nan_style == "text" else float("nan")
    return _item(settings, _timestamp(settings, point.start, index), amount, parts)


def _unpublished(
    settings: Settings, point: PricePoint, index: int, *, feed_in: bool
) -> dict[str, Any]:
    parts = _components(settings, point, feed_in=feed_in)
    hidden = parts.keys() if settings.unpublished == "null_amounts" else {"electricity"}
    parts |= dict.fromkeys(hidden)
    return _item(settings, _timestamp(settings, point.start, index), None, parts)
