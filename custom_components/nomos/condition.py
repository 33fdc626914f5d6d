"""Conditions of automations: the level of the current price, and its place within the day.

All of them are about the interval that is current when they are asked. Where a price is not known they do not hold,
also where all of several prices are asked for.
"""

from abc import abstractmethod
from typing import ClassVar, Final, override

import probatio

from homeassistant.const import CONF_OPTIONS, CONF_TARGET, Platform
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.condition import (
    ATTR_BEHAVIOR,
    BEHAVIOR_ALL,
    BEHAVIOR_ANY,
    ENTITY_STATE_CONDITION_SCHEMA_ANY_ALL,
    Condition,
    ConditionConfig,
    EntityConditionBase,
    EntityStateConditionBase,
)
from homeassistant.util import dt as dt_util

from .prices.coordinator import PriceCoordinator
from .pricing import PriceRating, below_average, local_date
from .targets import (
    CONF_COMPARISON,
    CONF_LEVEL,
    LEVELS,
    PRICE,
    PRICE_LEVEL,
    Comparison,
    EntityKind,
    price_coordinator,
)

CONF_HOURS: Final = "hours"
CONF_PERCENT: Final = "percent"


class _NomosCondition(EntityConditionBase):
    """A condition about one kind of Nomos' entities."""

    _kind: ClassVar[EntityKind]
    _domain_specs = {Platform.SENSOR: DomainSpec()}

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """Keep the entities that the condition is about."""
        return self._kind.among(self._hass, entities)

    @override
    def _should_include(self, _state: State) -> bool:
        """Count what is not known, too: it does not hold."""
        return True

    @override
    def _check_all_match_state(self, states: list[State]) -> bool:
        """Return whether the condition holds for all of at least one."""
        return bool(states) and super()._check_all_match_state(states)


class PriceLevelIs(_NomosCondition, EntityStateConditionBase):
    """The level is at least, at most or exactly a certain one."""

    _kind = PRICE_LEVEL
    _schema = ENTITY_STATE_CONDITION_SCHEMA_ANY_ALL.extend(
        {
            probatio.Required(CONF_OPTIONS): {
                probatio.Required(CONF_COMPARISON): probatio.Coerce(Comparison),
                probatio.Required(CONF_LEVEL): probatio.In(LEVELS),
            },
        }
    )

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Work out the levels that count."""
        super().__init__(hass, config)
        assert config.options
        comparison: Comparison = config.options[CONF_COMPARISON]
        self._states = set(comparison.levels(config.options[CONF_LEVEL]))


class _WithinDay(_NomosCondition):
    """The current price has a certain place among the prices of its day.

    It is judged by the price table at this moment, not by the state: at the boundary of two intervals the state may
    lag, and two neighbours of the same price share a state but not a place. For the same reason there is no "for".
    """

    _kind = PRICE
    _option: ClassVar[str]

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Take the number."""
        super().__init__(hass, config)
        assert config.options
        self._number: float = config.options[self._option]

    @property
    @override
    def needs_polling(self) -> bool:
        """Return that time alone can change the result."""
        return True

    @override
    def is_valid_state(self, entity_state: State) -> bool:
        """Return whether the price that is current now has the place."""
        coordinator = price_coordinator(self._hass, entity_state.entity_id)
        if coordinator is None:
            return False
        standing = coordinator.standing(dt_util.utcnow())
        return standing is not None and self._holds(coordinator, standing)

    @abstractmethod
    def _holds(self, coordinator: PriceCoordinator, standing: PriceRating) -> bool:
        """Return whether a known price has the place."""


def _number_schema(option: str, limits: probatio.Range) -> probatio.Schema:
    """Return the schema of a condition with one number."""
    return probatio.Schema(
        {
            probatio.Required(CONF_TARGET): cv.TARGET_FIELDS,
            probatio.Required(CONF_OPTIONS): {
                probatio.Required(ATTR_BEHAVIOR, default=BEHAVIOR_ANY): probatio.In(
                    [BEHAVIOR_ANY, BEHAVIOR_ALL]
                ),
                probatio.Required(option): probatio.All(probatio.Coerce(float), limits),
            },
        }
    )


class AmongCheapestHours(_WithinDay):
    """The current interval belongs to the cheapest hours of its day."""

    _option = CONF_HOURS
    _schema = _number_schema(
        CONF_HOURS, probatio.Range(min=0, min_included=False, max=25)
    )

    @override
    def _holds(self, coordinator: PriceCoordinator, standing: PriceRating) -> bool:
        return standing.among_cheapest(self._number)


class BelowAverage(_WithinDay):
    """The current price is below the day's average, by some percent of it or more."""

    _option = CONF_PERCENT
    _schema = _number_schema(CONF_PERCENT, probatio.Range(min=0, max=1000))

    @override
    def _holds(self, coordinator: PriceCoordinator, standing: PriceRating) -> bool:
        interval = standing.interval
        day = coordinator.data.day(local_date(interval.start))
        return bool(below_average(interval, day, self._number))


CONDITIONS: Final[dict[str, type[Condition]]] = {
    "among_cheapest_hours": AmongCheapestHours,
    "below_average": BelowAverage,
    "price_level_is": PriceLevelIs,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions."""
    return CONDITIONS
