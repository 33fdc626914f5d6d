"""An account's access to Nomos: when a refusal is believed, and when access is tried again."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from enum import StrEnum
import logging
import random
from typing import Any, Final

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.const import CONF_TOKEN
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    OAuth2TokenRequestConnectionError,
    OAuth2TokenRequestReauthError,
)
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ..api import NomosClient
from ..const import DOMAIN, PAGES
from ..errors import CredentialsMissingError
from ..issues import Issue, async_report

_LOGGER = logging.getLogger(__name__)

type Request[T] = Callable[[NomosClient], Awaitable[T]]

_CLEAR_CODES: Final = frozenset(
    {
        # Nomos's own envelope (Nomos API, errors)
        "UNAUTHORIZED",
        # the oldest envelope, which has a type instead
        "unauthenticated",
        # RFC 6749, section 5.2
        "invalid_grant",
        "invalid_client",
        "unauthorized_client",
    }
)
"""Codes of the token endpoint that can only mean that the grant or the client is refused."""

REFUSAL_CODES: Final = _CLEAR_CODES | {
    "BAD_REQUEST",
    "FORBIDDEN",
    "malformed",
    "permissionDenied",
    "access_denied",
}
"""Codes of the token endpoint that may mean a refusal, or a mistake of Nomos or of a gateway."""

_RETRY_DELAYS: Final = (
    timedelta(minutes=5),
    timedelta(minutes=20),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(days=1),
)
"""How long to wait after each refusal in a row before access is tried again; the last gap repeats."""

_REFUSALS_IF_DEFINITE: Final = 3
"""How many refusals a clear one counts as: most probably the grant was revoked."""

_REAUTH_FROM: Final = 2
"""The number of refusals from which on the customer is asked to link again."""

_JITTER: Final = 0.15
"""The share of a gap that is added at random, so that installations that were refused together drift apart."""

_CREDENTIALS_CHECK_INTERVAL: Final = timedelta(minutes=5)
"""How often to check if missing credentials are back, which sends no request."""

_MIN_REJECTIONS: Final = 3
_MIN_REJECTION_PERIOD: Final = timedelta(hours=1)
"""How often, and for how long, the API must reject fresh access tokens before the account has to be linked again.

The token endpoint has just issued them, so the grant is good: most probably the API has a problem."""

_SIGN_IN_TIMEOUT: Final = timedelta(hours=1)
"""How long a customer may take to finish linking on Nomos's pages once that is no longer necessary."""


class LinkState(StrEnum):
    """The state of an account's access to Nomos."""

    OPEN = "open"
    DOUBTFUL = "doubtful"
    """Access was refused once, by an answer that may be a mistake."""
    REFUSED = "refused"
    """Access is refused, and the customer is asked to link again."""
    NO_CREDENTIALS = "without credentials"
    """Home Assistant does not have the client id and secret that belong to the grant."""


def link_signal(entry: ConfigEntry) -> str:
    """Return the signal for a link that was refused (perhaps again) or is open again."""
    return f"{DOMAIN}_link_{entry.entry_id}"


def is_clear(err: ConfigEntryAuthFailed) -> bool:
    """Return whether a refusal can only mean that the grant or the client is no longer valid."""
    return (
        not isinstance(err, OAuth2TokenRequestReauthError)
        or err.message in _CLEAR_CODES
    )


async def _nothing(_client: NomosClient) -> None:
    """Send no request: it is enough that an access token was issued."""


class Link:
    """The state of one account's grant, as far as it is known."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Begin with a grant that counts as valid."""
        self.state = LinkState.OPEN
        self.try_at: datetime | None = None
        """When to try access again; None while it is granted."""
        self.probe: Request[Any] = _nothing
        """The request that must succeed before the account may send others."""
        self._hass = hass
        self._entry = entry
        self._refusals = 0
        self._tries = 0
        """How often access was tried again since the last clear answer."""
        self._refused_token: str | None = None
        self._rejections = 0
        self._rejected_since = dt_util.utcnow()

    @property
    def is_open(self) -> bool:
        """Return whether the account may send requests, as far as is known."""
        return self.state is LinkState.OPEN

    @property
    def is_outdated(self) -> bool:
        """Return whether this state may be outdated: the entry has another grant, or credentials were missing."""
        token = self._entry.data[CONF_TOKEN].get("refresh_token")
        is_other = self._refused_token not in (None, token)
        return is_other or self.state is LinkState.NO_CREDENTIALS

    @property
    def error(self) -> ConfigEntryAuthFailed | OAuth2TokenRequestConnectionError:
        """Return the error of every request while the link is not open."""
        match self.state:
            case LinkState.REFUSED:
                return ConfigEntryAuthFailed(
                    translation_domain=DOMAIN, translation_key="authentication_failed"
                )
            case LinkState.NO_CREDENTIALS:
                return CredentialsMissingError(domain=DOMAIN)
            case _:
                return OAuth2TokenRequestConnectionError(domain=DOMAIN)

    def begin_try(self) -> None:
        """Begin another try, or raise the error of the link if it is too early.

        If this try gets no clear answer, the next one follows in an hour at most.
        """
        now = dt_util.utcnow()
        # A wait longer than any gap means that the clock was set back.
        longest = _RETRY_DELAYS[-1] * (1 + _JITTER)
        if self.try_at and timedelta() < self.try_at - now <= longest:
            raise self.error
        self._tries += 1
        number = min(max(self._refusals, self._tries), _REFUSALS_IF_DEFINITE)
        self.try_at = now + _retry_delay(number)

    @callback
    def async_clock_was_set(self, step: timedelta) -> None:
        """Move stored times with the clock, so that waits keep their length."""
        self._rejected_since += step
        if self.try_at is not None:
            self.try_at += step

    @callback
    def async_refuse(
        self,
        known: datetime | None,
        *,
        clear: bool = True,
        probe: Request[Any] = _nothing,
    ) -> None:
        """Record that access was refused.

        Args:
            known: ``try_at`` when the request was sent: of several refused at once only the first counts.
            clear: whether the answer can only mean a refusal.
            probe: the request that was refused, unless it was a token refresh.

        """
        if self.try_at != known:
            return
        self._refusals = max(self._refusals + 1, _REFUSALS_IF_DEFINITE if clear else 0)
        self._tries = 0
        self._refused_token = self._entry.data[CONF_TOKEN].get("refresh_token")
        self.probe = probe
        asked = self._refusals >= _REAUTH_FROM
        self._enter(
            LinkState.REFUSED if asked else LinkState.DOUBTFUL,
            _retry_delay(self._refusals),
        )

    @callback
    def async_lack_credentials(self) -> None:
        """Record that the client id and secret are missing."""
        self._enter(LinkState.NO_CREDENTIALS, _CREDENTIALS_CHECK_INTERVAL)

    @callback
    def async_reject(self) -> bool:
        """Record that the API rejected a fresh access token; return whether to believe it."""
        now = dt_util.utcnow()
        if not self._rejections:
            self._rejected_since = now
        self._rejections += 1
        return self.state is LinkState.REFUSED or (
            self._rejections >= _MIN_REJECTIONS
            and now - self._rejected_since >= _MIN_REJECTION_PERIOD
        )

    @callback
    def async_accept(self) -> None:
        """Record that Nomos grants access."""
        self.probe, self._refused_token = _nothing, None
        self._refusals = self._rejections = self._tries = 0
        if not self.is_open:
            self._enter(LinkState.OPEN, None)

    @callback
    def async_remind(self) -> None:
        """Start a reauth flow if access is refused; Home Assistant does not start a second one."""
        if self.state is LinkState.REFUSED:
            self._entry.async_start_reauth(self._hass)

    def _enter(self, state: LinkState, gap: timedelta | None) -> None:
        """Change the state, and try again after a gap."""
        self.state = state
        self.try_at = None if gap is None else dt_util.utcnow() + gap
        async_report(
            self._hass,
            Issue.CREDENTIALS_MISSING,
            self._entry.entry_id,
            self._entry.title,
            present=state is LinkState.NO_CREDENTIALS,
            **PAGES,
        )
        match state:
            case LinkState.OPEN:
                _LOGGER.info("Nomos grants access again")
                self._withdraw_question()
                # A customer on Nomos's pages returns to a flow that still exists, and the new link is just as good.
                self._entry.async_on_unload(
                    async_call_later(
                        self._hass, _SIGN_IN_TIMEOUT, self._withdraw_question
                    )
                )
            case LinkState.DOUBTFUL | LinkState.REFUSED:
                _LOGGER.debug("Access was refused; tried again in %s", gap)
                self.async_remind()
        async_dispatcher_send(self._hass, link_signal(self._entry))

    @callback
    def _withdraw_question(self, later: datetime | None = None) -> None:
        """Abort the reauth flows: at once those that were not started, later all of them."""
        if self.state is LinkState.REFUSED:
            return
        for flow in self._entry.async_get_active_flows(self._hass, {SOURCE_REAUTH}):
            if later or flow.get("step_id") == "reauth_confirm":
                self._hass.config_entries.flow.async_abort(flow["flow_id"])


def _retry_delay(number: int) -> timedelta:
    """Return how long to wait after so many refusals."""
    gap = _RETRY_DELAYS[min(number, len(_RETRY_DELAYS)) - 1]
    return gap * (1 + _JITTER * random.random())
