"""`lcm-plugin run`."""

from pathlib import Path

import click

from lcm_plugin.commands.running import config_option, run_to_end
from lcm_plugin.service import serve


@click.command(name="run")
@config_option
def command(config: Path) -> None:
    """The embedded host, until interrupted; it drains first.

    Exit status: 0 interrupted, 2 settings, 4 ledger unavailable, 1 anything else, as a port that is taken.
    """
    run_to_end(serve(config, on_listening=lambda url: click.echo(f"listening on {url}")))
