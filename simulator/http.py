"""A request that is being handled, and a response before it is sent."""

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from .settings import Settings


@dataclass(slots=True)
class Request:
    """One request, with its settings and what becomes known while it is handled."""

    raw: web.Request
    path: str
    query: dict[str, str]
    settings: Settings
    email: str | None = None
    body_keys: tuple[str, ...] = ()
    basic_auth: bool = False
    grant_type: str | None = None


@dataclass(slots=True)
class Response:
    """A response; a dict or list is sent as JSON, anything else as text."""

    status: int
    payload: dict[str, Any] | list[Any] | str
    content_type: str = "text/plain"
    headers: dict[str, str] = field(default_factory=dict)
