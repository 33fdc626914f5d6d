"""Tests of which contract is used if none is chosen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

from custom_components.nomos.account.ranking import (
    default_contract,
    named_contract,
    only_contract,
    rank_contracts,
)
from custom_components.nomos.api import (
    Subscription,
    SubscriptionStatus,
    SubscriptionType,
)

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def contract(key: str) -> Subscription:
    """Return a running consumption contract."""
    return Subscription(
        id=key,
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


def test_running_contracts_come_first() -> None:
    """Running contracts come first, then future ones (soonest first), then ended ones; consumption precedes feed-in."""
    running = contract("running")
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
    expected = ["new", "running", "later", "feed_in", "pending", "someday", "ended"]
    for order in permutations([running, later, pending, someday, ended, feed_in, new]):
        assert [one.id for one in rank_contracts(order)] == expected


def test_default() -> None:
    """The default is the first consumption contract; for actions, only if it is the only one."""
    running = contract("running")
    second = replace(running, id="second", start_at=NOON + timedelta(days=1))
    pending = replace(running, id="pending", status=SubscriptionStatus.PENDING)
    feed_in = replace(running, id="feed_in", type=SubscriptionType.FEED_IN)
    for contracts, usual, only in (
        ([], None, None),
        ([feed_in], None, feed_in),
        ([pending], pending, pending),
        ([feed_in, pending], pending, None),
        ([pending, running, feed_in], running, running),
        ([second, running], running, None),
    ):
        assert default_contract(contracts) is usual
        assert only_contract(contracts) is only


def test_names() -> None:
    """A contract can be named by its id or its number."""
    contracts = [contract("one"), replace(contract("two"), number="C-2")]
    assert named_contract(contracts, {"one"}) is contracts[0]
    assert named_contract(contracts, {"C-2"}) is contracts[1]
    assert named_contract(contracts, {"C-3"}) is None
