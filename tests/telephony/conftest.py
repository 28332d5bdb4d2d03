"""Real engines: Asterisk, sipp and baresip, on loopback. See `provision` for how they come here."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack

import pytest

from tests.telephony.bench import engines
from tests.telephony.bench.asterisk import Asterisk, asterisk
from tests.telephony.bench.customer import Sipp, customers
from tests.telephony.bench.softphone import Softphone, softphone


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
