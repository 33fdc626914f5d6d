"""Other parameters of the schedule, for comparison with the chosen ones."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Final
from unittest.mock import patch

from custom_components.nomos import schedule
from custom_components.nomos.schedule import PriceRequestReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Parameters of the schedule, by name, with other values."""

    title: str
    values: Mapping[str, object] = field(default_factory=dict, compare=False)


def _gaps(*minutes: int) -> dict[PriceRequestReason, tuple[int, ...]]:
    return {**schedule.GAPS, PriceRequestReason.TOMORROW: minutes}


CHOSEN: Final = Variant(title="as it is")

REQUEST_TIMES: Final = (
    CHOSEN,
    Variant(
        title="one more request, 20 minutes after the first",
        values={"GAPS": _gaps(20, 34, 65, 60, 90, 120)},
    ),
    Variant(
        title="first requests from 13:10, over 50 minutes",
        values={
            "FIRST_FETCH": time(13, 10),
            "FIRST_FETCH_SPREAD": timedelta(minutes=50),
        },
    ),
    Variant(
        title="first requests over 60 minutes",
        values={"FIRST_FETCH_SPREAD": timedelta(minutes=60)},
    ),
    Variant(
        title="corrections from 16:10 to 17:00",
        values={"SECOND_FETCH_SPREAD": timedelta(minutes=50)},
    ),
)

RETURNS: Final = (
    CHOSEN,
    Variant(
        title="back within one minute, however long the wait",
        values={"PAUSE_SPREAD": (timedelta(minutes=1), timedelta(minutes=1))},
    ),
)


@contextmanager
def applied(variant: Variant) -> Iterator[None]:
    """Run the schedule with the values of a variant until the block ends."""
    with ExitStack() as stack:
        for name, value in variant.values.items():
            stack.enter_context(patch.object(schedule, name, value))
        yield
