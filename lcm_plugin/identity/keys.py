"""An identity provider's keys: a JSON Web Key Set from a file or an address, kept for a while."""

import asyncio
from pathlib import Path
from typing import Final

import aiohttp
import jwt
from attrs import define, field

from lcm_plugin.dialers.answers import IDENTITY, body_of, json_of, object_of
from lcm_plugin.identity.refused import KeysUnavailable

KEPT: Final = 600.0
"""Seconds the keys are kept: a key that the provider withdrew is taken for as long."""
SOONEST: Final = 30.0
"""Seconds between two questions for them, if a token names a key that is not among them."""
LARGEST: Final = 1 << 18
"""Bytes of a key set."""
_SECONDS: Final = 5.0


@define(kw_only=True, eq=False)
class Keys:
    """Asked for when a token wants one. An old set goes on while no new one can be had."""

    url: str | None
    file: Path | None
    _keys: dict[str, jwt.PyJWK] = field(factory=dict, init=False, repr=False)
    _asked_at: float | None = field(default=None, init=False)
    _had_at: float | None = field(default=None, init=False)
    _asking: asyncio.Lock = field(factory=asyncio.Lock, init=False)

    async def of(self, kid: str) -> jwt.PyJWK | None:
        """The key of this id, or the only one if a token names none; None if there is none.

        Raises:
            KeysUnavailable: no key set was ever had, and none can be had now.
        """
        async with self._asking:
            if self._is_due(kid):
                await self._ask()
        if not kid and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid)

    def _is_due(self, kid: str) -> bool:
        now = asyncio.get_running_loop().time()
        if self._asked_at is not None and now - self._asked_at < SOONEST:
            return False
        return self._had_at is None or now - self._had_at >= KEPT or (bool(kid) and kid not in self._keys)

    async def _ask(self) -> None:
        self._asked_at = asyncio.get_running_loop().time()
        try:
            self._keys = _read(await self._bytes())
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if self._had_at is None:
                self._asked_at = None  # so that the next token asks again
                what = type(error).__name__
                raise KeysUnavailable(f"the identity provider's keys cannot be had: {what}") from None
            return
        self._had_at = self._asked_at

    async def _bytes(self) -> bytes:
        if self.file:
            return self.file.read_bytes()
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as http,
            http.get(self.url or "", allow_redirects=False, headers=IDENTITY) as reply,
        ):
            reply.raise_for_status()
            return await body_of(reply, LARGEST)


def _read(body: bytes) -> dict[str, jwt.PyJWK]:
    """The keys that sign; one that cannot be read is left out, as the set may be for others, too.

    Raises:
        ValueError: it is no key set, or has no such key.
    """
    told = object_of(json_of(body)).get("keys")
    found = {}
    for one in told if isinstance(told, list) else ():
        if isinstance(one, dict) and one.get("use", "sig") == "sig" and one.get("kty") != "oct":
            try:
                found[str(one.get("kid", ""))] = jwt.PyJWK.from_dict(one)
            except (jwt.PyJWTError, ValueError, TypeError):
                continue
    if not found:
        raise ValueError("no key in it")
    return found
