"""Tests of signing in: pages, refusals, codes and PKCE."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from simulator import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Simulator
from tests.simulator.helpers import REDIRECT, VERIFIER, Nomos, basic, hidden, query_of


async def test_metadata_is_that_of_nomos_with_another_base(nomos: Nomos) -> None:
    """The RFC 8414 document names only what Nomos supports."""
    base = nomos.sim.url
    assert (
        await nomos.send("GET", "/.well-known/oauth-authorization-server")
    ).json == {
        "issuer": base,
        "authorization_endpoint": f"{base}/oauth/authorize",
        "token_endpoint": f"{base}/oauth/token",
        "response_types_supported": ["code"],
        "grant_types_supported": [
            "authorization_code",
            "client_credentials",
            "refresh_token",
        ],
        "code_challenge_methods_supported": ["S256", "plain"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
    }


async def test_sign_in(nomos: Nomos) -> None:
    """After e-mail, code, consent and exchange, the token can read the customer's contract."""
    location = await nomos.redirect()
    assert location.startswith(REDIRECT + "?code=4%2F")
    assert query_of(location)["state"] == "some/state"
    answer = await nomos.exchange(query_of(location)["code"])
    assert answer.status == 200
    assert answer.json.keys() == {
        "access_token",
        "token_type",
        "expires_in",
        "refresh_token",
        "scope",
    }
    assert (
        answer.json["token_type"],
        answer.json["expires_in"],
        answer.json["scope"],
    ) == ("Bearer", 3600, "read:*")
    assert answer.json["access_token"].count(".") == 2
    listed = await nomos.send(
        "GET",
        "/subscriptions",
        headers={"Authorization": f"Bearer {answer.json['access_token']}"},
    )
    assert [item["number"] for item in listed.json["items"]] == ["4X44EMKX"]


async def test_denial_redirects_with_an_error(nomos: Nomos) -> None:
    """Denying sends the browser back without a code, or shows a page if configured."""
    answer = query_of(await nomos.redirect(decision="deny"))
    assert answer["error"] == "access_denied"
    assert answer["state"] == "some/state"
    assert "code" not in answer
    nomos.sim.configure(denial="page")
    session, _ = await nomos.consent_page()
    assert (await nomos.step("consent", session, decision="deny")).status == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "stranger"},
        {"client_id": None},
        {"response_type": "token"},
        {"redirect_uri": "https://elsewhere.example.com/callback"},
        {"redirect_uri": "https://my.home-assistant.io:444/redirect/oauth"},
        {"redirect_uri": "http://my.home-assistant.io/redirect/oauth"},
        {"redirect_uri": "https://user@my.home-assistant.io/redirect/oauth"},
        {"redirect_uri": "https://my.home-assistant.io/redirect/oauth#x"},
        {"redirect_uri": None},
        {"code_challenge_method": "S512"},
        {"code_challenge_method": None},
        {"code_challenge": None},
    ],
)
async def test_wrong_authorization_request_is_never_redirected(
    nomos: Nomos, changes: dict[str, str | None]
) -> None:
    """A program gets the envelope, a person a page; neither is redirected."""
    answer = await nomos.authorize(**changes)
    assert answer.status == 400
    assert answer.json["code"] == "BAD_REQUEST"
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    "uri",
    [
        REDIRECT,
        "https://my.home-assistant.io/other",
        "http://localhost:8123/auth/external/callback",
    ],
)
async def test_redirect_uri_may_be_any_path_of_a_registered_origin(
    nomos: Nomos, uri: str
) -> None:
    """Sub-paths under the registered origin are accepted."""
    location = await nomos.redirect(redirect_uri=uri)
    assert location.startswith(f"{uri}?")
    assert (
        await nomos.exchange(query_of(location)["code"], redirect_uri=uri)
    ).status == 200


async def test_unknown_flow_type_and_scope_are_ignored(nomos: Nomos) -> None:
    """Additional parameters do no harm."""
    assert (await nomos.authorize(flow_type="bogus", scope="write:*")).status == 200
    assert (
        await nomos.authorize(
            code_challenge=None, code_challenge_method=None, state=None
        )
    ).status == 200


async def test_sign_in_without_state_and_pkce(nomos: Nomos) -> None:
    """Both are optional; a surplus verifier is ignored."""
    location = await nomos.redirect(
        code_challenge=None, code_challenge_method=None, state=None
    )
    assert "state" not in query_of(location)
    assert (await nomos.exchange(query_of(location)["code"])).status == 200


async def test_state_can_be_dropped_or_tampered_with(nomos: Nomos) -> None:
    """The application gets no state or another one than it sent."""
    nomos.sim.configure(state="tamper")
    assert query_of(await nomos.redirect())["state"] != "some/state"
    nomos.sim.configure(state="drop")
    assert "state" not in query_of(await nomos.redirect())


async def test_pages_have_stable_ids_and_work_without_javascript(nomos: Nomos) -> None:
    """Automated browsers can fill them in."""
    page = await nomos.authorize()
    session = hidden(page)
    assert 'id="email"' in page.text
    assert 'id="continue"' in page.text
    page = await nomos.step("email", session, email=" SMART@example.com ")
    code = nomos.sim.oauth.mailbox("smart@example.com")
    assert code is not None
    assert f'id="mailbox-code">{code}<' in page.text
    assert 'id="code"' in page.text
    page = await nomos.step("code", session, code=code)
    assert 'id="allow"' in page.text
    assert 'id="deny"' in page.text
    assert "<script" not in page.text
    assert '<html lang="en">' in page.text


async def test_unknown_email_and_wrong_code_are_explained(nomos: Nomos) -> None:
    """The customer can try again on the same page; the address is escaped."""
    session = hidden(await nomos.authorize())
    page = await nomos.step("email", session, email='"><script>x</script>@example.com')
    assert 'id="error"' in page.text
    assert "<script" not in page.text
    await nomos.step("email", session, email="smart@example.com")
    code = nomos.sim.oauth.mailbox("smart@example.com") or ""
    wrong = f"{(int(code) + 1) % 10**6:06}"
    assert 'id="error"' in (await nomos.step("code", session, code=wrong)).text
    assert 'id="allow"' in (await nomos.step("code", session, code=code)).text


async def test_one_time_code_lives_ten_minutes_and_works_once(nomos: Nomos) -> None:
    """An expired code is replaced by a new one; a used code is refused."""
    session = hidden(await nomos.authorize())
    await nomos.step("email", session, email="smart@example.com")
    old = nomos.sim.oauth.mailbox("smart@example.com") or ""
    nomos.sim.clock.advance(timedelta(minutes=10))
    assert "expired" in (await nomos.step("code", session, code=old)).text
    new = nomos.sim.oauth.mailbox("smart@example.com") or ""
    assert 'id="allow"' in (await nomos.step("code", session, code=new)).text
    assert 'id="allow"' not in (await nomos.step("code", session, code=new)).text


async def test_steps_cannot_be_skipped_or_repeated(nomos: Nomos) -> None:
    """Consent needs a verified code, and works once."""
    session = hidden(await nomos.authorize())
    assert (await nomos.step("consent", session, decision="allow")).status == 400
    assert (await nomos.step("code", session, code="000000")).status == 400
    assert (
        await nomos.step("email", "made-up", email="smart@example.com")
    ).status == 400
    session, _ = await nomos.consent_page()
    assert (await nomos.step("consent", session, decision="allow")).status == 302
    assert (await nomos.step("consent", session, decision="allow")).status == 400


async def test_code_is_single_use_and_reuse_revokes(nomos: Nomos) -> None:
    """The second exchange fails and takes the tokens of the first with it."""
    code = await nomos.code()
    first = await nomos.exchange(code)
    assert (await nomos.exchange(code)).status == 401
    assert (await nomos.refresh(first.json["refresh_token"])).status == 401
    assert nomos.sim.tokens.authenticate(first.json["access_token"]) is None


async def test_code_lives_ten_minutes(nomos: Nomos) -> None:
    """One second less is still accepted."""
    early, late = await nomos.code(), await nomos.code()
    nomos.sim.clock.advance(timedelta(minutes=10) - timedelta(seconds=1))
    assert (await nomos.exchange(early)).status == 200
    nomos.sim.clock.advance(timedelta(seconds=1))
    answer = await nomos.exchange(late)
    assert (answer.status, answer.json["code"]) == (401, "UNAUTHORIZED")


async def test_redirect_uri_of_the_exchange(nomos: Nomos) -> None:
    """A different one is refused, an absent one is tolerated."""
    assert (
        await nomos.exchange(
            await nomos.code(), redirect_uri="https://my.home-assistant.io/x"
        )
    ).status == 400
    absent = await nomos.token(
        grant_type="authorization_code", code=await nomos.code(), code_verifier=VERIFIER
    )
    assert absent.status == 200


async def test_wrong_or_missing_verifier_uses_the_code_up(nomos: Nomos) -> None:
    """The right verifier does not help afterwards."""
    code = await nomos.code()
    assert (await nomos.exchange(code, code_verifier="w" * 64)).status == 400
    assert (await nomos.exchange(code)).status == 401
    missing = await nomos.token(
        grant_type="authorization_code", code=await nomos.code(), redirect_uri=REDIRECT
    )
    assert missing.status == 400


async def test_plain_pkce(nomos: Nomos) -> None:
    """The challenge may be the verifier itself."""
    code = await nomos.code(code_challenge=VERIFIER, code_challenge_method="plain")
    assert (await nomos.exchange(code)).status == 200


async def test_code_is_bound_to_its_client(nomos: Nomos) -> None:
    """Another client cannot use it."""
    nomos.sim.add_client("other", "other-secret", (REDIRECT,))
    code = await nomos.code()
    answer = await nomos.token(
        basic("other", "other-secret"),
        grant_type="authorization_code",
        code=code,
        code_verifier=VERIFIER,
    )
    assert answer.status == 401
    assert (await nomos.exchange(code)).status == 200


async def test_only_basic_authenticates_the_client(nomos: Nomos) -> None:
    """A secret in the body, a wrong secret and garbage are refused alike."""
    code = await nomos.code()
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": VERIFIER,
    }
    body = {"client_id": DEFAULT_CLIENT_ID, "client_secret": DEFAULT_CLIENT_SECRET}
    for headers, extra in (
        ({}, body),
        (basic(secret="wrong"), {}),
        (basic("stranger"), {}),
        ({"Authorization": "Basic ???"}, {}),
        ({"Authorization": "Bearer x"}, {}),
    ):
        answer = await nomos.token(headers, **fields, **extra)
        assert (answer.status, answer.json["code"]) == (401, "UNAUTHORIZED")
    assert (await nomos.exchange(code)).status == 200


@pytest.mark.parametrize(
    ("encoding", "sent", "status"),
    [
        ("raw", ("a-b", "p%41+ü"), 200),
        ("raw", ("a-b", "p%2541%2B%C3%BC"), 401),
        ("form", ("a-b", "p%41+ü"), 401),
        # RFC 6749, section 2.3.1.
        ("form", ("a-b", "p%2541%2B%C3%BC"), 200),
    ],
)
async def test_credentials_are_taken_in_one_encoding(
    sim: Simulator, nomos: Nomos, encoding: str, sent: tuple[str, str], status: int
) -> None:
    """HTTP Basic is read as Nomos documents it, or as the standard does."""
    sim.configure(basic_encoding=encoding)
    sim.add_client("a-b", "p%41+ü", (REDIRECT,))
    code = await nomos.code(client_id="a-b")
    answer = await nomos.token(
        basic(*sent),
        grant_type="authorization_code",
        code=code,
        code_verifier=VERIFIER,
    )
    assert answer.status == status


async def test_body_may_be_form_or_json_unless_switched_off(nomos: Nomos) -> None:
    """The token endpoint accepts both encodings, or the configured one only."""

    async def as_json() -> int:
        token = nomos.sim.issue_tokens("smart@example.com")["refresh_token"]
        body = {"grant_type": "refresh_token", "refresh_token": token}
        return (
            await nomos.send("POST", "/oauth/token", json=body, headers=basic())
        ).status

    async def as_form() -> int:
        return (
            await nomos.refresh(
                nomos.sim.issue_tokens("smart@example.com")["refresh_token"]
            )
        ).status

    assert (await as_form(), await as_json()) == (200, 200)
    nomos.sim.configure(token_body="form")
    assert (await as_form(), await as_json()) == (200, 400)
    nomos.sim.configure(token_body="json")
    assert (await as_form(), await as_json()) == (400, 200)


async def test_other_grants_are_refused(nomos: Nomos) -> None:
    """This client may not use client credentials; other grants are unknown."""
    assert (await nomos.token(grant_type="client_credentials")).status == 401
    assert (await nomos.token(grant_type="password")).status == 400
    assert (await nomos.token(code="x")).status == 400
    assert (await nomos.token(grant_type="refresh_token")).status == 400
    assert (await nomos.send("GET", "/oauth/token")).status == 405


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"grant_type=%ff\xff"),
        ("application/x-www-form-urlencoded; charset=klingon", b"grant_type=x"),
        ("application/json", b"\xff"),
        ("application/json; charset=klingon", b"{}"),
        ("application/json", b"[1]"),
        ("application/json", b"{"),
        ("multipart/form-data; boundary=x", b"--x--"),
        ("text/plain", b"grant_type=refresh_token"),
    ],
)
async def test_unreadable_bodies_are_refused(
    nomos: Nomos, content_type: str, body: bytes
) -> None:
    """They are answered with 400, not with an error of the simulator."""
    headers = basic() | {"Content-Type": content_type}
    answer = await nomos.send("POST", "/oauth/token", data=body, headers=headers)
    assert (answer.status, answer.json["code"]) == (400, "BAD_REQUEST")


async def test_rfc_shape_of_token_errors(nomos: Nomos) -> None:
    """Errors follow RFC 6749, section 5.2, if configured."""
    nomos.sim.configure(token_error_shape="rfc")
    answer = await nomos.refresh("made-up")
    assert answer.status == 400
    assert answer.json["error"] == "invalid_grant"
    assert (await nomos.token(basic(secret="wrong"), grant_type="refresh_token")).json[
        "error"
    ] == "invalid_client"
    assert urlsplit(nomos.sim.url).hostname == "127.0.0.1"
