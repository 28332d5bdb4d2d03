"""The ledger's file is its owner's only, and so are the files SQLite keeps beside it."""

import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from cti_hooks.private import anybody_can_write, others_can_write
from lcm_plugin.ledger.errors import refused

log = logging.getLogger("lcm_plugin.ledger")

_OWNERS_ONLY: Final = 0o600
_BESIDE: Final = ("", "-wal", "-shm")


def refuse_exposed(file: Path) -> None:
    """Look at a file before it is opened at all.

    Raises:
        ConfigError: it is a link to nowhere, another user owns it, or others can write it or its journal.
    """
    if file.is_symlink() and not file.exists():
        raise refused(str(file), "is a link that leads nowhere", "remove it, or make what it leads to")
    for one, found in _there(file):
        if hasattr(os, "geteuid") and found.st_uid != os.geteuid():
            raise refused(str(one), "is another user's", "run as that user, or name another file")
        if anybody_can_write(found):
            raise refused(str(one), "can be written by others", f"see that it is whole, then chmod 600 {one}")


def make_private(file: Path) -> None:
    """Make the file, if it is not there, before SQLite does; one that others can use is theirs no more.

    Raises:
        ConfigError: its group can write it, and its mode cannot be changed.
    """
    with suppress(OSError):  # there already; or it cannot be made, which SQLite says itself
        os.close(os.open(file, os.O_CREAT | os.O_EXCL, _OWNERS_ONLY))  # its journal gets the same mode
    for one, found in _there(file):
        if found.st_mode & 0o077 and os.name == "posix":
            with suppress(FileNotFoundError):
                _tighten(one, found)


def _tighten(one: Path, found: os.stat_result) -> None:
    """As a volume's files are its group's anew at each start of a container."""
    with suppress(PermissionError):
        one.chmod(_OWNERS_ONLY)
    left = one.stat()
    if others_can_write(left):
        why = "can be written by others, and chmod does not change it"
        raise refused(str(one), why, "name one where modes hold")
    if left.st_mode & 0o077:
        log.warning("%s can be read by others, and chmod does not change it", one)
    else:
        did = "written" if others_can_write(found) else "read"
        log.warning("%s could be %s by others; it is its owner's only now", one, did)


def _there(file: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Those that are; a host that closes the ledger may take its journal away meanwhile."""
    for suffix in _BESIDE:
        one = file.with_name(f"{file.name}{suffix}")
        with suppress(FileNotFoundError, NotADirectoryError):
            yield one, one.stat()
