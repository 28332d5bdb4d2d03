"""A base class for each hook, for implementations that a type checker is to look at.

`class Dialer(MakeCall, FindCall):` has its methods' names, arguments and results checked, and cannot be made
without one of them. Its methods name all arguments of their hooks; without a base class a method may leave
out those it does not want. Made from `cti_hooks.spec` by `python hooks/facade.py`; a test keeps it current.
"""

from abc import abstractmethod
from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from cti_hooks.values import (
    Activity,
    Agent,
    AgentState,
    AnswerKind,
    Attempt,
    Call,
    CallEvent,
    Check,
    Contact,
    Dial,
    Disposition,
    Health,
    PastCall,
    Refusal,
)

if TYPE_CHECKING:
    from cti_hooks.host import Host


class OnStartup(Protocol):
    """Implements `on_startup`."""

    @abstractmethod
    def on_startup(self, *, host: "Host") -> object:
        """The host starts: open sockets and stores, start tasks."""


class OnShutdown(Protocol):
    """Implements `on_shutdown`."""

    @abstractmethod
    def on_shutdown(self) -> object:
        """The host stops: finish what must be finished, close the rest."""


class ReportHealth(Protocol):
    """Implements `report_health`."""

    @abstractmethod
    def report_health(self) -> Sequence[Health] | Awaitable[Sequence[Health] | None] | None:
        """Say how the things a plugin needs are: its engine, its store, the server it asks."""


class OnAgentLoggedOn(Protocol):
    """Implements `on_agent_logged_on`."""

    @abstractmethod
    def on_agent_logged_on(self, *, agent: Agent) -> object:
        """An agent logged on."""


class OnAgentReady(Protocol):
    """Implements `on_agent_ready`."""

    @abstractmethod
    def on_agent_ready(self, *, agent: Agent) -> object:
        """An agent is ready for the next contact."""


class OnAgentNotReady(Protocol):
    """Implements `on_agent_not_ready`."""

    @abstractmethod
    def on_agent_not_ready(self, *, agent: Agent, reason: str | None) -> object:
        """An agent wants no contact for now."""


class OnAgentBusy(Protocol):
    """Implements `on_agent_busy`."""

    @abstractmethod
    def on_agent_busy(self, *, agent: Agent, call: Call | None) -> object:
        """An agent is busy with an ACD call. Never a guard against a second contact: CSTA's Busy is ACD's only."""


class OnAgentWorkingAfterCall(Protocol):
    """Implements `on_agent_working_after_call`."""

    @abstractmethod
    def on_agent_working_after_call(self, *, agent: Agent) -> object:
        """An agent does after-call work of an ACD call."""


class OnAgentLoggedOff(Protocol):
    """Implements `on_agent_logged_off`."""

    @abstractmethod
    def on_agent_logged_off(self, *, agent: Agent) -> object:
        """An agent logged off."""


class RequestAgentState(Protocol):
    """Implements `request_agent_state`."""

    @abstractmethod
    def request_agent_state(
        self, *, agent: Agent, state: AgentState, reason: str | None
    ) -> bool | Awaitable[bool | None] | None:
        """Ask the host to put an agent into a state. The host owns agent states; a plugin never forces one."""


class SelectCampaignGroups(Protocol):
    """Implements `select_campaign_groups`."""

    @abstractmethod
    def select_campaign_groups(
        self, *, agent: Agent
    ) -> Sequence[str] | Awaitable[Sequence[str] | None] | None:
        """Choose the campaign groups an agent is served from, in order."""


class RequestNextContact(Protocol):
    """Implements `request_next_contact`."""

    @abstractmethod
    def request_next_contact(
        self, *, agent: Agent, campaign_group: str
    ) -> Contact | Awaitable[Contact | None] | None:
        """Fetch an agent's next contact. It may be reserved by this very question: ask when it will be used."""


class EnrichContact(Protocol):
    """Implements `enrich_contact`."""

    @abstractmethod
    def enrich_contact(self, *, contact: Contact, agent: Agent) -> Contact | Awaitable[Contact | None] | None:
        """Complete or repair a contact: a CRM's customer data, a number's missing country code."""


class ReviewContact(Protocol):
    """Implements `review_contact`."""

    @abstractmethod
    def review_contact(
        self, *, agent: Agent, contact: Contact, moment: datetime
    ) -> Refusal | Awaitable[Refusal | None] | None:
        """Say whether this contact may be called at this moment."""


class ExplainContact(Protocol):
    """Implements `explain_contact`."""

    @abstractmethod
    def explain_contact(
        self, *, agent: Agent, contact: Contact, moment: datetime
    ) -> Sequence[Check] | Awaitable[Sequence[Check] | None] | None:
        """Say of every rule whether it lets this contact be called at this moment, passed or not."""


class ListPastCalls(Protocol):
    """Implements `list_past_calls`."""

    @abstractmethod
    def list_past_calls(
        self, *, contact: Contact, since: datetime
    ) -> Sequence[PastCall] | Awaitable[Sequence[PastCall] | None] | None:
        """List the calls placed to this number, or to this contact under any number, by any host."""


class OnContactOffered(Protocol):
    """Implements `on_contact_offered`."""

    @abstractmethod
    def on_contact_offered(self, *, attempt: Attempt) -> object:
        """A contact is offered to an agent and waits for the agent's answer."""


class OnAttemptChanged(Protocol):
    """Implements `on_attempt_changed`."""

    @abstractmethod
    def on_attempt_changed(self, *, attempt: Attempt) -> object:
        """An attempt changed its state, or something in it changed."""


class OnAgentActivity(Protocol):
    """Implements `on_agent_activity`."""

    @abstractmethod
    def on_agent_activity(self, *, agent: Agent, activity: Activity) -> object:
        """An agent does something else now: they wait, talk, write up a call."""


class OnCallbackDue(Protocol):
    """Implements `on_callback_due`."""

    @abstractmethod
    def on_callback_due(self, *, agent: Agent, at: datetime) -> object:
        """It is the minute of a callback that this agent booked for themselves, and they ask for no contact now."""


class AnswerContact(Protocol):
    """Implements `answer_contact`."""

    @abstractmethod
    def answer_contact(
        self, *, agent: Agent, attempt_id: str, answer: AnswerKind, reason: str | None, actor: str
    ) -> Attempt | Awaitable[Attempt | None] | None:
        """Pass on what an agent says to an offer: dial, skip, reject or close."""


class MakeCall(Protocol):
    """Implements `make_call`."""

    @abstractmethod
    def make_call(self, *, attempt: Attempt, dial: Dial) -> Call | Awaitable[Call | None] | None:
        """Place a call: the agent's leg first, the customer's once the agent has answered."""


class FindCall(Protocol):
    """Implements `find_call`."""

    @abstractmethod
    def find_call(self, *, attempt_id: str) -> Call | Awaitable[Call | None] | None:
        """Look for an attempt's call at the engine, to settle doubt after a crash or a time-out."""


class ClearCall(Protocol):
    """Implements `clear_call`."""

    @abstractmethod
    def clear_call(self, *, call: Call) -> bool | Awaitable[bool | None] | None:
        """Hang up a call, all its legs."""


class OnCallEvent(Protocol):
    """Implements `on_call_event`."""

    @abstractmethod
    def on_call_event(self, *, event: CallEvent) -> object:
        """Something happened to a call."""


class DisposeAttempt(Protocol):
    """Implements `dispose_attempt`."""

    @abstractmethod
    def dispose_attempt(
        self, *, agent: Agent, attempt_id: str, disposition: Disposition, actor: str
    ) -> Attempt | Awaitable[Attempt | None] | None:
        """Say what came of a call: outcome, comments, callback, do-not-call."""
