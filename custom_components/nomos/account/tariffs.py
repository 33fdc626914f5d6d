"""The tariffs of an account's contracts: their names and base fees."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import date
from functools import partial
import logging

from homeassistant.exceptions import OAuth2TokenRequestBaseError

from ..api import (
    NomosClient,
    NomosError,
    NomosNotFoundError,
    NomosPermissionError,
    Subscription,
    SubscriptionStatus,
    Tariff,
)

_LOGGER = logging.getLogger(__name__)


class Tariffs:
    """What Nomos has told of tariffs.

    Whether a customer may read tariffs is not documented: they are no necessity.
    """

    def __init__(
        self,
        ask: Callable[[Callable[[NomosClient], Awaitable[Tariff]]], Awaitable[Tariff]],
    ) -> None:
        """Take the way to ask; no plan is known."""
        self.known: dict[str, Tariff] = {}
        self.asked_on: date | None = None
        """The day on which the tariffs of contracts that run were last answered or refused."""
        self._ask = ask
        self._refused = False

    async def async_learn(
        self, subscriptions: Iterable[Subscription], today: date
    ) -> bool:
        """Ask for tariffs that are new, and once a month for those of contracts that run; return whether one is news.

        With each month's first look: what a plan costs a month can change. One that fails is asked for again.

        Raises:
            ConfigEntryAuthFailed: Nomos refuses the grant.

        """
        subscriptions = list(subscriptions)
        wanted = {one.tariff_id for one in subscriptions} - self.known.keys()
        month = today.replace(day=1)
        monthly = self.asked_on is None or self.asked_on.replace(day=1) != month
        if monthly:
            self._refused = False
            wanted |= {
                one.tariff_id
                for one in subscriptions
                if one.status is not SubscriptionStatus.ENDED
            }
        news = failed = False
        for tariff_id in sorted(wanted):
            if self._refused:
                break
            try:
                plan = await self._ask(partial(NomosClient.tariff, tariff_id=tariff_id))
            except NomosPermissionError, NomosNotFoundError:
                # One that was told before is not given up for a slip.
                self._refused = tariff_id not in self.known
            except (NomosError, OAuth2TokenRequestBaseError) as err:
                _LOGGER.debug("The plan could not be read: %s", type(err).__name__)
                failed = True
            else:
                news |= plan != self.known.get(tariff_id)
                self.known[tariff_id] = plan
        if monthly and not failed:
            self.asked_on = today
        return news
