"""Settings that dialers with an engine share."""

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from attrs import field, frozen, validators

from cti_hooks import Problem
from cti_hooks.secret import SecretError, not_set, read_secret
from lcm_plugin.dialers.exchange.wire import Address, EngineRefusedError

PORT = (validators.ge(1), validators.le(65535))
POSITIVE = validators.gt(0.0)


@frozen(kw_only=True)
class Secret:
    """A password, kept in the environment or in a file, and read when it is needed."""

    env: str | None
    file: str | None

    def problems(self) -> Iterator[Problem]:
        """What can be told of it before anything is read."""
        if not self.env and not self.file:
            yield Problem("password_env", "is required (or password_file)")
        elif self.env and not os.environ.get(self.env):
            yield not_set("password_env", self.env)

    def read(self, directory: Path) -> str:
        """The secret, in one line; a file's name is relative to `directory`.

        Raises:
            EngineRefusedError: it cannot be read any more, or others can read it.
        """
        try:
            return read_secret(env=self.env, file=self.file, directory=directory)
        except SecretError as error:
            raise EngineRefusedError(f"its password {error}") from None


@frozen(kw_only=True)
class EngineSettings:
    """Where an engine is, whose calls it places, and how long things may take there."""

    host: str = "127.0.0.1"
    port: int = field(default=0, validator=PORT)
    name: str | None = None
    """The engine's name in `Call.engine` and in health; `host:port` if unset."""
    agents: tuple[str, ...] = ()
    """Whose calls it places, as patterns of agent ids: `20*`. All, if unset. Enable it once per engine."""
    request_seconds: float = field(default=5.0, validator=POSITIVE)
    """For the connection, and for each answer."""
    agent_ring_seconds: float = field(default=20.0, validator=POSITIVE)
    """How long the agent's phone rings."""
    setup_seconds: float = field(default=20.0, validator=POSITIVE)
    """How long the network may take until the customer's phone rings."""

    @property
    def engine(self) -> str:
        """The engine's name."""
        return self.name or f"{self.host}:{self.port}"

    def address(self) -> Address:
        """Where it is."""
        return Address(host=self.host, port=self.port, timeout_seconds=self.request_seconds)

    def serves(self, agent_id: str) -> bool:
        """Whether this agent's calls are placed here."""
        return not self.agents or any(fnmatchcase(agent_id, pattern) for pattern in self.agents)
