"""Which of the LCM's messages say a disposition, and what is in them; and how one is sent."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from attrs import define

from cti_hooks import (
    Agent,
    Attempt,
    AttemptState,
    Callback,
    CallbackKind,
    Contact,
    Disposition,
    DoNotCallScope,
)
from lcm_plugin.config import DownloadMessage, LcmSettings
from lcm_plugin.desk.site import is_foreign
from lcm_plugin.errors import LcmError
from lcm_plugin.lcm.catalogue import CATALOGUE, TIME_ZONE, MessageType, RequestKind
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
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.lcm.rules import RULES, Verdict
from lcm_plugin.ledger import Delivery, Draft, Letter, LetterState

_BY_CONTENT: Final = {
    # (callback, telephony outcome, business outcome): the setter that says just that
    (CallbackKind.PERSONAL, True): OUTCOME_AND_PERSONAL_CALLBACK,
    (CallbackKind.PERSONAL, False): PERSONAL_CALLBACK,
    (CallbackKind.REGULAR, True): OUTCOME_AND_CALLBACK,
    (CallbackKind.REGULAR, False): CALLBACK,
}
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


@define(kw_only=True, eq=False)
class Setters:
    """For all agents of one LCM."""

    settings: LcmSettings
    client: LcmClient

    def drafts(self, attempt: Attempt, disposition: Disposition, at: datetime) -> list[Draft]:
        """What to tell the LCM, in order; nothing if another source gave the contact."""
        return [_draft(message, values) for message, values in self._messages(attempt, disposition, at)]

    async def deliver(self, letter: Letter) -> Delivery:
        """Send one; whether the LCM has it."""
        values = {name: value for name, value in letter.values.items() if value is not None}
        agent = Agent(id=values.pop("agent"))
        if "user" in values:
            values["user"] = agent
        for name in _MOMENTS:
            if name in values:
                values[name] = datetime.fromisoformat(values[name])
        values[TIME_ZONE] = self._zone
        try:
            await self.client.ask(CATALOGUE[letter.message], agent, letter.attempt_id, **values)
        except LcmError as error:
            return Delivery(
                state=_DELIVERED[RULES[error.fault][RequestKind.SETTER]], error=str(error.args[0])
            )
        return Delivery(state=LetterState.CONFIRMED)

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.settings.callback_time_zone or self.settings.timezone)

    def _messages(
        self, attempt: Attempt, disposition: Disposition, at: datetime
    ) -> Iterator[tuple[MessageType, dict[str, Any]]]:
        """The messages that say it, in order. The one that makes the LCM's row comes first (12.18)."""
        contact = attempt.contact
        if is_foreign(attempt):
            return
        values = self._values(attempt, disposition, at)
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

    def _values(self, attempt: Attempt, disposition: Disposition, at: datetime) -> dict[str, Any]:
        contact, callback = attempt.contact, disposition.callback
        agent = attempt.agent.lcm_id or attempt.agent.id
        none = "0" if disposition.do_not_call else None  # SetDNC wants a number, if the LCM lists none
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
            **_block(disposition, at),
        }


def _is_one_outcome(disposition: Disposition) -> bool:
    """Whether it says no more than Skip has a field for."""
    both = disposition.outcome_id and disposition.business_outcome_id
    return not (both or disposition.comments or disposition.callback)


def _mode_id(contact: Contact, callback: Callback) -> str:
    """The number to call back: as chosen, else the one called, by its id if the LCM told it."""
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
    """Only what the message has a field for: no number goes if none is asked for."""
    wanted = {one.name for one in message.fields} | {"agent"}
    return Draft(message=message.subtopic, values={name: values[name] for name in wanted & values.keys()})


def _block(disposition: Disposition, at: datetime) -> dict[str, Any]:
    """What SetDNC says of how far a do-not-call reaches, and until when, if that is said."""
    scope, until = disposition.do_not_call_scope, disposition.do_not_call_until
    return {
        "campaign_only": True if scope is DoNotCallScope.CAMPAIGN else None,
        "block_number": _NUMBER_ITSELF.get(scope),
        "block_starts_at": at.isoformat() if until else None,
        "block_ends_at": until.isoformat() if until else None,
    }
