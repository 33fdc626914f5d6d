"""One linked account: its way to ask Nomos, and its subscriptions."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
import logging
import random
from typing import Any, Final, NoReturn, override

from aiohttp import DummyCookieJar

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    OAuth2TokenRequestBaseError,
    OAuth2TokenRequestError,
    OAuth2TokenRequestReauthError,
)
from homeassistant.helpers.aiohttp_client import async_create_clientsession
from homeassistant.helpers.config_entry_oauth2_flow import OAuth2Session
from homeassistant.helpers.update_coordinator import UpdateFailed
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .api import (
    NomosAuthenticationError,
    NomosClient,
    NomosError,
    NomosRateLimitError,
    NomosResponseError,
    Plan,
    Subscription,
    SubscriptionStatus,
    parse_error,
)
from .const import DOMAIN
from .failures import in_log, raise_update_failed
from .planned_coordinator import PlannedCoordinator, said
from .plans import Plans
from .pricing import local_date
from .schedule import (
    LONGEST_SILENCE,
    after_silence,
    next_subscription_request,
    silence_until,
)
from .store import StoredFile
from .tokens import AccountTokens

_LOGGER = logging.getLogger(__name__)

_MISSED_FOR: Final = timedelta(hours=20)
"""How long a contract has to be missing from the list before it is taken to be gone: until the next day's look.

One list that is empty or short must not cost a house its devices, entities and prices."""

_REJECTIONS: Final = 3
_REJECTED_FOR: Final = timedelta(hours=1)
"""How often, and for how long, fresh access tokens have to be rejected before the account is to be linked again.

Nomos has just renewed the access then, so that the grant is good: it is the API that has trouble, most probably."""


@dataclass(slots=True)
class _Memory:
    """What Nomos said to an account, as it has to be known while setting up is tried again and again.

    Not on the disk: a hub that is restarted meanwhile asks for what it lacks a minute or two later, once, and is told
    again. That is cheaper than a file for something so rare.
    """

    quiet_until: datetime | None = None
    rejections: int = 0
    rejected_since: datetime | None = None


_DATA_MEMORY: Final[HassKey[dict[str, _Memory]]] = HassKey(f"{DOMAIN}_memory")
"""By config entry."""


class NomosAccount(PlannedCoordinator[Mapping[str, Subscription]]):
    """The account's subscriptions by id, and the way to ask Nomos anything."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        session: OAuth2Session,
        phase: float,
    ) -> None:
        """Take the entry's OAuth session and the installation's place in the spread of requests."""
        super().__init__(hass, entry, _LOGGER, f"{DOMAIN} subscriptions")
        self.phase = phase
        self.refused = False
        self._memory = hass.data.setdefault(_DATA_MEMORY, {}).setdefault(
            entry.entry_id, _Memory()
        )
        self._begun = False
        self._tokens = AccountTokens(hass, session)
        # No cookie of one account may travel with another. Home Assistant ends the session with the entry.
        session_of_its_own = async_create_clientsession(
            hass, cookie_jar=DummyCookieJar()
        )
        self._client = NomosClient(session_of_its_own, self._tokens)
        self._file = account_file(hass, entry)
        self._plans = Plans(partial(self.async_ask, optional=True))
        self._plans_learned = False
        self._missing: dict[str, datetime] = {}

    async def async_begin(self) -> bool:
        """Begin with what is stored, or else with what Nomos says; return whether it was stored.

        Raises:
            ConfigEntryNotReady: nothing is stored, and Nomos cannot be asked now.
            ConfigEntryAuthFailed: the account has to be linked again.

        """
        stored = await self._file.async_load(partial(_decode, self.config_entry))
        if stored is None:
            await self.async_config_entry_first_refresh()
        else:
            self.data, self._plans.known, self._plans.asked_on = stored
            self._plan_next(self.data, overdue=self._overdue(self.data))
        self._begun = True
        return stored is not None

    async def async_ask[T](
        self,
        request: Callable[[NomosClient], Awaitable[T]],
        *,
        optional: bool = False,
    ) -> T:
        """Send a request; where Nomos rejects the access token, once more with a fresh one.

        Args:
            request: what to ask.
            optional: whether customers may ask this is not documented, so that its rejection says nothing of the link.

        Raises:
            NomosError: Nomos did not answer as hoped, or asked for silence before.
            OAuth2TokenRequestBaseError: no access token could be had for now.
            ConfigEntryAuthFailed: Nomos refuses the grant; the customer has to link the account again.

        """
        if self.refused:
            raise _refusal()
        self._respect_silence()
        try:
            token = await self._tokens.async_get_access_token()
            try:
                answer = await request(self._client)
            except NomosAuthenticationError:
                await self._tokens.async_replace(token)
                answer = await request(self._client)
        except OAuth2TokenRequestReauthError as err:
            self._refuse(err)
        except NomosAuthenticationError as err:
            if not optional and self._is_rejected_for_good():
                self._refuse(err)
            raise
        except (NomosError, OAuth2TokenRequestError) as err:
            self._keep_silent(err)
            raise
        if not optional:
            self._memory.rejections = 0
        return answer

    def _refuse(self, err: Exception) -> NoReturn:
        """Have the customer link the account again; until then, and the reload with it, nobody asks any more.

        Raises:
            ConfigEntryAuthFailed: always.

        """
        self.refused = True
        self._memory.rejections = 0
        raise _refusal() from err

    def _is_rejected_for_good(self) -> bool:
        """Return whether fresh access tokens have been rejected for so long that only a new link may help."""
        memory, now = self._memory, dt_util.utcnow()
        if not memory.rejections or memory.rejected_since is None:
            memory.rejected_since = now
        memory.rejections += 1
        return (
            memory.rejections >= _REJECTIONS
            and now - memory.rejected_since >= _REJECTED_FOR
        )

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
    def plans(self) -> Mapping[str, Plan]:
        """Return the plans that Nomos has told, by id."""
        return self._plans.known

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

    def plan_of(self, subscription: Subscription) -> Plan | None:
        """Return the plan of a subscription, None where Nomos has not told it."""
        return self.plans.get(subscription.plan_id)

    @override
    async def _async_look(self) -> Mapping[str, Subscription]:
        """Ask for the list of subscriptions, and for plans not yet seen."""
        try:
            subscriptions = self._own(
                await self.async_ask(lambda client: client.subscriptions())
            )
        except (NomosError, OAuth2TokenRequestBaseError) as err:
            self.last_error = err
            self._misses += 1
            if not self._begun:
                raise_update_failed(err)
            _LOGGER.debug(
                "Contracts could not be read, those known go on: %s", in_log(err)
            )
            self._plan_next(self.data)
            return self.data
        if not subscriptions and not self._begun:
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key="no_subscription",
                translation_placeholders={"account": self.config_entry.title},
            )
        self.last_answer, self.last_error = dt_util.utcnow(), None
        self._plans_learned = await self._plans.async_learn(
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
        self._plan_next(data)
        if data != self.data or self._plans.asked or self._file.behind:
            await self._file.async_save(_encode(self.config_entry, data, self._plans))
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
        """Tell of plans also where the contracts are the same as before."""
        if self._plans_learned:
            self._plans_learned = False
            self.async_update_listeners()

    @staticmethod
    def _overdue(known: Mapping[str, Subscription]) -> bool:
        """Return whether a contract should have begun or ended by now, and is not said to have."""
        now = dt_util.utcnow()
        return any(_turned(one, now) for one in known.values())

    @property
    @override
    def _purpose(self) -> str:
        if self._misses:
            return "they could not be read, or one should have begun or ended by now"
        return "the daily list, or a contract begins or ends just before"

    def _plan_next(
        self, known: Mapping[str, Subscription], *, overdue: bool = False
    ) -> None:
        """Set the time of the next request."""
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
        self._plan_at(self.not_in_silence(at))

    def not_in_silence(self, at: datetime) -> datetime:
        """Return the time of a planned request, put off until the wait that Nomos asked for is over."""
        if (until := self._quiet_until) is None:
            return at
        return after_silence(dt_util.utcnow(), at, until, self.phase)

    @property
    def _quiet_until(self) -> datetime | None:
        """Return until when Nomos asked for silence, None when it did not or the wait is over."""
        until = self._memory.quiet_until
        if until is None:
            return None
        # A longer wait than was ever kept means that the clock was set back.
        left = until - dt_util.utcnow()
        return until if timedelta() < left <= LONGEST_SILENCE else None

    def _respect_silence(self) -> None:
        """Raise what Nomos said before, as long as the wait that it asked for lasts."""
        if (until := self._quiet_until) is not None:
            raise NomosRateLimitError(
                "Waiting as Nomos asked",
                status=429,
                retry_after=until - dt_util.utcnow(),
            )

    def _keep_silent(self, err: NomosError | OAuth2TokenRequestError) -> None:
        """Remember a wait that an error asks for."""
        if isinstance(err, OAuth2TokenRequestError):
            err = parse_error(err.status, err.headers or {}, b"")
        wait = getattr(err, "retry_after", None)
        if wait is None or self._quiet_until is not None:
            return
        until = silence_until(dt_util.utcnow(), wait)
        _LOGGER.debug("Nomos wants to be asked nothing until %s", said(until))
        self._memory.quiet_until = until


def _refusal() -> ConfigEntryAuthFailed:
    return ConfigEntryAuthFailed(
        translation_domain=DOMAIN, translation_key="authentication_failed"
    )


def account_file(hass: HomeAssistant, entry: ConfigEntry) -> StoredFile:
    """Return the file that holds an account's subscriptions."""
    return StoredFile(hass, f"account.{entry.entry_id}", 1)


@callback
def async_forget(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Forget what Nomos said to an account that is removed."""
    hass.data.get(_DATA_MEMORY, {}).pop(entry.entry_id, None)


async def async_stored_subscription_ids(
    hass: HomeAssistant, entry: ConfigEntry
) -> tuple[str, ...]:
    """Return the ids of the subscriptions that an account's file knows."""
    stored = await account_file(hass, entry).async_load(partial(_decode, entry))
    return tuple(stored[0]) if stored else ()


def _turned(subscription: Subscription, now: datetime) -> bool:
    """Return whether a contract should have begun or ended by now, and is not said to have."""
    if subscription.status is SubscriptionStatus.PENDING:
        return subscription.start_at is not None and subscription.start_at <= now
    if subscription.status is SubscriptionStatus.ACTIVE:
        return subscription.end_at is not None and subscription.end_at <= now
    return False


def _encode(
    entry: ConfigEntry, data: Mapping[str, Subscription], plans: Plans
) -> dict[str, Any]:
    """Return subscriptions and plans as JSON: what the wire's models hold, nothing of the customer's person."""
    return {
        "account": entry.unique_id,
        "subscriptions": [one.to_json() for one in data.values()],
        "plans": [plan.to_json() for plan in plans.known.values()],
        "plans_asked_on": plans.asked_on.isoformat() if plans.asked_on else None,
    }


def _decode(
    entry: ConfigEntry, stored: Any
) -> tuple[dict[str, Subscription], dict[str, Plan], date | None]:
    """Read what ``_encode`` wrote; ValueError where it is of another account."""
    if stored["account"] != entry.unique_id:
        raise ValueError("another account")
    try:
        subscriptions = [Subscription.from_json(one) for one in stored["subscriptions"]]
        plans = [Plan.from_json(one) for one in stored["plans"]]
    except NomosResponseError as err:
        raise ValueError(err.field) from None
    asked_on = stored.get("plans_asked_on")
    return (
        {one.id: one for one in subscriptions},
        {one.id: one for one in plans},
        date.fromisoformat(asked_on) if asked_on else None,
    )
