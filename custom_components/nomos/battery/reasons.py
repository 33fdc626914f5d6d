"""Why a battery does what it does: one sentence that a person can check, in the language of the hub."""

from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final, NamedTuple

from ..planner.battery import BatteryMode, Quarter, Step
from .plan import HomePlan

_MAX_PAUSE: Final = timedelta(minutes=30)
"""Pauses in discharging up to this long are ignored."""
_NEGLIGIBLE: Final = 0.01
"""kWh in a quarter-hour that is too little to mention."""


class NoPlanReason(StrEnum):
    """Why there is no plan; a key of the texts below."""

    NO_CONTRACT = "no_contract"
    NO_PRICES = "no_prices"
    NO_LEVEL = "no_level"
    NO_OUTLOOK = "no_outlook"
    PLANNING = "planning"
    STARTING = "starting"


_ENGLISH: Final = {
    NoPlanReason.NO_CONTRACT: "No plan: there is no contract for consumption. The battery is left to itself.",
    NoPlanReason.NO_PRICES: "No plan: no price is known. The battery is left to itself.",
    NoPlanReason.NO_LEVEL: "No plan: the charge level is unknown. The battery is left to itself.",
    NoPlanReason.NO_OUTLOOK: "No plan: what to expect of the house could not be worked out. The battery is left to itself.",
    NoPlanReason.PLANNING: "The plan is being made. Until then nothing changes.",
    NoPlanReason.STARTING: "Home Assistant has just started: charge level or prices are not known yet. Until then nothing changes.",
    "self_use": "Left to itself: nothing earns more until {until}.",
    "discharge": "Covers the house until {until}, at up to {price} ct/kWh.",
    "hold": "Holds {energy} kWh for {start} to {end}, at {price} ct/kWh.",
    "hold_on": "Holds {energy} kWh: what comes after {until} is worth more.",
    "delay_charge": "Leaves the sun to the grid until {until}, and keeps room for later.",
    "charge": "Charges until {until} at {bought} ct/kWh, for {start} to {end} at {price} ct/kWh.",
    "charge_on": "Charges until {until} at {bought} ct/kWh, for what comes after {horizon}.",
    "feed_in": "Feeds in until {until}, for {price} ct/kWh.",
}
_GERMAN: Final = {
    NoPlanReason.NO_CONTRACT: "Kein Plan: Es gibt keinen Bezugsvertrag. Die Batterie bleibt sich selbst überlassen.",
    NoPlanReason.NO_PRICES: "Kein Plan: Es ist kein Preis bekannt. Die Batterie bleibt sich selbst überlassen.",
    NoPlanReason.NO_LEVEL: "Kein Plan: Der Ladestand ist unbekannt. Die Batterie bleibt sich selbst überlassen.",
    NoPlanReason.NO_OUTLOOK: "Kein Plan: Was im Haus zu erwarten ist, ließ sich nicht ermitteln. Die Batterie bleibt sich selbst überlassen.",
    NoPlanReason.PLANNING: "Der Plan entsteht gerade. Bis dahin ändert sich nichts.",
    NoPlanReason.STARTING: "Home Assistant ist gerade erst gestartet: Ladestand oder Preise sind noch nicht bekannt. Bis dahin ändert sich nichts.",
    "self_use": "Sich selbst überlassen: Bis {until} lohnt sich nichts anderes mehr.",
    "discharge": "Versorgt das Haus bis {until}, bei bis zu {price} ct/kWh.",
    "hold": "Hält {energy} kWh für {start} bis {end} bei {price} ct/kWh zurück.",
    "hold_on": "Hält {energy} kWh zurück: Nach {until} sind sie mehr wert.",
    "delay_charge": "Lässt den Solarstrom bis {until} ins Netz und hält Platz für später frei.",
    "charge": "Lädt bis {until} für {bought} ct/kWh, für {start} bis {end} bei {price} ct/kWh.",
    "charge_on": "Lädt bis {until} für {bought} ct/kWh, für die Zeit nach {horizon}.",
    "feed_in": "Speist bis {until} ein, für {price} ct/kWh.",
}


class _DischargePeriod(NamedTuple):
    """A stretch in which the battery discharges, and the mean price (EUR/kWh) of what it delivers."""

    start: datetime
    end: datetime
    price: float


def reason_without_plan(cause: NoPlanReason, language: str) -> str:
    """Return why there is no plan."""
    return _texts(language)[cause]


def reason_for_mode(
    plan: HomePlan, now: datetime, level: float, zone: tzinfo, language: str
) -> str:
    """Return the reason for the current mode; ``level`` is the energy above the reserve in kWh."""
    same, later = plan.ahead(now)
    if not same:
        return reason_without_plan(NoPlanReason.NO_PRICES, language)
    mode, use = same[0][1].mode, _next_use(later)
    until, quarters = same[-1][0].end, [quarter for quarter, _ in same]
    key = str(mode)
    price = max(quarter.price for quarter in quarters)
    match mode:
        case BatteryMode.SELF_USE if any(
            one.discharged > _NEGLIGIBLE for _, one in same
        ):
            key = "discharge"
        case BatteryMode.HOLD | BatteryMode.CHARGE if use is None:
            key = f"{mode}_on"
        case BatteryMode.FEED_IN:
            price = max(quarter.payout for quarter in quarters)
    if use is not None and mode in (BatteryMode.HOLD, BatteryMode.CHARGE):
        price = use.price
    bought = sum(quarter.price for quarter in quarters) / len(quarters)
    german = language.startswith("de")

    def at(instant: datetime | None) -> str:
        return f"{instant.astimezone(zone):%H:%M}" if instant else ""

    def number(value: float, digits: int) -> str:
        text = f"{round(value, digits) + 0.0:.{digits}f}"  # Avoids a negative zero.
        return text.replace(".", ",") if german else text

    return _texts(language)[key].format(
        until=at(until),
        horizon=at(plan.until),
        start=at(use and use.start),
        end=at(use and use.end),
        energy=number(level, 1),
        price=number(100 * price, 0),
        bought=number(100 * bought, 0),
    )


def _next_use(rest: Iterable[tuple[Quarter, Step]]) -> _DischargePeriod | None:
    """Return the next stretch in which the battery delivers; short pauses do not end it."""
    found: list[tuple[Quarter, Step]] = []
    for quarter, step in rest:
        if found and quarter.start - found[-1][0].end > _MAX_PAUSE:
            break
        if step.discharged > _NEGLIGIBLE:
            found.append((quarter, step))
    if not found:
        return None
    energy = sum(step.discharged for _, step in found)
    paid = sum(step.discharged * quarter.price for quarter, step in found)
    return _DischargePeriod(found[0][0].start, found[-1][0].end, paid / energy)


def _texts(language: str) -> dict[NoPlanReason | str, str]:
    return _GERMAN if language.startswith("de") else _ENGLISH
