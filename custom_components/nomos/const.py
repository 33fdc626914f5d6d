"""Names that several rooms of the integration must agree on."""

from typing import Final

DOMAIN: Final = "nomos"

MANUFACTURER: Final = "Nomos"

BATTERY: Final = "battery"
"""The type of the subentries of batteries."""

CURRENCY: Final = "EUR"
"""Nomos bills in euros (Nomos API, Conventions)."""

CUSTOMER_URL: Final = "https://nomos.energy"
"""Where a customer finds the contract and can revoke access."""

PAGES: Final = {
    "credentials_url": "/config/application_credentials",
    "dashboard_url": f"/{DOMAIN}-start",
    "energy_url": "/config/energy",
    "integration_url": f"/config/integrations/integration/{DOMAIN}",
}
"""The pages that texts link to, by placeholder; the page of the dashboard is our own."""

DOCS_URL: Final = "https://github.com/nomos-home-assistant/nomos/blob/main/docs"
"""The location of the documentation for customers."""

SUPPORT_EMAIL: Final = "support@nomos.energy"
"""Who issues client credentials (Nomos API, authentication guide)."""
