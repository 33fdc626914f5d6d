"""A request while it is handled, and a response before it is sent."""

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from .settings import Settings


@dataclass(slots=True)
class Request:
    """One request, with the settings that hold for it and what is learned while it is handled."""

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
    """A response; the payload is sent as JSON if it is a dict or a list, else as text."""

    status: int
    payload: dict[str, Any] | list[Any] | str
    content_type: str = "text/plain"
    headers: dict[str, str] = field(default_factory=dict)
