"""Usage: what a household's meter measures, and the responses to `GET /subscriptions/{id}/usage`."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from . import noise, weather
from .berlin import (
    BERLIN,
    DAY,
    HOUR,
    QUARTER,
    add_months,
    api_time,
    at_local,
    day_intervals,
    days,
    intervals,
    local_date,
    midnight,
    month_start,
    working_day,
)
from .customers import Subscription
from .errors import bad_field
from .http import Request
from .prices import read_day
from .settings import Settings, selected

_RESOLUTIONS = ("auto", "15min", "hour", "day", "week", "month")


class Household:
    """A household's energy by the quarter-hour in kWh, stable by seed and contract."""

    def __init__(self, seed: int, subscription: Subscription) -> None:
        """Create the household of a contract."""
        self._seed = seed
        self._name = f"usage:{subscription.id}"
        self._feeds_in = subscription.feeds_in
        self._scale = subscription.estimated_usage / (365.25 * 96)
        self._late = noise.signed(seed, self._name, -1)

    def energy(self, start: datetime) -> float:
        """Return the final kWh of the quarter-hour that starts at an instant."""
        local = start.astimezone(BERLIN)
        hour = local.hour + local.minute / 60
        day = local.date().toordinal()
        season = weather.summer(local)
        luck = noise.uniform(self._seed, self._name, int(start.timestamp()) // 900)
        if self._feeds_in:
            sunshine = weather.sunshine(self._seed, day + hour / 24)
            return round(
                self._scale
                * 6.2
                * weather.daylight(hour, season)
                * (0.3 + 0.7 * season)
                * (0.2 + 0.8 * sunshine)
                * (0.8 + 0.4 * luck),
                3,
            )
        weekend = local.weekday() >= 5
        shape = (
            0.42
            + 0.9 * weather.peak(hour, 7.2 + 1.6 * weekend, 1.2)
            + 0.55 * weather.peak(hour, 12.6, 1.5) * (1 + weekend)
        )
        shape += 2.3 * weather.peak(hour, 19.3 + 0.7 * self._late, 2.0)
        mood = 0.75 + 0.5 * noise.uniform(self._seed, self._name + ":day", day)
        # Now and then, an oven, a kettle or a washing machine runs for a quarter-hour.
        burst = 2.2 if luck > 0.955 and 6 <= hour < 23 else 0.0
        return round(
            self._scale
            * (1.18 - 0.3 * season)
            * mood
            * (shape * (0.8 + 0.3 * luck) + burst),
            3,
        )

    def preliminary(self, start: datetime) -> float:
        """Return the preliminary kWh, which the final value replaces; most are already right."""
        final = self.energy(start)
        index = int(start.timestamp()) // 900
        draw = noise.uniform(self._seed, self._name + ":doubt", index)
        if draw < 0.88:
            return final
        return round(final * (0.9 + 0.2 * (draw - 0.88) / 0.12), 3)

    def gap(self, day: date, index: int, *, final: bool) -> bool:
        """Whether the meter's data of an interval was lost; most gaps are filled when values become final."""

        def draw(stream: str) -> float:
            return noise.uniform(self._seed, f"{self._name}:{stream}", day.toordinal())

        if draw("hole") > (0.01 if final else 0.05):
            return False
        return 0 <= index - int(90 * draw("first")) < 2 + int(6 * draw("length"))


def final_at(day: date) -> datetime:
    """Return the instant from which a day's values are final: the 8th working day of the following month."""
    return midnight(working_day(add_months(day, 1), 8))


class UsageService:
    """Calculates what the meters measure, and answers usage requests."""

    def __init__(self, seed: int) -> None:
        """Use the households of a seed."""
        self._seed = seed
        self._corrections: dict[tuple[str, datetime], float] = {}

    def correct(self, subscription: Subscription, start: datetime, kwh: float) -> None:
        """Change the energy of a quarter-hour from now on."""
        self._corrections[subscription.id, start] = kwh

    def answer(
        self, request: Request, subscription: Subscription, now: datetime
    ) -> dict[str, Any]:
        """Return the body of the response to a usage request; `start` is inclusive, `end` exclusive."""
        wanted = request.query.get("resolution", "auto")
        if wanted not in _RESOLUTIONS:
            raise bad_field(
                "invalid_value",
                "resolution",
                f"Must be one of {', '.join(_RESOLUTIONS)}",
            )
        first, end = self._range(request, subscription, now)
        if end < first or (
            end == first and request.settings.usage_empty_range == "error"
        ):
            raise bad_field("invalid_value", "end", "Must be after start")
        span = (end - first).days
        # Limit the work for a range of centuries, since there is no usage outside the contract.
        first = max(first, local_date(subscription.start_at or now))
        end = min(end, local_date(now) + DAY)
        if subscription.meter_type == "analog":
            resolution = "month"
            data = self._analog(request.settings, subscription, first, end, now)
        else:
            resolution = _auto(span) if wanted == "auto" else wanted
            data = self._smart(
                request.settings, subscription, resolution, first, end, now
            )
        return {
            "object": "usage",
            "meter_type": subscription.meter_type,
            "resolution": resolution,
            "data": data,
        }

    def _range(
        self, request: Request, subscription: Subscription, now: datetime
    ) -> tuple[date, date]:
        today = local_date(now)
        first, end = read_day(request.query, "start"), read_day(request.query, "end")
        if subscription.meter_type == "smart":
            return first or today - DAY, end or today
        begin = local_date(subscription.start_at or now)
        return first or max(begin, add_months(today, -12)), end or month_start(today)

    def quarters(
        self,
        settings: Settings,
        subscription: Subscription,
        first: date,
        end: date,
        now: datetime,
    ) -> Iterator[tuple[datetime, float, bool]]:
        """Yield start, kWh and finality of the quarter-hours that are measured and known by an instant.

        Args:
            settings: how the meters behave.
            subscription: the meter's contract.
            first: the first local day.
            end: the day after the last one.
            now: the instant.

        """
        household = Household(self._seed, subscription)
        for day in days(first, end - DAY):
            if now < at_local(
                day + (1 + settings.usage_delay_days) * DAY, settings.usage_time
            ):
                return
            final = now >= final_at(day)
            starts = day_intervals(day)
            for index, start in enumerate(starts):
                if not subscription.covers(start):
                    continue
                if selected(settings.usage_missing, start, index, len(starts)):
                    continue
                if settings.usage_gaps and household.gap(day, index, final=final):
                    continue
                energy = self._corrections.get((subscription.id, start))
                if energy is None:
                    measure = household.energy if final else household.preliminary
                    energy = measure(start)
                yield start, energy, final

    def _smart(
        self,
        settings: Settings,
        subscription: Subscription,
        resolution: str,
        first: date,
        end: date,
        now: datetime,
    ) -> list[dict[str, Any]]:
        if end <= first:
            return []
        # A week or month that the range overlaps is complete, as far as it is measured.
        begin = _bucket_day(first, resolution)
        if resolution == "week":
            end += (-(end - begin).days % 7) * DAY
        elif resolution == "month" and end != month_start(end):
            end = add_months(end, 1)
        sums: dict[datetime, float] = {}
        preliminary: set[datetime] = set()
        for start, energy, final in self.quarters(
            settings, subscription, begin, end, now
        ):
            bucket = _bucket(start, resolution)
            sums[bucket] = sums.get(bucket, 0.0) + energy
            if not final:
                preliminary.add(bucket)
        return [
            _entry(settings, bucket, energy, bucket not in preliminary)
            for bucket, energy in sums.items()
        ]

    def _analog(
        self,
        settings: Settings,
        subscription: Subscription,
        first: date,
        end: date,
        now: datetime,
    ) -> list[dict[str, Any]]:
        data: list[dict[str, Any]] = []
        month = month_start(first)
        while settings.analog_usage == "months" and month < end:
            following = add_months(month, 1)
            if now >= midnight(following) and subscription.covers(
                midnight(following) - QUARTER
            ):
                # An estimate at the month's end; the quarterly reading makes it final and corrects it.
                final = now >= midnight(reading_month(month))
                energy = self.month(subscription, month) * (1.0 if final else 1.04)
                data.append(_entry(settings, midnight(month), energy, final))
            month = following
        return data

    def month(self, subscription: Subscription, month: date) -> float:
        """Return a calendar month's kWh, computed from hourly samples of the household."""
        household = Household(self._seed, subscription)
        begin, end = midnight(month), midnight(add_months(month, 1))
        return sum(
            4 * household.energy(start)
            for start in intervals(begin, end, HOUR)
            if subscription.covers(start)
        )


def reading_month(month: date) -> date:
    """Return the first day of the quarter after a month, when an analog meter is read."""
    return add_months(month, 3 - (month.month - 1) % 3)


def _auto(span: int) -> str:
    for limit, resolution in ((2, "15min"), (14, "hour"), (92, "day"), (366, "week")):
        if span <= limit:
            return resolution
    return "month"


def _bucket_day(day: date, resolution: str) -> date:
    if resolution == "week":
        return day - timedelta(days=day.weekday())
    return month_start(day) if resolution == "month" else day


def _bucket(start: datetime, resolution: str) -> datetime:
    if resolution == "15min":
        return start
    if resolution == "hour":
        return start.replace(minute=0)
    return midnight(_bucket_day(local_date(start), resolution))


def _entry(
    settings: Settings, start: datetime, energy: float, final: bool
) -> dict[str, Any]:
    preliminary = "substitute" if settings.usage_unknown_type else "preliminary"
    return {
        "start": api_time(start, millis=True),
        "usage": round(energy, 3),
        "type": "final" if final else preliminary,
    }
