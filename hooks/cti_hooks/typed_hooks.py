"""The contract's hooks, for callers: one typed method for each, which a type checker can look at.

Made from `cti_hooks.spec` by `python hooks/facade.py`; a test keeps it current.
"""

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from cti_hooks.dispatch import Hooks
from cti_hooks.values import (
    Activity,
    Agent,
    AgentState,
    Answer,
    AnswerKind,
    Attempt,
    Call,
    CallEvent,
    Contact,
    Dial,
    Disposition,
    PastCall,
)


@frozen
class TypedHooks:
    """Calls each hook the way it declares; a wrong name, argument or result is a type checker's finding."""

    hooks: Hooks

    async def report_health(self) -> list[Answer]:
        """Say how the things a plugin needs are: its engine, its store, the server it asks."""
        return await self.hooks.all("report_health")

    async def on_agent_logged_on(self, *, agent: Agent) -> list[Answer]:
        """An agent logged on."""
        return await self.hooks.all("on_agent_logged_on", agent=agent)

    async def on_agent_ready(self, *, agent: Agent) -> list[Answer]:
        """An agent is ready for the next contact."""
        return await self.hooks.all("on_agent_ready", agent=agent)

    async def on_agent_not_ready(self, *, agent: Agent, reason: str | None) -> list[Answer]:
        """An agent wants no contact for now."""
        return await self.hooks.all("on_agent_not_ready", agent=agent, reason=reason)

    async def on_agent_busy(self, *, agent: Agent, call: Call | None) -> list[Answer]:
        """An agent is busy with an ACD call. Never a guard against a second contact: CSTA's Busy is ACD's only."""
        return await self.hooks.all("on_agent_busy", agent=agent, call=call)

    async def on_agent_working_after_call(self, *, agent: Agent) -> list[Answer]:
        """An agent does after-call work of an ACD call."""
        return await self.hooks.all("on_agent_working_after_call", agent=agent)

    async def on_agent_logged_off(self, *, agent: Agent) -> list[Answer]:
        """An agent logged off."""
        return await self.hooks.all("on_agent_logged_off", agent=agent)

    async def request_agent_state(
        self, *, agent: Agent, state: AgentState, reason: str | None
    ) -> bool | None:
        """Ask the host to put an agent into a state. The host owns agent states; a plugin never forces one."""
        result: bool | None = await self.hooks.first(
            "request_agent_state", agent=agent, state=state, reason=reason
        )
        return result

    async def select_campaign_groups(self, *, agent: Agent) -> Sequence[str] | None:
        """Choose the campaign groups an agent is served from, in order."""
        result: Sequence[str] | None = await self.hooks.first("select_campaign_groups", agent=agent)
        return result

    async def request_next_contact(self, *, agent: Agent, campaign_group: str) -> Contact | None:
        """Fetch an agent's next contact. It may be reserved by this very question: ask when it will be used."""
        result: Contact | None = await self.hooks.first(
            "request_next_contact", agent=agent, campaign_group=campaign_group
        )
        return result

    async def enrich_contact(self, *, contact: Contact, agent: Agent) -> Contact:
        """Complete or repair a contact: a CRM's customer data, a number's missing country code."""
        result: Contact = await self.hooks.chain("enrich_contact", contact=contact, agent=agent)
        return result

    async def review_contact(self, *, agent: Agent, contact: Contact, moment: datetime) -> list[Answer]:
        """Say whether this contact may be called at this moment."""
        return await self.hooks.all("review_contact", agent=agent, contact=contact, moment=moment)

    async def explain_contact(self, *, agent: Agent, contact: Contact, moment: datetime) -> list[Answer]:
        """Say of every rule whether it lets this contact be called at this moment, passed or not."""
        return await self.hooks.all("explain_contact", agent=agent, contact=contact, moment=moment)

    async def list_past_calls(self, *, contact: Contact, since: datetime) -> Sequence[PastCall] | None:
        """List the calls placed to this number, or to this contact under any number, by any host."""
        result: Sequence[PastCall] | None = await self.hooks.first(
            "list_past_calls", contact=contact, since=since
        )
        return result

    async def on_contact_offered(self, *, attempt: Attempt) -> list[Answer]:
        """A contact is offered to an agent and waits for the agent's answer."""
        return await self.hooks.all("on_contact_offered", attempt=attempt)

    async def on_attempt_changed(self, *, attempt: Attempt) -> list[Answer]:
        """An attempt changed its state, or something in it changed."""
        return await self.hooks.all("on_attempt_changed", attempt=attempt)

    async def on_agent_activity(self, *, agent: Agent, activity: Activity) -> list[Answer]:
        """An agent does something else now: they wait, talk, write up a call."""
        return await self.hooks.all("on_agent_activity", agent=agent, activity=activity)

    async def on_callback_due(self, *, agent: Agent, at: datetime) -> list[Answer]:
        """It is the minute of a callback that this agent booked for themselves, and they ask for no contact now."""
        return await self.hooks.all("on_callback_due", agent=agent, at=at)

    async def answer_contact(
        self, *, agent: Agent, attempt_id: str, answer: AnswerKind, reason: str | None, actor: str
    ) -> Attempt | None:
        """Pass on what an agent says to an offer: dial, skip, reject or close."""
        result: Attempt | None = await self.hooks.first(
            "answer_contact", agent=agent, attempt_id=attempt_id, answer=answer, reason=reason, actor=actor
        )
        return result

    async def make_call(self, *, attempt: Attempt, dial: Dial) -> Call | None:
        """Place a call: the agent's leg first, the customer's once the agent has answered."""
        result: Call | None = await self.hooks.first("make_call", attempt=attempt, dial=dial)
        return result

    async def find_call(self, *, attempt_id: str) -> list[Answer]:
        """Look for an attempt's call at the engine, to settle doubt after a crash or a time-out."""
        return await self.hooks.all("find_call", attempt_id=attempt_id)

    async def clear_call(self, *, call: Call) -> bool | None:
        """Hang up a call, all its legs."""
        result: bool | None = await self.hooks.first("clear_call", call=call)
        return result

    async def on_call_event(self, *, event: CallEvent) -> list[Answer]:
        """Something happened to a call."""
        return await self.hooks.all("on_call_event", event=event)

    async def dispose_attempt(
        self, *, agent: Agent, attempt_id: str, disposition: Disposition, actor: str
    ) -> Attempt | None:
        """Say what came of a call: outcome, comments, callback, do-not-call."""
        result: Attempt | None = await self.hooks.first(
            "dispose_attempt", agent=agent, attempt_id=attempt_id, disposition=disposition, actor=actor
        )
        return result
