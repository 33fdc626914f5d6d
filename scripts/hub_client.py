"""A client for Home Assistant that acts like a browser: REST, websocket, users, config flows.

Error messages never contain sent data or the query of a URL, both of which have passwords, codes and tokens.
"""

import asyncio
import itertools
from typing import Any, Self

import aiohttp

type Json = dict[str, Any]


class HubError(Exception):
    """Home Assistant refused a request, or did not answer in time."""


class HubClient:
    """A client for one Home Assistant. An async context manager."""

    def __init__(self, url: str, token: str = "") -> None:
        """Use the Home Assistant at a URL, with the token of a user."""
        self.url = url
        self.token = token
        self._ids = itertools.count(1)
        self._lock = asyncio.Lock()
        self._websocket: aiohttp.ClientWebSocketResponse | None = None

    async def __aenter__(self) -> Self:
        """Open the session."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the websocket and the session."""
        await self.disconnect()
        await self._session.close()

    async def disconnect(self) -> None:
        """Close the websocket; the next command opens it again.

        Otherwise, Home Assistant's shutdown would wait for a websocket that does not answer.
        """
        if self._websocket is not None:
            await self._websocket.close()
            self._websocket = None

    # Users

    async def onboard(self, *, user: str, password: str, language: str = "en") -> None:
        """Create the first user, and act as that user from now on."""
        answer = await self._request(
            "POST",
            "/api/onboarding/users",
            json={
                "client_id": f"{self.url}/",
                "name": user.title(),
                "username": user,
                "password": password,
                "language": language,
            },
        )
        await self._use_code(answer["auth_code"])

    async def log_in(self, *, user: str, password: str) -> None:
        """Log in, and act as this user from now on."""
        client_id = f"{self.url}/"
        flow = await self._request(
            "POST",
            "/auth/login_flow",
            json={
                "client_id": client_id,
                "handler": ["homeassistant", None],
                "redirect_uri": client_id,
            },
        )
        result = await self._request(
            "POST",
            f"/auth/login_flow/{flow['flow_id']}",
            json={"client_id": client_id, "username": user, "password": password},
        )
        if result["type"] != "create_entry":
            raise HubError(f"Home Assistant has no user {user} with this password")
        await self._use_code(result["result"])

    async def _use_code(self, code: str) -> None:
        data = {
            "client_id": f"{self.url}/",
            "grant_type": "authorization_code",
            "code": code,
        }
        self.token = (await self._request("POST", "/auth/token", data=data))[
            "access_token"
        ]

    async def long_lived_token(self, name: str) -> str:
        """Create a token that outlives this session."""
        token: str = await self.command(
            "auth/long_lived_access_token", client_name=name, lifespan=365
        )
        return token

    # REST and websocket

    async def get(self, path: str) -> Any:
        """GET a path."""
        return await self._request("GET", path)

    async def post(self, path: str, data: Json | None = None) -> Any:
        """POST JSON to a path."""
        return await self._request("POST", path, json=data or {})

    async def delete(self, path: str) -> Any:
        """DELETE a path."""
        return await self._request("DELETE", path)

    async def _request(self, method: str, path: str, **options: Any) -> Any:
        # The frontend sends its URL with every request, from which Home Assistant builds the redirect URI.
        headers = {"HA-Frontend-Base": self.url}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            async with self._session.request(
                method, self.url + path, headers=headers, **options
            ) as response:
                if response.ok:
                    return await response.json()
                message = await _message(response)
                raise HubError(
                    f"{method} {path.partition('?')[0]} was answered with {response.status}{message}"
                )
        except aiohttp.ClientError as error:
            reason = f"{method} {path.partition('?')[0]} failed: {type(error).__name__}"
            raise HubError(reason) from None

    async def command(self, command: str, **fields: Any) -> Any:
        """Send a websocket command and return its result."""
        async with self._lock:
            if self._websocket is None or self._websocket.closed:
                self._websocket = await self._open_websocket()
            number = next(self._ids)
            try:
                await self._websocket.send_json(
                    {"id": number, "type": command, **fields}
                )
            except aiohttp.ClientError:
                raise HubError("Home Assistant closed the websocket") from None
            while True:
                message = await self._receive(self._websocket)
                if message.get("id") == number and message["type"] == "result":
                    break
        if not message["success"]:
            error = message["error"]
            raise HubError(
                f"{command} was refused: {error['code']}: {error['message']}"
            )
        return message["result"]

    async def _open_websocket(self) -> aiohttp.ClientWebSocketResponse:
        try:
            websocket = await self._session.ws_connect(
                f"{self.url}/api/websocket", max_msg_size=0
            )
        except aiohttp.ClientError as error:
            raise HubError(
                f"no websocket to Home Assistant: {type(error).__name__}"
            ) from None
        await self._receive(websocket)
        await websocket.send_json({"type": "auth", "access_token": self.token})
        if (await self._receive(websocket))["type"] != "auth_ok":
            raise HubError("Home Assistant refused the token")
        return websocket

    async def _receive(self, websocket: aiohttp.ClientWebSocketResponse) -> Json:
        try:
            answer: Json = await websocket.receive_json()
        except TypeError:  # a closing frame instead of text
            raise HubError("Home Assistant closed the websocket") from None
        return answer

    # States, entries and config flows

    async def state(self, entity_id: str) -> Json | None:
        """Return an entity's state with its attributes; None if there is no such entity."""
        states: list[Json] = await self.get("/api/states")
        return next(
            (state for state in states if state["entity_id"] == entity_id), None
        )

    async def entities(self, platform: str) -> list[Json]:
        """Return an integration's entities from the registry."""
        registry: list[Json] = await self.command("config/entity_registry/list")
        return [entity for entity in registry if entity["platform"] == platform]

    async def entries(self, domain: str) -> list[Json]:
        """Return the config entries of an integration."""
        entries: list[Json] = await self.get(
            f"/api/config/config_entries/entry?domain={domain}"
        )
        return entries

    async def remove_entry(self, entry_id: str) -> None:
        """Remove a config entry."""
        await self.delete(f"/api/config/config_entries/entry/{entry_id}")

    async def start_flow(self, domain: str, *, entry_id: str | None = None) -> Json:
        """Start a flow that adds an integration, or reconfigures the entry with the id."""
        of_entry = {} if entry_id is None else {"entry_id": entry_id}
        step: Json = await self.post(
            "/api/config/config_entries/flow", {"handler": domain, **of_entry}
        )
        return step

    async def flow_step(self, flow_id: str) -> Json:
        """Return a flow's current step; a flow that waits for an external response continues once it has arrived."""
        step: Json = await self.get(f"/api/config/config_entries/flow/{flow_id}")
        return step

    async def submit_flow(self, flow_id: str, data: Json) -> Json:
        """Fill in a flow's form."""
        step: Json = await self.post(f"/api/config/config_entries/flow/{flow_id}", data)
        return step

    async def flows(self, domain: str, *, source: str | None = None) -> list[Json]:
        """Return the flows of an integration that wait for the user, as Home Assistant shows them."""
        flows: list[Json] = await self.command("config_entries/flow/progress")
        return [
            flow
            for flow in flows
            if flow["handler"] == domain
            and source in {None, flow["context"].get("source")}
        ]

    async def credentials(self, domain: str) -> list[Json]:
        """Return the application credentials of an integration."""
        credentials: list[Json] = await self.command("application_credentials/list")
        return [
            credential for credential in credentials if credential["domain"] == domain
        ]

    async def add_credentials(
        self, domain: str, *, client_id: str, client_secret: str, name: str
    ) -> None:
        """Store application credentials."""
        await self.command(
            "application_credentials/create",
            domain=domain,
            client_id=client_id,
            client_secret=client_secret,
            name=name,
        )

    async def remove_credentials(self, credentials_id: str) -> None:
        """Delete application credentials; refused while an entry uses them."""
        await self.command(
            "application_credentials/delete", application_credentials_id=credentials_id
        )


async def _message(response: aiohttp.ClientResponse) -> str:
    """Return the message with which Home Assistant refused a request."""
    if response.content_type != "application/json":
        return ""
    body = await response.json()
    message = body.get("message") if isinstance(body, dict) else None
    return f": {message}" if isinstance(message, str) else ""
