"""Simulates all days; prints the tables, or writes docs/fleet.md and its pictures."""

import argparse
from concurrent.futures import ProcessPoolExecutor
import os
from pathlib import Path
from time import monotonic
from typing import Final

from .api import DAY
from .jobs import (
    BY_NAME,
    MILLION,
    PROVED,
    SMALL,
    STREET,
    TRIED,
    Job,
    all_jobs,
    proved,
    run,
    samples,
)
from .page import (
    day_rows,
    proof_rows,
    return_row,
    return_rows,
    variant_rows,
    with_tables,
)
from .picture import draw
from .scenarios import PUBLICATIONS, SCENARIOS
from .simulation import SAMPLE, Result
from .variants import CHOSEN, REQUEST_TIMES, RETURNS

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"

PICTURES: Final = {
    "published-1257": (0, 6 * 3600),
    "published-1420": (0, 6 * 3600),
    "published-1900": (0, 12 * 3600),
    "never": (0, DAY),
    "down": (0, 6 * 3600),
    "limit": (0, 6 * 3600),
    "until-1500": (0, 6 * 3600),
    "power-night": (12 * 3600, 16 * 3600),
}
"""The days that are drawn, each with its first and last hour."""


def tables(simulated: dict[Job, Result]) -> dict[str, str]:
    """Return the page's tables by name."""
    normal = PUBLICATIONS[0]
    returns = [
        return_row(
            way.title,
            simulated[Job(BY_NAME[name], MILLION, SAMPLE, way)],
            simulated[Job(normal, MILLION)],
        )
        for name, ways in (
            ("down", [CHOSEN]),
            ("cut", [CHOSEN]),
            ("until-1500", RETURNS),
        )
        for way in ways
    ]
    return {
        "million": day_rows(simulated[Job(one, MILLION)] for one in SCENARIOS),
        "ten thousand": day_rows(simulated[Job(one, SMALL)] for one in SCENARIOS),
        "street": day_rows([simulated[Job(BY_NAME["power-night"], STREET)]]),
        "returns": return_rows(returns),
        "variants": variant_rows(
            (way, [simulated[Job(one, SMALL, SAMPLE, way)] for one in TRIED])
            for way in REQUEST_TIMES
        ),
        "proof": proof_rows(
            (simulated[Job(one, PROVED, full)], simulated[Job(one, PROVED, part)])
            for one in proved()
            for full, part in [samples()]
        ),
    }


def main() -> None:
    """Simulate, then print or write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/fleet.md")
    parser.add_argument(
        "--million",
        action="store_true",
        help="simulate a day of a million hubs in full",
    )
    arguments = parser.parse_args()
    begin = monotonic()
    if arguments.million:
        day = BY_NAME["published-1420"]
        full = run(Job(day, MILLION, MILLION))
        print(proof_rows([(full, run(Job(day, MILLION)))]))
    else:
        jobs = all_jobs()
        with ProcessPoolExecutor(min(os.process_cpu_count() or 1, 4)) as pool:
            simulated = dict(zip(jobs, pool.map(run, jobs), strict=True))
        found = tables(simulated)
        for name, rows in found.items():
            print(f"{name}\n\n{rows}\n")
        if arguments.write:
            page = DOCS / "fleet.md"
            page.write_text(with_tables(page.read_text(), found))
            for name, (first, last) in PICTURES.items():
                picture = draw(simulated[Job(BY_NAME[name], MILLION)], first, last)
                (DOCS / "pictures").mkdir(exist_ok=True)
                (DOCS / "pictures" / f"fleet-{name}.svg").write_text(picture)
    print(f"Took {monotonic() - begin:.0f} seconds.")


if __name__ == "__main__":
    main()
