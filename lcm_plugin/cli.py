"""The commands there are. One is imported when it is run, so that help and completion are there at once."""

import logging
import sys
from importlib import import_module
from typing import Final

import click

_COMMANDS: Final = {
    "attempts": "What the ledger holds, and why.",
    "check": "Is this config file good, and does its LCM answer?",
    "demo": "A contact centre on 127.0.0.1, all of it played.",
    "dnc": "Whom nobody dials any more, by the ledger's own list.",
    "explain": "Why a contact may or may not be called.",
    "next": "One contact as JSON; nothing is dialed.",
    "run": "The embedded host, until interrupted.",
    "sandbox": "An LCM to develop and test against.",
    "token": "A token for one who may use the API, and its lines for the config file.",
}
"""By name, with what the list of commands says of each: `lcm_plugin.commands` has a module of this name."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names, as they are listed."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The `command` of its module."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"lcm_plugin.commands.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list, without importing what it lists."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lcm-plugin")
@click.option("-v", "--verbose", count=True, help="Log more to standard error; twice for everything.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="How it logs: JSON has the attempt, agent and key as fields.")  # fmt: skip
def main(verbose: int, log_format: str) -> None:
    """Contacts from an LCM to the site's dialer."""
    from lcm_plugin.log_lines import JsonLines, LogLines  # noqa: PLC0415  (`--help` does without the contract)

    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if log_format == "json" else LogLines())
    logging.basicConfig(level=level, handlers=[handler])
