"""What it costs to begin: `lcm-plugin --help` beside click, `import cti_hooks` beside pluggy and attrs.

python -m benchmarks.starting [ROUNDS]
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

_PYTHON: Final = sys.executable
COMMANDS: Final[Mapping[str, Sequence[str]]] = {
    "lcm-plugin --help": (str(Path(_PYTHON).with_name("lcm-plugin")), "--help"),
    "import click": (_PYTHON, "-c", "import click"),
    "import cti_hooks": (_PYTHON, "-c", "import cti_hooks"),
    "import pluggy, attrs": (_PYTHON, "-c", "import pluggy, attrs"),
}


def took(command: Sequence[str]) -> float:
    """Seconds until it has ended."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  (our own)
    return time.perf_counter() - began


def measured(rounds: int) -> dict[str, list[float]]:
    """Seconds of each command, in each round; they take turns."""
    found: dict[str, list[float]] = {what: [] for what in COMMANDS}
    for command in COMMANDS.values():  # what is compiled is kept
        took(command)
    for _ in range(rounds):
        for what, command in COMMANDS.items():
            found[what].append(took(command))
    return found


def main() -> None:
    """Run it."""
    for what, times in measured(int(sys.argv[1]) if len(sys.argv) > 1 else 15).items():
        print(f"{what:22} {1000 * statistics.median(times):6.0f} ms")


if __name__ == "__main__":
    main()
