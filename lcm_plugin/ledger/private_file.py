"""The ledger's file is its owner's only, and so are the files SQLite keeps beside it."""

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from cti_hooks.private import others_can_write
from lcm_plugin.ledger.errors import refused

log = logging.getLogger("lcm_plugin.ledger")

_OWNERS_ONLY: Final = 0o600
_BESIDE: Final = ("", "-wal", "-shm")


def refuse_exposed(file: Path) -> None:
    """Look at a file before it is opened at all.

    Raises:
        ConfigError: it is a link to nowhere, another user's, or others can write it or its journal.
    """
    if file.is_symlink() and not file.exists():
        raise refused(str(file), "is a link that leads nowhere", "remove it, or make what it leads to")
    for one in _there(file):
        found = one.stat()
        if hasattr(os, "geteuid") and found.st_uid != os.geteuid():
            raise refused(str(one), "is another user's", "run as that user, or name another file")
        if others_can_write(found):
            raise refused(str(one), "can be written by others", f"see that it is whole, then chmod 600 {one}")


def make_private(file: Path) -> None:
    """Make the file, if it is not there, before SQLite does; one that others can read is theirs no more."""
    with suppress(OSError):  # there already; or it cannot be made, which SQLite says itself
        os.close(os.open(file, os.O_CREAT | os.O_EXCL, _OWNERS_ONLY))  # its journal gets the same mode
    for one in _there(file):
        if one.stat().st_mode & 0o077 and os.name == "posix":
            one.chmod(_OWNERS_ONLY)
            log.warning("%s could be read by others; it is its owner's only now", one)


def _there(file: Path) -> list[Path]:
    return [one for suffix in _BESIDE if (one := file.with_name(f"{file.name}{suffix}")).exists()]
