"""Contracts that have ended and are no longer shown, until what their meters measured stands.

The last day of a contract is delivered on the day after it, values become final weeks later, and whoever links an
account after a change of contract wants the history of the one before, too.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import override

from homeassistant.core import HomeAssistant, callback

from ..account.contracts import NomosAccount
from ..api import MeterType, Subscription, SubscriptionStatus
from ..prices.conversion import decode_table, price_file
from ..prices.coordinator import PriceCoordinator
from ..pricing import EMPTY_TABLE
from .coordinator import UsageCoordinator
from .prices import usage_price_file
from .record import UsageRecord
from .record_file import usage_file


class EndedUsage(UsageCoordinator):
    """The usage of a contract that has ended: it has no entities and fills statistics only."""

    def __init__(
        self, hass: HomeAssistant, prices: PriceCoordinator, turn: asyncio.Lock
    ) -> None:
        """Follow a contract; of several contracts one is asked about at a time."""
        super().__init__(hass, prices)
        self._turn = turn

    @property
    @override
    def _silent(self) -> bool:
        return (
            super()._silent
            or not self.history.kept
            or self.data.meter is MeterType.ANALOG
        )

    @property
    @override
    def _asks_for_reductions(self) -> bool:
        return False

    @override
    async def async_load(self) -> None:
        """Take what is stored; the prices of the last days are known from when the contract ran."""
        file = price_file(self.hass, self.subscription_id)
        table = await file.async_load(partial(decode_table, self.subscription_id))
        self.prices.data = table or EMPTY_TABLE
        await super().async_load()

    @override
    async def _async_update_data(self) -> UsageRecord:
        async with self._turn:
            record = await super()._async_update_data()
        if self.settled and self.prices.data is not EMPTY_TABLE:
            self.prices.data = EMPTY_TABLE
            await price_file(self.hass, self.subscription_id).async_remove()
        return record


class EndedContracts:
    """Keeps up with the contracts of an account that have ended and are not shown.

    The record of each stays as long as Nomos lists the contract: it says that nothing is left to be asked.
    """

    def __init__(self, hass: HomeAssistant, account: NomosAccount) -> None:
        """Begin with none."""
        self.usage: dict[str, EndedUsage] = {}
        self._hass = hass
        self._account = account
        self._leaving: list[UsageCoordinator] = []
        self._lock = asyncio.Lock()
        self._turn = asyncio.Lock()
        self._closed = False

    @callback
    def async_hand_over(self, usage: UsageCoordinator) -> None:
        """Take note of a contract that is no longer shown; ``async_follow`` ends what is under way of it."""
        self._leaving.append(usage)

    @callback
    def async_close(self) -> None:
        """Begin with no contract any more."""
        self._closed = True

    async def async_follow(self) -> None:
        """Let contracts come and go, and delete the files of those that Nomos does not list any more."""
        async with self._lock:
            while self._leaving:
                await self._leaving.pop().async_leave()
            wanted = self._wanted()
            for subscription_id in self.usage.keys() - wanted.keys():
                await self.usage.pop(subscription_id).async_leave()
                if subscription_id not in self._account.data:
                    await async_delete_files(self._hass, subscription_id)
            for subscription_id, subscription in wanted.items():
                if (known := self.usage.get(subscription_id)) is not None:
                    known.prices.async_subscription_changed(subscription)
                elif not self._closed:
                    await self._async_begin(subscription)

    async def _async_begin(self, subscription: Subscription) -> None:
        prices = PriceCoordinator(self._hass, self._account, subscription)
        usage = EndedUsage(self._hass, prices, self._turn)
        await usage.async_load()
        usage.async_start()
        self.usage[subscription.id] = usage

    def _wanted(self) -> Mapping[str, Subscription]:
        """Return the contracts that have run and ended, and are not shown."""
        shown = self._account.shown
        return {
            key: one
            for key, one in self._account.data.items()
            if key not in shown
            and one.status is SubscriptionStatus.ENDED
            and one.start_at is not None
            and (one.end_at is None or one.start_at < one.end_at)
        }


async def async_delete_files(hass: HomeAssistant, subscription_id: str) -> None:
    """Delete what is stored of a contract."""
    await price_file(hass, subscription_id).async_remove()
    await usage_file(hass, subscription_id).async_remove()
    await usage_price_file(hass, subscription_id).async_remove()
