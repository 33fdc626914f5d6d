"""Faults of the grant: revoked, lost, or refused for a while although valid; and the customer who links again."""

from datetime import datetime, timedelta
from typing import Any, Final

from tests.integration.soak.expected import FOREVER, Span
from tests.integration.soak.faults import LostAnswer, PassingRefusal, Revocation
from tests.integration.soak.stage import Stage

_REAUTH_WITHIN: Final = timedelta(hours=26)
"""Without faults, a hub notices a broken link within this time, since it sends requests every day."""

_SLIP: Final = timedelta(minutes=40)
"""How soon the grant is tried again after a refusal that may be a mistake."""

_RARELY: Final = timedelta(hours=28)
"""The same after a clear or repeated refusal: the gaps grow to a day, plus 15 %."""

_REFUSING: Final = "refusing"


class Grant:
    """The grant of one account."""

    def __init__(self, stage: Stage) -> None:
        """Begin with a valid grant."""
        self._stage = stage
        self._broken: Span | None = None
        self._until_linked = timedelta()
        self._once: list[Any] = []
        self._refused: dict[str, datetime] = {}
        """Until when the API and the token endpoint refuse a valid grant."""
        self._refusals = 0
        stage.proxy.on_loss = self._answer_lost
        stage.proxy.on_refusal = self._refused_by_mistake

    def revoke(self, trouble: Revocation) -> None:
        """Let the customer revoke the grant."""
        if self._broken is None:
            stage = self._stage
            stage.count("revoked by the customer")
            email = stage.subscriptions[0].email
            stage.sim.revoke(email, immediate=trouble.immediate)
            self.record_loss(trouble.until_linked)

    def lose_answer(self, trouble: LostAnswer) -> None:
        """Lose the next response with a rotated token."""
        self._until_linked = trouble.until_linked
        self._stage.sim.faults.add(trouble.how, "token", times=1)

    def _answer_lost(self) -> None:
        if self._broken is None:
            self._stage.count("lost the rotated token")
            self.record_loss(self._until_linked or timedelta(hours=1))

    def record_loss(self, until_linked: timedelta) -> None:
        """Record the loss of the grant, and how long after the prompt the customer links again."""
        stage = self._stage
        self._broken = stage.expected.trouble(stage.now, FOREVER, "link broken")
        self._until_linked = until_linked

    @property
    def is_broken(self) -> bool:
        """Return whether only the customer can help."""
        return self._broken is not None

    # --- Temporary refusals ------------------------------------------------------------------------------------

    def refuse(self, trouble: PassingRefusal) -> None:
        """Refuse a valid grant once, or until an instant."""
        stage, now, until = self._stage, self._stage.now, trouble.until
        answer = " ".join(str(value) for value in trouble.answer.values())
        if until is None:
            stage.count("slip", f"the next token request is refused: {answer}")
            self._once.append(
                stage.sim.faults.add("status", "token", times=1, **trouble.answer)
            )
            return
        stage.count(
            f"passing refusal ({trouble.where})",
            f"{trouble.where} refuses until {until:%d %H:%M}Z: {answer}",
        )
        stage.expected.trouble(now, until, _REFUSING)
        self._refused[trouble.where] = max(self._refused.get(trouble.where, now), until)
        for match in (
            ("token",) if trouble.where == "token" else ("/subscriptions", "/plans")
        ):
            stage.sim.faults.add(
                "status", match, between=(now, until), **trouble.answer
            )

    def _refused_by_mistake(self, kind: str, status: int) -> None:
        """Record that the hub was refused by mistake and now retries by itself."""
        stage, now = self._stage, self._stage.now
        where = "token" if kind == "token" else "api"
        slips = (
            [one for one in self._once if one.times == 0] if where == "token" else []
        )
        if slips:
            self._once = [one for one in self._once if one not in slips]
        elif now >= self._refused.get(where, now):
            return
        self._refusals = 1 if not self._is_refusing() else self._refusals + 1
        clear = status == 401 or where == "api" or self._refusals > 2
        stage.expected.trouble(now, now + (_RARELY if clear else _SLIP), _REFUSING)

    def _is_refusing(self) -> bool:
        return _REFUSING in self._stage.expected.current_troubles(self._stage.now)

    # --- The customer ------------------------------------------------------------------------------------------

    def watch(self) -> None:
        """Make the customer link again some time after the prompt."""
        stage, broken = self._stage, self._broken
        if broken is None or not stage.house.is_on:
            return
        if stage.house.reauth_flows:
            if self._until_linked:
                stage.plan(stage.now + self._until_linked, self._link_again)
                self._until_linked = timedelta()
        elif (
            self._until_linked
            and stage.expected.calm(broken.start, stage.now, "link broken", "waiting")
            > _REAUTH_WITHIN
        ):
            stage.checker.violate(
                "REAUTHENTICATION MISSING",
                "the link is broken and there is no prompt to link again",
                "link",
            )
            self._until_linked = timedelta()
            stage.plan(stage.now, self._link_again)

    async def _link_again(self) -> None:
        stage = self._stage
        if self._broken is None:
            return
        if not stage.house.is_on or stage.house.disk.fault:
            stage.plan(stage.now + timedelta(minutes=5), self._link_again)
            return
        stage.checker.note("linked again")
        stage.proxy.newest = await stage.house.link_again()
        stage.expected.end(self._broken, stage.now)
        self._broken = None
        # Home Assistant saves the new link a second later; a power cut before that may lose it.
        await stage.clock.advance(timedelta(seconds=3))
