"""Checks of the source code against docs/architecture.md."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
import subprocess
import sys

import pytest

PROJECT = Path(__file__).resolve().parent.parent
INTEGRATION = PROJECT / "custom_components" / "nomos"
PACKAGE = "custom_components.nomos"
LONGEST_FILE = 450
LONGEST_FUNCTION = 60
LARGEST_PLANNER = 700
LARGEST_ROOMS = {
    "api": 1400,
    "account": 1250,
    "prices": 1600,
    "pricing": 900,
    "planner": 1350,
    "usage": 2150,
    "loads": 4250,
    "battery": 1300,
    "forecast": 1190,
    "card": 900,
    "": 4900,
}
"""Lines of Python by folder, without those in other folders. To raise one is a decision: first look for simpler code."""

# Forbidden imports. A name includes everything inside it.
FORBIDDEN = {
    INTEGRATION / "api": ["homeassistant", PACKAGE],
    PROJECT / "simulator": ["homeassistant", "custom_components", "scripts", "tests"],
    INTEGRATION: ["simulator", "scripts", "tests"],
}

# The rooms of the integration from the lowest layer up: each imports only from layers below it and from itself.
LAYERS = (
    ("const", "api", "pricing"),
    (
        "codec",
        "forecast.payout",
        "forecast.typical",
        "planner",
        "schedule",
        "totals",
        "usage.days",
        "usage.ledger",
        "usage.metering",
        "usage.months",
        "usage.record",
    ),
    (
        "clock",
        "energy_dashboard",
        "entity",
        "errors",
        "form_fields",
        "issues",
        "statistics",
        "storage",
    ),
    ("scheduled_coordinator",),
    ("account",),
    ("prices",),
    ("battery", "forecast", "loads", "usage"),
    ("runtime",),
)

PURE = LAYERS[0] + LAYERS[1]
"""Rooms that run without Home Assistant."""

CLOCKLESS = LAYERS[1] + ("pricing",)
"""Rooms whose functions get the current time as a parameter, so that tests can choose it."""


def sources(place: Path) -> Iterator[Path]:
    """Yield the file itself, or the Python files of a folder."""
    if place.suffix == ".py":
        yield place
    else:
        yield from (
            path for path in place.rglob("*.py") if "__pycache__" not in path.parts
        )


def module_name(path: Path, project: Path = PROJECT) -> str:
    """Return the name by which Python imports a file."""
    parts = path.relative_to(project).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(source: str, name: str, *, package: bool) -> Iterator[str]:
    """Yield the full names of everything that a module imports, anywhere in the file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = name.split(".")
                above = above[: len(above) - node.level + package]
                base = ".".join([*above, base] if base else above)
            # `from x import y` may import the module x.y.
            yield from (f"{base}.{alias.name}" for alias in node.names)


def is_inside(name: str, place: str) -> bool:
    """Return whether a name is a package or a module inside it."""
    return f"{name}.".startswith(f"{place}.")


def clock_readings(source: str) -> Iterator[str]:
    """Yield calls that read the system clock."""
    asking = {"now", "utcnow", "today", "time", "monotonic", "perf_counter"}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of = node.func.value
            owner = of.id if isinstance(of, ast.Name) else getattr(of, "attr", "")
            if node.func.attr in asking and owner in {
                "datetime",
                "date",
                "time",
                "dt_util",
            }:
                yield f"{owner}.{node.func.attr}()"


@pytest.mark.parametrize(
    "room", FORBIDDEN, ids=lambda path: str(path.relative_to(PROJECT))
)
def test_no_forbidden_imports(room: Path) -> None:
    """No room has a forbidden import."""
    paths = list(sources(room))
    assert paths, f"{room} is empty"
    wrong = [
        f"{path.relative_to(PROJECT)} imports {name}"
        for path in paths
        for name in imported(
            path.read_text(), module_name(path), package=path.name == "__init__.py"
        )
        for place in FORBIDDEN[room]
        if is_inside(name, place) and not is_inside(name, module_name(room))
    ]
    assert not wrong


def room_of(module: str) -> tuple[int, str]:
    """Return layer and room of a module, by its name within the integration; unlisted modules are at the top."""
    rooms = [(name, layer) for layer, names in enumerate(LAYERS) for name in names]
    for name, layer in sorted(rooms, key=lambda room: -len(room[0])):
        if is_inside(module, name):
            return layer, name
    return len(LAYERS), "top"


def test_layers() -> None:
    """Imports point downward only."""
    wrong = []
    for path in sources(INTEGRATION):
        name = module_name(path)
        layer, room = room_of(name.removeprefix(PACKAGE).removeprefix("."))
        package = path.name == "__init__.py"
        for target in imported(path.read_text(), name, package=package):
            if is_inside(target, PACKAGE) and target != PACKAGE:
                below, other = room_of(target.removeprefix(f"{PACKAGE}."))
                same_floor = layer == below < 2 or room == other
                if below > layer or (below == layer and not same_floor):
                    wrong.append(f"{name} imports {target}")
    assert not wrong


@pytest.mark.parametrize(
    ("module", "room"),
    [
        ("const", (0, "const")),
        ("usage.days", (1, "usage.days")),
        ("usage.days.begin", (1, "usage.days")),
        ("usage.entities", (6, "usage")),
        ("sensor", (8, "top")),
        ("", (8, "top")),
    ],
)
def test_room_of_a_module(module: str, room: tuple[int, str]) -> None:
    """The most specific name counts."""
    assert room_of(module) == room


WITHOUT_HOME_ASSISTANT = """
import importlib, sys, types

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("homeassistant", "voluptuous", "probatio"):
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Blocker())
# The package's __init__ is Home Assistant's entry point and imports it, and so do those of the upper rooms.
for name, folder in (("custom_components.nomos", sys.argv[1]), ("custom_components.nomos.usage", sys.argv[1] + "/usage")):
    sys.modules[name] = package = types.ModuleType(name)
    package.__path__ = [folder]
for name in sys.argv[2:]:
    importlib.import_module("custom_components.nomos." + name)
assert not [name for name in sys.modules if name.startswith("homeassistant")]
print("imported", len(sys.argv[2:]))
"""


def without_home_assistant(*modules: str) -> subprocess.CompletedProcess[str]:
    """Import modules in an interpreter that has no Home Assistant."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_HOME_ASSISTANT, str(INTEGRATION), *modules],
        capture_output=True,
        text=True,
        check=False,
    )


def test_pure_rooms_run_without_home_assistant() -> None:
    """Client, prices, planner, schedule and days of usage need no Home Assistant."""
    done = without_home_assistant(*PURE)
    assert done.stdout.strip() == f"imported {len(PURE)}", done.stderr
    assert without_home_assistant("storage").returncode


def test_batteries_are_imported_only_if_there_is_one() -> None:
    """What Home Assistant imports at startup does not import battery planning, forecasts or own solar power."""
    top = ["__init__", "config_flow", "diagnostics", "sensor", "services"]
    names = [f"{PACKAGE}.{name}".removesuffix(".__init__") for name in top]
    done = subprocess.run(
        [sys.executable, "-c", f"import {', '.join(names)}, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=PROJECT,
    )
    loaded = done.stdout.split()
    assert f"{PACKAGE}.loads.manager" in loaded
    for name in (
        "battery.battery",
        "forecast.forecasts",
        "forecast.house",
        "loads.own_sun",
        "planner.own_sun",
    ):
        assert f"{PACKAGE}.{name}" not in loaded


def test_time_is_a_parameter() -> None:
    """Prices, planner and schedule get the time as a parameter."""
    wrong = [
        f"{path.relative_to(PROJECT)} calls {call}"
        for path in sources(INTEGRATION)
        if room_of(module_name(path).removeprefix(f"{PACKAGE}."))[1] in CLOCKLESS
        for call in clock_readings(path.read_text())
    ]
    assert not wrong


@pytest.mark.parametrize(
    "place", ["custom_components", "simulator", "scripts", "tests"]
)
def test_files_are_short(place: str) -> None:
    """A file has at most about 400 lines; a longer one is two rooms."""
    lengths = {
        str(path.relative_to(PROJECT)): len(path.read_text().splitlines())
        for path in sources(PROJECT / place)
    }
    assert not {
        path: length for path, length in lengths.items() if length > LONGEST_FILE
    }


def test_rooms_are_small() -> None:
    """No folder has more lines than was decided."""
    lengths = dict.fromkeys(LARGEST_ROOMS, 0)
    for path in sources(INTEGRATION):
        folder, _, _ = str(path.relative_to(INTEGRATION)).rpartition("/")
        lengths[folder] += len(path.read_text().splitlines())
    assert all(lengths.values())
    assert not {
        folder: length
        for folder, length in lengths.items()
        if length > LARGEST_ROOMS[folder]
    }


def test_planner_is_small() -> None:
    """The planner of loads has at most 700 lines; batteries and solar power have their own files."""
    lengths = [
        len(path.read_text().splitlines())
        for path in sources(INTEGRATION / "planner")
        if path.name not in {"battery.py", "expected.py", "own_sun.py"}
    ]
    assert 0 < sum(lengths) <= LARGEST_PLANNER


@pytest.mark.parametrize(
    "place", ["custom_components", "simulator", "scripts", "benchmarks", "tests"]
)
def test_functions_are_short(place: str) -> None:
    """A function of more than about 50 lines is two functions; ruff limits the cyclomatic complexity."""
    too_long = {
        f"{path.relative_to(PROJECT)}:{node.lineno}": node.name
        for path in sources(PROJECT / place)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    }
    assert not too_long


def simulator_imports() -> dict[str, set[str]]:
    """Return the simulator modules that each one imports, including those for the type checker."""
    paths = {module_name(path): path for path in sources(PROJECT / "simulator")}
    return {
        module: {
            max(places, key=len)
            for name in imported(
                path.read_text(), module, package=path.name == "__init__.py"
            )
            if (places := [place for place in paths if is_inside(name, place)])
        }
        for module, path in paths.items()
    }


def test_simulator_is_built_in_one_place() -> None:
    """Its parts are passed what they need: there is no import cycle, and no part imports the whole."""
    imports = simulator_imports()
    TopologicalSorter(imports).prepare()  # raises CycleError for a cycle
    whole = {
        module for module, names in imports.items() if "simulator.simulator" in names
    }
    assert whole == {"simulator", "simulator.__main__"}


def test_modules_of_the_card_are_short() -> None:
    """A module of the card has at most 350 lines."""
    lengths = {
        path.name: len(path.read_text().splitlines())
        for path in (INTEGRATION / "frontend").glob("*.js")
    }
    assert len(lengths) > 5
    assert not {name: length for name, length in lengths.items() if length > 350}


def test_no_update_listener() -> None:
    """An update listener would reload the entry whenever its token is renewed."""
    wrong = [
        str(path.relative_to(PROJECT))
        for path in sources(INTEGRATION)
        if "add_update_listener" in path.read_text()
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import homeassistant.core", ["homeassistant.core"]),
        (
            "def f():\n    from homeassistant import util",
            ["homeassistant.util"],
        ),
        ("from ..pricing import table", [f"{PACKAGE}.pricing.table"]),
        ("from .. import pricing", [f"{PACKAGE}.pricing"]),
        ("from . import models", [f"{PACKAGE}.api.models"]),
    ],
)
def test_imports_are_found(source: str, names: list[str]) -> None:
    """All forms of imports are found."""
    assert list(imported(source, f"{PACKAGE}.api.client", package=False)) == names


def test_imports_of_a_package_are_found() -> None:
    """In a package's __init__, one dot means the package itself."""
    seen = imported("from .. import pricing", f"{PACKAGE}.api", package=True)
    assert list(seen) == [f"{PACKAGE}.pricing"]


@pytest.mark.parametrize(
    ("source", "calls"),
    [
        ("datetime.now(UTC)", ["datetime.now()"]),
        ("dt.datetime.utcnow()", ["datetime.utcnow()"]),
        ("time.time()", ["time.time()"]),
        ("table.today(now)", []),
    ],
)
def test_clock_readings_are_found(source: str, calls: list[str]) -> None:
    """All forms of clock readings are found."""
    assert list(clock_readings(source)) == calls
