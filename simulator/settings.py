"""All configurable behaviour of the simulated Nomos; defaults follow the documentation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, time
from typing import Any, Literal, get_args, get_origin

from .berlin import parse_instant

API_VERSION = "2026-05-27.curie"

# Which intervals a setting applies to: a number counts the intervals of each local day (negative: from its end);
# a pair of instants selects every interval that starts in [first, second).
type Selector = int | tuple[datetime, datetime]

# a to c: earlier forms of the envelope; d: the current one; rfc: RFC 6749, section 5.2; html: a gateway's page.
type ErrorShape = Literal["a", "b", "c", "d", "rfc", "html"]
type Access = Literal["allow", "forbidden", "not_found"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings. Change them with `Simulator.configure`, or for some requests with a fault of kind `settings`."""

    # --- OAuth -------------------------------------------------------------------------------------------------
    # Lifetime of an access token in seconds; as text, "3600" instead of 3600.
    expires_in: int = 3600
    expires_in_text: bool = False
    token_type: str = "Bearer"
    # None: token responses have no scope, as in older versions.
    scope: str | None = "read:*"
    token_extra_fields: bool = False
    # The encoding of the body that the token endpoint accepts.
    token_body: Literal["any", "form", "json"] = "any"
    # rotate: reuse is refused; family: reuse also revokes the whole grant; grace: the old token works for another
    # grace_seconds; none: no rotation, and the response has no refresh_token.
    rotation: Literal["family", "rotate", "grace", "none"] = "family"
    grace_seconds: int = 30
    # Lifetime of a refresh token in seconds; None: unlimited.
    refresh_lifetime: int | None = None
    code_lifetime: int = 600
    code_reuse_revokes: bool = True
    # A new consent ends the customer's earlier grants to the same client.
    second_consent_revokes: bool = False
    # raw: HTTP Basic contains id and secret as they are; form: both are encoded first (RFC 6749, section 2.3.1).
    basic_encoding: Literal["raw", "form"] = "raw"
    grant_error_status: Literal["documented", "400", "401"] = "documented"
    token_error_shape: ErrorShape = "d"
    denial: Literal["redirect", "page"] = "redirect"
    state: Literal["echo", "drop", "tamper"] = "echo"
    # --- Conventions -------------------------------------------------------------------------------------------
    error_shape: ErrorShape = "d"
    # Requests per second of one customer; None: unlimited.
    rate_limit: int | None = 10
    rate_limit_headers: bool = True
    # Seconds to wait in the 429 responses of the rate limit.
    retry_after: int = 1
    # By request kind, e.g. {"plans": "forbidden"}.
    access: Mapping[str, Access] = field(default_factory=dict)
    list_shape: Literal[
        "full", "bare", "no_has_more", "no_next_page", "repeat_cursor"
    ] = "full"
    # Unknown fields in every object.
    extra_fields: bool = False
    # --- Prices ------------------------------------------------------------------------------------------------
    unpublished: Literal[
        "absent", "null_amounts", "null_electricity", "error_404", "error_400"
    ] = "absent"
    # Local time of publication on the day before; None: 13:00 to 14:20.
    publication_time: time | None = None
    # By delivery date: another local time, or "never".
    publications: Mapping[date, time | Literal["never"]] = field(default_factory=dict)
    # Publish only the first N intervals of a day at first, and the rest so many minutes later.
    partial_batch: int | None = None
    partial_minutes: int = 60
    inactive_prices: Literal["null", "error"] = "null"
    feed_in_components: Literal["electricity", "all"] = "electricity"
    # A longer range is refused with 400.
    max_price_days: int | None = None
    missing: tuple[Selector, ...] = ()
    null_amounts: tuple[Selector, ...] = ()
    null_components: tuple[Selector, ...] = ()
    null_component_types: tuple[str, ...] = ("electricity",)
    nan_amounts: tuple[Selector, ...] = ()
    # "NaN" in quotes, or the bare word that is not valid JSON.
    nan_style: Literal["text", "literal"] = "text"
    components: Literal["full", "empty", "null", "absent"] = "full"
    unknown_component: bool = False
    duplicates: bool = False
    unsorted: bool = False
    timestamps: Literal["z", "millis", "offset", "mixed"] = "z"
    unit: str = "ct/kWh"
    currency: str = "EUR"
    # Sent instead of `hourly` or `15min`, e.g. `60min`.
    resolution_name: str | None = None
    # --- Usage -------------------------------------------------------------------------------------------------
    # Local time on the following day from which a smart meter's day is available.
    usage_time: time = time(16)
    usage_delay_days: int = 0
    usage_missing: tuple[Selector, ...] = ()
    # The occasional gaps that real meters have.
    usage_gaps: bool = True
    usage_empty_range: Literal["empty", "error"] = "empty"
    # Send `substitute` instead of `preliminary`.
    usage_unknown_type: bool = False
    analog_usage: Literal["months", "empty"] = "months"

    def changed(self, changes: Mapping[str, Any]) -> Settings:
        """Return the settings with changes; values may be Python's or as read from JSON. ValueError if invalid."""
        known = {item.name: item.type for item in fields(self)}
        if unknown := changes.keys() - known.keys():
            raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
        return replace(
            self,
            **{
                name: _read(name, known[name], value) for name, value in changes.items()
            },
        )


class Configuration:
    """The current settings for every request."""

    def __init__(self) -> None:
        """Start with the defaults."""
        self.settings = Settings()

    def change(self, **changes: Any) -> None:
        """Change settings; ValueError if one is unknown or invalid."""
        self.settings = self.settings.changed(changes)

    def reset(self) -> None:
        """Return to the defaults."""
        self.settings = Settings()


def selected(
    selectors: tuple[Selector, ...], start: datetime, index: int, count: int
) -> bool:
    """Whether selectors apply to an interval, given its start and its index among the `count` of its local day."""
    return any(
        selector in {index, index - count}
        if isinstance(selector, int)
        else selector[0] <= start < selector[1]
        for selector in selectors
    )


def _selectors(value: Any) -> tuple[Selector, ...]:
    return tuple(
        item if isinstance(item, int) else (_instant(item[0]), _instant(item[1]))
        for item in value
    )


def _instant(value: Any) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    return parse_instant(str(value))


def _date(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def _time(value: Any) -> time:
    return value if isinstance(value, time) else time.fromisoformat(value)


def _publications(value: Any) -> dict[date, time | Literal["never"]]:
    return {
        _date(key): item if item == "never" else _time(item)
        for key, item in value.items()
    }


def _access(value: Any) -> dict[str, Access]:
    return {
        kind: _choice("access", access, Access.__value__)
        for kind, access in value.items()
    }


# Readers of values that JSON cannot hold, or that need more than a check of their type.
_READERS: dict[str, Callable[[Any], Any]] = {
    "missing": _selectors,
    "null_amounts": _selectors,
    "null_components": _selectors,
    "null_component_types": lambda value: tuple(map(str, value)),
    "nan_amounts": _selectors,
    "usage_missing": _selectors,
    "publication_time": lambda value: None if value is None else _time(value),
    "usage_time": _time,
    "publications": _publications,
    "access": _access,
}


def _read(name: str, kind: Any, value: Any) -> Any:
    """Return a value converted to the type of its field."""
    if reader := _READERS.get(name):
        return reader(value)
    kind = getattr(kind, "__value__", kind)
    if get_origin(kind) is Literal:
        return _choice(name, value, kind)
    # bool is an int for Python, but not for a reader of settings.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{name}: {value!r} has the wrong type")
    return value


def _choice(name: str, value: Any, literal: Any) -> Any:
    if value not in (choices := get_args(literal)):
        raise ValueError(f"{name}: {value!r} is not one of {', '.join(choices)}")
    return value
