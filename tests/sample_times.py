"""Hypothesis strategies for tests of when requests are sent."""

from datetime import UTC, datetime

from hypothesis import strategies as st

INSTANTS = st.datetimes(
    datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)
)
PHASES = st.floats(0, 1, exclude_max=True)
"""The phase of an installation in the spread of requests."""
CHANCES = st.floats(-1, 1)
"""The jitter of a request, as a fraction of its maximum."""
