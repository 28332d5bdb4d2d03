"""How it stands with one agent: what they have in hand, whether they want a contact, what they do."""

from datetime import datetime

from attrs import define, field

from cti_hooks import Activity, ActivityKind, Agent
from lcm_plugin.desk.doing import kind_of
from lcm_plugin.desk.hand import Hand
from lcm_plugin.desk.intake import Intake
from lcm_plugin.desk.parts import Parts, Shared
from lcm_plugin.desk.readiness import Readiness
from lcm_plugin.desk.waiting import waits_for


@define(kw_only=True, eq=False)
class Standing:
    """What a desk is made of, and what is told of its agent."""

    agent: Agent
    shared: Shared
    parts: Parts = field(init=False)
    _kind: ActivityKind = field(default=ActivityKind.IDLE, init=False)
    _since: datetime = field(init=False)

    @_since.default
    def _now(self) -> datetime:
        return self.shared.ledger.now()

    @property
    def hand(self) -> Hand:
        """What the agent has in hand."""
        return self.parts.hand

    @property
    def intake(self) -> Intake:
        """How contacts come to the agent."""
        return self.parts.intake

    @property
    def readiness(self) -> Readiness:
        """Whether the agent wants a contact."""
        return self.parts.readiness

    @property
    def wants(self) -> bool:
        """Whether the agent wants a contact."""
        return self.readiness.wants_one()

    @property
    def waits_for(self) -> str:
        """Why the agent gets no contact, in words; empty if they have one, or nobody can say."""
        reason = waits_for(self.readiness, self.hand.attempt, self.parts.refusing.trouble)
        waits = self.shared.supply.said(self.intake.place)
        return reason or (self.shared.outage.said or waits if self.intake.place.waits else "")

    @property
    def activity(self) -> Activity:
        """What the agent is doing."""
        return Activity(kind=self._kind, since=self._since, wants=self.wants, waits_for=self.waits_for)

    def note_activity(self) -> None:
        """Tell what the agent is doing, if it is something else than before and the host goes on."""
        is_stopped = self.readiness.is_stopped or (self.wants and self.parts.refusing.is_stopped)
        kind = kind_of(self.hand.attempt, wants=self.wants, is_stopped=is_stopped)
        if kind is not self._kind and not self.shared.closed.is_set():
            self._write_up(kind)
            self._kind, self._since = kind, self.shared.ledger.now()
            self.shared.tell_activity(self.hand.agent, self.activity)

    def _write_up(self, kind: ActivityKind) -> None:
        if kind is ActivityKind.WRAP_UP and self.hand.attempt:
            self.parts.wrap_up.begin(self.hand.attempt)
        else:
            self.parts.wrap_up.end()
