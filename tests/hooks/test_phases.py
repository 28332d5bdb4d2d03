"""How far a host is, and what it is there for."""

from typing import Any

import pytest

from cti_hooks import Host, Phase, Role, hookimpl


async def test_a_host_tells_how_far_it_is(clock: Any) -> None:
    """Loaded, starting, started, stopping, and loaded again; `running` and `started` say the same."""
    seen: list[tuple[Phase, bool, bool]] = []

    class Looks:
        @hookimpl
        def on_startup(self, host: Host) -> None:
            seen.append((host.phase, host.running, host.started.is_set()))

        @hookimpl
        def on_shutdown(self) -> None:
            seen.append((host.phase, host.running, host.started.is_set()))

    host = Host.from_config({"cti": {"plugins": []}}, clock=clock)
    host.register(Looks())
    assert (host.phase, host.running) == (Phase.LOADED, False)
    async with host:
        assert (host.phase, host.running, host.started.is_set()) == (Phase.STARTED, True, True)
    assert seen == [(Phase.STARTING, True, False), (Phase.STOPPING, True, False)]
    assert (host.phase, host.running) == (Phase.LOADED, False)


async def test_a_host_that_failed_to_start_is_loaded(clock: Any) -> None:
    """After a failed start it may be mended and started anew."""

    class Fails:
        @hookimpl
        def on_startup(self) -> None:
            raise OSError("no socket")

    host = Host.from_config({"cti": {"plugins": []}}, clock=clock)
    host.register(Fails())
    with pytest.raises(OSError, match="no socket"):
        async with host:
            pytest.fail("it started")
    assert host.phase is Phase.LOADED


@pytest.mark.parametrize(("observes", "role"), [(False, Role.RUNS), (True, Role.OBSERVES)])
def test_a_host_runs_or_observes(role: Role, *, observes: bool) -> None:
    """Its role is one value, and `observes` is whether it is the one."""
    host = Host.from_config({"cti": {"plugins": []}}, observes=observes)
    assert (host.role, host.observes) == (role, observes)
