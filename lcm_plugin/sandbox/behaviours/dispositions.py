"""Dispositions: each ends its delivery; with a callback the contact comes again, with a block never."""

from typing import Final

from attrs import evolve

from lcm_plugin.lcm.catalogue import FAMILIES, dispositions
from lcm_plugin.sandbox.account import BookedCallback
from lcm_plugin.sandbox.asked import Asked, RefusedError
from lcm_plugin.sandbox.lists import Lists, Reservation
from lcm_plugin.sandbox.people import PERSONAL, REGULAR, SandboxContact
from lcm_plugin.sandbox.state import State


def disposition(state: State, asked: Asked) -> None:
    """Any of the setters; what it has to say is in its fields."""
    one = state.delivery(asked)
    state.check_outcomes(asked)
    state.check_dialer_detail(asked)
    callback = _callback(state, asked, one) if asked["starts_at"] else None
    entry = state.dispose(asked, one)
    if callback:
        entry.callback = callback
        state.account.callbacks.append(callback)
    state.lists.close(one.key, _again(state.lists, one.person, callback) if callback else None)


def do_not_call(state: State, asked: Asked) -> None:
    """Blocks the number beside."""
    disposition(state, asked)
    state.block(state.delivery(asked).person.phone_number, asked)


def _callback(state: State, asked: Asked, one: Reservation) -> BookedCallback:
    starts_at, ends_at = asked.moment("starts_at", state.zone), asked.moment("ends_at", state.zone)
    if ends_at < starts_at:
        raise RefusedError("the callback ends before it starts")
    return BookedCallback(
        key=one.key,
        agent_id=asked.agent_id or one.agent_id,
        personal=bool(asked["user"]) or "Personal" in asked.message.subtopic,
        starts_at=starts_at,
        ends_at=ends_at,
        mode_id=asked["mode_id"],
    )


def _again(lists: Lists, person: SandboxContact, callback: BookedCallback) -> SandboxContact:
    """The same person, when the callback is due."""
    return evolve(
        person.on(callback.mode_id),
        due_in=(callback.starts_at - lists.started).total_seconds(),
        due_until=(callback.ends_at - lists.started).total_seconds(),
        personal_agent=callback.agent_id if callback.personal else None,
        call_type=PERSONAL if callback.personal else REGULAR,
    )


BEHAVIOURS: Final = {
    **{message.subtopic: disposition for message in FAMILIES[dispositions]},
    "SetDNC": do_not_call,
}
