"""`lcm-plugin explain`."""

import sys
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import click

from cti_hooks import masked_text, printable
from lcm_plugin import why_not
from lcm_plugin.commands.running import REFUSED, config_option, run_to_end
from lcm_plugin.instants import instant_of
from lcm_plugin.presentation import as_json as presented
from lcm_plugin.presentation import as_text


def _instant(_: click.Context, __: click.Parameter, value: str | None) -> datetime | None:
    try:
        return None if value is None else instant_of(value)
    except ValueError as error:
        raise click.BadParameter(f"{masked_text(repr(value))} {error}") from None


@click.command(name="explain")
@config_option
@click.option("--sample", type=click.File("rb"), metavar="FILE", help="A reply of the LCM's, as JSON.")
@click.option("--attempt", "attempt_id", metavar="ID", help="An attempt of the ledger.")
@click.option("--agent", "agent_id", metavar="ID", help="Default: the attempt's agent.")
@click.option("--at", "moment", callback=_instant, metavar="TIME",
              help="ISO 8601 with offset; default: now.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True,
              help="Print JSON, numbers in full: one object, for a sample a list of them.")  # fmt: skip
def command(  # noqa: PLR0913  (one for each option)
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
