"""Simulates a day of a fleet, and counts the requests at the API."""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
import random
from typing import Final

from custom_components.nomos.schedule import installation_phase

from .api import DAY, Api, RequestKind, Scenario
from .hub import POLLERS, Hub, Poller

BOOT: Final = 20, 60
"""The least and the most seconds from power-on to the setup of the integration."""

SAMPLE: Final = 40_000
"""The most hubs that are simulated; in a larger fleet, each represents several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Counts of one kind for each second of the day.

    Attributes:
        scale: How many hubs each counted one represents.

    """

    counts: array[int]
    scale: int

    @property
    def total(self) -> int:
        """Return the sum over the day."""
        return sum(self.counts) * self.scale

    def worst(self, begin: int = 0, end: int = DAY) -> tuple[int, int]:
        """Return the count of the busiest second, and which one it was.

        With a scale, it is any window of as many seconds as hubs are represented by one.
        """
        running = best = sum(self.counts[begin : begin + self.scale])
        where = begin
        for last in range(begin + self.scale, end):
            running += self.counts[last] - self.counts[last - self.scale]
            if running > best:
                best, where = running, last - self.scale + 1
        return best, where

    def per_second(self, width: int) -> list[float]:
        """Return the fleet's mean rate in each window of ``width`` seconds."""
        return [
            sum(self.counts[begin : begin + width]) * self.scale / width
            for begin in range(0, DAY, width)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A day of a fleet.

    Attributes:
        simulated: How many hubs were simulated; each represents ``scale``.
        learned: How many learned tomorrow's prices in each second.
        per_hub: How many hubs sent each number of requests.

    """

    scenario: Scenario
    hubs: int
    simulated: int
    scale: int
    kinds: dict[RequestKind, Load]
    refused: Load
    learned: array[int]
    per_hub: Counter[int]

    @property
    def all(self) -> Load:
        """Return the requests of every kind together."""
        loads = [load.counts for load in self.kinds.values()]
        return Load(
            counts=array("I", map(sum, zip(*loads, strict=True))), scale=self.scale
        )

    def known_by(self, share: float) -> int | None:
        """Return the second by which a share of the hubs knew tomorrow; None if never."""
        known, needed = 0, share * self.simulated
        for second, count in enumerate(self.learned):
            known += count
            if known >= needed:
                return second
        return None

    @property
    def mean(self) -> float:
        """Return the mean number of requests of a hub."""
        return (
            sum(count * hubs for count, hubs in self.per_hub.items()) / self.simulated
        )

    @property
    def most(self) -> int:
        """Return the highest number of requests of a hub."""
        return max(self.per_hub)


class _Simulation:
    """A day that is being simulated."""

    def __init__(self, api: Api, pollers: Sequence[Poller], rng: random.Random) -> None:
        """Start without hubs."""
        self.fleet: list[Hub] = []
        self.learned = array("I", bytes(4 * DAY))
        self._api = api
        self._pollers = pollers
        self._rng = rng
        self._due: list[list[tuple[Hub, int]]] = [[] for _ in range(DAY)]
        """The hubs that are due in each second, with the indexes of their pollers."""

    def add(self, phase: float) -> None:
        """Add a hub that runs from the start."""
        hub = Hub(phase, self._rng, [0.0] * len(self._pollers))
        self.fleet.append(hub)
        self._start(hub, 0.0)

    def run(self, power: tuple[int, int] | None) -> None:
        """Simulate all seconds, with a power cut if the scenario has one."""
        off, on = power or (DAY, DAY)
        for second in range(DAY):
            if second == on:
                for hub in self.fleet:
                    hub.paused_until = -1.0
                    self._start(hub, on + self._rng.uniform(*BOOT))
            if not off <= second < on:
                self._run_second(second)
            self._due[second] = []

    def _start(self, hub: Hub, at: float) -> None:
        for number, poller in enumerate(self._pollers):
            self._plan(hub, number, hub.wakes(at, poller.begin(hub, at)))

    def _plan(self, hub: Hub, number: int, at: float) -> None:
        hub.due[number] = at
        if at < DAY:
            self._due[int(at)].append((hub, number))

    def _run_second(self, second: int) -> None:
        # The list may grow during the loop.
        for hub, number in self._due[second]:
            at = hub.due[number]
            if int(at) != second:
                # This was scheduled before a restart.
                continue
            through = hub.through
            planned = self._pollers[number].run(hub, at, self._api)
            self._plan(hub, number, hub.wakes(at, planned))
            if hub.through > through:
                self.learned[second] += 1


def simulate(
    scenario: Scenario,
    hubs: int,
    *,
    sample: int = SAMPLE,
    seed: int = 1,
    pollers: Sequence[Poller] = POLLERS,
    phases: Sequence[float] = (),
) -> Result:
    """Simulate a day.

    Args:
        scenario: the events of the day.
        hubs: the size of the fleet.
        sample: the most hubs that are simulated; a larger fleet must be a multiple of it.
        seed: for ids and random numbers.
        pollers: what a hub requests.
        phases: the hubs' phases in every spread; by default those of fictional installations.

    """
    simulated = min(hubs, sample)
    if hubs % simulated:
        raise ValueError("The sample must divide the fleet")
    scale = hubs // simulated
    api = Api(scenario, hubs, scale)
    day = _Simulation(api, pollers, random.Random(seed))
    for number in range(simulated):
        day.add(
            phases[number]
            if phases
            else installation_phase(f"hub {seed}.{number}", "customer")
        )
    day.run(scenario.power)
    return Result(
        scenario=scenario,
        hubs=hubs,
        simulated=simulated,
        scale=scale,
        kinds={
            kind: Load(counts=api.requests[kind.value], scale=scale)
            for kind in RequestKind
        },
        refused=Load(counts=api.refused, scale=scale),
        learned=day.learned,
        per_hub=Counter(hub.requests for hub in day.fleet),
    )
