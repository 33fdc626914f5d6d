"""Counts the requests of each day, and compares them with the allowed number."""

from collections import Counter
from datetime import date, datetime
from typing import Final

from simulator.berlin import local_date
from tests.integration.soak.expected import Expected
from tests.integration.soak.proxy import Proxy, Request

CLEAN_BUDGET: Final = 8, 5
"""Requests on a quiet day: for an account with one contract, and for each further contract. Both include one for late
prices of tomorrow. Once a month, the tariff of each contract is requested, too."""

MONTH_BUDGET: Final = 2
"""Additional requests for each contract whose weekly comparison of a month of usage is due."""

CEILING: Final = 150, 120
"""The same for any day. A day without any price takes most requests: they are sent every half hour, and twice, since a
refused request is repeated for today alone and the HTTP client repeats a request that was cut off."""

REFUSED_BUDGET: Final = 24, 6
"""Refused token requests on any day, and additional ones for each start of the hub."""


class Budget:
    """Counts the requests of each local day."""

    def __init__(self, proxy: Proxy, expected: Expected, contracts: int) -> None:
        """Count the requests at a proxy."""
        self._proxy = proxy
        self._expected = expected
        self._contracts = contracts
        self._counts: Counter[date] = Counter()
        self._counted = 0
        self.starts = 0
        """How often the hub has started today."""

    def count(self) -> list[Request]:
        """Count new requests, and return them."""
        new = self._proxy.requests[self._counted :]
        self._counts.update(local_date(one.at) for one in new)
        self._counted = len(self._proxy.requests)
        return new

    def settle(
        self, day: date, now: datetime
    ) -> tuple[int, bool, list[tuple[str, str]]]:
        """Return the requests of a past day, whether it was quiet, and the violations."""
        count, more = self._counts.pop(day, 0), self._contracts - 1
        spent = Counter(
            f"{one.kind} {one.status}"
            for one in self._proxy.requests
            if local_date(one.at) == day
        )
        broken = []
        quiet = day not in self._expected.disturbed and not any(
            local_date(one.start) <= day
            for one in self._expected.spans
            if one.end > now
        )
        if quiet:
            months = max(spent["usage 200"] - self._contracts, 0)
            allowed = CLEAN_BUDGET[0] + more * CLEAN_BUDGET[1]
            allowed += months * MONTH_BUDGET + spent["plans 200"]
            if count > allowed:
                broken.append(
                    ("BUDGET", f"{count} requests on the quiet {day}: {dict(spent)}")
                )
        if count > CEILING[0] + more * CEILING[1]:
            broken.append(("CEILING", f"{count} requests on {day}: {dict(spent)}"))
        refused = spent["token 401"]
        if refused > REFUSED_BUDGET[0] + self.starts * REFUSED_BUDGET[1]:
            broken.append(
                ("NAGGING", f"{refused} refused token requests on {day}: {dict(spent)}")
            )
        self.starts = 0
        return count, quiet, broken

    def forget(self) -> None:
        """Reset, after the proxy dropped past requests."""
        self._counted = len(self._proxy.requests)
