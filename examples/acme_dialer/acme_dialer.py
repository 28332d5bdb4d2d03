"""A dialer backend: places calls at a PBX that speaks lines of text over TCP (`acme_pbx.py`).

    DIAL <call id> <agent> <number> <ring seconds>   the agent's phone first, then the customer's
    HANGUP <call id>
    FIND <call id>        answered by: STATE <call id> <state>

The PBX tells what happens: EVENT <call id> <kind> <Q.850 cause or ->.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from attrs import field, frozen, validators

from cti_hooks import Attempt, Call, CallEvent, ConnectionState, Dial, Host, hookimpl
from cti_hooks.settings import read


@frozen(kw_only=True)
class Settings:
    """The plugin's table."""

    host: str = "127.0.0.1"
    port: int = field(validator=[validators.ge(1), validators.le(65535)])


class AcmeDialer:
    """The plugin. The attempt's id is the call's id at the PBX, so that `find_call` can find it."""

    def __init__(self, table: Mapping[str, object]) -> None:
        """Read the settings; the connection is made on_startup."""
        self.settings = read(Settings, table)
        self.asked: dict[str, asyncio.Future[str]] = {}

    @hookimpl
    async def on_startup(self, host: Host) -> None:
        """Connect, and listen to what the PBX tells."""
        self.host = host
        self.reader, self.writer = await asyncio.open_connection(self.settings.host, self.settings.port)
        self.listening = asyncio.create_task(self._listen(), name="acme PBX")

    @hookimpl
    async def on_shutdown(self) -> None:
        """Close the connection; calls at the PBX go on."""
        self.listening.cancel()
        await asyncio.gather(self.listening, return_exceptions=True)
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()

    @hookimpl
    async def make_call(self, attempt: Attempt, dial: Dial) -> Call:
        """Place the call, unless it is too late for it or the number could be read as something else."""
        if self.host.clock.now() >= dial.not_after:
            raise TimeoutError("too late to place this call")
        if not dial.to.removeprefix("+").isdecimal() or " " in (attempt.agent.endpoint or ""):
            raise ValueError("no number that this PBX could dial")
        endpoint = attempt.agent.endpoint or attempt.agent.id
        await self._send(f"DIAL {attempt.id} {endpoint} {dial.to} {dial.ring_seconds:.0f}")
        return Call(id=attempt.id, attempt_id=attempt.id, state=ConnectionState.INITIATED)

    @hookimpl
    async def find_call(self, attempt_id: str) -> Call | None:
        """Ask the PBX. `unknown` is None: not seen, which proves nothing."""
        future = self.asked[attempt_id] = asyncio.get_running_loop().create_future()
        await self._send(f"FIND {attempt_id}")
        state = await future
        return None if state == "unknown" else Call(id=attempt_id, attempt_id=attempt_id, state=state)

    @hookimpl
    async def clear_call(self, call: Call) -> bool | None:
        """Hang up."""
        await self._send(f"HANGUP {call.id}")
        return True

    async def _send(self, line: str) -> None:
        self.writer.write(f"{line}\n".encode())
        await self.writer.drain()

    async def _listen(self) -> None:
        async for line in self.reader:
            match line.decode().split():
                case ["EVENT", call_id, kind, cause]:
                    await self._tell(call_id, kind, cause)
                case ["STATE", call_id, state]:
                    if future := self.asked.pop(call_id, None):
                        future.set_result(state)

    async def _tell(self, call_id: str, kind: str, cause: str) -> None:
        event = CallEvent(
            kind=kind,
            call_id=call_id,
            attempt_id=call_id,
            at=self.host.clock.now(),
            q850=None if cause == "-" else int(cause),
        )
        await self.host.hooks.all("on_call_event", event=event)
