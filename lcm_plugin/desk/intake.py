"""How a contact gets into an agent's hand: what waits for them, and what their questions bring."""

import asyncio
import math
from collections.abc import Sequence

from attrs import define, field

from cti_hooks import Agent, Attempt, AttemptState, Contact, DeclinedError, described
from lcm_plugin.attempt.transitions import AMENDED
from lcm_plugin.config import LcmSettings
from lcm_plugin.desk.bulletin import EVERY
from lcm_plugin.desk.details import Details
from lcm_plugin.desk.fetch_stops import FetchStops
from lcm_plugin.desk.hand import Hand
from lcm_plugin.desk.reserved import Reserved
from lcm_plugin.desk.site import Errand, Site
from lcm_plugin.errors import LcmError
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.ledger import key_of
from lcm_plugin.supply import Answer, Kind, Question, Supply, Waiter


class OpenAttemptError(DeclinedError, RuntimeError):
    """The agent has a call in hand, or one to be disposed of, so no contact is fetched for them."""


@define(kw_only=True, eq=False)
class Intake:
    """Fetches for one agent.

    Attributes:
        place: the agent's place among those who wait.
        rejected: keys this agent does not want to see again in this login; as a set they would take three
            times as much for those who have none.
    """

    hand: Hand
    settings: LcmSettings
    site: Site
    client: LcmClient
    stops: FetchStops
    supply: Supply
    place: Waiter
    details: Details
    rejected: dict[str, None] = field(factory=dict, init=False)
    reserved: Reserved = field(init=False)
    _completed: str = field(default="", init=False)
    _comes_again_at: float = field(default=math.inf, init=False)

    def __attrs_post_init__(self) -> None:
        schedule = self.place.schedule
        self.reserved = Reserved(
            hand=self.hand, settings=self.settings, client=self.client, schedule=schedule
        )

    def begin_login(self) -> None:
        """A new login of the agent: rejected contacts may come again, reserved ones are asked for."""
        self.rejected.clear()
        self.reserved.begin_login()
        self.supply.booked(self.place)

    # -- what a look finds, and what it waits for -----------------------------------------------------------

    async def found(self, groups: Sequence[str]) -> Attempt | None:
        """What is there without a question to the LCM: skipped long ago, or of another source.

        While a group may have contacts, other sources are asked in its turn, in their order.

        Raises:
            LedgerError: that cannot be told, or recorded, now.
        """
        if self.hand.attempt or not self.supply.is_dry(groups):
            return None
        found = await self.skipped_again()
        for group in groups if self.site.has_sources else ():
            if found or self.hand.attempt:
                break
            found = await self._of_group(group, to_lcm=False)
        return found

    async def wait(self, groups: Sequence[str]) -> float:
        """Wait for a question in these groups; after how many seconds the agent has to be looked at again.

        Raises:
            LedgerUnavailable: the agent's callbacks cannot be told now.
        """
        await self.reserved.learn()
        self.supply.wait(self.place, groups)
        at = asyncio.get_running_loop().time()
        return min(self.settings.own_question_seconds, max(0.1, self._comes_again_at - at))

    def skipped(self) -> None:
        """A contact was skipped: it comes again."""
        at = asyncio.get_running_loop().time()
        self._comes_again_at = min(self._comes_again_at, at + self.settings.skip_again_after)

    async def skipped_again(self) -> Attempt | None:
        """What the agent skipped long enough ago, offered again."""
        self._comes_again_at = math.inf
        for skipped in await self.hand.skipped_before(self.settings.skip_again_after):
            if skipped.contact and key_of(skipped.contact) not in self.rejected:
                attempt = await self.hand.open(skipped.campaign_group)
                if attempt.state is not AttemptState.REQUESTED:
                    return self.hand.held()
                return self.hand.take(attempt, skipped.contact)
        return None

    async def ask(self, question: Question) -> tuple[Answer, Attempt | None]:
        """Ask a question that is granted: how it was answered, and the attempt that is offered then.

        Raises:
            DialingStoppedError: a stop covers the site, this agent or this group.
            LedgerError: nothing can be recorded now, so nothing is asked for.
            LcmError: the LCM's.
        """
        agent, is_ahead = self.hand.agent, self.hand.has_ended
        stopped = await self.stops.campaigns(agent, read_within=EVERY)
        await self.stops.left(agent, [question.group], stopped)
        if question.kind is Kind.RESERVED:
            found = await self._reserved(question.group)
        else:
            found = await self._of_group(question.group)
        if found is None and self.hand.attempt and not is_ahead:  # taken up instead
            return Answer.NOT_ASKED, None
        return (Answer.CONTACT if found else Answer.NOTHING), found

    # -- what a host asks for by itself ---------------------------------------------------------------------

    def at_hand(self, agent: Agent) -> Contact | None:
        """The contact that is held, as it came.

        Raises:
            OpenAttemptError: a call is in hand, or to be disposed of.
        """
        if self.hand.busy and self.hand.attempt:
            raise OpenAttemptError(f"agent {agent.id} has a call in hand: attempt {self.hand.attempt.id}")
        return self.hand.fetched if self.hand.held() else None

    async def next_contact(self, agent: Agent, campaign_group: str) -> Contact | None:
        """The contact in hand, which may have come and been called since it was asked for, or the LCM's next.

        What is reserved comes before what is fresh, if it is due to be asked for.

        Raises:
            OpenAttemptError: a call is taken up from another host.
            DialingStoppedError: a stop covers the site, this agent or this group.
            LedgerError: another host has the agent's open attempt, or nothing can be recorded now.
            LcmError: the LCM's.
        """
        if self.hand.busy or self.hand.held():
            return self.hand.fetched
        await self.stops.left(agent, [campaign_group], await self.stops.campaigns(agent))
        attempt = await self.hand.open(campaign_group)
        if attempt.state is not AttemptState.REQUESTED:
            return self.at_hand(agent)
        try:
            contact = await self._reserved_or_fresh(attempt, campaign_group)
        except BaseException as error:  # cancelled, too: the attempt says so
            self._nothing_came(attempt, _why(error))
            raise
        self._nothing_came(attempt, "no contact")
        return contact

    async def fetched(self, errand: Errand, campaign_group: str) -> Contact | None:
        """The LCM's next contact for the attempt in hand, which this desk asks every source for."""
        attempt = self.hand.get(errand.attempt_id)
        if attempt is None or not errand.to_lcm:
            return None
        try:
            return await self._fetched(attempt, campaign_group)
        except LcmError as error:
            errand.error = error
            return None

    async def _reserved_or_fresh(self, attempt: Attempt, campaign_group: str) -> Contact | None:
        """Both within the time of one fetch, as the hook is cut off, and a download cut off leaves doubt."""
        now, seconds = asyncio.get_running_loop().time(), self.settings.fetch_seconds
        for group in await self.reserved.due([campaign_group]):
            if contact := await self.reserved.next(group, now + seconds / 2):
                self.hand.take(attempt, contact)
                return contact
        contact = await self._fetched(attempt, campaign_group, now + seconds)
        self.supply.heard(campaign_group, Answer.CONTACT if contact else Answer.NOTHING)
        return contact

    async def _fetched(
        self, attempt: Attempt, campaign_group: str, until: float | None = None
    ) -> Contact | None:
        contact = await self.client.next_contact(self.hand.agent, campaign_group, attempt.id, until=until)
        if contact is None:
            return None
        now = self.hand.get(attempt.id)
        if now is None or now.state is not AttemptState.REQUESTED:
            reason = f"a contact came for attempt {attempt.id} when that was over: it is asked for again"
            self.hand.ledger.note_doubt(self.hand.agent, campaign_group, reason)
            return self.hand.fetched
        self.hand.take(now, contact)
        self.client.recorded(self.hand.agent)
        return contact

    # -- one question ---------------------------------------------------------------------------------------

    async def _of_group(self, group: str, *, to_lcm: bool = True) -> Attempt | None:
        attempt = await self.hand.open(group)
        if attempt.state is not AttemptState.REQUESTED:
            return self._taken_up(attempt)
        errand = Errand(attempt_id=attempt.id, to_lcm=to_lcm)
        try:
            contact = await self.site.next_contact(self.hand.agent, group, errand)
        except BaseException as error:
            self._nothing_came(attempt, _why(error))
            raise
        if contact is not None:
            return self._taken(attempt, contact)
        self._nothing_came(attempt, "no contact")
        return None

    async def _reserved(self, group: str) -> Attempt | None:
        """What the LCM has reserved for the agent and nobody knows.

        A question that only reads reserves nothing, so nothing is recorded before it brings something.
        """
        if self.client.reserved.only_reads:
            contact = await self.reserved.next(group)
            if contact is None:
                return None
            attempt = await self.hand.open(group)
            is_ours = attempt.state is AttemptState.REQUESTED
            return self.hand.take(attempt, contact) if is_ours else self._taken_up(attempt)
        attempt = await self.hand.open(group)
        if attempt.state is not AttemptState.REQUESTED:
            return self._taken_up(attempt)
        try:
            contact = await self.reserved.next(group)
        except BaseException as error:
            self._nothing_came(attempt, described(error))
            raise
        if contact is not None:
            return self.hand.take(self.hand.get(attempt.id) or attempt, contact)
        self._nothing_came(attempt, "nothing is reserved")
        return None

    def _taken_up(self, attempt: Attempt) -> Attempt | None:
        """What was there already, unless it is no offer any more."""
        return attempt if self.hand.is_next(attempt) else self.hand.held()

    async def campaign_groups(self) -> Sequence[str]:
        """The site's choice, else the agent's own, else the configured ones, else those the LCM lists."""
        agent = self.hand.agent
        chosen = await self.site.campaign_groups(agent)
        if chosen is not None:
            return chosen
        return (
            agent.campaign_groups or self.settings.campaign_groups or await self.client.campaign_groups(agent)
        )

    def _nothing_came(self, asked: Attempt, reason: str) -> None:
        """Close a request that brought nothing. A contact that did come stays in hand."""
        attempt = self.hand.get(asked.id)
        if attempt and attempt.state is AttemptState.REQUESTED:
            self.hand.ledger.drop(attempt, reason)

    def _taken(self, attempt: Attempt, contact: Contact) -> Attempt:
        """The attempt that holds a contact by now: the LCM's is in hand already, another source's is not."""
        held = self.hand.get(attempt.id)
        if held is None or held.state is not AttemptState.OFFERED:
            return self.hand.take(held or attempt, contact)
        if held.contact and held.contact != contact and held.contact.key == contact.key:
            return self.hand.amend(held, contact, reason="changed by the site's hook")
        return held

    async def enriched(self, attempt: Attempt) -> Attempt:
        """The attempt with all that the LCM and the site know of its contact."""
        contact = self.hand.fetched_for(attempt)
        if contact is None:
            return attempt
        if self._completed != attempt.id:
            self._completed = attempt.id
            contact = await self.details.completed(self.hand.agent, contact, attempt.id)
            self.hand.complete(attempt, contact)
        enriched = await self.site.enriched(contact, self.hand.agent)
        if enriched == attempt.contact:
            return attempt
        return self.hand.change(attempt, AMENDED, contact=enriched, reason="enriched")


def _why(error: BaseException) -> str:
    if isinstance(error, asyncio.CancelledError):
        return "the fetch was cancelled before its answer: the LCM may have reserved a contact"
    return described(error)
