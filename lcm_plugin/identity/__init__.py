"""Who asks, in which role: tokens, an identity provider's JWTs, tickets. Knows nothing of routes."""

from lcm_plugin.identity.caller import HOST, LOCAL, Caller, Role
from lcm_plugin.identity.identity import Identity, identity_of
from lcm_plugin.identity.refused import KeysUnavailable, RefusedToken
from lcm_plugin.identity.settings import JwtSettings, TokenSettings
from lcm_plugin.identity.veil import veiled

__all__ = [
    "HOST",
    "LOCAL",
    "Caller",
    "Identity",
    "JwtSettings",
    "KeysUnavailable",
    "RefusedToken",
    "Role",
    "TokenSettings",
    "identity_of",
    "veiled",
]
