"""Every switchable behaviour of the simulated Nomos, with the default that the documentation suggests."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, time
from typing import Any, Literal, get_args, get_origin

VERSIONS = (
    "2025-12-01.chucky",
    "2025-12-16.batman",
    "2026-01-29.edison",
    "2026-05-27.curie",
)
CURIE = VERSIONS[-1]

# Which intervals a switch means: a number counts the intervals of each local day (negative: from its end); a pair
# of instants means every interval that starts in [first, second).
type Selector = int | tuple[datetime, datetime]

type ErrorShape = Literal["version", "a", "b", "c", "d", "rfc", "html"]
type Access = Literal["allow", "forbidden", "not_found"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The switches. Change them with `Simulator.configure`, or for single requests with a fault of kind `settings`."""

    # --- OAuth -------------------------------------------------------------------------------------------------
    expires_in: int = 3600  # Seconds an access token lives.
    expires_in_text: bool = False  # Answer "3600" instead of 3600.
    token_type: str = "Bearer"
    scope: str | None = "read:*"  # None: the answer lacks it, as older versions do.
    token_extra_fields: bool = False
    token_body: Literal["any", "form", "json"] = (
        "any"  # Which encoding the token endpoint accepts.
    )
    # rotate: reuse is refused; family: reuse also revokes the whole grant; grace: the old token works for
    # grace_seconds more; none: no rotation, and the answer lacks refresh_token.
    rotation: Literal["family", "rotate", "grace", "none"] = "family"
    grace_seconds: int = 30
    refresh_lifetime: int | None = (
        None  # Seconds a refresh token lives; None: for ever.
    )
    code_lifetime: int = 600
    code_reuse_revokes: bool = True
    second_consent_revokes: bool = (
        False  # A new consent ends the customer's earlier grants to the same client.
    )
    # raw: HTTP Basic holds id and secret as they are; form: both encoded first, as RFC 6749, section 2.3.1, has it.
    basic_encoding: Literal["raw", "form"] = "raw"
    grant_error_status: Literal["documented", "400", "401"] = "documented"
    token_error_shape: ErrorShape = "version"
    denial: Literal["redirect", "page"] = "redirect"
    state: Literal["echo", "drop", "tamper"] = "echo"
    # --- Conventions -------------------------------------------------------------------------------------------
    error_shape: ErrorShape = "version"  # version: d on curie, c before.
    default_version: str = CURIE
    unknown_version: Literal["error", "default"] = "error"
    ignore_version_header: bool = False  # Serve default_version whatever is asked.
    rate_limit: int | None = 10  # Requests a second of one customer; None: unlimited.
    rate_limit_headers: bool = True
    retry_after: int = 1  # Seconds in the 429 answers of the rate limit.
    access: Mapping[str, Access] = field(
        default_factory=dict
    )  # By request kind, e.g. {"plans": "forbidden"}.
    list_shape: Literal[
        "full", "bare", "no_has_more", "no_next_page", "repeat_cursor"
    ] = "full"
    extra_fields: bool = False  # Unknown fields in every object.
    # --- Prices ------------------------------------------------------------------------------------------------
    unpublished: Literal[
        "absent", "null_amounts", "null_electricity", "error_404", "error_400"
    ] = "absent"
    publication_time: time | None = (
        None  # Local time of publication on the day before; None: 13:00 to 14:20.
    )
    # By delivery date: another local time, or "never".
    publications: Mapping[date, time | Literal["never"]] = field(default_factory=dict)
    partial_batch: int | None = (
        None  # Publish only the first N intervals of a day, the rest later ...
    )
    partial_minutes: int = 60  # ... by so many minutes.
    inactive_prices: Literal["null", "error"] = "null"
    feed_in_components: Literal["electricity", "all"] = "electricity"
    max_price_days: int | None = None  # A longer range is refused with 400.
    missing: tuple[Selector, ...] = ()
    null_amounts: tuple[Selector, ...] = ()
    null_components: tuple[Selector, ...] = ()
    null_component_types: tuple[str, ...] = ("electricity",)
    nan_amounts: tuple[Selector, ...] = ()
    nan_style: Literal["text", "literal"] = (
        "text"  # "NaN" in quotes, or the bare word that is no JSON.
    )
    components: Literal["full", "empty", "null", "absent"] = "full"
    unknown_component: bool = False
    duplicates: bool = False
    unsorted: bool = False
    timestamps: Literal["z", "millis", "offset", "mixed"] = "z"
    unit: str = "ct/kWh"
    currency: str = "EUR"
    resolution_name: str | None = (
        None  # Said instead of `hourly` or `15min`, e.g. `60min`.
    )
    # --- Usage -------------------------------------------------------------------------------------------------
    usage_time: time = time(
        16
    )  # Local time on the following day from which a smart meter's day is there.
    usage_delay_days: int = 0
    usage_missing: tuple[Selector, ...] = ()
    usage_gaps: bool = True  # The occasional holes that real meters have.
    usage_empty_range: Literal["empty", "error"] = "empty"
    usage_unknown_type: bool = False  # Say `substitute` where `preliminary` is meant.
    analog_usage: Literal["months", "empty"] = "months"

    def changed(self, changes: Mapping[str, Any]) -> Settings:
        """Return the settings with changes; values may be Python's or as read from JSON. ValueError when unfit."""
        known = {item.name: item.type for item in fields(self)}
        if unknown := changes.keys() - known.keys():
            raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
        return replace(
            self,
            **{
                name: _read(name, known[name], value) for name, value in changes.items()
            },
        )


def _read(name: str, kind: Any, value: Any) -> Any:
    """Bring a value from JSON into a field's type."""
    if name in {
        "missing",
        "null_amounts",
        "null_components",
        "nan_amounts",
        "usage_missing",
    }:
        return tuple(_selector(item) for item in value)
    if name == "publications":
        return {
            _date(key): item if item == "never" else _time(item)
            for key, item in value.items()
        }
    if name == "access":
        if bad := set(value.values()) - set(get_args(Access.__value__)):
            raise ValueError(
                f"access: {', '.join(sorted(map(str, bad)))} is not one of allow, forbidden, not_found"
            )
        return dict(value)
    if name in {"publication_time", "usage_time"}:
        return None if value is None and name == "publication_time" else _time(value)
    if name == "null_component_types":
        return tuple(map(str, value))
    literal = getattr(kind, "__value__", kind)
    if get_origin(literal) is Literal:
        if value not in get_args(literal):
            raise ValueError(
                f"{name}: {value!r} is not one of {', '.join(map(str, get_args(literal)))}"
            )
        return value
    # bool is an int for Python, not for a reader of settings.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{name}: {value!r} has the wrong type")
    return value


def _selector(value: Any) -> Selector:
    if isinstance(value, int):
        return value
    first, second = (
        item if isinstance(item, datetime) else datetime.fromisoformat(item)
        for item in value
    )
    if first.tzinfo is None or second.tzinfo is None:
        raise ValueError("the instants of a range need an offset")
    return first.astimezone(UTC), second.astimezone(UTC)


def _date(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def _time(value: Any) -> time:
    return value if isinstance(value, time) else time.fromisoformat(value)


def selected(
    selectors: tuple[Selector, ...], start: datetime, index: int, count: int
) -> bool:
    """Whether selectors mean the interval with this start, the index-th of the `count` of its local day."""
    for selector in selectors:
        if isinstance(selector, int):
            if selector in {index, index - count}:
                return True
        elif selector[0] <= start < selector[1]:
            return True
    return False
