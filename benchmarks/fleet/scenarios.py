"""The days that a fleet is simulated on."""

from typing import Final

from .api import Answer, Closure, Scenario, at_time

_HALF_PAST_ONE: Final = at_time(13, 30)

PUBLICATIONS: Final = (
    Scenario(
        name="published-1257",
        title="Tomorrow published at 12:57",
        published=at_time(12, 57),
    ),
    Scenario(
        name="published-1340",
        title="Tomorrow published at 13:40",
        published=at_time(13, 40),
    ),
    Scenario(
        name="published-1420",
        title="Tomorrow published at 14:20",
        published=at_time(14, 20),
    ),
    Scenario(
        name="published-1520",
        title="Tomorrow published at 15:20",
        published=at_time(15, 20),
    ),
    Scenario(
        name="published-1900",
        title="Tomorrow published at 19:00",
        published=at_time(19),
    ),
    Scenario(name="never", title="Tomorrow never published", published=None),
)

TROUBLE: Final = (
    Scenario(
        name="down",
        title="Nothing answers from 13:30 to 14:30",
        published=at_time(12, 57),
        closures=(Closure(begin=_HALF_PAST_ONE, end=at_time(14, 30)),),
    ),
    Scenario(
        name="cut",
        title="Connections are cut from 13:30 to 14:30",
        published=at_time(12, 57),
        closures=(
            Closure(begin=_HALF_PAST_ONE, end=at_time(14, 30), answer=Answer.CUT),
        ),
    ),
    Scenario(
        name="limit",
        title="Half of all requests are too many",
        published=at_time(12, 57),
        capacity=800,
    ),
    Scenario(
        name="until-1500",
        title="429 from 13:30, with a wait until 15:00 for everybody",
        published=at_time(12, 57),
        closures=(
            Closure(begin=_HALF_PAST_ONE, end=at_time(15), answer=Answer.TOO_MANY),
        ),
    ),
    Scenario(
        name="power-afternoon",
        title="All power fails from 14:30 to 14:50 while tomorrow is missing",
        published=at_time(14, 40),
        power=(at_time(14, 30), at_time(14, 50)),
    ),
    Scenario(
        name="power-night",
        title="All power fails from 12:30 to 02:00",
        published=at_time(12, 57),
        power=(at_time(12, 30), at_time(2)),
    ),
)

SCENARIOS: Final = PUBLICATIONS + TROUBLE
