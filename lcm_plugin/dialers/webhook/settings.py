"""The `[plugins.webhook]` table."""

import os
from fnmatch import fnmatchcase
from pathlib import Path

from attrs import field, frozen, validators
from yarl import URL

from cti_hooks import ConfigError, Problem
from cti_hooks.secret import SecretError, not_set, read_secret
from lcm_plugin.dialers.webhook.signing import keys_of


def wrong_secret(key: str, secret: str) -> list[Problem]:
    """What is wrong with a secret, never quoted."""
    try:
        found = list(keys_of(secret))
    except ValueError as error:
        return [Problem(key, f"{error}")]
    return [] if all(found) and found else [Problem(key, "names an empty secret")]


@frozen(kw_only=True)
class WebhookSettings:
    """Where calls are ordered, looked for and hung up; `{attempt}` in an address is the attempt's id."""

    url: str
    status_url: str | None = None
    """GET: how a call is. Without it, calls are known by their events only."""
    clear_url: str | None = None
    """POST: hang up a call. Without it, calls are hung up at the phone only."""
    secret_env: str | None = None
    """The environment variable with the secret that requests are signed with; two, with a blank between,
    while it is changed."""
    secret_file: str | None = None
    agents: tuple[str, ...] = ()
    """Whose calls it takes, as patterns of agent ids: `20*`. All, if unset."""
    unheard_seconds: float = field(default=600.0, validator=validators.ge(0.0))
    """Without `status_url`: how long a call of an earlier run may still go on of which nothing is heard.
    Then its attempt ends; what came of it is unknown."""
    timeout_seconds: float = field(default=5.0, validator=validators.gt(0.0))

    def __attrs_post_init__(self) -> None:
        problems = [problem for name in ("url", "status_url", "clear_url") if (problem := self._wrong(name))]
        if not self.secret_env and not self.secret_file:
            problems.append(Problem("secret_env", "is required (or secret_file)"))
        elif self.secret_env and not os.environ.get(self.secret_env):
            problems.append(not_set("secret_env", self.secret_env))
        elif self.secret_env:
            problems += wrong_secret("secret_env", os.environ[self.secret_env])
        if problems:
            raise ConfigError(problems)

    @property
    def engine(self) -> str:
        """The engine's name, as `Call.engine` has it: where calls are ordered."""
        url = URL(self.url)
        return f"{url.host}:{url.port}"

    def serves(self, agent_id: str) -> bool:
        """Whether this agent's calls are ordered here."""
        return not self.agents or any(fnmatchcase(agent_id, pattern) for pattern in self.agents)

    def secret(self, directory: Path) -> str:
        """The secret; a file's name is relative to `directory`.

        Raises:
            RuntimeError: it cannot be read any more, or others can read it.
        """
        try:
            return read_secret(env=self.secret_env, file=self.secret_file, directory=directory)
        except SecretError as error:
            raise RuntimeError(f"the webhook's secret {error}") from None

    def _wrong(self, name: str) -> Problem | None:
        address: str | None = getattr(self, name)
        if address is None:
            return None
        try:
            url = URL(address)
        except ValueError:
            url = URL()
        if url.scheme not in {"http", "https"} or not url.host:
            return Problem(name, "must be an http or https address")
        if url.user is not None or url.password is not None:
            return Problem(name, "must hold no user and password: requests are signed, with secret_env")
        if name == "status_url" and "{attempt}" not in address:
            return Problem(name, "wants {attempt} in it, or every call would be the same")
        return None
