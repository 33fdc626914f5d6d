"""A real server on this machine, and a client for it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from custom_components.nomos.api import NomosClient
from tests.api.server import ScriptedServer, Tokens


@pytest.fixture(autouse=True)
def sockets(socket_enabled: None) -> None:
    """Allow sockets, which the Home Assistant test plugin blocks."""


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    """Start a server whose responses the test defines."""
    async with ScriptedServer() as scripted:
        yield scripted


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session like the integration's."""
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def tokens() -> Tokens:
    """Return a source of a valid token."""
    return Tokens()


@pytest.fixture
def client(
    server: ScriptedServer, session: aiohttp.ClientSession, tokens: Tokens
) -> NomosClient:
    """Return a client of the scripted server."""
    return NomosClient(session, tokens, base_url=server.url)
