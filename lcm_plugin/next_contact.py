"""`lcm-plugin next`: one contact, and what speaks against calling it. Nothing is dialed."""

from pathlib import Path
from typing import Any

from cti_hooks import Agent, Contact, Host
from lcm_plugin.desk import Desks
from lcm_plugin.desk.barred import bar_refusal
from lcm_plugin.plugin import lcm_of
from lcm_plugin.presentation import as_json


async def next_contact(config: Path, agent: Agent, campaign_group: str | None) -> dict[str, Any] | None:
    """Fetch, enrich and review one contact: its fields and `refusals`, or None when there is none now.

    Raises:
        ConfigError: the settings cannot be used.
        LcmError: the LCM did not answer with a contact or with none.
    """
    async with Host.from_config(config, observes=True) as host:
        lcm = lcm_of(host)
        groups = [campaign_group] if campaign_group else await lcm.campaign_groups(agent)
        for group in groups:
            contact = await lcm.desks.site.next_contact(agent, group)
            if contact is not None:
                return await reviewed(lcm.desks, agent, contact)
    return None


async def reviewed(desks: Desks, agent: Agent, contact: Contact) -> dict[str, Any]:
    """A contact as the site completes it, with the reasons not to call it now."""
    enriched, now = await desks.site.enriched(contact, agent), desks.ledger.now()
    bar = await desks.ledger.bar_on(enriched, now)
    barred = [bar_refusal(bar)] if bar else []
    refusals = [*barred, *await desks.site.refusals(agent, enriched, now)]
    return {**as_json(enriched), "refusals": [as_json(refusal) for refusal in refusals]}
