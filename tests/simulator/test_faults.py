"""Tests of faults: every way in which a response can fail."""

import asyncio
from datetime import timedelta
import json

import aiohttp
import pytest

from tests.simulator.helpers import Nomos, basic

EMAIL = "smart@example.com"
RESET = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError)


async def test_status_with_envelope_html_and_own_body(nomos: Nomos) -> None:
    """Any status; gateway states come as HTML unless asked otherwise."""
    faults = nomos.sim.faults
    for params, status, text in (
        ({"status": 402}, 402, "PAYMENT_REQUIRED"),
        ({"status": 500}, 500, "INTERNAL_SERVER_ERROR"),
        ({"status": 502}, 502, "<html>"),
        ({"status": 408}, 408, "<html>"),
        ({"status": 503, "body": "envelope"}, 503, '"code"'),
        ({"status": 403, "body": "html"}, 403, "<html>"),
        (
            {"status": 400, "code": "invalid_grant", "shape": "rfc"},
            400,
            '"error": "invalid_grant"',
        ),
        ({"status": 409, "shape": "b"}, 409, '"error": {"code": "CONFLICT"'),
        ({"status": 422, "body": {"own": 1}}, 422, '{"own": 1}'),
        ({"status": 418, "body": "tea"}, 418, "tea"),
        ({"status": 500, "body": "empty"}, 500, ""),
    ):
        faults.add("status", "plans", times=1, headers={"X-Test": "1"}, **params)
        answer = await nomos.get("/plans")
        assert answer.status == status
        assert text in answer.text
        assert answer.headers["X-Test"] == "1"
    assert (await nomos.get("/plans")).status == 200


async def test_rate_limit_with_and_without_header(nomos: Nomos) -> None:
    """The wait may be in the header or only in the message."""
    nomos.sim.faults.add("rate_limit", "prices", times=1, retry_after=7200)
    answer = await nomos.prices("2026-06-10")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "7200")
    nomos.sim.faults.add("rate_limit", "prices", times=1)
    answer = await nomos.prices("2026-06-10")
    assert "Retry-After" not in answer.headers
    assert answer.json["message"] == "Wait 30 seconds before retrying."
    nomos.sim.faults.add("rate_limit", "prices", headers={"ratelimit-reset": "40"})
    assert (await nomos.prices("2026-06-10")).headers["ratelimit-reset"] == "40"


async def test_match_times_skip_method_and_clear(nomos: Nomos) -> None:
    """A fault acts on the requests that match it, as often as planned."""
    other = nomos.subscription("solar").id
    nomos.sim.faults.add("status", f"/subscriptions/{other}/prices", status=404)
    assert (await nomos.prices("2026-06-10")).status == 200
    assert (await nomos.prices("2026-06-10", customer="solar")).status == 404
    assert (await nomos.prices("2026-06-10", customer="solar", index=1)).status == 200
    nomos.sim.faults.clear()
    assert (await nomos.prices("2026-06-10", customer="solar")).status == 200
    nomos.sim.faults.add("status", "plans", times=2, skip=1)
    assert [(await nomos.get("/plans")).status for _ in range(4)] == [
        200,
        500,
        500,
        200,
    ]
    nomos.sim.faults.add("status", method="POST")
    assert (await nomos.get("/plans")).status == 200
    assert (await nomos.refresh("x")).status == 500
    assert len(nomos.sim.faults.pending) == 1


async def test_between_follows_the_simulators_clock(nomos: Nomos) -> None:
    """A fault acts from an instant (inclusive) until another (exclusive)."""
    now = nomos.sim.clock.now()
    nomos.sim.faults.add(
        "status", between=(now + timedelta(hours=1), now + timedelta(hours=2))
    )
    seen = []
    for _ in range(3):
        seen.append((await nomos.get("/plans")).status)
        nomos.sim.clock.advance(timedelta(hours=1))
    assert seen == [200, 500, 200]


async def test_first_replacing_fault_wins(nomos: Nomos) -> None:
    """The second fault acts on the next request."""
    nomos.sim.faults.add("status", "plans", times=1, status=500)
    nomos.sim.faults.add("status", "plans", times=1, status=403)
    assert [(await nomos.get("/plans")).status for _ in range(3)] == [500, 403, 200]


async def test_connection_resets(nomos: Nomos) -> None:
    """Resets happen before or after the work, and are recorded with status 0."""
    tokens = nomos.sim.issue_tokens(EMAIL)
    nomos.sim.faults.add("reset", "token", times=1)
    with pytest.raises(RESET):
        await nomos.refresh(tokens["refresh_token"])
    assert nomos.sim.requests[-1].status == 0
    # Nothing was done, so the token still works. After the next reset it does not, since the response was lost.
    nomos.sim.faults.add("reset_after", "token", times=1)
    with pytest.raises(RESET):
        await nomos.refresh(tokens["refresh_token"])
    assert (await nomos.refresh(tokens["refresh_token"])).status == 401


async def test_response_lost_after_the_work(nomos: Nomos) -> None:
    """A gateway gives up while the service carries on."""
    tokens = nomos.sim.issue_tokens(EMAIL)
    nomos.sim.faults.add("status", "token", times=1, status=504, after_work=True)
    assert (await nomos.refresh(tokens["refresh_token"])).status == 504
    assert (await nomos.refresh(tokens["refresh_token"])).status == 401


async def test_broken_bodies(nomos: Nomos) -> None:
    """A body may be truncated, empty, HTML or a list."""
    nomos.sim.faults.add("truncate", "prices", times=1)
    token = nomos.sim.issue_tokens(EMAIL)["access_token"]
    path = f"/subscriptions/{nomos.subscription('smart').id}/prices?start=2026-06-10&end=2026-06-10"
    url, headers = nomos.sim.url + path, {"Authorization": f"Bearer {token}"}
    async with nomos.session.get(url, headers=headers) as response:
        with pytest.raises(json.JSONDecodeError):
            await response.json()
    nomos.sim.faults.add("truncate", "prices", times=1, cut_connection=True)
    with pytest.raises(RESET):
        await nomos.prices("2026-06-10")
    for kind, text in (("empty", ""), ("html", "<html>"), ("list", "[]")):
        nomos.sim.faults.add(kind, "prices", times=1)
        answer = await nomos.send("GET", path, headers=headers)
        assert answer.status == 200
        assert answer.text.startswith(text)


async def test_slow_answers(nomos: Nomos) -> None:
    """A response may be delayed, or drip slowly until it is complete."""
    sim = nomos.sim
    sim.faults.add("delay", "plans", times=1, seconds=3600)
    waiting = asyncio.create_task(nomos.get("/plans"))
    while sim.faults.pending:
        await asyncio.sleep(0)
    waiting.cancel()
    while not sim.requests:
        await asyncio.sleep(0)
    assert sim.requests[-1].status == 0
    # If the work is done before the client gives up, the token is used up.
    token = sim.issue_tokens(EMAIL)["refresh_token"]
    sim.faults.add("delay", "token", times=1, seconds=3600, after_work=True)
    waiting = asyncio.create_task(nomos.refresh(token))
    while sim.tokens._refresh[token].used is None:
        await asyncio.sleep(0)
    waiting.cancel()
    assert (await nomos.refresh(token)).status == 401
    nomos.sim.faults.add("drip", "plans", times=1, seconds=0, chunk=10)
    assert len((await nomos.get("/plans")).json["items"]) == 4


async def test_token_answers_can_be_altered(nomos: Nomos) -> None:
    """They may lack a refresh token, have a string for a number or other values, or be altered by any function."""
    faults = nomos.sim.faults
    faults.add("missing_refresh_token", "token", times=1)
    faults.add("expires_in_text", "token", times=1)
    faults.add("set_fields", "token", times=1, values={"token_type": "mac"})
    faults.add("drop_fields", "token", times=1, fields=["scope"])
    faults.add(
        "mutate", "token", times=1, change=lambda body: body | {"more": len(body)}
    )
    faults.add("headers", "token", times=1, headers={"X-Test": "1"})
    answer = await nomos.refresh(nomos.sim.issue_tokens(EMAIL)["refresh_token"])
    assert answer.json.keys() == {"access_token", "token_type", "expires_in", "more"}
    assert (answer.json["expires_in"], answer.json["token_type"]) == ("3600", "mac")
    assert answer.headers["X-Test"] == "1"


async def test_settings_for_single_answers(nomos: Nomos) -> None:
    """Every setting can apply to some requests only."""
    nomos.sim.faults.add("settings", "prices", times=1, missing=[0], unit="EUR/MWh")
    first, second = [(await nomos.prices("2026-06-10")).json for _ in range(2)]
    assert (len(first["items"]), first["unit"]) == (95, "EUR/MWh")
    assert (len(second["items"]), second["unit"]) == (96, "ct/kWh")
    nomos.sim.faults.add("settings", "token", times=1, expires_in=5)
    tokens = nomos.sim.issue_tokens(EMAIL)
    assert (await nomos.refresh(tokens["refresh_token"])).json["expires_in"] == 5


async def test_pages_and_pre_authentication_can_fail_too(nomos: Nomos) -> None:
    """Faults come before everything else."""
    nomos.sim.faults.add("status", "authorize", times=1, status=503)
    assert (await nomos.authorize()).status == 503
    nomos.sim.faults.add("status", "token", times=1, status=500)
    assert (
        await nomos.send("POST", "/oauth/token", headers=basic("nobody"))
    ).status == 500


def test_invalid_faults_are_refused(nomos: Nomos) -> None:
    """A fault that would never act as meant is a mistake in the test."""
    with pytest.raises(ValueError, match="unknown kind"):
        nomos.sim.faults.add("explode")
    with pytest.raises(ValueError, match="knows no"):
        nomos.sim.faults.add("status", code_="x")
    with pytest.raises(ValueError, match="unknown settings"):
        nomos.sim.faults.add("settings", colour="red")
