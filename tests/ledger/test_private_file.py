"""The ledger's file is its owner's only."""

import itertools
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from cti_hooks import Agent, ConfigError, private
from lcm_plugin.ledger import Ledger, database_for
from lcm_plugin.ledger.private_file import make_private, refuse_exposed
from lcm_plugin.sandbox.virtual_time import LoopClock

SEEDS = itertools.count()
pytestmark = pytest.mark.skipif(os.name != "posix", reason="no other system tells it by modes")


@asynccontextmanager
async def written(directory: Path) -> AsyncIterator[Path]:
    """A ledger with an attempt in it, still open."""
    ledger = Ledger(
        database=database_for("sqlite:///ledger.db", directory),
        clock=LoopClock(),
        random=Random(next(SEEDS)),
        host="h",
        lease_seconds=30,
    )
    await ledger.start()
    try:
        await ledger.open(Agent(id="alice"))
        yield directory / "ledger.db"
    finally:
        await ledger.close()


def modes(file: Path) -> dict[str, int]:
    return {one.name: one.stat().st_mode & 0o777 for one in file.parent.glob(f"{file.name}*")}


def expose(file: Path) -> None:
    file.touch()
    file.chmod(0o666)


async def refusal_of(directory: Path) -> str:
    with pytest.raises(ConfigError) as refused:
        async with written(directory):
            pass
    (problem,) = refused.value.problems
    return str(problem)


async def test_the_ledger_and_its_journal_are_their_owners_only(tmp_path: Path) -> None:
    """Under the usual umask nobody else reads the file, its write-ahead log or that one's index."""
    before = os.umask(0o022)
    try:
        async with written(tmp_path) as file:
            found = modes(file)
    finally:
        os.umask(before)
    assert found == {"ledger.db": 0o600, "ledger.db-wal": 0o600, "ledger.db-shm": 0o600}


async def test_a_ledger_that_others_could_read_is_tightened(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One made by an earlier version is its owner's only from its next start on, and the log says so."""
    async with written(tmp_path) as file:
        pass
    file.chmod(0o644)
    with caplog.at_level(logging.WARNING, "lcm_plugin.ledger"):
        async with written(tmp_path):
            assert set(modes(file).values()) == {0o600}
    assert f"{file} could be read by others; it is its owner's only now" in caplog.text


@pytest.mark.parametrize("suffix", ["", "-wal"], ids=["file", "journal"])
async def test_a_ledger_that_others_can_write_is_refused(tmp_path: Path, suffix: str) -> None:
    """What others may have written is nothing to dial by: the file is named, with the way out."""
    async with written(tmp_path) as file:
        pass
    exposed = Path(f"{file}{suffix}")
    expose(exposed)
    refused = await refusal_of(tmp_path)
    assert f"{exposed} can be written by others; see that it is whole, then chmod 600 {exposed}" in refused


async def test_a_ledger_that_its_group_could_write_is_tightened(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an orchestrator mounts a volume at each start: a group's that the system knows nothing of."""
    monkeypatch.setattr(private, "_is_owners_own", lambda _: False)
    async with written(tmp_path) as file:
        pass
    file.chmod(0o660)
    async with written(tmp_path):
        assert set(modes(file).values()) == {0o600}
    assert f"{file} could be written by others; it is its owner's only now" in caplog.text


async def test_a_ledger_that_cannot_be_tightened_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If modes cannot be changed, a file its group can write is refused; one it can read is warned of."""
    monkeypatch.setattr(private, "_is_owners_own", lambda _: False)
    async with written(tmp_path) as file:
        pass
    chmod = Path.chmod
    monkeypatch.setattr(Path, "chmod", lambda *_: None)
    chmod(file, 0o660)
    assert f"{file} can be written by others, and chmod does not change it" in await refusal_of(tmp_path)
    for name in modes(file):
        chmod(tmp_path / name, 0o640)
    async with written(tmp_path):
        pass
    assert f"{file} can be read by others, and chmod does not change it" in caplog.text


@pytest.mark.parametrize("look", [refuse_exposed, make_private])
def test_a_journal_that_goes_meanwhile_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, look: Callable[[Path], None]
) -> None:
    """Another host that closes the ledger takes its journal away, between any two looks at it."""
    journal, stat = tmp_path / "ledger.db-wal", Path.stat
    journal.touch(0o644)
    journal.chmod(0o644)

    def last_seen(one: Path, **how: bool) -> os.stat_result:
        found = stat(one, **how)
        if one == journal:
            one.unlink()
        return found

    monkeypatch.setattr(Path, "stat", last_seen)
    look(tmp_path / "ledger.db")
    assert not os.path.lexists(journal)


async def test_another_users_ledger_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty file that somebody put there first would be read by them."""
    (tmp_path / "ledger.db").touch(0o600)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert "is another user's; run as that user, or name another file" in await refusal_of(tmp_path)


async def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    """The ledger is not made where somebody's link says."""
    (tmp_path / "ledger.db").symlink_to(tmp_path / "elsewhere.db")
    assert "is a link that leads nowhere" in await refusal_of(tmp_path)
    assert not (tmp_path / "elsewhere.db").exists()
