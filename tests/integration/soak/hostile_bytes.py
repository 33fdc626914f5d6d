"""Responses with hostile contents: lone surrogates, control characters, absurd numbers, endless nesting."""

from collections.abc import Callable
from typing import Any, Final

from tests.integration.soak.recipes import Harm, Recipe

HALF: Final = "X\ud83dY"
"""A lone surrogate: JSON can express it, but no UTF-8 file can contain it."""

DIRT: Final = "\x00\x1b[31m\u202e\ufeff<b>"
_DEEP: Final = "[" * 60_000

type Change = Callable[[dict[str, Any]], dict[str, Any]]


def _each(**values: Any) -> Change:
    """Return a change that sets fields of each item of a response."""

    def change(payload: dict[str, Any]) -> dict[str, Any]:
        for item in payload.get("items") or ():
            item |= values
        return payload

    return change


def _some(key: str, *values: Any) -> Change:
    """Return a change that sets a field of every seventh item to one of the values in turn."""

    def change(payload: dict[str, Any]) -> dict[str, Any]:
        for place, item in enumerate((payload.get("items") or ())[3::7]):
            item[key] = values[place % len(values)]
        return payload

    return change


def _strange_parts(payload: dict[str, Any]) -> dict[str, Any]:
    parts = [{"type": HALF, "amount": 1e302}, {"type": "grid", "amount": -1e302}]
    return _each(components=parts)(payload)


def _token(**values: Any) -> dict[str, Any]:
    return {
        "access_token": "simulated",
        "refresh_token": "simulated",
        "token_type": "Bearer",
        "expires_in": 3600,
        **values,
    }


def _says(body: Any, status: int = 200) -> dict[str, Any]:
    return {"status": status, "body": body}


_ERROR: Final = {
    "code": HALF,
    "message": f"{HALF}{DIRT}",
    "requestId": DIRT,
    "errors": [{"code": HALF, "field": DIRT, "message": HALF}],
}

_LIST: Final = ("subscriptions",)
_PRICES: Final = ("prices",)
_TOKEN: Final = ("token",)
_ALL: Final = (None, "prices", "subscriptions", "token")

HOSTILE: Final = (
    Recipe(
        "half number", "mutate", {"change": _each(number=HALF)}, _LIST, Harm.NONE, 4
    ),
    Recipe(
        "dirty number", "mutate", {"change": _each(number=DIRT)}, _LIST, Harm.NONE, 2
    ),
    Recipe("half plan", "mutate", {"change": _each(plan=HALF)}, _LIST, Harm.LISTS),
    Recipe("half id", "mutate", {"change": _each(id=HALF)}, _LIST, Harm.LISTS, 4),
    Recipe(
        "half customer", "mutate", {"change": _each(customer=HALF)}, _LIST, Harm.LISTS
    ),
    Recipe(
        "half cursor",
        "set_fields",
        {"values": {"has_more": True, "next_page": HALF}},
        _LIST,
        Harm.SETUP,
        4,
    ),
    Recipe(
        "half name",
        "set_fields",
        {"values": {"name": HALF, "slug": HALF}},
        ("plans",),
        Harm.NONE,
        4,
    ),
    Recipe(
        "absurd fee", "set_fields", {"values": {"price": 1e302}}, ("plans",), Harm.NONE
    ),
    Recipe(
        "absurd amounts",
        "mutate",
        {"change": _some("amount", 1e302, -1e302, 1e6, -10_001)},
        _PRICES,
        weight=6,
    ),
    Recipe(
        "half moments",
        "mutate",
        {"change": _some("timestamp", HALF, "9" * 50, DIRT)},
        _PRICES,
    ),
    Recipe(
        "strange parts", "mutate", {"change": _strange_parts}, _PRICES, Harm.NONE, 4
    ),
    Recipe("half unit", "settings", {"unit": HALF}, _PRICES),
    Recipe("nested", "status", _says(_DEEP), _ALL),
    Recipe(
        "half error",
        "status",
        _says(_ERROR, 400),
        (None, "prices", "subscriptions"),
        weight=3,
    ),
    Recipe("half error 500", "status", _says(_ERROR, 500), _ALL),
    Recipe("half token", "status", _says(_token(access_token=HALF)), _TOKEN, weight=3),
    Recipe(
        "half refresh token",
        "status",
        _says(_token(refresh_token=HALF)),
        _TOKEN,
        weight=3,
    ),
    Recipe("dirty token", "status", _says(_token(access_token=DIRT)), _TOKEN),
    Recipe("token not text", "status", _says(_token(access_token=["a"])), _TOKEN),
    Recipe(
        "endless token",
        "set_fields",
        {"values": {"expires_in": 1e18, "scope": HALF, "customer": {"name": HALF}}},
        _TOKEN,
        Harm.NONE,
        4,
    ),
)
