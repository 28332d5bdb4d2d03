"""Dialing stopped: for the site, a campaign or an agent, by any host, and after a restart too."""

from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa
from attrs import frozen

from cti_hooks import Attempt
from lcm_plugin.ledger.schema import digest, stops

_SCOPES: Final = ("site", "campaign", "campaign_group", "agent")
STOPS_FOR: Final = stops.select().where(stops.c.scope_digest.in_([sa.bindparam(one) for one in _SCOPES]))
"""What stops an attempt of these scopes."""
StopKind = Literal["site", "campaign", "agent"]


@frozen(kw_only=True)
class Stop:
    """Nothing is dialed or fetched there. `name` is that of the campaign, group or agent, or empty."""

    kind: StopKind
    name: str = ""
    actor: str
    since: datetime

    @property
    def said(self) -> str:
        """Who stopped dialing, where and when, in a sentence."""
        where = f" for {self.kind} {self.name}" if self.name else ""
        return f"{self.actor} stopped dialing{where} at {self.since.isoformat(timespec='seconds')}"


def stop(connection: sa.Connection, order: Stop) -> None:
    """Stop dialing there; what was stopped before stays as it was."""
    scope = _scope(order.kind, order.name)
    if connection.execute(stops.select().where(stops.c.scope_digest == scope)).first() is None:
        row = {"kind": order.kind, "name": order.name, "actor": order.actor, "since": order.since}
        connection.execute(stops.insert(), row | {"scope_digest": scope})


def resume(connection: sa.Connection, kind: StopKind, name: str = "") -> bool:
    """Dial there again; whether it had been stopped."""
    query = stops.delete().where(stops.c.scope_digest == _scope(kind, name))
    return connection.execute(query).rowcount > 0


def list_stops(connection: sa.Connection) -> list[Stop]:
    """Everything that is stopped, oldest first."""
    return [_stop(row) for row in connection.execute(stops.select().order_by(stops.c.since))]


def stops_on(connection: sa.Connection, agent_id: str, campaign: str, campaign_group: str) -> list[Stop]:
    """What stops this agent's dialing in this campaign of this group, oldest first."""
    query, scopes = STOPS_FOR.order_by(stops.c.since), _scopes(agent_id, campaign, campaign_group)
    return [_stop(row) for row in connection.execute(query, scopes)]


def stop_for(connection: sa.Connection, attempt: Attempt) -> str:
    """Why this attempt may not be dialed now, or empty."""
    row = connection.execute(STOPS_FOR, scopes_of(attempt)).first()
    return "" if row is None else _stop(row).said


def scopes_of(attempt: Attempt) -> dict[str, str]:
    """Which stops would cover an attempt, as parameters of `STOPS_FOR`."""
    campaign = attempt.contact.campaign if attempt.contact else ""
    return _scopes(attempt.agent.id, campaign, attempt.campaign_group)


def _scopes(agent_id: str, campaign: str, campaign_group: str) -> dict[str, str]:
    return {
        "site": _scope("site"),
        "campaign": _scope("campaign", campaign),
        "campaign_group": _scope("campaign", campaign_group),
        "agent": _scope("agent", agent_id),
    }


def _stop(row: Any) -> Stop:
    return Stop(kind=row.kind, name=row.name, actor=row.actor, since=row.since)


def _scope(kind: StopKind, name: str = "") -> str:
    return digest(f"{kind} {name}")
