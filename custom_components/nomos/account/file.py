"""Serialise the contracts and tariffs of an account."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from ..api import NomosResponseError, Subscription, Tariff
from ..storage import StoredFile, read_day, read_instant, stored_file


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """The contracts and tariffs of an account, and when they were read."""

    subscriptions: Mapping[str, Subscription]
    tariffs: dict[str, Tariff]
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


def encode_account(entry: ConfigEntry, account: StoredAccount) -> dict[str, Any]:
    """Return an account as JSON: nothing of the customer's person."""
    asked_on, answer = account.tariffs_asked_on, account.last_answer
    return {
        "account": entry.unique_id,
        "subscriptions": [one.to_json() for one in account.subscriptions.values()],
        "tariffs": [one.to_json() for one in account.tariffs.values()],
        "tariffs_asked_on": asked_on.isoformat() if asked_on else None,
        "last_answer": answer.timestamp() if answer else None,
    }


def decode_account(entry: ConfigEntry, stored: Any) -> StoredAccount:
    """Read what ``encode_account`` wrote; ValueError if it is of another account, or nonsense."""
    if stored["account"] != entry.unique_id:
        raise ValueError("another account")
    try:
        subscriptions = [Subscription.from_json(one) for one in stored["subscriptions"]]
        tariffs = [Tariff.from_json(one) for one in stored["tariffs"]]
    except NomosResponseError as err:
        raise ValueError(err.field) from None
    asked_on, answer = stored["tariffs_asked_on"], stored["last_answer"]
    return StoredAccount(
        {one.id: one for one in subscriptions},
        {one.id: one for one in tariffs},
        None if asked_on is None else read_day(asked_on),
        None if answer is None else read_instant(answer),
    )
