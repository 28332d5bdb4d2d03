"""The `[plugins.freeswitch]` table."""

from attrs import field, frozen

from cti_hooks import ConfigError, Problem
from lcm_plugin.dialers.exchange import EngineSettings, Secret
from lcm_plugin.dialers.exchange.settings import PORT


@frozen(kw_only=True)
class FreeSwitchSettings(EngineSettings):
    """The `[plugins.freeswitch]` table, with EngineSettings's fields."""

    port: int = field(default=8021, validator=PORT)
    endpoint: str
    """The customer's dial string: `sofia/gateway/carrier/{number}`."""
    agent_endpoint: str = "user/{agent}"
    """Of agents the host tells no endpoint of; `{agent}` is the agent's id."""
    password_env: str | None = None
    password_file: str | None = None

    def __attrs_post_init__(self) -> None:
        problems = list(self.secret.problems())
        if "{number}" not in self.endpoint or any(one in self.endpoint for one in "\r\n ,|&[]<>'\""):
            problems.append(
                Problem("endpoint", 'wants {number} in one dial string: "sofia/gateway/gw/{number}"')
            )
        if problems:
            raise ConfigError(problems)

    @property
    def secret(self) -> Secret:
        """Where the password is."""
        return Secret(env=self.password_env, file=self.password_file)
