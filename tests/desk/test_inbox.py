"""What the ledger tells desks, noted first and dealt with later."""

import asyncio
from datetime import UTC, datetime

import pytest

from cti_hooks import Attempt, AttemptState
from lcm_plugin.desk.inbox import Inbox
from tests.ledger.wire import Told
from tests.people import ALICE


def attempt(name: str) -> Attempt:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    state = AttemptState.CALLING
    return Attempt(id=name, agent=ALICE, contact=None, state=state, campaign_group="", opened_at=at)


async def test_news_is_dealt_with_once_whoever_wrote_has_gone_on() -> None:
    """Nothing is read while it is told; later all of it is, in order."""
    inbox, told = Inbox(), Told()
    inbox.reader = told
    inbox.lost(attempt("1"))
    inbox.lost(attempt("2"))
    assert told.lost_ones == []
    await asyncio.sleep(0)
    assert [one.id for one in told.lost_ones] == ["1", "2"]


async def test_a_reader_that_fails_keeps_nobody_elses_news(caplog: pytest.LogCaptureFixture) -> None:
    """A fault in what follows of one attempt is in the log, and what follows of the next is done."""

    class Fails(Told):
        def lost(self, attempt: Attempt) -> None:
            super().lost(attempt)
            if attempt.id == "1":
                raise ValueError("nobody at +12125550123")

    inbox, told = Inbox(), Fails()
    inbox.reader = told
    for name in ("1", "2"):
        inbox.lost(attempt(name))
    await asyncio.sleep(0)
    inbox.lost(attempt("3"))
    await asyncio.sleep(0)
    assert [one.id for one in told.lost_ones] == ["1", "2", "3"]
    assert "nobody at" in caplog.text
    assert "2125550123" not in caplog.text


async def test_news_without_a_reader_is_left_unread() -> None:
    """A host that has stopped deals with nothing more."""
    inbox, told = Inbox(), Told()
    inbox.adopted(attempt("1"))
    inbox.deal()
    inbox.reader = told
    await asyncio.sleep(0)
    assert told.adopted_ones == []
