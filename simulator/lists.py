"""Lists: filters, order, pages and their cursors."""

import base64
from collections.abc import Callable, Mapping
import hashlib
import json
import re
from typing import Any

from .berlin import parse_instant
from .errors import ApiError, bad_field
from .http import Request

_FILTER = re.compile(r"filter\[(\w+)\]\[(\w+)\]")
_DEFAULT_LIMIT = 10


def _predicate(operator: str, wanted: str) -> Callable[[Any], bool] | None:
    """Return the predicate of one filter; None for an unknown operator."""
    match operator:
        case "eq":
            return lambda value: str(value) == wanted
        case "ne":
            return lambda value: str(value) != wanted
        case "in":
            return lambda value: str(value) in wanted.split(",")
        case "contains":
            return lambda value: wanted in str(value)
        case "starts_with":
            return lambda value: str(value).startswith(wanted)
        case "ends_with":
            return lambda value: str(value).endswith(wanted)
        case "is_null":
            return lambda value: (value is None) == (wanted == "true")
        case "gte":
            return lambda value: (
                value is not None and parse_instant(value) >= parse_instant(wanted)
            )
        case "lte":
            return lambda value: (
                value is not None and parse_instant(value) <= parse_instant(wanted)
            )
        case _:
            return None


def filtered(
    query: Mapping[str, str], items: list[dict[str, Any]], fields: set[str]
) -> list[dict[str, Any]]:
    """Return the items that pass the filters; like Nomos it silently ignores filters on other fields."""
    for key, wanted in query.items():
        if (found := _FILTER.fullmatch(key)) is None or (
            name := found[1]
        ) not in fields:
            continue
        if (test := _predicate(found[2], wanted)) is None:
            continue
        try:
            items = [item for item in items if test(item.get(name))]
        except ValueError:
            raise bad_field(
                "invalid_format", key, "Must be an ISO 8601 instant with an offset"
            ) from None
    return items


def _digest(request: Request) -> str:
    parameters = sorted(
        (key, value) for key, value in request.query.items() if key != "cursor"
    )
    return hashlib.sha256(
        json.dumps([request.path, request.email, parameters]).encode()
    ).hexdigest()[:16]


def page(
    request: Request, items: list[dict[str, Any]], *, order: str = "created_at"
) -> dict[str, Any]:
    """Return one page of a list, newest first by a field that holds an instant."""
    items = sorted(items, key=lambda item: (item[order], item["id"]), reverse=True)
    limit = _limit(request.query.get("limit"))
    if cursor := request.query.get("cursor"):
        after = _read_cursor(cursor, request)
        items = [item for item in items if [item[order], item["id"]] < after]
    shown, more = items[:limit], len(items) > limit
    next_page: str | None = None
    if more:
        state = [shown[-1][order], shown[-1]["id"], _digest(request)]
        next_page = base64.urlsafe_b64encode(json.dumps(state).encode()).decode()
    shape = request.settings.list_shape
    if shape == "repeat_cursor" and cursor:
        more, next_page = True, cursor
    result: dict[str, Any] = {
        "object": "list",
        "items": shown,
        "has_more": more,
        "next_page": next_page,
    }
    for missing in {
        "bare": ("has_more", "next_page"),
        "no_has_more": ("has_more",),
        "no_next_page": ("next_page",),
    }.get(shape, ()):
        del result[missing]
    return result


def _limit(text: str | None) -> int:
    if text is None:
        return _DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit():
        raise bad_field("invalid_type", "limit", "Expected number")
    if not 1 <= (limit := int(text)) <= 100:
        raise bad_field(
            "too_small" if limit < 1 else "too_big", "limit", "Must be 1 to 100"
        )
    return limit


def _read_cursor(text: str, request: Request) -> list[str]:
    refusal = ApiError(
        400, "The cursor is invalid for these parameters", rfc="invalid_request"
    )
    try:
        state = json.loads(base64.urlsafe_b64decode(text))
    except ValueError:
        raise refusal from None
    if not isinstance(state, list) or len(state) != 3 or state[2] != _digest(request):
        raise refusal
    return state[:2]
