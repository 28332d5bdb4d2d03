"""How a command runs: its work to the end, an error as one clear message with an exit status."""

import asyncio
import logging
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from cti_hooks import ConfigError, HookOverrunError, described, printable
from cti_hooks.masking import masked_traceback
from lcm_plugin.attempts import NoAttemptError
from lcm_plugin.errors import LcmBadReply, LcmConfigError, LcmError, LcmRejected
from lcm_plugin.ledger import DialingStoppedError, LedgerUnavailable
from lcm_plugin.listening import AddressError

log = logging.getLogger("lcm_plugin")

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
    except ConfigError as error:
        sys.exit(said(str(error), SETTINGS))
    except LcmError as error:
        sys.exit(said(str(error), _status(error)))
    except LedgerUnavailable as error:
        sys.exit(said(str(error), UNAVAILABLE))
    except HookOverrunError as error:
        sys.exit(said(_noted(str(error), error), UNAVAILABLE))
    except AddressError as error:
        sys.exit(said(str(error), FAILED))
    except (NoAttemptError, DialingStoppedError) as error:
        sys.exit(said(str(error), NOTHING))
    except Exception as error:  # noqa: BLE001  (whatever a plugin's start raises: one line, and -vv for the rest)
        log.debug("%s", masked_traceback(error))
        sys.exit(said(_noted(described(error), error), FAILED))


def said(text: str, status: int) -> int:
    """The exit status, once its reason is on standard error."""
    click.echo("\n".join(map(printable, text.split("\n"))), err=True)
    return status


def _noted(text: str, error: Exception) -> str:
    return " ".join([text, *getattr(error, "__notes__", [])])


def _status(error: LcmError) -> int:
    statuses: list[tuple[type[LcmError], int]] = [
        (LcmConfigError, SETTINGS),
        (LcmRejected, REJECTED),
        (LcmBadReply, BAD_REPLY),
    ]
    return next((status for kind, status in statuses if isinstance(error, kind)), UNAVAILABLE)
