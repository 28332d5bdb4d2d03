"""What came of a call, told to the LCM: checked by its lists, recorded, sent by the outbox."""

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from attrs import define, evolve, field, frozen

from cti_hooks import (
    Agent,
    AgentState,
    Attempt,
    AttemptState,
    Callback,
    CallbackKind,
    Contact,
    Disposition,
    DoNotCallScope,
    Refusal,
    described,
)
from lcm_plugin.config import DownloadMessage, LcmSettings
from lcm_plugin.desk.shape import wrong_for_lcm, wrong_in_shape
from lcm_plugin.desk.site import is_foreign
from lcm_plugin.errors import ConflictError, Fault, InvalidError, LcmError, LcmUnavailable
from lcm_plugin.lcm import meanings
from lcm_plugin.lcm.catalogue import CATALOGUE, TIME_ZONE, MessageType, RequestKind
from lcm_plugin.lcm.catalogue.agent_states import AGENT_STATE
from lcm_plugin.lcm.catalogue.callbacks import OVERLAP
from lcm_plugin.lcm.catalogue.dispositions import (
    BOTH_OUTCOMES,
    CALL_OUTCOME,
    CALL_RESULT,
    CALLBACK,
    DO_NOT_CALL,
    OUTCOME_AND_CALLBACK,
    OUTCOME_AND_PERSONAL_CALLBACK,
    PERSONAL_CALLBACK,
    SET_BUSINESS_OUTCOME,
)
from lcm_plugin.lcm.catalogue.downloads import SKIP
from lcm_plugin.lcm.catalogue.non_pewc import DIALER_DETAIL
from lcm_plugin.lcm.catalogue.outcome_lists import CALL_OUTCOMES_OFFLINE, GROUP_OUTCOMES
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.lcm.meanings import OutcomeChoice
from lcm_plugin.lcm.rules import RULES, Verdict
from lcm_plugin.ledger import AttemptLostError, Delivery, Draft, Ledger, Letter, LetterState, Outbox

log = logging.getLogger("lcm_plugin.desk")

_BY_CONTENT: Final = {
    # (callback, telephony outcome, business outcome): the setter that says just that
    (CallbackKind.PERSONAL, True): OUTCOME_AND_PERSONAL_CALLBACK,
    (CallbackKind.PERSONAL, False): PERSONAL_CALLBACK,
    (CallbackKind.REGULAR, True): OUTCOME_AND_CALLBACK,
    (CallbackKind.REGULAR, False): CALLBACK,
}
_AGAIN: Final = 10.0
"""Seconds until a campaign's kept lists, which lack what is looked for, are asked for once more."""
_CHECKING: Final = 5.0
"""Seconds for all that the LCM is asked before a disposition is recorded; the hook has 20 in all."""
_NUMBER_ITSELF: Final[Mapping[DoNotCallScope | None, bool]] = {
    DoNotCallScope.NUMBER: True,
    DoNotCallScope.CONTACT: False,
}
"""What isPhoneNoDNC says, by scope; left out for the others."""
_MOMENTS: Final = ("starts_at", "ends_at", "block_starts_at", "block_ends_at")
"""Values of letters that are instants."""
_DELIVERED: Final = {
    Verdict.RETRY: LetterState.WAITING,
    Verdict.UNCONFIRMED: LetterState.UNCONFIRMED,
    Verdict.RAISE: LetterState.REJECTED,
}


@frozen(kw_only=True)
class OutcomeLists:
    """The outcomes the LCM lists for a contact."""

    telephony: tuple[OutcomeChoice, ...] = ()
    business: tuple[OutcomeChoice, ...] = ()


@define(kw_only=True, eq=False)
class Disposing:
    """Checks, records and delivers dispositions, for all agents."""

    settings: LcmSettings
    client: LcmClient
    ledger: Ledger
    outbox: Outbox = field(init=False)
    _lists: dict[str, tuple[float, OutcomeLists]] = field(factory=dict, init=False)
    _asked: dict[str, float] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self.outbox = Outbox(
            ledger=self.ledger,
            deliver=self._deliver,
            on_settled=self._settled,
            resend_unconfirmed=self.settings.resend_unconfirmed,
        )

    async def dispose(
        self,
        attempt: Attempt,
        disposition: Disposition,
        actor: str,
        *,
        refusals: tuple[Refusal, ...] = (),
        **told: Any,
    ) -> Attempt:
        """Record what came of it, and what was `told` of an offer; the LCM hears it in order, never twice.

        Raises:
            ConflictError: the attempt is neither ended nor offered, or a callback overlaps another one.
            InvalidError: an outcome the LCM does not list, a callback in the past, nothing said at all.
            LedgerUnavailable: it cannot be recorded now, so nothing was sent.
        """
        if attempt.state not in {AttemptState.ENDED, AttemptState.OFFERED} or attempt.contact is None:
            raise ConflictError(
                f"attempt {attempt.id} is {attempt.state}: only an ended call or an offer can be disposed of"
            )
        if disposition.do_not_call and disposition.do_not_call_scope is None:
            disposition = evolve(disposition, do_not_call_scope=self.settings.do_not_call_scope)
        await self._check(attempt, attempt.contact, disposition)
        drafts = [_draft(message, values) for message, values in self._messages(attempt, disposition)]
        told |= {"disposition": disposition, "actor": actor, "refusals": refusals or attempt.refusals}
        try:
            disposed = await self.ledger.dispose(attempt, drafts, reason=f"disposed of by {actor}", **told)
        except AttemptLostError as error:
            raise ConflictError(str(error)) from None
        self.outbox.wake()
        if is_foreign(disposed):
            self.ledger.close_disposed(disposed, "it is not the LCM's, which is told nothing of it")
        return disposed

    async def outcomes(self, agent: Agent, contact: Contact, until: float | None = None) -> OutcomeLists:
        """The LCM's lists for this contact, kept for a while by campaign; an empty answer is not.

        For another source's contact they are empty: the LCM does not know it.

        Raises:
            LcmError: the LCM did not give them, and none are kept.
        """
        if contact.source:
            return OutcomeLists()
        kept_at, lists = self._lists.get(contact.campaign, (-math.inf, OutcomeLists()))
        if _now() - kept_at < self.settings.lists_seconds:
            return lists
        return await self._renewed(agent, contact, until)

    async def tell_state(self, agent: Agent, state: AgentState) -> None:
        """Relay an agent's state; the LCM answers nothing, and nothing depends on it."""
        try:
            await self.client.ask(AGENT_STATE, agent, state=state.name)
        except LcmError as error:
            log.warning("the LCM was not told that %s is %s: %s", agent.id, state, error)

    # -- checking -------------------------------------------------------------------------------------------

    async def _check(self, attempt: Attempt, contact: Contact, disposition: Disposition) -> None:
        wrong = wrong_in_shape(contact, disposition, self.ledger.now())
        if not contact.source:
            wrong = wrong_for_lcm(disposition, self.settings) | wrong
        until = _now() + _CHECKING
        if not wrong and not contact.source:
            wrong = await self._unlisted(attempt.agent, contact, disposition, until)
        if wrong:
            raise InvalidError(wrong)
        if contact.source or disposition.callback is None:
            return
        if await self._overlaps(attempt, contact, disposition.callback, until):
            raise ConflictError("the callback overlaps another one of the agent's; choose another time")

    async def _unlisted(
        self, agent: Agent, contact: Contact, disposition: Disposition, until: float
    ) -> dict[str, str]:
        """What the LCM does not list. Where its lists cannot be had, it is for the LCM to say no."""
        try:
            wrong = _not_in(await self.outcomes(agent, contact, until), disposition)
            if wrong and _now() - self._asked[contact.campaign] >= _AGAIN:  # it may be new
                wrong = _not_in(await self._renewed(agent, contact, until), disposition)
        except LcmError as error:
            log.warning("dispositions of %s are not checked: no outcome lists: %s", contact.campaign, error)
            return {}
        return wrong

    async def _overlaps(self, attempt: Attempt, contact: Contact, callback: Callback, until: float) -> bool:
        call_id = self.settings.callid or attempt.id  # an empty one is refused by the LCM
        values = {"call_id": call_id, "key": contact.key, **self._window(callback)}
        try:
            async with _in_time(until):
                reply = await self.client.ask(OVERLAP, attempt.agent, attempt.id, **values)
        except LcmError as error:
            log.warning("whether a callback overlaps could not be asked: %s", described(error))
            return False
        return meanings.overlaps(reply)

    # -- writing --------------------------------------------------------------------------------------------

    def _messages(
        self, attempt: Attempt, disposition: Disposition
    ) -> Iterator[tuple[MessageType, dict[str, Any]]]:
        """The messages that say it, in order. The one that makes the LCM's row comes first (12.18)."""
        contact = attempt.contact
        if is_foreign(attempt):
            return
        values = self._values(attempt, disposition)
        if contact and self.settings.dialer_detail:
            yield DIALER_DETAIL, values
        if disposition.do_not_call:
            yield DO_NOT_CALL, values
        elif self._may_be_skipped(attempt) and _is_one_outcome(disposition):
            yield SKIP, values
        elif self.settings.disposition_message == "by_content":
            yield _by_content(disposition), values
        else:  # whose optional UserID makes a callback this agent's alone
            yield CALL_RESULT, values | ({"user": None} if _is_regular(disposition.callback) else {})

    def _may_be_skipped(self, attempt: Attempt) -> bool:
        """SkipManualDialContact takes only what an All download gave, still open (2.5)."""
        return (
            attempt.state is AttemptState.OFFERED
            and self.settings.download_with is DownloadMessage.ALL
            and not (attempt.contact and attempt.contact.reserved)
        )

    def _values(self, attempt: Attempt, disposition: Disposition) -> dict[str, Any]:
        contact, callback = attempt.contact, disposition.callback
        agent = attempt.agent.lcm_id or attempt.agent.id
        none = "0" if disposition.do_not_call else None  # SetDNC wants a number, where the LCM lists none
        business = disposition.business_outcome_id or none
        return {
            "call_id": self.settings.callid,
            "key": contact.key if contact else "",
            "phone_number": contact.phone_number if contact else "",
            "outcome_id": disposition.outcome_id or disposition.business_outcome_id,
            "business_outcome_id": business,
            "comments": disposition.comments,
            "agent": agent,
            "user": agent,
            "mode_id": _mode_id(contact, callback) if contact and callback else None,
            "starts_at": callback.starts_at.isoformat() if callback else None,
            "ends_at": callback.ends_at.isoformat() if callback else None,
            **self._block(disposition),
        }

    def _block(self, disposition: Disposition) -> dict[str, Any]:
        """What SetDNC says of how far a do-not-call reaches, and until when, where that is said."""
        scope, until = disposition.do_not_call_scope, disposition.do_not_call_until
        return {
            "campaign_only": True if scope is DoNotCallScope.CAMPAIGN else None,
            "block_number": _NUMBER_ITSELF.get(scope),
            "block_starts_at": self.ledger.now().isoformat() if until else None,
            "block_ends_at": until.isoformat() if until else None,
        }

    def _window(self, callback: Callback) -> dict[str, Any]:
        zone = ZoneInfo(self.settings.callback_time_zone or self.settings.timezone)
        return {"starts_at": callback.starts_at, "ends_at": callback.ends_at, TIME_ZONE: zone}

    # -- sending --------------------------------------------------------------------------------------------

    async def _deliver(self, letter: Letter) -> Delivery:
        values = {name: value for name, value in letter.values.items() if value is not None}
        agent = Agent(id=values.pop("agent"))
        if "user" in values:
            values["user"] = agent
        for name in _MOMENTS:
            if name in values:
                values[name] = datetime.fromisoformat(values[name])
        values[TIME_ZONE] = ZoneInfo(self.settings.callback_time_zone or self.settings.timezone)
        try:
            await self.client.ask(CATALOGUE[letter.message], agent, letter.attempt_id, **values)
        except LcmError as error:
            return Delivery(
                state=_DELIVERED[RULES[error.fault][RequestKind.SETTER]], error=str(error.args[0])
            )
        return Delivery(state=LetterState.CONFIRMED)

    async def _settled(self, attempt_id: str) -> None:
        attempt = await self.ledger.get(attempt_id)
        if attempt and attempt.state is AttemptState.DISPOSED:
            self.ledger.close_disposed(attempt, "the LCM has confirmed it")

    async def _renewed(self, agent: Agent, contact: Contact, until: float | None) -> OutcomeLists:
        """The lists as they are now, or those kept where the LCM gives none."""
        kept = self._lists.get(contact.campaign)
        self._asked[contact.campaign] = _now()
        try:
            async with _in_time(until):
                lists = await self._fetched(agent, contact)
        except LcmError:
            if kept is None:
                raise
            return kept[1]
        if lists == OutcomeLists():
            return kept[1] if kept else lists
        self._lists[contact.campaign] = (_now(), lists)
        return lists

    async def _fetched(self, agent: Agent, contact: Contact) -> OutcomeLists:
        telephony = await self.client.ask(CALL_OUTCOMES_OFFLINE, agent, key=contact.key)
        business = await self.client.ask(GROUP_OUTCOMES, agent, call_id=self.settings.callid)
        return OutcomeLists(telephony=meanings.outcomes(telephony), business=meanings.outcomes(business))


def _now() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def _in_time(until: float | None) -> AsyncIterator[None]:
    """An LCM that has not answered until then is as one that cannot be asked."""
    try:
        async with asyncio.timeout_at(until):
            yield
    except TimeoutError:
        raise LcmUnavailable("the LCM did not answer in time", fault=Fault.NO_ANSWER) from None


def _not_in(lists: OutcomeLists, disposition: Disposition) -> dict[str, str]:
    """What a disposition says that is not on the lists."""
    if disposition.do_not_call and lists.business and not disposition.business_outcome_id:
        has = _shown(lists.business)
        return {"business_outcome_id": f"is needed with do_not_call: SetDNC wants one; it has {has}"}
    asked = (
        ("outcome_id", disposition.outcome_id, (*lists.telephony, *lists.business)),
        ("business_outcome_id", disposition.business_outcome_id, lists.business),
    )
    return {
        name: f"the LCM does not list {value!r}; it has {_shown(choices)}"
        for name, value, choices in asked
        if value and value not in {choice.id for choice in choices}
    }


def _is_one_outcome(disposition: Disposition) -> bool:
    """Whether it says no more than Skip has a field for."""
    both = disposition.outcome_id and disposition.business_outcome_id
    return not (both or disposition.comments or disposition.callback)


def _mode_id(contact: Contact, callback: Callback) -> str:
    """The number to call back: as chosen, else the one called, by its id where the LCM told it."""
    known = (one.id for one in contact.modes if contact.mode in {one.id, one.description})
    return callback.mode_id or next(known, contact.mode)


def _is_regular(callback: Callback | None) -> bool:
    return callback is not None and callback.kind is CallbackKind.REGULAR


def _by_content(disposition: Disposition) -> MessageType:
    business = bool(disposition.business_outcome_id)
    if disposition.callback:
        return _BY_CONTENT[disposition.callback.kind, business]
    if business and disposition.outcome_id:
        return BOTH_OUTCOMES
    return SET_BUSINESS_OUTCOME if business else CALL_OUTCOME


def _draft(message: MessageType, values: dict[str, Any]) -> Draft:
    """Only what the message has a field for: no number goes where none is asked for."""
    wanted = {one.name for one in message.fields} | {"agent"}
    return Draft(message=message.subtopic, values={name: values[name] for name in wanted & values.keys()})


def _shown(choices: tuple[OutcomeChoice, ...]) -> str:
    return ", ".join(f"{one.id} {one.description}".strip() for one in choices) or "none"
