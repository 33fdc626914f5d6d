"""One linked account: its way to ask Nomos, and its subscriptions."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
import logging
import random
from typing import Any, Final, NoReturn, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    OAuth2TokenRequestBaseError,
    OAuth2TokenRequestError,
    OAuth2TokenRequestReauthError,
)
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.config_entry_oauth2_flow import OAuth2Session
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .api import (
    NomosAuthenticationError,
    NomosClient,
    NomosConnectionError,
    NomosError,
    NomosNotFoundError,
    NomosPermissionError,
    NomosRateLimitError,
    NomosResponseError,
    NomosServerError,
    Plan,
    Subscription,
    SubscriptionStatus,
    parse_error,
)
from .const import DOMAIN
from .schedule import (
    LONGEST_SILENCE,
    after_silence,
    next_subscription_request,
    silence_until,
)
from .store import StoredFile
from .tokens import AccountTokens

_LOGGER = logging.getLogger(__name__)

DATA_QUIET_UNTIL: Final[HassKey[dict[str, datetime]]] = HassKey(f"{DOMAIN}_quiet_until")
"""Until when Nomos asked for silence, by config entry: it also holds while setting up is tried again and again.

Not on the disk: a hub that is restarted meanwhile asks for what it lacks a minute or two later, once, and is told
again. That is cheaper than a file for something so rare."""


class NomosAccount(DataUpdateCoordinator[Mapping[str, Subscription]]):
    """The account's subscriptions by id, and the way to ask Nomos anything."""

    config_entry: ConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        session: OAuth2Session,
        phase: float,
    ) -> None:
        """Take the entry's OAuth session and the installation's place in the spread of requests."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name=f"{DOMAIN} subscriptions",
            always_update=False,
        )
        self.phase = phase
        self.plans: dict[str, Plan] = {}
        self.last_error: Exception | None = None
        self.refused = False
        self._begun = False
        self._tokens = AccountTokens(hass, session)
        self._client = NomosClient(async_get_clientsession(hass), self._tokens)
        self._file = account_file(hass, entry)
        self._misses = 0
        self._plans_refused = False

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
            self.data, self.plans = stored
            self._plan_next(self.data, overdue=self._overdue(self.data))
        self._begun = True
        return stored is not None

    async def async_ask[T](self, request: Callable[[NomosClient], Awaitable[T]]) -> T:
        """Send a request; where Nomos rejects the access token, once more with a fresh one.

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
                return await request(self._client)
            except NomosAuthenticationError:
                await self._tokens.async_replace(token)
                return await request(self._client)
        except (NomosAuthenticationError, OAuth2TokenRequestReauthError) as err:
            # Until the customer has linked the account again, and with it reloaded it, nobody asks any more.
            self.refused = True
            raise _refusal() from err
        except (NomosError, OAuth2TokenRequestError) as err:
            self._keep_silent(err)
            raise

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

    def plan_of(self, subscription: Subscription) -> Plan | None:
        """Return the plan of a subscription, None where Nomos has not told it."""
        return self.plans.get(subscription.plan_id)

    @override
    async def _async_update_data(self) -> Mapping[str, Subscription]:
        """Ask for the list of subscriptions, and for plans not yet seen."""
        try:
            subscriptions = await self.async_ask(lambda client: client.subscriptions())
        except (NomosError, OAuth2TokenRequestBaseError) as err:
            self.last_error = err
            self._misses += 1
            if not self._begun:
                raise_update_failed(err)
            _LOGGER.debug(
                "Contracts could not be read, those known go on: %s", type(err).__name__
            )
            self._plan_next(self.data)
            return self.data
        self.last_error = None
        new_plans = await self._async_learn_plans(
            {one.plan_id for one in subscriptions}
        )
        data = {one.id: one for one in subscriptions}
        self._misses = self._misses + 1 if self._overdue(data) else 0
        self._plan_next(data)
        if data != self.data or new_plans:
            await self._file.async_save(_encode(self.config_entry, data, self.plans))
        return data

    async def _async_learn_plans(self, plan_ids: set[str]) -> bool:
        """Ask for the names of plans, and return whether there are new ones.

        Whether a customer may read plans is not documented: they are no necessity.
        """
        learned = False
        for plan_id in sorted(plan_ids - self.plans.keys()):
            if self._plans_refused:
                break
            try:
                self.plans[plan_id] = await self.async_ask(
                    partial(NomosClient.plan, plan_id=plan_id)
                )
                learned = True
            except NomosPermissionError, NomosNotFoundError:
                self._plans_refused = True
            except (NomosError, OAuth2TokenRequestBaseError) as err:
                _LOGGER.debug("The plan could not be read: %s", type(err).__name__)
        return learned

    @staticmethod
    def _overdue(known: Mapping[str, Subscription]) -> bool:
        """Return whether a contract should have begun or ended by now, and is not said to have."""
        now = dt_util.utcnow()
        return any(_turned(one, now) for one in known.values())

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
        self.update_interval = timer_until(self.not_in_silence(at))

    def not_in_silence(self, at: datetime) -> datetime:
        """Return the time of a planned request, put off until the wait that Nomos asked for is over."""
        if (until := self._quiet_until) is None:
            return at
        return after_silence(dt_util.utcnow(), at, until, self.phase)

    @property
    def _quiet_until(self) -> datetime | None:
        """Return until when Nomos asked for silence, None when it did not or the wait is over."""
        until = self.hass.data.get(DATA_QUIET_UNTIL, {}).get(self.config_entry.entry_id)
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
        quiet = self.hass.data.setdefault(DATA_QUIET_UNTIL, {})
        quiet[self.config_entry.entry_id] = silence_until(dt_util.utcnow(), wait)


def _refusal() -> ConfigEntryAuthFailed:
    return ConfigEntryAuthFailed(
        translation_domain=DOMAIN, translation_key="authentication_failed"
    )


def timer_until(at: datetime) -> timedelta:
    """Return the interval after which a coordinator updates itself at an instant or within the two seconds after it.

    Home Assistant counts from the last full second. Without the second that is added here it would come too early,
    find that the time for the next look has not come, and look again at once.
    """
    return max(at - dt_util.utcnow(), timedelta()) + timedelta(seconds=1)


def account_file(hass: HomeAssistant, entry: ConfigEntry) -> StoredFile:
    """Return the file that holds an account's subscriptions."""
    return StoredFile(hass, f"account.{entry.entry_id}", 1)


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
    entry: ConfigEntry, data: Mapping[str, Subscription], plans: Mapping[str, Plan]
) -> dict[str, Any]:
    """Return subscriptions and plans as JSON: what the wire's models hold, nothing of the customer's person."""
    return {
        "account": entry.unique_id,
        "subscriptions": [one.to_json() for one in data.values()],
        "plans": [plan.to_json() for plan in plans.values()],
    }


def _decode(
    entry: ConfigEntry, stored: Any
) -> tuple[dict[str, Subscription], dict[str, Plan]]:
    """Read what ``_encode`` wrote; ValueError where it is of another account."""
    if stored["account"] != entry.unique_id:
        raise ValueError("another account")
    try:
        subscriptions = [Subscription.from_json(one) for one in stored["subscriptions"]]
        plans = [Plan.from_json(one) for one in stored["plans"]]
    except NomosResponseError as err:
        raise ValueError(err.field) from None
    return {one.id: one for one in subscriptions}, {one.id: one for one in plans}


def raise_update_failed(err: NomosError | OAuth2TokenRequestBaseError) -> NoReturn:
    """Raise a failed request as what a coordinator understands, in words for the customer.

    Raises:
        UpdateFailed: always.

    """
    key, placeholders = _describe(err)
    raise UpdateFailed(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    ) from err


def _describe(
    err: NomosError | OAuth2TokenRequestBaseError,
) -> tuple[str, dict[str, str]]:
    """Return the translation key of an error, with its placeholders."""
    match err:
        case NomosPermissionError():
            return "permission_denied", {}
        case NomosNotFoundError():
            return "not_found", {}
        case NomosRateLimitError():
            return "rate_limited", {}
        case NomosServerError():
            return "server_error", {"status": str(err.status)}
        case NomosResponseError():
            return "invalid_response", {"field": err.field}
        case NomosConnectionError():
            return "cannot_connect", {}
        case NomosError():
            return "request_refused", {
                "status": str(err.status),
                "code": err.code or "-",
            }
        case _:
            return "token_unavailable", {}
