"""`lcm-plugin attempts`: what it says of what it did."""

from functools import partial

from cti_hooks import Agent, AttemptState, Contact
from lcm_plugin.attempt.transitions import ENDED, FETCHED
from lcm_plugin.attempts import LedgerTool
from lcm_plugin.commands.telling import forgotten
from lcm_plugin.ledger import Draft, Ledger, LetterState, letters
from lcm_plugin.sandbox.virtual_time import LoopClock


async def test_forget_names_the_messages_that_still_tell_who_it_was(ledger: Ledger, clock: LoopClock) -> None:
    """`forget KEY` says how many messages the LCM still has to get, and the way out for one it may have."""
    contact = Contact(key="k", phone_number="+12125550101")
    offer = ledger.change(await ledger.open(Agent(id="a")), FETCHED, contact=contact)
    ended = ledger.change(await ledger.dial(offer), ENDED)
    disposed = await ledger.dispose(ended, [Draft(message=one, values={}) for one in ("SetDNC", "b", "c")])
    tool = LedgerTool(ledger.database, clock)
    assert forgotten(*await tool.forget("k"))[1].startswith("3 messages are still to be sent")
    (taken,) = await ledger.run(partial(letters.take, holder=ledger.holder, now=ledger.now()))
    settle = partial(letters.settle, letter_id=taken.id, state=LetterState.UNCONFIRMED, error=None)
    await ledger.run(partial(settle, now=ledger.now()))
    known, unsent, unconfirmed = forgotten(*await tool.forget("k"))
    assert known == "1 attempts know nobody any more"
    assert unsent.startswith("2 messages are still to be sent")
    assert unconfirmed.startswith("SetDNC is unconfirmed")
    assert f"attempts resend {disposed.id}" in unconfirmed
    assert forgotten(*await tool.forget("nobody's")) == ["0 attempts know nobody any more"]


async def test_what_is_withdrawn_is_given_up(ledger: Ledger, clock: LoopClock) -> None:
    """`withdraw ID` closes an attempt whose message was rejected, says so, and the contact's next goes on."""
    contact = Contact(key="k", phone_number="+12125550101")
    attempts = []
    for message in ("first", "second"):
        offer = ledger.change(await ledger.open(Agent(id=message)), FETCHED, contact=contact)
        attempts.append(await ledger.dispose(offer, [Draft(message=message, values={})]))
    (taken,) = await ledger.run(partial(letters.take, holder=ledger.holder, now=ledger.now()))
    settle = partial(letters.settle, letter_id=taken.id, state=LetterState.REJECTED, error="no")
    await ledger.run(partial(settle, now=ledger.now()))
    take = partial(letters.take, holder=ledger.holder, now=ledger.now())
    tool = LedgerTool(ledger.database, clock)
    assert await ledger.run(take) == []
    assert await tool.withdraw(attempts[0].id) == 1
    assert await tool.withdraw(attempts[0].id) == 0
    story = await tool.story(attempts[0].id)
    assert (story.attempt.state, story.lines[-1].reason) == (
        AttemptState.CLOSED,
        "what the LCM did not take was withdrawn",
    )
    assert [one.message for one in await ledger.run(take)] == ["second"]
