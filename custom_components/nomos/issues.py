"""What the customer can mend, told as long as it lasts."""

from enum import StrEnum
from hashlib import sha256

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN


class Issue(StrEnum):
    """The kinds of issue that somebody in the house can do something about; keys of the translations."""

    CONTRACT_ENDED = "contract_ended"
    ACCESS_DENIED = "access_denied"
    CREDENTIALS_MISSING = "credentials_missing"
    PRICES_LATE = "prices_late"


@callback
def async_report(
    hass: HomeAssistant, issue: Issue, subject: str, name: str, *, present: bool
) -> None:
    """Raise or withdraw the issue about an account or a subscription.

    Args:
        hass: Home Assistant.
        issue: what is wrong.
        subject: the id of the config entry or the subscription that it is about.
        name: what the customer knows it by.
        present: whether it is so now.

    """
    # Home Assistant adds the issues to the diagnostics, which must not hold the subject itself.
    issue_id = f"{issue}_{sha256(subject.encode()).hexdigest()[:12]}"
    if not present:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=issue,
        translation_placeholders={"name": name},
    )


@callback
def async_withdraw_all(hass: HomeAssistant, subject: str) -> None:
    """Withdraw all issues about an account or a subscription."""
    for issue in Issue:
        async_report(hass, issue, subject, "", present=False)
