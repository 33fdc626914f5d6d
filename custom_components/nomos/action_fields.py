"""Fields of actions: validators whose errors say which field is wrong, and how."""

from collections.abc import Callable
from typing import Any

import probatio

from homeassistant.helpers import config_validation as cv

from .api import harmless_text
from .errors import invalid_input


def text(value: Any) -> str:
    """Return a text that can be searched for, repeated in an error and stored."""
    return harmless_text(cv.string(value))


def number(field: str, low: float, high: float) -> Callable[[Any], float]:
    """Return a validator of a number that names field and bounds in its error."""

    def read(value: Any) -> float:
        found: float = probatio.Coerce(float)(value)
        if low <= found <= high:  # NaN never is.
            return found
        raise invalid_input(
            "out_of_bounds", field=field, low=f"{low:g}", high=f"{high:g}"
        )

    return read
