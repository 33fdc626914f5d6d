"""Tests of what feeding in pays."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.nomos.forecast.payout import market_is_negative, payouts
from custom_components.nomos.planner.expected import EnergyForecast, Expected
from custom_components.nomos.pricing import (
    EMPTY_TABLE,
    Components,
    Interval,
    PriceTable,
)

NOW = datetime(2026, 6, 10, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def bought(*market: float | None) -> PriceTable:
    """Return hourly consumption prices for market prices in ct/kWh; None is unknown."""
    return PriceTable.of(
        Interval(
            NOW + index * HOUR,
            NOW + (index + 1) * HOUR,
            0.3,
            Components(None if one is None else (one + 1.45) * 1.19 / 100, 0.1, 0.08),
        )
        for index, one in enumerate(market)
    )


def sold(*paid: float | None) -> PriceTable:
    """Return hourly payouts of a feed-in contract, in EUR/kWh."""
    return PriceTable.of(
        Interval(NOW + index * HOUR, NOW + (index + 1) * HOUR, one)
        for index, one in enumerate(paid)
    )


def payouts_with(**changes: object) -> list[float | None]:
    """Return the payouts of the first three hours."""
    given: dict[str, object] = {
        "fixed": None,
        "feed_in": None,
        "prices": bought(5.0, -0.5, None),
        "none_if_negative": False,
    }
    table = payouts(NOW, **(given | changes))  # type: ignore[arg-type]
    found = [table.at(NOW + index * HOUR) for index in range(3)]
    return [one.price if one else None for one in found]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [0.0, 0.0, 0.0]),
        ({"fixed": 0.081}, [0.081, 0.081, 0.081]),
        ({"feed_in": sold(0.09, -0.02, None)}, [0.09, -0.02, None]),
        ({"feed_in": EMPTY_TABLE}, [None, None, None]),
        ({"fixed": 0.081, "feed_in": sold(0.09, 0.09, 0.09)}, [0.081] * 3),
        ({"fixed": 0.0, "feed_in": sold(0.09, 0.09, 0.09)}, [0.0] * 3),
        ({"fixed": 0.081, "none_if_negative": True}, [0.081, 0.0, None]),
        (
            {
                "fixed": 0.081,
                "none_if_negative": True,
                "feed_in": sold(0.09, 0.01, -0.01),
            },
            [0.081, 0.081, 0.0],
        ),
        (
            {"fixed": 0.081, "none_if_negative": True, "feed_in": EMPTY_TABLE},
            [0.081, 0.0, None],
        ),
        (
            {"feed_in": sold(0.09, -0.02, None), "none_if_negative": True},
            [0.09, 0.0, None],
        ),
        (
            {"fixed": 0.081, "none_if_negative": True, "prices": EMPTY_TABLE},
            [0.081, 0.081, 0.081],
        ),
    ],
)
def test_payouts(changes, expected) -> None:
    """The fixed amount counts, else the contract's, else zero; it is zero while the market price is negative."""
    assert payouts_with(**changes) == expected


@pytest.mark.parametrize(
    ("electricity", "feeds_in", "expected"),
    [
        (0.0172, False, True),
        (0.0173, False, False),
        (-0.01, False, True),
        (None, False, None),
        (-0.001, True, True),
        (0.0, True, False),
    ],
)
def test_market(electricity, feeds_in, expected) -> None:
    """A consumption price adds tax and the supplier's share to the market price; a payout adds nothing."""
    interval = Interval(NOW, NOW + HOUR, 0.3, Components(electricity))
    assert market_is_negative(interval, feeds_in=feeds_in) is expected


def test_payout_beyond_known_prices() -> None:
    """Where the market price is not known yet, the payout of the same time a day earlier is used."""
    market = [5.0] * 24
    market[4] = -3.0
    prices = bought(*market)
    paid = payouts(NOW, fixed=0.08, feed_in=None, prices=prices, none_if_negative=True)
    nothing = EnergyForecast()
    expected = Expected(prices=prices, payouts=paid, house=nothing, sun=nothing)
    found = list(expected.quarters(NOW + 27 * HOUR, NOW + 30 * HOUR))
    assert [one.payout for one in found] == [0.08] * 4 + [0.0] * 4 + [0.08] * 4


def test_a_fixed_payout_lasts() -> None:
    """It is the same in the past and in the future, for longer than any plan."""
    paid = payouts(
        NOW, fixed=0.08, feed_in=None, prices=EMPTY_TABLE, none_if_negative=False
    )
    for days in (-3, 0, 8):
        found = paid.at(NOW + timedelta(days=days))
        assert found is not None
        assert found.price == 0.08
