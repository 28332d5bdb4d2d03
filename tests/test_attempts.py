"""`lcm-plugin attempts`: what it says of what it did."""

from functools import partial

from cti_hooks import Agent, AttemptState, Contact
from lcm_plugin.attempts import Shelf, forgotten
from lcm_plugin.ledger import Draft, Ledger, LetterState, letters
from lcm_plugin.sandbox.virtual_time import LoopClock


async def test_forget_names_the_messages_that_still_tell_who_it_was(ledger: Ledger, clock: LoopClock) -> None:
    """`forget KEY` says how many messages the LCM still has to get, and the way out for one it may have."""
    contact = Contact(key="k", phone_number="+12125550101")
    offer = ledger.change(await ledger.open(Agent(id="a")), AttemptState.OFFERED, contact=contact)
    ended = ledger.change(await ledger.dial(offer), AttemptState.ENDED, seen=True)
    disposed = await ledger.dispose(ended, [Draft(message=one, values={}) for one in ("SetDNC", "b", "c")])
    shelf = Shelf(ledger.database, clock)
    assert forgotten(*await shelf.forget("k"))[1].startswith("3 messages are still to be sent")
    (taken,) = await ledger.run(partial(letters.take, holder=ledger.holder, now=ledger.now()))
    settle = partial(letters.settle, letter_id=taken.id, state=LetterState.UNCONFIRMED, error=None)
    await ledger.run(partial(settle, now=ledger.now()))
    known, unsent, unconfirmed = forgotten(*await shelf.forget("k"))
    assert known == "1 attempts know nobody any more"
    assert unsent.startswith("2 messages are still to be sent")
    assert unconfirmed.startswith("SetDNC is unconfirmed")
    assert f"attempts resend {disposed.id}" in unconfirmed
    assert forgotten(*await shelf.forget("nobody's")) == ["0 attempts know nobody any more"]
