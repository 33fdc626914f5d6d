"""Which task a load has: the next one, or one that is started by hand; and when it is over. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from enum import Enum, auto
from typing import Final

from ..planner import Run
from .plan import Task
from .settings import LoadSettings

_FARTHEST: Final = timedelta(days=8)
"""No window closes later; only what was skipped for weeks does."""


class Sensed(Enum):
    """What sensors say that a load has to act upon."""

    ASKED = auto()
    """The sensor that asks for the load has turned on."""
    WITHDRAWN = auto()
    """It has turned off again."""
    STOPPED = auto()
    """The plug was pulled, or the car has what it needs while it is charged."""


def next_task(
    settings: LoadSettings,
    now: datetime,
    zone: tzinfo,
    left: timedelta,
    *,
    last: Task | None,
    since: datetime | None,
) -> Task:
    """Return the task of the window that is open, or comes next, and has none yet.

    It opens no earlier than ``since``: nothing could be started before the load was there, or was switched on.
    """
    after = now
    if last is not None and not settings.on_demand:
        after = max(now, last.closes)
    opens, closes = settings.next_window(after, zone, left)
    if since is not None:
        opens = max(opens, min(since, now))
    return Task(opens=opens, closes=closes)


def to_start(task: Task, last: Task | None, now: datetime) -> Task:
    """Return the task that is started by hand: once more the one before, if its window has not closed yet.

    ``task`` is the present or the next one; as long as it has not begun, its own window is still to come.
    """
    if last is None or last.closes <= now or task.opens < last.closes or task.runs:
        return task
    return Task(opens=now, closes=min(last.closes, now + _FARTHEST))


def started_by_hand(task: Task, now: datetime, left: timedelta) -> Task:
    """Return a task that runs now for what is left of it, without regard to prices and to its window."""
    current = task.run_at(now)
    run = Run(start=current.start if current else now, end=now + left)
    by_hand = replace(
        task,
        opens=min(task.opens, now),
        closes=max(task.closes, run.end),
        by_hand=True,
    )
    return by_hand.ended(now).with_run(run)


def moved(task: Task, new: Task, now: datetime) -> Task:
    """Return a task that has begun, or was asked for, in the window of another one: that of new settings."""
    runs = tuple(run for run in task.runs if run.start <= now)
    return Task(
        opens=min(task.opens, now, *(run.start for run in runs)),
        closes=max(new.closes, *(run.end for run in runs)) if runs else new.closes,
        runs=runs,
        by_hand=task.by_hand,
    )


def is_over(task: Task, settings: LoadSettings, left: timedelta, now: datetime) -> bool:
    """Return whether nothing more is to be done for a task of which so much is left."""
    if task.run_at(now):
        return False
    if task.skipped:
        return True
    once = task.by_hand or settings.contiguous
    # By a clock that was set back, a run has not begun yet.
    begun = any(run.start <= now for run in task.runs)
    if now >= task.closes or (once and begun):
        return True
    # A car that is planned every day may be driven again until its window closes.
    driven = settings.car and not settings.on_demand
    return not left and not driven
