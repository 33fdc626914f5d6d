"""Tests of subscriptions and other lists: pages, visibility, version, errors, limits."""

from datetime import timedelta
from urllib.parse import quote

import pytest

from simulator import Simulator
from tests.simulator.helpers import Nomos


async def _walk(nomos: Nomos, limit: str = "") -> list[list[str]]:
    pages: list[list[str]] = []
    cursor = ""
    while True:
        page = (await nomos.get(f"/subscriptions?{limit}{cursor}", "many")).json
        pages.append([item["id"] for item in page["items"]])
        if not page["has_more"]:
            assert page["next_page"] is None
            return pages
        cursor = f"&cursor={quote(page['next_page'])}"


async def test_thirteen_subscriptions_come_in_pages_newest_first(nomos: Nomos) -> None:
    """There are ten per page by default; any page size finds all of them once."""
    pages = await _walk(nomos)
    assert [len(page) for page in pages] == [10, 3]
    everything = [item for page in pages for item in page]
    created = [nomos.sim.subscription(item).created_at for item in everything]
    assert created == sorted(created, reverse=True)
    assert [
        item for page in await _walk(nomos, "limit=4") for item in page
    ] == everything
    assert await _walk(nomos, "limit=100") == [everything]


async def test_cursor_is_bound_to_its_parameters(nomos: Nomos) -> None:
    """Changed parameters, another customer or a tampered cursor lead to a 400."""
    cursor = quote(
        (await nomos.get("/subscriptions?limit=5", "many")).json["next_page"]
    )
    assert (
        await nomos.get(f"/subscriptions?limit=5&cursor={cursor}", "many")
    ).status == 200
    for path, customer in (
        (f"/subscriptions?limit=6&cursor={cursor}", "many"),
        (f"/subscriptions?cursor={cursor}", "many"),
        (f"/subscriptions?limit=5&cursor={cursor}", "smart"),
        ("/subscriptions?limit=5&cursor=bm9wZQ==", "many"),
        ("/subscriptions?limit=5&cursor=%21", "many"),
    ):
        answer = await nomos.get(path, customer)
        assert (answer.status, answer.json["code"]) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1.5"])
async def test_limit_is_checked(nomos: Nomos, limit: str) -> None:
    """A limit is from 1 to 100."""
    answer = await nomos.get(f"/subscriptions?limit={limit}")
    assert answer.status == 400
    assert answer.json["errors"][0]["field"] == "limit"


@pytest.mark.parametrize(
    ("shape", "keys"),
    [
        ("bare", {"object", "items"}),
        ("no_has_more", {"object", "items", "next_page"}),
        ("no_next_page", {"object", "items", "has_more"}),
    ],
)
async def test_list_shapes(nomos: Nomos, shape: str, keys: set[str]) -> None:
    """The schema requires neither `has_more` nor `next_page`."""
    nomos.sim.configure(list_shape=shape)
    assert (await nomos.get("/subscriptions", "many")).json.keys() == keys


async def test_repeated_cursor(nomos: Nomos) -> None:
    """The next page may be the same one again."""
    nomos.sim.configure(list_shape="repeat_cursor")
    cursor = (await nomos.get("/subscriptions", "many")).json["next_page"]
    page = (await nomos.get(f"/subscriptions?cursor={quote(cursor)}", "many")).json
    assert page["next_page"] == cursor


async def test_filters(nomos: Nomos) -> None:
    """Known filters work, unknown ones are silently ignored, and malformed values are refused."""

    async def count(query: str) -> int:
        return len(
            (await nomos.get(f"/subscriptions?limit=100&{query}", "many")).json["items"]
        )

    assert await count("filter[status][eq]=active") == 11
    assert await count("filter[status][in]=ended,pending") == 2
    assert await count("filter[status][ne]=active") == 2
    assert await count("filter[type][eq]=feed_in") == 13
    assert await count("filter[status][matches]=active") == 13
    assert await count("filter[created_at][gte]=2026-01-01T00:00:00Z") < 13
    assert (
        await nomos.get("/subscriptions?filter[created_at][gte]=2026-01-01")
    ).status == 400


async def test_detail_embeds_what_the_list_names(nomos: Nomos) -> None:
    """References are ids in a list, but objects in a single response."""
    item = (await nomos.get("/subscriptions")).json["items"][0]
    detail = (await nomos.get(f"/subscriptions/{item['id']}")).json
    for name in (
        "customer",
        "address",
        "meter",
        "payment_method",
        "supplier",
        "billing_address",
    ):
        assert detail[name]["id"] == item[name]
    assert detail["plan"] == item["plan"]
    assert detail["customer"]["email"] == "smart@example.com"
    assert item["start_at"] == "2024-09-30T22:00:00Z"


async def test_items_of_others_are_not_found(nomos: Nomos) -> None:
    """A 404 means that an item is absent or belongs to somebody else."""
    foreign = nomos.subscription("solar").id
    for path in ("", "/prices?start=2026-06-10&end=2026-06-10", "/usage"):
        assert (await nomos.get(f"/subscriptions/{foreign}{path}")).status == 404
    invoice = (await nomos.get("/invoices", "analog")).json["items"][0]["id"]
    assert (await nomos.get(f"/invoices/{invoice}", "analog")).status == 200
    assert (await nomos.get(f"/invoices/{invoice}")).status == 404


async def test_customers_and_their_states(nomos: Nomos) -> None:
    """Each of the fixed customers has the contracts that the name promises."""

    async def states(name: str) -> list[str]:
        return [
            item["status"]
            for item in (await nomos.get("/subscriptions", name)).json["items"]
        ]

    assert [await states(name) for name in ("smart", "pending", "ended", "nobody")] == [
        ["active"],
        ["pending"],
        ["ended"],
        [],
    ]
    solar = (await nomos.get("/subscriptions", "solar")).json["items"]
    assert [item["type"] for item in solar] == ["feed_in", "consumption"]
    nomos.sim.clock.advance(timedelta(days=10))
    assert await states("pending") == ["active"]


async def test_contracts_can_be_changed(nomos: Nomos) -> None:
    """Contracts can be added, ended, given a fixed status and removed."""
    sim = nomos.sim
    added = sim.add_subscription("nobody@example.com", type="feed_in")
    assert (await nomos.get("/subscriptions", "nobody")).json["items"][0][
        "id"
    ] == added.id
    sim.set_subscription(
        added.id,
        end_at=sim.clock.now(),
        terminated_at=sim.clock.now() - timedelta(days=9),
    )
    assert (await nomos.get(f"/subscriptions/{added.id}", "nobody")).json[
        "status"
    ] == "ended"
    sim.set_subscription(added.id, status="pending")
    assert (await nomos.get(f"/subscriptions/{added.id}", "nobody")).json[
        "status"
    ] == "pending"
    sim.remove_subscription(added.id)
    assert (await nomos.get("/subscriptions", "nobody")).json["items"] == []
    with pytest.raises(KeyError):
        sim.subscription(added.id)


@pytest.mark.parametrize(
    ("version", "status"),
    [
        (None, 200),
        ("2026-05-27.curie", 200),
        ("2026-01-29.edison", 400),
        ("2030-01-01.dirac", 400),
        ("", 400),
    ],
)
async def test_version_is_echoed_and_checked(
    nomos: Nomos, version: str | None, status: int
) -> None:
    """The current version is the default, and every other one is refused with its header's name."""
    headers = {} if version is None else {"X-API-Version": version}
    answer = await nomos.get("/subscriptions", headers=headers)
    assert answer.status == status
    assert answer.headers["X-API-Version"] == "2026-05-27.curie"
    if status == 400:
        assert answer.json["errors"][0]["field"] == "X-API-Version"


async def test_nothing_can_be_changed_with_a_customers_token(nomos: Nomos) -> None:
    """There is no write:* scope."""
    token = nomos.sim.issue_tokens("smart@example.com")["access_token"]
    for method in ("POST", "PATCH", "PUT", "DELETE"):
        answer = await nomos.send(
            method, "/subscriptions", headers={"Authorization": f"Bearer {token}"}
        )
        assert (answer.status, answer.json["code"]) == (403, "FORBIDDEN")


async def test_plans_and_access(nomos: Nomos) -> None:
    """Plans are readable by default; any kind of request can be closed."""
    plan = nomos.subscription("smart").plan
    assert (await nomos.get(f"/plans/{plan}")).json["price"] == 10.99
    assert len((await nomos.get("/plans")).json["items"]) == 4
    nomos.sim.configure(access={"plans": "forbidden", "usage": "not_found"})
    assert (await nomos.get("/plans")).status == 403
    assert (await nomos.get(f"/plans/{plan}")).status == 403
    assert (
        await nomos.get(f"/subscriptions/{nomos.subscription('smart').id}/usage")
    ).status == 404
    assert (await nomos.get("/customers")).status == 403
    nomos.sim.configure(access={"customers": "allow"})
    assert (await nomos.get("/customers")).json["items"][0][
        "email"
    ] == "smart@example.com"
    assert (await nomos.get("/nowhere")).status == 404


async def test_invoices_of_all_kinds(nomos: Nomos) -> None:
    """There are usage, prepayment and void invoices; filters work; the file is on another host."""
    items = (await nomos.get("/invoices?limit=100", "analog")).json["items"]
    assert {item["type"] for item in items} == {"usage", "prepayment", "void"}
    assert {item["status"] for item in items} == {
        "paid",
        "open",
        "voided",
        "uncollectible",
    }
    void = next(item for item in items if item["type"] == "void")
    assert void["total"] < 0
    assert (
        next(item for item in items if item["id"] == void["voids"])["status"]
        == "voided"
    )
    usage = (
        await nomos.get("/invoices?filter[type][eq]=usage&limit=100", "analog")
    ).json["items"]
    assert usage
    assert all(item["type"] == "usage" and item["usage"] > 0 for item in usage)
    assert (
        await nomos.get("/invoices?filter[subscription][eq]=nothing", "analog")
    ).json["items"] == []
    file = await nomos.get(f"/invoices/{items[0]['id']}/file", "analog")
    assert file.status == 302
    assert not file.headers["Location"].startswith(nomos.sim.url)


async def test_readings_and_reductions(nomos: Nomos) -> None:
    """An analog meter is read quarterly, a smart one at the start; module 3 makes the grid fee vary."""
    readings = (await nomos.get("/meter-readings?limit=100", "analog")).json["items"]
    values = [item["value"] for item in reversed(readings)]
    assert values == sorted(values)
    assert {item["type"] for item in readings} == {
        "customer_report",
        "grid_reading",
        "grid_estimation",
    }
    reduction = (await nomos.get("/grid-fee-reductions")).json["items"][0]
    assert reduction["type"] == "enwg-14a-module-3"
    assert (
        await nomos.get(f"/grid-fee-reductions/{reduction['id']}")
    ).json == reduction
    assert (await nomos.get("/grid-fee-reductions", "analog")).json["items"] == []


@pytest.mark.parametrize(
    ("shape", "path"),
    [
        ("a", ("type", "notFound")),
        ("b", ("error", "code", "NOT_FOUND")),
        ("c", ("code", "NOT_FOUND")),
        ("d", ("code", "NOT_FOUND")),
        ("rfc", ("error", "server_error")),
    ],
)
async def test_error_shapes(nomos: Nomos, shape: str, path: tuple[str, ...]) -> None:
    """Errors have the current envelope or an earlier one."""
    nomos.sim.configure(error_shape=shape)
    value = (await nomos.get("/nowhere")).json
    for key in path[:-1]:
        value = value[key]
    assert value == path[-1]


async def test_html_error_and_error_details(nomos: Nomos) -> None:
    """A gateway sends a page; only the current envelope has `errors`."""
    assert (await nomos.get("/subscriptions?limit=0")).json["errors"]
    nomos.sim.configure(error_shape="c")
    assert "errors" not in (await nomos.get("/subscriptions?limit=0")).json
    nomos.sim.configure(error_shape="html")
    answer = await nomos.get("/nowhere")
    assert answer.headers["Content-Type"].startswith("text/html")


async def test_health_and_extra_fields(nomos: Nomos) -> None:
    """Health is plain text; every object can have unknown fields."""
    health = await nomos.send("GET", "/health")
    assert (health.status, health.text) == (200, "OK")
    nomos.sim.configure(extra_fields=True)
    page = (await nomos.get("/subscriptions")).json
    assert "x_simulated" in page
    assert "x_simulated" in page["items"][0]


async def test_rate_limit(
    sim: Simulator, nomos: Nomos, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten requests a second of one customer; the second may pass on either clock."""
    seconds = [100.0]
    monkeypatch.setattr("simulator.server._real_time", lambda: seconds[0])
    sim.configure(rate_limit=3, retry_after=7)
    answers = [await nomos.get("/plans") for _ in range(3)]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == [
        "2",
        "1",
        "0",
    ]
    sim.configure(rate_limit=1)
    refused = await nomos.get("/plans")
    assert (refused.status, refused.headers["retry-after"]) == (429, "7")
    assert refused.json["code"] == "TOO_MANY_REQUESTS"
    assert (await nomos.get("/plans", "solar")).status == 200
    sim.configure(rate_limit_headers=False)
    assert not {"retry-after", "ratelimit-limit"} & {
        key.lower() for key in (await nomos.get("/plans")).headers
    }
    sim.clock.advance(timedelta(seconds=1))
    assert (await nomos.get("/plans")).status == 200
    seconds[0] += 1
    assert (await nomos.get("/plans")).status == 200
    assert (await nomos.get("/plans")).status == 429
