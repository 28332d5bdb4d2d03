"""All agents' desks, and what they share."""

import asyncio

from attrs import define, field

from cti_hooks import Agent, Attempt, CallEvent, Hooks
from lcm_plugin.config import LcmSettings
from lcm_plugin.desk.announcements import Announcements
from lcm_plugin.desk.desk import Desk
from lcm_plugin.desk.site import Site
from lcm_plugin.desk.verdicts import Verdicts
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.ledger import Ledger


@define(kw_only=True, eq=False)
class Desks:
    """One desk for each agent the host told of."""

    settings: LcmSettings
    client: LcmClient
    hooks: Hooks
    ledger: Ledger
    _site: Site = field(init=False)
    _announcements: Announcements = field(init=False)
    _verdicts: Verdicts = field(init=False)
    _desks: dict[str, Desk] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._site = Site(self.hooks)
        self._announcements = Announcements(self._site.tell_changed)
        self._verdicts = Verdicts(ledger=self.ledger, site=self._site)
        self.ledger.announce = self._changed
        self.ledger.on_lost = self._lost
        self.ledger.on_adopted = self._adopted

    def of(self, agent: Agent) -> Desk:
        """The agent's desk."""
        if agent.id not in self._desks:
            self._desks[agent.id] = Desk(
                agent=agent,
                settings=self.settings,
                site=self._site,
                client=self.client,
                ledger=self.ledger,
                verdicts=self._verdicts,
            )
        return self._desks[agent.id]

    def on_call_event(self, event: CallEvent) -> None:
        """Pass a call event on to the desk of its attempt; one of no attempt of ours is somebody else's."""
        attempt = self.ledger.get_open(event.attempt_id, event.call_id)
        if attempt:
            self.of(attempt.agent).on_call_event(attempt, event)

    async def close(self) -> None:
        """Stop looking for contacts, and wait for what is under way; cancelled, it cancels that."""
        for desk in self._desks.values():
            desk.on_not_ready()
        tasks = [desk.task for desk in self._desks.values() if desk.task]
        try:
            if tasks:
                await asyncio.wait(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._verdicts.close()
            for desk in self._desks.values():
                desk.hand.let_go()
            await self._announcements.close()

    def _changed(self, attempt: Attempt) -> None:
        if desk := self._desks.get(attempt.agent.id):
            desk.on_changed(attempt)
        self._announcements.add(attempt)

    def _lost(self, attempt: Attempt) -> None:
        if desk := self._desks.get(attempt.agent.id):
            desk.hand.lose(attempt)

    def _adopted(self, attempt: Attempt) -> None:
        self.of(attempt.agent).adopt(attempt)
