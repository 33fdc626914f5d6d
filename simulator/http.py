"""A request on its way through the simulator, and a response before it is written."""

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
    """The payload is written as JSON if it is a dict or a list, else as text."""

    status: int
    payload: dict[str, Any] | list[Any] | str
    content_type: str = "text/plain"
    headers: dict[str, str] = field(default_factory=dict)
