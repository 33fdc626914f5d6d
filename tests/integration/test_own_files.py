"""Tests of our files with wrong contents: they are set aside once, and the account works."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
import json
from pathlib import Path
import random
import shutil
from typing import Any

import pytest

from custom_components.nomos.storage import SET_ASIDE_SUFFIX
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from tests.integration.helpers import EMAIL, HOUR, Advance, assert_right, reauth_flows
from tests.integration.loads.helpers import add, moment, runs_now, until

KINDS = ("token", "account", "prices", "usage", "loads")

CONTENTS = (
    *(b"", b"{", b"[]", b"null", b"5", b'"text"', b"{}", b"\xff\xfe\x00"),
    b"\xef\xbb\xbf{}",
    '{"version": 1, "data": {}}'.encode("utf-16"),
    b'{"version": 99, "data": {}}',
    b'{"version": 1, "data": ' + b"9" * 5000 + b"}",
    b'{"version": 1, "data": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    b"[" * 100_000,
    b" " * 17_000_000,
)
"""Invalid contents of any file."""

DATA = (
    *(b"null", b"[]", b"5", b"true", b'"text"', b"NaN", b"[[]]", b'{"a": []}'),
    *(b'{"a": null}', b'{"a": 5}', b'{"a": {"runs": []}}', b'{"account": "another"}'),
    b'{"token": {}, "ancestors": []}',
)
"""Data of another kind or of no kind."""

JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 5, 0.5, 1e300, 10**30, 10**400, float("nan")),
    *(float("inf"), "", "text", "7", "\ud83d", "a\nb", "2026-06-10", "0001-01-01"),
    *("9999-12-31", "9999-12-31T23:59:59+00:00", "2026-06-10T10:00:00", [], {}, [[]]),
    *({"a": 5}, ["text"] * 3, [None, None], [0, 900, 0.3, None, None, None]),
)
"""Values that replace written ones."""


def paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the paths of everything in decoded JSON."""
    yield path
    if isinstance(node, dict | list):
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for key, one in items:
            yield from paths(one, (*path, key))


def damaged(stored: Any, chance: random.Random) -> bytes:
    """Return a valid file with one value replaced, duplicated or removed."""
    # Lists of days and prices are long, so pick the kind of path first.
    by_kind: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for path in paths(stored):
        kind = tuple("*" if isinstance(key, int) else key for key in path[:-1])
        by_kind.setdefault((*kind, *path[-1:]), []).append(path)
    path = chance.choice(by_kind[chance.choice(list(by_kind))])
    if not path:
        return json.dumps(chance.choice(JUNK)).encode()
    node = changed = deepcopy(stored)
    for key in path[:-1]:
        node = node[key]
    match chance.randrange(5):
        case 0:
            del node[path[-1]]
        case 1 if isinstance(node, list):
            node.append(node[path[-1]])
        case _:
            node[path[-1]] = chance.choice(JUNK)
    return json.dumps(changed).encode()


@pytest.fixture
async def account_with_files(
    hass: HomeAssistant,
    nomos,
    linked,
    advance: Advance,
    files,
    german_hub: None,
    entity_registry_enabled_by_default: None,
) -> Any:
    """Return an unloaded account with every kind of file, and the files' contents."""
    entry = await linked()
    load_id = await add(hass, entry, start="10:00:00", end="18:00:00", contiguous=False)
    nomos.expire_access_tokens(EMAIL)
    await until(advance, moment(hass, load_id, "next_start"))
    assert runs_now(hass, load_id)
    for usage in entry.runtime_data.usage.values():
        await usage.async_refresh()
    assert await hass.config_entries.async_unload(entry.entry_id)
    contents = {kind: path for kind in KINDS for path in files(kind).values()}
    assert len(contents) == len(KINDS)
    return entry, {kind: (path, path.read_bytes()) for kind, path in contents.items()}


@pytest.fixture
def try_content(
    hass: HomeAssistant,
    nomos,
    advance: Advance,
    subscription,
    files,
    caplog,
    account_with_files,
) -> Callable[..., Any]:
    """Return a function that sets up the account with a replaced file and returns whether it was set aside."""
    entry, contents = account_with_files

    async def try_it(
        kind: str, put: Callable[[Path], object], *, starts: int = 1
    ) -> bool:
        for path in files().values():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path, content in contents.values():
            path.write_bytes(content)
        path = contents[kind][0]
        path.unlink()
        put(path)
        set_aside = []
        for _ in range(starts):
            caplog.clear()
            assert await hass.config_entries.async_setup(entry.entry_id)
            await hass.async_block_till_done(wait_background_tasks=True)
            assert entry.state is ConfigEntryState.LOADED
            assert_right(hass, nomos, subscription)
            await advance(HOUR / 12)
            set_aside.append("set aside" in caplog.text)
            lines = [
                one
                for one in caplog.records
                if one.levelno >= 30 and "nomos" in one.name
            ]
            assert len(lines) == set_aside[-1], lines
            assert not [
                one for one in caplog.records if one.exc_info and one.levelno >= 30
            ]
            assert not reauth_flows(hass)
            assert await hass.config_entries.async_unload(entry.entry_id)
        assert not any(set_aside[1:])
        asides = [name for name in files() if name.endswith(SET_ASIDE_SUFFIX)]
        assert asides == [f"{path.name}{SET_ASIDE_SUFFIX}"] * set_aside[0]
        return set_aside[0]

    return try_it


async def assert_set_aside(kind: str, content: bytes, files, try_content) -> None:
    """Assert that a file with this content is set aside unchanged."""
    assert await try_content(kind, partial(Path.write_bytes, data=content)), content[:9]
    [aside] = [one for one in files().values() if one.suffix == SET_ASIDE_SUFFIX]
    assert aside.read_bytes() == content


async def test_any_content(files, try_content) -> None:
    """Any invalid content is set aside with one line in the log, and the account works."""
    for content in CONTENTS:
        await assert_set_aside("loads", content, files, try_content)


@pytest.mark.parametrize("kind", KINDS)
async def test_other_data(kind: str, account_with_files, files, try_content) -> None:
    """Valid JSON that is not data of this kind is set aside, too."""
    name = json.loads(account_with_files[1][kind][1])["name"].encode()
    for data in DATA:
        # An empty list is a table without prices.
        if (kind, data) != ("prices", b"[]"):
            content = b'{"version": 1, "name": "%s", "data": %s}' % (name, data)
            await assert_set_aside(kind, content, files, try_content)


@pytest.mark.parametrize("kind", KINDS)
async def test_another_file(kind: str, account_with_files, files, try_content) -> None:
    """The file of another contract or account is set aside, too."""
    stored = json.loads(account_with_files[1][kind][1])
    content = json.dumps(stored | {"name": f"{stored['name']}0"}).encode()
    await assert_set_aside(kind, content, files, try_content)


@pytest.mark.parametrize("kind", KINDS)
async def test_folder(kind: str, try_content) -> None:
    """A folder in place of a file is set aside, even a second time."""

    def put(path: Path) -> None:
        aside = path.with_name(path.name + SET_ASIDE_SUFFIX)
        for folder in (path, aside):
            folder.mkdir()
            (folder / "something").touch()

    assert await try_content(kind, put, starts=3)


@pytest.mark.parametrize("kind", KINDS)
async def test_damage(kind: str, account_with_files, try_content) -> None:
    """A damaged file is either read or set aside, and causes no later failure."""
    chance = random.Random(f"{kind} 20260610")
    stored = json.loads(account_with_files[1][kind][1])
    for _ in range(15):
        content = damaged(stored, chance)
        try:
            await try_content(kind, partial(Path.write_bytes, data=content))
        except BaseException as err:
            err.add_note(content.decode()[:2000])
            raise
