"""One Asterisk's REST interface: https://docs.asterisk.org, Asterisk REST Interface.

Nothing is ever sent again after a lost answer. Only POST places something: aiohttp re-sends GET, PUT and
DELETE by itself when a kept connection was dropped, which harms neither a question nor a hang-up.
"""

import asyncio
import ssl
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

import aiohttp
from attrs import define, field

from lcm_plugin import redirects
from lcm_plugin.dialers.answers import IDENTITY, UnreadableError, body_of, json_of, object_of, objects_of
from lcm_plugin.dialers.asterisk.settings import AriSettings
from lcm_plugin.dialers.errors import RepeatedAttemptError
from lcm_plugin.dialers.exchange.wire import (
    EngineDownError,
    EngineError,
    EngineLostError,
    EngineRefusedError,
)

_KEPT_SECONDS: Final = 5.0
"""Asterisk drops a kept connection after 15 s; one that may be dropped this instant is not used."""
LARGEST_EVENT: Final = 1 << 20
LARGEST_REPLY: Final = 16 << 20
"""Bytes; a list of 20 000 channels has about as many."""
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_NOBODY: Final = frozenset({401, 403})
_REDIRECTS: Final = frozenset(range(300, 400))
_REFUSALS: Final = frozenset({400, 404, 422, *_REDIRECTS})
_NOT_ALLOCATED: Final = 500
"""Asterisk's `Allocation failed`; a proxy's errors are others, and leave open what happened."""


T = TypeVar("T")


class AriError(EngineError):
    """Asterisk could not be used. The text is for people, and holds no number."""


class AriUnreachableError(AriError, EngineDownError):
    """The request was surely not sent, or nobody listens to us there."""


class AriRefusedError(AriError, EngineRefusedError):
    """Asterisk said no: nothing came of the request."""


class RepeatedChannelError(AriError, RepeatedAttemptError):
    """A channel with this id lives already: this attempt was dialed before."""


class AriDoubtError(AriError, EngineLostError):
    """The request was sent and no usable answer came."""


@define(kw_only=True, eq=False)
class Ari:
    """Requests to one Asterisk, each with a time limit."""

    name: str
    settings: AriSettings
    directory: Path
    seconds: float
    _session: aiohttp.ClientSession | None = field(default=None, init=False)

    def open(self) -> None:
        """Make the session; nothing is sent.

        Raises:
            OSError: the password's or the CA's file cannot be read.
        """
        secret = self.settings.password(self.directory)
        headers = {"Authorization": aiohttp.encode_basic_auth(self.settings.user, secret)} if secret else {}
        context: ssl.SSLContext | bool = True
        if self.settings.ca_file:
            context = ssl.create_default_context(cafile=self.directory / self.settings.ca_file)
        connector = aiohttp.TCPConnector(limit=0, ssl=context, keepalive_timeout=_KEPT_SECONDS)
        timeout = aiohttp.ClientTimeout(total=self.seconds, sock_connect=self.seconds / 2)
        self._session = aiohttp.ClientSession(
            headers=headers | IDENTITY,
            auto_decompress=False,
            connector=connector,
            timeout=timeout,
            trace_configs=[redirects.refused()],
        )

    async def close(self) -> None:
        """Close the session."""
        if self._session:
            await self._session.close()

    async def originate(self, channel: str, **order: Any) -> None:
        """Let a channel ring.

        Raises:
            AriUnreachableError, AriRefusedError: nothing was placed.
            RepeatedChannelError: there is such a channel already.
            AriDoubtError: whether it was placed is unknown.
        """
        await self._ask("POST", "/channels", {"channelId": channel, **order})

    async def hang_up(self, channel: str, cause: int) -> bool:
        """Hang up, with a Q.850 cause. Whether there was such a channel."""
        return await self._ask("DELETE", f"/channels/{_part(channel)}?reason_code={cause}") is not None

    async def ring(self, channel: str) -> None:
        """Let the other end hear ringing."""
        await self._ask("POST", f"/channels/{_part(channel)}/ring")

    async def stop_ringing(self, channel: str) -> None:
        """Let the other end hear ringing no longer."""
        await self._ask("DELETE", f"/channels/{_part(channel)}/ring")

    async def make_bridge(self, bridge: str) -> None:
        """A mixing bridge; one there already is taken."""
        with suppress(RepeatedChannelError):
            await self._ask("POST", f"/bridges/{_part(bridge)}", {"type": "mixing"})

    async def join(self, bridge: str, channels: list[str]) -> None:
        """Put channels into a bridge."""
        await self._ask("POST", f"/bridges/{_part(bridge)}/addChannel", {"channel": channels})

    async def remove_bridge(self, bridge: str) -> None:
        """Remove a bridge, there or not."""
        await self._ask("DELETE", f"/bridges/{_part(bridge)}")

    async def channel(self, channel: str) -> Mapping[str, Any] | None:
        """A channel as it is now, or None."""
        found = await self._ask("GET", f"/channels/{_part(channel)}")
        return None if found is None else self._read(object_of, found)

    async def channels(self) -> dict[str, dict[str, Any]]:
        """All channels by their ids."""
        return self._read(objects_of, await self._ask("GET", "/channels"), "id")

    async def subscribe(self, app: str, channel: str) -> None:
        """Hear of a channel; one we hear of already is no error."""
        await self._ask(
            "POST", f"/applications/{_part(app)}/subscription", {"eventSource": f"channel:{channel}"}
        )

    async def version(self) -> str:
        """Asterisk's version."""
        found = await self._ask("GET", "/asterisk/info")
        about = self._read(object_of, {} if found is None else found)
        return str(self._read(object_of, about.get("system", {})).get("version", "of an unknown version"))

    async def pjsip_endpoints(self) -> dict[str, str]:
        """Its PJSIP endpoints, and whether they are `online`; empty if it has no PJSIP."""
        found = await self._ask("GET", "/endpoints/PJSIP")
        named = self._read(objects_of, [] if found is None else found, "resource")
        return {name: str(one.get("state")) for name, one in named.items()}

    async def events(self, app: str) -> aiohttp.ClientWebSocketResponse:
        """The event socket of an application."""
        async with asyncio.timeout(self.seconds):
            return await self._opened().ws_connect(
                f"{self.settings.url.rstrip('/')}/events",
                params={"app": app},
                heartbeat=10,
                max_msg_size=LARGEST_EVENT,
            )

    async def hear_only(self, app: str, kinds: Iterable[str]) -> None:
        """Be told of these kinds of events only; an Asterisk too old to choose tells of all."""
        kept = {"allowed": [{"type": kind} for kind in kinds]}
        with suppress(AriRefusedError):
            await self._ask("PUT", f"/applications/{_part(app)}/eventFilter", kept)

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """What a GET brought, {} of all others; None if what was asked for is not there."""
        url = self.settings.url.rstrip("/") + path
        try:
            async with self._opened().request(method, url, json=body, allow_redirects=False) as reply:
                return await self._answer(method, reply)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise AriUnreachableError(f"{self.name} {explained(error, self.settings)}") from error
        except UnreadableError as error:
            raise self._senseless(error) from None
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise AriDoubtError(f"{self.name} {explained(error, self.settings)}") from error

    async def _answer(self, method: str, reply: aiohttp.ClientResponse) -> Any:
        status = reply.status
        if status == _NOT_FOUND and method != "POST":
            return None
        if status == _CONFLICT:
            raise RepeatedChannelError(f"{self.name} has a channel of this attempt already")
        if status in _NOBODY:
            raise AriUnreachableError(f"{self.name} {refused(status, self.settings)}")
        if status in _REFUSALS or (status == _NOT_ALLOCATED and b"Allocation failed" in await _body(reply)):
            raise AriRefusedError(f"{self.name} {refused(status, self.settings)}")
        if not reply.ok:
            raise AriDoubtError(f"{self.name} answers with HTTP status {status}")
        body = await _body(reply)
        return json_of(body) if method == "GET" else {}

    def _read(self, shape: Callable[..., T], *value: Any) -> T:
        try:
            return shape(*value)
        except UnreadableError as error:
            raise self._senseless(error) from None

    def _senseless(self, error: UnreadableError) -> AriDoubtError:
        return AriDoubtError(f"{self.name} gave {error}: is it Asterisk's ARI there? check url")

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the asterisk dialer is not started: start the host first")
        return self._session


def _part(name: str) -> str:
    """One part of a path. An id is whoever placed the channel chose: no slash in it ends the part."""
    return quote(name, safe="")


async def _body(reply: aiohttp.ClientResponse) -> bytes:
    return await body_of(reply, LARGEST_REPLY)


def refused(status: int, settings: AriSettings) -> str:
    """What a status that says no means, and the way out."""
    if status in _NOBODY:
        return f"refuses user {settings.user!r} or its password: compare password_env with ari.conf"
    if status == _NOT_FOUND:
        return "has no such thing: url should end in /ari, and ari.conf say enabled = yes"
    if status == _NOT_ALLOCATED:
        return "cannot reach this endpoint: unknown, or not registered"
    if status in _REDIRECTS:
        return f"redirects, with HTTP status {status}, and is not followed: check url"
    return f"refuses, with HTTP status {status}"


def explained(error: Exception, settings: AriSettings) -> str:
    """What a failed connection means, and the way out."""
    match error:
        case aiohttp.WSServerHandshakeError():
            return refused(error.status, settings)
        case aiohttp.ClientConnectorCertificateError():
            reason = getattr(error.certificate_error, "verify_message", "") or "not valid"
            return f"shows a certificate that is not to be trusted ({reason}): check url's name and ca_file"
        case aiohttp.ClientConnectorSSLError():
            return "does not speak TLS there: check url's port, or write http"
        case aiohttp.ClientConnectorError():
            return (
                f"cannot be reached at {error.host}:{error.port}: check url, http.conf, and whether it runs"
            )
        case TimeoutError():
            return "does not answer in time"
        case _:
            return "broke the connection off, or does not speak HTTP there"
