"""What a room may import."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_import_contracts_are_kept() -> None:
    """Data flows through the rooms one way; dialers and the contract know nothing of the rest."""
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603  (our own linter)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout
