"""When to run a load, or to feed in: the plan that costs the least, or earns the most.

Pure functions and frozen data. No I/O, no clock (``now`` is a parameter), no Home Assistant.
"""

from .model import (
    Objective,
    Plan,
    PlannedRuns,
    PlanRequest,
    PlanStatus,
    Prefer,
    Profile,
    Run,
    duration_for,
)
from .planner import plan

__all__ = [
    "Objective",
    "Plan",
    "PlanRequest",
    "PlanStatus",
    "PlannedRuns",
    "Prefer",
    "Profile",
    "Run",
    "duration_for",
    "plan",
]
