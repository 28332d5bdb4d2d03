"""Where a host's process is, so that a host on the same machine can prove that it is dead."""

import os
from pathlib import Path
from typing import Final

_UNKNOWN: Final = ""


def own_place() -> str:
    """This process, as no other is called: boot, pid namespace, pid, start time. Empty if untold."""
    return _place(os.getpid())


def is_dead(place: str) -> bool:
    """Whether the process at `place` is proven to have ended. False if nothing can be proven from here."""
    own = own_place()
    if not place or not own:
        return False
    boot, namespace, pid, _ = place.split(":")
    return [boot, namespace] == own.split(":")[:2] and _place(int(pid)) != place


def _place(pid: int) -> str:
    """Linux tells; elsewhere, and for a process that is not there, it is empty."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
        after_name = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
        )
    except OSError:
        return _UNKNOWN
    state, started = after_name.split()[0], after_name.split()[19]
    return _UNKNOWN if state == "Z" else f"{boot}:{namespace}:{pid}:{started}"
