"""Tests of the errors of actions: a sentence about the field, in the user's language."""

from typing import Any

import pytest

from custom_components.nomos.const import DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from tests.packaging import INTEGRATION, read_json

STEP = {"duration": "00:20:00", "power": 1}
BATTERY = {"level": 50, "capacity": 10, "charge_power": 5, "discharge_power": 5}

type Row = tuple[str, dict[str, Any], str, str]

ROWS: list[Row] = [
    (
        "get_prices",
        {"start": "soon"},
        "“soon” is not a time that is understood here. Please write it like 20:00, 2026-06-10 or 2026-06-10 20:00.",
        "„soon“ ist keine Zeitangabe, die hier verstanden wird. Bitte schreibe sie wie 20:00, 2026-06-10 oder 2026-06-10 20:00.",
    ),
    (
        "get_prices",
        {"start": {}},
        "What is given for Start (start) is not understood here. Please correct it, or leave the field out.",
        "Was bei Beginn (start) angegeben ist, ist hier nicht zu verstehen. Bitte berichtige es, oder lass das Feld weg.",
    ),
    (
        "get_prices",
        {"start": "2026-06-11", "end": "2026-06-10"},
        "The end lies before the start, or is the same. Please choose a later end.",
        "Das Ende liegt vor dem Beginn oder fällt mit ihm zusammen. Bitte wähle ein späteres Ende.",
    ),
    (
        "get_prices",
        {"start": "2024-01-01", "end": "2026-06-10"},
        "Prices of 400 days at most are returned at once. Please ask for a shorter range.",
        "Auf einmal gibt es Preise für höchstens 400 Tage. Bitte wähle einen kürzeren Zeitraum.",
    ),
    (
        "get_prices",
        {"unit": "EUR"},
        "Please choose one of these for Unit (unit): EUR/kWh, ct/kWh.",
        "Bitte wähle für Einheit (unit) einen dieser Werte: EUR/kWh, ct/kWh.",
    ),
    (
        "get_prices",
        {"format": ["csv"]},
        "Please choose one of these for Format (format): objects, pairs, pairs_ms, emhass, emhass_list, evcc, evsc.",
        "Bitte wähle für Format (format) einen dieser Werte: objects, pairs, pairs_ms, emhass, emhass_list, evcc, evsc.",
    ),
    (
        "get_prices",
        {"day": "x"},
        "This action has no field day. Please remove it.",
        "Ein Feld day hat diese Aktion nicht. Bitte entferne es.",
    ),
    (
        "get_prices",
        {"subscription": "nobody"},
        "There is no contract nobody in the linked Nomos accounts. Please choose its device.",
        "Einen Vertrag nobody gibt es in den verknüpften Nomos-Konten nicht. Bitte wähle sein Gerät.",
    ),
    (
        "get_prices",
        {"config_entry": "nobody"},
        "Integration nomos config entry with ID nobody was not found.",
        "Konfigurationseintrag mit ID nobody zur Integration nomos wurde nicht gefunden.",
    ),
    (
        "get_prices",
        {"config_entry": None},
        "What is given for Account (config_entry) is not understood here. Please correct it, or leave the field out.",
        "Was bei Konto (config_entry) angegeben ist, ist hier nicht zu verstehen. Bitte berichtige es, oder lass das Feld weg.",
    ),
    (
        "plan",
        {},
        "Please say how long the load runs: by a duration, by energy and power, or by a power profile.",
        "Bitte gib an, wie lange der Verbraucher läuft: durch eine Dauer, durch Energie und Leistung oder durch einen Leistungsverlauf.",
    ),
    (
        "plan",
        {"duration": "long"},
        "Duration (duration) has to lie between 00:00:01 and 168:00:00. Please write it like 02:15:00, as hours, minutes and seconds.",
        "Dauer (duration) muss zwischen 00:00:01 und 168:00:00 liegen. Bitte schreibe es wie 02:15:00, als Stunden, Minuten und Sekunden.",
    ),
    (
        "plan",
        {"energy": 3},
        "Please give the power in kW together with the energy, so that it is known how long the load takes.",
        "Bitte gib zur Energie auch die Leistung in kW an, damit bekannt ist, wie lange der Verbraucher läuft.",
    ),
    (
        "plan",
        {"energy": "much", "power": 1},
        "Energy needed (energy) has to be a number. Please write it like 11 or 0.25.",
        "Benötigte Energie (energy) muss eine Zahl sein. Bitte schreibe sie wie 11 oder 0.25.",
    ),
    (
        "plan",
        {"energy": 3, "power": 0},
        "Power (power) has to lie between 0.001 and 1000. Please change the value.",
        "Leistung (power) muss zwischen 0.001 und 1000 liegen. Bitte ändere den Wert.",
    ),
    (
        "plan",
        {"energy": 3, "power": 1, "duration": "01:00:00"},
        "Please give either the duration or the energy, not both: the energy is divided by the power to get the duration.",
        "Bitte gib entweder die Dauer oder die Energie an, nicht beides: Die Dauer ergibt sich aus Energie durch Leistung.",
    ),
    (
        "plan",
        {"energy": 1000, "power": 1},
        "The load takes no time at all, or more than seven days. Please check energy, power and profile.",
        "Der Verbraucher läuft gar nicht oder mehr als sieben Tage. Bitte prüfe Energie, Leistung und Leistungsverlauf.",
    ),
    (
        "plan",
        {"duration": "01:00:00", "earliest": "evening"},
        "“evening” is not a time that is understood here. Please write it like 20:00, 2026-06-10 or 2026-06-10 20:00.",
        "„evening“ ist keine Zeitangabe, die hier verstanden wird. Bitte schreibe sie wie 20:00, 2026-06-10 oder 2026-06-10 20:00.",
    ),
    (
        "plan",
        {"duration": "01:00:00", "latest": "2020-01-01 12:00"},
        "The latest end is over already. Please choose a later one.",
        "Das späteste Ende ist schon vorbei. Bitte wähle ein späteres.",
    ),
    (
        "plan",
        {
            "duration": "01:00:00",
            "earliest": "2026-06-11 12:00",
            "latest": "2026-06-11 11:00",
        },
        "The end lies before the start, or is the same. Please choose a later end.",
        "Das Ende liegt vor dem Beginn oder fällt mit ihm zusammen. Bitte wähle ein späteres Ende.",
    ),
    (
        "plan",
        {"duration": "01:00:00", "contiguous": "maybe"},
        "In one go (contiguous) has to be true or false.",
        "Am Stück (contiguous) muss true oder false sein, also ja oder nein.",
    ),
    (
        "plan",
        {"duration": "01:00:00", "prefer": "never"},
        "Please choose one of these for Of equally good times (prefer): early, late.",
        "Bitte wähle für Bei gleich guten Zeiten (prefer) einen dieser Werte: early, late.",
    ),
    (
        "plan",
        {"duration": "01:00:00", "price_cap": "low"},
        "Price limit (price_cap) has to be a number. Please write it like 11 or 0.25.",
        "Preisobergrenze (price_cap) muss eine Zahl sein. Bitte schreibe sie wie 11 oder 0.25.",
    ),
    (
        "plan",
        {"duration": "01:00:00", "price_floor": 1000},
        "Price floor (price_floor) has to lie between -100 and 100. Please change the value.",
        "Preisuntergrenze (price_floor) muss zwischen -100 und 100 liegen. Bitte ändere den Wert.",
    ),
    (
        "plan",
        {"duration": "01:00:00", "min_run": "02:00:00"},
        "The shortest run is longer than the whole load. Please make it shorter.",
        "Der kürzeste Lauf ist länger als die ganze Dauer. Bitte wähle ihn kürzer.",
    ),
    (
        "plan",
        {"duration": "01:00:00", "min_pause": -5},
        "Shortest pause (min_pause) has to lie between 00:00:00 and 168:00:00. Please write it like 02:15:00, as hours, minutes and seconds.",
        "Kürzeste Pause (min_pause) muss zwischen 00:00:00 und 168:00:00 liegen. Bitte schreibe es wie 02:15:00, als Stunden, Minuten und Sekunden.",
    ),
    (
        "plan",
        {"duration": "01:00:00", "max_runs": 0},
        "Most runs (max_runs) has to lie between 1 and 1000. Please change the value.",
        "Höchstzahl der Läufe (max_runs) muss zwischen 1 und 1000 liegen. Bitte ändere den Wert.",
    ),
    (
        "plan",
        {"profile": "x"},
        "Power profile (profile) has to be a list of rows. Please see the example in the description of the field.",
        "Leistungsverlauf (profile) muss eine Liste von Zeilen sein. Ein Beispiel steht in der Beschreibung des Feldes.",
    ),
    (
        "plan",
        {"profile": []},
        "Please say how long the load runs: by a duration, by energy and power, or by a power profile.",
        "Bitte gib an, wie lange der Verbraucher läuft: durch eine Dauer, durch Energie und Leistung oder durch einen Leistungsverlauf.",
    ),
    (
        "plan",
        {"profile": [{"duration": "00:20:00"}]},
        "Power profile (profile[0].power) is missing. Please enter it.",
        "Leistungsverlauf (profile[0].power) fehlt. Bitte gib es an.",
    ),
    (
        "plan",
        {"profile": [{"duration": "00:20:00", "power": "x"}]},
        "Power profile (profile[0].power) has to be a number. Please write it like 11 or 0.25.",
        "Leistungsverlauf (profile[0].power) muss eine Zahl sein. Bitte schreibe sie wie 11 oder 0.25.",
    ),
    (
        "plan",
        {"profile": [{"duration": "00:20:00", "power": 1}], "power": 1},
        "A power profile stands in the place of duration, energy and power. Please leave them out.",
        "Ein Leistungsverlauf tritt an die Stelle von Dauer, Energie und Leistung. Bitte lass diese weg.",
    ),
    (
        "plan",
        {"profile": [STEP] * 97},
        "Power profile (profile) has more than 96 rows. Please combine some, or end it earlier.",
        "Leistungsverlauf (profile) hat mehr als 96 Zeilen. Bitte fasse einige zusammen oder lass sie früher enden.",
    ),
    (
        "plan",
        {"profile": [{"duration": "00:20:00", "power": 1}], "contiguous": False},
        "A load with a power profile runs in one go. Please do not allow interruptions, or give a duration.",
        "Ein Verbraucher mit Leistungsverlauf läuft am Stück. Bitte erlaube keine Unterbrechungen, oder gib eine Dauer an.",
    ),
    (
        "plan_battery",
        {},
        "Charge level (level) is missing. Please enter it.",
        "Ladestand (level) fehlt. Bitte gib es an.",
    ),
    (
        "plan_battery",
        {"level": "full"},
        "Charge level (level) has to be a number. Please write it like 11 or 0.25.",
        "Ladestand (level) muss eine Zahl sein. Bitte schreibe sie wie 11 oder 0.25.",
    ),
    (
        "plan_battery",
        {"level": 101},
        "Charge level (level) has to lie between 0 and 100. Please change the value.",
        "Ladestand (level) muss zwischen 0 und 100 liegen. Bitte ändere den Wert.",
    ),
    (
        "plan_battery",
        {"capacity": 0},
        "Capacity (capacity) has to lie between 0.01 and 10000. Please change the value.",
        "Kapazität (capacity) muss zwischen 0.01 und 10000 liegen. Bitte ändere den Wert.",
    ),
    (
        "plan_battery",
        {"house_forecast": "sunny"},
        "Expected need (house_forecast) has to be a list of rows. Please see the example in the description of the field.",
        "Erwarteter Verbrauch (house_forecast) muss eine Liste von Zeilen sein. Ein Beispiel steht in der Beschreibung des Feldes.",
    ),
    (
        "plan_battery",
        {"house_forecast": [1]},
        "What is given for Expected need (house_forecast[0]) is not understood here. Please correct it, or leave the field out.",
        "Was bei Erwarteter Verbrauch (house_forecast[0]) angegeben ist, ist hier nicht zu verstehen. Bitte berichtige es, oder lass das Feld weg.",
    ),
    (
        "plan_battery",
        {"solar_forecast": [{"start": "soon", "kwh": 1}]},
        "“soon” is not a time that is understood here. Please write it like 20:00, 2026-06-10 or 2026-06-10 20:00.",
        "„soon“ ist keine Zeitangabe, die hier verstanden wird. Bitte schreibe sie wie 20:00, 2026-06-10 oder 2026-06-10 20:00.",
    ),
    (
        "plan_battery",
        {
            "solar_forecast": [
                {"start": "2026-06-10 12:00", "kwh": 1},
                {"start": "2026-06-10 12:00", "kwh": 1},
            ]
        },
        "Two rows of Expected solar power (solar_forecast) have the same start. Please give each start once.",
        "Zwei Zeilen von Erwarteter Solarstrom (solar_forecast) haben denselben Beginn. Bitte gib jeden Beginn nur einmal an.",
    ),
    (
        "plan_battery",
        {"solar_forecast": [{"start": "2026-06-10 12:00", "kwh": "x"}]},
        "Expected solar power (solar_forecast[0].kwh) has to be a number. Please write it like 11 or 0.25.",
        "Erwarteter Solarstrom (solar_forecast[0].kwh) muss eine Zahl sein. Bitte schreibe sie wie 11 oder 0.25.",
    ),
    (
        "plan_battery",
        {"payout": "x"},
        "Payout (payout) has to be a number. Please write it like 11 or 0.25.",
        "Vergütung (payout) muss eine Zahl sein. Bitte schreibe sie wie 11 oder 0.25.",
    ),
    (
        "plan_battery",
        {"payout": [{"start": "2026-06-10 12:00", "price": "x"}]},
        "Payout (payout[0].price) has to be a number. Please write it like 11 or 0.25.",
        "Vergütung (payout[0].price) muss eine Zahl sein. Bitte schreibe sie wie 11 oder 0.25.",
    ),
    (
        "plan_battery",
        {"until": "2020-01-01 12:00"},
        "The latest end is over already. Please choose a later one.",
        "Das späteste Ende ist schon vorbei. Bitte wähle ein späteres.",
    ),
    (
        "refresh",
        {"config_entry": "nobody"},
        "Integration nomos config entry with ID nobody was not found.",
        "Konfigurationseintrag mit ID nobody zur Integration nomos wurde nicht gefunden.",
    ),
    (
        "refresh",
        {"now": True},
        "This action has no field now. Please remove it.",
        "Ein Feld now hat diese Aktion nicht. Bitte entferne es.",
    ),
    (
        "start_load",
        {},
        "Please choose a flexible load: its device, or one of its buttons.",
        "Bitte wähle einen flexiblen Verbraucher: sein Gerät oder eine seiner Tasten.",
    ),
    (
        "start_load",
        {"device_id": "nobody"},
        "Nothing that was chosen belongs to a flexible load of Nomos. Please choose the device of a load.",
        "Nichts von dem, was gewählt ist, gehört zu einem flexiblen Verbraucher von Nomos. Bitte wähle das Gerät eines Verbrauchers.",
    ),
    (
        "start_load",
        {"entity_id": "x"},
        "Please choose a flexible load: its device, or one of its buttons.",
        "Bitte wähle einen flexiblen Verbraucher: sein Gerät oder eine seiner Tasten.",
    ),
    (
        "skip_load",
        {"minutes": 3, "device_id": "x"},
        "This action has no field minutes. Please remove it.",
        "Ein Feld minutes hat diese Aktion nicht. Bitte entferne es.",
    ),
]
"""An action, its input, and the error in English and in German."""

OF_OTHER_ACCOUNTS = {
    "battery_needs_consumption",
    "no_subscription",
    "several_subscriptions",
}
"""The errors for accounts without a contract, or with several."""


@pytest.mark.parametrize("language", ["en", "de"])
async def test_sentences(
    hass: HomeAssistant, linked, hass_ws_client, language: str
) -> None:
    """In the editor and by the API, the error says what is wrong with which field, and what to do."""
    hass.config.language = language
    await linked()
    client = await hass_ws_client(hass)
    said: set[str] = set()
    for action, data, *expected in ROWS:
        if action == "plan_battery" and data:
            data = BATTERY | data
        await client.send_json_auto_id(
            {
                "type": "call_service",
                "domain": DOMAIN,
                "service": action,
                "service_data": data,
                "return_response": action.startswith(("get", "plan")),
            }
        )
        error = (await client.receive_json())["error"]
        domain, key = error["translation_domain"], error["translation_key"]
        texts = await async_get_translations(hass, language, "exceptions", [domain])
        sentence = texts[f"component.{domain}.exceptions.{key}.message"]
        read = sentence.format(**error["translation_placeholders"] or {})
        assert read == expected[language == "de"], (action, data)
        said.add(key)
    assert sentences_of_actions() - said == OF_OTHER_ACCOUNTS


def sentences_of_actions() -> set[str]:
    """Return the keys of the errors that actions raise."""
    places = ("action_fields.py", "battery_action.py", "services.py", "time_input.py")
    code = "".join((INTEGRATION / name).read_text() for name in places)
    texts = read_json(INTEGRATION / "translations" / "en.json")["exceptions"]
    return {key for key in texts if f'"{key}"' in code}
