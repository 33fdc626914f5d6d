"""Tests of the HTTP controls, the clock and the settings."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from freezegun import freeze_time
import pytest

from simulator import Settings, Simulator
from simulator.clock import Clock
from tests.simulator.helpers import Nomos

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


async def _control(nomos: Nomos, method: str, name: str, body: Any = None) -> Any:
    answer = await nomos.send(method, f"/control/{name}", json=body)
    assert answer.status == 200, answer.text
    return answer.json


async def test_clock(nomos: Nomos) -> None:
    """The clock can be set, advanced, frozen and run."""
    answer = await _control(
        nomos, "POST", "clock", {"set": "2026-10-25T02:30:00+01:00"}
    )
    assert (answer["now"], answer["frozen"]) == ("2026-10-25T01:30:00.000Z", True)
    assert (await _control(nomos, "POST", "clock", {"advance_seconds": 90}))[
        "now"
    ] == "2026-10-25T01:31:30.000Z"
    assert nomos.sim.clock.now() == datetime(2026, 10, 25, 1, 31, 30, tzinfo=UTC)
    assert (await _control(nomos, "POST", "clock", {"run": True}))["frozen"] is False
    assert (await _control(nomos, "POST", "clock", {"freeze": True}))["frozen"] is True


async def test_state_has_counts_and_no_secrets(nomos: Nomos) -> None:
    """The state has customers, contracts and counts, but no secrets."""
    await nomos.exchange(await nomos.code())
    await nomos.get("/subscriptions")
    state = await nomos.send("GET", "/control/state")
    assert state.json["requests"] == {"authorize": 4, "token": 1, "subscriptions": 1}
    smart = state.json["customers"]["smart@example.com"]["subscriptions"]
    assert [(item["status"], item["number"]) for item in smart] == [
        ("active", "4X44EMKX")
    ]
    assert len(state.json["customers"]) == 7
    assert not [secret for secret in nomos.sim.secrets if secret in state.text]
    requests = (await _control(nomos, "GET", "requests"))["requests"]
    assert requests[-1] | {"time": ""} == {
        "time": "",
        "method": "GET",
        "path": "/subscriptions",
        "query": {},
        "status": 200,
        "kind": "subscriptions",
        "body_keys": [],
        "basic_auth": False,
        "grant_type": None,
        "content_type": None,
        "cookies": [],
        "api_version": None,
        "customer": nomos.sim.customers["smart@example.com"].id,
    }
    await _control(nomos, "DELETE", "requests")
    assert nomos.sim.count() == 0


async def test_faults_and_settings(nomos: Nomos) -> None:
    """Both can be read, changed and reset."""
    await _control(
        nomos,
        "POST",
        "faults",
        {"kind": "status", "match": "plans", "times": 1, "status": 500},
    )
    between = ["2026-06-10T08:00:00Z", "2026-06-10T10:00:00Z"]
    await _control(
        nomos,
        "POST",
        "faults",
        {"kind": "rate_limit", "match": "prices", "between": between, "retry_after": 9},
    )
    faults = (await _control(nomos, "GET", "faults"))["faults"]
    assert [item["kind"] for item in faults] == ["status", "rate_limit"]
    assert faults[1]["between"] == between
    assert (await nomos.get("/plans")).status == 500
    assert (await nomos.prices("2026-06-10")).status == 429
    await _control(nomos, "DELETE", "faults")
    assert (await nomos.prices("2026-06-10")).status == 200
    answer = await _control(
        nomos,
        "POST",
        "settings",
        {
            "unpublished": "null_amounts",
            "publications": {"2026-06-11": "never", "2026-06-12": "19:00"},
            "missing": [3, ["2026-06-10T00:00:00Z", "2026-06-10T01:00:00Z"]],
            "access": {"plans": "forbidden"},
            "usage_time": "17:30",
        },
    )
    assert answer["publications"] == {"2026-06-11": "never", "2026-06-12": "19:00:00"}
    assert nomos.sim.settings.unpublished == "null_amounts"
    assert nomos.sim.publication(date(2026, 6, 11)) is None
    assert (await nomos.get("/plans")).status == 403
    await _control(nomos, "DELETE", "settings")
    assert nomos.sim.settings == Settings()


async def test_tokens(nomos: Nomos) -> None:
    """Consents and access tokens can be ended."""
    tokens = nomos.sim.issue_tokens("smart@example.com")
    await _control(nomos, "POST", "expire_access_tokens")
    assert nomos.sim.tokens.authenticate(tokens["access_token"]) is None
    fresh = (await nomos.refresh(tokens["refresh_token"])).json
    await _control(
        nomos, "POST", "revoke", {"email": "smart@example.com", "immediate": False}
    )
    assert nomos.sim.tokens.authenticate(fresh["access_token"]) is not None
    assert (await nomos.refresh(fresh["refresh_token"])).status == 401


async def test_contracts(nomos: Nomos) -> None:
    """Contracts can be added, changed and removed, even for a new customer."""
    added = await _control(
        nomos,
        "POST",
        "subscriptions",
        {
            "action": "add",
            "email": "new@example.com",
            "create_customer": True,
            "start_at": "2026-06-01T00:00:00+02:00",
        },
    )
    assert (added["status"], added["start_at"]) == ("active", "2026-05-31T22:00:00Z")
    changed = await _control(
        nomos,
        "POST",
        "subscriptions",
        {"action": "change", "id": added["id"], "end_at": "2026-06-05T00:00:00+02:00"},
    )
    assert changed["status"] == "ended"
    changed = await _control(
        nomos,
        "POST",
        "subscriptions",
        {"action": "change", "id": added["id"], "end_at": None},
    )
    assert changed["status"] == "active"
    await _control(
        nomos, "POST", "subscriptions", {"action": "remove", "id": added["id"]}
    )
    assert nomos.sim.customers["new@example.com"].subscriptions == []


async def test_true_prices(nomos: Nomos) -> None:
    """Prices of any day, published or not, can be read and corrected."""
    found = nomos.subscription("smart").id
    answer = await _control(
        nomos, "GET", f"prices?subscription={found}&date=2026-06-11"
    )
    assert len(answer["items"]) == 96
    assert answer["published_until"] == "2026-06-10T22:00:00Z"
    assert answer["published_at"].startswith("2026-06-10T1")
    start = answer["items"][5]["start"]
    corrected = await _control(
        nomos, "POST", "prices", {"subscription": found, "start": start, "amount": 7}
    )
    assert (corrected["start"], corrected["amount"]) == (start, 7)


@pytest.mark.parametrize(
    ("method", "name", "body"),
    [
        ("POST", "clock", {"set": "2026-06-10T00:00:00"}),
        ("POST", "clock", {"jump": 5}),
        ("POST", "clock", {"set": "noon"}),
        ("POST", "clock", [1]),
        ("POST", "faults", {"kind": "explode"}),
        ("POST", "faults", {"kind": "mutate"}),
        ("POST", "faults", {}),
        ("POST", "settings", {"colour": "red"}),
        ("POST", "settings", {"unpublished": "maybe"}),
        ("POST", "settings", {"duplicates": 1}),
        ("POST", "settings", {"rate_limit": True}),
        ("POST", "settings", {"access": {"plans": "perhaps"}}),
        (
            "POST",
            "settings",
            {"missing": [["2026-06-10T00:00:00", "2026-06-11T00:00:00"]]},
        ),
        ("POST", "revoke", {"email": "stranger@example.com"}),
        ("POST", "revoke", {}),
        ("POST", "subscriptions", {"action": "paint"}),
        ("POST", "subscriptions", {"action": "change", "id": "sub_none"}),
        (
            "POST",
            "subscriptions",
            {
                "action": "add",
                "email": "smart@example.com",
                "start_at": "2026-06-10T00:00:00",
            },
        ),
        ("GET", "prices", None),
        ("GET", "mailbox", None),
    ],
)
async def test_mistakes_are_reported(
    nomos: Nomos, method: str, name: str, body: Any
) -> None:
    """A mistake is answered with 400 and a sentence."""
    answer = await nomos.send(method, f"/control/{name}", json=body)
    assert answer.status == 400
    assert answer.json["error"]


async def test_unknown_control(nomos: Nomos) -> None:
    """An unknown control is answered with 404."""
    assert (await nomos.send("GET", "/control/nothing")).status == 404


def test_default_clock_follows_a_frozen_system_clock() -> None:
    """The system clock is read at every call, and an offset added."""
    clock = Clock()
    with freeze_time(NOON) as frozen:
        assert clock.now() == NOON
        frozen.tick(timedelta(hours=1))
        assert clock.now() == NOON + timedelta(hours=1)
        clock.set(NOON + timedelta(days=10))
        frozen.tick(timedelta(hours=1))
        assert clock.now() == NOON + timedelta(days=10, hours=1)
        clock.advance(timedelta(minutes=5))
        clock.freeze()
        frozen.tick(timedelta(hours=5))
        assert clock.now() == NOON + timedelta(days=10, hours=1, minutes=5)
        clock.run()
        frozen.tick(timedelta(minutes=1))
        assert clock.now() == NOON + timedelta(days=10, hours=1, minutes=6)


def test_clock_may_follow_a_callable() -> None:
    """Such a clock cannot be set."""
    times = iter([NOON, NOON + timedelta(hours=1)])
    clock = Clock(lambda: next(times))
    assert [clock.now(), clock.now()] == [NOON, NOON + timedelta(hours=1)]
    for change in (clock.freeze, clock.run, lambda: clock.set(NOON)):
        with pytest.raises(RuntimeError):
            change()
    with pytest.raises(ValueError, match="aware"):
        Clock().set(NOON.replace(tzinfo=None))


async def test_only_loopback() -> None:
    """The simulator refuses to listen on other addresses."""
    for host in ("0.0.0.0", "192.168.1.5", "example.com", "::"):
        with pytest.raises(ValueError, match="loopback"):
            await Simulator().start(host=host)


async def test_starts_and_stops(sim: Simulator) -> None:
    """It runs only once at a time, and its port is known while it runs."""
    with pytest.raises(RuntimeError):
        await sim.start()
    await sim.stop()
    await sim.stop()
    with pytest.raises(RuntimeError):
        assert sim.url
    await sim.start(host="localhost")
    assert sim.url.startswith("http://localhost:")
