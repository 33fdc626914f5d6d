"""What a loaded config entry runs: the account, and coordinators and a device for each contract that is shown."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import (
    async_dispatcher_connect,
    async_dispatcher_send,
)
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.importlib import async_import_module
from homeassistant.util.signal_type import SignalType

from .account.contracts import NomosAccount
from .account.link import link_signal
from .api import Subscription, SubscriptionStatus
from .clock import async_watch_clock
from .const import BATTERY, CUSTOMER_URL, DOMAIN, MANUFACTURER
from .energy_dashboard import async_dashboard
from .entity import signal_changed
from .issues import Issue, async_report
from .loads.manager import Loads
from .prices.coordinator import PriceCoordinator
from .prices.past import PastPrices
from .usage.coordinator import UsageCoordinator, async_delete_files

if TYPE_CHECKING:
    from .battery.manager import Batteries
    from .forecast.forecasts import Forecasts

type NomosConfigEntry = ConfigEntry[NomosRuntime]


class NomosRuntime:
    """Keeps coordinators and devices in line with the account's contracts."""

    def __init__(
        self, hass: HomeAssistant, entry: NomosConfigEntry, account: NomosAccount
    ) -> None:
        """Manage an account whose contracts are known."""
        self.account = account
        self.prices: dict[str, PriceCoordinator] = {}
        self.usage: dict[str, UsageCoordinator] = {}
        self.past = PastPrices(account)
        self._hass = hass
        self._entry = entry
        self._usage_lock = asyncio.Lock()
        self._new_contract = f"{DOMAIN}_contract_{entry.entry_id}"
        self.loads = Loads(hass, entry, self.prices)
        self.batteries: Batteries | None = None
        self.forecasts: Forecasts | None = None
        """Both are None until something needs them; until then, none of their code is imported."""
        self._forecasts_lock = asyncio.Lock()
        self._add_battery: AddConfigEntryEntitiesCallback | None = None

    async def async_begin(self, *, must_answer: bool) -> None:
        """Load or request the first prices, and follow the account from now on.

        Raises:
            ConfigEntryNotReady: prices are required, but no contract has any.

        """
        self._follow()
        failure: ConfigEntryNotReady | None = None
        for coordinator in self.prices.values():
            try:
                await coordinator.async_begin(must_answer=must_answer)
            except ConfigEntryNotReady as err:
                failure = err
        if failure and not any(
            coordinator.last_update_success for coordinator in self.prices.values()
        ):
            raise failure
        for coordinator in self.prices.values():
            coordinator.async_start()
        await self._async_follow_usage()
        self._entry.async_on_unload(
            self.account.async_add_listener(self._account_changed)
        )
        self._entry.async_on_unload(async_watch_clock(self._hass, self._clock_was_set))
        self._connect(link_signal(self._entry), self._link_changed)
        await self.loads.async_begin()
        self._connect(SIGNAL_CONFIG_ENTRY_CHANGED, self._entry_changed)
        await self.async_follow_forecasts()

    @callback
    def _entry_changed(self, change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry is self._entry and change is ConfigEntryChange.UPDATED:
            self._entry.async_create_background_task(
                self._hass, self.async_follow_forecasts(), f"{DOMAIN} forecasts"
            )

    async def async_follow_forecasts(self, *, use_own_sun: bool = False) -> None:
        """Start batteries, and own solar power for loads, once one needs it or is going to need it."""
        kinds = {one.subentry_type for one in self._entry.subentries.values()}
        async with self._forecasts_lock:
            if BATTERY in kinds and self.batteries is None:
                await self._async_begin_batteries()
            if (use_own_sun or self.loads.use_own_sun) and self.loads.sun is None:
                await self._async_share_sun()

    async def _async_forecasts(self) -> Forecasts:
        """Return the forecasts, started if necessary."""
        if self.forecasts is None:
            room = await self._async_room("forecast.forecasts")
            forecasts: Forecasts = room.Forecasts(
                self._hass,
                self._entry,
                self.prices,
                usage_statistics=self._usage_statistics,
                load_statistics=self.loads.energy_statistics,
            )
            self._entry.async_on_unload(forecasts.async_start())
            self.forecasts = forecasts
        return self.forecasts

    async def _async_room(self, name: str) -> Any:
        """Import a module that only some households need."""
        return await async_import_module(self._hass, f"{__package__}.{name}")

    async def _async_begin_batteries(self) -> None:
        room = await self._async_room("battery.manager")
        forecasts = await self._async_forecasts()
        batteries: Batteries = room.Batteries(
            self._hass,
            self._entry,
            self.prices,
            forecasts,
            self.loads.planned_runs,
            forecasts_changed=forecasts.signal,
            loads_changed=signal_changed(self._entry.entry_id),
        )
        await batteries.async_begin()
        self.batteries = batteries
        if self._add_battery is not None:
            batteries.async_add_sensors(self._add_battery)

    async def _async_share_sun(self) -> None:
        """Let loads use own solar power from now on."""
        room = await self._async_room("loads.own_sun")
        forecasts = await self._async_forecasts()

        self.loads.async_share_sun(
            room.SharedSun(
                self._hass,
                self._entry,
                self.loads.all,
                forecasts.async_outlook,
                forecasts_changed=forecasts.signal,
            )
        )

    async def async_forecasts_sun(self) -> bool:
        """Return whether a solar forecast is chosen for the account."""
        options = await self._async_room("forecast.options")
        chosen = options.ForecastOptions.of(self._entry.options).solar_forecasts
        if chosen is None:
            chosen = (await async_dashboard(self._hass)).chosen
        return bool(chosen)

    def _usage_statistics(self) -> list[str]:
        """Return the ids of the usage statistics of consumption contracts."""
        return [
            one.statistics.energy_statistic
            for one in self.usage.values()
            if not one.prices.contract.feeds_in
        ]

    @callback
    def async_each_battery(self, add: AddConfigEntryEntitiesCallback) -> None:
        """Add the sensors of all batteries, including those added later."""
        self._add_battery = add
        if self.batteries is not None:
            self.batteries.async_add_sensors(add)

    @callback
    def async_each_contract(self, platform: Callable[[PriceCoordinator], None]) -> None:
        """Call a platform for every contract that is shown, including those that appear later."""
        self._connect(self._new_contract, platform)
        for contract_id, prices in self.prices.items():
            if contract_id in self.usage:
                platform(prices)

    def _connect(
        self, signal: str | SignalType[*tuple[Any, ...]], target: Callable[..., None]
    ) -> None:
        self._entry.async_on_unload(
            async_dispatcher_connect(self._hass, signal, target)
        )

    async def _async_follow_usage(self) -> None:
        """Request the usage of contracts that are shown, and of ended ones for their statistics."""
        async with self._usage_lock:
            for contract_id, contract in self.account.data.items():
                shown = contract_id in self.account.shown
                prices = self.prices.get(contract_id)
                before = self.usage.get(contract_id)
                if not shown:
                    if before is not None and not before.shown:
                        before.prices.async_contract_changed(contract)
                        continue
                    has_run = _has_run(contract)
                    prices = (
                        PriceCoordinator(self.account, contract) if has_run else None
                    )
                if prices is None or (before is not None and before.prices is prices):
                    continue
                if before is not None:
                    del self.usage[contract_id]
                    await before.async_leave()
                usage = UsageCoordinator(prices, shown=shown)
                await usage.async_load()
                if not shown or self.prices.get(contract_id) is prices:
                    usage.async_start()
                    self.usage[contract_id] = usage

    @callback
    def _account_changed(self) -> None:
        self._entry.async_create_background_task(
            self._hass, self._async_add(self._follow()), f"{DOMAIN} contracts"
        )
        self.loads.async_update()
        if self.batteries is not None:
            self.batteries.async_update()

    @callback
    def _clock_was_set(self, step: timedelta) -> None:
        """Show the values of the new time at once, and plan again."""
        self.account.async_clock_was_set(step)
        for prices in self.prices.values():
            prices.async_clock_was_set(step)
        for usage in self.usage.values():
            usage.async_clock_was_set(step)
        self.loads.async_replan()
        if self.batteries is not None:
            self.batteries.async_replan()

    @callback
    def _link_changed(self) -> None:
        """Repeat requests that failed, if Nomos grants access again."""
        if self.account.link.is_open:
            for prices in self.prices.values():
                prices.async_resume()
            for usage in self.usage.values():
                usage.async_resume()

    async def _async_add(self, came: list[PriceCoordinator]) -> None:
        """Show contracts that appeared while the account was running, and complete those that ended."""
        for coordinator in came:
            coordinator.async_start()
        await self._async_follow_usage()
        for coordinator in came:
            if self.prices.get(coordinator.contract_id) is coordinator:
                async_dispatcher_send(self._hass, self._new_contract, coordinator)
                await coordinator.async_refresh()

    @callback
    def _follow(self) -> list[PriceCoordinator]:
        """Create, update and remove devices and coordinators; return the new coordinators."""
        shown = self.account.shown
        registry = dr.async_get(self._hass)
        for device in dr.async_entries_for_config_entry(registry, self._entry.entry_id):
            contract_id = next(iter(device.identifiers))[1]
            if contract_id not in shown and (contract_id not in self._entry.subentries):
                registry.async_remove_device(device.id)
                self._hass.async_create_task(self._async_forget(contract_id))
        for contract_id, usage in list(self.usage.items()):
            if not usage.shown and contract_id not in self.account.data:
                self._hass.async_create_task(self._async_forget(contract_id))
        async_report(
            self._hass,
            Issue.CONTRACT_ENDED,
            self._entry.entry_id,
            self._entry.title,
            present=bool(shown)
            and all(one.status is SubscriptionStatus.ENDED for one in shown.values()),
        )
        came = []
        entries = self._hass.config_entries.async_entries(DOMAIN, include_ignore=False)
        kinds = Counter(one.type for one in shown.values())
        for contract in shown.values():
            numbered = max(len(entries), kinds[contract.type]) > 1
            self._describe_device(registry, contract, numbered=numbered)
            if (known := self.prices.get(contract.id)) is None:
                came.append(PriceCoordinator(self.account, contract))
                self.prices[contract.id] = came[-1]
            elif known.async_contract_changed(contract):
                known.async_refresh_soon()
        return came

    async def _async_forget(self, contract_id: str) -> None:
        """Stop the coordinators of a contract that is no longer shown, and delete its files if it is gone."""
        gone = contract_id not in self.account.data
        coordinator = self.prices.pop(contract_id, None)
        usage = self.usage.get(contract_id)
        if usage is not None and (usage.shown or gone):
            del self.usage[contract_id]
            await usage.async_leave()
        if coordinator is not None:
            await coordinator.async_shutdown()
        if gone:
            await async_delete_files(self._hass, contract_id)

    def _describe_device(
        self, registry: dr.DeviceRegistry, contract: Subscription, *, numbered: bool
    ) -> None:
        """Create or update the device of a contract.

        Its name contains the contract's number only if there are several of a kind, or several accounts, so that
        entity ids usually stay short.
        """
        key = "feed_in" if contract.feeds_in else "consumption"
        placeholders = None
        if numbered and contract.number:
            key = f"{key}_numbered"
            placeholders = {"number": contract.number}
        tariff = self.account.tariff_of(contract)
        registry.async_get_or_create(
            config_entry_id=self._entry.entry_id,
            identifiers={(DOMAIN, contract.id)},
            entry_type=dr.DeviceEntryType.SERVICE,
            manufacturer=MANUFACTURER,
            # A model cannot be translated, and the name of a tariff need not be.
            model=tariff.name if tariff else None,
            serial_number=contract.number,
            configuration_url=CUSTOMER_URL,
            translation_key=key,
            translation_placeholders=placeholders,
        )


def _has_run(contract: Subscription) -> bool:
    """Return whether a contract has ended after it began."""
    start, end = contract.start_at, contract.end_at
    return (
        contract.status is SubscriptionStatus.ENDED
        and start is not None
        and (end is None or start < end)
    )
