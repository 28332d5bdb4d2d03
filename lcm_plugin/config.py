"""The settings of `[plugins.lcm]`. Each unit is in its name: docs/architecture.md#the-config-file."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from attrs import field, frozen, validators

from cti_hooks import DoNotCallScope, Outcome, nearest
from cti_hooks.settings import SECRET
from cti_hooks.spec import FETCH_LIMIT
from lcm_plugin.agent_flow import Preview, WrapUp


class ConsentFilter(StrEnum):
    """Which contacts are asked for: the filter sent to the LCM. It proves nothing about a contact."""

    BOTH = "both"
    WITH = "with"
    WITHOUT = "without"


class DownloadMessage(StrEnum):
    """The message a fresh contact is asked for with."""

    SINGLE = "GetDownloadContactsForDialing"
    ALL = "GetDownloadAllContactsForDialing"


class RecoverMessage(StrEnum):
    """The message reserved contacts are asked for with."""

    RESERVED = "GetReservedManualDialContact"
    SINGLE = "GetDownloadContactsForDialing"


_positive: Any = validators.gt(0)
_not_negative: Any = validators.ge(0)


@frozen(kw_only=True)
class Auth:
    """How the site's gateway knows us. Secrets come from the environment or a file, never from the config."""

    type: Literal["none", "basic", "bearer", "api_key", "oauth2"] = "none"
    user: str | None = None
    password_env: str | None = None
    password_file: str | None = None
    token_env: str | None = None
    token_file: str | None = None
    header: str = "X-API-Key"
    """The header an API key travels in."""
    token_url: str | None = None
    client_id: str | None = None
    client_secret_env: str | None = None
    client_secret_file: str | None = None
    scope: str | None = None


@frozen(kw_only=True)
class Tls:
    """TLS towards the LCM. It is always verified; paths are relative to the config file."""

    ca_file: str | None = None
    """Trust this CA instead of the system's."""
    cert_file: str | None = None
    key_file: str | None = None


ANY: Final = "*"
"""In `auto_dispose`: every outcome that is not named."""


def _outcomes(_: object, __: object, value: Mapping[str, str]) -> None:
    for outcome in value:
        if outcome != ANY and outcome not in set(Outcome):
            raise ValueError(f"{outcome!r} is no outcome{nearest(outcome, [*Outcome, ANY])}")


ON_REQUEST: Final = "on_request"
"""In `fetch_when`: a contact is given to a host that asks for one, and to nobody else."""


def _moments(_: object, __: object, value: tuple[str, ...]) -> None:
    for moment in value:
        if moment not in {"ready", ON_REQUEST} and not moment.startswith("not_ready:"):
            raise ValueError(f'{moment!r} is none of "ready", "not_ready:REASON", "on_request"')


_RENAMED: Final = {"expired": "expiry", "expiry_unreadable": "expiry"}
"""Rules that 0.1.0 called otherwise if they refused than if they passed."""


def _rules(_: object, __: object, value: Mapping[str, str]) -> None:
    for rule in value:
        if rule in _RENAMED:
            raise ValueError(f"the rule {rule!r} is called {_RENAMED[rule]!r} now")


def _url(_: object, __: object, value: str) -> None:
    if not value.startswith(("http://", "https://", "ws://", "wss://")):
        raise ValueError("must start with http://, https://, ws:// or wss://")


def _zone(_: object, __: object, value: str) -> None:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError):  # zoneinfo raises each of them
        raise ValueError('is no time zone; write one like "America/New_York"') from None


def _one_day_order(_: object, __: object, value: tuple[str, ...]) -> None:
    month_first = any(f.find("%m") < f.find("%d") for f in value if "%Y" in f and not f.startswith("%Y"))
    day_first = any(f.find("%d") < f.find("%m") for f in value if "%Y" in f and not f.startswith("%Y"))
    if not value:
        raise ValueError("needs at least one format")
    if month_first and day_first:
        raise ValueError("has both day orders, so 03/04/2026 could be either; keep one")


LONGEST_FETCH: Final = FETCH_LIMIT - 1
"""Seconds; the one left is for what comes before and after the requests."""


def _within_a_fetch(_: object, __: object, value: float) -> None:
    if value > LONGEST_FETCH:
        raise ValueError(
            f"must be {LONGEST_FETCH} or less: request_next_contact is cut off after {FETCH_LIMIT} s"
        )


@frozen(kw_only=True)
class LcmSettings:
    """The `[plugins.lcm]` table. Required: `url`, `source`, `timezone`."""

    url: str = field(validator=_url, metadata=SECRET)
    """The site's own gateway or relay: the LCM documents no HTTP endpoint."""
    source: str = field(validator=validators.min_len(1))
    """The name this application broadcasts under."""
    timezone: str = field(validator=_zone)
    """The zone of the LCM's ExpiryTime and CallbackTime, which carry none."""
    campaign_groups: tuple[str, ...] = ()
    consent: ConsentFilter = ConsentFilter.BOTH
    auth: Auth = field(factory=Auth, metadata=SECRET)
    tls: Tls = field(factory=Tls)
    headers: Mapping[str, str] = field(factory=dict, repr=False, metadata=SECRET)

    # reading contacts
    datetime_formats: tuple[str, ...] = field(default=("%m/%d/%Y %H:%M:%S",), validator=_one_day_order)
    default_region: str = field(default="US", validator=validators.matches_re(r"[A-Z]{2}"))
    """ISO 3166 region of numbers written without a country code."""
    consent_words: Mapping[str, Literal["given", "not_given"]] = field(
        factory=lambda: {"yes": "given", "y": "given", "true": "given", "1": "given",
                         "no": "not_given", "n": "not_given", "false": "not_given", "0": "not_given"}
    )  # fmt: skip
    """What the LCM's Consent words mean, case aside. Whatever is not here is unknown, which is no consent."""
    call_types: Mapping[str, Literal["regular", "regular_callback", "personal_callback"]] = field(
        factory=lambda: {"0": "regular"}
    )
    """What the LCM's CallType numbers mean; only 0 is documented (CreateContact: fresh)."""

    # asking
    download_with: DownloadMessage = DownloadMessage.SINGLE
    recover_with: RecoverMessage = RecoverMessage.RESERVED
    settle_seconds: float = field(default=1.0, validator=_not_negative)
    """How long after an empty answer the reserved contacts are asked for once more."""
    connect_seconds: float = field(default=1.0, validator=_positive)
    try_seconds: float = field(default=5.0, validator=[_positive, _within_a_fetch])
    fetch_seconds: float = field(default=15.0, validator=[_positive, _within_a_fetch])
    max_requests: int = field(default=5, validator=_positive)
    """Requests of one fetch at the most, questions for reserved contacts included."""
    max_concurrency: int = field(default=50, validator=_positive)
    max_per_second: float = field(default=100.0, validator=validators.ge(1.0))
    connections: int = field(default=4, validator=_positive)
    """Connections of the websocket transport."""
    breaker_failures: int = field(default=10, validator=_positive)
    breaker_seconds: float = field(default=5.0, validator=_positive)
    retry_budget: float = field(default=20.0, validator=_positive)
    """Retries that may be owed at once; each success pays back a tenth."""

    # the ledger
    ledger: str = field(default="sqlite:///lcm-ledger.db", repr=False, metadata=SECRET)
    """Where attempts are kept: `sqlite:///FILE`, relative to the config file, or `postgresql://...`, which
    hosts may share, its password best in `PGPASSWORD`. `sqlite://` is memory, forgotten at the end."""
    lease_seconds: float = field(default=30.0, validator=_positive)
    """How long after a host was heard of last another may take over what it held."""
    keep_days: float = field(default=30.0, validator=_not_negative)
    """How long numbers and names of closed attempts are kept."""
    audit_years: float = field(default=5.0, validator=_positive)
    """How long the audit and the evidence of calls placed are kept; telemarketing records are, for years."""

    # offers
    fetch_when: tuple[str, ...] = field(default=("ready",), validator=_moments)
    """When an agent wants a contact: `ready`, `not_ready:REASON` for sites that dial by hand while not ready,
    or `on_request`, by `request_next_contact` only."""
    reserved_first: bool = True
    """Whether the LCM is asked for what it has reserved, an agent's personal callbacks among it, before
    anything fresh: at a login, at the minute of each callback the ledger knows of, and every so often."""
    reserved_every_seconds: float = field(default=60.0, validator=_not_negative)
    """How long after that question it is asked again when a contact is wanted, a tenth more or less; 0 asks
    each time."""
    reserved_per_second: float = field(default=10.0, validator=_positive)
    """Questions a second, at the most, that waiting agents ask for what is reserved for them, and for
    themselves; with many agents the two intervals stretch."""
    shared_polling: bool = True
    """Whether agents who wait for a campaign group poll it for each other, one question each poll interval.
    An LCM that keeps a list for each agent wants `false`: each asks for themselves."""
    own_question_seconds: float = field(default=300.0, validator=_positive)
    """How often a waiting agent asks for themselves all the same, as an LCM may keep a list for them."""
    preview: Preview = field(factory=Preview)
    wrap_up: WrapUp = field(factory=WrapUp)
    offer_seconds: float = field(default=300.0, validator=_positive)
    """How long an offer waits for a person, at the longest; it stands still while the agent is busy."""
    skip_again_after: float = field(default=600.0, validator=_not_negative)
    """After how long a skipped contact may be offered to the same agent again."""
    on_refusal: Mapping[str, str] = field(factory=dict, validator=_rules)
    """What becomes of a contact a rule refuses, by the rule's name: `refuse` (the default), `hold` until it
    may be called, or the LCM outcome id it is disposed with."""
    zone_lookup: bool = False
    """Whether the LCM is asked for each contact's time zone (GetModeInformation)."""
    contact_modes: bool = False
    """Whether the LCM is asked for each contact's other numbers (GetContactModes)."""
    screen_pop: bool = False
    """Whether the LCM is asked for each contact's business fields (GetScreenPopData); in `extra`."""
    relay_agent_states: bool = False
    """Whether the LCM is told agents' states (SendAgentState)."""

    # dispositions
    machine_outcomes: tuple[str, ...] = ()
    wrong_number_outcomes: tuple[str, ...] = ()
    """The LCM's outcome ids by which an agent says that a machine, or somebody else, answered: that was no
    conversation, for the rules that count those."""
    auto_dispose: Mapping[str, str] = field(factory=dict, validator=_outcomes)
    """Outcome, or `*` for any other, to the LCM outcome id it is disposed with, without an agent's doing."""
    do_not_call_scope: DoNotCallScope | None = None
    """How far a do-not-call reaches that does not say so itself; as far as it can if this is not set."""
    disposition_message: Literal["SetCallResult", "by_content"] = "SetCallResult"
    """`by_content`: the setter that fits; those want a callid, which only the LCM's workspace has."""
    callid: str = ""
    """What is sent as callid, in messages that want one."""
    dialer_detail: bool = False
    """Whether SetNonPEWCContactOutcome has to come first, for hand-dialed contacts."""
    callback_time_zone: str | None = field(default=None, validator=validators.optional(_zone))
    """The zone of callbacks' dates and times, which carry none. Required for callbacks."""
    lists_seconds: float = field(default=3600.0, validator=_positive)
    """How long the LCM's outcome lists are kept."""
    resend_unconfirmed: bool = False
    """Whether a message that may have reached the LCM is sent again until it is confirmed."""

    # the agent's flow
    after_disposition: Literal["next", "ready"] = "next"
    """What an agent who is still ready needs for the next contact once the last is disposed of: nothing, or
    another ready."""
    look_ahead: bool = False
    """Whether an agent's next contact is fetched while the call before it waits for its disposition."""
    poll_min_seconds: float = field(default=1.0, validator=_positive)
    poll_max_seconds: float = field(default=5.0, validator=_positive)
    """How long a campaign group that had no contact is not asked again, at the least and at the most."""
    dial_seconds: float = field(default=20.0, validator=_positive)
    """How long a dialer has to place a call; later it must not be placed any more."""
    ring_seconds: float = field(default=30.0, validator=validators.ge(15.0))
    caller_id: str | None = None
    caller_ids: Mapping[str, str] = field(factory=dict)
    """By campaign, if it is not `caller_id`."""
    allowed_short_numbers: tuple[str, ...] = ()
    """Numbers of six digits or fewer that may be called all the same, as patterns: `70*`; else none is. An
    emergency number has to be named by itself."""
    allow_premium_rate: bool = False
    """Whether numbers that cost whoever calls them may be called."""

    def __attrs_post_init__(self) -> None:
        if self.poll_max_seconds < self.poll_min_seconds:
            raise ValueError("poll_max_seconds is below poll_min_seconds")
        if self.lease_seconds <= self.dial_seconds:
            raise ValueError("lease_seconds must be above dial_seconds: no call is placed after its lease")

    @property
    def zone(self) -> ZoneInfo:
        """`timezone` as an object."""
        return ZoneInfo(self.timezone)
