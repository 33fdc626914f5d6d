"""Compares states with the expected ones; collects violations and figures."""

from collections import Counter, deque
from datetime import datetime, timedelta
import logging
from typing import Any, Final

from custom_components.nomos.const import DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import (
    EVENT_STATE_CHANGED,
    EVENT_STATE_REPORTED,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import Event, EventStateReportedData, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from simulator import Simulator
from simulator.berlin import DAY, day_intervals, local_date
from simulator.customers import Subscription
from tests.integration.soak.audit import shown_of, unsavable
from tests.integration.soak.budget import Budget
from tests.integration.soak.clock import SoakClock
from tests.integration.soak.expected import LONGEST_GAP_IN_THE_DARK, Expected
from tests.integration.soak.house import House
from tests.integration.soak.proxy import Proxy
from tests.integration.soak.report import (
    Figures,
    LogWatch,
    Violation,
    is_alarming,
    is_ours,
    local,
)

MOST_VIOLATIONS: Final = 20
MOST_OF_A_KIND: Final = 5
"""The most violations of a kind that are reported; further ones are only counted."""

_SETTLED: Final = timedelta(seconds=10)
"""How long after a successful response an obsolete prompt is gone."""


class Checker:
    """Compares the states of one account with the expected ones."""

    def __init__(
        self,
        hass: HomeAssistant,
        clock: SoakClock,
        sim: Simulator,
        proxy: Proxy,
        expected: Expected,
        house: House,
        subscriptions: list[Subscription],
        log: LogWatch,
    ) -> None:
        """Check this account with these parts of the soak."""
        self.violations: list[Violation] = []
        self.kinds: Counter[str] = Counter()
        self.figures = Figures()
        self.recent: deque[str] = deque(maxlen=20)
        self._hass = hass
        self._clock = clock
        self._sim = sim
        self._proxy = proxy
        self._expected = expected
        self._house = house
        self._subscriptions = subscriptions
        self._log = log
        self._open: dict[tuple[str, str], Violation] = {}
        self._dark_since: dict[str, datetime] = {}
        self._entities: dict[tuple[str, str, str], str] = {}
        self._jumps: list[tuple[datetime, datetime]] = []
        """When states must be right again after a jump of the clock, and the hub's time before the jump."""
        self._writes = 0
        self._budget = Budget(proxy, expected, len(subscriptions))
        self.strangers: set[str] = set()
        """Contracts of other customers that Nomos has listed."""
        self._flows_seen = 0
        self._asked_since = clock.true
        self._log_seen = 0
        self._day = local_date(clock.true)
        self._started_at = clock.true

        @callback
        def written(_event: Event[Any]) -> None:
            self._writes += 1

        @callback
        def ours(data: EventStateReportedData | Any) -> bool:
            registered = er.async_get(hass).async_get(data["entity_id"])
            return registered is not None and registered.platform == DOMAIN

        hass.bus.async_listen(EVENT_STATE_CHANGED, written, event_filter=ours)
        hass.bus.async_listen(EVENT_STATE_REPORTED, written, event_filter=ours)

    # --- Events ------------------------------------------------------------------------------------------------

    def note(self, what: str, at: datetime | None = None) -> None:
        """Record an event for the report."""
        self.recent.append(f"{local(at or self._clock.true)} {what}")

    def clock_jumped(self, hub_before: datetime, until: datetime) -> None:
        """Record a jump of the hub's clock; until an instant, states may be those of the old time."""
        now = self._clock.true
        self._jumps = [one for one in self._jumps if now < one[0]]
        self._jumps.append((until, hub_before))

    def house_started(self) -> None:
        """Record a start of the hub: gaps between requests count from here."""
        self._started_at = self._clock.true
        self._dark_since.clear()
        self._budget.starts += 1

    def restarted_since(self, instant: datetime) -> bool:
        """Whether the hub started after an instant."""
        return self._started_at >= instant

    def violate(self, kind: str, detail: str, key: str = "") -> None:
        """Report a violation, once while it lasts."""
        now = self._clock.true
        if (known := self._open.get((kind, key))) is not None:
            known.until = now
            known.times += 1
            return
        self.kinds[kind] += 1
        if self.kinds[kind] > MOST_OF_A_KIND:
            return
        violation = Violation(
            now,
            kind,
            detail,
            self._expected.current_troubles(now),
            list(self.recent),
            now,
        )
        self.violations.append(violation)
        if key:
            self._open[kind, key] = violation

    def kept(self, key: str, *kinds: str) -> None:
        """Record that violations are over."""
        for kind in kinds:
            self._open.pop((kind, key), None)

    # --- Checks ------------------------------------------------------------------------------------------------

    def check(self, *, thorough: bool = False) -> None:
        """Compare all states."""
        self._check_log()
        self._check_flows()
        self._count_requests()
        if thorough and self._house.is_on:
            self._check_others()
        if not self._house.is_on:
            self.figures.off += len(self._subscriptions)
            return
        for subscription in self._subscriptions:
            self._check_price(subscription)
            self._check_tomorrow(subscription)
            if thorough and not self._is_history:
                self._check_lists(subscription)

    def _state(self, subscription: Subscription, key: str, platform: str) -> Any:
        name = platform, subscription.id, key
        if name not in self._entities:
            found = er.async_get(self._hass).async_get_entity_id(
                platform, DOMAIN, f"{subscription.id}_{key}"
            )
            if found is None:
                return None
            self._entities[name] = found
        return self._hass.states.get(self._entities[name])

    def _price_state(self, subscription: Subscription) -> Any:
        key = "payout" if subscription.type == "feed_in" else "price"
        return self._state(subscription, key, "sensor")

    @property
    def _in_grace(self) -> bool:
        return any(self._clock.true < until for until, _ in self._jumps)

    def _allowed(self, subscription: Subscription, at: datetime) -> set[float]:
        """Return the prices in ct/kWh that may be shown for the interval of an instant."""
        point = self._sim.price(subscription.id, at)
        assert point is not None
        known = self._proxy.prices.get(subscription.id, {}).get(point.start)
        if known is not None and known.certain:
            return {known.amount}
        allowed = {point.amount}
        allowed |= self._expected.superseded.get((subscription.id, point.start), set())
        if known is not None:
            allowed |= {known.amount}
            if known.before is not None:
                allowed.add(known.before)
        return allowed

    @property
    def _is_history(self) -> bool:
        """Return whether the hub's clock is on a past day, whose prices need not be known."""
        return local_date(self._clock.hub) < local_date(self._clock.true) - DAY

    def _check_price(self, subscription: Subscription) -> None:
        now, hub = self._clock.true, self._clock.hub
        state = self._price_state(subscription)
        text = STATE_UNAVAILABLE if state is None else state.state
        point = self._sim.price(subscription.id, hub)
        assert point is not None
        self.figures.checked += 1
        if text not in {STATE_UNAVAILABLE, STATE_UNKNOWN}:
            self.figures.shown += 1
            self._dark_since.pop(subscription.id, None)
            self.kept(subscription.id, "LOST", "NOT FETCHED", "TOO SLOW IN THE DARK")
            allowed = self._allowed(subscription, hub)
            if _among(text, allowed):
                self.kept(subscription.id, "WRONG PRICE")
                return
            if self._in_grace and any(
                _among(text, self._allowed(subscription, before))
                for _, before in self._jumps
            ):
                self.figures.momentary += 1
                return
            self.violate(
                "WRONG PRICE",
                f"{text} shown at {local(hub)}, the market says {point.amount / 100:.6f}",
                subscription.id,
            )
            return
        if self._in_grace:
            self.figures.momentary += 1
            return
        if self._is_history:
            self.figures.excused += 1
            return
        known = self._proxy.prices.get(subscription.id, {}).get(point.start)
        if known is not None and known.certain:
            self.violate(
                "LOST",
                f"{text} at {local(hub)}, though the price had come at {local(known.at)}"
                f" (entry {self._house.entry.state.value})",
                subscription.id,
            )
            return
        reason = self._expected.obtainable(point.start, now)
        if reason is not None:
            self.violate(
                "NOT FETCHED",
                f"{text} at {local(hub)}, published"
                f" {local(self._expected.published(point.start))}, {reason}"
                f" (entry {self._house.entry.state.value})",
                subscription.id,
            )
            return
        self.figures.excused += 1
        self._check_search(subscription, now)

    def _check_search(self, subscription: Subscription, now: datetime) -> None:
        """Check that a hub without a price sends a request every half hour, if it can."""
        dark_since = self._dark_since.setdefault(subscription.id, now)
        last = self._proxy.requests[-1].at if self._proxy.requests else dark_since
        waiting = any(
            span.what
            in {
                *("link broken", "refusing", "refused", "waiting"),
                *("403", "402", "404", "clock"),
            }
            and span.start <= now
            and span.end + LONGEST_GAP_IN_THE_DARK * 2 >= max(last, dark_since)
            for span in self._expected.spans
        )
        if (
            not waiting
            and last > dark_since
            and now - last > LONGEST_GAP_IN_THE_DARK
            and self._house.entry.state is ConfigEntryState.LOADED
        ):
            self.violate(
                "TOO SLOW IN THE DARK",
                f"no price since {local(dark_since)}, last request {local(last)}",
                subscription.id,
            )

    def _check_tomorrow(self, subscription: Subscription) -> None:
        if self._in_grace or self._is_history:
            return
        state = self._state(subscription, "tomorrow_available", "binary_sensor")
        if state is None or state.state not in {"on", "off"}:
            return
        known = self._proxy.prices.get(subscription.id, {})
        tomorrow = local_date(self._clock.hub) + DAY
        starts = day_intervals(tomorrow, subscription.step)
        have = [known.get(start) for start in starts]
        if state.state == "on" and not all(have):
            missing = sum(one is None for one in have)
            self.violate(
                "TOMORROW TOO EARLY",
                f"on for {tomorrow}, though {missing} intervals never came",
                subscription.id,
            )
        elif state.state == "off" and all(
            one is not None and one.certain for one in have
        ):
            self.violate(
                "TOMORROW MISSING",
                f"off for {tomorrow}, though every interval came",
                subscription.id,
            )
        else:
            self.kept(subscription.id, "TOMORROW TOO EARLY", "TOMORROW MISSING")

    def _check_lists(self, subscription: Subscription) -> None:
        """Compare the lists of today and tomorrow interval by interval."""
        state = self._price_state(subscription)
        if self._in_grace or state is None or state.state == STATE_UNAVAILABLE:
            return
        known = self._proxy.prices.get(subscription.id, {})
        today = local_date(self._clock.hub)
        for name, day in (("prices_today", today), ("prices_tomorrow", today + DAY)):
            listed = {
                datetime.fromisoformat(one["start"]): one["price"]
                for one in state.attributes.get(name, ())
            }
            for start in day_intervals(day, subscription.step):
                price = listed.pop(start, None)
                if price is None:
                    if (one := known.get(start)) is not None and one.certain:
                        self.violate(
                            "LOST FROM LIST",
                            f"{local(start)} came at {local(one.at)}",
                            name,
                        )
                        return
                elif not _among(price, self._allowed(subscription, start)):
                    self.violate("WRONG IN LIST", f"{price} at {local(start)}", name)
                    return
            if listed:
                self.violate("WRONG IN LIST", f"{len(listed)} of no such day", name)
                return
            self.kept(name, "LOST FROM LIST", "WRONG IN LIST")

    def _check_flows(self) -> None:
        flows, now = len(self._house.reauth_flows), self._clock.true
        if flows > 1:
            self.violate("ASKED TWICE", f"{flows} prompts to link again", "flows")
        if flows > self._flows_seen:
            self.figures.reauthentications += 1
            self.note("asked to link again")
            self._asked_since = now
            if not {"link broken", "refusing"} & {
                *self._expected.current_troubles(now)
            }:
                self.violate("NEEDLESS REAUTHENTICATION", "the grant was good")
        good = self._proxy.last_good
        if flows and good and self._asked_since < good < now - _SETTLED:
            self.violate(
                "QUESTION STAYS", f"though prices came at {local(good)}", "question"
            )
        if flows <= 1:
            self.kept("flows", "ASKED TWICE")
        if not flows:
            self.kept("question", "QUESTION STAYS")
        self._flows_seen = flows

    # --- After an event ------------------------------------------------------------------------------

    def check_token(self, when: str) -> None:
        """Check that the newest token is on the disk."""
        if not self._house.has_on_disk(self._proxy.newest):
            self.violate("TOKEN NOT ON DISK", when)

    def check_asked(self, since: datetime) -> None:
        """Check that a hub has requested missing data since its clock was set right, unless a fault prevented it."""
        now, hub = self._clock.true, self._clock.hub
        if (
            not self._house.is_on
            or self._clock.skew
            or self.restarted_since(since)
            or self._house.entry.state is not ConfigEntryState.LOADED
            or self._expected.calm(since, now, interval=hub) < now - since
        ):
            return
        for subscription in self._subscriptions:
            state = self._price_state(subscription)
            lacks = state is None or state.state in {STATE_UNAVAILABLE, STATE_UNKNOWN}
            if lacks and self._expected.published(hub) <= since:
                self.violate(
                    "NOT ASKED AFTER THE CLOCK",
                    f"right since {local(since)}, and no price",
                    subscription.id,
                )

    def _check_others(self) -> None:
        """Check that the rest of Home Assistant is not harmed, and no other customer's contract is shown."""
        if (found := unsavable(self._hass)) is not None:
            self.violate("UNSAVABLE", found, "unsavable")
        else:
            self.kept("unsavable", "UNSAVABLE")
        if (
            found := shown_of(self._hass, self._house.entry.entry_id, self.strangers)
        ) is not None:
            self.violate("STRANGER", found, "stranger")

    def _check_log(self) -> None:
        for number, record in enumerate(self._log.records[self._log_seen :]):
            text = record.getMessage()
            if is_ours(record) or record.levelno >= logging.ERROR:
                self.note(f"log: {record.levelname} {text[:160]}")
            if is_alarming(record):
                line = self._log.lines[self._log_seen + number]
                self.violate("LOG", line[-1500:], f"{record.name} {text[:40]}")
        self._log_seen = len(self._log.records)

    # --- Counts ------------------------------------------------------------------------------------------------

    def _count_requests(self) -> None:
        for one in self._budget.count():
            self.note(f"{one.kind} {one.status}", one.at)

    def day_over(self) -> None:
        """Check the requests of a past day, and drop old data."""
        self._count_requests()
        self._check_others()
        now, day = self._clock.true, self._day
        self._day = local_date(now)
        count, quiet, broken = self._budget.settle(day, now)
        figures = self.figures
        figures.days += 1
        figures.requests.append(count)
        figures.writes.append(self._writes)
        self._writes = 0
        if quiet:
            figures.clean.append(count)
        for kind, detail in broken:
            self.violate(kind, detail)
        past = now - 3 * DAY
        self._proxy.forget_before(past)
        self._expected.forget_before(past)
        self._budget.forget()


def _among(shown: str | float, cents: set[float]) -> bool:
    try:
        value = float(shown)
    except ValueError:
        return False
    return any(abs(value - one / 100) < 1e-6 for one in cents)
