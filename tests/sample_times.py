"""What the arithmetic of requests is tried on."""

from datetime import UTC, datetime

from hypothesis import strategies as st

INSTANTS = st.datetimes(
    datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)
)
PHASES = st.floats(0, 1, exclude_max=True)
"""Where an installation stands among all."""
CHANCES = st.floats(-1, 1)
"""By how much a request is moved, as a part of what it may be moved."""
