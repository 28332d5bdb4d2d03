"""`lcm-plugin demo`: the same seed, the same day."""

import pytest
from click.testing import CliRunner

from lcm_plugin.cli import main

pytestmark = pytest.mark.real_time


def summary(seed: int) -> list[str]:
    """The last lines of a small demo, its account."""
    arguments = ["demo", "--agents", "8", "--contacts", "16", "--seed", str(seed)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()[-4:]


def test_a_seed_repeats_the_days_account() -> None:
    """How many were answered, busy, not answered and dialed by hand is the seed's, word for word."""
    first, again, other = summary(7), summary(7), summary(8)
    assert first == again != other
    assert "answered" in first[1]
