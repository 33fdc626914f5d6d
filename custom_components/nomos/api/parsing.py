"""Readers for the fields of a JSON answer.

Each reader returns a value of the promised type or raises `NomosResponseError` with the path of the field; the value
found there is never repeated. Unknown fields are not looked at.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
import json
import math
import re
from typing import Any, Final, Self, TypeIs

from .errors import NomosResponseError

_YEARS: Final = range(2000, 2200)

MAX_TEXT: Final = 100
"""Characters of a text for people; the rest of a longer one is cut off."""

_MAX_ID: Final = 128
_MAX_CURSOR: Final = 2048

_HARMFUL: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029"  # controls and separators of lines
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what turns the direction of the text around it
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"  # half characters and none
)
_OPAQUE: Final = re.compile(r"[!-~]+", re.ASCII)

type ItemReader = Callable[[dict[str, object]], object]
"""Gets every object of an answer as soon as it is decoded, and returns what shall stand in its place."""


def decode(body: bytes, read_item: ItemReader | None = None) -> object:
    """Decode JSON, whatever the content type says.

    Raises:
        NomosResponseError: It is none.
    """
    try:
        data: object = json.loads(body, object_hook=read_item)
    except ValueError, RecursionError:
        # The cause would hold the body, which may hold personal data.
        raise NomosResponseError(
            "body", "not JSON" if body.strip() else "empty"
        ) from None
    return data


@dataclass(frozen=True, slots=True, repr=False)
class Fields:
    """One JSON object and where it stands in the answer.

    It has no repr, as an answer may hold personal data.
    """

    values: Mapping[str, object]
    at: str

    @classmethod
    def of(cls, data: object, at: str = "") -> Self:
        """Take `data`, found at the path `at`.

        Raises:
            NomosResponseError: It is not an object.
        """
        if not isinstance(data, dict):
            raise NomosResponseError(at or "body", "not an object")
        return cls(data, at)

    def path(self, key: str) -> str:
        """Return the path of a field in the answer."""
        return f"{self.at}.{key}" if self.at else key

    def has(self, key: str) -> bool:
        """Return whether the field is there at all, if only as null."""
        return key in self.values

    def value(self, key: str) -> object:
        """Return the raw value; None if it is null or missing."""
        return self.values.get(key)

    def optional_text(self, key: str) -> str | None:
        """Return a text for people, made harmless; None if it is null or missing."""
        value = self.value(key)
        if value is None:
            return None
        if isinstance(value, str):
            return harmless_text(value)
        raise NomosResponseError(self.path(key), "not a text")

    def text(self, key: str) -> str:
        """Return a text for people that must be there and not be empty."""
        if value := self.optional_text(key):
            return value
        raise NomosResponseError(self.path(key), "missing")

    def identifier(self, key: str) -> str:
        """Return an id that must be there: visible ASCII, short enough for the name of a file."""
        return self._opaque(key, _MAX_ID)

    def cursor(self, key: str) -> str | None:
        """Return where a list goes on; None if it is null, missing or empty."""
        return self._opaque(key, _MAX_CURSOR) if self.value(key) else None

    def _opaque(self, key: str, longest: int) -> str:
        value = self.value(key)
        if not value:
            raise NomosResponseError(self.path(key), "missing")
        if is_opaque(value, longest):
            return value
        raise NomosResponseError(self.path(key), "malformed")

    def flag(self, key: str) -> bool:
        """Return a boolean; False if it is null or missing."""
        value = self.value(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        raise NomosResponseError(self.path(key), "not a boolean")

    def optional_number(self, key: str, limit: float) -> float | None:
        """Return a number; None if it is null or missing, or beyond any sense: larger than `limit`, either way."""
        value = self.value(key)
        if value is None:
            return None
        if (number := finite(value)) is None:
            raise NomosResponseError(self.path(key), "not a finite number")
        return within(number, limit)

    def number(self, key: str, limit: float) -> float:
        """Return a number that must be there and make sense, see `optional_number`."""
        if (value := self.optional_number(key, limit)) is not None:
            return value
        raise NomosResponseError(self.path(key), "missing, or beyond any sense")

    def optional_instant(self, key: str) -> datetime | None:
        """Return a point in time, in UTC; None if it is null or missing.

        Understood are ISO 8601 texts with `Z` or an offset, with or without fractions of a second. A time without a
        zone is refused: to guess one would be an hour or two off. Years before 2000 and after 2199 mean that there is
        no such time: some programs say so with the first or the last year of the calendar.
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
            raise NomosResponseError(self.path(key), "not a time") from None
        raise NomosResponseError(self.path(key), "a time without a zone")

    def instant(self, key: str) -> datetime:
        """Return a point in time, in UTC, that must be there."""
        if (value := self.optional_instant(key)) is not None:
            return value
        raise NomosResponseError(self.path(key), "missing")

    def optional_choice[E: StrEnum](
        self, key: str, choices: type[E], *, unknown: E
    ) -> E | None:
        """Return a member of `choices`, `unknown` for a text that is none; None if it is null or missing.

        New values may come into an old version of the API (Nomos API, Versioning), so they are no error.
        """
        text = self.optional_text(key)
        if text is None:
            return None
        try:
            return choices(text)
        except ValueError:
            return unknown

    def choice[E: StrEnum](self, key: str, choices: type[E], *, unknown: E) -> E:
        """Return a member of `choices`, `unknown` for a text that is none; it must be there."""
        if (value := self.optional_choice(key, choices, unknown=unknown)) is not None:
            return value
        raise NomosResponseError(self.path(key), "missing")

    def reference(self, key: str) -> str:
        """Return the id of another thing, which is given as the id itself or as an object with an `id`.

        Lists have the first, single answers the second form; of the object only the id is looked at.
        """
        value = self.value(key)
        if isinstance(value, dict):
            return Fields(value, self.path(key)).identifier("id")
        return self.identifier(key)

    def objects(self, key: str) -> list[Fields]:
        """Return the objects of a list that must be there."""
        return [
            Fields.of(item, f"{self.path(key)}[{index}]")
            for index, item in enumerate(self._list(key))
        ]

    def entries(self, key: str) -> Iterator[Fields | tuple[Any, ...]]:
        """Yield the entries of a list that must be there, one at a time: an object, or the row that was made of it.

        JSON has no tuples: one is what a reader of items put in the place of an object while it was decoded.
        """
        for index, item in enumerate(self._list(key)):
            if isinstance(item, tuple):
                yield item
            else:
                yield Fields.of(item, f"{self.path(key)}[{index}]")

    def _list(self, key: str) -> list[object]:
        value = self.value(key)
        if not isinstance(value, list):
            raise NomosResponseError(
                self.path(key), "missing" if value is None else "not a list"
            )
        return value


def harmless_text(text: str) -> str:
    """Return a text for people without what harms: the replacement character stands for it.

    Home Assistant can store no text with half a character in it, nor anything else in the same file.
    """
    if len(text) <= MAX_TEXT and text.isascii() and text.isprintable():
        return text
    return _HARMFUL.sub("\ufffd", text[:MAX_TEXT])


def is_opaque(value: object, longest: int) -> TypeIs[str]:
    """Return whether a value can be an id, a cursor or a token: visible ASCII, at most so many characters."""
    return (
        isinstance(value, str)
        and len(value) <= longest
        and _OPAQUE.fullmatch(value) is not None
    )


def within(number: float | None, limit: float) -> float | None:
    """Return a number; None for one that is larger than `limit`, either way, and so beyond any sense."""
    return number if number is not None and abs(number) <= limit else None


def finite(value: object) -> float | None:
    """Return a JSON number as a float; None for anything else, also for a boolean, NaN and what no float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def require_euro(fields: Fields) -> None:
    """Refuse amounts in another currency; an answer that names none is taken as published, in EUR."""
    currency = fields.optional_text("currency")
    if currency is not None and currency.strip().casefold() != "eur":
        raise NomosResponseError(fields.path("currency"), "not EUR")
