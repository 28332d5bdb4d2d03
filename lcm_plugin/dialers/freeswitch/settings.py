"""The `[plugins.freeswitch]` table."""

import re
from collections.abc import Iterator
from typing import Final

from attrs import field, frozen

from cti_hooks import ConfigError, Problem
from lcm_plugin.dialers.exchange import EngineSettings, Secret
from lcm_plugin.dialers.exchange.settings import PORT
from lcm_plugin.dialers.numbers import ENDPOINT

_TARGET: Final = re.compile(r"[A-Za-z0-9_.:@%+/;=~-]+")


@frozen(kw_only=True)
class FreeSwitchSettings(EngineSettings):
    """The `[plugins.freeswitch]` table, with EngineSettings's fields."""

    port: int = field(default=8021, validator=PORT)
    endpoint: str
    """The customer's dial string: `sofia/gateway/carrier/{number}`."""
    agent_endpoint: str = "user/{agent}"
    """Of agents the host tells no endpoint of; `{agent}` is the agent's id."""
    agent_endpoints: tuple[str, ...] = ()
    """Endpoints the host may tell besides those that `agent_endpoint` makes, as patterns: `user/*@branch`.
    Who may tell an agent's endpoint may call whatever they fit."""
    password_env: str | None = None
    password_file: str | None = None

    def __attrs_post_init__(self) -> None:
        if problems := [*self.secret.problems(), *self._wrong_templates()]:
            raise ConfigError(problems)

    @property
    def secret(self) -> Secret:
        """Where the password is."""
        return Secret(env=self.password_env, file=self.password_file)

    def _wrong_templates(self) -> Iterator[Problem]:
        wants = "wants {} in one dial string, and nothing else to be filled in: {}"
        if not _fits(self.endpoint, "{number}", _TARGET):
            yield Problem("endpoint", wants.format("{number}", '"sofia/gateway/gw/{number}"'))
        if not _fits(self.agent_endpoint, "{agent}", ENDPOINT):
            yield Problem("agent_endpoint", wants.format("{agent}", '"user/{agent}"'))


def _fits(template: str, place: str, dial_string: re.Pattern[str]) -> bool:
    return place in template and bool(dial_string.fullmatch(template.replace(place, "1")))
