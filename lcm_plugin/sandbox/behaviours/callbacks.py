"""Callbacks that wait."""

from datetime import datetime, timedelta
from typing import Any, Final

from lcm_plugin.lcm.catalogue.fields import DAY, TIME
from lcm_plugin.sandbox.asked import Asked
from lcm_plugin.sandbox.people import SandboxContact
from lcm_plugin.sandbox.state import State

_SHORTEST: Final = timedelta(minutes=1)
"""A window that ends when it starts still is a moment: the sample's does."""


def personal(state: State, asked: Asked) -> Any:
    """The agent's own, of these days, and of them those asked for."""
    first, last = asked.moment("starts_at", state.zone), asked.moment("ends_at", state.zone)
    mine = [
        person
        for person, starts_at, _ in _windows(state, asked.agent_id)
        if first.date() <= starts_at.date() <= last.date()
    ]
    start = int(asked["first"]) if asked["first"].isdecimal() else 1
    rows = [_row(state, number, person) for number, person in enumerate(mine, start=1)]
    return [row for row in rows if int(row["RowNumber"]) >= start][: asked.count]


def overlap(state: State, asked: Asked) -> Any:
    """Whether the window meets that of another callback of the agent."""
    starts_at, ends_at = _window(asked.moment("starts_at", state.zone), asked.moment("ends_at", state.zone))
    meets = any(
        starts_at < theirs[1] and theirs[0] < ends_at
        for _, *window in _windows(state, asked.agent_id)
        if (theirs := _window(*window))
    )
    return {"RequestResult": True, "IsOverlap": meets}


def _windows(state: State, agent_id: str) -> list[tuple[SandboxContact, datetime, datetime]]:
    lists = state.lists
    return [
        (person, starts_at.astimezone(state.zone), ends_at.astimezone(state.zone))
        for person in lists.callbacks()
        if person.personal_agent == agent_id
        and (starts_at := lists.due_at(person))
        and (ends_at := lists.due_until(person))
    ]


def _window(starts_at: datetime, ends_at: datetime) -> tuple[datetime, datetime]:
    """To the minute, as all callbacks are told."""
    first, last = (moment.replace(second=0, microsecond=0) for moment in (starts_at, ends_at))
    return first, max(last, first + _SHORTEST)


def _row(state: State, number: int, person: SandboxContact) -> dict[str, Any]:
    mode = next((one for one in person.numbers if one.name == person.mode), person.numbers[0])
    starts_at, ends_at = state.lists.due_at(person), state.lists.due_until(person)
    return {
        "RowNumber": str(number),
        "CampaignID": person.campaign,
        "ContactID": person.contact_id,
        "ModeID": mode.id,
        "ModeDescription": mode.name,
        "CValue": person.phone_number,
        **_written(state, "CallStart", starts_at),
        **_written(state, "CallEnd", ends_at),
    }


def _written(state: State, name: str, moment: datetime | None) -> dict[str, str]:
    local = moment.astimezone(state.zone) if moment else None
    return {
        f"{name}Date": local.strftime(DAY) if local else "",
        f"{name}Time": local.strftime(TIME) if local else "",
    }


BEHAVIOURS: Final = {"GetPersonalCallbackList": personal, "ScheduledCallBackOverlap": overlap}
