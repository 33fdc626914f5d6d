"""The report of the soak: violations, figures, and alarming log records."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
import logging
import re
from typing import Final, override

from simulator.berlin import BERLIN
from tests.integration.soak.expected import FOREVER

_EXPECTED_ERRORS: Final = re.compile(
    r"(Error fetching|Authentication failed while fetching) nomos \w+ data"
)
_UNEXPECTED: Final = re.compile(
    r"Task exception was never retrieved|Unexpected|Traceback|never awaited"
)


def is_ours(record: logging.LogRecord) -> bool:
    """Return whether the record is about the integration."""
    return record.name.startswith("custom_components.nomos")


def is_alarming(record: logging.LogRecord) -> bool:
    """Return whether the record should not be in the log."""
    text = record.getMessage()
    is_error = is_ours(record) and record.levelno >= logging.ERROR
    return bool(
        (is_error and not _EXPECTED_ERRORS.match(text))
        or _UNEXPECTED.search(text)
        or (record.exc_info and record.exc_info[0])
    )


def local(instant: datetime) -> str:
    """Return an instant in local time."""
    if instant >= FOREVER:
        return "never"
    return f"{instant.astimezone(BERLIN):%a %Y-%m-%d %H:%M:%S}"


@dataclass(slots=True)
class Violation:
    """A violation of a promise, which may last for a while."""

    at: datetime
    kind: str
    detail: str
    troubles: list[str]
    recent: list[str]
    until: datetime
    times: int = 1

    @override
    def __str__(self) -> str:
        """Return it with the events before it."""
        lines = [
            f"{self.kind}: {self.detail}",
            f"  from {local(self.at)} to {local(self.until)}, seen {self.times} times",
            f"  under way: {', '.join(self.troubles) or 'nothing'}",
            *(f"    {line}" for line in self.recent),
        ]
        return "\n".join(lines)


@dataclass(slots=True)
class Figures:
    """The figures that the soak counted."""

    days: int = 0
    checked: int = 0
    shown: int = 0
    excused: int = 0
    off: int = 0
    momentary: int = 0
    troubles: Counter[str] = field(default_factory=Counter)
    reauthentications: int = 0
    restarts: int = 0
    power_cuts: int = 0
    unsaved_cuts: int = 0
    impatient_after_restart: int = 0
    rotations: int = 0
    requests: list[int] = field(default_factory=list)
    clean: list[int] = field(default_factory=list)
    writes: list[int] = field(default_factory=list)


class LogWatch(logging.Handler):
    """Keeps alarming log records."""

    def __init__(self) -> None:
        """Keep warnings and errors."""
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []
        self.lines: list[str] = []
        self._formatter = logging.Formatter("%(levelname)s %(name)s %(message)s")

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record, and its lines as in a log file."""
        self.records.append(record)
        self.lines.append(self._formatter.format(record))


def summary(
    figures: Figures, kinds: Counter[str], rotations: int, seed: int, what: str
) -> str:
    """Return the figures of a run as text."""

    def spread(values: list[int]) -> str:
        if not values:
            return "none"
        return f"mean {sum(values) / len(values):.1f}, most {max(values)}"

    return "\n".join(
        [
            f"Soak, seed {seed}: {what}, {figures.days} days",
            f"  intervals checked {figures.checked}, with price {figures.shown}, excused {figures.excused},"
            f" just after a jump of the clock {figures.momentary}, hub off {figures.off}",
            f"  restarts {figures.restarts}, power cuts {figures.power_cuts}"
            f" ({figures.unsaved_cuts} with an unsaved token)",
            f"  token rotations {rotations}, prompts to link again {figures.reauthentications}",
            f"  requests a day: {spread(figures.requests)}; on {len(figures.clean)} quiet days:"
            f" {spread(figures.clean)}; {figures.impatient_after_restart} within a wait that a restart forgot",
            f"  states written a day: {spread(figures.writes)}",
            "  troubles: "
            + ", ".join(
                f"{name} {times}" for name, times in sorted(figures.troubles.items())
            ),
            "  violations: "
            + (", ".join(f"{kind} {times}" for kind, times in kinds.items()) or "none"),
        ]
    )
