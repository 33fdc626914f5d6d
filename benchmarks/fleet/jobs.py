"""All days of docs/fleet.md, as jobs for processes."""

from dataclasses import dataclass
from typing import Final

from .api import Scenario, at_time
from .scenarios import SCENARIOS
from .simulation import SAMPLE, Result, simulate
from .variants import CHOSEN, REQUEST_TIMES, RETURNS, Variant, applied

MILLION: Final = 1_000_000
SMALL: Final = 10_000
PROVED: Final = 50_000
STREET: Final = 2_000

TRIED: Final = tuple(
    Scenario(name=f"{hour}:{minute}", title="", published=at_time(hour, minute))
    for hour, minute in ((12, 57), (13, 40), (14, 0), (14, 20), (15, 20), (19, 0))
)
BY_NAME: Final = {scenario.name: scenario for scenario in SCENARIOS}


@dataclass(frozen=True, slots=True)
class Job:
    """One day to simulate."""

    scenario: Scenario
    hubs: int
    sample: int = SAMPLE
    variant: Variant = CHOSEN


def run(job: Job) -> Result:
    """Simulate a day."""
    with applied(job.variant):
        return simulate(job.scenario, job.hubs, sample=job.sample)


def all_jobs() -> list[Job]:
    """Return every day on the page, the longest first."""
    jobs = [Job(scenario, MILLION) for scenario in SCENARIOS]
    jobs.sort(key=lambda job: job.scenario.name != "never")
    jobs += [Job(one, SMALL) for one in SCENARIOS]
    jobs.append(Job(BY_NAME["power-night"], STREET))
    jobs += [Job(one, SMALL, SAMPLE, way) for way in REQUEST_TIMES for one in TRIED]
    jobs += [Job(BY_NAME["until-1500"], MILLION, SAMPLE, way) for way in RETURNS]
    jobs += [Job(one, PROVED, sample) for one in proved() for sample in samples()]
    return list(dict.fromkeys(jobs))


def proved() -> list[Scenario]:
    """Return the days that are simulated both in full and as a sample, for comparison."""
    return [BY_NAME[name] for name in ("published-1420", "down", "limit", "until-1500")]


def samples() -> tuple[int, int]:
    """Return the numbers of hubs for that comparison: all of them, and the share that is used for a million."""
    return PROVED, PROVED * SAMPLE // MILLION
