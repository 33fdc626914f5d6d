"""Faults of Nomos: late publications, corrections, wrong responses, refused connections, foreign contracts."""

from datetime import date, datetime, time, timedelta
from typing import Any, Final

from simulator.berlin import DAY, at_local, day_intervals, midnight
from simulator.objects import subscription_object
from tests.integration.soak.expected import FOREVER, LONGEST_GAP, Publication
from tests.integration.soak.faults import Fault, ForeignContract, Hole, PublicationPlan
from tests.integration.soak.recipes import Harm
from tests.integration.soak.stage import Stage

_FORGIVEN: Final = 2 * DAY
"""The least time between lists without our contract, which hubs believe on two days in a row."""

_STRANGER: Final = "many@example.com"


class Nomos:
    """Injects faults into Nomos."""

    def __init__(self, stage: Stage, port: int) -> None:
        """Control the simulator on a port."""
        self._stage = stage
        self._port = port
        self._refusals = 0
        self._unlisted_until = stage.now - _FORGIVEN
        stage.proxy.on_wait = self._asked_to_wait
        stage.proxy.on_impatience = self._impatient

    def answer_wrongly(self, fault: Fault) -> None:
        """Send wrong responses for a while."""
        stage, recipe, match, until = (
            self._stage,
            fault.recipe,
            fault.match,
            fault.until,
        )
        if recipe.harm is Harm.LISTS and not self._may_not_list(until):
            return
        expected, now = stage.expected, stage.now
        stage.count(
            recipe.name, f"{recipe.name} on {match or 'all'} until {until:%d %H:%M}Z"
        )
        stage.sim.faults.add(recipe.kind, match, between=(now, until), **recipe.params)
        if recipe.harm is Harm.DENIED:
            expected.trouble(now, until + LONGEST_GAP, recipe.name)
        elif recipe.harm in {Harm.SETUP, Harm.LISTS} or (
            match == "subscriptions" and recipe.harm is Harm.ALL
        ):
            expected.trouble(now, until, "no subscriptions", (FOREVER, FOREVER))
        elif recipe.harm is Harm.ALL:
            expected.trouble(now, until, recipe.name)
        else:
            expected.record_disturbed(now, until)

    def _may_not_list(self, until: datetime) -> bool:
        """Return whether our contract may be missing now; if so, record it."""
        if self._stage.now < self._unlisted_until + _FORGIVEN:
            return False
        self._unlisted_until = until
        return True

    def list_foreign_contract(self, trouble: ForeignContract) -> None:
        """List a contract of another customer for a while."""
        stage, instead, until = self._stage, trouble.instead, trouble.until
        sim, now = stage.sim, stage.now
        if instead and not self._may_not_list(until):
            return
        stranger = sim.customers[_STRANGER].subscriptions[3]

        def change(payload: dict[str, Any]) -> dict[str, Any]:
            if "items" in payload:
                foreign = subscription_object(sim.world, stranger, now, embed=False)
                payload["items"] = [foreign, *([] if instead else payload["items"])]
            return payload

        how = "instead of ours" if instead else "beside ours"
        stage.count(f"foreign contract {how}")
        stage.checker.strangers.add(stranger.id)
        sim.faults.add("mutate", "subscriptions", between=(now, until), change=change)
        stage.expected.trouble(now, until, "no subscriptions", (FOREVER, FOREVER))

    def leave_hole(self, hole: Hole) -> None:
        """Leave out some intervals for a while."""
        stage, now = self._stage, self._stage.now
        style, (first, last), until = hole.style, hole.intervals, hole.until
        holes: dict[str, Any] = {style: [hole.intervals]}
        stage.count(
            f"hole ({style})",
            f"{style} from {first:%d %H:%M}Z to {last:%d %H:%M}Z until {until:%d %H:%M}Z",
        )
        stage.sim.faults.add("settings", "prices", between=(now, until), **holes)
        stage.expected.trouble(now, until, "hole", hole.intervals)

    async def refuse(self, until: datetime) -> None:
        """Refuse connections for a while."""
        stage = self._stage
        stage.count("refused", f"nobody listens until {until:%d %H:%M}Z")
        stage.expected.trouble(stage.now, until, "refused")
        self._refusals += 1
        if self._refusals == 1:
            await stage.sim.stop()
        stage.plan(until, self._listen)

    async def _listen(self) -> None:
        self._refusals -= 1
        if self._refusals == 0:
            await self._stage.sim.start(self._port)
            self._stage.checker.note("Nomos listens again")

    def publish(self, publication: PublicationPlan) -> None:
        """Configure how a delivery day is published, which determines the simulator's responses."""
        stage, day = self._stage, publication.day
        stage.count(
            f"published {publication.kind}",
            f"{day} comes out {publication.kind} {publication.at:%H:%M}",
        )
        sim, eve, known = stage.sim, day - DAY, stage.expected.publications
        at: datetime = FOREVER
        match publication.kind:
            case "late":
                sim.publish_at(day, publication.at)
                at = at_local(eve, publication.at)
                known[day] = Publication(at, 100, at)
            case "partial":
                sim.publish_at(day, publication.at)
                first = at_local(eve, publication.at)
                at = first + timedelta(minutes=publication.minutes)
                batch = int(
                    publication.batch * len(day_intervals(day, stage.expected.step))
                )
                sim.configure(partial_batch=batch, partial_minutes=publication.minutes)
                known[day] = Publication(first, batch, at)
                stage.plan(
                    at_local(eve, time(23, 50)),
                    lambda: sim.configure(partial_batch=None),
                )
            case "never" | "tardy":
                sim.publish_at(day, "never")
                known[day] = Publication(FOREVER, 100, FOREVER)
                if publication.kind == "tardy":
                    at = at_local(day, publication.at)
                    known[day] = Publication(at, 100, at)
                    stage.plan(at, lambda: sim.publish_at(day, time(13)))
        stage.expected.record_disturbed(stage.now, min(at, midnight(day + DAY)))

    def correct(self, at: datetime, amount: float) -> None:
        """Correct a price that is published."""
        stage, sim = self._stage, self._stage.sim
        subscription = stage.rng.choice(stage.subscriptions)
        point = sim.price(subscription.id, at)
        assert point is not None
        if stage.expected.published(point.start) <= stage.now:
            stage.count(
                "corrected",
                f"{point.start:%d %H:%M}Z corrected from {point.amount} to {amount}",
            )
            key = subscription.id, point.start
            stage.expected.superseded.setdefault(key, set()).add(point.amount)
            sim.correct_price(subscription.id, at, amount)

    def forget_before(self, today: date) -> None:
        """Drop past faults and publications, so that a long run does not get slower."""
        faults: Any = self._stage.sim.faults
        faults._faults = [
            one
            for one in faults.pending
            if one.between is None or one.between[1] > self._stage.now
        ]
        settings = self._stage.sim.settings
        self._stage.sim.configure(
            publications={
                day: at
                for day, at in settings.publications.items()
                if day >= today - 2 * DAY
            }
        )

    def _asked_to_wait(self, _path: str, until: datetime) -> None:
        self._stage.expected.trouble(self._stage.now, until, "waiting")

    def _impatient(self, path: str, until: datetime) -> None:
        checker = self._stage.checker
        if checker.restarted_since(self._stage.proxy.waits[path][0]):
            checker.figures.impatient_after_restart += 1
            return
        checker.violate(
            "IMPATIENT",
            f"{path.rsplit('/', 1)[-1]} asked for before {until:%d %H:%M:%S}Z",
            path,
        )
