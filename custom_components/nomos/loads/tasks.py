"""The tasks of a load: the next one, one started by hand, and when one is over. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from enum import Enum, auto
from typing import Final

from ..planner import Run
from .plan import Task
from .settings import LoadSettings

_MAX_AHEAD: Final = timedelta(days=8)
"""No window closes later, unless tasks were skipped for weeks ahead."""


class SensorEvent(Enum):
    """Changes of sensors that a load must act on."""

    REQUESTED = auto()
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
    """Return the task of the current or next window that has none yet.

    It opens no earlier than ``since``, when the load was added or switched on: nothing could start before.
    """
    after = now
    if last is not None and not settings.on_demand:
        after = max(now, last.closes)
    opens, closes = settings.next_window(after, zone, left)
    if since is not None:
        opens = max(opens, min(since, now))
    return Task(opens=opens, closes=closes)


def task_to_start(task: Task, last: Task | None, now: datetime) -> Task:
    """Return the task to start by hand: one in the window of the last task, if that is still open, else ``task``.

    ``task`` is the current or the next one; as long as it has not begun, its own window is still to come.
    """
    if last is None or last.closes <= now or task.opens < last.closes or task.runs:
        return task
    return Task(opens=now, closes=min(last.closes, now + _MAX_AHEAD))


def started_by_hand(task: Task, now: datetime, left: timedelta) -> Task:
    """Return a task that runs now for what is left of it, whatever its window and the prices."""
    current = task.run_at(now)
    run = Run(start=current.start if current else now, end=now + left)
    by_hand = replace(
        task,
        opens=min(task.opens, now),
        closes=max(task.closes, run.end),
        by_hand=True,
    )
    return by_hand.ended(now).with_run(run)


def moved_to_window(task: Task, new: Task, now: datetime) -> Task:
    """Return a task that has begun or was asked for, moved to the window of ``new`` after settings changed."""
    runs = tuple(run for run in task.runs if run.start <= now)
    return Task(
        opens=min(task.opens, now, *(run.start for run in runs)),
        closes=max(new.closes, *(run.end for run in runs)) if runs else new.closes,
        runs=runs,
        by_hand=task.by_hand,
    )


def is_over(task: Task, settings: LoadSettings, left: timedelta, now: datetime) -> bool:
    """Return whether a task is over; ``left`` is how long it still has to run."""
    if task.run_at(now):
        return False
    if task.skipped:
        return True
    once = task.by_hand or settings.contiguous
    # If the clock was set back, a run has not begun yet.
    begun = any(run.start <= now for run in task.runs)
    if now >= task.closes or (once and begun):
        return True
    # A car that is planned every day may be driven again before its window closes.
    driven = settings.car and not settings.on_demand
    return not left and not driven
