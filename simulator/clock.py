"""The simulator's clock: one source of time for tokens, publication, contracts and metering."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def _system_now() -> datetime:
    # Looked up at every call on purpose, so that a test that freezes `datetime` also freezes the simulator.
    return datetime.now(UTC)


class Clock:
    """The simulated time, as an aware datetime in UTC.

    Without `now` it follows the system's clock. With a datetime it runs on from that instant. With a callable it
    always returns the callable's result, and cannot be set.
    """

    def __init__(self, now: datetime | Callable[[], datetime] | None = None) -> None:
        """Start the clock; a datetime or the callable's results must be aware."""
        self._source = now if callable(now) else None
        self._offset = timedelta()
        self._frozen_at: datetime | None = None
        if isinstance(now, datetime):
            self.set(now)

    def now(self) -> datetime:
        """Return the simulated instant in UTC."""
        if self._source is not None:
            return self._source().astimezone(UTC)
        if self._frozen_at is not None:
            return self._frozen_at
        return _system_now() + self._offset

    @property
    def frozen(self) -> bool:
        """Whether `freeze` has stopped the clock."""
        return self._frozen_at is not None

    def set(self, instant: datetime) -> None:
        """Move the clock to an aware instant; it stays running or frozen."""
        self._require_own()
        if instant.tzinfo is None:
            raise ValueError("the simulator's clock needs an aware datetime")
        instant = instant.astimezone(UTC)
        if self._frozen_at is not None:
            self._frozen_at = instant
        else:
            self._offset = instant - _system_now()

    def advance(self, by: timedelta) -> None:
        """Move the clock forward (or back, for a negative duration)."""
        self.set(self.now() + by)

    def freeze(self) -> None:
        """Stop at the current simulated instant."""
        self._require_own()
        self._frozen_at = self.now()

    def run(self) -> None:
        """Run on from the current simulated instant."""
        self._require_own()
        instant = self.now()
        self._frozen_at = None
        self.set(instant)

    def _require_own(self) -> None:
        if self._source is not None:
            raise RuntimeError("this clock follows a callable and cannot be set")
