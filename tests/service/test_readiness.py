"""Whether the host may be given work: not while the LCM is down, nor if nobody places calls."""

import asyncio
from contextlib import suppress
from typing import Any

from cti_hooks import Agent
from lcm_plugin.errors import LcmError
from lcm_plugin.plugin import lcm_of
from lcm_plugin.sandbox import Sandbox


async def fails(here: Any) -> None:
    """One request that the LCM does not answer."""
    with suppress(LcmError):
        await lcm_of(here.host).client.campaign_groups(Agent(id="1001"))


async def test_an_lcm_that_is_down_is_a_reason(site: Any) -> None:
    """While nothing is sent because the LCM failed so often the host is not ready; afterwards it is."""
    async with Sandbox() as lcm:
        settings = {"breaker_failures": 2, "breaker_seconds": 60.0, "max_requests": 1}
        async with site(names=("lcm", "loopback"), url=lcm.url, **settings) as here:
            assert await here.get("/readyz") == (200, {"ready": True, "reasons": []})
            lcm.order("error,status=500,times=2")
            await fails(here)
            await fails(here)
            await asyncio.sleep(5)
            async with here.http.get("/readyz") as reply:
                status, told = reply.status, await reply.json()
            assert (status, told["ready"]) == (503, False)
            assert told["reasons"] == [
                "LCM: not asked: the LCM failed 2 times in a row, next probe in 55.0 s"
            ]
            await asyncio.sleep(60)
            assert (await here.get("/readyz"))[0] == 200
            await fails(here)
            assert (await here.get("/readyz"))[0] == 200


async def test_an_lcm_without_reserved_contacts_is_a_reason(site: Any) -> None:
    """What an LCM without GetReservedManualDialContact means, and the way out; the host serves."""
    async with Sandbox() as lcm:
        lcm.order("reject,status=404,message=GetReservedManualDialContact")
        async with site(names=("lcm", "loopback"), url=lcm.url) as here:
            asked = {"agent": Agent(id="1001"), "campaign_group": "AD Dev Manual Group"}
            assert await here.host.hooks.first("request_next_contact", **asked)
            await asyncio.sleep(5)
            async with here.http.get("/readyz") as reply:
                told = await reply.json()
    (reason,) = told["reasons"]
    assert (reply.status, told["ready"]) == (200, True)
    assert reason.startswith("LCM reserved contacts: GetReservedManualDialContact is not answered")
    assert "personal callbacks are not found" in reason
    assert 'set recover_with = "GetDownloadContactsForDialing"' in reason


async def test_a_host_without_a_dialer_is_not_ready(site: Any) -> None:
    """If no plugin places calls, agents would wait for nothing: not ready, with what to enable."""
    async with site() as here, here.http.get("/readyz") as reply:
        told = await reply.json()
    assert (reply.status, told["reasons"]) == (
        503,
        ["dialer: none is enabled, so nobody is called; enable one in [cti] plugins"],
    )


async def test_who_asks_for_contacts_may_call_them_by_other_means(site: Any) -> None:
    """A host that gives contacts on request only is ready without a dialer."""
    async with site(fetch_when=["on_request"]) as here:
        assert await here.get("/readyz") == (200, {"ready": True, "reasons": []})
