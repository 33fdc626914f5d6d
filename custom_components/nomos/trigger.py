"""Triggers of automations: levels, cheap periods, prices, tomorrow's prices and the runs of loads.

All but one watch states of Nomos entities and fire when one changes from a known state to another. The first state
after a start or a reload fires nothing, nor does a change from an unknown one, with one exception: a price that
returns after a gap is compared with the last one before it, if the automation was running throughout.
"""

from typing import ClassVar, Final, override

import probatio

from homeassistant.const import CONF_FOR, CONF_OPTIONS, STATE_OFF, STATE_ON
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, State, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.selector import NumericThresholdType
from homeassistant.helpers.target import (
    TargetSelection,
    TargetStateChangedData,
    async_extract_referenced_entity_ids,
    async_track_target_selector_state_change_event,
)
from homeassistant.helpers.trigger import (
    ENTITY_STATE_TRIGGER_SCHEMA,
    ENTITY_STATE_TRIGGER_SCHEMA_WITH_BEHAVIOR,
    NUMERICAL_ATTRIBUTE_CROSSED_THRESHOLD_SCHEMA,
    EntityNumericalStateCrossedThresholdTriggerBase,
    EntityTargetStateTriggerBase,
    EntityTransitionTriggerBase,
    EntityTriggerBase,
    Trigger,
    TriggerActionRunner,
    TriggerConfig,
    TriggerNotTriggeredReporter,
)
from homeassistant.helpers.typing import ConfigType

from .prices.coordinator import SIGNAL_LOWEST
from .prices.entity import PRICE_UNIT
from .targets import (
    CHEAP_NOW,
    CONF_COMPARISON,
    CONF_LEVEL,
    EXPENSIVE_NOW,
    LEVELS,
    PRICE,
    PRICE_LEVEL,
    RUN_NOW,
    TOMORROW_AVAILABLE,
    Comparison,
    EntityKind,
    OfKind,
)

CONF_FROM: Final = "from"
CONF_TO: Final = "to"
CONF_THRESHOLD: Final = "threshold"

_SOME_LEVELS: Final = probatio.All(probatio.EnsureList(), [probatio.In(LEVELS)])


def _in_euro(config: ConfigType) -> ConfigType:
    """Reject a value in another unit than EUR/kWh: 20 ct read as 20 EUR would never be crossed."""
    threshold = config[CONF_OPTIONS][CONF_THRESHOLD]
    for name in ("value", "value_min", "value_max"):
        unit = threshold.get(name, {}).get("unit_of_measurement")
        if unit not in {None, PRICE_UNIT}:
            raise probatio.Invalid(
                f"Prices are in {PRICE_UNIT}, not in {unit}",
                path=[CONF_OPTIONS, CONF_THRESHOLD, name],
            )
    return config


class PriceLevelChanged(OfKind, EntityTransitionTriggerBase):
    """The level changes, optionally from or to certain levels."""

    _kind = PRICE_LEVEL
    _schema = ENTITY_STATE_TRIGGER_SCHEMA.extend(
        {
            probatio.Required(CONF_OPTIONS, default={}): {
                probatio.Optional(CONF_FROM): _SOME_LEVELS,
                probatio.Optional(CONF_TO): _SOME_LEVELS,
                probatio.Optional(CONF_FOR): cv.positive_time_period,
            },
        }
    )

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Read the levels; none means any."""
        super().__init__(hass, config)
        self._from_states = set(self._options.get(CONF_FROM) or LEVELS)
        self._to_states = set(self._options.get(CONF_TO) or LEVELS)


class PriceLevelReached(OfKind, EntityTargetStateTriggerBase):
    """The level becomes at least or at most a certain one, and was not before."""

    _kind = PRICE_LEVEL
    _schema = ENTITY_STATE_TRIGGER_SCHEMA_WITH_BEHAVIOR.extend(
        {
            probatio.Required(CONF_OPTIONS): {
                probatio.Required(CONF_COMPARISON): probatio.All(
                    probatio.In([Comparison.AT_LEAST, Comparison.AT_MOST]),
                    probatio.Coerce(Comparison),
                ),
                probatio.Required(CONF_LEVEL): probatio.In(LEVELS),
            },
        }
    )

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Read the levels that count as reached."""
        super().__init__(hass, config)
        comparison: Comparison = self._options[CONF_COMPARISON]
        self._to_states = comparison.levels(self._options[CONF_LEVEL])


class PriceCrossedValue(OfKind, EntityNumericalStateCrossedThresholdTriggerBase):
    """The price goes above or below a value, or into or out of the range between two.

    A price equal to the value is neither above nor below it. A value from another entity is read when the price
    changes; its own changes fire nothing.
    """

    _kind = PRICE
    _valid_unit = PRICE_UNIT
    _schema = probatio.Schema(
        probatio.All(NUMERICAL_ATTRIBUTE_CROSSED_THRESHOLD_SCHEMA, _in_euro)
    )
    # Gaps are bridged in this class, with the price before the gap.
    _excluded_from_states: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Begin without a remembered price."""
        super().__init__(hass, config)
        self._before_gap: dict[str, State] = {}

    @override
    def is_valid_transition(self, from_state: State, to_state: State) -> bool:
        """Return whether the price was on the other side when it was last known."""
        known: State | None = from_state
        if from_state.state in self._excluded_states:
            known = self._before_gap.get(from_state.entity_id)
        return known is not None and super().is_valid_transition(known, to_state)

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Remember the last price before a gap, from now on."""

        @callback
        def remember(data: TargetStateChangedData) -> None:
            event = data.state_change_event
            before, after = event.data["old_state"], event.data["new_state"]
            if after is None:
                self._before_gap.pop(event.data["entity_id"], None)
            elif (
                before is not None
                and before.state not in self._excluded_states
                and after.state in self._excluded_states
            ):
                self._before_gap[after.entity_id] = before

        forget = await async_track_target_selector_state_change_event(
            self._hass,
            self._target,
            remember,
            self.entity_filter,
            primary_entities_only=self._primary_entities_only,
        )
        detach = await super().async_attach_runner(run_action, did_not_trigger)

        @callback
        def remove() -> None:
            detach()
            forget()

        return remove


class PriceTurnedNegative(PriceCrossedValue):
    """The price falls below zero."""

    _schema = ENTITY_STATE_TRIGGER_SCHEMA_WITH_BEHAVIOR

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Cross zero downwards."""
        below_zero = {"type": NumericThresholdType.BELOW, "value": {"number": 0.0}}
        options = {**(config.options or {}), CONF_THRESHOLD: below_zero}
        super().__init__(hass, TriggerConfig(config.key, config.target, options))


def _becomes(
    kind: EntityKind, state: str, *, diagnostic: bool = False
) -> type[Trigger]:
    """Return a trigger that fires when an entity of a kind changes to a state."""

    class Becomes(OfKind, EntityTargetStateTriggerBase):
        _kind = kind
        _to_states = {state}
        _primary_entities_only = not diagnostic

    return Becomes


class LowestPriceStarted(OfKind, EntityTriggerBase):
    """The lowest price of the day begins.

    No state change marks this at midnight: the lowest price was known before, and only the day changes.
    """

    _kind = PRICE_LEVEL
    _schema = ENTITY_STATE_TRIGGER_SCHEMA

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Follow the signals of the chosen contracts."""
        target = TargetSelection(self._target)

        @callback
        def begins(contract_id: str) -> None:
            found = async_extract_referenced_entity_ids(self._hass, target)
            chosen = self.entity_filter(found.referenced | found.indirectly_referenced)
            for entity_id in chosen & self._kind.of_contract(self._hass, contract_id):
                reason = f"the lowest price of the day of {entity_id}"
                run_action({"entity_id": entity_id}, reason)

        return async_dispatcher_connect(self._hass, SIGNAL_LOWEST, begins)


TRIGGERS: Final[dict[str, type[Trigger]]] = {
    "cheap_period_ended": _becomes(CHEAP_NOW, STATE_OFF),
    "cheap_period_started": _becomes(CHEAP_NOW, STATE_ON),
    "expensive_period_ended": _becomes(EXPENSIVE_NOW, STATE_OFF),
    "expensive_period_started": _becomes(EXPENSIVE_NOW, STATE_ON),
    "load_run_ended": _becomes(RUN_NOW, STATE_OFF),
    "load_run_started": _becomes(RUN_NOW, STATE_ON),
    "lowest_price_started": LowestPriceStarted,
    "price_crossed_value": PriceCrossedValue,
    "price_level_changed": PriceLevelChanged,
    "price_level_reached": PriceLevelReached,
    "price_turned_negative": PriceTurnedNegative,
    "tomorrow_prices_arrived": _becomes(TOMORROW_AVAILABLE, STATE_ON, diagnostic=True),
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers."""
    return TRIGGERS
