"""What loads and batteries share as subentries: the contract they are planned with, their device, and their dialog."""

from collections.abc import Mapping
from typing import Any

import probatio

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.selector import SelectOptionDict, SelectSelector

from ..account.ranking import default_contract, rank_contracts
from ..const import DOMAIN
from ..form_fields import Fields, Mistake, SectionedForm
from .coordinator import PriceCoordinator


def coordinator_of(
    prices: Mapping[str, PriceCoordinator], named: str | None
) -> PriceCoordinator | None:
    """Return the prices of the contract that is named, or else of the usual one.

    Also of the usual one if the named one is gone: another has followed on it, and what is planned shall run.
    """
    if named is not None and named in prices:
        return prices[named]
    usual = default_contract(one.contract for one in prices.values())
    return prices[usual.id] if usual else None


@callback
def async_register_device(
    hass: HomeAssistant,
    entry: ConfigEntry,
    subentry_id: str,
    name: str,
    coordinator: PriceCoordinator | None,
) -> None:
    """Create or update the device of a subentry, below the contract that it is planned with."""
    registry, contract = dr.async_get(hass), None
    if coordinator is not None:
        contract = registry.async_get_device_by_identifier(
            (DOMAIN, coordinator.contract_id), entry.entry_id
        )
    registry.async_get_or_create(
        config_entry_id=entry.entry_id,
        config_subentry_id=subentry_id,
        identifiers={(DOMAIN, subentry_id)},
        entry_type=dr.DeviceEntryType.SERVICE,
        name=name,
        via_device_id=contract.id if contract else None,
    )


class PlannedFlow(ConfigSubentryFlow):
    """Asks for something that is planned with a contract for consumption."""

    def contracts(self) -> list[SelectOptionDict]:
        """Return the contracts to plan with, the usual one first."""
        entry: ConfigEntry[Any] = self._get_entry()
        return [
            SelectOptionDict(value=one.id, label=one.number or one.id)
            for one in rank_contracts(entry.runtime_data.account.shown.values())
            if not one.feeds_in
        ]

    def contract_field(self) -> Fields:
        """Return the choice of a contract, if there is one."""
        if len(contracts := self.contracts()) < 2:
            return {}
        usual = probatio.Required("subscription", default=contracts[0]["value"])
        return {usual: SelectSelector({"options": contracts})}

    def check_ready(self) -> None:
        """End the dialog if nothing can be described now."""
        if self._get_entry().state is not ConfigEntryState.LOADED:
            raise AbortFlow(reason="entry_not_loaded")
        if not self.contracts():
            raise AbortFlow(reason="no_consumption")

    def stored(self) -> dict[str, Any]:
        """Return what is stored, without a contract that is gone: the one that has followed on it is shown."""
        subentry = self._get_reconfigure_subentry()
        data = {CONF_NAME: subentry.title, **subentry.data}
        if data.get("subscription") not in {one["value"] for one in self.contracts()}:
            data.pop("subscription", None)
        return data

    def show(
        self,
        step: str,
        form: SectionedForm,
        data: Mapping[str, Any],
        mistake: Mistake | None = None,
    ) -> SubentryFlowResult:
        """Show a form that is filled in with data, and the mistake in them."""
        place = mistake.place if mistake else None
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(
                form.schema(place), form.nested(data)
            ),
            errors={mistake.place: mistake.error} if mistake else None,
            description_placeholders=mistake.placeholders if mistake else None,
        )
