"""The `[plugins.baresip]` table."""

import re
from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

from cti_hooks import ConfigError, Problem
from lcm_plugin.dialers.exchange.settings import PORT, POSITIVE

_TARGET: Final = re.compile(r"sips?:[A-Za-z0-9_.:@;=+\[\]-]+")


@frozen(kw_only=True)
class Phone:
    """Where a softphone's control socket is."""

    host: str = "127.0.0.1"
    port: int = field(default=4444, validator=PORT)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@frozen(kw_only=True)
class BaresipSettings:
    """The `[plugins.baresip]` table."""

    phones: Mapping[str, Phone]
    """By agent's id."""
    endpoint: str
    """What is dialed: `sip:{number}@pbx.example.com`."""
    request_seconds: float = field(default=5.0, validator=POSITIVE)
    setup_seconds: float = field(default=10.0, validator=POSITIVE)
    """How long the network may take until the customer's phone rings."""

    def __attrs_post_init__(self) -> None:
        problems = []
        if "{number}" not in self.endpoint or not _TARGET.fullmatch(self.endpoint.replace("{number}", "1")):
            problems.append(Problem("endpoint", 'wants a SIP URI: "sip:{number}@pbx.example.com"'))
        if not self.phones:
            problems.append(Problem("phones", "wants an agent's: { alice = { port = 4444 } }"))
        if len(set(self.phones.values())) < len(self.phones):
            problems.append(Problem("phones", "two agents have the same phone"))
        if problems:
            raise ConfigError(problems)
