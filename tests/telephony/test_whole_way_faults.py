"""The whole way while an engine crashes, freezes or is cut off, and while the host is killed.

Each attempt ends truthfully in the ledger, the LCM is told once, nothing is dialed twice.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from attrs import frozen

from cti_hooks import AttemptState, Outcome
from lcm_plugin.sandbox import Sandbox
from tests.telephony.bench.asterisk import Asterisk
from tests.telephony.bench.centre import ari_settings
from tests.telephony.bench.config import config_file
from tests.telephony.bench.customer import Customer, hangs_up_after
from tests.telephony.bench.processes import free_port, running
from tests.telephony.bench.shift import Shift, lcm_settings, people, table_of, working
from tests.telephony.bench.wire import Wire, wire

pytestmark = pytest.mark.real_time

SOON = hangs_up_after(1)
LATER = hangs_up_after(15)
MUCH_LATER = hangs_up_after(70)


@frozen
class Bench:
    """A shift at an Asterisk of the test's own, which is reached by a wire."""

    asterisk: Asterisk
    wire: Wire
    shift: Shift

    @property
    def called(self) -> list[str]:
        """The customers' channels there ever were, by Asterisk's own account."""
        return [channel for channel in self.asterisk.account() if channel.endswith("-c")]

    async def restart(self) -> None:
        """Start a killed Asterisk; 2 s later calls flow."""
        await asyncio.to_thread(self.asterisk.start)
        await self.shift.centre.ready(2)

    async def flows(self, agent: str = "again") -> None:
        """The next contact, who is called once and hangs up, goes all the way."""
        async with asyncio.timeout(5):
            await self.shift.ready(agent)
            closed = await self.shift.state(SOON, AttemptState.CLOSED)
        assert closed.outcome is Outcome.ANSWERED
        assert self.called.count(f"{closed.id}-c") == 1
        assert self.asterisk.channels() == []


@pytest.fixture(autouse=True)
def passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARI_PASSWORD", "secret")
    monkeypatch.setenv("AMI_PASSWORD", "secret")


@pytest.fixture
async def bench(
    own_asterisk: Asterisk, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Bench]:
    """The parameter is the first contact's number; the second one's is SOON."""
    async with (
        Sandbox(contacts=people(request.param, SOON)) as lcm,
        wire(own_asterisk.http_port) as between,
    ):
        url = f"http://127.0.0.1:{between.port}/ari"
        table = ari_settings(own_asterisk, url=url, request_seconds=1)
        settings: dict[str, Any] = {"dial_seconds": 4}
        async with working(lcm, tmp_path / "ledger.db", "asterisk", table, **settings) as shift:
            yield Bench(own_asterisk, between, shift)


@pytest.mark.parametrize(
    ("bench", "number", "connection", "state", "outcome"),
    [
        (Customer.RINGS, Customer.RINGS, "alerting", AttemptState.ENDED, Outcome.UNKNOWN),
        (Customer.ANSWERS, Customer.ANSWERS, "connected", AttemptState.CLOSED, Outcome.ANSWERED),
    ],
    indirect=["bench"],
)
async def test_asterisk_crashes_in_the_middle_of_a_call(
    bench: Bench, number: str, connection: str, state: AttemptState, outcome: Outcome
) -> None:
    """What rang then is unknown and waits for a person; who talked had answered, and the LCM is told."""
    shift = bench.shift
    await shift.ready("alice")
    await shift.call(number, connection)
    bench.asterisk.kill()
    await bench.restart()
    ended = await shift.state(number, state)
    assert ended.outcome is outcome
    assert list(shift.outcome_ids.values()) == ([] if state is AttemptState.ENDED else ["0"])
    await bench.flows()
    assert bench.called.count(f"{ended.id}-c") == 1


@pytest.mark.parametrize("bench", [Customer.ANSWERS], indirect=True)
async def test_asterisk_crashes_while_idle(bench: Bench) -> None:
    """A contact that no Asterisk could be asked to call is refused, with the reason; the next is called."""
    shift = bench.shift
    bench.asterisk.kill()
    await shift.ready("alice")
    refused = await shift.state(Customer.ANSWERS, AttemptState.REFUSED)
    assert [one.rule for one in refused.refusals] == ["no_dialer"]
    await bench.restart()
    await bench.flows()
    assert len(bench.called) == 1


@pytest.mark.parametrize("bench", [Customer.ANSWERS], indirect=True)
async def test_asterisk_freezes_while_it_is_told_to_call(bench: Bench) -> None:
    """The attempt is in doubt until Asterisk thaws; then it ends, and the customer was never rung."""
    shift = bench.shift
    bench.asterisk.freeze()
    await shift.ready("alice")
    doubtful = await shift.state(Customer.ANSWERS, AttemptState.UNKNOWN)
    await asyncio.sleep(10)
    assert shift.record.attempts[doubtful.id].state is AttemptState.UNKNOWN
    bench.asterisk.thaw()
    ended = await shift.state(Customer.ANSWERS, AttemptState.ENDED)
    assert ended.outcome in {Outcome.AGENT_UNAVAILABLE, Outcome.CANCELLED, Outcome.UNKNOWN}
    await bench.shift.centre.ready(2)
    await bench.flows()
    assert f"{ended.id}-c" not in bench.called


@pytest.mark.parametrize("bench", [LATER], indirect=True)
async def test_the_event_socket_is_cut(bench: Bench) -> None:
    """The call is followed to its end all the same."""
    shift = bench.shift
    await shift.ready("alice")
    await shift.call(LATER, "connected")
    assert bench.wire.cut(having=b"/events") == 1
    ended = await shift.state(LATER, AttemptState.CLOSED)
    assert (ended.outcome, ended.calls[0].q850) == (Outcome.ANSWERED, 16)
    await bench.flows()
    assert bench.called.count(f"{ended.id}-c") == 1


@pytest.mark.parametrize("dialer", ["asterisk", "asterisk-ami"])
async def test_the_host_is_killed_while_its_calls_go_on(
    shared_asterisk: Asterisk, tmp_path: Path, dialer: str
) -> None:
    """The next host on its ledger finds them, follows each to its end, and dials nobody again."""
    wanted = {
        Customer.ANSWERS: ("connected", Outcome.ANSWERED),
        Customer.RINGS: ("alerting", Outcome.NO_ANSWER),
        MUCH_LATER: ("connected", Outcome.ANSWERED),
    }
    table = table_of(dialer, shared_asterisk)
    lease: dict[str, Any] = {"dial_seconds": 2, "lease_seconds": 3}
    async with Sandbox(contacts=people(*wanted)) as lcm:
        settings = lcm_settings(lcm, tmp_path / "ledger.db", **lease)
        states = {number: state for number, (state, _) in wanted.items()}
        await killed_host(tmp_path, {"lcm": settings, dialer: table}, states)
        async with working(lcm, tmp_path / "ledger.db", dialer, table, **lease) as shift:
            for number in (Customer.ANSWERS, Customer.RINGS):
                found = await shift.state(number, AttemptState.CALLING)
                assert [call.state for call in found.calls] == [wanted[number][0]]
                assert await shift.host.hooks.first("clear_call", call=found.calls[0]) is True
            ended = [await shift.state(number, AttemptState.CLOSED) for number in wanted]
        assert [attempt.outcome for attempt in ended] == [outcome for _, outcome in wanted.values()]
        assert sorted(one.outcome_id for one in lcm.account.dispositions) == ["0", "0", "8"]
        assert len(lcm.account.handed) == len(wanted)
    account = shared_asterisk.account()
    assert [account.count(f"{attempt.id}-c") for attempt in ended] == [1, 1, 1]
    assert shared_asterisk.channels() == []


async def killed_host(folder: Path, plugins: dict[str, Any], numbers: dict[str, str]) -> None:
    """`lcm-plugin run`, one agent for each number, until their connections are in these states; SIGKILL."""
    port = free_port()
    config = {
        "cti": {"plugins": list(plugins)},
        "plugins": plugins,
        "service": {"port": port},
    }
    await asyncio.to_thread((folder / "cti.toml").write_text, config_file(config))
    command = [str(Path(sys.executable).with_name("lcm-plugin")), "run", "--config", str(folder / "cti.toml")]
    with ExitStack() as stack:
        stack.enter_context(running(command, cwd=folder, asked_to_stop=False))
        async with asyncio.timeout(20), aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            await answers(session)
            for number, state in numbers.items():
                agent = f"/v1/agents/agent-{number.strip('+')}"
                ready = {"state": "ready", "endpoint": "PJSIP/1001"}
                async with session.put(agent, json=ready) as reply:
                    assert reply.ok
                while await connection(session, agent) != (number, state):  # noqa: ASYNC110  (nobody tells)
                    await asyncio.sleep(0.05)  # another process, asked over HTTP


async def answers(session: aiohttp.ClientSession) -> None:
    """Wait until the host is ready."""
    while True:
        try:
            async with session.get("/readyz") as reply:
                if reply.ok:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.05)  # another process, which is starting


async def connection(session: aiohttp.ClientSession, agent: str) -> tuple[str, str] | None:
    """Whom the agent's call is to, and the state of the customer's connection."""
    async with session.get(agent) as reply:
        attempt = (await reply.json()).get("attempt") or {}
    states = [call["state"] for call in attempt.get("calls", ())]
    return (attempt["contact"]["phone_number"], states[0]) if states else None
