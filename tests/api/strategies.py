"""What hypothesis makes up for these tests."""

from hypothesis import settings, strategies as st

# The machine may be slow and shared, and examples are not worth keeping in the repository.
property_test = settings(max_examples=150, deadline=None, database=None)

KEYS = st.sampled_from(
    [
        *(
            "id",
            "customer",
            "plan",
            "status",
            "type",
            "number",
            "created_at",
            "start_at",
            "end_at",
            "meter",
            "name",
        ),
        *(
            "unit",
            "currency",
            "resolution",
            "items",
            "timestamp",
            "amount",
            "components",
            "subscription",
            "price",
        ),
        *(
            "data",
            "start",
            "usage",
            "meter_type",
            "total",
            "period_start",
            "code",
            "message",
            "error",
            "errors",
        ),
        *("requestId", "error_description", "has_more", "next_page"),
    ]
)
TEXTS = st.text(max_size=20) | st.sampled_from(
    [
        *(
            "ct/kWh",
            "EUR",
            "15min",
            "hourly",
            "active",
            "smart",
            "final",
            "electricity",
            "2026-10-01T00:00:00Z",
        ),
        *(
            "0001-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59-23:59",
            "2026-10-01",
            "\ud800",
            "24:00",
        ),
    ]
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | TEXTS, inner, max_size=8)
    ),
    max_leaves=20,
)
