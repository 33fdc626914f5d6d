"""Tests of linking, through the simulator's real pages."""

from datetime import timedelta

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from yarl import URL

from custom_components.nomos.application_credentials import (
    async_get_description_placeholders,
)
from custom_components.nomos.const import DOMAIN
from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
from scripts.sign_in import Customer
from simulator import Simulator
from tests.integration.account.helpers import begin
from tests.integration.helpers import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI

pytestmark = pytest.mark.usefixtures("current_request_with_host")


@pytest.mark.usefixtures("credentials")
async def test_link(hass: HomeAssistant, nomos: Simulator, walk) -> None:
    """A customer signs in, allows access, and the account is linked."""
    result = await begin(hass)
    query = URL(result["url"]).query
    assert query["response_type"] == "code"
    assert query["client_id"] == CLIENT_ID
    assert query["redirect_uri"] == REDIRECT_URI
    assert query["code_challenge_method"] == "S256"
    assert len(query["code_challenge"]) == 43
    assert set(query) == {
        "response_type",
        "client_id",
        "redirect_uri",
        "state",
        "code_challenge",
        "code_challenge_method",
    }

    result = await walk(result)
    await hass.async_block_till_done()

    customer = nomos.customers["smart@example.com"]
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == customer.subscriptions[0].number
    assert result["description"] is None
    entry = result["result"]
    assert entry.unique_id == customer.id
    assert entry.state is ConfigEntryState.LOADED
    assert entry.data["token"]["refresh_token"]

    exchange = next(one for one in nomos.requests if one.kind == "token")
    assert exchange.basic_auth
    assert set(exchange.body_keys) == {
        "grant_type",
        "code",
        "redirect_uri",
        "code_verifier",
    }


@pytest.mark.usefixtures("credentials")
async def test_link_before_supply(hass: HomeAssistant, nomos: Simulator, walk) -> None:
    """An account whose contract has not begun can be linked, and the dialog says what to expect."""
    result = await walk(await begin(hass), "pending@example.com")
    await hass.async_block_till_done()
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["description"] == "pending"
    assert result["result"].state is ConfigEntryState.LOADED


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("plans", ["allow", "forbidden"])
async def test_title_without_number(
    hass: HomeAssistant, nomos: Simulator, walk, plans
) -> None:
    """Without a contract number, the title is the plan's name, or else the supplier's."""
    subscription = nomos.customers["smart@example.com"].subscriptions[0]
    nomos.set_subscription(subscription.id, number=None)
    nomos.configure(access={"plans": plans})
    result = await walk(await begin(hass))
    await hass.async_block_till_done()
    if plans == "allow":
        assert result["title"] not in {"Nomos", "Nomos credentials"}
        assert result["title"]
    else:
        assert result["title"] == "Nomos"


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    ("email", "reason"),
    [
        ("nobody@example.com", "no_subscription"),
        ("ended@example.com", "contract_ended"),
    ],
)
async def test_nothing_to_link(hass: HomeAssistant, walk, email, reason) -> None:
    """An account without a running or future contract is not linked."""
    result = await walk(await begin(hass), email)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == reason
    assert not hass.config_entries.async_entries(DOMAIN)


@pytest.mark.usefixtures("credentials")
async def test_denied(hass: HomeAssistant, walk) -> None:
    """A customer who denies access gets a message, and can start again."""
    result = await walk(await begin(hass), allow=False)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "link_user_rejected_authorize"
    assert result["description_placeholders"]["error"] == "access_denied"
    result = await walk(await begin(hass))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


@pytest.mark.usefixtures("credentials")
async def test_slow_customer(
    hass: HomeAssistant, walk, freezer: FrozenDateTimeFactory
) -> None:
    """Nomos refuses a code that is more than ten minutes old."""
    result = await walk(
        await begin(hass), wait=lambda: freezer.tick(timedelta(minutes=11))
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "link_oauth_unauthorized"


async def test_wrong_secret(hass: HomeAssistant, nomos: Simulator, walk) -> None:
    """A mistyped client secret is named as a possible cause."""
    assert await async_setup_component(hass, "application_credentials", {})
    await async_import_client_credential(
        hass, DOMAIN, ClientCredential(CLIENT_ID, "wrong")
    )
    result = await walk(await begin(hass))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "link_oauth_unauthorized"
    assert "support_email" in result["description_placeholders"]


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "status", "status": 500}, "link_oauth_failed"),
        ({"kind": "status", "status": 429}, "link_oauth_failed"),
        ({"kind": "html", "status": 403}, "link_oauth_failed"),
        ({"kind": "html", "status": 408}, "link_oauth_failed"),
        ({"kind": "html"}, "link_oauth_failed"),
        ({"kind": "truncate"}, "link_oauth_failed"),
        ({"kind": "empty"}, "link_oauth_failed"),
        ({"kind": "list"}, "link_oauth_failed"),
        ({"kind": "reset"}, "link_oauth_failed"),
        ({"kind": "missing_refresh_token"}, "no_refresh_token"),
    ],
)
async def test_token_endpoint_fails_once(
    hass: HomeAssistant, nomos: Simulator, walk, fault, reason
) -> None:
    """Each failure aborts the flow with its reason, and the next attempt succeeds."""
    nomos.faults.add(match="token", times=1, **fault)
    result = await walk(await begin(hass))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == reason
    assert not hass.config_entries.async_entries(DOMAIN)
    result = await walk(await begin(hass))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


@pytest.mark.usefixtures("credentials")
async def test_lifetime_as_text(hass: HomeAssistant, nomos: Simulator, walk) -> None:
    """The lifetime of a token may be a string."""
    nomos.configure(expires_in_text=True, scope=None)
    result = await walk(await begin(hass))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["token"]["expires_in"] == 3600
    await hass.async_block_till_done()


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "status", "status": 500}, "cannot_connect"),
        ({"kind": "status", "status": 429}, "cannot_connect"),
        ({"kind": "status", "status": 401}, "cannot_connect"),
        ({"kind": "reset"}, "cannot_connect"),
        ({"kind": "truncate"}, "cannot_connect"),
        ({"kind": "status", "status": 403}, "permission_denied"),
    ],
)
async def test_api_fails_once(
    hass: HomeAssistant, nomos: Simulator, walk, fault, reason
) -> None:
    """If the API does not answer, nothing is left behind, and the next attempt succeeds."""
    # The HTTP library itself repeats a GET if a kept-alive connection is cut.
    nomos.faults.add(
        match="subscriptions", times=2 if fault["kind"] == "reset" else 1, **fault
    )
    result = await walk(await begin(hass))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == reason
    assert not hass.config_entries.async_entries(DOMAIN)
    result = await walk(await begin(hass))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


async def test_no_credentials(hass: HomeAssistant, nomos: Simulator) -> None:
    """Without application credentials, the frontend asks for them."""
    assert await async_setup_component(hass, "application_credentials", {})
    result = await begin(hass)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "missing_credentials"


@pytest.mark.usefixtures("credentials")
async def test_choice_of_credentials(
    hass: HomeAssistant, nomos: Simulator, walk
) -> None:
    """With several credentials the customer chooses by their names."""
    await async_import_client_credential(
        hass, DOMAIN, ClientCredential("another", "secret"), "another"
    )
    result = await begin(hass)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "pick_implementation"
    choices = result["data_schema"].schema["implementation"].container
    assert choices[DOMAIN] == "Nomos credentials"
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"implementation": DOMAIN}
    )
    result = await walk(result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


@pytest.mark.usefixtures("credentials")
async def test_my_home_assistant(
    hass: HomeAssistant, nomos: Simulator, hass_client_no_auth: ClientSessionGenerator
) -> None:
    """With My Home Assistant, its address is the redirect URI, and the code still arrives."""
    hass.config.components.add("my")
    result = await begin(hass)
    my = "https://my.home-assistant.io/redirect/oauth"
    assert URL(result["url"]).query["redirect_uri"] == my
    async with Customer(nomos.url) as customer:
        back = await customer.sign_in(result["url"])
    assert str(back).startswith(my)
    client = await hass_client_no_auth()
    await client.get(URL("/auth/external/callback").with_query(back.query))
    result = await hass.config_entries.flow.async_configure(result["flow_id"])
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


@pytest.mark.usefixtures("credentials")
async def test_tampered_state(
    hass: HomeAssistant, nomos: Simulator, hass_client_no_auth: ClientSessionGenerator
) -> None:
    """A callback with a state that Home Assistant did not issue is rejected."""
    nomos.configure(state="tamper")
    result = await begin(hass)
    async with Customer(nomos.url) as customer:
        back = await customer.sign_in(result["url"])
    client = await hass_client_no_auth()
    assert (await client.get(back.relative())).status == 400
    assert not hass.config_entries.async_entries(DOMAIN)


@pytest.mark.parametrize(
    ("my", "external", "expected"),
    [
        (True, None, "https://my.home-assistant.io/redirect/oauth"),
        (
            False,
            "https://home.example.org",
            "https://home.example.org/auth/external/callback",
        ),
        (False, None, "http://10.10.10.10:8123/auth/external/callback"),
    ],
)
async def test_credentials_dialog_names_the_redirect_uri(
    hass: HomeAssistant, nomos: Simulator, hass_ws_client, my, external, expected
) -> None:
    """The dialog shows the URI that has to be registered with Nomos."""
    assert await async_setup_component(hass, "application_credentials", {})
    hass.config.external_url = external
    hass.config.internal_url = None
    if my:
        hass.config.components.add("my")
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "application_credentials/config"})
    answer = await client.receive_json()
    placeholders = answer["result"]["integrations"][DOMAIN]["description_placeholders"]
    assert placeholders["redirect_uri"] == expected
    assert "@" in placeholders["support_email"]


async def test_credentials_dialog_without_any_address(
    hass: HomeAssistant, nomos: Simulator
) -> None:
    """If Home Assistant has no address configured, the dialog shows the usual one."""
    placeholders = await async_get_description_placeholders(hass)
    usual = "http://homeassistant.local:8123/auth/external/callback"
    assert placeholders["redirect_uri"] == usual


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(("encoding", "refused"), [("raw", 0), ("form", 1)])
async def test_secret_with_special_signs(
    hass: HomeAssistant, nomos: Simulator, walk, encoding, refused
) -> None:
    """Credentials work both as Nomos documents them and encoded as the standard requires."""
    assert set("/+:& ") <= set(CLIENT_SECRET)
    nomos.configure(basic_encoding=encoding)
    result = await walk(await begin(hass))
    await hass.async_block_till_done()
    assert result["type"] is FlowResultType.CREATE_ENTRY
    statuses = [one.status for one in nomos.requests if one.kind == "token"]
    assert statuses == [401] * refused + [200]
