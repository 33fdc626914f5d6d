"""Which contract is meant: the one place that decides."""

from collections.abc import Iterable

from ..api import Subscription, SubscriptionStatus


def rank_contracts(contracts: Iterable[Subscription]) -> list[Subscription]:
    """Return contracts in the order in which to offer them: running, then what begins soonest, then ended.

    Those about consumption come before those that feed in at the same time. Nomos lists the newest first: if a
    contract follows on another, that is the one that has not begun.
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
    """Return the contract about consumption that is meant if none is named; None if there is none."""
    ranked = rank_contracts(one for one in contracts if not one.feeds_in)
    return ranked[0] if ranked else None


def feed_in_contract(contracts: Iterable[Subscription]) -> Subscription | None:
    """Return the active contract for feeding in that has run the longest; None if there is none."""
    ranked = rank_contracts(
        one
        for one in contracts
        if one.feeds_in and one.status is SubscriptionStatus.ACTIVE
    )
    return ranked[0] if ranked else None


def only_contract(contracts: Iterable[Subscription]) -> Subscription | None:
    """Return the one active contract about consumption, or else the only contract; None if that is not clear."""
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
    """Return the contract that one of some names means: its id, or its number."""
    found = (one for one in contracts if not names.isdisjoint({one.id, one.number}))
    return next(found, None)
