"""Readers for the fields of a JSON answer.

Each reader returns a value of the promised type, or raises `NomosResponseError` with the path of the field but not
its value. Unknown fields are ignored.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
import json
import re
from typing import Final, Self, TypeIs

from .errors import NomosResponseError

_YEARS: Final = range(2000, 2200)

_MAX_TEXT: Final = 100
"""Characters of a display text; longer ones are truncated."""

_MAX_ID: Final = 128
_MAX_CURSOR: Final = 2048

_UNSAFE_CHARACTERS: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029"  # controls and line separators
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # change the direction of the text around them
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"  # lone surrogates and noncharacters
)
_VISIBLE_ASCII: Final = re.compile(r"[!-~]+", re.ASCII)

type ItemReader = Callable[[dict[str, object]], object]
"""Called with each JSON object as soon as it is decoded; returns what replaces it."""


def decode(body: bytes, read_item: ItemReader | None = None) -> object:
    """Decode JSON; raise NomosResponseError for anything else."""
    try:
        data: object = json.loads(body, object_hook=read_item)
    except ValueError, RecursionError:
        # The cause would contain the body, and with it personal data.
        raise NomosResponseError(
            "body", "not JSON" if body.strip() else "empty"
        ) from None
    return data


@dataclass(frozen=True, slots=True, repr=False)
class Fields:
    """A JSON object and its path in the answer. It has no repr, as an answer may contain personal data."""

    values: Mapping[str, object]
    at: str = ""

    @classmethod
    def of(cls, data: object, at: str = "") -> Self:
        """Wrap the object at the path `at`; raise NomosResponseError for anything else."""
        if not isinstance(data, dict):
            raise NomosResponseError(at or "body", "not an object")
        return cls(data, at)

    def value(self, key: str) -> object:
        """Return the raw value; None if it is null or missing."""
        return self.values.get(key)

    def path(self, key: str) -> str:
        """Return the path of a field in the answer."""
        return f"{self.at}.{key}" if self.at else key

    def error(self, key: str, reason: str) -> NomosResponseError:
        """Return the error for a field that is not as documented."""
        return NomosResponseError(self.path(key), reason)

    def required[T](self, key: str, value: T | None) -> T:
        """Return the value of a required field; raise if it is missing or empty."""
        if value is None or value == "":
            raise self.error(key, "missing")
        return value

    def optional_text(self, key: str) -> str | None:
        """Return a sanitised display text; None if it is null or missing."""
        value = self.value(key)
        if value is None:
            return None
        if isinstance(value, str):
            return harmless_text(value)
        raise self.error(key, "not a text")

    def text(self, key: str) -> str:
        """Return a required display text."""
        return self.required(key, self.optional_text(key))

    def identifier(self, key: str, longest: int = _MAX_ID) -> str:
        """Return a required id: visible ASCII, short enough for a file name."""
        value = self.required(key, self.value(key))
        if is_opaque(value, longest):
            return value
        raise self.error(key, "malformed")

    def reference(self, key: str) -> str:
        """Return the id of another object, given as the id itself or as an object with an `id`."""
        value = self.value(key)
        if isinstance(value, dict):
            return Fields(value, self.path(key)).identifier("id")
        return self.identifier(key)

    def next_cursor(self) -> str | None:
        """Return the cursor of the next page of a list; None if this is the last one (Nomos API, Pagination)."""
        more = self.value("has_more")
        if not isinstance(more, bool | None):
            raise self.error("has_more", "not a boolean")
        if not more or not self.value("next_page"):
            return None
        return self.identifier("next_page", _MAX_CURSOR)

    def optional_number(self, key: str, limit: float) -> float | None:
        """Return a number; None if it is null, missing, or implausible (beyond ±`limit`)."""
        value = self.value(key)
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            raise self.error(key, "not a number")
        return number_within(value, limit)

    def number(self, key: str, limit: float) -> float:
        """Return a required, plausible number; see `optional_number`."""
        return self.required(key, self.optional_number(key, limit))

    def optional_instant(self, key: str) -> datetime | None:
        """Return a point in time, in UTC, from an ISO 8601 text with `Z` or an offset; None if it is null or missing.

        A time without a zone is rejected: a guess would be an hour or two off. Years before 2000 and after 2199
        count as missing: some programs send the first or the last year of the calendar instead.
        """
        text = self.optional_text(key)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
            if moment.year not in _YEARS:
                return None
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except ValueError, OverflowError:
            raise self.error(key, "not a time") from None
        raise self.error(key, "a time without a zone")

    def instant(self, key: str) -> datetime:
        """Return a required point in time, in UTC."""
        return self.required(key, self.optional_instant(key))

    def choice[E: StrEnum](
        self, key: str, choices: type[E], default: E | None = None
    ) -> E:
        """Return a member of `choices`; the field is required unless there is a default."""
        text = self.optional_text(key)
        return self.required(key, default if text is None else choices(text))

    def items(self, key: str) -> Iterator[tuple[str, object]]:
        """Yield the path and value of each item of a required list."""
        value = self.required(key, self.value(key))
        if not isinstance(value, list):
            raise self.error(key, "not a list")
        for index, item in enumerate(value):
            yield f"{self.path(key)}[{index}]", item


def harmless_text(text: str) -> str:
    """Return a display text with harmful characters replaced by U+FFFD.

    Home Assistant cannot store a lone surrogate, nor anything else in the same file.
    """
    return _UNSAFE_CHARACTERS.sub("\ufffd", text[:_MAX_TEXT])


def is_opaque(value: object, longest: int = _MAX_ID) -> TypeIs[str]:
    """Return whether a value can be an id, a cursor or a token: visible ASCII, at most `longest` characters."""
    return (
        isinstance(value, str)
        and len(value) <= longest
        and _VISIBLE_ASCII.fullmatch(value) is not None
    )


def number_within(value: object, limit: float) -> float | None:
    """Return a JSON number as a float; None for anything else, and beyond ±`limit`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # NaN fails the comparison, and an integer may be too large for a float.
    return float(value) if -limit <= value <= limit else None


def require_euro(fields: Fields) -> None:
    """Reject amounts in another currency; without one, they are in EUR, as documented."""
    currency = fields.optional_text("currency")
    if currency is not None and currency.strip().casefold() != "eur":
        raise fields.error("currency", "not EUR")
