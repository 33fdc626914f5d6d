"""The one place that decides which contract is meant."""

from collections.abc import Iterable

from ..api import Subscription, SubscriptionStatus


def rank_contracts(contracts: Iterable[Subscription]) -> list[Subscription]:
    """Return contracts in the order in which to offer them: running, then pending, then ended.

    Within each group, consumption comes before feed-in, then the earliest start. Nomos lists the newest first, which
    may be a successor that has not begun.
    """
    return sorted(
        contracts,
        key=lambda one: (
            one.inactive,
            one.status is SubscriptionStatus.ENDED,
            one.feeds_in,
            one.start_at or one.created_at,
            one.id,
        ),
    )


def default_contract(contracts: Iterable[Subscription]) -> Subscription | None:
    """Return the consumption contract to use if none is named; None if there is none."""
    ranked = rank_contracts(one for one in contracts if not one.feeds_in)
    return ranked[0] if ranked else None


def feed_in_contract(contracts: Iterable[Subscription]) -> Subscription | None:
    """Return the feed-in contract that has been active the longest; None if there is none."""
    ranked = rank_contracts(
        one
        for one in contracts
        if one.feeds_in and one.status is SubscriptionStatus.ACTIVE
    )
    return ranked[0] if ranked else None


def only_contract(contracts: Iterable[Subscription]) -> Subscription | None:
    """Return the only active consumption contract, or else the only contract; None if it is ambiguous."""
    found = list(contracts)
    active = [
        one
        for one in found
        if one.status is SubscriptionStatus.ACTIVE and not one.feeds_in
    ]
    candidates = active or found
    return candidates[0] if len(candidates) == 1 else None


def named_contract(
    contracts: Iterable[Subscription], names: set[str]
) -> Subscription | None:
    """Return the contract whose id or number is one of the names; None if there is none."""
    found = (one for one in contracts if not names.isdisjoint({one.id, one.number}))
    return next(found, None)
