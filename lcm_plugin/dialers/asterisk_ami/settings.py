"""The `[plugins.asterisk-ami]` table."""

import re
import ssl
from pathlib import Path
from typing import Any, Final

from attrs import evolve, field, frozen

from cti_hooks import ConfigError, Problem
from lcm_plugin.dialers.asterisk.endpoints import AgentEndpoint, NumberEndpoint
from lcm_plugin.dialers.exchange import Address, EngineRefusedError, EngineSettings, Secret
from lcm_plugin.dialers.exchange.settings import PORT

WAITING: Final = "BridgeWait"
"""From its bridge a channel is moved to the customer's. From `Wait` it would be taken by a masquerade, whose
channel Asterisk forgets to end now and then (22.10: after 3 of 500 calls, 20 of them at once)."""
WAITING_NEEDS: Final = ("app_bridgewait", "bridge_holding")
"""Its modules."""
_APPLICATION: Final = re.compile(r"(?P<name>[A-Za-z0-9_]+)\((?P<data>[^\r\n]*)\)")


def _is(template: type[AgentEndpoint | NumberEndpoint]) -> Any:
    def check(_: object, __: object, value: str) -> None:
        template(value)

    return check


@frozen(kw_only=True)
class AmiSettings(EngineSettings):
    """The `[plugins.asterisk-ami]` table, with EngineSettings's fields."""

    port: int = field(default=5038, validator=PORT)
    user: str = "lcm"
    """A section of manager.conf."""
    password_env: str | None = None
    password_file: str | None = None
    tls: bool = False
    ca_file: str | None = None
    """Whom to trust with `tls`; the system's own list if unset."""
    endpoint: str = field(default="PJSIP/{number}@trunk", validator=_is(NumberEndpoint))
    """Whom to call: `PJSIP/{number}@trunk`, `Local/{number}@context`; `{digits}` lacks the plus."""
    agent_endpoint: str = field(default="PJSIP/{agent}", validator=_is(AgentEndpoint))
    """Of agents the host tells no endpoint of; `{agent}` is the agent's id."""
    agent_endpoints: tuple[str, ...] = ()
    """Endpoints the host may tell besides those that `agent_endpoint` makes, as patterns: `PJSIP/*@branch`.
    Who may tell an agent's endpoint may call whatever they fit."""
    waiting: str | None = None
    """What the agent hears until the customer answers: `BridgeWait(lcm,,m(default))` plays music on hold.

    Out of another application Asterisk takes the channel by force, and leaves one of its own now and then.
    """

    def __attrs_post_init__(self) -> None:
        problems = list(self.secret.problems())
        if NumberEndpoint(self.endpoint).pjsip_endpoint == "":
            named = 'write "PJSIP/{number}@trunk" with the name of your trunk\'s endpoint'
            problems.append(Problem("endpoint", f"would look for an endpoint named like the number; {named}"))
        if self.ca_file and not self.tls:
            problems.append(Problem("ca_file", "needs tls = true, or the password goes out in clear"))
        if self.waiting and not _APPLICATION.fullmatch(self.waiting):
            problems.append(Problem("waiting", 'wants an application: "BridgeWait(lcm,,m(default))"'))
        if problems:
            raise ConfigError(problems)

    @property
    def secret(self) -> Secret:
        """Where the password is."""
        return Secret(env=self.password_env, file=self.password_file)

    def address_in(self, directory: Path) -> Address:
        """Where it is, and how it is trusted; a file's name is relative to `directory`."""
        return evolve(self.address(), tls=(lambda: self._trusting(directory)) if self.tls else None)

    def application(self, attempt_id: str, seconds: int) -> tuple[str, str]:
        """What the agent's channel runs until the customer's channel is there, and its data."""
        found = _APPLICATION.fullmatch(self.waiting or "")
        return (found["name"], found["data"]) if found else (WAITING, f"{attempt_id},,e(n)S({seconds})")

    def _trusting(self, directory: Path) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=directory / self.ca_file if self.ca_file else None)
        except OSError:
            raise EngineRefusedError(f"the certificates cannot be read from {self.ca_file}") from None
