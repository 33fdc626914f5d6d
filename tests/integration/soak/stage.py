"""Everybody who takes part in a soak, and what is planned for them."""

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
        """Let a trouble or a call happen at an instant."""
        heappush(self.agenda, (at, next(self._order), what))

    @property
    def next_at(self) -> datetime | None:
        """Return when the next thing is planned for; None if nothing is."""
        return self.agenda[0][0] if self.agenda else None

    def pop(self) -> Trouble | Callable[[], Any]:
        """Return what is next and forget it."""
        return heappop(self.agenda)[2]

    def count(self, name: str, note: str | None = None) -> None:
        """Count a trouble, and note it for the report."""
        self.checker.figures.troubles[name] += 1
        self.checker.note(note or name)
