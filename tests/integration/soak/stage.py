"""The parts of a soak, and the planned events."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any

from simulator import Simulator
from simulator.customers import Subscription
from tests.integration.soak.checker import Checker
from tests.integration.soak.clock import SoakClock
from tests.integration.soak.expected import Expected
from tests.integration.soak.faults import Trouble
from tests.integration.soak.house import House
from tests.integration.soak.proxy import Proxy


@dataclass(slots=True)
class Stage:
    """The parts of a soak and its agenda."""

    rng: Random
    clock: SoakClock
    sim: Simulator
    proxy: Proxy
    expected: Expected
    house: House
    checker: Checker
    subscriptions: list[Subscription]
    agenda: list[tuple[datetime, int, Trouble | Callable[[], Any]]] = field(
        default_factory=list
    )
    _order: count[int] = field(default_factory=count)

    @property
    def now(self) -> datetime:
        """Return the true time."""
        return self.clock.true

    def plan(self, at: datetime, what: Trouble | Callable[[], Any]) -> None:
        """Plan a fault or a call for an instant."""
        heappush(self.agenda, (at, next(self._order), what))

    @property
    def next_at(self) -> datetime | None:
        """Return the time of the next planned event, or None."""
        return self.agenda[0][0] if self.agenda else None

    def pop(self) -> Trouble | Callable[[], Any]:
        """Remove and return the next planned event."""
        return heappop(self.agenda)[2]

    def count(self, name: str, note: str | None = None) -> None:
        """Count a fault, and record it for the report."""
        self.checker.figures.troubles[name] += 1
        self.checker.note(note or name)
