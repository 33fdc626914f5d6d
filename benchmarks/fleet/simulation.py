"""Plays a day with a fleet, and tells what the API saw."""

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
    """What one kind of counts says about the fleet, per second of the day.

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
        seed: of identities and dice.
        errands: what a hub asks for.
        phases: the hubs' places in every spread, where they are not to be made up.

    """
    played = min(hubs, sample)
    if hubs % played:
        raise ValueError("The sample must divide the fleet")
    scale = hubs // played
    rng = random.Random(seed)
    api = Api(scenario, hubs, scale)
    buckets: list[list[tuple[Hub, int]] | None] = [[] for _ in range(DAY)]

    def plan(hub: Hub, errand: int, at: float) -> None:
        hub.due[errand] = at
        if at < DAY:
            bucket = buckets[int(at)]
            assert bucket is not None
            bucket.append((hub, errand))

    def start(hub: Hub, at: float) -> None:
        for number, errand in enumerate(errands):
            plan(hub, number, hub.wakes(at, errand.begin(hub, at)))

    fleet = []
    for number in range(played):
        phase = (
            phases[number]
            if phases
            else installation_phase(f"hub {seed}.{number}", "customer")
        )
        hub = Hub(phase, rng, [0.0] * len(errands))
        fleet.append(hub)
        start(hub, 0.0)

    learned = array("I", bytes(4 * DAY))
    off, on = scenario.power or (DAY, DAY)
    for second in range(DAY):
        if second == on:
            for hub in fleet:
                hub.paused_until = -1.0
                start(hub, on + rng.uniform(*BOOT))
        # The bucket may grow while it is worked off.
        bucket = buckets[second]
        assert bucket is not None
        for hub, number in bucket:
            at = hub.due[number]
            # What was planned before a restart is void, and so is what a power cut forbids.
            if int(at) != second or off <= second < on:
                continue
            through = hub.through
            planned = errands[number].run(hub, at, api)
            plan(hub, number, hub.wakes(at, planned))
            if hub.through > through:
                learned[second] += 1
        buckets[second] = None
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
        learned=learned,
        per_hub=Counter(hub.requests for hub in fleet),
    )
