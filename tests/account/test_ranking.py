"""Tests of which contract is meant where none is named."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

from custom_components.nomos.account.ranking import rank_contracts
from custom_components.nomos.api import (
    Subscription,
    SubscriptionStatus,
    SubscriptionType,
)

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_those_that_run_come_first() -> None:
    """Then what begins soonest, then what has ended; what feeds in is none of them."""
    running = Subscription(
        id="running",
        customer_id="customer",
        tariff_id="plan",
        status=SubscriptionStatus.ACTIVE,
        type=SubscriptionType.CONSUMPTION,
        number=None,
        created_at=NOON,
        start_at=NOON,
        terminated_at=None,
        end_at=None,
    )
    later = replace(running, id="later", start_at=NOON + timedelta(days=1))
    new = replace(running, id="new", status=SubscriptionStatus.UNKNOWN, start_at=None)
    pending = replace(running, id="pending", status=SubscriptionStatus.PENDING)
    someday = replace(later, id="someday", status=SubscriptionStatus.PENDING)
    ended = replace(
        running,
        id="ended",
        status=SubscriptionStatus.ENDED,
        start_at=NOON - timedelta(days=9),
    )
    feed_in = replace(running, id="feed_in", type=SubscriptionType.FEED_IN)
    expected = ["new", "running", "later", "pending", "someday", "ended"]
    for order in permutations([running, later, pending, someday, ended, feed_in, new]):
        assert [one.id for one in rank_contracts(order)] == expected
