"""The commands: demo, run, check, next, sandbox, attempts, explain. Diagnostics go to standard error."""

import asyncio
import json
import logging
import sys
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

import click

from cti_hooks import Agent, masked_text, printable
from lcm_plugin import why_not
from lcm_plugin.check import check as check_config
from lcm_plugin.commands.attempts import attempts_command
from lcm_plugin.commands.running import NOTHING, REFUSED, SETTINGS, config_option, run_to_end
from lcm_plugin.demo import demo as run_demo
from lcm_plugin.instants import instant_of
from lcm_plugin.log_lines import LogLines
from lcm_plugin.next_contact import next_contact
from lcm_plugin.presentation import as_json as presented
from lcm_plugin.presentation import as_text
from lcm_plugin.sandbox import MEANINGS, Callbacks, Fault, Sandbox, SandboxContact
from lcm_plugin.service import serve

_FAULTS: Final = "\n\n".join(f"{name}: {meaning}." for name, meaning in MEANINGS.items())


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lcm-plugin")
@click.option("-v", "--verbose", count=True, help="Log more to standard error; twice for everything.")
def main(verbose: int) -> None:
    """Contacts from an LCM to the site's dialer."""
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LogLines())
    logging.basicConfig(level=level, handlers=[handler])


@main.command(short_help="A contact centre on 127.0.0.1, all of it played.")
@click.option("--agents", default=5, show_default=True, type=click.IntRange(1, 50), help="Agents at work.")
@click.option(
    "--contacts", default=24, show_default=True, type=click.IntRange(1, 1000), help="People to call."
)
@click.option("--seed", default=1, show_default=True, help="Chance starts here; the same seed, the same day.")
def demo(agents: int, contacts: int, seed: int) -> None:
    """A sandbox LCM, an embedded host, a loopback dialer and a handful of agents, all on 127.0.0.1."""
    root = logging.getLogger()
    if root.level == logging.WARNING:  # without -v: what the sandbox does wrong on purpose is no news
        root.setLevel(logging.ERROR)
    sys.exit(run_to_end(run_demo(agents=agents, contacts=contacts, seed=seed)))


@main.command(short_help="The embedded host, until interrupted.")
@config_option
def run(config: Path) -> None:
    """The embedded host, until interrupted; it drains first.

    Exit status: 0 interrupted, 2 settings, 4 ledger unavailable, 1 anything else, as a port that is taken.
    """
    run_to_end(serve(config, on_listening=lambda url: click.echo(f"listening on {url}")))


@main.command(short_help="Is this config file good, and does its LCM answer?")
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
def check(  # noqa: PLR0913  (one for each option)
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
    findings = run_to_end(check_config(config, agent=agent, sample=reply, probe=probe_reservation))
    if as_json:
        click.echo(json.dumps([finding.as_json() for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(str(finding))
    sys.exit(0 if all(finding.good for finding in findings) else SETTINGS)


@main.command(name="next", short_help="One contact as JSON; nothing is dialed.")
@config_option
@click.option("--agent", required=True, metavar="ID", help="The agent to fetch for.")
@click.option("--campaign-group", metavar="GROUP", help="Default: the site's choice for this agent.")
def next_(config: Path, agent: str, campaign_group: str | None) -> None:
    """Fetch one contact and print it as JSON, with what speaks against calling it. Nothing is dialed.

    Exit status: 0 a contact, 3 none, 2 settings, 4 LCM unavailable, 5 LCM says no, 6 bad reply.
    """
    found = run_to_end(next_contact(config, Agent(id=agent), campaign_group))
    if found is None:
        click.echo("no contact now", err=True)
        sys.exit(NOTHING)
    click.echo(as_text(found))


main.add_command(attempts_command)


def _instant(_: click.Context, __: click.Parameter, value: str | None) -> datetime | None:
    try:
        return None if value is None else instant_of(value)
    except ValueError as error:
        raise click.BadParameter(f"{masked_text(repr(value))} {error}") from None


@main.command(short_help="Why a contact may or may not be called.")
@config_option
@click.option("--sample", type=click.File("rb"), metavar="FILE", help="A reply of the LCM's, as JSON.")
@click.option("--attempt", "attempt_id", metavar="ID", help="An attempt of the ledger.")
@click.option("--agent", "agent_id", metavar="ID", help="Default: the attempt's agent.")
@click.option("--at", "moment", callback=_instant, metavar="TIME",
              help="ISO 8601 with offset; default: now.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True,
              help="Print JSON, numbers in full: one object, for a sample a list of them.")  # fmt: skip
def explain(  # noqa: PLR0913  (one for each option)
    *,
    config: Path,
    sample: BinaryIO | None,
    attempt_id: str | None,
    agent_id: str | None,
    moment: datetime | None,
    as_json: bool,
) -> None:
    """Why a contact may or may not be called: every rule, passed or not, with its evidence.

    Nothing is fetched or dialed, and the LCM is not asked.

    Exit status: 0 nothing speaks against it, 7 refused, 3 no such attempt, 2 settings, 4 ledger unavailable,
    5 or 6 the sample is a refusal or cannot be read.
    """
    if (sample is None) == (attempt_id is None):
        raise click.UsageError("write either --sample FILE or --attempt ID")
    if sample is not None:
        found = run_to_end(why_not.explain_sample(config, sample.read(), agent_id, moment))
    else:
        found = [run_to_end(why_not.explain_attempt(config, attempt_id or "", agent_id, moment))]
    if as_json:
        shown = [presented(one) for one in found]
        click.echo(as_text(shown if sample is not None else shown[0]))
    else:
        told = ("\n".join(map(printable, why_not.told(one))) for one in found)
        click.echo("\n\n".join(told) or "no contact in this reply")
    sys.exit(REFUSED if any(one.objections for one in found) else 0)


@main.command(short_help="An LCM to develop and test against.")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Default: any free one.")
@click.option("--contacts", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="People to call, JSON or CSV. Default: made up.")  # fmt: skip
@click.option("--callbacks", type=click.Choice([one.value for one in Callbacks]),
              default=Callbacks.RESERVED.value, show_default=True,
              help="Which download gives an agent's personal callback once it is due.")  # fmt: skip
@click.option("--fault", "faults", multiple=True, metavar="SPEC", help=f"NAME[,key=value]...\n\n{_FAULTS}")
def sandbox(port: int, contacts: Path | None, callbacks: str, faults: tuple[str, ...]) -> None:
    """An LCM to develop and test against. The first line of output is its URL.

    Exit status: 0 interrupted, 2 wrong options, 1 anything else, as a port that is taken.
    """
    try:
        people = SandboxContact.read(contacts) if contacts else None
        ordered = [Fault.parse(spec) for spec in faults]
    except ValueError as error:
        raise click.UsageError(masked_text(str(error))) from None
    run_to_end(_sandbox(Sandbox(contacts=people, port=port, callbacks=Callbacks(callbacks)), ordered))


async def _sandbox(sandbox: Sandbox, faults: list[Fault]) -> None:
    async with sandbox as lcm:
        for fault in faults:
            lcm.order(fault)
        click.echo(lcm.url)
        click.echo(lcm.ws_url)
        await asyncio.get_running_loop().create_future()
