"""What crosses the seam between host, plugins and dialers: frozen, keyword-only values.

Enums are lower_snake, the same in JSON, HTTP and config. No repr here shows a phone number or a name in full.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import attrs
from attrs import field, frozen, validators

from cti_hooks.masking import masked, masked_repr


class AgentState(StrEnum):
    """An agent's state as the host tells it; CSTA (ECMA-269) 17.1, logging on and off being events there."""

    LOGGED_ON = "logged_on"
    READY = "ready"
    NOT_READY = "not_ready"
    BUSY = "busy"
    WORKING_AFTER_CALL = "working_after_call"
    LOGGED_OFF = "logged_off"


class CallType(StrEnum):
    """Why this contact is called now."""

    REGULAR = "regular"
    REGULAR_CALLBACK = "regular_callback"
    PERSONAL_CALLBACK = "personal_callback"
    UNKNOWN = "unknown"


class Consent(StrEnum):
    """Whether the person agreed to be called by machine-started calls. Only GIVEN is a yes."""

    GIVEN = "given"
    NOT_GIVEN = "not_given"
    UNKNOWN = "unknown"


class ActivityKind(StrEnum):
    """What an agent is doing, as far as outbound contacts are concerned."""

    IDLE = "idle"
    """They want no contact, and have none."""
    WAITING = "waiting"
    """They want one."""
    FETCHING = "fetching"
    """It is being asked for."""
    OFFERED = "offered"
    """One is on their screen."""
    PLACING = "placing"
    """The call is being placed."""
    RINGING = "ringing"
    """It rings at the customer's."""
    TALKING = "talking"
    """The customer has answered."""
    WRAP_UP = "wrap_up"
    """The call is over, and waits for its disposition."""
    UNKNOWN_CALL = "unknown_call"
    """Whether it rang is being looked up."""
    STOPPED = "stopped"
    """They are ready, and nothing is fetched: dialing is stopped, or they have to be ready anew."""


class AttemptState(StrEnum):
    """Where an attempt stands. What leads from one state to another: docs/attempt.md."""

    REQUESTED = "requested"
    """The LCM, or another source, is being asked for a contact."""
    EMPTY = "empty"
    """Nothing came."""
    OFFERED = "offered"
    """A contact is in the agent's hand: a person, a timer or a ready agent decides."""
    SKIPPED = "skipped"
    """Its agent did not want it now, or did not answer."""
    REFUSED = "refused"
    """A rule speaks against calling it, or no dialer took it."""
    EXPIRED = "expired"
    """Its reservation ended before it was called."""
    DIALING = "dialing"
    """Recorded before the dialer is asked; from here on no software dials it again."""
    UNKNOWN = "unknown"
    """The dialer, or the host, failed: whether it rang is being looked up."""
    CALLING = "calling"
    """The dialer has it."""
    ENDED = "ended"
    """The call is over, and waits for its disposition."""
    DISPOSED = "disposed"
    """What came of it is recorded, and is on its way to the LCM."""
    CLOSED = "closed"
    """The LCM has confirmed it, or it was called once more."""


class AttemptPlace(StrEnum):
    """Which of its agent's open attempts it is."""

    NOW = "now"
    """The one the agent has to do with."""
    NEXT = "next"
    """The one after it: in custody already, and neither offered, answered nor dialed before its time."""


class Outcome(StrEnum):
    """How the call went on the line, told from the network's signals."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    INVALID_NUMBER = "invalid_number"
    UNREACHABLE = "unreachable"
    CONGESTION = "congestion"
    BLOCKED = "blocked"
    MACHINE = "machine"
    """A machine answered, as the dialer or the agent says: no conversation."""
    WRONG_NUMBER = "wrong_number"
    """Somebody else answered, as the agent says: no conversation with the customer."""
    ABANDONED = "abandoned"
    """Answered without an agent."""
    AGENT_UNAVAILABLE = "agent_unavailable"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNKNOWN = "unknown"


_NO_ATTEMPT = frozenset(
    {Outcome.CONGESTION, Outcome.BLOCKED, Outcome.AGENT_UNAVAILABLE, Outcome.CANCELLED, Outcome.FAILED}
)


def counts_as_attempt(outcome: Outcome | None) -> bool:
    """Whether a call that ended so was an attempt to reach the customer, for rules that count.

    A call that never got as far as the customer's phone, for a reason of the network or of ours, was none. A call
    of which nothing is known counts: it may have rung.
    """
    return outcome not in _NO_ATTEMPT


class AnsweredBy(StrEnum):
    """Who answered, as far as a dialer detects it."""

    PERSON = "person"
    MACHINE = "machine"


class ConnectionState(StrEnum):
    """State of the customer's connection, CSTA's names."""

    NULL = "null"
    INITIATED = "initiated"
    ALERTING = "alerting"
    CONNECTED = "connected"
    HOLD = "hold"
    QUEUED = "queued"
    FAIL = "fail"


class CallEventKind(StrEnum):
    """What happened to a call, CSTA's names."""

    SERVICE_INITIATED = "service_initiated"
    ORIGINATED = "originated"
    """The agent's leg is up."""
    NETWORK_REACHED = "network_reached"
    DELIVERED = "delivered"
    """The customer's phone rings."""
    ESTABLISHED = "established"
    """The customer answered."""
    HELD = "held"
    RETRIEVED = "retrieved"
    TRANSFERRED = "transferred"
    CONFERENCED = "conferenced"
    DIVERTED = "diverted"
    FAILED = "failed"
    """Not final: call_cleared is."""
    CONNECTION_CLEARED = "connection_cleared"
    CALL_CLEARED = "call_cleared"
    """Final: nothing of this call is left."""


class AnswerKind(StrEnum):
    """What an agent says to an offer."""

    DIAL = "dial"
    SKIP = "skip"
    REJECT = "reject"
    CLOSE = "close"


class DoNotCallScope(StrEnum):
    """How far a do-not-call reaches."""

    NUMBER = "number"
    """The number that was dialed, whoever has it, in every campaign."""
    CONTACT = "contact"
    """The contact, at any number."""
    CAMPAIGN = "campaign"
    """The number and the contact, in this campaign only."""


class CallbackKind(StrEnum):
    """Whom a callback is for: any agent, or the one who made it."""

    REGULAR = "regular"
    PERSONAL = "personal"


def _words(words: Iterable[str] | str) -> tuple[str, ...]:
    if isinstance(words, str):
        raise TypeError(f"a sequence of names is wanted, not one str: write ({words!r},)")
    return tuple(words)


def _tupled(items: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(items)


def _read_only(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(mapping))


def _keys(mapping: Mapping[str, Any]) -> str:
    return f"<{', '.join(mapping)}>"


def _aware(_: object, attribute: "attrs.Attribute[Any]", value: datetime | None) -> None:
    if value is not None and value.utcoffset() is None:
        raise ValueError(f"{attribute.name} needs a time zone: {value!r}")


def _extras(*, private: bool = False) -> Any:
    """A read-only mapping; the values of a private one are of a person, and shown to nobody else."""
    return field(factory=dict, converter=_read_only, repr=_keys, hash=False, metadata={"private": private})


@frozen(kw_only=True)
class Agent:
    """An agent as the host knows them. Host id, LCM's AgentID and the extension are three things."""

    id: str = field(validator=validators.min_len(1))
    endpoint: str | None = None
    """Where the agent's phone is, in the dialer's own words: `PJSIP/1001`."""
    campaign_groups: tuple[str, ...] = field(default=(), converter=_words)
    name: str | None = field(default=None, repr=masked)
    lcm_id: str | None = None
    """The LCM's AgentID; the host's id if None."""
    login_id: str | None = None


@frozen(kw_only=True)
class TimeZone:
    """A zone the called number may be in, and what says so: `lcm` or `number`."""

    name: str
    evidence: str


@frozen(kw_only=True)
class Mode:
    """One of a contact's phone numbers (home, mobile), with its own consent and calling window."""

    id: str
    description: str = ""
    phone_number: str = field(default="", repr=masked)
    e164: str | None = field(default=None, repr=masked)
    consent: Consent = field(default=Consent.UNKNOWN, converter=Consent)
    window_start: str | None = None
    """`HH:MM`, in the number's zone."""
    window_end: str | None = None
    time_zones: tuple[TimeZone, ...] = field(default=(), converter=_tupled)


@frozen(kw_only=True)
class Contact:
    """A person to call, as the LCM, or another source, handed it out.

    `key` is the LCM's key, or another source's own: opaque, one per delivery, kept byte for byte.
    `callback_at` never delays a regular contact. Dialers use `e164 or phone_number`. What has no field of its
    own stays in `extra`, as it came.
    """

    key: str = field(validator=validators.min_len(1))
    phone_number: str = field(validator=validators.min_len(1), repr=masked)
    e164: str | None = field(default=None, repr=masked)
    campaign: str = ""
    campaign_group: str = ""
    contact_id: str = ""
    mode: str = ""
    call_type: CallType = field(default=CallType.UNKNOWN, converter=CallType)
    call_type_raw: str = ""
    consent: Consent = field(default=Consent.UNKNOWN, converter=Consent)
    consent_raw: str = ""
    expires_at: datetime | None = field(default=None, validator=_aware)
    callback_at: datetime | None = field(default=None, validator=_aware)
    time_zones: tuple[TimeZone, ...] = field(default=(), converter=_tupled)
    reserved: bool = False
    """Whether the LCM handed it out as already reserved for this agent."""
    source: str = ""
    """The plugin that gave it, by its name in the host's config; empty for what the LCM handed out."""
    modes: tuple[Mode, ...] = field(default=(), converter=_tupled)
    extra: Mapping[str, Any] = _extras(private=True)


@frozen(kw_only=True)
class Dial:
    """What a dialer backend is asked to place. After `not_after` it must not be placed any more."""

    to: str = field(repr=masked)
    not_after: datetime = field(validator=_aware)
    caller_id: str | None = field(default=None, repr=masked)
    ring_seconds: float = 30
    """Counted from Delivered; a dialer rings 15 s at the least."""
    display_name: str | None = field(default=None, repr=masked)
    variables: Mapping[str, str] = _extras(private=True)


@frozen(kw_only=True)
class Call:
    """A call at a dialer backend.

    `state` is that of the customer's connection, `q850` the cause it ended with.
    """

    id: str
    attempt_id: str
    state: ConnectionState = field(converter=ConnectionState)
    q850: int | None = None
    engine: str | None = None
    """Which of the backend's engines it is on, by its name in the settings, if there are several."""


@frozen(kw_only=True)
class PastCall:
    """A call placed before, as evidence for rules that count. Numbers are compared by a keyed hash."""

    attempt_id: str
    at: datetime = field(validator=_aware)
    """When it was dialed."""
    outcome: Outcome | None = field(default=None, converter=attrs.converters.optional(Outcome))
    ended_at: datetime | None = field(default=None, validator=_aware)
    same_number: bool = False
    same_contact: bool = False
    """Whether it was to the same campaign's same contact id, whatever the number."""


@frozen(kw_only=True)
class Health:
    """Whether one thing a plugin needs works, and what was seen of it: shown by `check` and `/readyz`."""

    what: str
    """`asterisk pbx-1`, `ledger`."""
    good: bool
    seen: str = field(repr=masked_repr)
    """One line for people: the version, or what is wrong and the way out. No secret, no number."""
    serves: bool = False
    """Whether the host may be given work although this is not good."""


@frozen(kw_only=True)
class Check:
    """One rule's word on one contact at one moment, passed or not, with the evidence it went by."""

    rule: str
    passed: bool
    reason: str = field(repr=masked_repr)
    not_before: datetime | None = field(default=None, validator=_aware)
    """If it did not pass: the next moment it might."""
    evidence: Mapping[str, Any] = _extras()


@frozen(kw_only=True)
class Refusal:
    """A reason not to call: the rule's name, its evidence, and the next moment it might be allowed."""

    rule: str
    reason: str = field(repr=masked_repr)
    not_before: datetime | None = field(default=None, validator=_aware)
    evidence: Mapping[str, Any] = _extras()


@frozen(kw_only=True)
class Callback:
    """When to call again, as a window; `mode_id` is the number to call, as LCM's mode lists give it."""

    kind: CallbackKind = field(converter=CallbackKind)
    starts_at: datetime = field(validator=_aware)
    ends_at: datetime = field(validator=_aware)
    mode_id: str | None = None


@frozen(kw_only=True)
class Disposition:
    """What the agent says came of the call; ids as the LCM's lists give them."""

    outcome_id: str | None = None
    business_outcome_id: str | None = None
    comments: str = field(default="", repr=False)
    callback: Callback | None = None
    do_not_call: bool = False
    do_not_call_scope: DoNotCallScope | None = field(
        default=None, converter=attrs.converters.optional(DoNotCallScope)
    )
    """How far it reaches; as far as it can if None: the number and the contact, in every campaign."""
    do_not_call_until: datetime | None = field(default=None, validator=_aware)
    """When it ends; never if None."""


@frozen(kw_only=True)
class Activity:
    """What an agent is doing, since when, and what they wait for. Derived: the agent's state is the host's."""

    kind: ActivityKind = field(converter=ActivityKind)
    since: datetime = field(validator=_aware)
    wants: bool
    """Whether they want a contact now."""
    waits_for: str = ""
    """Why they get none, in one sentence for people; empty if they have one, or nobody can say."""


@frozen(kw_only=True)
class OfferTimes:
    """How long an offer stays on its agent's screen, by the host's clock, and what follows then."""

    preview_ends_at: datetime | None = field(validator=_aware)
    """When `on_timeout` happens; None if no preview runs."""
    ends_at: datetime | None = field(validator=_aware)
    """When it is taken away, answered or not; None while its time stands still and nothing else ends it."""
    paused: bool
    """Whether its own time stands still: the agent is busy, or nobody was there to answer."""
    on_timeout: str
    """What the end of the preview does: `dial`, `skip`, or `not_ready`."""
    person_only: bool
    """Whether only a person may have it dialed: no preview runs."""


@frozen(kw_only=True)
class Attempt:
    """One try to get one contact to one agent. `id` (UUIDv7) is its key everywhere."""

    id: str
    agent: Agent
    contact: Contact | None
    state: AttemptState = field(converter=AttemptState)
    campaign_group: str
    opened_at: datetime = field(validator=_aware)
    calls: tuple[Call, ...] = field(default=(), converter=_tupled)
    outcome: Outcome | None = field(default=None, converter=attrs.converters.optional(Outcome))
    refusals: tuple[Refusal, ...] = field(default=(), converter=_tupled)
    changed_at: datetime | None = field(default=None, validator=_aware)
    reason: str = field(default="", repr=masked_repr)
    """Why it is in this state, for people."""
    host: str = ""
    """The host that has it, by its name."""
    answer: AnswerKind | None = field(default=None, converter=attrs.converters.optional(AnswerKind))
    """What a person said to the offer."""
    actor: str | None = None
    """Who said it, or who disposed of the call last: the id of an agent or a supervisor, or `auto`."""
    answered_at: datetime | None = field(default=None, validator=_aware)
    disposition: Disposition | None = None
    redial_of: str | None = None
    """The attempt whose contact a person had called once more."""
    backends: tuple[str, ...] = field(default=(), converter=_words)
    """The dialer plugins that it was given to, in this order, by their names in the config file."""
    backend: str | None = field(init=False)
    """All of them as one text, for people: a name may have blanks."""
    not_after: datetime | None = field(default=None, validator=_aware)
    """The deadline it was dialed with: later its call cannot be placed any more."""
    place: AttemptPlace = field(default=AttemptPlace.NOW, converter=AttemptPlace)
    offer: OfferTimes | None = None
    """How long it stays on the agent's screen, as the host that has it says; it is not recorded."""
    wrap_up_ends_at: datetime | None = field(default=None, validator=_aware)
    """When its agent has to have said what came of it, if the site sets a limit; it is not recorded."""

    @backend.default
    def _named(self) -> str | None:
        return " ".join(self.backends) or None


@frozen(kw_only=True)
class CallEvent:
    """What a dialer reports: `await host.hooks.all("on_call_event", event=CallEvent(...))`."""

    kind: CallEventKind = field(converter=CallEventKind)
    call_id: str
    at: datetime = field(validator=_aware)
    attempt_id: str | None = None
    party: str = "customer"
    """Whose connection it is about: `customer` or `agent`."""
    q850: int | None = None
    sip_status: int | None = None
    text: str | None = field(default=None, repr=masked_repr)
    related_call_ids: tuple[str, ...] = field(default=(), converter=_words)
    answered_by: AnsweredBy | None = field(default=None, converter=attrs.converters.optional(AnsweredBy))
    """Who answered, if the dialer detects that; it may be told with any event of the customer's leg."""


@frozen(kw_only=True)
class Answer:
    """What one plugin answered: a value, or the error it failed with, numbers in its text masked."""

    plugin: str
    value: Any = field(default=None, repr=masked_repr)
    error: Exception | None = field(default=None, repr=masked_repr)
