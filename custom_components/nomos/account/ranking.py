"""Which of several contracts is meant where none is named."""

from collections.abc import Iterable

from ..api import Subscription, SubscriptionStatus


def rank_contracts(subscriptions: Iterable[Subscription]) -> list[Subscription]:
    """Return the contracts about consumption, those that run first, and what begins soonest next.

    Nomos lists the newest first: where a contract follows on another, that is the one that has not begun.
    """
    return sorted(
        (one for one in subscriptions if not one.feeds_in),
        key=lambda one: (
            one.inactive,
            one.status is SubscriptionStatus.ENDED,
            one.start_at or one.created_at,
            one.id,
        ),
    )
