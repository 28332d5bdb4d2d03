"""`lcm-plugin check`."""

import json
import sys
from pathlib import Path
from typing import BinaryIO

import click

from cti_hooks import Agent
from lcm_plugin.check import check
from lcm_plugin.commands.running import SETTINGS, config_option, run_to_end


@click.command(name="check")
@config_option
@click.option("--sample", type=click.File("rb"), metavar="FILE",
              help="A reply of the LCM's, as JSON: shows the contact it becomes, or why not.")  # fmt: skip
@click.option("--agent", "agent_id", metavar="ID",
              help="The agent to ask the LCM as; shows what it knows of them.")  # fmt: skip
@click.option("--lcm-id", metavar="ID", help="That agent's AgentID at the LCM, where it is another.")
@click.option("--endpoint", metavar="ENDPOINT", help="That agent's phone, in the dialer's own words.")
@click.option("--probe-reservation", metavar="AGENT",
              help="Fetch a contact for this test agent, and see whether the LCM reserved it.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(  # noqa: PLR0913  (one for each option)
    *,
    config: Path,
    sample: BinaryIO | None,
    agent_id: str | None,
    lcm_id: str | None,
    endpoint: str | None,
    probe_reservation: str | None,
    as_json: bool,
) -> None:
    """Check settings, plugins, and whether the LCM answers. Exit status 0 when all is good, else 2."""
    reply = sample.read() if sample else None
    agent = Agent(id=agent_id, lcm_id=lcm_id, endpoint=endpoint) if agent_id else None
    findings = run_to_end(check(config, agent=agent, sample=reply, probe=probe_reservation))
    if as_json:
        click.echo(json.dumps([finding.as_json() for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(str(finding))
    sys.exit(0 if all(finding.good for finding in findings) else SETTINGS)
