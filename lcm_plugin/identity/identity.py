"""All that lets somebody in, in one place: tokens of the config file, JWTs, and tickets."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import define, field

from cti_hooks import Clock, ConfigError, Problem
from lcm_plugin.identity.caller import HOST, LOCAL, Caller, Role
from lcm_plugin.identity.settings import JwtSettings, TokenSettings
from lcm_plugin.identity.tickets import Tickets

if TYPE_CHECKING:
    from lcm_plugin.identity.id_tokens import IdTokens

_DOTS: Final = 2
"""A JWT has three parts."""


@define(kw_only=True, eq=False)
class Identity:
    """Says who asks. Tokens are kept and looked up as hashes: no clock tells how near a wrong one was."""

    clock: Clock
    tokens: Mapping[bytes, Caller] = field(factory=dict, repr=False)
    id_tokens: "IdTokens | None" = None
    tickets: Tickets = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.tickets = Tickets(self.clock)

    @property
    def is_open(self) -> bool:
        """Whether no token is set at all, so that everybody is `LOCAL`."""
        return not self.tokens and self.id_tokens is None

    async def caller(self, token: bytes | None) -> Caller | None:
        """Whose bearer token this is; None if it is nobody's, or none was shown where one is needed.

        Raises:
            RefusedToken: it is a JWT, and wrong; says how.
            KeysUnavailable: it is a JWT, and nobody can say now.
        """
        if self.is_open:
            return LOCAL
        if token is None:
            return None
        if found := self.tokens.get(_digest(token)):
            return found
        if self.id_tokens and token.count(b".") == _DOTS:
            return await self.id_tokens.caller(token)
        return None


def identity_of(
    *,
    host_token: str | None,
    tokens: Mapping[str, TokenSettings],
    jwt: JwtSettings | None,
    directory: Path,
    clock: Clock,
) -> Identity:
    """Who is let in, by the config file.

    Raises:
        ConfigError: two names have one token.
    """
    known = {_digest(host_token.encode()): HOST} if host_token else {}
    for name, caller, digest in _named(tokens):
        if digest in known:
            other = f"{known[digest].subject} has the same token; each needs its own"
            raise ConfigError([Problem(f"service.tokens.{name}", other)])
        known[digest] = caller
    return Identity(clock=clock, tokens=known, id_tokens=_id_tokens(jwt, directory, clock))


def _named(tokens: Mapping[str, TokenSettings]) -> Iterator[tuple[str, Caller, bytes]]:
    for name, told in tokens.items():
        agent = told.agent or name if told.role is Role.AGENT else None
        token = os.environ.get(told.env or "", "")
        digest = bytes.fromhex(told.sha256) if told.sha256 else _digest(token.encode())
        yield name, Caller(role=told.role, subject=name, agent=agent), digest


def _id_tokens(jwt: JwtSettings | None, directory: Path, clock: Clock) -> "IdTokens | None":
    if jwt is None:
        return None
    from lcm_plugin.identity.id_tokens import IdTokens  # noqa: PLC0415  (PyJWT is an extra)

    return IdTokens(settings=jwt, directory=directory, clock=clock)


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
