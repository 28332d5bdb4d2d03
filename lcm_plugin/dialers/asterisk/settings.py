"""The `[plugins.asterisk]` table."""

import os
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from attrs import field, frozen, validators

from cti_hooks import Agent, ConfigError, Problem
from cti_hooks.secret import not_set, read_secret
from lcm_plugin.dialers.asterisk.endpoints import AgentEndpoint, NumberEndpoint

ONLY: Final = "asterisk"
"""The name of the engine if `url` names one, and the plugin has no other name."""


def _template(kind: type[AgentEndpoint | NumberEndpoint]) -> Any:
    def check(_: object, __: object, value: str) -> None:
        kind(value)

    return check


@frozen(kw_only=True)
class AriSettings:
    """One Asterisk: `[plugins.asterisk]` itself, or `[plugins.asterisk.engines.NAME]` for each of several."""

    url: str = ""
    """Where ARI is: `http://127.0.0.1:8088/ari`, or https."""
    user: str = "lcm"
    """A section of ari.conf."""
    password_env: str | None = None
    """The environment variable with its password."""
    password_file: str | None = None
    """The file with it, relative to the config file."""
    ca_file: str | None = None
    """The CA that signed its certificate, if the system does not know it; relative to the config file."""
    endpoint: str = field(default="PJSIP/{number}@trunk", validator=_template(NumberEndpoint))
    """Whom to call: `PJSIP/{number}@trunk`, `Local/{number}@context`; `{digits}` lacks the plus."""
    agent_endpoint: str = field(default="PJSIP/{agent}", validator=_template(AgentEndpoint))
    """Of agents the host tells no endpoint of; `{agent}` is the agent's id."""
    agent_endpoints: tuple[str, ...] = ()
    """Endpoints the host may tell besides those that `agent_endpoint` makes, as patterns: `PJSIP/*@branch`.
    Who may tell an agent's endpoint may call whatever they fit."""
    agents: tuple[str, ...] = ()
    """Whose calls it places, as patterns of agent ids: `20*`. All, if unset."""

    def __attrs_post_init__(self) -> None:
        if problems := list(self._problems()):
            raise ConfigError(problems)

    def places_calls_of(self, agent: Agent) -> bool:
        """Whether it serves this agent."""
        return not self.agents or any(fnmatchcase(agent.id, pattern) for pattern in self.agents)

    def password(self, directory: Path) -> str:
        """The password; empty if none is set.

        Raises:
            SecretError: it cannot be read, or others can read its file.
        """
        if not self.password_file and not self.password_env:
            return ""
        return read_secret(env=self.password_env, file=self.password_file, directory=directory)

    def _problems(self) -> Iterator[Problem]:
        if self.url:
            yield from _url_problems(self.url)
        if self.ca_file and urlsplit(self.url).scheme == "http":
            yield Problem("ca_file", "needs a url with https://, or the password goes out in clear")
        if self.password_env and self.password_env not in os.environ:
            yield not_set("password_env", self.password_env)
        if self.password_env and self.password_file:
            yield Problem("password_file", "set either password_env or password_file")


@frozen(kw_only=True)
class AsteriskSettings(AriSettings):
    """One engine by `url`, or several in `engines`, and what holds for all of them."""

    engines: Mapping[str, AriSettings] = field(factory=dict)
    """By name; an agent's calls are placed by the first whose `agents` fit."""
    app: str | None = field(default=None, validator=validators.optional(validators.matches_re(r"[\w.-]+")))
    """The Stasis application, which no other host may use; made of the host's name if unset."""
    agent_ring_seconds: float = field(default=20.0, validator=validators.gt(0.0))
    """How long the agent's phone rings."""
    setup_seconds: float = field(default=20.0, validator=validators.gt(0.0))
    """How long the network may take until the customer's phone rings."""
    request_seconds: float = field(default=5.0, validator=validators.gt(0.0))
    """How long Asterisk may take to answer one request."""

    def named_engines(self, only: str = ONLY) -> Mapping[str, AriSettings]:
        """The engines by name, in the config file's order; `only` is the name if `url` names one."""
        return self.engines or {only: self}

    def app_of(self, host_name: str, *, observes: bool = False) -> str:
        """The Stasis application's name; a comma in it would make it two.

        Asterisk gives an application to whoever asked for it last, so one that only observes has its own.
        """
        app = self.app or re.sub(r"[^\w.-]", "-", f"lcm-plugin-{host_name}")
        return f"{app}-check" if observes else app

    def _problems(self) -> Iterator[Problem]:
        yield from super()._problems()
        if bool(self.url) == bool(self.engines):
            yield Problem("url", "set either url, for one Asterisk, or engines, for several")
        for name, engine in self.engines.items():
            if not engine.url:
                yield Problem(f"engines.{name}.url", "is required")


def _url_problems(url: str) -> Iterator[Problem]:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        yield Problem("url", "must be like http://127.0.0.1:8088/ari")
    if parts.password:
        yield Problem("url", "must hold no password: use user and password_env")
