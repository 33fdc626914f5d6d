"""One linked account: its way to ask Nomos, and its subscriptions."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
import logging
import random
from typing import Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, OAuth2TokenRequestBaseError
from homeassistant.helpers.update_coordinator import UpdateFailed
from homeassistant.util import dt as dt_util

from ..api import NomosClient, NomosError, Subscription, SubscriptionStatus, Tariff
from ..const import DOMAIN
from ..errors import CredentialsMissingError, in_log, raise_update_failed
from ..pricing import local_date
from ..schedule import next_subscription_request
from ..scheduled_coordinator import ScheduledCoordinator
from .connection import Connection
from .file import account_file, decode_account, encode_account
from .link import Link
from .tariffs import Tariffs
from .tokens import TokenJournal

_LOGGER = logging.getLogger(__name__)

_MISSED_FOR: Final = timedelta(hours=20)
"""How long a contract has to be missing from the list before it is taken to be gone: until the next day's look.

One list that is empty or short must not cost a house its devices, entities and prices."""

_ONE_DAY: Final = timedelta(days=1)


class NomosAccount(ScheduledCoordinator[Mapping[str, Subscription]]):
    """The account's subscriptions by id, and the way to ask Nomos anything."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        journal: TokenJournal,
        phase: float,
    ) -> None:
        """Take the journal of the entry's tokens and the installation's place in the spread of requests."""
        super().__init__(hass, entry, _LOGGER, f"{DOMAIN} subscriptions")
        self.phase = phase
        self.connection = Connection(hass, entry, journal, phase, self._follow_link)
        self._begun = False
        self._file = account_file(hass, entry)
        self._tariffs = Tariffs(partial(self.async_ask, optional=True))
        self._tariffs_learned = False
        self._missing: dict[str, datetime] = {}

    async def async_begin(self) -> bool:
        """Begin with what is stored, or else with what Nomos says; return whether it was stored.

        Raises:
            ConfigEntryNotReady: nothing is stored, and Nomos cannot be asked now.

        """
        # Nobody need ask to find this out, and the customer may act.
        with suppress(ConfigEntryAuthFailed, CredentialsMissingError):
            await self.connection.async_check_means()
        self.link.async_remind()
        stored = await self._file.async_load(partial(decode_account, self.config_entry))
        if stored is None:
            await self.async_config_entry_first_refresh()
        else:
            self.data, self._tariffs.known, self._tariffs.asked_on, self.last_answer = (
                stored
            )
            self._schedule_at(self._first_request())
        self._begun = True
        return stored is not None

    async def async_ask[T](
        self,
        request: Callable[[NomosClient], Awaitable[T]],
        *,
        optional: bool = False,
    ) -> T:
        """Send a request; see ``Connection.async_ask``."""
        return await self.connection.async_ask(request, optional=optional)

    @property
    def link(self) -> Link:
        """Return whether Nomos lets the account ask."""
        return self.connection.link

    def after_rate_limit(self, at: datetime) -> datetime:
        """Return the time of a planned request, put off until the wait that Nomos asked for is over."""
        return self.connection.after_rate_limit(at)

    @callback
    def _follow_link(self) -> None:
        """Look next when access is to be tried again."""
        if not self._asking:
            self._schedule_at(
                self.after_rate_limit(self.link.try_at or dt_util.utcnow())
            )
            self._schedule_refresh()

    @property
    @override
    def _next_try(self) -> datetime | None:
        return self.link.try_at

    @property
    def shown(self) -> Mapping[str, Subscription]:
        """Return the subscriptions that have a device, by id.

        Those that run or will run; where there is none, the one that ended last, so that the customer sees why.
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

    @property
    def tariffs(self) -> Mapping[str, Tariff]:
        """Return the tariffs that Nomos has told, by id."""
        return self._tariffs.known

    @property
    @override
    def subject(self) -> str:
        """Return what the list holds, in the words of the log."""
        return "Contracts"

    def place_of(self, subscription_id: str) -> str:
        """Return which contract is meant in the words of the log."""
        ids = list(self.data or ())
        if subscription_id not in ids:
            return "a contract that is gone"
        return f"contract {ids.index(subscription_id) + 1} of {len(ids)}"

    def tariff_of(self, subscription: Subscription) -> Tariff | None:
        """Return the plan of a subscription, None where Nomos has not told it."""
        return self.tariffs.get(subscription.tariff_id)

    @override
    async def _async_fetch(self) -> Mapping[str, Subscription]:
        """Ask for the list of subscriptions, and for tariffs not yet seen."""
        try:
            if not self.link.is_open:
                await self.connection.async_try_again()
            subscriptions = self._own(
                await self.async_ask(lambda client: client.subscriptions())
            )
        except (NomosError, OAuth2TokenRequestBaseError) as err:
            self.last_error = err
            # Where nothing was asked nothing was missed.
            self._misses += self.link.is_open
            if not self._begun:
                raise_update_failed(err)
            _LOGGER.debug(
                "Contracts could not be read, those known go on: %s", in_log(err)
            )
            self._schedule_next(self.data)
            return self.data
        if not subscriptions and not self._begun:
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key="no_subscription",
                translation_placeholders={"account": self.config_entry.title},
            )
        answered_before = self.answered_on
        self.last_answer, self.last_error = dt_util.utcnow(), None
        self._tariffs_learned = await self._tariffs.async_learn(
            subscriptions, local_date(self.last_answer)
        )
        data = self._with_missing({one.id: one for one in subscriptions})
        _LOGGER.debug(
            "Contracts: %s came: %s",
            len(subscriptions),
            "; ".join(
                f"{number}. {one.type} {one.status}"
                for number, one in enumerate(data.values(), 1)
            ),
        )
        self._misses = self._misses + 1 if self._overdue(data) else 0
        self._schedule_next(data)
        if (
            data != self.data
            or self._tariffs_learned
            or self.answered_on != answered_before
        ):
            await self._file.async_save(
                encode_account(
                    self.config_entry,
                    data,
                    self._tariffs.known,
                    self._tariffs.asked_on,
                    self.last_answer,
                )
            )
        return data

    def _own(self, subscriptions: tuple[Subscription, ...]) -> tuple[Subscription, ...]:
        """Return the subscriptions without those of another customer, which would be a fault of Nomos."""
        customer = self.config_entry.unique_id
        own = tuple(one for one in subscriptions if one.customer_id == customer)
        if foreign := len(subscriptions) - len(own):
            _LOGGER.warning(
                "Nomos listed contracts of another customer; ignored: %s", foreign
            )
        return own

    def _with_missing(
        self, found: Mapping[str, Subscription]
    ) -> Mapping[str, Subscription]:
        """Return the contracts that were found, and as they were those that are missing for less than a day."""
        now, known = dt_util.utcnow(), self.data or {}
        missing = [key for key in known if key not in found]
        if any(key not in self._missing for key in missing):
            _LOGGER.warning(
                "Nomos does not list a contract any more; it goes when it is not listed tomorrow either"
            )
        self._missing = {key: self._missing.get(key, now) for key in missing}
        return {
            **found,
            **{
                key: known[key]
                for key, since in self._missing.items()
                if now - since < _MISSED_FOR
            },
        }

    @callback
    @override
    def _async_refresh_finished(self) -> None:
        """Tell of tariffs also where the contracts are the same as before."""
        super()._async_refresh_finished()
        if self._tariffs_learned:
            self._tariffs_learned = False
            self.async_update_listeners()

    @property
    @override
    def _lacks_something(self) -> bool:
        return self._overdue(self.data)

    @staticmethod
    def _overdue(known: Mapping[str, Subscription]) -> bool:
        """Return whether a contract should have begun or ended by now, and is not said to have."""
        now = dt_util.utcnow()
        return any(_turned(one, now) for one in known.values())

    @property
    @override
    def _purpose(self) -> str:
        if not self.link.is_open:
            return f"access is {self.link.state}, and tried again"
        if self._misses:
            return "they could not be read, or one should have begun or ended by now"
        return "the daily list, or a contract begins or ends just before"

    def _schedule_next(
        self, known: Mapping[str, Subscription], *, overdue: bool = False
    ) -> None:
        """Set the time of the next request."""
        self._schedule_at(self._next_at(known, overdue=overdue))

    @override
    def _first_request(self) -> datetime:
        today, answered_on = local_date(dt_util.utcnow()), self.answered_on
        missed = answered_on is not None and today - answered_on > _ONE_DAY
        return self._next_at(self.data, overdue=missed or self._overdue(self.data))

    def _next_at(self, known: Mapping[str, Subscription], *, overdue: bool) -> datetime:
        """Return the time of the next request."""
        now = dt_util.utcnow()
        turning_points = tuple(
            point
            for one in known.values()
            for point in (one.start_at, one.end_at)
            if point is not None
        )
        at = next_subscription_request(
            now,
            turning_points,
            overdue=overdue,
            phase=self.phase,
            misses=self._misses,
            chance=random.uniform(-1, 1),
        )
        return self.after_rate_limit(self.link.try_at or at)

    @callback
    @override
    def async_clock_was_set(self, step: timedelta) -> None:
        """Plan again; what is measured from an instant goes along with the clock."""
        self.connection.async_clock_was_set(step)
        self._missing = {key: since + step for key, since in self._missing.items()}
        super().async_clock_was_set(step)


def _turned(subscription: Subscription, now: datetime) -> bool:
    """Return whether a contract should have begun or ended by now, and is not said to have."""
    if subscription.status is SubscriptionStatus.PENDING:
        return subscription.start_at is not None and subscription.start_at <= now
    if subscription.status is SubscriptionStatus.ACTIVE:
        return subscription.end_at is not None and subscription.end_at <= now
    return False
