"""The plans of an account's contracts: their names and base fees."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import date, timedelta
from functools import partial
import logging
from typing import Final

from homeassistant.exceptions import OAuth2TokenRequestBaseError

from .api import (
    NomosClient,
    NomosError,
    NomosNotFoundError,
    NomosPermissionError,
    Plan,
    Subscription,
    SubscriptionStatus,
)

_LOGGER = logging.getLogger(__name__)

_ASK_AGAIN_AFTER: Final = timedelta(days=33)
"""How old a plan may be: what it costs a month can change.

Not the thirty days after which the reductions of the grid fee are asked for again: both would fall on the same day."""


class Plans:
    """What Nomos has told of plans.

    Whether a customer may read plans is not documented: they are no necessity.
    """

    def __init__(
        self, ask: Callable[[Callable[[NomosClient], Awaitable[Plan]]], Awaitable[Plan]]
    ) -> None:
        """Take the way to ask; no plan is known."""
        self.known: dict[str, Plan] = {}
        self.asked_on: date | None = None
        """The day on which the plans of contracts that run were asked for."""
        self.asked = False
        """Whether the last look asked for any, so that there is something to store."""
        self._ask = ask
        self._refused = False

    async def async_learn(
        self, subscriptions: Iterable[Subscription], today: date
    ) -> bool:
        """Ask for plans that are new, and now and then for those of contracts that run; return whether one is news.

        Raises:
            ConfigEntryAuthFailed: Nomos refuses the grant.

        """
        subscriptions = list(subscriptions)
        wanted = {one.plan_id for one in subscriptions} - self.known.keys()
        self.asked = False
        if self.asked_on is None or not (
            timedelta() <= today - self.asked_on < _ASK_AGAIN_AFTER
        ):
            self.asked_on, self.asked = today, True
            wanted |= {
                one.plan_id
                for one in subscriptions
                if one.status is not SubscriptionStatus.ENDED
            }
        news = False
        for plan_id in sorted(wanted):
            if self._refused:
                break
            try:
                plan = await self._ask(partial(NomosClient.plan, plan_id=plan_id))
            except NomosPermissionError, NomosNotFoundError:
                # One that was told before is not given up for a slip.
                self._refused = plan_id not in self.known
            except (NomosError, OAuth2TokenRequestBaseError) as err:
                _LOGGER.debug("The plan could not be read: %s", type(err).__name__)
            else:
                self.asked = True
                news |= plan != self.known.get(plan_id)
                self.known[plan_id] = plan
        return news
