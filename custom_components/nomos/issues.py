"""Issues that the customer can do something about, shown as long as they last."""

from enum import StrEnum
from hashlib import sha256

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN


class Issue(StrEnum):
    """The kinds of issues; keys of the translations."""

    CONTRACT_ENDED = "contract_ended"
    ACCESS_DENIED = "access_denied"
    CREDENTIALS_MISSING = "credentials_missing"
    PRICES_LATE = "prices_late"
    DEVICE_UNREACHABLE = "device_unreachable"


@callback
def async_report(
    hass: HomeAssistant,
    issue: Issue,
    subject: str,
    name: str,
    *,
    present: bool,
    **named: str,
) -> None:
    """Create or delete the issue about an account, a contract or the device of a load.

    ``subject`` is its id or another unique id, ``name`` what the customer calls it, ``named`` further placeholders.
    """
    # Home Assistant adds the issues to the diagnostics, which must not contain the subject itself.
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
        translation_placeholders={"name": name, **named},
    )


@callback
def async_withdraw_all(hass: HomeAssistant, subject: str) -> None:
    """Delete all issues about an account or a contract."""
    for issue in Issue:
        async_report(hass, issue, subject, "", present=False)
