"""The `[plugins.asterisk-ami]` table."""

import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from attrs import evolve, field, frozen

from cti_hooks import ConfigError, Problem
from lcm_plugin.dialers.exchange import Address, EngineRefusedError, EngineSettings, Secret
from lcm_plugin.dialers.exchange.settings import PORT

_ENDPOINT: Final = re.compile(r"[A-Za-z0-9_]+/[A-Za-z0-9_.:@%+/{}-]+")
_APPLICATION: Final = re.compile(r"(?P<name>[A-Za-z0-9_]+)\((?P<data>[^\r\n]*)\)")


@frozen(kw_only=True)
class AmiSettings(EngineSettings):
    """The `[plugins.asterisk-ami]` table, with EngineSettings's fields."""

    port: int = field(default=5038, validator=PORT)
    user: str
    password_env: str | None = None
    password_file: str | None = None
    tls: bool = False
    ca_file: str | None = None
    """Whom to trust with `tls`; the system's own list where unset."""
    customer: str
    """The customer's channel: `PJSIP/{number}@trunk`, `Local/{number}@context`."""
    agent_endpoint: str | None = None
    """The channel of an agent without an endpoint of their own: `PJSIP/{agent}`."""
    waiting: str | None = None
    """What the agent hears until the customer answers, as an application: `MusicOnHold(default)`."""

    def __attrs_post_init__(self) -> None:
        problems = [*self.secret.problems(), *self._endpoint_problems()]
        if self.waiting and not _APPLICATION.fullmatch(self.waiting):
            problems.append(Problem("waiting", 'wants an application: "MusicOnHold(default)"'))
        if problems:
            raise ConfigError(problems)

    @property
    def secret(self) -> Secret:
        """Where the password is."""
        return Secret(env=self.password_env, file=self.password_file)

    def address_in(self, directory: Path) -> Address:
        """Where it is, and how it is trusted; a file's name is relative to `directory`."""
        return evolve(self.address(), tls=(lambda: self._trusting(directory)) if self.tls else None)

    def application(self, seconds: int) -> tuple[str, str]:
        """What the agent's channel runs until the customer's is there, and its data."""
        found = _APPLICATION.fullmatch(self.waiting or f"Wait({seconds})")
        return (found["name"], found["data"]) if found else ("Wait", f"{seconds}")

    def _trusting(self, directory: Path) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=directory / self.ca_file if self.ca_file else None)
        except OSError:
            raise EngineRefusedError(f"the certificates cannot be read from {self.ca_file}") from None

    def _endpoint_problems(self) -> Iterator[Problem]:
        if "{number}" not in self.customer or not _ENDPOINT.fullmatch(self.customer):
            yield Problem("customer", 'wants a channel with {number} in it: "PJSIP/{number}@trunk"')
        elif self.customer.upper().startswith("PJSIP/{NUMBER}") and "@" not in self.customer:
            wanted = 'write "PJSIP/{number}@trunk" with the name of your trunk\'s endpoint'
            yield Problem("customer", f"would look for an endpoint named like the number; {wanted}")
