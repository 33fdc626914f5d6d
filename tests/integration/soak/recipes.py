"""The kinds of wrong responses."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final


class Harm(Enum):
    """The effect of a fault on prices."""

    NONE = "none"
    ALL = "all"
    DENIED = "denied"
    """Like ALL, and the hub may retry later than usual."""
    SETUP = "setup"
    """Prices are available, but setup without stored data fails."""
    LISTS = "lists"
    """Like SETUP, and our contract may be missing from the list for less than a day."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One kind of fault."""

    name: str
    kind: str
    params: dict[str, Any] = field(default_factory=dict)
    matches: tuple[str | None, ...] = (None, "prices", "subscriptions", "token")
    harm: Harm = Harm.ALL
    weight: int = 2


_API: Final = (None, "prices", "prices", "subscriptions")
_PRICES: Final = ("prices",)
_TOKEN: Final = ("token",)

RECIPES: Final = (
    Recipe("reset", "reset", weight=4),
    Recipe("500", "status", {"status": 500}),
    Recipe("500 page", "status", {"status": 500, "body": "html"}),
    Recipe("502", "status", {"status": 502}),
    Recipe("503", "status", {"status": 503}, weight=4),
    Recipe("504", "status", {"status": 504}),
    Recipe("429", "rate_limit"),
    Recipe("429 for a minute", "rate_limit", {"retry_after": 60}),
    Recipe("429 for an hour", "rate_limit", {"retry_after": 3600}, weight=4),
    Recipe("429 for three hours", "rate_limit", {"retry_after": 10800}),
    Recipe("429 for a week", "rate_limit", {"retry_after": 604800}),
    Recipe(
        "429 nonsense", "rate_limit", {"headers": {"retry-after": "soon"}}, weight=1
    ),
    Recipe("slow", "delay", {"seconds": 12}, harm=Harm.NONE),
    Recipe("slow token", "delay", {"seconds": 45}, _TOKEN, harm=Harm.NONE),
    Recipe("too slow", "delay", {"seconds": 80}),
    Recipe("truncated", "truncate", {"keep": 0.6}, _PRICES, weight=4),
    Recipe("truncated list", "truncate", {"keep": 0.2}, ("subscriptions",), Harm.SETUP),
    Recipe("cut", "truncate", {"keep": 0.5, "cut_connection": True}, _PRICES),
    Recipe("empty", "empty", matches=(*_API, "token")),
    Recipe("page", "html", matches=(*_API, "token")),
    Recipe("403 page", "html", {"status": 403}, _TOKEN),
    Recipe("list", "list", matches=(*_API, "token")),
    Recipe("null items", "set_fields", {"values": {"items": None}}, _PRICES),
    Recipe("no items", "set_fields", {"values": {"items": []}}, _PRICES),
    Recipe("without items", "drop_fields", {"fields": ["items"]}, _PRICES),
    Recipe("wrong unit", "settings", {"unit": "EUR/MWh"}, _PRICES),
    Recipe("other unit", "settings", {"unit": "EUR/kWh"}, _PRICES),
    Recipe("402", "status", {"status": 402}, _PRICES, Harm.DENIED),
    Recipe("403", "status", {"status": 403}, _PRICES, Harm.DENIED),
    Recipe("404", "status", {"status": 404}, _PRICES, Harm.DENIED),
    Recipe(
        "no subscriptions", "status", {"status": 500}, ("subscriptions",), Harm.SETUP
    ),
    Recipe("duplicates", "settings", {"duplicates": True}, _PRICES, Harm.NONE),
    Recipe("unsorted", "settings", {"unsorted": True}, _PRICES, Harm.NONE),
    Recipe(
        "strange but right",
        "settings",
        {"extra_fields": True, "timestamps": "mixed", "unknown_component": True},
        (None,),
        Harm.NONE,
    ),
    Recipe("without parts", "settings", {"components": "null"}, _PRICES, Harm.NONE),
)
