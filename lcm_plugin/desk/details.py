"""What else the LCM knows of a contact, if a site wants it asked: zone, numbers, business fields."""

import logging
from collections.abc import Mapping
from typing import Any

from attrs import define, evolve

from cti_hooks import Agent, Contact, TimeZone
from lcm_plugin.config import LcmSettings
from lcm_plugin.errors import LcmError
from lcm_plugin.lcm import meanings
from lcm_plugin.lcm.catalogue import MessageType
from lcm_plugin.lcm.catalogue.details import CONTACT_MODES, MODE_INFORMATION, SCREEN_POP
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.lcm.reply import Reply

log = logging.getLogger("lcm_plugin.desk")


@define(kw_only=True, eq=False)
class Details:
    """Asks for them. What the LCM does not tell leaves the contact as it is."""

    settings: LcmSettings
    client: LcmClient

    async def completed(self, agent: Agent, contact: Contact, attempt_id: str) -> Contact:
        """The contact with what else the LCM tells of it; of another source's contact it is not asked."""
        if contact.source:
            return contact
        wanted = (
            (self.settings.zone_lookup, MODE_INFORMATION, self._in_zone),
            (self.settings.contact_modes, CONTACT_MODES, self._with_modes),
            (self.settings.screen_pop, SCREEN_POP, self._with_screen_pop),
        )
        for is_wanted, message, completed in wanted:
            if is_wanted and (reply := await self._asked(message, agent, contact, attempt_id)):
                contact = completed(contact, reply)
        return contact

    async def _asked(
        self, message: MessageType, agent: Agent, contact: Contact, attempt_id: str
    ) -> Reply | None:
        try:
            return await self.client.ask(
                message, agent, attempt_id, key=contact.key, call_id=self.settings.callid
            )
        except LcmError as error:
            log.warning("%s told nothing: %s", message.subtopic, error)
            return None

    def _in_zone(self, contact: Contact, reply: Reply) -> Contact:
        """In the zone the LCM states; a GMT deviation is evidence, and no zone."""
        told = meanings.mode_information(reply)
        if told.gmt_deviation:
            contact = _with(contact, {"GMTDeviation": told.gmt_deviation})
        if not told.time_zone:
            return contact
        zone = TimeZone(name=told.time_zone, evidence="lcm")
        return evolve(contact, time_zones=(zone, *contact.time_zones))

    def _with_modes(self, contact: Contact, reply: Reply) -> Contact:
        """With its numbers; and with where it lives, by which states' rules hold."""
        contact = evolve(contact, modes=meanings.modes(reply, self.client.normalizer))
        told = meanings.zip_code(reply)
        return _with(contact, {"ZipCode": told}) if told and "ZipCode" not in contact.extra else contact

    def _with_screen_pop(self, contact: Contact, reply: Reply) -> Contact:
        return _with(contact, {"screen_pop": meanings.screen_pop(reply)})


def _with(contact: Contact, extra: Mapping[str, Any]) -> Contact:
    return evolve(contact, extra={**contact.extra, **extra})
