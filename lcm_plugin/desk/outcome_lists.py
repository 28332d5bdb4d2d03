"""The outcomes that the LCM lists, kept for a while by campaign: dispositions are checked by them."""

import asyncio
import logging
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from attrs import define, field, frozen

from cti_hooks import Agent, Contact, Disposition
from lcm_plugin.config import LcmSettings
from lcm_plugin.errors import Fault, LcmError, LcmUnavailable
from lcm_plugin.lcm import meanings
from lcm_plugin.lcm.catalogue.outcome_lists import CALL_OUTCOMES_OFFLINE, GROUP_OUTCOMES
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.lcm.meanings import OutcomeChoice

log = logging.getLogger("lcm_plugin.desk")

_AGAIN: Final = 10.0
"""Seconds until a campaign's kept lists, which lack what is looked for, are asked for once more."""


@frozen(kw_only=True)
class OutcomeLists:
    """The outcomes the LCM lists for a contact."""

    telephony: tuple[OutcomeChoice, ...] = ()
    business: tuple[OutcomeChoice, ...] = ()


@define(kw_only=True, eq=False)
class ListedOutcomes:
    """For all agents of one LCM."""

    settings: LcmSettings
    client: LcmClient
    _lists: dict[str, tuple[float, OutcomeLists]] = field(factory=dict, init=False)
    _asked: dict[str, float] = field(factory=dict, init=False)

    async def of(self, agent: Agent, contact: Contact, until: float | None = None) -> OutcomeLists:
        """The LCM's lists for this contact, kept for a while by campaign; an empty answer is not.

        For another source's contact they are empty: the LCM does not know it.

        Raises:
            LcmError: the LCM did not give them, and none are kept.
        """
        if contact.source:
            return OutcomeLists()
        kept_at, lists = self._lists.get(contact.campaign, (-math.inf, OutcomeLists()))
        if now() - kept_at < self.settings.lists_seconds:
            return lists
        return await self._renewed(agent, contact, until)

    async def unlisted(
        self, agent: Agent, contact: Contact, disposition: Disposition, until: float
    ) -> dict[str, str]:
        """What the LCM does not list. If its lists cannot be had, it is for the LCM to say no."""
        try:
            wrong = _not_in(await self.of(agent, contact, until), disposition)
            if wrong and now() - self._asked[contact.campaign] >= _AGAIN:  # it may be new
                wrong = _not_in(await self._renewed(agent, contact, until), disposition)
        except LcmError as error:
            log.warning("dispositions of %s are not checked: no outcome lists: %s", contact.campaign, error)
            return {}
        return wrong

    async def _renewed(self, agent: Agent, contact: Contact, until: float | None) -> OutcomeLists:
        """The lists as they are now, or those kept, if the LCM gives none."""
        kept = self._lists.get(contact.campaign)
        self._asked[contact.campaign] = now()
        try:
            async with in_time(until):
                lists = await self._fetched(agent, contact)
        except LcmError:
            if kept is None:
                raise
            return kept[1]
        if lists == OutcomeLists():
            return kept[1] if kept else lists
        self._lists[contact.campaign] = (now(), lists)
        return lists

    async def _fetched(self, agent: Agent, contact: Contact) -> OutcomeLists:
        telephony = await self.client.ask(CALL_OUTCOMES_OFFLINE, agent, key=contact.key)
        business = await self.client.ask(GROUP_OUTCOMES, agent, call_id=self.settings.callid)
        return OutcomeLists(telephony=meanings.outcomes(telephony), business=meanings.outcomes(business))


def now() -> float:
    """The running loop's time."""
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def in_time(until: float | None) -> AsyncIterator[None]:
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


def _shown(choices: tuple[OutcomeChoice, ...]) -> str:
    return ", ".join(f"{one.id} {one.description}".strip() for one in choices) or "none"
