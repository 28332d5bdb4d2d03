"""The tables `[service.tokens.NAME]` and `[service.jwt]`: who is let in, in which role."""

import os
import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Final

from attrs import Attribute, field, frozen, validators
from yarl import URL

from cti_hooks import ConfigError, Problem
from cti_hooks.secret import not_set
from lcm_plugin.identity.caller import Role
from lcm_plugin.listening import is_loopback

_HASH: Final = re.compile(r"[0-9a-f]{64}")
_ASYMMETRIC: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""Signed with a key that the host does not have. With HS256 whoever can check a token can make one."""


def _hash(_: object, __: object, value: str | None) -> None:
    if value is not None and not _HASH.fullmatch(value):
        raise ValueError("must be a token's SHA-256 as 64 small hex digits; `lcm-plugin token` makes both")


def _algorithms(_: object, __: object, value: tuple[str, ...]) -> None:
    if not value or (wrong := sorted(set(value) - _ASYMMETRIC)):
        named = f"{wrong[0]} is none of" if value else "must name some of"
        raise ValueError(f"{named} {', '.join(sorted(_ASYMMETRIC))}")


def _roles(_: object, __: object, value: Mapping[str, Role]) -> None:
    if Role.HOST in value.values():
        raise ValueError("nobody is a host by an identity provider's word: that role acts for others")


def _url(_: object, __: "Attribute[str | None]", value: str | None) -> None:
    if value is None:
        return
    url = URL(value)
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.host or "")):
        raise ValueError("must be an https address: whoever can change the keys can make tokens")


@frozen(kw_only=True)
class TokenSettings:
    """One token, under the name that the audit shows: its role, and the token by its hash or a variable."""

    role: Role
    sha256: str | None = field(default=None, validator=_hash)
    """The token's SHA-256 in hex, so that the config file holds no secret."""
    env: str | None = None
    """The environment variable with the token."""
    agent: str | None = field(default=None, validator=validators.optional(validators.min_len(1)))
    """With the role `agent`: which one, if not that of the table's name."""

    def __attrs_post_init__(self) -> None:
        if problems := list(self._problems()):
            raise ConfigError(problems)

    def _problems(self) -> Iterator[Problem]:
        if (self.sha256 is None) == (self.env is None):
            yield Problem("sha256", "is required, or env: one of the two")
        elif self.env is not None and not os.environ.get(self.env):
            yield not_set("env", self.env)
        if self.agent is not None and self.role is not Role.AGENT:
            yield Problem("agent", f'goes with role = "agent" only; this one is "{self.role}"')


@frozen(kw_only=True)
class JwtSettings:
    """The site's identity provider, whose JSON Web Tokens are taken as bearer tokens."""

    issuer: str
    """What the claim `iss` must be, to the letter."""
    audience: str
    """What the claim `aud` must be, or hold."""
    jwks_url: str | None = field(default=None, validator=_url)
    """Where the provider's keys are, as a JSON Web Key Set."""
    jwks_file: str | None = None
    """A file with them instead, relative to the config file."""
    algorithms: tuple[str, ...] = field(default=("RS256", "ES256", "EdDSA"), validator=_algorithms)
    role_claim: str = "role"
    """The claim that tells the role; a dot leads into it: `realm_access.roles`. A text, or a list of them."""
    roles: Mapping[str, Role] = field(
        factory=lambda: {role.value: role for role in Role if role is not Role.HOST}, validator=_roles
    )
    """Which of its values is which role; of several the first counts: supervisor, agent, auditor, dialer."""
    subject_claim: str = "sub"
    """The claim with the name that the audit shows."""
    agent_claim: str = "sub"
    """The claim with an agent's id."""
    leeway_seconds: float = field(default=10, validator=[validators.ge(0), validators.le(300)])
    """How far the provider's clock may be from the host's."""

    def __attrs_post_init__(self) -> None:
        problems = []
        if (self.jwks_url is None) == (self.jwks_file is None):
            problems.append(Problem("jwks_url", "is required, or jwks_file: one of the two"))
        if find_spec("jwt") is None or find_spec("cryptography") is None:
            problems.append(Problem("", "needs PyJWT: pip install 'lcm-plugin[jwt]'"))
        if problems:
            raise ConfigError(problems)
