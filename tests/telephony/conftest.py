"""Real engines: Asterisk, sipp and baresip, on loopback. See `provision` for how they come here."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Final

import pytest

from tests.telephony.bench import engines
from tests.telephony.bench.asterisk import Asterisk, asterisk
from tests.telephony.bench.customer import Sipp, customers
from tests.telephony.bench.softphone import Softphone, softphone

SECONDS_AT_MOST: Final = 240
"""What all tests with real engines may take together; told and not failed for, as machines may be busy."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """One process has them all: an engine is started once, and is not kept from being in time by another."""
    item.add_marker(pytest.mark.xdist_group("engines"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [one for those in terminalreporter.stats.values() for one in those]
    seconds = sum(
        one.duration
        for one in reports
        if isinstance(one, pytest.TestReport) and one.nodeid.startswith("tests/telephony/")
    )
    terminalreporter.write_line(f"real engines took {seconds:.0f} s, of {SECONDS_AT_MOST} s that they may")


@pytest.fixture(scope="session")
def engines_here() -> None:
    """Skip without real engines; fail where they are required, as in CI."""
    why = engines.missing()
    if why and engines.REQUIRED:
        pytest.fail(why, pytrace=False)
    if why:
        pytest.skip(why)


@pytest.fixture(scope="session")
def sipp(engines_here: None) -> Iterator[Sipp]:
    """The customers; `bench.customer.Customer` has their numbers."""
    with customers() as running:
        yield running


@pytest.fixture(scope="session")
def shared_asterisk(sipp: Sipp) -> Iterator[Asterisk]:
    """An Asterisk all tests share that leave it as it was."""
    with asterisk(customer_port=sipp.port) as running:
        yield running


@pytest.fixture
def own_asterisk(sipp: Sipp) -> Iterator[Asterisk]:
    """An Asterisk of the test's own, to kill and to freeze."""
    with asterisk(customer_port=sipp.port) as running:
        yield running


@pytest.fixture
def open_softphone(engines_here: None) -> Iterator[Callable[..., Softphone]]:
    """Starts a baresip with the arguments of `bench.softphone.softphone`; it ends with the test."""
    with ExitStack() as stack:

        def opened(**options: str) -> Softphone:
            phone: AbstractContextManager[Softphone] = softphone(**options)  # type: ignore[arg-type]  # as told
            return stack.enter_context(phone)

        yield opened
