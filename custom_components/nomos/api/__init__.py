"""A client of the Nomos API: typed models, one exception for each kind of failure. Needs only aiohttp."""

from .address import API_URL, api_url
from .client import API_VERSION, NomosClient, read_if_short
from .enums import (
    GridFeeModule,
    GridFeeStatus,
    InvoiceStatus,
    InvoiceType,
    MeterType,
    SubscriptionStatus,
    SubscriptionType,
    UsageResolution,
)
from .errors import (
    NomosAuthenticationError,
    NomosConnectionError,
    NomosError,
    NomosNotFoundError,
    NomosPermissionError,
    NomosRateLimitError,
    NomosRequestError,
    NomosResponseError,
    NomosServerError,
    NomosTransientError,
    parse_error,
)
from .models import GridFeeReduction, Invoice, Subscription, Tariff
from .parsing import decode, harmless_text, is_opaque
from .series import PriceItem, PriceSeries, UsageItem, UsageSeries

__all__ = [
    "API_URL",
    "API_VERSION",
    "GridFeeModule",
    "GridFeeReduction",
    "GridFeeStatus",
    "Invoice",
    "InvoiceStatus",
    "InvoiceType",
    "MeterType",
    "NomosAuthenticationError",
    "NomosClient",
    "NomosConnectionError",
    "NomosError",
    "NomosNotFoundError",
    "NomosPermissionError",
    "NomosRateLimitError",
    "NomosRequestError",
    "NomosResponseError",
    "NomosServerError",
    "NomosTransientError",
    "PriceItem",
    "PriceSeries",
    "Subscription",
    "SubscriptionStatus",
    "SubscriptionType",
    "Tariff",
    "UsageItem",
    "UsageResolution",
    "UsageSeries",
    "api_url",
    "decode",
    "harmless_text",
    "is_opaque",
    "parse_error",
    "read_if_short",
]
