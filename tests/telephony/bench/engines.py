"""Which engines this machine has, and how to get the others."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

PROVISION: Final = Path(__file__).parent.parent / "provision"
REQUIRED: Final = os.environ.get("LCM_TELEPHONY") == "required"
"""Whether a missing engine is a failure: it is in CI."""


def asterisk_root() -> Path:
    """The folder Asterisk is entered in by chroot, there or not."""
    where = subprocess.run([PROVISION, "--where"], check=True, capture_output=True, text=True, timeout=10)  # noqa: S603  (our own script)
    return Path(where.stdout.strip())


def missing() -> str | None:
    """Why calls cannot be placed by real engines here, and the way out; None where they can."""
    lacking = [name for name in ("sipp", "baresip") if shutil.which(name) is None]
    if not (asterisk_root() / ".provisioned").exists():
        lacking.append("asterisk")
    if lacking:
        return f"{', '.join(lacking)} not installed: run `make telephony` as root"
    if os.geteuid() != 0:
        return "chroot needs root: run the tests as root"
    return None
