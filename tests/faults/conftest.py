"""What the fault tests have to show is shown at the end of the run, whatever pytest was told to print."""

from collections.abc import Callable

import pytest

_TABLES = pytest.StashKey[list[str]]()


@pytest.fixture
def show(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Adds a text to the end of the run."""
    return request.config.stash.setdefault(_TABLES, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for table in config.stash.get(_TABLES, []):
        terminalreporter.write_line(table)
