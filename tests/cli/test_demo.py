"""`lcm-plugin demo`: the same seed, the same day."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real_time

PROGRAM = Path(sys.executable).parent / "lcm-plugin"


def summary(seed: int) -> list[str]:
    """The last lines of a small demo, its account."""
    command = [str(PROGRAM), "demo", "--agents", "8", "--contacts", "16", "--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603  (our own program)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-4:]


def test_a_seed_repeats_the_days_account() -> None:
    """How many were answered, busy, not answered and dialed by hand is the seed's, word for word."""
    first, again, other = summary(7), summary(7), summary(8)
    assert first == again != other
    assert "answered" in first[1]
