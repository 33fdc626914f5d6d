"""Plays a day with a fleet, and counts the requests that the API received."""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
import random
from typing import Final

from custom_components.nomos.schedule import installation_phase

from .api import DAY, Api, Question, Scenario
from .hub import ERRANDS, Errand, Hub

BOOT: Final = 20, 60
"""Seconds from getting power to setting up the integration, at least and at most."""

SAMPLE: Final = 40_000
"""How many hubs are played at most; in a larger fleet each stands for several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Counts of one kind for each second of the day.

    Attributes:
        scale: How many hubs each counted one stands for.

    """

    counts: array[int]
    scale: int

    @property
    def total(self) -> int:
        """Return the sum over the day."""
        return sum(self.counts) * self.scale

    def worst(self, begin: int = 0, end: int = DAY) -> tuple[int, int]:
        """Return the count of the busiest second, and when it was.

        With a scale, as many seconds as a hub stands for hubs, wherever in the day they begin.
        """
        running = best = sum(self.counts[begin : begin + self.scale])
        where = begin
        for last in range(begin + self.scale, end):
            running += self.counts[last] - self.counts[last - self.scale]
            if running > best:
                best, where = running, last - self.scale + 1
        return best, where

    def per_second(self, width: int) -> list[float]:
        """Return the fleet's mean rate in windows of ``width`` seconds."""
        return [
            sum(self.counts[begin : begin + width]) * self.scale / width
            for begin in range(0, DAY, width)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A day of a fleet.

    Attributes:
        played: How many hubs were played; each stands for ``scale``.
        learned: In which second how many learned the prices of tomorrow.
        per_hub: How many hubs sent how many requests.

    """

    scenario: Scenario
    hubs: int
    played: int
    scale: int
    kinds: dict[Question, Load]
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
        """Return by which second a share of the hubs knew tomorrow; None where they never did."""
        known, needed = 0, share * self.played
        for second, count in enumerate(self.learned):
            known += count
            if known >= needed:
                return second
        return None

    @property
    def mean(self) -> float:
        """Return the requests of a hub in the mean."""
        return sum(count * hubs for count, hubs in self.per_hub.items()) / self.played

    @property
    def most(self) -> int:
        """Return the requests of the hub that sent most."""
        return max(self.per_hub)


class _Play:
    """A day that is being played."""

    def __init__(self, api: Api, errands: Sequence[Errand], rng: random.Random) -> None:
        """Begin with no hub."""
        self.fleet: list[Hub] = []
        self.learned = array("I", bytes(4 * DAY))
        self._api = api
        self._errands = errands
        self._rng = rng
        self._due: list[list[tuple[Hub, int]]] = [[] for _ in range(DAY)]
        """What is due in each second: hubs with the numbers of their errands."""

    def add(self, phase: float) -> None:
        """Add a hub that is on from the beginning."""
        hub = Hub(phase, self._rng, [0.0] * len(self._errands))
        self.fleet.append(hub)
        self._start(hub, 0.0)

    def run(self, power: tuple[int, int] | None) -> None:
        """Play all seconds, with a power cut from one second to another."""
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
        for number, errand in enumerate(self._errands):
            self._plan(hub, number, hub.wakes(at, errand.begin(hub, at)))

    def _plan(self, hub: Hub, number: int, at: float) -> None:
        hub.due[number] = at
        if at < DAY:
            self._due[int(at)].append((hub, number))

    def _run_second(self, second: int) -> None:
        # The list may grow while it is worked off.
        for hub, number in self._due[second]:
            at = hub.due[number]
            if int(at) != second:
                # It was planned before a restart.
                continue
            through = hub.through
            planned = self._errands[number].run(hub, at, self._api)
            self._plan(hub, number, hub.wakes(at, planned))
            if hub.through > through:
                self.learned[second] += 1


def play(
    scenario: Scenario,
    hubs: int,
    *,
    sample: int = SAMPLE,
    seed: int = 1,
    errands: Sequence[Errand] = ERRANDS,
    phases: Sequence[float] = (),
) -> Result:
    """Play a day.

    Args:
        scenario: what happens on it.
        hubs: how many there are.
        sample: how many of them are played at most; must divide a larger fleet.
        seed: of identities and chance.
        errands: what a hub asks for.
        phases: the hubs' places in every spread; without them, those of invented installations.

    """
    played = min(hubs, sample)
    if hubs % played:
        raise ValueError("The sample must divide the fleet")
    scale = hubs // played
    api = Api(scenario, hubs, scale)
    day = _Play(api, errands, random.Random(seed))
    for number in range(played):
        day.add(
            phases[number]
            if phases
            else installation_phase(f"hub {seed}.{number}", "customer")
        )
    day.run(scenario.power)
    return Result(
        scenario=scenario,
        hubs=hubs,
        played=played,
        scale=scale,
        kinds={
            kind: Load(counts=api.requests[kind.value], scale=scale)
            for kind in Question
        },
        refused=Load(counts=api.refused, scale=scale),
        learned=day.learned,
        per_hub=Counter(hub.requests for hub in day.fleet),
    )
