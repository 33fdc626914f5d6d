"""One linked account: its access to Nomos, its subscriptions and their contracts."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
import logging
import random
from typing import Final, NoReturn, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    OAuth2TokenRequestBaseError,
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
)
from .const import DOMAIN
from .schedule import next_subscription_request

_LOGGER = logging.getLogger(__name__)

DATA_REFRESHES: Final[HassKey[dict[str, asyncio.Task[None]]]] = HassKey(
    f"{DOMAIN}_token_refreshes"
)
"""Token refreshes under way, by config entry: one outlives the account object when its entry is reloaded."""


class AccountTokens:
    """Hands out valid access tokens of one config entry.

    Refresh tokens rotate on every use and the old one is dead (Nomos API, authentication). A refresh that has begun
    is therefore carried to its end and stored whatever becomes of those who wait for it.
    """

    def __init__(self, hass: HomeAssistant, session: OAuth2Session) -> None:
        """Take the one OAuth session of the entry."""
        self._hass = hass
        self._session = session

    async def async_get_access_token(self) -> str:
        """Return an access token that has not expired.

        Raises:
            OAuth2TokenRequestBaseError: no token could be had.

        """
        if (under_way := self._refreshes.get(self._entry_id)) is not None:
            await asyncio.wait([under_way])
        if not self._session.valid_token:
            await self._async_refresh()
        return self.current

    async def async_replace(self, rejected: str) -> None:
        """Make sure that a token which the API rejected is not handed out again.

        Raises:
            OAuth2TokenRequestBaseError: no other token could be had.

        """
        if self.current == rejected:
            entry = self._session.config_entry
            token = {**self._session.token, "expires_at": 0}
            self._hass.config_entries.async_update_entry(
                entry, data={**entry.data, "token": token}
            )
        await self.async_get_access_token()

    @property
    def current(self) -> str:
        """Return the access token in hand, valid or not."""
        token: str = self._session.token["access_token"]
        return token

    @property
    def _entry_id(self) -> str:
        return self._session.config_entry.entry_id

    @property
    def _refreshes(self) -> dict[str, asyncio.Task[None]]:
        return self._hass.data.setdefault(DATA_REFRESHES, {})

    async def _async_refresh(self) -> None:
        """Refresh once for all who wait, unharmed by the cancellation of any of them."""
        refreshes = self._refreshes
        task = refreshes.get(self._entry_id)
        if task is None:
            task = self._hass.async_create_task(
                self._session.async_ensure_token_valid(),
                f"{DOMAIN} token refresh",
                eager_start=False,
            )
            refreshes[self._entry_id] = task
            task.add_done_callback(self._refresh_done)
        await asyncio.shield(task)

    def _refresh_done(self, task: asyncio.Task[None]) -> None:
        self._refreshes.pop(self._entry_id, None)
        # Looked at here, so that a failure nobody waits for any more is not reported as forgotten.
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOGGER.debug("Token refresh failed: %s", type(error).__name__)


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
        self._tokens = AccountTokens(hass, session)
        self._client = NomosClient(async_get_clientsession(hass), self._tokens)
        self._failures = 0
        self._plans_refused = False

    async def async_ask[T](self, request: Callable[[NomosClient], Awaitable[T]]) -> T:
        """Send a request; where Nomos rejects the access token, once more with a fresh one.

        Raises:
            NomosError: Nomos did not answer as hoped.
            OAuth2TokenRequestBaseError: no access token could be had for now.
            ConfigEntryAuthFailed: Nomos refuses the grant; the customer has to link the account again.

        """
        try:
            token = await self._tokens.async_get_access_token()
            try:
                return await request(self._client)
            except NomosAuthenticationError:
                await self._tokens.async_replace(token)
                return await request(self._client)
        except (NomosAuthenticationError, OAuth2TokenRequestReauthError) as err:
            raise ConfigEntryAuthFailed(
                translation_domain=DOMAIN, translation_key="authentication_failed"
            ) from err

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

    @override
    async def _async_update_data(self) -> Mapping[str, Subscription]:
        """Ask for the list of subscriptions, and for plans not yet seen."""
        try:
            subscriptions = await self.async_ask(lambda client: client.subscriptions())
        except (NomosError, OAuth2TokenRequestBaseError) as err:
            self._failures += 1
            self._plan_next()
            raise_update_failed(err)
        self._failures = 0
        await self._async_learn_plans({one.plan_id for one in subscriptions})
        data = {one.id: one for one in subscriptions}
        self._plan_next(data)
        return data

    async def _async_learn_plans(self, plan_ids: set[str]) -> None:
        """Ask for the names of plans. Whether a customer may read them is not documented: they are no necessity."""
        for plan_id in sorted(plan_ids - self.plans.keys()):
            if self._plans_refused:
                return
            try:
                self.plans[plan_id] = await self.async_ask(
                    partial(NomosClient.plan, plan_id=plan_id)
                )
            except NomosPermissionError, NomosNotFoundError:
                self._plans_refused = True
            except (NomosError, OAuth2TokenRequestBaseError) as err:
                _LOGGER.debug("The plan could not be read: %s", type(err).__name__)

    def _plan_next(self, data: Mapping[str, Subscription] | None = None) -> None:
        """Set the time of the next request."""
        now = dt_util.utcnow()
        known = (data or self.data or {}).values()
        turning_points = tuple(
            point
            for one in known
            for point in (one.start_at, one.end_at)
            if point is not None and point > now
        )
        at = next_subscription_request(
            now,
            turning_points,
            phase=self.phase,
            failures=self._failures,
            chance=random.uniform(-1, 1),
        )
        self.update_interval = max(at - now, timedelta(seconds=1))


def raise_update_failed(err: NomosError | OAuth2TokenRequestBaseError) -> NoReturn:
    """Raise a failed request as what a coordinator understands, in words for the customer.

    Raises:
        UpdateFailed: always.

    """
    key, placeholders = _describe(err)
    retry_after = (
        err.retry_after.total_seconds()
        if isinstance(err, NomosRateLimitError) and err.retry_after
        else None
    )
    raise UpdateFailed(
        retry_after=retry_after,
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
