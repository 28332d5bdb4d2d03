"""Who asks: a person or a program, in one of five roles."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from attrs import frozen


class Role(StrEnum):
    """What a caller may do: docs/identity.md."""

    HOST = "host"
    """A site's own program: everything, and it says for whom it acts."""
    SUPERVISOR = "supervisor"
    """Everything, in their own name."""
    AGENT = "agent"
    """Their own seat, and their own attempts."""
    AUDITOR = "auditor"
    """Reads everything, numbers and names masked."""
    DIALER = "dialer"
    """Tells call events, and reads nothing."""


@frozen(kw_only=True)
class Caller:
    """Who a token belongs to."""

    role: Role
    subject: str
    """Their name in the audit."""
    agent: str | None = None
    """The agent whom they are; None for whoever is none, and may see all."""
    until: datetime | None = None
    """When their token ends; None if it does not."""

    @property
    def speaks_for_others(self) -> bool:
        """Whether who they say acts is believed: a site's program is, and everybody where no token is set."""
        return self.role is Role.HOST or self is LOCAL

    def actor(self, claimed: str | None, otherwise: str) -> str:
        """The name for the audit: their own, or whom they speak for."""
        return (claimed or otherwise) if self.speaks_for_others else self.subject

    def may_see(self, agent_id: str | None) -> bool:
        """Whether what is this agent's, or nobody's if None, is theirs to see."""
        return self.agent is None or self.agent == agent_id


LOCAL: Final = Caller(role=Role.SUPERVISOR, subject="local")
"""Everybody, where no token is set: users and programs of this machine."""
HOST: Final = Caller(role=Role.HOST, subject="host")
"""Whoever shows the token of `token_env` or `token_file`."""
