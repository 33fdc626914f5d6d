"""Tests of every response against the published description of the API, if there is a copy next to the repository."""

from collections.abc import Iterator
from functools import cache
import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
import pytest

from tests.simulator.helpers import Answer, Nomos

DESCRIPTION = (
    Path(__file__).parents[3] / "shared" / "reference" / "nomos-openapi-curie.json"
)
CUSTOMERS = ("smart", "analog", "solar", "pending", "ended", "many", "nobody")

pytestmark = pytest.mark.skipif(
    not DESCRIPTION.is_file(),
    reason=f"needs the published OpenAPI description as ../{'/'.join(DESCRIPTION.parts[-3:])}",
)


def _modern(node: Any) -> Any:
    """Translate `nullable` of OpenAPI 3.0 to JSON Schema, and drop keywords that only OpenAPI has."""
    if isinstance(node, list):
        # A bare `nullable` among alternatives means null; elsewhere it means anything.
        return [
            {"type": "null"} if item == {"nullable": True} else _modern(item)
            for item in node
        ]
    if not isinstance(node, dict):
        return node
    dropped = {"nullable", "discriminator", "example"}
    result = {key: _modern(value) for key, value in node.items() if key not in dropped}
    return (
        {"anyOf": [result, {"type": "null"}]}
        if node.get("nullable") is True
        else result
    )


@cache
def _description() -> Any:
    return json.loads(DESCRIPTION.read_text(encoding="utf-8"))


def _validate(answer: Answer, path: str, method: str = "get") -> None:
    document = _description()
    response = document["paths"][path][method]["responses"][str(answer.status)]
    schema = response["content"]["application/json"]["schema"]
    validator = Draft202012Validator(
        {
            "components": {"schemas": _modern(document["components"]["schemas"])},
            **_modern(schema),
        },
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )
    validator.validate(answer.json)


def _paths(nomos: Nomos, customer: str) -> Iterator[tuple[str, str]]:
    for path in (
        "/subscriptions",
        "/plans",
        "/invoices",
        "/meter-readings",
        "/grid-fee-reductions",
    ):
        yield path, f"{path}?limit=100"
    for found in nomos.sim.customers[f"{customer}@example.com"].subscriptions:
        base = f"/subscriptions/{found.id}"
        yield "/subscriptions/{id}", base
        yield (
            "/subscriptions/{id}/prices",
            f"{base}/prices?start=2026-06-09&end=2026-06-11",
        )
        for resolution in ("auto", "15min", "hour", "day", "week", "month"):
            yield (
                "/subscriptions/{id}/usage",
                f"{base}/usage?start=2026-05-30&end=2026-06-10&resolution={resolution}",
            )
        yield "/plans/{id}", f"/plans/{found.plan}"


def test_the_translated_schema_rejects_wrong_answers() -> None:
    """Wrong responses are rejected, and nulls are accepted if nullable."""
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string", "nullable": True}},
        "required": ["a"],
    }
    validator = Draft202012Validator(_modern(schema))
    assert validator.is_valid({"a": None})
    assert not validator.is_valid({"a": 1})
    instant = _modern({"anyOf": [{"type": "string"}, {"nullable": True}]})
    assert Draft202012Validator(instant).is_valid(None)
    assert not Draft202012Validator(instant).is_valid(5)
    assert not validator.is_valid({})


@pytest.mark.parametrize("customer", CUSTOMERS)
async def test_answers_are_as_described(nomos: Nomos, customer: str) -> None:
    """This covers all lists and single objects of every customer."""
    for template, path in _paths(nomos, customer):
        answer = await nomos.get(path, customer)
        assert answer.status == 200, path
        _validate(answer, template)
    for list_path in ("/invoices", "/grid-fee-reductions"):
        for item in (await nomos.get(list_path, customer)).json["items"][:3]:
            _validate(
                await nomos.get(f"{list_path}/{item['id']}", customer),
                f"{list_path}/{{id}}",
            )


async def test_prices_of_odd_but_legal_kinds_are_as_described(nomos: Nomos) -> None:
    """This covers nulls that the description allows."""
    nomos.sim.configure(
        unpublished="null_electricity", null_amounts=[1], null_components=[2]
    )
    _validate(
        await nomos.prices("2026-06-10", "2026-06-11"), "/subscriptions/{id}/prices"
    )


async def test_token_answer_is_as_described(nomos: Nomos) -> None:
    """The response has five fields."""
    _validate(await nomos.exchange(await nomos.code()), "/oauth/token", "post")


async def test_refusals_are_as_described(nomos: Nomos) -> None:
    """Every status that occurs has the envelope with its code."""
    _validate(await nomos.refresh("made-up"), "/oauth/token", "post")
    _validate(await nomos.token(grant_type="password"), "/oauth/token", "post")
    _validate(await nomos.get("/subscriptions?limit=0"), "/subscriptions")
    _validate(await nomos.send("GET", "/subscriptions"), "/subscriptions")
    _validate(await nomos.get("/subscriptions/sub_none"), "/subscriptions/{id}")
    for status in (400, 401, 402, 403, 404, 405, 409, 422, 429, 500):
        nomos.sim.faults.add("status", "plans", times=1, status=status)
        _validate(await nomos.get("/plans"), "/plans")
