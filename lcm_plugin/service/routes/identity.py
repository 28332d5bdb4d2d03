"""The routes by which a caller learns who they are, and gets a ticket for a page."""

from attrs import define, field, frozen

from lcm_plugin.identity import Caller, Role
from lcm_plugin.identity.tickets import Ticket, Tickets
from lcm_plugin.service.rights import refused
from lcm_plugin.texts import named


@frozen(kw_only=True)
class TicketWanted:
    """For whom: for whoever asks, or for an agent whom the site's program knows to be at their page."""

    agent: str | None = field(default=None, validator=named)


@define(kw_only=True, eq=False)
class IdentityRoutes:
    """The handlers."""

    tickets: Tickets

    async def me(self, caller: Caller) -> Caller:
        """Who you are, by the token you show."""
        return caller

    async def ticket(self, body: TicketWanted, caller: Caller) -> Ticket:
        """A ticket, which opens one WebSocket within 60 s, as a page can show no token there.

        The page asks for the protocols `lcm-events` and `ticket.` with the ticket behind the dot.
        """
        if body.agent is None:
            return self.tickets.make(caller)
        if caller.role is not Role.HOST and caller.agent != body.agent:
            raise refused("a ticket for an agent is made for that agent, or by a token of the role host")
        return self.tickets.make(
            Caller(role=Role.AGENT, subject=body.agent, agent=body.agent, until=caller.until)
        )
