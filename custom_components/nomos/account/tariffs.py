"""The tariffs of an account's contracts: their names and base fees."""

from collections.abc import Iterable
from datetime import date
from functools import partial
import logging

from ..api import (
    NomosClient,
    NomosNotFoundError,
    NomosPermissionError,
    Subscription,
    SubscriptionStatus,
    Tariff,
)
from ..errors import REQUEST_ERRORS
from .connection import Connection

_LOGGER = logging.getLogger(__name__)


class Tariffs:
    """The known tariffs. Nothing depends on them, as it is not documented whether customers may read them."""

    def __init__(self, connection: Connection) -> None:
        """Begin without prices."""
        self.known: dict[str, Tariff] = {}
        self.asked_on: date | None = None
        """The day on which the tariffs of running contracts were last answered or refused."""
        self._connection = connection
        self._refused = False

    async def async_update(
        self, contracts: Iterable[Subscription], today: date
    ) -> bool:
        """Request new tariffs, and once a month those of running contracts; return whether any changed.

        The monthly fee of a tariff can change. A failed request is repeated with the next list of contracts.
        """
        monthly = self.asked_on is None or (
            self.asked_on.replace(day=1) != today.replace(day=1)
        )
        if monthly:
            self._refused = False
        wanted = {
            one.tariff_id
            for one in contracts
            if one.tariff_id not in self.known
            or (monthly and one.status is not SubscriptionStatus.ENDED)
        }
        before, failed = dict(self.known), False
        for tariff_id in sorted(wanted):
            if self._refused:
                break
            ask = partial(NomosClient.tariff, tariff_id=tariff_id)
            try:
                self.known[tariff_id] = await self._connection.async_ask(
                    ask, optional=True
                )
            except NomosPermissionError, NomosNotFoundError:
                # One that is known is kept: the refusal may be a mistake.
                self._refused = tariff_id not in self.known
            except REQUEST_ERRORS as err:
                _LOGGER.debug("A tariff could not be read: %s", type(err).__name__)
                failed = True
        if monthly and not failed:
            self.asked_on = today
        return self.known != before
