"""Secrets, which the config file only names: a variable of the environment, or a file.

    problems += [not_set("token_env", name)] if name not in os.environ else []
    token = read_secret(env=settings.token_env, file=settings.token_file, directory=host.directory)

A file is read each time, so a new secret needs no restart.
"""

import os
import re
from pathlib import Path
from typing import Final

from cti_hooks.errors import Problem
from cti_hooks.private import others_can_read, others_can_write

_VARIABLE: Final = re.compile(r"[A-Z]+(_[A-Z]+)*")
"""What is surely a variable's name. Anything else may be the secret itself, written in the wrong place."""

_MOUNTED: Final = ", or mount it with mode 0440 and the host's group (Kubernetes: defaultMode and fsGroup)"
"""A file of root on a mount that cannot be written has its mode set where it is mounted."""


class SecretError(OSError):
    """A secret cannot be read; the text says from where, and never what it is."""


def not_set(key: str, variable: str) -> Problem:
    """That the environment lacks the variable which the setting `key` names."""
    if _VARIABLE.fullmatch(variable):
        return Problem(key, f"the environment has no variable {variable}; set it")
    return Problem(key, "names no variable of the environment; write a variable's name, never the secret")


def read_secret(*, env: str | None, file: str | None, directory: Path) -> str:
    """The secret, without blanks at its ends; a file's name is relative to `directory`.

    Raises:
        SecretError: it is not there, or others can read or change its file.
    """
    where = f"file {file}" if file else f"environment variable {env}"
    try:
        return _read(directory / file) if file else os.environ[env or ""].strip()
    except SecretError as error:
        raise SecretError(f"cannot be read from {where}: {error}") from None
    except (OSError, ValueError, KeyError):
        raise SecretError(f"cannot be read from {where}") from None


def refuse_exposed(file: Path) -> None:
    """Look at a secret's file that another library reads, as that of a TLS key.

    Raises:
        SecretError: others can read or change it.
        OSError: it is not there.
    """
    _refuse_exposed(file.stat(), file)


def _read(file: Path) -> str:
    with file.open(encoding="utf-8") as opened:
        _refuse_exposed(os.fstat(opened.fileno()), file)
        return opened.read().strip()


def _refuse_exposed(found: os.stat_result, file: Path) -> None:
    if others_can_write(found):
        raise SecretError(f"others can write it; see that it is still yours, then chmod 600 {file}")
    if others_can_read(found):
        raise SecretError(f"others can read it; chmod 600 {file}{_MOUNTED if found.st_uid == 0 else ''}")
