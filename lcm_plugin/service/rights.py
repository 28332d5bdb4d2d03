"""Whether a caller may use a route: by its roles, and by whose seat or attempt it is."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final

from attrs import frozen

from cti_hooks import Attempt
from lcm_plugin.identity import Caller, Role
from lcm_plugin.service.problems import ProblemError

ACTS: Final = frozenset({Role.HOST, Role.SUPERVISOR})
"""Who runs the floor."""
READS: Final = ACTS | {Role.AUDITOR}
"""Who may see all of it."""
OWN: Final = ACTS | {Role.AGENT}
"""Who may act on an agent's behalf: the agent too, on their own."""
SEES: Final = READS | {Role.AGENT}
"""Who may see what is an agent's: the agent too, their own."""
TELLS: Final = ACTS | {Role.DIALER}
"""Who may tell call events."""
ALL: Final = frozenset(Role)


@frozen(kw_only=True)
class Rights:
    """Knows whose an attempt is."""

    attempt: Callable[[str], Awaitable[Attempt]]
    """Finds an attempt; raises a ProblemError if there is none."""
    no_such: Callable[[], ProblemError]
    """What is said of an attempt that is not there, and of another agent's."""

    async def refuse(self, roles: frozenset[Role], caller: Caller, told: Mapping[str, str]) -> None:
        """Let nobody do what is not theirs.

        Raises:
            ProblemError: 403, it is for other roles, or another agent's; 404, it is another agent's attempt.
        """
        if caller.role not in roles:
            names = ", ".join(sorted(roles))
            raise refused(f"this is for {names}; your token is of the role {caller.role}")
        if "agent_id" in told and not caller.may_see(told["agent_id"]):
            raise refused("this is another agent's; your token is for your own seat")
        if "attempt_id" in told and caller.agent is not None:
            attempt = await self.attempt(told["attempt_id"])
            if not caller.may_see(attempt.agent.id):
                raise self.no_such()


def only_own(caller: Caller | None, agent_id: str | None) -> str | None:
    """Of which agent something is told: the one asked for, or of any if None; an agent's own to an agent.

    Raises:
        ProblemError: 403, an agent asks for another's.
    """
    if caller is None or caller.agent is None:
        return agent_id
    if agent_id not in {None, caller.agent}:
        raise refused("this is another agent's; your token is for your own")
    return caller.agent


def refused(detail: str) -> ProblemError:
    """403, and why."""
    return ProblemError(HTTPStatus.FORBIDDEN, detail)
