"""Link a Nomos account, link it again, or change its credentials."""

from collections.abc import Mapping
from datetime import timedelta
import logging
from typing import Any, Final, override

import probatio

from homeassistant.config_entries import (
    SOURCE_IGNORE,
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigFlowResult,
    ConfigSubentryFlow,
    OptionsFlowWithReload,
)
from homeassistant.const import CONF_ACCESS_TOKEN, CONF_TOKEN
from homeassistant.core import callback
from homeassistant.helpers.config_entry_oauth2_flow import AbstractOAuth2FlowHandler
from homeassistant.helpers.typing import UNDEFINED, UndefinedType

from .account.ranking import rank_contracts
from .account.tokens import async_replace_link
from .api import (
    NomosClient,
    NomosError,
    NomosPermissionError,
    Subscription,
    SubscriptionStatus,
)
from .application_credentials import session_without_cookies
from .battery.form import BatteryFlow
from .const import BATTERY, DOMAIN, PAGES, SUPPORT_EMAIL
from .errors import in_log
from .forecast.form import async_forecast_fields, async_shown, async_stored
from .form_fields import Fields, LimitedNumber, SectionedForm
from .loads.form import LoadFlow
from .loads.load import SUBENTRY_TYPE
from .prices.conversion import DISTANCES, PERIODS, SHARES, contradictions
from .pricing import DEFAULT_LIMITS, DEFAULT_THRESHOLDS
from .runtime import NomosConfigEntry

_LOGGER = logging.getLogger(__name__)

_REWORDED_REASONS: Final = frozenset(
    {"oauth_unauthorized", "oauth_failed", "oauth_timeout", "user_rejected_authorize"}
)
"""Abort reasons of the base flow for which our own texts are more helpful."""

_AGAIN: Final = frozenset({SOURCE_REAUTH, SOURCE_RECONFIGURE})
"""The sources of flows for an account that is already linked."""


class NomosConfigFlow(AbstractOAuth2FlowHandler, domain=DOMAIN):
    """Links an account on Nomos's authorization pages."""

    DOMAIN = DOMAIN

    @property
    @override
    def logger(self) -> logging.Logger:
        """Return the logger that the base flow writes to."""
        return _LOGGER

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: NomosConfigEntry) -> NomosOptionsFlow:
        """Return the flow that changes the options."""
        return NomosOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: NomosConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what can be added to an account: loads and batteries."""
        return {SUBENTRY_TYPE: LoadFlow, BATTERY: BatteryFlow}

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Link the account again after Nomos refused the grant."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Explain before the browser leaves Home Assistant."""
        if user_input is None:
            return self.async_show_form(step_id="reauth_confirm")
        return await self.async_step_user()

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Link the account again at the customer's request, for example with other credentials."""
        return await self.async_step_user()

    @callback
    @override
    def async_abort(
        self,
        *,
        reason: str,
        description_placeholders: Mapping[str, str] | None = None,
        **others: Any,
    ) -> ConfigFlowResult:
        """Abort the flow, with our own text if it is more helpful."""
        named = {**(description_placeholders or {}), "support_email": SUPPORT_EMAIL}
        if reason in _REWORDED_REASONS:
            # Home Assistant does not delete credentials that are in use, so the advice differs then.
            again = reason == "oauth_unauthorized" and self.source in _AGAIN
            reason = f"link_{reason}_again" if again else f"link_{reason}"
            # It comes from the address that the browser was redirected to, and may contain anything.
            error = named.get("error", "")
            named |= {**PAGES, "error": error if error.isidentifier() else "-"}
        return super().async_abort(
            reason=reason, description_placeholders=named, **others
        )

    @override
    async def async_oauth_create_entry(self, data: dict[str, Any]) -> ConfigFlowResult:
        """Identify the customer, and store the link."""
        token = data[CONF_TOKEN]
        if not token.get("refresh_token"):
            return self.async_abort(reason="no_refresh_token")

        async def get_access_token() -> str:
            return str(token[CONF_ACCESS_TOKEN])

        with session_without_cookies(self.hass) as session:
            return await self._async_link(NomosClient(session, get_access_token), data)

    async def _async_link(
        self, client: NomosClient, data: dict[str, Any]
    ) -> ConfigFlowResult:
        try:
            contracts = await client.subscriptions()
        except NomosPermissionError:
            return self.async_abort(reason="permission_denied")
        except NomosError as err:
            _LOGGER.warning("The new link could not be tried: %s", in_log(err))
            return self.async_abort(reason="cannot_connect")
        if not contracts:
            return self.async_abort(reason="no_subscription")
        if len({one.customer_id for one in contracts}) > 1:
            _LOGGER.warning("Nomos listed contracts of several customers for one link")
            return self.async_abort(reason="cannot_connect")

        known = await self.async_set_unique_id(contracts[0].customer_id)
        self._abort_if_unique_id_mismatch(reason="wrong_account")
        if known is not None and known.source != SOURCE_IGNORE:
            return await self._async_link_again(known, data)
        if all(one.status is SubscriptionStatus.ENDED for one in contracts):
            return self.async_abort(reason="contract_ended")
        pending = all(one.status is SubscriptionStatus.PENDING for one in contracts)
        return self.async_create_entry(
            title=await _title(client, contracts),
            data=data,
            description="pending" if pending else None,
            description_placeholders=PAGES,
        )

    async def _async_link_again(
        self, entry: NomosConfigEntry, data: dict[str, Any]
    ) -> ConfigFlowResult:
        """Replace the link of an account, even one that works: a new consent may invalidate the old one."""
        await async_replace_link(self.hass, entry, data)
        reason: str | UndefinedType = UNDEFINED
        if self.source not in _AGAIN:
            reason = "linked_again_disabled" if entry.disabled_by else "linked_again"
        return self.async_update_reload_and_abort(entry, reason=reason)


class NomosOptionsFlow(OptionsFlowWithReload):
    """The options: what counts as cheap and expensive, and what forecasts are based on."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the form, and reject thresholds that contradict each other."""
        fields = await async_forecast_fields(self.hass)
        form = SectionedForm(_level_fields(), {"battery": fields})
        errors: dict[str, str] = {}
        if user_input is not None:
            entered = form.flat(user_input)
            if not (errors := contradictions(entered)):
                stored = await async_stored(self.hass, fields, entered)
                return self.async_create_entry(data=stored)
        else:
            entered = await async_shown(self.hass, fields, self.config_entry.options)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                form.schema(), form.nested(entered)
            ),
            errors=errors,
        )


def _level_fields() -> Fields:
    """Return the fields that define cheap and expensive."""
    fields: Fields = {}
    for names, scale, step, unit in (
        (SHARES, 1, 1, "%"),
        (DISTANCES, 100, 0.1, "ct/kWh"),
    ):
        for name in names:
            usual = getattr(DEFAULT_THRESHOLDS, name) * scale
            field = LimitedNumber(0, 50, step, unit)
            fields[probatio.Required(name, default=usual)] = field
    for name, limit in PERIODS.items():
        usual = getattr(DEFAULT_LIMITS, limit) / timedelta(minutes=1)
        fields[probatio.Required(name, default=usual)] = LimitedNumber(0, 240, 5, "min")
    return fields


async def _title(client: NomosClient, contracts: tuple[Subscription, ...]) -> str:
    """Return a name for the account that the customer knows: its main contract's number, or its tariff."""
    main = rank_contracts(contracts)[0]
    if main.number:
        return main.number
    try:
        return (await client.tariff(main.tariff_id)).name
    except NomosError as err:
        # Whether a customer may read tariffs is not documented; linking does not fail for lack of a name.
        _LOGGER.debug("The tariff could not be read: %s", in_log(err))
        return "Nomos"
