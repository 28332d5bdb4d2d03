"""How the site's gateway is told who asks. Secrets come from the environment or a file."""

import asyncio
import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import aiohttp
from attrs import define, field

from cti_hooks import Problem
from cti_hooks.secret import SecretError, not_set, read_secret
from lcm_plugin.config import Auth
from lcm_plugin.errors import Fault, LcmBadReply, LcmConfigError, LcmRejected, LcmUnavailable
from lcm_plugin.lcm.body import body_of

LARGEST_GRANT: Final = 1 << 16
"""Bytes of a token server's answer. It is never unpacked: a small one must not become a large one."""
_TOKEN: Final = re.compile(r"[!-~]+")
_EARLY: Final = 30.0
"""Seconds before its end at which a token is fetched anew."""
_LIFETIME: Final = 300.0
"""Seconds a token holds whose server does not say."""
_NEEDS: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "none": ((), ""),
    "basic": (("user",), "password"),
    "bearer": ((), "token"),
    "api_key": ((), "token"),
    "oauth2": (("token_url", "client_id"), "client_secret"),
}
"""For each kind: the settings it needs, and its secret, given as NAME_env or NAME_file."""


def problems(auth: Auth) -> Iterator[Problem]:
    """What this kind of auth lacks, told when the plugin is loaded."""
    plain, secret = _NEEDS[auth.type]
    for name in plain:
        if not getattr(auth, name):
            yield Problem(name, f'is required with type = "{auth.type}"')
    if not secret:
        return
    variable, path = _places(auth, secret)
    if not variable and not path:
        yield Problem(f"{secret}_env", f'is required with type = "{auth.type}" (or {secret}_file)')
    elif variable and variable not in os.environ:
        yield not_set(f"{secret}_env", variable)


@define(kw_only=True, eq=False)
class Credentials:
    """Makes the headers of a request, and keeps an OAuth2 token until shortly before it ends."""

    auth: Auth
    directory: Path
    _token: str = field(default="", init=False, repr=False)
    _token_ends: float = field(default=0.0, init=False)
    _lock: asyncio.Lock = field(factory=asyncio.Lock, init=False)

    async def headers(self, session: aiohttp.ClientSession) -> dict[str, str]:
        """The headers that say who asks.

        Raises:
            LcmConfigError: a secret cannot be read any more.
            LcmUnavailable: the token server cannot be reached.
            LcmRejected: the token server says no.
        """
        auth = self.auth
        if auth.type == "none":
            return {}
        if auth.type == "basic":
            return {"Authorization": aiohttp.encode_basic_auth(auth.user or "", self._secret("password"))}
        if auth.type == "api_key":
            return {auth.header: self._secret("token")}
        token = self._secret("token") if auth.type == "bearer" else await self._fetched(session)
        return {"Authorization": f"Bearer {token}"}

    def refused(self) -> None:
        """The LCM did not take the token: fetch another one next time."""
        self._token = ""

    def _secret(self, name: str) -> str:
        variable, path = _places(self.auth, name)
        try:
            return read_secret(env=variable, file=path, directory=self.directory)
        except SecretError as error:
            raise LcmConfigError(f"the {name} {error}", fault=Fault.NOT_SENT) from None

    async def _fetched(self, session: aiohttp.ClientSession) -> str:
        async with self._lock:  # one request for all who wait
            now = asyncio.get_running_loop().time()
            if not self._token or now >= self._token_ends:
                self._token, lifetime = await self._client_credentials(session)
                self._token_ends = now + max(lifetime - _EARLY, 0.0)
            return self._token

    async def _client_credentials(self, session: aiohttp.ClientSession) -> tuple[str, float]:
        """RFC 6749, section 4.4."""
        form = {"grant_type": "client_credentials", "client_id": self.auth.client_id or ""}
        form["client_secret"] = self._secret("client_secret")
        if self.auth.scope:
            form["scope"] = self.auth.scope
        url = self.auth.token_url or ""
        try:
            async with session.post(url, data=form, allow_redirects=False) as reply:
                if not reply.ok:
                    raise LcmRejected(
                        f"the token server says {reply.status}", fault=_token_fault(reply.status)
                    )
                return _granted(await body_of(reply, LARGEST_GRANT))
        except (aiohttp.ClientError, OSError):
            raise LcmUnavailable("the token server cannot be reached", fault=Fault.NOT_SENT) from None
        except (LcmBadReply, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise LcmUnavailable("the token server gave no token", fault=Fault.NOT_SENT) from None


def _granted(body: bytes) -> tuple[str, float]:
    """The token, and how many seconds it holds.

    Raises:
        ValueError, KeyError, TypeError, AttributeError, RecursionError: it is no grant.
    """
    granted = json.loads(body)
    token, lifetime = granted["access_token"], float(granted.get("expires_in", _LIFETIME))
    if not _TOKEN.fullmatch(token) or not math.isfinite(lifetime):
        raise ValueError("no token")
    return token, lifetime


def _token_fault(status: int) -> Fault:
    return Fault.NOT_SENT if status >= 500 else Fault.REJECTED  # noqa: PLR2004  (HTTP's server errors)


def _places(auth: Auth, secret: str) -> tuple[str | None, str | None]:
    return getattr(auth, f"{secret}_env"), getattr(auth, f"{secret}_file")
