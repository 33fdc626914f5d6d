"""How the contracts of an account lie on the disk."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import partial
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from ..api import NomosResponseError, Subscription, Tariff
from ..storage import StoredFile, read_day, read_instant, stored_file


def account_file(hass: HomeAssistant, entry: ConfigEntry) -> StoredFile:
    """Return the file that holds an account's subscriptions."""
    return stored_file(hass, f"account.{entry.entry_id}")


async def async_stored_subscription_ids(
    hass: HomeAssistant, entry: ConfigEntry
) -> tuple[str, ...]:
    """Return the ids of the subscriptions that an account's file knows."""
    stored = await account_file(hass, entry).async_load(partial(decode_account, entry))
    return tuple(stored[0]) if stored else ()


def encode_account(
    entry: ConfigEntry,
    data: Mapping[str, Subscription],
    tariffs: Mapping[str, Tariff],
    tariffs_asked_on: date | None,
    last_answer: datetime | None,
) -> dict[str, Any]:
    """Return subscriptions and tariffs as JSON: what the wire's models hold, nothing of the customer's person."""
    return {
        "account": entry.unique_id,
        "subscriptions": [one.to_json() for one in data.values()],
        "tariffs": [plan.to_json() for plan in tariffs.values()],
        "tariffs_asked_on": tariffs_asked_on.isoformat() if tariffs_asked_on else None,
        "last_answer": last_answer.timestamp() if last_answer else None,
    }


def decode_account(
    entry: ConfigEntry, stored: Any
) -> tuple[dict[str, Subscription], dict[str, Tariff], date | None, datetime | None]:
    """Read what ``encode_account`` wrote; ValueError where it is of another account."""
    if stored["account"] != entry.unique_id:
        raise ValueError("another account")
    try:
        subscriptions = [Subscription.from_json(one) for one in stored["subscriptions"]]
        tariffs = [Tariff.from_json(one) for one in stored["tariffs"]]
    except NomosResponseError as err:
        raise ValueError(err.field) from None
    asked_on, answer = stored.get("tariffs_asked_on"), stored.get("last_answer")
    return (
        {one.id: one for one in subscriptions},
        {one.id: one for one in tariffs},
        None if asked_on is None else read_day(asked_on),
        None if answer is None else read_instant(answer),
    )
