"""A stand-in for Nomos for tests and development: OAuth server, API, market and faults on a loopback port."""

from .customers import Customer, Subscription
from .faults import FaultPlan
from .records import RecordedRequest
from .settings import Settings
from .simulator import (
    DEFAULT_CLIENT_ID,
    DEFAULT_CLIENT_SECRET,
    DEFAULT_REDIRECT_URIS,
    Simulator,
)
from .tariff import PricePoint

__all__ = [
    "DEFAULT_CLIENT_ID",
    "DEFAULT_CLIENT_SECRET",
    "DEFAULT_REDIRECT_URIS",
    "Customer",
    "FaultPlan",
    "PricePoint",
    "RecordedRequest",
    "Settings",
    "Simulator",
    "Subscription",
]
