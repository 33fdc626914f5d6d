"""A house with solar power in five-minute slots: the cost of a load, calculated from the whole bill."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from custom_components.nomos.planner import Run
from custom_components.nomos.planner.expected import EnergyForecast
from custom_components.nomos.planner.own_sun import OwnSun
from custom_components.nomos.pricing import Interval, PriceTable

SLOT, QUARTER, HOUR = timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1)
SLOTS = 36

STARTS = (
    datetime(2026, 6, 10, 9, 30, tzinfo=UTC),
    # The hour before the clock is put forward, and the repeated hour in autumn.
    datetime(2026, 3, 29, 0, tzinfo=UTC),
    datetime(2026, 10, 25, 0, tzinfo=UTC),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surplus:
    """Three hours of a house: quarter-hourly prices and payouts, hourly need and sun, and the runs of other loads."""

    start: datetime
    prices: Sequence[float | None]
    payouts: Sequence[float | None]
    house: Sequence[float]
    sun: Sequence[float]
    others: Sequence[tuple[int, int, float]]
    """For each: first slot, end, and power in kW."""

    def at(self, slot: int) -> datetime:
        """Return the start of a slot."""
        return self.start + slot * SLOT

    @property
    def table(self) -> PriceTable:
        """Return the prices."""
        return _table(self.start, self.prices)

    @property
    def own(self) -> OwnSun:
        """Return the solar power that is available to a load."""
        return OwnSun(
            house=_forecast(self.start, self.house),
            sun=_forecast(self.start, self.sun),
            payouts=_table(self.start, self.payouts),
            runs=tuple(
                (Run(start=self.at(first), end=self.at(end)), power)
                for first, end, power in self.others
            ),
        )

    def cost(self, slot: int, power: float) -> float | None:
        """Return how much a load adds to a slot's bill, in EUR; None if the price is unknown."""
        price, payout = self.prices[slot // 3], self.payouts[slot // 3]
        if price is None:
            return None
        if payout is None:
            return power * price * (SLOT / HOUR)
        need = self.house[slot // 12] - self.sun[slot // 12]
        need += sum(kw for first, end, kw in self.others if first <= slot < end)
        return _bill(need + power, price, payout) - _bill(need, price, payout)


def _bill(need: float, price: float, payout: float) -> float:
    """Return the cost of a slot for a need (kW) beyond solar power."""
    return (max(need, 0.0) * price + min(need, 0.0) * payout) * (SLOT / HOUR)


def _table(start: datetime, prices: Sequence[float | None]) -> PriceTable:
    return PriceTable.of(
        Interval(start + index * QUARTER, start + (index + 1) * QUARTER, price)
        for index, price in enumerate(prices)
    )


def _forecast(start: datetime, powers: Sequence[float]) -> EnergyForecast:
    return EnergyForecast.of(
        (start + index * HOUR, power) for index, power in enumerate(powers)
    )


def _cents(low: int, high: int) -> st.SearchStrategy[float]:
    return st.integers(low, high).map(lambda cents: cents / 100)


@st.composite
def surpluses(draw: st.DrawFn, *, known: bool = False) -> Surplus:
    """Draw a house. With ``known``, no price or payout is missing."""
    price, payout = _cents(-20, 45), _cents(-10, 20)
    optional = [price, payout] if known else [price | st.none(), payout | st.none()]
    quarters = [
        st.lists(one, min_size=SLOTS // 3, max_size=SLOTS // 3) for one in optional
    ]
    hours = [
        st.lists(st.integers(0, most).map(float), min_size=3, max_size=3)
        for most in (4, 9)
    ]
    slots = st.integers(0, SLOTS)
    others = st.tuples(slots, slots, st.sampled_from([0.5, 2.0, 5.0]))
    return Surplus(
        start=draw(st.sampled_from(STARTS)),
        prices=draw(quarters[0]),
        payouts=draw(quarters[1]),
        house=draw(hours[0]),
        sun=draw(hours[1]),
        others=draw(st.lists(others.filter(lambda one: one[0] < one[1]), max_size=2)),
    )
