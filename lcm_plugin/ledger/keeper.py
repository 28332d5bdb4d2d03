"""Keeps this host's lease, succeeds hosts whose lease has ended, and sees what others took of its own."""

import asyncio
import logging
from collections.abc import Callable, Collection
from functools import partial

from attrs import define, field

from cti_hooks import Attempt, Clock
from lcm_plugin.ledger import leases
from lcm_plugin.ledger.errors import AttemptLostError, LedgerUnavailable
from lcm_plugin.ledger.leases import Watch
from lcm_plugin.ledger.place import own_place
from lcm_plugin.ledger.writer import Writer

log = logging.getLogger("lcm_plugin.ledger")

BEATS: float = 4
"""Renewals in the length of a lease."""


@define(kw_only=True, eq=False)
class Keeper:
    """One host's lease.

    Attributes:
        holder: this host's id in the ledger; a new one after a lease was lost.
        living: how many hosts there are whose lease has not ended, this one among them.
        held: the ids of this host's open attempts.
        released: the ids of those that it has let go of.
        on_adopted: is given the attempts left behind whose calls this host has to look up.
        on_lost: is told that another host has everything held so far.
        on_taken: is given what others have taken of either while the lease lived, as it is now.
    """

    writer: Writer
    clock: Clock
    host: str
    seconds: float
    new_id: Callable[[], str]
    held: Callable[[], Collection[str]]
    released: Callable[[], Collection[str]]
    on_adopted: Callable[[list[Attempt]], None]
    on_lost: Callable[[], None]
    on_taken: Callable[[list[Attempt]], None]
    holder: str = field(default="", init=False)
    living: int = field(default=1, init=False)
    _renewed_at: float = field(default=0.0, init=False)
    _watch: Watch = field(init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _renewing: asyncio.Lock = field(factory=asyncio.Lock, init=False)

    def __attrs_post_init__(self) -> None:
        self._watch = Watch(self.seconds)

    async def start(self) -> None:
        """Begin a lease, and succeed those that are proven dead."""
        await self._register()
        await self._succeed()
        self.thaw()

    async def close(self) -> None:
        """End the lease: any host may take up what is left."""
        if self._task:
            self.freeze()
            await asyncio.gather(self._task, return_exceptions=True)
        if self.holder:
            self.writer.note(partial(leases.end, holder=self.holder))
            self.holder = ""

    def freeze(self) -> None:
        """Renew the lease no more, as a process that is stopped does."""
        if self._task:
            self._task.cancel()

    def thaw(self) -> None:
        """Renew it from now on."""
        self._task = asyncio.create_task(self._keep(), name="ledger lease")

    @property
    def held_until(self) -> float:
        """The instant of the running loop until which no other host can have succeeded this one."""
        return self._renewed_at + self.seconds

    async def ensure(self, seconds: float = 0, holder: str | None = None) -> None:
        """Make sure that the lease holds for so long; right before what only its `holder` may do.

        Raises:
            AttemptLostError: it does not, or is another one by now; this host was stopped for too long.
            LedgerUnavailable: that cannot be told now.
        """
        async with self._renewing:
            fresh = asyncio.get_running_loop().time() + seconds < self.held_until
            held = holder in (None, self.holder) and (fresh or await self._renew())
        if not held:
            raise AttemptLostError("this host's lease had ended: another host has its attempts")

    async def _register(self) -> None:
        holder, at = self.new_id(), asyncio.get_running_loop().time()
        step = partial(
            leases.register, holder=holder, host=self.host, place=own_place(), now=self.clock.now()
        )
        await self.writer.do(step, probe=True)
        self.holder, self._renewed_at = holder, at

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self.seconds / BEATS)
            try:
                async with self._renewing:
                    held = await self._renew()
                if held:
                    await self._succeed()
                    await self._notice()
            except LedgerUnavailable as error:
                log.debug("the lease could not be renewed: %s", error)

    async def _renew(self) -> bool:
        at = asyncio.get_running_loop().time()
        if await self.writer.do(partial(leases.beat, holder=self.holder, now=self.clock.now()), probe=True):
            self._renewed_at = at
            return True
        log.error("host %s was stopped for longer than its lease; its attempts are another host's", self.host)
        await self._register()
        self.on_lost()  # whoever goes on does so under the new lease
        return False

    async def _succeed(self) -> None:
        now, own = asyncio.get_running_loop().time(), self.holder
        standing = await self.writer.do(leases.beats, probe=True)
        ended = self._watch.ended(now, standing, own)
        self.living = max(1, len(standing) - len(ended))
        successor = leases.Successor(host=self.host, holder=own, held=frozenset(self.held()))
        step = partial(leases.take_over, ended=ended, successor=successor, now=self.clock.now())
        adopted = await self.writer.do(step, probe=True)
        if ended:
            log.warning("succeeded %d host(s) that ended; %d call(s) to look up", len(ended), len(adopted))
        if adopted:
            self.on_adopted(adopted)

    async def _notice(self) -> None:
        held, released = frozenset(self.held()), frozenset(self.released())
        step = partial(leases.taken, holder=self.holder, held=held, released=released)
        if taken := await self.writer.do(step, probe=True):
            self.on_taken(taken)
