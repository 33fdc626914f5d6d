"""Tests of tokens: lifetime, rotation, reuse and revocation, and authentication of requests."""

from datetime import timedelta

import pytest

from simulator import Simulator
from tests.simulator.helpers import Nomos

EMAIL = "smart@example.com"


async def _status(nomos: Nomos, token: str) -> int:
    answer = await nomos.send(
        "GET", "/subscriptions", headers={"Authorization": f"Bearer {token}"}
    )
    return answer.status


async def test_access_token_lives_an_hour(nomos: Nomos) -> None:
    """After that it is refused until it is refreshed."""
    tokens = nomos.sim.issue_tokens(EMAIL)
    nomos.sim.clock.advance(timedelta(seconds=3599))
    assert await _status(nomos, tokens["access_token"]) == 200
    nomos.sim.clock.advance(timedelta(seconds=1))
    assert await _status(nomos, tokens["access_token"]) == 401
    fresh = await nomos.refresh(tokens["refresh_token"])
    assert await _status(nomos, fresh.json["access_token"]) == 200


async def test_refresh_rotates_and_reuse_revokes_the_family(nomos: Nomos) -> None:
    """The old token is invalid at once; using it again ends the whole grant."""
    tokens = nomos.sim.issue_tokens(EMAIL)
    other = nomos.sim.issue_tokens(EMAIL)
    second = (await nomos.refresh(tokens["refresh_token"])).json
    assert second["refresh_token"] != tokens["refresh_token"]
    reused = await nomos.refresh(tokens["refresh_token"])
    assert (reused.status, reused.json["code"]) == (401, "UNAUTHORIZED")
    assert (await nomos.refresh(second["refresh_token"])).status == 401
    assert await _status(nomos, second["access_token"]) == 401
    # Another consent is another family.
    assert (await nomos.refresh(other["refresh_token"])).status == 200


async def test_rotation_without_family(nomos: Nomos) -> None:
    """Reuse is refused, but other tokens stay valid."""
    nomos.sim.configure(rotation="rotate")
    tokens = nomos.sim.issue_tokens(EMAIL)
    second = (await nomos.refresh(tokens["refresh_token"])).json
    assert (await nomos.refresh(tokens["refresh_token"])).status == 401
    assert (await nomos.refresh(second["refresh_token"])).status == 200


async def test_rotation_with_grace(nomos: Nomos) -> None:
    """The old token works for some more seconds."""
    nomos.sim.configure(rotation="grace", grace_seconds=20)
    tokens = nomos.sim.issue_tokens(EMAIL)
    await nomos.refresh(tokens["refresh_token"])
    nomos.sim.clock.advance(timedelta(seconds=19))
    assert (await nomos.refresh(tokens["refresh_token"])).status == 200
    nomos.sim.clock.advance(timedelta(seconds=1))
    assert (await nomos.refresh(tokens["refresh_token"])).status == 401


async def test_no_rotation(nomos: Nomos) -> None:
    """The response has no refresh token, and the old one stays valid."""
    nomos.sim.configure(rotation="none")
    tokens = nomos.sim.issue_tokens(EMAIL)
    for _ in range(2):
        answer = await nomos.refresh(tokens["refresh_token"])
        assert answer.status == 200
        assert "refresh_token" not in answer.json


@pytest.mark.parametrize(("immediate", "status"), [(True, 401), (False, 200)])
async def test_revocation_by_the_customer(
    nomos: Nomos, immediate: bool, status: int
) -> None:
    """Refresh tokens end, and access tokens too if chosen. Other customers are not affected."""
    tokens, other = (
        nomos.sim.issue_tokens(EMAIL),
        nomos.sim.issue_tokens("solar@example.com"),
    )
    nomos.sim.revoke(EMAIL, immediate=immediate)
    assert await _status(nomos, tokens["access_token"]) == status
    assert (await nomos.refresh(tokens["refresh_token"])).status == 401
    assert await _status(nomos, other["access_token"]) == 200


async def test_access_tokens_can_be_invalidated_alone(nomos: Nomos) -> None:
    """Requests are answered with 401 until the token is refreshed."""
    tokens = nomos.sim.issue_tokens(EMAIL)
    nomos.sim.expire_access_tokens()
    assert await _status(nomos, tokens["access_token"]) == 401
    fresh = (await nomos.refresh(tokens["refresh_token"])).json
    assert await _status(nomos, fresh["access_token"]) == 200
    nomos.sim.expire_access_tokens("solar@example.com")
    assert await _status(nomos, fresh["access_token"]) == 200


async def test_refresh_tokens_can_expire_and_consents_replace_each_other(
    nomos: Nomos,
) -> None:
    """Both are disabled by default."""
    nomos.sim.configure(refresh_lifetime=86400, second_consent_revokes=True)
    tokens = nomos.sim.issue_tokens(EMAIL)
    second = nomos.sim.issue_tokens(EMAIL)
    assert (await nomos.refresh(tokens["refresh_token"])).status == 401
    nomos.sim.clock.advance(timedelta(days=1))
    assert (await nomos.refresh(second["refresh_token"])).status == 401


async def test_odd_token_answers(nomos: Nomos) -> None:
    """There may be no scope, a lower-case type, a string for a number, or unknown fields."""
    nomos.sim.configure(
        scope=None,
        token_type="bearer",
        expires_in_text=True,
        token_extra_fields=True,
        expires_in=60,
    )
    answer = (await nomos.refresh(nomos.sim.issue_tokens(EMAIL)["refresh_token"])).json
    assert "scope" not in answer
    assert (answer["token_type"], answer["expires_in"]) == ("bearer", "60")
    assert "x_simulated" in answer


async def test_every_secret_is_known(nomos: Nomos) -> None:
    """The set that log tests search for contains whatever was issued or shown."""
    answer = (await nomos.exchange(await nomos.code())).json
    code = nomos.sim.oauth.mailbox(EMAIL)
    assert {
        answer["access_token"],
        answer["refresh_token"],
        code,
        "nomos-home-secret",
        "v" * 64,
    } <= nomos.sim.secrets


async def test_nothing_secret_is_recorded(nomos: Nomos) -> None:
    """Requests are recorded by their keys and kinds only."""
    await nomos.exchange(await nomos.code())
    await nomos.get("/subscriptions")
    recorded = repr(nomos.sim.requests)
    assert not [secret for secret in nomos.sim.secrets if secret in recorded]
    token = next(item for item in nomos.sim.requests if item.kind == "token")
    assert token.basic_auth
    assert token.grant_type == "authorization_code"
    assert token.body_keys == ("code", "code_verifier", "grant_type", "redirect_uri")
    assert [item.kind for item in nomos.sim.requests] == [
        "authorize",
        "authorize",
        "authorize",
        "authorize",
        "token",
        "subscriptions",
    ]


async def test_request_without_a_good_token_is_refused_before_routing(
    nomos: Nomos,
) -> None:
    """This includes paths that do not exist."""
    for headers in (
        {},
        {"Authorization": "Bearer made-up"},
        {"Authorization": "Basic eDp5"},
    ):
        for path in ("/subscriptions", "/.well-known/openid-configuration", "/nowhere"):
            answer = await nomos.send("GET", path, headers=headers)
            assert (answer.status, answer.json["code"]) == (401, "UNAUTHORIZED")


def test_same_seed_same_world() -> None:
    """Ids are stable by seed and differ between seeds."""

    def ids(seed: int) -> list[str]:
        return [
            item.id
            for customer in Simulator(seed).customers.values()
            for item in customer.subscriptions
        ]

    assert ids(3) == ids(3)
    assert not set(ids(3)) & set(ids(4))
    assert len(set(ids(3))) == 19
