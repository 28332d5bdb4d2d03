"""`lcm-plugin next`: one contact, and what speaks against calling it. Nothing is dialed."""

from pathlib import Path
from typing import Any

from cti_hooks import Agent, Contact, Host
from lcm_plugin.desk.barred import bar_refusal
from lcm_plugin.desk.site import Site
from lcm_plugin.plugin import lcm_of
from lcm_plugin.presentation import as_json


async def next_contact(config: Path, agent: Agent, campaign_group: str | None) -> dict[str, Any] | None:
    """Fetch, enrich and review one contact: its fields and `refusals`, or None when there is none now.

    Raises:
        ConfigError: the settings cannot be used.
        LcmError: the LCM did not answer with a contact or with none.
    """
    async with Host.from_config(config, observes=True) as host:
        groups = [campaign_group] if campaign_group else await lcm_of(host).campaign_groups(agent)
        for group in groups:
            contact = await host.hooks.first("request_next_contact", agent=agent, campaign_group=group)
            if contact is not None:
                return await reviewed(Site(host.hooks), agent, contact, host)
    return None


async def reviewed(site: Site, agent: Agent, contact: Contact, host: Host) -> dict[str, Any]:
    """A contact as the site completes it, with the reasons not to call it now."""
    enriched = await site.enriched(contact, agent)
    bar = await lcm_of(host).desks.ledger.bar_on(enriched, host.clock.now())
    refusals = [
        *([bar_refusal(bar)] if bar else []),
        *await site.refusals(agent, enriched, host.clock.now()),
    ]
    return {**as_json(enriched), "refusals": [as_json(refusal) for refusal in refusals]}
