"""The `[service]` table: where the embedded host listens, and who may speak to it."""

import os
import re
from collections.abc import Mapping
from typing import Any, Final

from attrs import Attribute, field, frozen, validators
from yarl import URL

from cti_hooks import ConfigError, Problem
from cti_hooks import settings as table_reader
from cti_hooks.secret import not_set
from lcm_plugin.dialers.webhook.settings import wrong_secret
from lcm_plugin.identity import JwtSettings, TokenSettings
from lcm_plugin.listening import is_loopback
from lcm_plugin.texts import named

SHORT_TOKEN: Final = 16
"""Characters below which a token may be guessed; the start says so."""


def _is_set(_: object, attribute: "Attribute[str | None]", variable: str | None) -> None:
    if variable and not os.environ.get(variable):
        raise ConfigError([not_set(attribute.name, variable)])


def _names(_: object, attribute: "Attribute[Any]", value: Mapping[str, TokenSettings]) -> None:
    for name in value:
        named(None, attribute, name)


def _secret(owner: object, attribute: "Attribute[str | None]", variable: str | None) -> None:
    _is_set(owner, attribute, variable)
    if variable and (problems := wrong_secret(attribute.name, os.environ[variable])):
        raise ConfigError(problems)


def _hosts(_: object, __: object, value: tuple[str, ...]) -> None:
    for name in value:
        if not re.fullmatch(r"[a-z0-9.-]+|[0-9a-f:]+", name):
            raise ValueError('must be names alone, in small letters, like "cti.example.com"')


def _origins(_: object, __: object, value: tuple[str, ...]) -> None:
    for origin in value:
        if not origin.startswith(("http://", "https://")) or _origin_of(origin) != origin:
            raise ValueError('must be origins, like "https://desk.example.com"')


def _origin_of(text: str) -> str | None:
    """As a browser writes it; None if it is no URL."""
    try:
        return str(URL(text).origin())
    except ValueError:
        return None


@frozen(kw_only=True)
class ServiceSettings:
    """Loopback needs no token; every other address does."""

    host: str = "127.0.0.1"
    port: int = field(default=8765, validator=[validators.ge(0), validators.le(65535)])
    """0 for any free one."""
    token_env: str | None = field(default=None, validator=_is_set)
    """The environment variable with the bearer token callers have to show."""

    token_file: str | None = None
    """The file with that token, relative to the config file. If it is not there, the start makes it: a new
    token, which the file's owner alone can read."""

    tokens: Mapping[str, TokenSettings] = field(factory=dict, validator=_names)
    """More tokens, each with a name, which the audit shows, and a role: `[service.tokens.NAME]`."""

    jwt: JwtSettings | None = None
    """The site's identity provider, whose tokens are taken too: `[service.jwt]`; needs the extra `jwt`."""

    events_secret_env: str | None = field(default=None, validator=_secret)
    """The environment variable with the secret that call events are signed with: then they need no token."""

    allowed_hosts: tuple[str, ...] = field(default=(), validator=_hosts)
    """Names it may be asked by besides its own: behind a proxy that passes `Host` on."""
    allowed_origins: tuple[str, ...] = field(default=(), validator=_origins)
    """Origins of its own pages, if a proxy passes on another `Host` than theirs: `https://desk.example.com`.

    This is no CORS: a page of another origin still reads no answer.
    """
    connections: int = field(default=1000, validator=validators.ge(1))
    """At a time; more are closed."""

    def __attrs_post_init__(self) -> None:
        problems = []
        if self.token_env and self.token_file:
            problems.append(Problem("token_file", "token_env is set, too: keep one of them"))
        if not self.loopback and not self.with_token:
            why = f"is required, as {self.host} is no loopback address; or write token_file, tokens or jwt"
            problems.append(Problem("token_env", why))
        problems += [
            Problem(
                name,
                "needs token_env, token_file, tokens or jwt: whoever asks a proxy would be let in by it",
            )
            for name in ("allowed_hosts", "allowed_origins")
            if getattr(self, name) and not self.with_token
        ]
        if problems:
            raise ConfigError(problems)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)

    @property
    def token(self) -> str | None:
        """The token that the environment holds, or None; `token_of` knows that of a file, too."""
        return os.environ.get(self.token_env) if self.token_env else None

    @property
    def with_token(self) -> bool:
        """Whether callers have to show a token."""
        return bool(self.token_env or self.token_file or self.tokens or self.jwt)

    @property
    def events_secret(self) -> str | None:
        """The secret that call events are signed with, or None."""
        return os.environ.get(self.events_secret_env) if self.events_secret_env else None


def service_settings(table: Mapping[str, object], source: str) -> ServiceSettings:
    """Read the `[service]` table of a config file.

    Raises:
        ConfigError: with every problem, naming `source`.
    """
    try:
        return table_reader.read(ServiceSettings, table)
    except ConfigError as error:
        raise ConfigError((problem.under("service") for problem in error.problems), source) from None
