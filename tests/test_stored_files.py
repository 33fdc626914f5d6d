"""Tests of how our files are decoded: accepted contents can be used, and are written as they were read."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial, reduce
from itertools import chain
import json
from operator import getitem
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nomos.account.contracts import StoredAccount, decode_account
from custom_components.nomos.account.tokens import _decode_journal
from custom_components.nomos.api import (
    Subscription,
    SubscriptionStatus,
    SubscriptionType,
    Tariff,
)
from custom_components.nomos.codec import decode, encode
from custom_components.nomos.loads.need import (
    Charge,
    Readings,
    RunTime,
    extrapolated,
    left,
    urgent,
    with_charge,
)
from custom_components.nomos.loads.plan import DeviceMemory, LoadMemory, Task
from custom_components.nomos.loads.settings import LoadSettings
from custom_components.nomos.planner import Run
from custom_components.nomos.prices.conversion import decode_table
from custom_components.nomos.pricing import (
    Components,
    Interval,
    PeriodKind,
    TableLevels,
    local_date,
    window,
)
from custom_components.nomos.schedule import next_usage_request_after_start
from custom_components.nomos.storage import _pack, _unpack
from custom_components.nomos.usage.days import is_over
from custom_components.nomos.usage.metering import AnalogMonth, DayUsage, period
from custom_components.nomos.usage.prices import _decode as decode_days, _table
from custom_components.nomos.usage.record import MonthState, UsageRecord
from tests.usage.samples import FULL, PLAIN, paths, property_test, starts_of, table_of

NOW = datetime(2026, 6, 10, 8, 3, 7, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")

ENTRY = MockConfigEntry(unique_id="cus")

SUBSCRIPTION = Subscription(
    id="sub",
    customer_id="cus",
    tariff_id="plan",
    status=SubscriptionStatus.ACTIVE,
    type=SubscriptionType.CONSUMPTION,
    number="4X44EMKX",
    created_at=NOW - timedelta(days=99),
    start_at=NOW - timedelta(days=77),
    terminated_at=None,
    end_at=NOW + timedelta(days=7),
)
PLAN = Tariff(id="plan", name="Flex", base_fee=4.9)
BEGUN = LoadMemory(
    task=Task(
        opens=NOW - timedelta(hours=3),
        closes=NOW + timedelta(hours=8),
        runs=(
            Run(start=NOW - timedelta(hours=2), end=NOW - timedelta(hours=1)),
            Run(start=NOW - timedelta(minutes=7), end=NOW + timedelta(minutes=7)),
        ),
    ),
    readings=Readings(
        charge=Charge(
            amount=47.5,
            is_energy=False,
            at=NOW - timedelta(hours=1),
            seen=NOW - timedelta(hours=2),
        ),
        target=80.0,
        plugged=True,
        asked=False,
    ),
    devices={
        "switch.plug": DeviceMemory(run=NOW - timedelta(minutes=7)),
        "climate.heater": DeviceMemory(by_hand=True, preset="eco"),
    },
)
CAR = LoadSettings.of(
    {
        "capacity": 60,
        "power": 11,
        "charge_sensor": "sensor.car",
        "target_entity": "number.car",
        "lowest_charge": 20,
    }
)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of file: a strategy for its contents, and how to read, write and use them."""

    sample: Any
    decode: Callable[[Any], Any]
    encode: Callable[[Any], Any] = encode
    use: Callable[[Any], object]


def use_table(table: Any) -> None:
    """Use prices in every way in which the integration does."""
    levels = TableLevels(table)
    for one in table.intervals:
        day = table.day(local_date(one.start))
        levels.within(PeriodKind.CHEAP, one.start)
        _ = day.complete, day.average
    table.next_boundary(NOW)


def use_record(record: Any) -> None:
    """Use a usage record in every way in which the integration does."""
    next_usage_request_after_start(NOW, record.synced_on, phase=0.7, chance=0)
    is_over(record, SUBSCRIPTION, NOW.date(), history_kept=True)
    period(record.days.values())


def use_runs(memory: LoadMemory) -> RunTime:
    """Return a function that says how long a load has run."""
    task = memory.task
    return lambda since: task.time_run(NOW, since) if task else timedelta()


def use_loads(memories: Any) -> None:
    """Use started tasks in every way in which the integration does."""
    for memory in memories.values():
        ran = use_runs(memory)
        assert left(CAR, memory.readings, ran) <= timedelta(days=10)
        assert urgent(CAR, memory.readings, ran) <= timedelta(hours=2)
        seen = Charge(amount=50, is_energy=False, at=NOW, seen=NOW)
        assert CAR.car
        with_charge(CAR.car, memory.readings, seen, NOW, ran)
        with_charge(CAR.car, memory.readings, None, NOW, ran)
        extrapolated(CAR.car, memory.readings, NOW, ran)
        if (task := memory.task) is not None:
            task.ended(NOW)
            task.time_run(NOW, NOW - timedelta(hours=1))
            window(task.closes, time(20), time(7), BERLIN)


def use_link(stored: Any) -> None:
    """Use a link as the integration does: store it in Home Assistant, and send its token."""
    link, _ = stored
    json.dumps(link, ensure_ascii=False, allow_nan=False).encode()
    for key in ("access_token", "refresh_token"):
        assert link["token"][key].isprintable()
    datetime.fromtimestamp(link["token"]["expires_at"], UTC)


def use_account(stored: Any) -> None:
    """Use contracts in every way in which the integration does."""
    contracts, asked_on = stored.subscriptions.values(), stored.tariffs_asked_on
    moments = [(one.created_at, one.start_at, one.end_at) for one in contracts]
    for at in (stored.last_answer, *chain.from_iterable(moments)):
        assert at is None or local_date(at + timedelta(days=40))
    assert asked_on is None or date(2026, 6, 10) - asked_on


KINDS = {
    "prices": Kind(
        sample=encode(table_of(starts_of(PLAIN)[:5]).intervals),
        decode=decode_table,
        encode=lambda table: encode(table.intervals),
        use=use_table,
    ),
    "usage": Kind(
        sample=json.loads(json.dumps(encode(FULL))),
        decode=lambda data: decode(UsageRecord, data),
        use=use_record,
    ),
    "loads": Kind(
        sample=json.loads(json.dumps(encode({"load": BEGUN, "other": BEGUN}))),
        decode=partial(decode, dict[str, LoadMemory]),
        encode=encode,
        use=use_loads,
    ),
    "unsettled_prices": Kind(
        sample={PLAIN.isoformat(): " ".join(["28.17", "-", "-0.5", "0"] * 24)},
        decode=decode_days,
        use=lambda days: [_table(*item) for item in days.items()],
    ),
    "token": Kind(
        sample={
            "auth_implementation": "nomos",
            "token": {
                "access_token": "a.b-c",
                "refresh_token": "d_e",
                "expires_at": NOW.timestamp(),
                "token_type": "Bearer",
                "expires_in": 3600,
            },
            "ancestors": ["0f", "1e"],
        },
        decode=_decode_journal,
        encode=lambda stored: encode({**stored[0], "ancestors": stored[1]}),
        use=use_link,
    ),
    "account": Kind(
        sample=encode(
            StoredAccount(
                subscriptions={"sub": SUBSCRIPTION},
                tariffs={"plan": PLAN},
                tariffs_asked_on=date(2026, 6, 1),
                last_answer=NOW,
            )
        ),
        decode=lambda data: decode_account(ENTRY, data),
        use=use_account,
    ),
}

EDGES: tuple[Any, ...] = (
    *(None, True, -1, 0, 7, 0.5, 1e300, 10**30, 10**400, float("nan"), float("inf")),
    *(
        "",
        "7",
        "text",
        "usage",
        "smart",
        "\ud83d",
        "a\r\nb",
        [],
        {},
        [[]],
        [None, None],
    ),
    *("0001-01-01", "9999-12-31", "2026-06-10T10:00:00", "0001-01-01T00:00:00+00:00"),
    *("9999-12-31T23:59:59+00:00", -62135596800, 253402300799, 253402300799.5),
)
"""Values that break careless code."""

MISSING = object()

JUNK = st.sampled_from(EDGES) | st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=9)
    | st.dates().map(date.isoformat)
    | st.datetimes(timezones=st.none() | st.just(UTC)).map(datetime.isoformat),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["usage", "token", "runs", "id", "x"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def read_and_use(kind: Kind, data: Any) -> None:
    """Read the contents of a file; if they are accepted, they can be used in every way."""
    content = json.dumps({"version": 1, "name": "file", "data": data})
    try:
        value = kind.decode(_unpack("file", content.encode()))
    except Exception:  # noqa: BLE001 - the store takes any for a file to be set aside
        return
    kind.use(value)
    assert kind.decode(_unpack("file", _pack("file", kind.encode(value)))) == value


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_round_trip(kind):
    """Whatever is written can be read again."""
    value = kind.decode(_unpack("file", _pack("file", kind.sample)))
    kind.use(value)
    assert json.loads(json.dumps(kind.encode(value))) == kind.sample


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@property_test
@given(junk=JUNK)
def test_anything(kind, junk):
    """A file may hold anything."""
    read_and_use(kind, junk)


def replaced(kind: Kind, path: tuple[Any, ...], junk: Any) -> Any:
    """Return the data of a valid file with another value in one place."""
    damaged = deepcopy(kind.sample)
    *above, key = path
    node = reduce(getitem, above, damaged)
    if junk is MISSING:
        del node[key]
    else:
        node[key] = junk
    return damaged


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_edge_values(kind):
    """Any place in a valid file may hold a value that breaks careless code, or be missing."""
    for path in paths(kind.sample)[1:]:
        for junk in (MISSING, *EDGES):
            try:
                read_and_use(kind, replaced(kind, path, junk))
            except BaseException as err:
                err.add_note(f"{path}: {junk!r}")
                raise


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@property_test
@given(data=st.data())
def test_damage(kind, data):
    """Any place in a valid file may hold anything."""
    path = data.draw(st.sampled_from(paths(kind.sample)[1:]))
    read_and_use(kind, replaced(kind, path, data.draw(JUNK)))


def test_another_file():
    """A file is refused if it belongs to another contract or is of another kind."""
    with pytest.raises(ValueError, match="another file"):
        _unpack("usage.sub", _pack("usage.other", {}))


@pytest.mark.parametrize(
    "changed",
    [{"customer_id": "another"}, {"id": "another"}, {"tariff_id": "a\nb"}],
)
def test_contracts_of_an_account(changed: dict[str, str]):
    """A contract is refused if it belongs to another customer, has a different key, or has a malformed id."""
    sample = deepcopy(KINDS["account"].sample)
    sample["subscriptions"]["sub"] |= changed
    with pytest.raises(ValueError):
        decode_account(ENTRY, sample)


def test_format_of_lists():
    """The order of fields that are stored without names is part of the format: a change needs a new version."""
    assert {
        kind.__name__: " ".join(one.name for one in fields(kind))
        for kind in (AnalogMonth, Components, DayUsage, Interval, MonthState)
    } == {
        "AnalogMonth": "month kwh final",
        "Components": "electricity grid levies",
        "DayUsage": "day kwh cost priced_kwh readings missing digest",
        "Interval": "start end price components",
        "MonthState": "status tried_on since readings unpriced",
    }


def test_new_field():
    """In data that is stored by names, a field with a default may be missing; an unknown field is refused."""
    stored = encode(FULL)
    del stored["reductions_on"]
    assert decode(UsageRecord, stored) == replace(FULL, reductions_on=None)
    with pytest.raises(LookupError):
        decode(UsageRecord, stored | {"another": 1})
