"""What the rooms of the simulator hand each other: a call, and the reply to it."""

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from .settings import Settings


@dataclass(slots=True)
class Call:
    """One request on its way through the simulator."""

    request: web.Request
    path: str
    query: dict[str, str]
    settings: Settings
    version: str
    requested_version: str | None
    email: str | None = None
    body_keys: tuple[str, ...] = ()
    basic_auth: bool = False
    grant_type: str | None = None


@dataclass(slots=True)
class Reply:
    """An answer before it is written: JSON for a dict or a list, else text."""

    status: int
    payload: dict[str, Any] | list[Any] | str
    content_type: str = "text/plain"
    headers: dict[str, str] = field(default_factory=dict)
