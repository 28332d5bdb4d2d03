"""A span of time that can stand still."""

import asyncio

from lcm_plugin.desk.stopwatch import Stopwatch
from lcm_plugin.sandbox.virtual_time import LoopClock


async def test_it_is_over_once(clock: LoopClock) -> None:
    """What stood still passes afterwards; once it is over, nothing makes it be over again."""
    told: list[float] = []
    loop = asyncio.get_running_loop()
    begun = loop.time()
    watch = Stopwatch(10, lambda: told.append(round(loop.time() - begun)))
    watch.go_on()
    await asyncio.sleep(4)
    watch.stand_still()
    await asyncio.sleep(100)
    watch.go_on()
    await asyncio.sleep(7)
    watch.stand_still()
    watch.go_on()
    await asyncio.sleep(1)
    assert told == [110]
