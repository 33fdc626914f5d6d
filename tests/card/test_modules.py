"""Tests of the card's pure modules in Node.js, which has no page."""

import json
from pathlib import Path
import shutil
from typing import Any

import pytest

from tests.node import run_node

FRONTEND = Path(__file__).parents[2] / "custom_components" / "nomos" / "frontend"

DAY = 86_400
QUARTER = 900
START = 1_772_406_000
"""Midnight in Berlin, 2 March 2026."""

PROGRAM = """
import { readFileSync } from "node:fs";
import { drawChart, scale } from "./chart.js";
import { Formats } from "./format.js";
import { Model } from "./model.js";
import { describe, summary } from "./words.js";
import * as battery from "./battery.js";
import * as loads from "./loads.js";
import * as messages from "./messages.js";
const { chart, config, options, ends } = JSON.parse(readFileSync(0, "utf8"));
if (ends) {
  console.log(JSON.stringify(ends.map(([low, high, count]) => scale(low, high, count))));
} else {
  const formats = new Formats({ language: options.language || "en", locale: { time_format: "24" } }, "Europe/Berlin", config.unit);
  const model = new Model(chart, config, { ...battery, ...loads, ...messages }, options.day);
  const measure = (text) => text.length * 6;
  const { elements, layout } = drawChart(model, formats, { width: 900, height: 300, ratio: 1, measure, ...options });
  const said = model.rows.map((row) => describe(model, formats, row));
  console.log(JSON.stringify({ elements, summary: summary(model, formats, model.rows[options.current]), said, left: layout.left, supply: model.supply(formats) }));
}
"""


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the card's modules, marked as modules for Node.js."""
    folder = tmp_path_factory.mktemp("card") / "frontend"
    shutil.copytree(FRONTEND, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "program.js").write_text(PROGRAM)
    return folder


def answer(prices: list[float | None], **more: Any) -> dict[str, Any]:
    """Return the hub's response for quarter-hours from midnight on."""
    known = [price for price in prices[:96] if price is not None]
    return {
        "kind": "consumption",
        "time_zone": "Europe/Berlin",
        "days": [
            {
                "start": START,
                "end": START + DAY,
                "average": sum(known) / len(known) if known else None,
            },
            {"start": START + DAY, "end": START + 2 * DAY, "average": None},
        ],
        "intervals": [
            [
                START + index * QUARTER,
                START + (index + 1) * QUARTER,
                price,
                3,
                0.1,
                0.1,
                None,
            ]
            for index, price in enumerate(prices)
        ],
        "exact": [],
        "windows": [],
        "period": None,
        "supply": {"status": "active", "at": None},
        "loads": [],
        "batteries": [],
        "watch": [],
        **more,
    }


def drawn(
    modules: Path, chart: dict[str, Any], *, config: Any = None, **options: Any
) -> dict[str, Any]:
    """Return the SVG drawn for a response."""
    given = {
        "chart": chart,
        "config": config or {},
        "options": {"current": 0, "now": START, "parts": False, **options},
    }
    found: dict[str, Any] = json.loads(
        run_node("program.js", given=json.dumps(given), cwd=modules)
    )
    return found


def of_class(picture: dict[str, Any], kind: str) -> list[Any]:
    """Return the SVG elements of a class."""
    return [one for one in picture["elements"] if one[1].get("class") == kind]


def test_a_bar_for_each_price(modules: Path) -> None:
    """Known prices are bars, unknown ones gaps; the current interval is marked."""
    picture = drawn(modules, answer([0.2, None, *[0.3] * 94]), current=2)
    (past,) = of_class(picture, "bars past")
    (coming,) = of_class(picture, "bars")
    assert past[1]["d"].count("z") == 1
    assert coming[1]["d"].count("z") == 94
    assert len(of_class(picture, "now")) == 1
    assert picture["summary"].startswith("Electricity price: now 30.00 ct/kWh")


def test_components_are_stacked(modules: Path) -> None:
    """Each component has its colour, and a line shows the price."""
    picture = drawn(modules, answer([0.2] * 96), parts=True, current=-1)
    bars = [*of_class(picture, "bars"), *of_class(picture, "bars past")]
    assert {bar[1]["data-key"] for bar in bars} == {"p0", "p1"}
    assert len(of_class(picture, "total")) == 1


def test_a_lane_for_each_load(modules: Path) -> None:
    """A load's runs are in a lane with its name in the widest gap; a load without a run has no lane."""
    loads = [
        {"name": "Car", "running": True, "runs": [[START + 3600, START + 7200]]},
        {"name": "Washer", "running": False, "runs": []},
    ]
    picture = drawn(modules, answer([0.2] * 96, loads=loads))
    assert len(of_class(picture, "track")) == len(of_class(picture, "run")) == 1
    assert [text for _, _, text in of_class(picture, "lane")] == ["▶ Car"]


def test_a_band_for_each_battery(modules: Path) -> None:
    """A battery has a band of its modes except self-use, a line for its level, and a text for the current interval."""
    told = ["charge"] * 8 + ["self_use"] * 24 + ["hold"] * 4 + ["delay_charge"]
    rows = [
        [START + index * QUARTER, START + (index + 1) * QUARTER, mode, 50 + index]
        for index, mode in enumerate(told)
    ]
    chart = answer([0.2] * 96, batteries=[{"name": "Battery", "rows": rows}])
    picture = drawn(modules, chart, current=2)
    for mode in ("charge", "hold", "delay_charge"):
        assert len(of_class(picture, f"mode {mode}")) == 1
    assert not of_class(picture, "mode self_use")
    [line] = of_class(picture, "level")
    assert line[1]["d"].count("L") == len(rows) - 1
    assert [text for _, _, text in of_class(picture, "lane")] == ["Battery"]
    assert "Battery: charge, 52 %." in picture["summary"]


def expected(sun: list[float], need: list[float], *, start: int = START) -> Any:
    """Return quarter-hourly forecasts, as in the response to a card."""
    return {"start": start, "sun": sun, "need": need}


def test_expected_sun_and_need(modules: Path) -> None:
    """Both are areas on one scale from now on; the summary has them by parts of the day, the tooltip by interval."""
    noon = START + 48 * QUARTER
    chart = answer(
        [0.2] * 192,
        expected=expected(
            [0.5] * 24 + [0.0] * 120, [0.1] * 24 + [0.2] * 120, start=noon
        ),
    )
    chart["days"][1]["average"] = 0.2
    picture = drawn(modules, chart, current=48)
    areas = {one[1]["data-kind"]: one[1]["d"] for one in of_class(picture, "expected")}
    assert areas.keys() == {"sun", "need"}
    for path in areas.values():
        assert path.count("H") == 144
    # At first, solar power is five times the need.
    tops = {
        kind: [float(step.split("H")[0]) for step in path.split("V")[1:]]
        for kind, path in areas.items()
    }
    floor = tops["sun"][-1]
    assert floor - tops["sun"][0] == pytest.approx(5 * (floor - tops["need"][0]), 0.1)
    said = (
        "Expected today: afternoon Sun 12.0 kWh, Need 2.4 kWh; evening Sun 0.0 kWh, Need 4.8 kWh. "
        "Expected tomorrow: night Sun 0.0 kWh, Need 4.8 kWh; morning"
    )
    assert said in picture["summary"]
    german = drawn(modules, chart, current=48, language="de")["summary"]
    assert (
        "Heute erwartet: nachmittags Sonne 12,0 kWh, Bedarf 2,4 kWh; abends" in german
    )
    assert picture["said"][48].endswith("Sun 2.0 kW, Need 0.4 kW")
    assert picture["said"][47].endswith("Normal")


def test_expected_within_what_is_drawn(modules: Path) -> None:
    """Without a solar forecast there is no area for it; areas end with the days drawn, and can be hidden."""
    chart = answer([0.2] * 96, expected=expected([0.0] * 192, [0.1] * 192))
    [area] = of_class(drawn(modules, chart), "expected")
    assert area[1]["data-kind"] == "need"
    assert area[1]["d"].count("H") == 96
    assert "Sun" not in drawn(modules, chart)["summary"]
    hidden = drawn(modules, chart, config={"hide": ["expected"]})
    assert not of_class(hidden, "expected")
    assert "Expected" not in hidden["summary"]


def test_expected_in_hours(modules: Path) -> None:
    """An hour of an hourly tariff shows the mean of its quarter-hours; the current hour, of the remaining ones."""
    hours = [
        [START + h * 3600, START + (h + 1) * 3600, 0.2, 3, 0.1, 0.1, None]
        for h in range(24)
    ]
    given = expected([0.0] * 94, [0.3, 0.1] + [0.2] * 92, start=START + 1800)
    chart = answer([0.2] * 96, intervals=hours, expected=given)
    said = drawn(modules, chart)["said"]
    assert said[0].endswith("Need 0.8 kW")
    assert said[1].endswith("Need 0.8 kW")


@pytest.mark.parametrize(
    ("status", "at", "english", "german"),
    [
        ("active", None, "", ""),
        ("pending", START, "begins on March 2.", "beginnt am 2. März."),
        ("pending", None, "not begun yet.", "noch nicht begonnen."),
        # The last day, not the midnight after it.
        ("ended", START, "ended on March 1.", "endete am 1. März."),
        ("ended", None, "has ended.", "ist zu Ende."),
    ],
)
def test_supply(
    modules: Path, status: str, at: int | None, english: str, german: str
) -> None:
    """The start or end of supply is stated in the user's language, as a day of the tariff."""
    chart = answer([0.2] * 96, supply={"status": status, "at": at})
    for language, said in (("en", english), ("de", german)):
        found = drawn(modules, chart, language=language)["supply"]
        assert said in found
        assert bool(said) == bool(found)


def test_axis(modules: Path) -> None:
    """The axis has even ticks that include zero and span the prices."""
    ends = [(0.0, 34.2, 4), (-12.5, 41.0, 5), (0.0, 0.0, 2), (0.0, 0.004, 3)]
    found = json.loads(
        run_node("program.js", given=json.dumps({"ends": ends}), cwd=modules)
    )
    for (low, high, _), axis in zip(ends, found, strict=True):
        assert axis["low"] <= low <= high <= axis["high"]
        assert 0 in axis["ticks"]
        steps = [b - a for a, b in zip(axis["ticks"], axis["ticks"][1:], strict=False)]
        assert all(step == pytest.approx(steps[0]) for step in steps)
