"""How the contracts and tariffs of an account are stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from ..api import Subscription, Tariff, is_opaque
from ..codec import decode
from ..storage import StoredFile, stored_file


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAccount:
    """The contracts and tariffs of an account by their ids, and when they were read: nothing of the customer's person."""

    subscriptions: Mapping[str, Subscription]
    tariffs: Mapping[str, Tariff]
    tariffs_asked_on: date | None
    last_answer: datetime | None


def account_file(hass: HomeAssistant, entry: ConfigEntry) -> StoredFile:
    """Return the file of an account."""
    return stored_file(hass, f"account.{entry.entry_id}")


async def async_load_account(
    hass: HomeAssistant, entry: ConfigEntry
) -> StoredAccount | None:
    """Return what is stored of an account; None if nothing is."""
    return await account_file(hass, entry).async_load(partial(decode_account, entry))


def decode_account(entry: ConfigEntry, stored: Any) -> StoredAccount:
    """Read a stored account; any error if it is of another customer, or nonsense."""
    account = decode(StoredAccount, stored)
    for key, one in account.subscriptions.items():
        if one.customer_id != entry.unique_id or one.id != key:
            raise ValueError("another contract")
        if not is_opaque(key) or not is_opaque(one.tariff_id):
            raise ValueError("not an id")
    return account
