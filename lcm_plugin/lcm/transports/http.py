"""POST an envelope, get the reply's back.

Always POST: aiohttp sends GET, PUT and DELETE a second time by itself when a kept-alive connection drops, and
a second download would reserve a second contact.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp
from attrs import define, field

from cti_hooks import Agent, Clock
from lcm_plugin.config import LcmSettings
from lcm_plugin.errors import Fault, LcmBadReply, LcmError, LcmRejected, LcmUnavailable
from lcm_plugin.lcm.auth import Credentials
from lcm_plugin.lcm.body import body_of
from lcm_plugin.lcm.decode import LARGEST
from lcm_plugin.lcm.envelope import Request
from lcm_plugin.lcm.tls import ssl_context


@define(kw_only=True, eq=False)
class HttpTransport:
    """One session for all agents. The caller caps the number of connections."""

    settings: LcmSettings
    directory: Path
    clock: Clock
    _session: aiohttp.ClientSession | None = field(default=None, init=False)
    _credentials: Credentials = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._credentials = Credentials(auth=self.settings.auth, directory=self.directory)

    async def send(self, agent: Agent, message: Request, deadline: float) -> bytes:  # noqa: ARG002  (one route for all)
        """As `Transport.send` says."""
        session = self._opened()
        sent = False
        try:
            async with asyncio.timeout_at(deadline):
                headers = await self._headers(session, message)
                body = json.dumps(message.envelope).encode()
                sent = True
                return await self._posted(session, body, headers)
        except TimeoutError:
            fault = Fault.NO_ANSWER if sent else Fault.NOT_SENT
            raise LcmUnavailable("the LCM did not answer in time", fault=fault) from None

    async def close(self) -> None:
        """Close the session."""
        if self._session:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            settings = self.settings
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=ssl_context(settings.tls, self.directory)),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=settings.connect_seconds),
                auto_decompress=False,  # a small reply must not become a large one
                headers={"Accept-Encoding": "identity", **settings.headers},
            )
        return self._session

    async def _posted(self, session: aiohttp.ClientSession, body: bytes, headers: dict[str, str]) -> bytes:
        posting = session.post(self.settings.url, data=body, headers=headers, allow_redirects=False)
        async with _told_apart(), posting as reply:
            self._refuse(reply)
            return await body_of(reply, LARGEST)

    async def _headers(self, session: aiohttp.ClientSession, message: Request) -> dict[str, str]:
        headers = {"Content-Type": "application/json", **await self._credentials.headers(session)}
        if message.idempotency_key:
            headers["Idempotency-Key"] = message.idempotency_key
        return headers

    def _refuse(self, reply: aiohttp.ClientResponse) -> None:
        """What a status means: docs/architecture.md#what-a-failure-means."""
        if reply.status in {401, 403}:
            self._credentials.refused()
        if error := status_error(reply.status, reply.headers, self.clock.now()):
            raise error


def status_error(status: int, headers: Mapping[str, str], now: datetime) -> LcmError | None:
    """What an HTTP status means, or None if it is a success."""
    text = f"the LCM's gateway says {status}"
    if status in {429, 503}:
        wait = _retry_after(headers.get("Retry-After"), now)
        return LcmUnavailable(text, fault=Fault.BUSY, status=status, retry_after=wait)
    if status in {401, 403}:
        return LcmRejected(f"{text}: check auth", fault=Fault.REJECTED, status=status)
    match status // 100:
        case 2:
            return None
        case 3:
            return LcmBadReply(
                f"{text}: check url, redirects are not followed", fault=Fault.REDIRECTED, status=status
            )
        case 4:
            return LcmRejected(text, fault=Fault.REJECTED, status=status)
        case _:
            return LcmUnavailable(text, fault=Fault.NO_ANSWER, status=status)


def _retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds from now: the header has seconds or a date (RFC 9110, section 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment - now).total_seconds()) if moment.tzinfo else None


@asynccontextmanager
async def _told_apart() -> AsyncIterator[None]:
    """Whether the LCM can have seen the request. No text of aiohttp's goes on: it may hold the URL."""
    try:
        yield
    except LcmError:
        raise
    except aiohttp.ClientConnectorError as error:
        text = f"the LCM cannot be reached at {error.host}:{error.port}"
        raise LcmUnavailable(text, fault=Fault.NOT_SENT) from None
    except aiohttp.ConnectionTimeoutError:
        raise LcmUnavailable("the LCM cannot be reached in time", fault=Fault.NOT_SENT) from None
    except aiohttp.InvalidURL:
        raise LcmUnavailable("the url is no URL", fault=Fault.NOT_SENT) from None
    except (aiohttp.ClientError, OSError) as error:
        text = f"the connection to the LCM broke: {type(error).__name__}"
        raise LcmUnavailable(text, fault=Fault.NO_ANSWER) from None
