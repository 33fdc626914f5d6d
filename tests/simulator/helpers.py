"""A small client that goes through the simulator's sign-in pages and calls its API."""

import base64
from dataclasses import dataclass
import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
from multidict import CIMultiDictProxy

from simulator import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Simulator, Subscription
from simulator.tokens import challenge_of

REDIRECT = "https://my.home-assistant.io/redirect/oauth"
VERIFIER = "v" * 64


@dataclass(frozen=True, slots=True)
class Answer:
    """A response that was read to its end."""

    status: int
    headers: CIMultiDictProxy[str]
    text: str
    json: Any


def basic(
    client_id: str = DEFAULT_CLIENT_ID, secret: str = DEFAULT_CLIENT_SECRET
) -> dict[str, str]:
    """Return the header of HTTP Basic."""
    return {
        "Authorization": "Basic "
        + base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    }


class Nomos:
    """Sends requests to a simulator."""

    def __init__(self, sim: Simulator, session: aiohttp.ClientSession) -> None:
        """Use a session."""
        self.sim = sim
        self.session = session

    def subscription(self, name: str, index: int = 0) -> Subscription:
        """Return a contract of one of the fixed customers."""
        return self.sim.customers[f"{name}@example.com"].subscriptions[index]

    async def send(self, method: str, path: str, **kwargs: Any) -> Answer:
        """Send a request and read the response; redirects are not followed."""
        async with self.session.request(
            method, self.sim.url + path, allow_redirects=False, **kwargs
        ) as response:
            text = await response.text()
            parsed = (
                await response.json()
                if response.content_type == "application/json" and text
                else None
            )
            return Answer(response.status, response.headers, text, parsed)

    async def get(
        self, path: str, customer: str = "smart", headers: dict[str, str] | None = None
    ) -> Answer:
        """Get a path of the API as a customer, with a fresh token."""
        token = self.sim.issue_tokens(f"{customer}@example.com")["access_token"]
        return await self.send(
            "GET", path, headers={"Authorization": f"Bearer {token}", **(headers or {})}
        )

    async def prices(
        self,
        start: str,
        end: str | None = None,
        customer: str = "smart",
        index: int = 0,
    ) -> Answer:
        """Get the prices of a contract."""
        found = self.subscription(customer, index)
        return await self.get(
            f"/subscriptions/{found.id}/prices?start={start}&end={end or start}",
            customer,
        )

    # --- Sign-in -----------------------------------------------------------------------------------------------

    async def authorize(self, **changes: str | None) -> Answer:
        """Open the authorization page; a change of None leaves a parameter out."""
        query: dict[str, str | None] = {
            "response_type": "code",
            "client_id": DEFAULT_CLIENT_ID,
            "redirect_uri": REDIRECT,
            "state": "some/state",
            "code_challenge": challenge_of(VERIFIER, "S256"),
            "code_challenge_method": "S256",
        }
        query |= changes
        return await self.send(
            "GET",
            "/oauth/authorize?"
            + urlencode({k: v for k, v in query.items() if v is not None}),
        )

    async def step(self, name: str, session: str, **fields: str) -> Answer:
        """Submit one of the pages' forms."""
        return await self.send(
            "POST", f"/oauth/authorize/{name}", data={"session": session, **fields}
        )

    async def consent_page(
        self, email: str = "smart@example.com", **changes: str | None
    ) -> tuple[str, Answer]:
        """Go to the consent page; return the session and the page."""
        session = hidden(await self.authorize(**changes))
        await self.step("email", session, email=email)
        code = (await self.send("GET", f"/control/mailbox?email={email}")).json["code"]
        return session, await self.step("code", session, code=code)

    async def redirect(
        self,
        email: str = "smart@example.com",
        decision: str = "allow",
        **changes: str | None,
    ) -> str:
        """Go through all pages; return the redirect's target."""
        session, _ = await self.consent_page(email, **changes)
        return (await self.step("consent", session, decision=decision)).headers[
            "Location"
        ]

    async def code(self, **changes: str) -> str:
        """Go through all pages; return the authorization code."""
        return query_of(await self.redirect(**changes))["code"]

    async def token(
        self, headers: dict[str, str] | None = None, **fields: str
    ) -> Answer:
        """Send a request to the token endpoint."""
        return await self.send(
            "POST",
            "/oauth/token",
            data=fields,
            headers=basic() if headers is None else headers,
        )

    async def exchange(self, code: str, **fields: str) -> Answer:
        """Exchange an authorization code."""
        redirect_uri, verifier = (
            fields.get("redirect_uri", REDIRECT),
            fields.get("code_verifier", VERIFIER),
        )
        return await self.token(
            grant_type="authorization_code",
            code=code,
            redirect_uri=redirect_uri,
            code_verifier=verifier,
        )

    async def refresh(self, token: str) -> Answer:
        """Use a refresh token."""
        return await self.token(grant_type="refresh_token", refresh_token=token)


def hidden(page: Answer) -> str:
    """Return the hidden session of a page."""
    found = re.search(r'name="session" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def query_of(url: str) -> dict[str, str]:
    """Return a URL's query."""
    return {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
