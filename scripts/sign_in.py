"""Links a Nomos account to a real Home Assistant as a person would, over real HTTP.

Home Assistant opens the sign-in page, where the customer enters an e-mail address and a one-time code and allows or
denies access. The page sends the customer back to Home Assistant, which then finishes the flow.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Self, override

import aiohttp
from yarl import URL

from scripts.hub_client import HubClient, Json

DOMAIN = "nomos"
CLIENT_ID = "nomos-home"
CLIENT_SECRET = "nomos-home-secret"
CUSTOMER = "smart@example.com"


class LinkError(Exception):
    """The account could not be linked."""


# The sign-in pages


@dataclass(slots=True)
class Form:
    """A form of a page: its target and its fields."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)  # name -> value
    names: dict[str, str] = field(default_factory=dict)  # element id -> name
    buttons: dict[str, tuple[str, str]] = field(
        default_factory=dict
    )  # element id -> name, value


class _FormReader(HTMLParser):
    """Collects the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {key: value or "" for key, value in attrs}
        if tag == "form":
            self.forms.append(
                Form(
                    attributes.get("action", ""),
                    attributes.get("method", "get").upper(),
                )
            )
        if not self.forms:
            return
        form = self.forms[-1]
        name, element, value = (
            attributes.get(key, "") for key in ("name", "id", "value")
        )
        if tag == "button" or (tag == "input" and attributes.get("type") == "submit"):
            form.buttons[element] = (name, value)
        elif tag == "input" and name:
            form.fields[name] = value
            form.names[element] = name


class Customer:
    """A customer with a browser on the sign-in pages of the simulator. An async context manager."""

    def __init__(self, simulator: str, email: str = CUSTOMER) -> None:
        """Sign in as a customer of a simulator."""
        self.simulator = URL(simulator)
        self.email = email
        self.codes: list[
            str
        ] = []  # all one-time and authorization codes seen, for tests that search for leaks

    async def __aenter__(self) -> Self:
        """Open a browser without cookies."""
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.CookieJar(
                unsafe=True
            ),  # cookies of a numeric address, too
            timeout=aiohttp.ClientTimeout(total=30),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the browser."""
        await self._session.close()

    async def sign_in(self, authorize: str, *, allow: bool = True) -> URL:
        """Sign in at the URL that Home Assistant opens; return the URL that leads back to it."""
        address = URL(authorize)
        if address.origin() != self.simulator.origin():
            raise LinkError(
                f"Home Assistant sends the customer to {address.origin()}, not to the simulator"
            )
        page = await self._open("GET", address, {})
        page = await self._press(page, "continue", {"email": self.email})
        one_time_code = (await self.control("GET", "mailbox", email=self.email))["code"]
        self.codes.append(one_time_code)
        page = await self._press(page, "continue", {"code": one_time_code})
        back = await self._press(page, "allow" if allow else "deny", {})
        if isinstance(back, _Page):
            raise LinkError("the consent page does not lead back to Home Assistant")
        if code := back.query.get("code"):
            self.codes.append(code)
        return back

    async def return_to_hub(self, back: URL) -> None:
        """Follow the URL that leads back to Home Assistant."""
        async with self._session.get(back) as response:
            if not response.ok:
                raise LinkError(
                    f"Home Assistant answered the customer's return with {response.status}"
                )

    async def control(
        self, method: str, what: str, body: Json | None = None, **query: str
    ) -> Any:
        """Call one of the simulator's control endpoints."""
        address = self.simulator / "control" / what % query
        async with self._session.request(method, address, json=body) as response:
            if not response.ok:
                raise LinkError(
                    f"the simulator answered {method} /control/{what} with {response.status}"
                )
            return (
                await response.json()
                if response.content_type == "application/json"
                else None
            )

    async def _press(
        self, page: _Page | URL, button: str, entries: dict[str, str]
    ) -> _Page | URL:
        """Fill in the form with the button, and press it."""
        if isinstance(page, URL):
            raise LinkError(f"the customer was sent back before the button #{button}")
        form = next((form for form in page.forms if button in form.buttons), None)
        if form is None:
            raise LinkError(f"no button #{button} at {page.address.path}")
        missing = entries.keys() - form.names.keys()
        if missing:
            raise LinkError(f"no input #{missing.pop()} at {page.address.path}")
        data = form.fields | {
            form.names[element]: value for element, value in entries.items()
        }
        name, value = form.buttons[button]
        if name:
            data[name] = value
        return await self._open(form.method, page.address.join(URL(form.action)), data)

    async def _open(
        self, method: str, address: URL, data: dict[str, str]
    ) -> _Page | URL:
        """Return a page of the simulator, or the URL outside the simulator that it redirects to."""
        for _hop in range(10):
            sent = (
                {"params": data} if method == "GET" and data else {"data": data or None}
            )
            async with self._session.request(
                method, address, allow_redirects=False, **sent
            ) as response:
                if response.status in {301, 302, 303, 307, 308}:
                    address, method, data = (
                        address.join(URL(response.headers["Location"])),
                        "GET",
                        {},
                    )
                    if address.origin() != self.simulator.origin():
                        return address
                    continue
                if not response.ok:
                    raise LinkError(
                        f"the simulator answered {address.path} with {response.status}"
                    )
                reader = _FormReader()
                reader.feed(await response.text())
                return _Page(address, reader.forms)
        raise LinkError("the sign-in pages redirect in a circle")


@dataclass(frozen=True, slots=True)
class _Page:
    address: URL
    forms: list[Form]


# Home Assistant's side


async def to_sign_in(client: HubClient, step: Json) -> Json:
    """Submit a flow's own forms up to the step that opens the sign-in page; return that step."""
    while step["type"] == "form":
        if step.get("errors"):
            raise LinkError(f"the form {step['step_id']} says {step['errors']}")
        data = {}
        if step["step_id"] == "pick_implementation":
            data = {"implementation": step["data_schema"][0]["options"][0][0]}
        step = await client.submit_flow(step["flow_id"], data)
    if step["type"] != "external":
        raise LinkError(
            f"the flow ended before the sign-in: {step.get('reason', step['type'])}"
        )
    return step


async def finish(client: HubClient, flow_id: str) -> Json:
    """Continue a flow after the customer's return; return its result: create_entry or abort."""
    for _step in range(5):
        step = await client.flow_step(flow_id)
        if step["type"] not in {"external", "external_done"}:
            return step
    raise LinkError("the flow does not go on after the customer's return")


async def walk(
    client: HubClient, customer: Customer, step: Json, *, allow: bool = True
) -> Json:
    """Take a flow from its first step through the sign-in pages to its result."""
    step = await to_sign_in(client, step)
    await customer.return_to_hub(await customer.sign_in(step["url"], allow=allow))
    return await finish(client, step["flow_id"])


async def ensure_credentials(
    client: HubClient, *, client_id: str = CLIENT_ID, secret: str = CLIENT_SECRET
) -> None:
    """Store the simulator's application credentials unless there are any already."""
    if not await client.credentials(DOMAIN):
        await client.add_credentials(
            DOMAIN, client_id=client_id, client_secret=secret, name="Nomos"
        )


async def link(client: HubClient, customer: Customer) -> Json:
    """Link the customer's account; return the new entry."""
    await ensure_credentials(client)
    result = await walk(client, customer, await client.start_flow(DOMAIN))
    if result["type"] != "create_entry":
        raise LinkError(
            f"linking the account ended with: {result.get('reason', result['type'])}"
        )
    entry: Json = result["result"]
    return entry


async def link_again(client: HubClient, customer: Customer, entry_id: str) -> None:
    """Link an account again, through its pending reauthentication or else by reconfiguring it."""
    waiting = [
        flow
        for flow in await client.flows(DOMAIN, source="reauth")
        if flow["context"].get("entry_id") == entry_id
    ]
    if waiting:
        step = await client.flow_step(waiting[0]["flow_id"])
    else:
        step = await client.start_flow(DOMAIN, entry_id=entry_id)
    result = await walk(client, customer, step)
    if result.get("reason") not in {"reauth_successful", "reconfigure_successful"}:
        raise LinkError(
            f"linking the account again ended with: {result.get('reason', result['type'])}"
        )
