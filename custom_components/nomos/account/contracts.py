"""One linked account: the list of its contracts, and the requests about them."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
import logging
import random
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.update_coordinator import UpdateFailed
from homeassistant.util import dt as dt_util

from ..api import NomosClient, Subscription, SubscriptionStatus, Tariff, is_opaque
from ..codec import decode
from ..const import DOMAIN
from ..errors import CredentialsMissingError, RequestError
from ..pricing import local_date
from ..schedule import next_contract_request
from ..scheduled_coordinator import ScheduledCoordinator
from ..storage import StoredFile, stored_file
from .connection import Connection
from .link import link_signal
from .tariffs import Tariffs

_LOGGER = logging.getLogger(__name__)

_MISSED_FOR: Final = timedelta(hours=20)
"""How long a contract must be missing from the list before it counts as gone: until the next day's list.

A single empty or incomplete list must not cost a household its devices, entities and prices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAccount:
    """The contracts and tariffs of an account by id, and when they were read; no personal data."""

    subscriptions: Mapping[str, Subscription]
    tariffs: Mapping[str, Tariff]
    tariffs_asked_on: date | None
    last_answer: datetime | None


class NomosAccount(ScheduledCoordinator[Mapping[str, Subscription]]):
    """The account's contracts by id."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, phase: float) -> None:
        """Begin without contracts; ``phase`` spreads the requests of installations."""
        self.connection = Connection(hass, entry, phase)
        self.after_rate_limit = self.connection.pace.after_rate_limit
        super().__init__(hass, entry, "contracts", self.after_rate_limit)
        self.phase = phase
        self.async_ask = self.connection.async_ask
        self.link = self.connection.link
        self.data = {}
        self.tariffs = Tariffs(self.connection)
        self._missing: dict[str, datetime] = {}
        entry.async_on_unload(
            async_dispatcher_connect(hass, link_signal(entry), self._link_changed)
        )

    async def async_begin(self) -> bool:
        """Load the stored contracts, or else request them; return whether they were stored.

        Raises:
            ConfigEntryNotReady: nothing is stored, and the request failed.

        """
        # This needs no request, and the customer can fix it.
        with suppress(ConfigEntryAuthFailed, CredentialsMissingError):
            await self.connection.async_check_credentials()
        self.link.async_remind()
        stored = await async_load_account(self.hass, self.config_entry)
        if stored is None:
            await self._async_first_answer()
        else:
            self.data, self.last_answer = stored.subscriptions, stored.last_answer
            self.tariffs.known = dict(stored.tariffs)
            self.tariffs.asked_on = stored.tariffs_asked_on
            self._schedule_at(self._first_request())
        return stored is not None

    @callback
    def _link_changed(self) -> None:
        """Schedule the request that tries access again."""
        if not self._asking and not self.link.is_open:
            self._schedule_at(self.link.try_at or dt_util.utcnow())
            self._schedule_refresh()

    @property
    @override
    def _next_try(self) -> datetime | None:
        return self.link.try_at

    @property
    def shown(self) -> Mapping[str, Subscription]:
        """Return the contracts that have a device, by id.

        These are running and future ones; if there is none, the one that ended last, so that the customer sees why.
        """
        live = {
            key: one
            for key, one in self.data.items()
            if one.status is not SubscriptionStatus.ENDED
        }
        if live or not self.data:
            return live
        last = max(
            self.data.values(), key=lambda one: (one.end_at or one.created_at, one.id)
        )
        return {last.id: last}

    def tariff_of(self, contract: Subscription) -> Tariff | None:
        """Return the tariff of a contract, None if it is not known."""
        return self.tariffs.known.get(contract.tariff_id)

    def log_name_of(self, contract_id: str) -> str:
        """Return a contract's name for the log, which must not contain its number."""
        ids = list(self.data)
        if contract_id not in ids:
            return "a contract that is gone"
        return f"contract {ids.index(contract_id) + 1} of {len(ids)}"

    @property
    @override
    def subject(self) -> str:
        return "Contracts"

    @override
    async def _async_fetch(self) -> Mapping[str, Subscription]:
        """Request the list of contracts, and the tariffs that are due."""
        if not self.link.is_open:
            await self.connection.async_try_again()
        found = self._own(await self.async_ask(NomosClient.subscriptions))
        if not found and self._must_answer:
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key="no_subscription",
                translation_placeholders={"account": self.config_entry.title},
            )
        answered_before = self.answered_on
        self.last_answer, self.last_error = dt_util.utcnow(), None
        tariffs_changed = await self.tariffs.async_update(
            found.values(), local_date(self.last_answer)
        )
        data = self._with_missing(found)
        _LOGGER.debug(
            "Contracts: %s came: %s",
            len(found),
            "; ".join(
                f"{number}. {one.type} {one.status}"
                for number, one in enumerate(data.values(), 1)
            ),
        )
        self._misses = self._misses + 1 if _any_overdue(data) else 0
        self._schedule_at(self._next_at(data))
        if data != self.data or tariffs_changed or self.answered_on != answered_before:
            await account_file(self.hass, self.config_entry).async_save(
                StoredAccount(
                    subscriptions=data,
                    tariffs=dict(self.tariffs.known),
                    tariffs_asked_on=self.tariffs.asked_on,
                    last_answer=self.last_answer,
                )
            )
        return data

    @override
    def _schedule_after(self, err: RequestError) -> None:
        # Without an open link no request was sent, so none was missed.
        self._misses += self.link.is_open
        self._schedule_at(self._next_at(self.data))

    def _own(self, found: tuple[Subscription, ...]) -> dict[str, Subscription]:
        """Drop contracts of another customer, which would be a fault of Nomos."""
        customer = self.config_entry.unique_id
        own = {one.id: one for one in found if one.customer_id == customer}
        if foreign := len(found) - len(own):
            _LOGGER.warning(
                "Nomos listed contracts of another customer; ignored: %s", foreign
            )
        return own

    def _with_missing(
        self, found: Mapping[str, Subscription]
    ) -> dict[str, Subscription]:
        """Return the contracts found, and unchanged those that have been missing for less than a day."""
        now, known = dt_util.utcnow(), self.data
        missing = {
            key: self._missing.get(key, now) for key in known if key not in found
        }
        if missing.keys() - self._missing.keys():
            _LOGGER.warning(
                "Nomos does not list a contract any more; it goes when it is not listed tomorrow either"
            )
        self._missing = missing
        kept = {
            key: known[key]
            for key, since in missing.items()
            if now - since < _MISSED_FOR
        }
        return {**found, **kept}

    @property
    @override
    def _lacks_something(self) -> bool:
        return _any_overdue(self.data)

    @property
    @override
    def _purpose(self) -> str:
        if not self.link.is_open:
            return f"access is {self.link.state}, and tried again"
        if self._misses:
            return "they could not be read, or one should have begun or ended by now"
        return "the daily list, or a contract begins or ends just before"

    @override
    def _first_request(self) -> datetime:
        today, answered_on = local_date(dt_util.utcnow()), self.answered_on
        missed = answered_on is not None and today - answered_on > timedelta(days=1)
        return self._next_at(self.data, overdue=missed or _any_overdue(self.data))

    def _next_at(
        self, known: Mapping[str, Subscription], *, overdue: bool = False
    ) -> datetime:
        """Return the time of the next request."""
        turning_points = tuple(
            point
            for one in known.values()
            for point in (one.start_at, one.end_at)
            if point is not None
        )
        at = next_contract_request(
            dt_util.utcnow(),
            turning_points,
            overdue=overdue,
            phase=self.phase,
            misses=self._misses,
            chance=random.uniform(-1, 1),
        )
        return self.link.try_at or at

    @callback
    @override
    def async_clock_was_set(self, step: timedelta) -> None:
        """Schedule again; stored start times move with the clock."""
        self.link.async_clock_was_set(step)
        self.connection.pace.async_clock_was_set(step)
        self._missing = {key: since + step for key, since in self._missing.items()}
        super().async_clock_was_set(step)


def _any_overdue(known: Mapping[str, Subscription]) -> bool:
    """Return whether a contract should have begun or ended by now, but has not by its status."""
    now = dt_util.utcnow()
    return any(
        at is not None and at <= now
        for one in known.values()
        for status, at in (
            (SubscriptionStatus.PENDING, one.start_at),
            (SubscriptionStatus.ACTIVE, one.end_at),
        )
        if one.status is status
    )


def account_file(hass: HomeAssistant, entry: ConfigEntry) -> StoredFile:
    """Return the file of an account."""
    return stored_file(hass, f"account.{entry.entry_id}")


async def async_load_account(
    hass: HomeAssistant, entry: ConfigEntry
) -> StoredAccount | None:
    """Return what is stored of an account; None if nothing is."""
    return await account_file(hass, entry).async_load(partial(decode_account, entry))


def decode_account(entry: ConfigEntry, stored: Any) -> StoredAccount:
    """Decode a stored account; raises any error if it is invalid or of another customer."""
    account = decode(StoredAccount, stored)
    for key, one in account.subscriptions.items():
        if one.customer_id != entry.unique_id or one.id != key:
            raise ValueError("another contract")
        if not is_opaque(key) or not is_opaque(one.tariff_id):
            raise ValueError("not an id")
    return account
