"""The simulated Nomos in its own process, so that its work does not count as the hub's."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from typing import Any, Final

from simulator import Simulator
from simulator.berlin import midnight

EMAIL: Final = "smart@example.com"
"""The customer of the benchmarks: one contract, a smart meter, quarter-hourly prices."""

CLIENT_ID: Final = "nomos-home"
CLIENT_SECRET: Final = "nomos-home-secret"
START_METHOD: Final = "spawn"


@dataclass(frozen=True, slots=True)
class SimulatorProcess:
    """A simulated Nomos in another process.

    Attributes:
        url: the URL on which it listens.
        customer: the id of the customer whose account is linked.
        token: the response of the token endpoint.
        clock: its time in seconds since 1970.
        pipe: the connection to it.
    """

    url: str
    customer: str
    token: dict[str, Any]
    clock: Synchronized[float] = field(repr=False)
    pipe: Connection = field(repr=False)

    def move_to(self, now: datetime) -> None:
        """Set the clock to an aware instant."""
        self.clock.value = now.timestamp()

    def requests(self) -> Counter[str]:
        """Return the number of answered requests of each kind since the last call."""
        self.pipe.send("requests")
        answer = self.pipe.recv()
        assert isinstance(answer, Counter)
        return answer


@contextmanager
def simulator_process(now: datetime, begin: date) -> Iterator[SimulatorProcess]:
    """Run a simulated Nomos whose clock is frozen at an aware instant until it is moved.

    Args:
        now: the instant.
        begin: the first local day of the customer's contract.

    """
    context = get_context(START_METHOD)
    ours, theirs = context.Pipe()
    clock = context.Value("d", now.timestamp())
    process = context.Process(target=_run, args=(clock, begin, theirs), daemon=True)
    process.start()
    try:
        if not ours.poll(60):
            raise TimeoutError("the simulator did not start")
        url, customer, token = ours.recv()
        yield SimulatorProcess(url, customer, token, clock, ours)
    finally:
        process.terminate()
        process.join()


def _run(clock: Synchronized[float], begin: date, pipe: Connection) -> None:
    asyncio.run(_serve(clock, begin, pipe))


async def _serve(clock: Synchronized[float], begin: date, pipe: Connection) -> None:
    simulator = Simulator(
        seed=7,
        now=lambda: datetime.fromtimestamp(clock.value, UTC),
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        redirect_uris=("https://example.com",),
    )
    # In frozen time, all requests would count against the limit of one second.
    simulator.configure(rate_limit=None)
    await simulator.start()
    customer = simulator.customers[EMAIL]
    (subscription,) = customer.subscriptions
    simulator.set_subscription(subscription.id, start_at=midnight(begin))
    pipe.send((simulator.url, customer.id, simulator.issue_tokens(EMAIL)))
    told = 0
    while True:
        while not await asyncio.to_thread(pipe.poll, 1):
            pass
        pipe.recv()
        kinds = Counter(str(one.kind) for one in simulator.requests[told:])
        told = len(simulator.requests)
        pipe.send(kinds)
