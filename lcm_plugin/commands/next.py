"""`lcm-plugin next`."""

import sys
from pathlib import Path

import click

from cti_hooks import Agent
from lcm_plugin.commands.running import NOTHING, config_option, run_to_end
from lcm_plugin.next_contact import next_contact
from lcm_plugin.presentation import as_text


@click.command(name="next")
@config_option
@click.option("--agent", required=True, metavar="ID", help="The agent to fetch for.")
@click.option("--campaign-group", metavar="GROUP", help="Default: the site's choice for this agent.")
def command(config: Path, agent: str, campaign_group: str | None) -> None:
    """Fetch one contact and print it as JSON, with what speaks against calling it. Nothing is dialed.

    Exit status: 0 a contact, 3 none, 2 settings, 4 LCM unavailable, 5 LCM says no, 6 bad reply.
    """
    found = run_to_end(next_contact(config, Agent(id=agent), campaign_group))
    if found is None:
        click.echo("no contact now", err=True)
        sys.exit(NOTHING)
    click.echo(as_text(found))
