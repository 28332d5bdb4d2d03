"""A host with lcm-plugin, a sandbox LCM on a real socket, and a dialer that does as it is told."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any

import pytest

from cti_hooks import (
    Host,
)
from lcm_plugin.sandbox import Sandbox, SandboxContact
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.desk.centre import Centre, Dialer, OpenCentre, Records, people
from tests.people import GROUP


@pytest.fixture
async def open_centre(clock: LoopClock, tmp_path: Path) -> AsyncIterator[OpenCentre]:
    """Opens a contact centre: `plugins` are registered, `policies` loaded by name with these settings.

    Another host may be opened `beside` one, on its ledger. Further settings of lcm by keyword.
    """
    async with AsyncExitStack() as stack:

        async def opened(
            contacts: int | list[SandboxContact] = 5,
            *,
            plugins: tuple[object, ...] = (),
            policies: Mapping[str, Any] = MappingProxyType({}),
            beside: Centre | None = None,
            sandbox: Mapping[str, Any] = MappingProxyType({}),
            **table: Any,
        ) -> Centre:
            if beside:
                return await beside.another("b", **table)
            given = people(contacts) if isinstance(contacts, int) else contacts
            facts = {"clock": clock, "random": Random(1), **sandbox}
            lcm = await stack.enter_async_context(Sandbox(contacts=given, **facts))
            settings = {
                "url": lcm.url,
                "source": "tests",
                "timezone": "America/New_York",
                "campaign_groups": [GROUP],
                "ledger": f"sqlite:///{tmp_path}/ledger.db",
                "preview": {"seconds": 0},
                "reserved_first": False,
                "auto_dispose": {"*": "0"},
                **table,
            }

            async def started(name: str = "cti", **more: Any) -> Centre:
                tables = {"lcm": {**settings, **more}, **policies}
                config = {"cti": {"name": name, "plugins": list(tables)}, "plugins": tables}
                host = Host.from_config(config, clock=clock, random=Random(1 if name == "cti" else name))
                dialer, records = Dialer(), Records()
                for plugin in (dialer, records, *plugins):
                    host.register(plugin)
                await stack.enter_async_context(host)
                return Centre(lcm, host, dialer, records, started)

            return await started()

        yield opened
