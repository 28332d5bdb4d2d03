"""A dialer that hands a `tel:` or `sip:` URI to a command or a webhook of the site's choosing.

Nothing comes back of how the call went: the agent's host or desktop has to report it with `on_call_event`.
Until it does, the call stays `initiated`; nothing can be found or hung up.
"""

import asyncio
import os
import shutil
from collections import deque
from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import quote, urlsplit

import aiohttp
from attrs import field, frozen, validators

from cti_hooks import (
    Agent,
    Attempt,
    Call,
    ConfigError,
    ConnectionState,
    Dial,
    Health,
    Host,
    Problem,
    hookimpl,
)
from cti_hooks import settings as plugin_settings
from cti_hooks.secret import not_set
from lcm_plugin.dialers.handing_over import environment, filled, shell_program
from lcm_plugin.dialers.numbers import dialable, word_of

_USER_UNRESERVED: Final = "-_.!~*'()&=+$,;?/"
"""What RFC 3261 lets stand unescaped in the user part of a SIP URI."""
_NOT_INTO_A_SHELL: Final = """hand {uri} over as an argument: ["sh", "-c", 'dial "$1"', "sh", "{uri}"]"""


@frozen(kw_only=True)
class UriSettings:
    """The `[plugins.uri]` table: exactly one of `command` and `webhook`."""

    scheme: Literal["tel", "sip"] = "tel"
    domain: str | None = None
    """Of SIP URIs: `sip:+12125550123@domain`."""
    command: tuple[str, ...] = ()
    """Program and arguments, run without a shell; `{uri}`, `{attempt}` and `{agent}` are filled in."""
    pass_env: tuple[str, ...] = ()
    """Variables of the host's environment that the program gets, besides PATH, HOME and the like."""
    webhook: str | None = None
    """Where uri, attempt and agent are POSTed to as JSON."""
    token_env: str | None = None
    """The environment variable with the webhook's bearer token."""
    timeout_seconds: float = field(default=5.0, validator=validators.gt(0.0))

    def __attrs_post_init__(self) -> None:
        problems = []
        if bool(self.command) == bool(self.webhook):
            problems.append(Problem("command", "set either command or webhook"))
        if self.command and not any("{uri}" in word for word in self.command):
            problems.append(Problem("command", 'wants {uri}, who is to be called: ["xdg-open", "{uri}"]'))
        if word := shell_program(self.command):
            problems.append(Problem("command", f"{word!r} is a shell's program: {_NOT_INTO_A_SHELL}"))
        if self.webhook and not _is_http(self.webhook):
            problems.append(Problem("webhook", "must be an http or https address"))
        if self.scheme == "sip" and not self.domain:
            problems.append(Problem("domain", 'is required with scheme = "sip"'))
        if self.token_env and self.token_env not in os.environ:
            problems.append(not_set("token_env", self.token_env))
        if problems:
            raise ConfigError(problems)


class UriDialer:
    """The plugin."""

    def __init__(self, table: Mapping[str, object]) -> None:
        self.settings = plugin_settings.read(UriSettings, table)
        self._host: Host | None = None
        self._session: aiohttp.ClientSession | None = None
        self._handed: deque[str] = deque(maxlen=1000)

    def is_told_of(self, attempt: Attempt) -> bool:
        """Whether a signed call event may be of this attempt: handed over here, and at no engine."""
        own = f"{attempt.id}-c"
        is_ours = any(call.id == own and call.engine is None for call in attempt.calls)
        return is_ours or attempt.id in self._handed

    @property
    def _hands_agents_over(self) -> bool:
        return any("{agent}" in word for word in self.settings.command)

    def engine_of(self, agent: Agent) -> str:  # noqa: ARG002  (another dialer may not serve every agent)
        """Each agent is served, by what has one name however it is run."""
        return "uri"

    def endpoint_of(self, agent: Agent) -> str:
        """What is handed over of the agent; empty if that is nothing.

        Raises:
            UnsafeEndpointError: it is none to hand to a program.
        """
        return word_of(agent.id, agent.endpoint) if self._hands_agents_over else ""

    @hookimpl
    def on_startup(self, host: Host) -> None:
        self._host = host

    @hookimpl
    async def on_shutdown(self) -> None:
        if self._session:
            await self._session.close()
            self._session = None

    @hookimpl
    def report_health(self) -> list[Health]:
        """Whether the program is there. A webhook is not asked: it would take that for a call."""
        return [_health_of(program) for program in self.settings.command[:1]]

    @hookimpl
    async def make_call(self, attempt: Attempt, dial: Dial) -> Call:
        uri = self._uri(dial.to)
        seconds = self._seconds_left(dial)
        self._handed.append(attempt.id)
        hand_over = self._run if self.settings.command else self._post
        async with asyncio.timeout(seconds):
            await hand_over(uri, attempt)
        return Call(id=f"{attempt.id}-c", attempt_id=attempt.id, state=ConnectionState.INITIATED)

    def _seconds_left(self, dial: Dial) -> float:
        if self._host is None:
            raise RuntimeError("the uri dialer is not started: start the host first")
        left = (dial.not_after - self._host.clock.now()).total_seconds()
        if left <= 0:
            raise TimeoutError("too late to place this call")
        return min(left, self.settings.timeout_seconds)

    def _uri(self, number: str) -> str:
        dialed = dialable(number)
        if self.settings.scheme == "tel":
            return f"tel:{dialed}"
        return f"sip:{quote(dialed, safe=_USER_UNRESERVED)}@{self.settings.domain}"

    async def _run(self, uri: str, attempt: Attempt) -> None:
        """Run the command; at the deadline, or when cancelled, it is killed, by its pid."""
        argv = self._words(uri, attempt)
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            env=environment(self.settings.pass_env),
        )
        try:
            status = await process.wait()
        except BaseException:
            process.kill()
            await process.wait()
            raise
        if status != 0:
            raise RuntimeError(f"{argv[0]} ended with status {status}")

    def _words(self, uri: str, attempt: Attempt) -> list[str]:
        """Program and arguments.

        Raises:
            UnsafeEndpointError: an agent's endpoint, or the id in its place, is none to hand to a program.
        """
        values = {"{uri}": uri, "{attempt}": attempt.id, "{agent}": self.endpoint_of(attempt.agent)}
        return filled(self.settings.command, values)

    async def _post(self, uri: str, attempt: Attempt) -> None:
        self._session = self._session or aiohttp.ClientSession()
        token = os.environ.get(self.settings.token_env or "", "")
        body = {
            "uri": uri,
            "attempt_id": attempt.id,
            "agent": {"id": attempt.agent.id, "endpoint": attempt.agent.endpoint},
        }
        headers = {"Idempotency-Key": attempt.id} | ({"Authorization": f"Bearer {token}"} if token else {})
        url = self.settings.webhook or ""
        async with self._session.post(url, json=body, headers=headers, allow_redirects=False) as reply:
            if not 200 <= reply.status < 300:  # noqa: PLR2004  (HTTP's successes)
                raise RuntimeError(f"the webhook says {reply.status}")


def _is_http(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:  # brackets that are no IPv6 address
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _health_of(program: str) -> Health:
    found = shutil.which(program)
    return Health(what="uri", good=bool(found), seen=found or f"there is no program {program!r}; see command")
