"""The hooks between a CTI host, its contact sources, its policies and its dialers.

What holds for all of them: implementations may be `async def` or plain `def`, name the arguments they want,
and take `tryfirst`, `trylast` and `wrapper=True` as in pluggy. Call order is the order of the host's config
file. How each is called is its declaration; the rules of `all`, `first`, `once` and `chain` are in
`cti_hooks.dispatch`. `hooks/README.md` has an example for each.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cti_hooks.markers import Declaration, Way, hookspec
from cti_hooks.values import (
    Activity,
    Agent,
    AgentState,
    AnswerKind,
    Attempt,
    Call,
    CallEvent,
    Check,
    Consent,
    Contact,
    Dial,
    Disposition,
    Health,
    PastCall,
    Refusal,
)

if TYPE_CHECKING:
    from cti_hooks.host import Host

_Notice = TypeVar("_Notice", bound=Callable[..., object])
_OF_A_NOTICE: Final = """- A value is in its `Answer` and means nothing.
- An exception is logged and in its `Answer`; the others are not affected."""
_CONSENT_RANK = {Consent.NOT_GIVEN: 0, Consent.UNKNOWN: 1, Consent.GIVEN: 2}


def _until_not_after(arguments: Mapping[str, Any], now: datetime) -> float:
    dial: Dial = arguments["dial"]
    return (dial.not_after - now).total_seconds()


def _enrichment(before: Contact, after: Contact) -> str | None:
    if after.key != before.key:
        return "it changed the contact's key"
    if after.source != before.source:
        return "it changed the contact's source"
    if after.expires_at != before.expires_at:
        return "it changed the contact's expiry"
    if _CONSENT_RANK[after.consent] > _CONSENT_RANK[before.consent]:
        return f"it raised consent from {before.consent} to {after.consent}"
    return None


FETCH_LIMIT: Final = 20
"""Seconds `request_next_contact` may take."""

NOTIFY = Declaration(way=Way.ALL)
ASK = Declaration(way=Way.FIRST)
ASK_ONCE = Declaration(way=Way.FIRST, once=True, limit=20)


def notice(function: _Notice) -> _Notice:
    """Declare a hook that only tells. What its results mean is the same for all of them, so it stands here."""
    told, _, arguments = inspect.cleandoc(function.__doc__ or "").partition("\n\nArguments:")
    function.__doc__ = f"{told}\n\n{_OF_A_NOTICE}\n\nArguments:{arguments}"
    return hookspec(NOTIFY)(function)


# -- the host's life ----------------------------------------------------------------------------------------


@hookspec(Declaration(way=Way.EACH, limit=30))
def on_startup(host: "Host") -> object:
    """The host starts: open sockets and stores, start tasks.

    Called by the host, for every plugin in call order, one after another. Limit 30 s each.

    - A value means nothing.
    - An exception stops the plugins that had started and is raised from the host's start.

    Arguments:
        host: `host.hooks` calls hooks, `host.clock` tells instants, `host.random` is the source of chance,
            `host.name` the host's name in logs, `host.directory` where relative paths start; plugins after
            this one are there once `await host.started.wait()` is over. If `host.observes`, another host
            owns the engines: take over none of its connections, place no call, hang up none.
    """


@hookspec(Declaration(way=Way.EACH, backwards=True, limit=10))
def on_shutdown() -> object:
    """The host stops: finish what must be finished, close the rest.

    Called by the host, for every plugin that had started, in reverse call order. Limit: the host's
    `drain_seconds` each.

    - A value means nothing.
    - An exception is logged; the other plugins are stopped all the same.
    """


@hookspec(NOTIFY)
def report_health() -> Sequence[Health] | None:
    """Say how the things a plugin needs are: its engine, its store, the server it asks.

    Called by the host for its readiness, and by `lcm-plugin check`. Answer from what is known, or with
    one short question; the time limit is 5 s.

    - None: nothing to report.
    - A sequence of `Health`: while one of them is not good, the host says that it is not ready, and why.
      If that one `serves`, the host is ready, and says what is not good all the same.
    - An exception is logged and counts as not good.
    """


# -- agent states, as the host tells them -------------------------------------------------------------------


@notice
def on_agent_logged_on(agent: Agent) -> object:
    """An agent logged on.

    Called by the host. Implementations return at once and leave the work to tasks of their own.

    Arguments:
        agent: the agent, as the host knows them now.
    """


@notice
def on_agent_ready(agent: Agent) -> object:
    """An agent is ready for the next contact.

    Called by the host, at every change to ready. lcm-plugin starts to look for the agent's next contact, and
    goes on after each until another state is told. Ready told again is no news.

    Arguments:
        agent: the agent, as the host knows them now; a new endpoint or new campaign groups hold from here on.
    """


@notice
def on_agent_not_ready(agent: Agent, reason: str | None) -> object:
    """An agent wants no contact for now.

    Called by the host. lcm-plugin stops looking; a contact it holds for the agent stays held.

    Arguments:
        agent: the agent.
        reason: the site's reason code or text, or None.
    """


@notice
def on_agent_busy(agent: Agent, call: Call | None) -> object:
    """An agent is busy with an ACD call. Never a guard against a second contact: CSTA's Busy is ACD's only.

    Called by the host. lcm-plugin dials nothing for the agent meanwhile, and an offer's time stands still.

    Arguments:
        agent: the agent.
        call: the call, if the host knows it; with an attempt's own call the agent is busy with no other.
    """


@notice
def on_agent_working_after_call(agent: Agent) -> object:
    """An agent does after-call work of an ACD call.

    Called by the host. lcm-plugin looks for no contact until the agent is ready.

    Arguments:
        agent: the agent.
    """


@notice
def on_agent_logged_off(agent: Agent) -> object:
    """An agent logged off.

    Called by the host. lcm-plugin stops looking; a call in progress goes on.

    Arguments:
        agent: the agent.
    """


@hookspec(ASK)
def request_agent_state(agent: Agent, state: AgentState, reason: str | None) -> bool | None:
    """Ask the host to put an agent into a state. The host owns agent states; a plugin never forces one.

    Called by a plugin, implemented by the host. lcm-plugin asks for not ready if nobody answers its offers.

    - None: the host does not do that; the next is asked. To lcm-plugin, which then has stopped
      fetching for the agent, ready counts again once the host has told another state.
    - True or False: whether the host did it.
    - An exception is logged and the next is asked; raised when nobody answered.

    Arguments:
        agent: the agent.
        state: the state wished for.
        reason: why, for the host's records.
    """


# -- from the LCM to the agent ------------------------------------------------------------------------------


@hookspec(ASK)
def select_campaign_groups(agent: Agent) -> Sequence[str] | None:
    """Choose the campaign groups an agent is served from, in order.

    Called by lcm-plugin before each round of fetching, implemented by the site.

    - None: the next is asked; when nobody answers, the agent's own groups, else the configured ones.
    - A sequence is used as it is; an empty one means no group, so nothing is fetched.
    - An exception is logged and the next is asked; raised when nobody answered.

    Arguments:
        agent: the agent.
    """


@hookspec(Declaration(way=Way.FIRST, limit=FETCH_LIMIT))
def request_next_contact(agent: Agent, campaign_group: str) -> Contact | None:
    """Fetch an agent's next contact. It may be reserved by this very question: ask when it will be used.

    Called by lcm-plugin for each campaign group in turn, or by the host; implemented by lcm-plugin, or by
    another source of contacts. What another source gives is offered, reviewed, dialed and followed as any
    other, and nothing of it is told to the LCM: its disposition closes it here. Limit 20 s.

    - None: this source has no contact now; the next is asked.
    - A `Contact` ends the question. lcm-plugin sets its `source`, whatever the plugin set.
    - An exception is logged and the next is asked; raised when nobody answered, so that None always means
      none. lcm-plugin raises `LcmError`; `DeclinedError` if dialing is stopped, or a call is in hand.

    Arguments:
        agent: the agent.
        campaign_group: the group to fetch from, as the LCM spells it.
    """


@hookspec(Declaration(way=Way.CHAIN, on="contact", law=_enrichment))
def enrich_contact(contact: Contact, agent: Agent) -> Contact | None:
    """Complete or repair a contact: a CRM's customer data, a number's missing country code.

    Called by lcm-plugin once a contact is fetched; each plugin gets what the one before it made.

    - None: the contact stays as it is.
    - A `Contact` replaces it. It may lower consent, never raise it, and never change key, source or expiry;
      one that does is logged and left out.
    - An exception is logged and the contact stays as it is.

    Arguments:
        contact: the contact so far; `attrs.evolve(contact, ...)` makes the changed one.
        agent: the agent it is for.
    """


@hookspec(Declaration(way=Way.ALL, fail_closed=True))
def review_contact(agent: Agent, contact: Contact, moment: datetime) -> Refusal | None:
    """Say whether this contact may be called at this moment.

    Called by lcm-plugin when a contact was fetched, and again right before dialing; once, if it is dialed as
    soon as it has come. All are asked, so that every reason is known; one refusal is enough.

    - None: no objection.
    - A `Refusal`: not now. Its rule, reason, evidence and next moment are shown as they are.
    - An exception or overrun is a refusal too: it fails closed.

    Arguments:
        agent: the agent who would be connected.
        contact: the contact, after `enrich_contact`.
        moment: the instant in question, with its zone. Not always the present: a dry run asks of others.
    """


@hookspec(Declaration(way=Way.ALL))
def explain_contact(agent: Agent, contact: Contact, moment: datetime) -> Sequence[Check] | None:
    """Say of every rule whether it lets this contact be called at this moment, passed or not.

    Called by lcm-plugin for `explain` and whoever asks why not. A policy's `review_contact` is best the first
    check that did not pass, so that both always say the same.

    - None: this plugin has no rules, or tells only its refusals; `review_contact` is asked of it instead.
    - A sequence of `Check`.
    - An exception is logged and shown as a check that did not pass.

    Arguments:
        agent: the agent who would be connected.
        contact: the contact, after `enrich_contact`.
        moment: the instant in question, with its zone.
    """


@hookspec(ASK)
def list_past_calls(contact: Contact, since: datetime) -> Sequence[PastCall] | None:
    """List the calls placed to this number, or to this contact under any number, by any host.

    Called by policies that count attempts, implemented by whoever keeps the record (lcm-plugin: its ledger).

    - None: this plugin keeps no record; the next is asked.
    - A sequence of `PastCall`, oldest first; calls that failed on our side are in it, with their outcome.
    - An exception is logged and the next is asked; raised when nobody answered, so a policy can refuse.

    Arguments:
        contact: the contact whose past is wanted.
        since: calls dialed at this instant or later.
    """


@notice
def on_contact_offered(attempt: Attempt) -> object:
    """A contact is offered to an agent and waits for the agent's answer.

    Called by lcm-plugin, for the agent's desktop.

    Arguments:
        attempt: the attempt, in state `offered`.
    """


@notice
def on_attempt_changed(attempt: Attempt) -> object:
    """An attempt changed its state, or something in it changed.

    Called by lcm-plugin, for desktops, metrics and records; one attempt's changes come in order. An attempt
    that another host took is told as it is by now: `host` says where its agent has it.

    Arguments:
        attempt: the attempt as it is now; `reason` says why, for people.
    """


@notice
def on_agent_activity(agent: Agent, activity: Activity) -> object:
    """An agent does something else now: they wait, talk, write up a call.

    Called by lcm-plugin, for desktops and boards; in order with what is told of the agent's attempts.

    Arguments:
        agent: the agent, as the host told last.
        activity: what they are doing, since when, and what they wait for.
    """


@notice
def on_callback_due(agent: Agent, at: datetime) -> object:
    """It is the minute of a callback that this agent booked for themselves, and they ask for no contact now.

    Called by lcm-plugin, for the desktop of an agent who is not ready, in a call or has another offer; nothing
    is fetched for it. Who waits for a contact gets the callback instead.

    Arguments:
        agent: the agent, as the host told last.
        at: when the callback starts.
    """


@hookspec(ASK_ONCE)
def answer_contact(
    agent: Agent, attempt_id: str, answer: AnswerKind, reason: str | None, actor: str
) -> Attempt | None:
    """Pass on what an agent says to an offer: dial, skip, reject or close.

    Called by the host or the desktop, implemented by lcm-plugin. Asked once: a failure is never followed by
    another plugin's try.

    - None: this plugin does not have this attempt; the next is asked.
    - The `Attempt` as it is after the answer.
    - An exception ends the question and is raised. `DeclinedError` is the caller's to mend, and no failure.

    Arguments:
        agent: the agent the offer was made to.
        attempt_id: the attempt's id.
        answer: dial, skip, reject or close.
        reason: the agent's reason, or None.
        actor: the id of the agent or supervisor who answered.
    """


# -- the call -----------------------------------------------------------------------------------------------


@hookspec(Declaration(way=Way.FIRST, once=True, limit=_until_not_after))
def make_call(attempt: Attempt, dial: Dial) -> Call | None:
    """Place a call: the agent's leg first, the customer's once the agent has answered.

    Called by lcm-plugin, implemented by dialer backends. After `dial.not_after` the call must not be placed
    any more, and that is the time limit too. Asked once: after a failure no other dialer is tried, since
    something may have rung.

    - None: this backend does not dial this; nothing was placed; the next is asked.
    - A `Call`: placed, or being placed. Its course comes by `on_call_event`.
    - An exception or overrun ends the question and is raised: whether it rang is unknown, and the attempt is
      never dialed again by software. After `NotPlacedError` it is refused: surely nothing was placed.

    Arguments:
        attempt: the attempt; use its id as the channel's id, so that `find_call` can find it.
        dial: number, deadline, caller id, ring time.
    """


@hookspec(Declaration(way=Way.ALL))
def find_call(attempt_id: str) -> Call | None:
    """Look for an attempt's call at the engine, to settle doubt after a crash or a time-out.

    Called by lcm-plugin of all dialers.

    - None: not seen. That is no proof that nothing rang; but if the attempt was given to this backend, and its
      deadline is over, the attempt ends with its outcome unknown. A backend of several engines has them in an
      attribute `engines`, by name, and speaks for those only.
    - A `Call` in its present state; `null` when the engine knows that it ended.
    - An exception: the engine cannot be reached, so nothing is known. A backend of several raises
      `CannotTellError(failures)` with the exceptions by engine: these leave open the attempts whose calls
      they were given, and no other's. If no call was recorded yet, it was given to the engine that the
      backend's method `engine_of(agent)` names (None: not its agent), or without such a method to any.

    Arguments:
        attempt_id: the attempt's id.
    """


@hookspec(ASK_ONCE)
def clear_call(call: Call) -> bool | None:
    """Hang up a call, all its legs.

    Called by lcm-plugin or the host, implemented by dialer backends. Asked once.

    - None: not this backend's call; the next is asked.
    - True: hung up or hanging up. False: it was over already.
    - An exception ends the question and is raised.

    Arguments:
        call: the call, as `make_call` or `find_call` gave it.
    """


@notice
def on_call_event(event: CallEvent) -> object:
    """Something happened to a call.

    Called by dialer backends with `await host.hooks.all("on_call_event", event=CallEvent(...))`, in the
    order it happened; `call_cleared` is the last of a call. The embedded host also takes signed events over
    its API: of the attempts for which a plugin's method `is_told_of(attempt)` says True, and of no other.

    Arguments:
        event: kind, call, instant, and the cause if there is one.
    """


@hookspec(ASK_ONCE)
def dispose_attempt(agent: Agent, attempt_id: str, disposition: Disposition, actor: str) -> Attempt | None:
    """Say what came of a call: outcome, comments, callback, do-not-call.

    Called by the host or the desktop, implemented by lcm-plugin. Asked once.

    - None: this plugin does not have this attempt; the next is asked.
    - The `Attempt` as it is afterwards.
    - An exception ends the question and is raised; nothing was sent to the LCM. `DeclinedError` is the
      caller's to mend, and no failure.

    Arguments:
        agent: the agent of the attempt.
        attempt_id: the attempt's id.
        disposition: what came of it, ids as the LCM's lists give them.
        actor: who says so: the id of the agent, or of a supervisor acting for an absent agent.
    """
