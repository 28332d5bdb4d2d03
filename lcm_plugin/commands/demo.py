"""`lcm-plugin demo`."""

import logging
import sys

import click

from lcm_plugin.commands.running import run_to_end
from lcm_plugin.demo import demo


@click.command(name="demo")
@click.option("--agents", default=5, show_default=True, type=click.IntRange(1, 50), help="Agents at work.")
@click.option(
    "--contacts", default=24, show_default=True, type=click.IntRange(1, 1000), help="People to call."
)
@click.option("--seed", default=1, show_default=True, help="Chance starts here; the same seed, the same day.")
def command(agents: int, contacts: int, seed: int) -> None:
    """A sandbox LCM, an embedded host, a loopback dialer and a handful of agents, all on 127.0.0.1."""
    root = logging.getLogger()
    if root.level == logging.WARNING:  # without -v: what the sandbox does wrong on purpose is no news
        root.setLevel(logging.ERROR)
    sys.exit(run_to_end(demo(agents=agents, contacts=contacts, seed=seed)))
