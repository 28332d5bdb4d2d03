"""The routes that stop dialing and go on with it: for the site, a campaign or an agent."""

from attrs import define, field, frozen, validators

from lcm_plugin.identity import Caller
from lcm_plugin.ledger import Stop
from lcm_plugin.service.problems import invalid
from lcm_plugin.service.routes.attempts import AttemptsRoutes
from lcm_plugin.texts import named

_named = validators.optional(validators.min_len(1))
_NAMED = {"schema": {"minLength": 1}}


@frozen(kw_only=True)
class Scope:
    """Where: in one campaign, for one agent, or with neither everywhere. Only a host's `actor` is kept."""

    campaign: str | None = field(default=None, validator=_named, metadata=_NAMED)
    agent: str | None = field(default=None, validator=_named, metadata=_NAMED)
    actor: str | None = field(default=None, validator=named, metadata=_NAMED)


@frozen(kw_only=True)
class DialingShown:
    """Where dialing is stopped, by whom, since when; nothing is dialed or fetched there by any host."""

    stops: tuple[Stop, ...]


@define(kw_only=True, eq=False)
class DialingRoutes:
    """The handlers."""

    attempts: AttemptsRoutes

    async def show(self) -> DialingShown:
        """Where dialing is stopped."""
        return DialingShown(stops=tuple(await self.attempts.lcm.dialing_stops()))

    async def stop(self, body: Scope, caller: Caller) -> DialingShown:
        """Stop dialing there, on any host; a call recorded before may be placed within `dial_seconds`.

        After a restart too; nothing is fetched there, offers stay, calls go on.
        """
        _refuse_both(body)
        await self.attempts.lcm.stop_dialing(
            campaign=body.campaign, agent_id=body.agent, actor=caller.actor(body.actor, "somebody")
        )
        return await self.show()

    async def resume(self, body: Scope) -> DialingShown:
        """Dial there again. Other stops stay: each is lifted by itself."""
        _refuse_both(body)
        await self.attempts.lcm.resume_dialing(campaign=body.campaign, agent_id=body.agent)
        return await self.show()


def _refuse_both(scope: Scope) -> None:
    if scope.campaign is not None and scope.agent is not None:
        raise invalid({"agent": "goes not with campaign; stop one, then the other"})
