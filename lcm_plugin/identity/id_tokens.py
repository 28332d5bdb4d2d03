"""JSON Web Tokens of the site's identity provider (RFC 7519, RFC 8725), read by PyJWT."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import jwt
from attrs import define, field

from cti_hooks import Clock
from lcm_plugin.identity.caller import Caller, Role
from lcm_plugin.identity.keys import Keys
from lcm_plugin.identity.refused import RefusedToken
from lcm_plugin.identity.settings import JwtSettings
from lcm_plugin.texts import named

_FIRST: Final = (Role.SUPERVISOR, Role.AGENT, Role.AUDITOR, Role.DIALER)
"""Which role counts, if somebody has several."""


@define(kw_only=True, eq=False)
class IdTokens:
    """Says who a JWT belongs to. Times are by the host's clock."""

    settings: JwtSettings
    directory: Path
    clock: Clock
    _keys: Keys = field(init=False)

    def __attrs_post_init__(self) -> None:
        file = self.settings.jwks_file
        self._keys = Keys(url=self.settings.jwks_url, file=self.directory / file if file else None)

    async def caller(self, token: bytes) -> Caller:
        """Who it belongs to.

        Raises:
            RefusedToken: it is not this provider's, not for us, not yet or no longer good, or names no role.
            KeysUnavailable: nobody can say.
        """
        claims = await self._claims(token)
        ends = self._refuse_untimely(claims)
        role = self._role(claims)
        agent = _name(claims, self.settings.agent_claim) if role is Role.AGENT else None
        return Caller(role=role, subject=_name(claims, self.settings.subject_claim), agent=agent, until=ends)

    async def _claims(self, token: bytes) -> dict[str, Any]:
        try:
            text = token.decode("ascii")
            kid = str(jwt.get_unverified_header(text).get("kid", ""))
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise RefusedToken("cannot be read") from None
        key = await self._keys.of(kid)
        if key is None:
            raise RefusedToken("is signed with a key that the identity provider does not list")
        return self._verified(text, key)

    def _verified(self, text: str, key: jwt.PyJWK) -> dict[str, Any]:
        said = self.settings
        try:
            return jwt.decode(
                text,
                key,
                algorithms=list(said.algorithms),
                audience=said.audience,
                issuer=said.issuer,
                options={"require": ["exp"], "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.InvalidAudienceError:
            raise RefusedToken("is meant for another audience") from None
        except jwt.InvalidIssuerError:
            raise RefusedToken("is of another issuer") from None
        except jwt.MissingRequiredClaimError as error:
            raise RefusedToken(f"lacks the claim {error.claim}") from None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise RefusedToken("is not signed as it should be") from None

    def _refuse_untimely(self, claims: dict[str, Any]) -> datetime:
        """When it ends, its leeway included."""
        now, leeway = self.clock.now(), self.settings.leeway_seconds
        ends = _instant(claims["exp"], leeway)
        if now >= ends:
            raise RefusedToken("has expired")
        if "nbf" in claims and now < _instant(claims["nbf"], -leeway):
            raise RefusedToken("is not good yet")
        return ends

    def _role(self, claims: dict[str, Any]) -> Role:
        told: Any = claims
        for name in self.settings.role_claim.split("."):
            told = told.get(name) if isinstance(told, dict) else None
        words = told if isinstance(told, list) else [told]
        had = {
            self.settings.roles[word]
            for word in words
            if isinstance(word, str) and word in self.settings.roles
        }
        for role in _FIRST:
            if role in had:
                return role
        raise RefusedToken(f"names no role of ours in its claim {self.settings.role_claim}")


def _instant(told: Any, later: float) -> datetime:
    """So many seconds after the time that is told."""
    try:
        return datetime.fromtimestamp(float(told) + later, UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        raise RefusedToken("has a time that is none") from None


def _name(claims: dict[str, Any], claim: str) -> str:
    told = claims.get(claim)
    try:
        named(None, None, told if isinstance(told, str) else "")
    except ValueError:
        raise RefusedToken(f"has no name in its claim {claim}") from None
    return str(told)
