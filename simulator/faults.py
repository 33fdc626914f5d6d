"""Faults: what goes wrong, for which requests, how often and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .records import kind_of
from .settings import Settings

# Faults that replace the response, and their parameters; if several match a request, only the first one acts.
_REPLACING: dict[str, set[str] | None] = {
    "status": {
        "status",
        "code",
        "message",
        "headers",
        "body",
        "shape",
        "errors",
        "after_work",
    },
    "rate_limit": {"retry_after", "message", "headers", "shape", "after_work"},
    "reset": {"after_work"},
    "reset_after": set(),
    "empty": {"status", "after_work"},
    "html": {"status", "after_work"},
    "list": {"after_work"},
}
# Faults that alter a response; all that match act on it.
_ALTERING: dict[str, set[str] | None] = {
    "delay": {"seconds", "after_work"},
    "truncate": {"keep", "cut_connection"},
    "drip": {"seconds", "chunk"},
    "drop_fields": {"fields"},
    "set_fields": {"values"},
    "missing_refresh_token": set(),
    "expires_in_text": set(),
    "headers": {"headers"},
    "mutate": {"change"},
    "settings": None,
}
_PARAMETERS = _REPLACING | _ALTERING


@dataclass(slots=True)
class Fault:
    """One planned fault; `times` counts down."""

    kind: str
    match: str | None
    method: str | None
    times: int | None
    between: tuple[datetime, datetime] | None
    params: Mapping[str, Any]
    skip: int = 0

    def fits(self, method: str, path: str, now: datetime) -> bool:
        """Whether the fault applies to a request at an instant of the simulator's clock."""
        if self.times is not None and self.times <= 0:
            return False
        if self.method is not None and self.method != method:
            return False
        if self.between is not None and not self.between[0] <= now < self.between[1]:
            return False
        if self.match is None:
            return True
        return (
            path.startswith(self.match)
            if self.match.startswith("/")
            else kind_of(path) == self.match
        )

    @property
    def replaces(self) -> bool:
        """Whether this fault replaces the response rather than altering it."""
        return self.kind in _REPLACING


class FaultPlan:
    """The planned faults, in the order in which they were added."""

    def __init__(self) -> None:
        """Start without faults."""
        self._faults: list[Fault] = []

    def add(
        self,
        kind: str,
        match: str | None = None,
        *,
        method: str | None = None,
        times: int | None = None,
        between: tuple[datetime, datetime] | None = None,
        skip: int = 0,
        **params: Any,
    ) -> Fault:
        """Plan a fault.

        Args:
            kind: What goes wrong; simulator/README.md lists the kinds and their parameters.
            match: A path prefix (`/subscriptions/…`) or a request kind (`prices`, `token`, …); None means all.
            method: Only this HTTP method.
            times: How many requests it acts on; None means until it is cleared.
            between: The start (inclusive) and end (exclusive) of its effect, on the simulator's clock.
            skip: How many matching requests pass first.
            params: The kind's own parameters.
        """
        if kind not in _PARAMETERS:
            raise ValueError(f"unknown kind of fault: {kind}")
        if (allowed := _PARAMETERS[kind]) is None:
            Settings().changed(params)  # raises ValueError if one is invalid
        elif unknown := params.keys() - allowed:
            raise ValueError(f"fault {kind} knows no {', '.join(sorted(unknown))}")
        fault = Fault(kind, match, method, times, between, params, skip)
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Forget all faults."""
        self._faults.clear()

    @property
    def pending(self) -> list[Fault]:
        """The faults that can still act."""
        return [
            fault for fault in self._faults if fault.times is None or fault.times > 0
        ]

    def take(self, method: str, path: str, now: datetime) -> list[Fault]:
        """Return the faults that act on a request, and count down how often they still act."""
        acting: list[Fault] = []
        for fault in self._faults:
            if not fault.fits(method, path, now):
                continue
            if fault.replaces and any(other.replaces for other in acting):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.times is not None:
                fault.times -= 1
            acting.append(fault)
        return acting
