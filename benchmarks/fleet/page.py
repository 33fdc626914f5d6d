"""The tables of docs/fleet.md, and updating the page."""

from collections.abc import Iterable, Sequence
import re

from .api import DAY, Scenario, clock
from .simulation import Result
from .variants import Variant

type Row = Sequence[str]


def table(head: Row, rows: Iterable[Row]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def day_rows(results: Iterable[Result]) -> str:
    """Return the figures of each day for API and hubs."""
    return table(
        (
            "day",
            "hubs",
            "worst second",
            "at",
            "50 % know",
            "95 %",
            "99.9 %",
            "requests per hub",
            "most",
            "429",
        ),
        [day_row(result) for result in results],
    )


def day_row(result: Result) -> Row:
    """Return the figures of one day."""
    worst, when = result.all.worst()
    return (
        result.scenario.title,
        f"{result.hubs:,}",
        f"{worst:,}",
        clock(when),
        *(known(result, share) for share in (0.5, 0.95, 0.999)),
        f"{result.mean:.2f}",
        str(result.most),
        f"{result.refused.total:,}",
    )


def known(result: Result, share: float) -> str:
    """Return when a share of the hubs knew tomorrow's prices."""
    at = result.known_by(share)
    return "–" if at is None else clock(at)


def after(scenario: Scenario) -> int:
    """Return when the fault of a day ends."""
    return max((closure.end for closure in scenario.closures), default=0)


def return_row(title: str, result: Result, normal: Result) -> Row:
    """Return how a fleet returned after a closure, compared with a normal day."""
    worst, when = result.all.worst(after(result.scenario), DAY)
    usual, _ = normal.all.worst()
    return (
        result.scenario.title,
        title,
        f"{worst:,}",
        clock(when),
        f"{worst / usual:.1f}",
        known(result, 0.999),
    )


def return_rows(rows: Iterable[Row]) -> str:
    """Return how fleets returned."""
    return table(
        (
            "trouble",
            "schedule",
            "worst second afterwards",
            "at",
            "times a normal day's",
            "99.9 % know",
        ),
        rows,
    )


def variant_rows(results: Iterable[tuple[Variant, Sequence[Result]]]) -> str:
    """Compare other parameters with the chosen ones, for several times of publication."""
    found = list(results)
    head = ["schedule"]
    for result in found[0][1]:
        published = result.scenario.published
        head.append("never" if published is None else clock(published)[:5])
    rows = [
        (
            variant.title,
            *(f"{known(one, 0.95)[:5]} / {one.most}" for one in results),
        )
        for variant, results in found
    ]
    return table(head, rows)


def proof_rows(pairs: Iterable[tuple[Result, Result]]) -> str:
    """Compare fleets that are simulated in full with samples of them."""
    return table(
        ("day", "", "worst second", "50 % know", "95 %", "99.9 %", "requests per hub"),
        [
            (
                one.scenario.title,
                f"{one.simulated:,} of {one.hubs:,} simulated",
                f"{one.all.worst()[0]:,}",
                *(known(one, share) for share in (0.5, 0.95, 0.999)),
                f"{one.mean:.2f}",
            )
            for pair in pairs
            for one in pair
        ],
    )


def with_tables(page: str, tables: dict[str, str]) -> str:
    """Return the page with each table between the comments that name it.

    Raises:
        ValueError: the page has no place for one of them.

    """
    for name, rows in tables.items():
        place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not place.search(page):
            raise ValueError(f"No place for {name}")
        page = place.sub(lambda found: f"{found[1]}{rows}\n{found[2]}", page)  # noqa: B023
    return page
