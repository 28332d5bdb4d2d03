"""How a command runs: its work to the end, an error as one clear message with an exit status."""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from cti_hooks import printable

FAILED: Final = 1
SETTINGS: Final = 2
NOTHING: Final = 3
"""No contact, no such attempt, nothing to be done; or dialing is stopped, and nothing is fetched."""
UNAVAILABLE: Final = 4
REJECTED: Final = 5
BAD_REPLY: Final = 6
REFUSED: Final = 7

T = TypeVar("T")

config_option = click.option(
    "--config",
    "config",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The host's config file.",
)


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end; an error becomes one clear message and the exit status that names it."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        sys.exit(0)
    except Exception as error:  # noqa: BLE001  (whatever a plugin's start raises: one line, and -vv for the rest)
        from lcm_plugin.commands.failing import text_and_status  # noqa: PLC0415  (imports all that can fail)

        text, status = text_and_status(error)
        sys.exit(said(text, status))


def said(text: str, status: int) -> int:
    """The exit status, once its reason is on standard error."""
    click.echo("\n".join(map(printable, text.split("\n"))), err=True)
    return status
