"""An LCM on a real socket of 127.0.0.1 that behaves, or misbehaves as told, and keeps an account."""

from random import Random
from types import TracebackType
from typing import Literal, Self
from zoneinfo import ZoneInfo

from aiohttp import web

from cti_hooks import Clock, SystemClock
from lcm_plugin.listening import listening_on
from lcm_plugin.sandbox.account import Account, Received
from lcm_plugin.sandbox.answers import Answers
from lcm_plugin.sandbox.faults import Fault
from lcm_plugin.sandbox.lists import Callbacks, Lists
from lcm_plugin.sandbox.people import SandboxContact, generate_contacts
from lcm_plugin.sandbox.server import Server
from lcm_plugin.sandbox.state import State

_GENERATED = 50


class Sandbox:
    """An LCM to develop and test against: `async with Sandbox() as lcm: ... lcm.url`.

    Arguments:
        contacts: its lists; made up if None.
        port: 0 for any free one.
        reserve_seconds: how long a contact that was handed out stays reserved for its agent.
        timezone: the zone of the ExpiryTime it writes, and of the callbacks it reads.
        at_once: how many contacts one fresh download reserves; more than 1 is one more thing to survive.
        callbacks: which download gives an agent's personal callback, once it is due: that of `reserved`
            contacts only, as the documentation is best read; a `fresh` one; or `both`.
        require_dialer_detail: refuse a disposition before SetNonPEWCContactOutcome came for its key.
        clock, random: for runs that repeat themselves.

    Attributes:
        requests: what it received, in order.
        account: what it handed to whom, and what it was told.
        faults: what it was told to do wrong.
    """

    def __init__(  # noqa: PLR0913  (keyword-only, each with a default)
        self,
        *,
        contacts: list[SandboxContact] | None = None,
        port: int = 0,
        reserve_seconds: float = 600,
        timezone: str = "America/New_York",
        at_once: int = 1,
        callbacks: Callbacks | Literal["reserved", "fresh", "both"] = Callbacks.RESERVED,
        require_dialer_detail: bool = False,
        clock: Clock | None = None,
        random: Random | None = None,
    ) -> None:
        self._random = random or Random()  # noqa: S311  (chance of faults)
        self._port = port
        clock = clock or SystemClock()
        self._lists = Lists(
            clock=clock,
            reserve_seconds=reserve_seconds,
            started=clock.now(),
            personal=Callbacks(callbacks),
        )
        self.account = Account(reservations_now=self._lists.reservations)
        self._answers = Answers(
            State(
                lists=self._lists,
                account=self.account,
                zone=ZoneInfo(timezone),
                at_once=at_once,
                require_dialer_detail=require_dialer_detail,
            )
        )
        self.requests: list[Received] = []
        self.faults: list[Fault] = []
        self._runner: web.AppRunner | None = None
        people = generate_contacts(_GENERATED, random=self._random) if contacts is None else contacts
        for contact in people:
            self.add(contact)

    def add(self, contact: SandboxContact) -> None:
        """Put a contact on its lists."""
        self._lists.add(contact)

    def order(self, fault: Fault | str) -> None:
        """Tell it to do something wrong, as a `Fault` or as `NAME[,key=value]...`; the first to fit is done.

        Raises:
            ValueError: there is no such fault, or no such option.
        """
        self.faults.append(Fault.parse(fault) if isinstance(fault, str) else fault)

    @property
    def url(self) -> str:
        """Where envelopes are POSTed to."""
        return f"http://127.0.0.1:{self._bound()}/message"

    @property
    def ws_url(self) -> str:
        """Where envelopes are published."""
        return f"ws://127.0.0.1:{self._bound()}/bus"

    async def __aenter__(self) -> Self:
        server = Server(
            answers=self._answers, account=self.account, requests=self.requests, fault_of=self._fault
        )
        self._runner = web.AppRunner(server.application(), shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        with listening_on("127.0.0.1", self._port, "stop what listens there, or choose another --port"):
            await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    def _fault(self, subtopic: str, agent_id: str) -> Fault | None:
        return next((one for one in self.faults if one.applies(subtopic, agent_id, self._random)), None)

    def _bound(self) -> int:
        if self._runner and self._runner.addresses:
            self._port = self._runner.addresses[0][1]
        return self._port
