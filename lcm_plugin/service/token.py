"""The host's token: the environment's, or that of a file which the first start makes."""

import logging
import os
import secrets
from pathlib import Path
from typing import Final

from cti_hooks import ConfigError, Problem
from cti_hooks.secret import read_secret
from lcm_plugin.service.settings import ServiceSettings

log = logging.getLogger("lcm_plugin.service")

_OWNERS_ONLY: Final = 0o600
_BYTES: Final = 32
"""Of chance: as many as nobody guesses."""


def token_of(settings: ServiceSettings, directory: Path) -> str | None:
    """The token, or None if none is set; a file that is not there is made, with a new one in it.

    Raises:
        ConfigError: the file cannot be made or read, is empty, or others can read or change it.
    """
    if settings.token_file is None:
        return settings.token
    _make(directory / settings.token_file)
    return _read(settings.token_file, directory)


def refuse_unusable(settings: ServiceSettings, directory: Path) -> None:
    """Look at the file, if it is there, without making it.

    Raises:
        ConfigError: it cannot be read, is empty, or others can read or change it.
    """
    if settings.token_file and (directory / settings.token_file).exists():
        _read(settings.token_file, directory)


def _read(file: str, directory: Path) -> str:
    try:
        token = read_secret(env=None, file=file, directory=directory)
    except OSError as error:
        raise _wrong(str(error)) from None
    if not token:
        raise _wrong("is empty; remove it, and a token is made at the next start")
    return token


def _make(file: Path) -> None:
    """Make the file if it is not there, so that nobody but its owner could ever read it."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNERS_ONLY)
    except FileExistsError:
        return
    except OSError as error:
        raise _wrong(f"cannot be made: {(error.strerror or str(error)).lower()}") from None
    with os.fdopen(descriptor, "w", encoding="ascii") as made:
        made.write(f"{secrets.token_urlsafe(_BYTES)}\n")
    log.warning("%s is new: callers show the token in it", file)


def _wrong(why: str) -> ConfigError:
    return ConfigError([Problem("service.token_file", why)])
