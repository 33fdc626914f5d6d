"""Conditions of automations: the level of the current price, and its rank within the day.

All of them refer to the interval that is current when they are checked. None holds for an unknown price, nor for all
of several prices if one is unknown.
"""

from collections.abc import Callable
from typing import Final, override

import probatio

from homeassistant.const import CONF_OPTIONS, CONF_TARGET
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import config_validation as cv
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
    OfKind,
    price_coordinator,
)


class _NomosCondition(OfKind, EntityConditionBase):
    """A condition on one kind of entity."""

    @property
    @override
    def needs_polling(self) -> bool:
        """Return True: time can change the result, or an entity that the chosen one stands for."""
        return True

    @override
    def _should_include(self, _state: State) -> bool:
        """Include unknown states, which do not meet the condition."""
        return True

    @override
    def _check_all_match_state(self, states: list[State]) -> bool:
        """Return whether all states meet the condition, and there is at least one."""
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
        """Read the levels."""
        super().__init__(hass, config)
        assert config.options
        comparison: Comparison = config.options[CONF_COMPARISON]
        self._states = {*comparison.levels(config.options[CONF_LEVEL])}


def _rated(
    option: str,
    limits: probatio.Range,
    holds: Callable[[PriceCoordinator, PriceRating, float], bool],
) -> type[Condition]:
    """Return a condition with one number about the current price's rating within its day.

    It reads the price table, not the state: at the boundary of two intervals the state may lag, and two consecutive
    intervals of the same price share a state but not a rank. For the same reason it has no "for".
    """

    class Rated(_NomosCondition):
        _kind = PRICE
        _schema = probatio.Schema(
            {
                probatio.Required(CONF_TARGET): cv.TARGET_FIELDS,
                probatio.Required(CONF_OPTIONS): {
                    probatio.Required(ATTR_BEHAVIOR, default=BEHAVIOR_ANY): probatio.In(
                        [BEHAVIOR_ANY, BEHAVIOR_ALL]
                    ),
                    probatio.Required(option): probatio.All(
                        probatio.Coerce(float), limits
                    ),
                },
            }
        )

        def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
            super().__init__(hass, config)
            assert config.options
            self._number: float = config.options[option]

        @override
        def is_valid_state(self, entity_state: State) -> bool:
            prices = price_coordinator(self._hass, entity_state.entity_id)
            rating = prices.levels.at(dt_util.utcnow()) if prices else None
            return bool(prices and rating and holds(prices, rating, self._number))

    return Rated


def _below_average(
    prices: PriceCoordinator, rating: PriceRating, percent: float
) -> bool:
    day = prices.data.day(local_date(rating.interval.start))
    return bool(below_average(rating.interval, day, percent))


CONDITIONS: Final[dict[str, type[Condition]]] = {
    "among_cheapest_hours": _rated(
        "hours",
        probatio.Range(min=0, min_included=False, max=25),
        lambda _, rating, hours: rating.among_cheapest(hours),
    ),
    "below_average": _rated("percent", probatio.Range(min=0, max=1000), _below_average),
    "price_level_is": PriceLevelIs,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions."""
    return CONDITIONS
