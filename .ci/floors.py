"""Prints the lowest versions that setup.cfg allows, as constraints for pip."""

import configparser
import re
import sys
from pathlib import Path

SETUP = Path(__file__).parent.parent / "setup.cfg"
TOOLS = {"test", "check", "bench"}
"""The extras of those who work on it: no site installs them."""


def floors(setup: str) -> list[str]:
    """`name==lowest` for each requirement of the core and of the extras for sites.

    Raises:
        ValueError: a requirement has no lowest version, or more than that.
    """
    config = configparser.ConfigParser()
    config.read_string(setup)
    extras = config["options.extras_require"]
    asked = [config["options"]["install_requires"], *(extras[name] for name in extras if name not in TOOLS)]
    return [_floor(line) for lines in asked for line in lines.split()]


def _floor(requirement: str) -> str:
    found = re.fullmatch(r"([\w.-]+)(?:\[[\w,]+\])?>=([\w.]+)", requirement)
    if not found:
        raise ValueError(f"setup.cfg: {requirement} names no lowest version alone; write name>=version")
    return f"{found[1]}=={found[2]}"


if __name__ == "__main__":
    sys.stdout.write("\n".join([*floors(SETUP.read_text(encoding="utf-8")), ""]))
