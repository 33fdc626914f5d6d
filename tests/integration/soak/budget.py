"""How many requests a day takes, and how many it may."""

from collections import Counter
from datetime import date, datetime
from typing import Final

from simulator.berlin import local_date
from tests.integration.soak.expected import Expected
from tests.integration.soak.proxy import Proxy, Request

CLEAN_BUDGET: Final = 8, 5
"""Requests on a quiet day: of an account with one contract, and more for each further one. Both include one for a
tomorrow that is not there at the first look. Once a month the tariff of each contract is requested, too."""

MONTH_BUDGET: Final = 2
"""Requests more for each contract that compares a month of usage besides asking for yesterday: once a week."""

CEILING: Final = 150, 120
"""Requests on any day, likewise. A day without any price is the dearest: it is asked for every half hour, and twice,
since a refused question is put once more for today alone, or an HTTP client repeats what was cut off."""

REFUSED_BUDGET: Final = 24, 6
"""Refused token requests on any day, and more for each start of the hub."""


class Budget:
    """Counts the requests of each local day."""

    def __init__(self, proxy: Proxy, expected: Expected, contracts: int) -> None:
        """Count what a proxy sees."""
        self._proxy = proxy
        self._expected = expected
        self._contracts = contracts
        self._counts: Counter[date] = Counter()
        self._counted = 0
        self.starts = 0
        """How often the hub has started on the present day."""

    def count(self) -> list[Request]:
        """Count what is new, and return it."""
        new = self._proxy.requests[self._counted :]
        self._counts.update(local_date(one.at) for one in new)
        self._counted = len(self._proxy.requests)
        return new

    def settle(
        self, day: date, now: datetime
    ) -> tuple[int, bool, list[tuple[str, str]]]:
        """Return the requests of a day that is over, whether it was a quiet one, and what promises it broke."""
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
        """Go on after the proxy dropped what is past."""
        self._counted = len(self._proxy.requests)
