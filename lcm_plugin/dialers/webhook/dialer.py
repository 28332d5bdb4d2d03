"""A dialer that POSTs each call to a site's own click-to-dial endpoint, and hears of it by the host's API.

For every system without a backend of its own: Twilio, Genesys, Wazo, a browser's softphone. The site's
endpoint rings the agent first, then the customer, never after `not_after`, and tells how it goes with
`POST /v1/call-events` at the embedded host (or the site's own host calls `on_call_event`).

`uri` with a webhook hands over a `tel:` or `sip:` URI and knows nothing more. This one sends the whole order,
signed (see `signing`) and with the attempt's id as `Idempotency-Key`, knows a call's state from its events,
and finds and hangs it up if the site has addresses for that.

What the endpoint answers: 2xx or 409 (had it already): taken. Another 4xx: not taken, and nothing rings.
Anything else, or no answer, leaves doubt and is never sent again: without a status URL it counts as not seen
until an event of it comes. Only what surely was not delivered (refused, no such host, no connection) is tried
again, until `not_after`.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import aiohttp
import tenacity
from attrs import evolve

from cti_hooks import Attempt, Call, CallEvent, ConnectionState, Dial, Health, Host, hookimpl
from cti_hooks import settings as plugin_settings
from lcm_plugin.dialers.answers import IDENTITY, body_of, json_of
from lcm_plugin.dialers.webhook.known import KnownCalls
from lcm_plugin.dialers.webhook.order import WebhookError, explained, order_of
from lcm_plugin.dialers.webhook.settings import WebhookSettings
from lcm_plugin.dialers.webhook.signing import signed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

log = logging.getLogger("lcm_plugin.dialers")

LARGEST_ANSWER: Final = 1 << 16
"""Bytes of what the status URL says; of other answers the status is all that is read."""
_NOT_DELIVERED: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
"""No connection was made: no DNS name, refused, TLS that is not to be trusted, no answer to the SYN."""


class WebhookDialer:
    """The plugin."""

    def __init__(self, table: Mapping[str, object]) -> None:
        self.settings = plugin_settings.read(WebhookSettings, table)
        self._host: Host | None = None
        self._session: aiohttp.ClientSession | None = None
        self._known = KnownCalls(engine=self.settings.engine, unheard_seconds=self.settings.unheard_seconds)

    @property
    def engines(self) -> tuple[str, ...]:
        """The endpoint's name: of it alone this backend says that a call was not seen."""
        return (self.settings.engine,)

    def is_told_of(self, attempt: Attempt) -> bool:
        """Whether a signed call event may be of this attempt: its call was ordered here."""
        return attempt.id in self._known or any(self._is_ours(call) for call in attempt.calls)

    @hookimpl
    def on_startup(self, host: Host) -> None:
        self._host = host

    @hookimpl
    async def on_shutdown(self) -> None:
        if self._session:
            await self._session.close()
            self._session = None

    @hookimpl
    async def make_call(self, attempt: Attempt, dial: Dial) -> Call | None:
        if not self.settings.serves(attempt.agent.id):
            return None
        if attempt.id in self._known:
            raise RuntimeError(f"attempt {attempt.id} is being dialed")
        order = order_of(attempt, dial, f"{attempt.id}-c")
        call = self._known.ordered(attempt.id)
        if not await self._ordered_in_time(attempt.id, order, dial.not_after):
            self._known.forget(attempt.id)
            return None
        return self._known.taken(attempt.id) or evolve(call, state=ConnectionState.NULL)

    @hookimpl
    async def find_call(self, attempt_id: str) -> Call | None:
        if self.settings.status_url is None:
            return self._known.find(attempt_id)
        url = self.settings.status_url.replace("{attempt}", quote(attempt_id, safe=""))
        async with self._asked("GET", url) as reply:
            if reply.status == HTTPStatus.NOT_FOUND:
                return None
            if reply.status != HTTPStatus.OK:
                raise WebhookError(f"the status URL says {reply.status}")
            return await self._told(attempt_id, reply)

    @hookimpl
    async def clear_call(self, call: Call) -> bool | None:
        if not self._is_ours(call):
            return None
        if self.settings.clear_url is None:
            raise WebhookError("the webhook has no clear_url: hang up at the phone")
        url = self.settings.clear_url.replace("{attempt}", quote(call.attempt_id, safe=""))
        body = json.dumps({"attempt_id": call.attempt_id, "call_id": call.id}).encode()
        async with self._asked("POST", url, body, f"{call.id}-clear") as reply:
            if reply.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
                return False
            if not reply.ok or reply.status >= HTTPStatus.MULTIPLE_CHOICES:
                raise WebhookError(f"the clear URL says {reply.status}")
            return True

    @hookimpl
    def on_call_event(self, event: CallEvent) -> None:
        self._known.hear(event)

    @hookimpl
    async def report_health(self) -> list[Health]:
        """An answer to a signed HEAD shows that somebody is there, unless it is the server's failure (5xx).

        404 or 405 will do: an endpoint that takes orders by POST need not know HEAD.
        """
        what = f"webhook {self.settings.engine}"
        try:
            async with self._asked("HEAD", self.settings.url) as reply:
                refused = reply.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
                seen = f"answers with {reply.status}"
                if refused:
                    seen += ": it refuses the signature; see secret_env, and both clocks"
                good = not refused and reply.status < HTTPStatus.INTERNAL_SERVER_ERROR
                return [Health(what=what, good=good, seen=seen)]
        except (aiohttp.ClientError, TimeoutError, RuntimeError) as error:
            return [Health(what=what, good=False, seen=explained(error, self.settings))]

    def _is_ours(self, call: Call) -> bool:
        """A call that only events told of has no engine's name."""
        if call.engine is None:
            return call.attempt_id in self._known
        return call.engine == self.settings.engine

    async def _ordered_in_time(self, attempt_id: str, order: bytes, not_after: datetime) -> bool:
        """Whether the endpoint took it. False: surely nothing will ring."""
        clock = self._started().clock
        left = (not_after - clock.now()).total_seconds()
        if left <= 0:
            raise TimeoutError("too late to place this call")

        def too_late(state: tenacity.RetryCallState) -> bool:
            return clock.now() + timedelta(seconds=state.upcoming_sleep) >= not_after

        trying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(_NOT_DELIVERED),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=2),
            stop=too_late,
            reraise=True,
        )
        try:
            async with asyncio.timeout(left):
                return await trying(self._order_once, attempt_id, order)
        except _NOT_DELIVERED as error:
            log.warning("attempt %s: not placed: %s", attempt_id, explained(error, self.settings))
            return False

    async def _order_once(self, attempt_id: str, order: bytes) -> bool:
        async with self._asked("POST", self.settings.url, order, message_id=attempt_id) as reply:
            if (
                reply.status == HTTPStatus.CONFLICT
                or HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES
            ):
                return True
            if HTTPStatus.BAD_REQUEST <= reply.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                log.warning("attempt %s: not taken: the webhook says %s", attempt_id, reply.status)
                return False
            raise WebhookError(f"the webhook says {reply.status}: whether it calls is unknown")

    @asynccontextmanager
    async def _asked(
        self, method: str, url: str, body: bytes = b"", message_id: str | None = None
    ) -> "AsyncIterator[aiohttp.ClientResponse]":
        host, settings = self._started(), self.settings
        if self._session is None:
            seconds = settings.timeout_seconds
            timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=seconds / 2)
            self._session = aiohttp.ClientSession(timeout=timeout, auto_decompress=False, headers=IDENTITY)
        sign = signed(settings.secret(host.directory), host.clock.now(), body, message_id)
        told = {"Content-Type": "application/json"} if body else {}
        once = {"Idempotency-Key": message_id} if message_id else {}
        async with self._session.request(
            method, url, data=body or None, headers={**told, **once, **sign}, allow_redirects=False
        ) as reply:
            yield reply

    async def _told(self, attempt_id: str, reply: aiohttp.ClientResponse) -> Call:
        """`{"state": "connected", "q850": null}`, the state one of CSTA's."""
        try:
            told: Any = json_of(await body_of(reply, LARGEST_ANSWER))
            state, q850 = ConnectionState(told["state"]), told.get("q850")
            q850 = None if q850 is None else int(q850)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            raise WebhookError('the status URL answers no {"state": "connected", "q850": null}') from None
        return Call(
            id=f"{attempt_id}-c", attempt_id=attempt_id, state=state, q850=q850, engine=self.settings.engine
        )

    def _started(self) -> Host:
        if self._host is None:
            raise RuntimeError("the webhook dialer is not started: start the host first")
        return self._host
