"""The host: its config file, its plugins by real entry points, its start and stop."""

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cti_hooks import Agent, ConfigError, HookUsageError, Host, PluginError, hookimpl

MODULE = """
from cti_hooks import ConfigError, Problem, hookimpl

log = []


class Plugin:
    def __init__(self, settings):
        self.name = settings.get("name", "plain")
        if "bad" in settings:
            raise ConfigError([Problem("bad", "is bad"), Problem("worse", "is worse")])
        if "crash" in settings:
            raise KeyError("no +12125550123")

    @hookimpl
    async def on_startup(self, host):
        if self.name == "fails":
            raise OSError("no socket")
        log.append(f"start {self.name}")

    @hookimpl
    def on_shutdown(self):
        log.append(f"stop {self.name}")
        if self.name == "fails to stop":
            raise OSError("stuck")


class Bare:
    @hookimpl
    def on_startup(self):
        pass


class Misnamed:
    def __init__(self, settings):
        pass

    @hookimpl
    def on_agent_redy(self):
        pass
"""
METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Distributions with entry points, as an installer leaves them: good, broken, two of one name."""
    (tmp_path / "acme_module.py").write_text(MODULE)
    for name, points in {
        "acme": "acme = acme_module:Plugin\nmisnamed = acme_module:Misnamed\nbare = acme_module:Bare",
        "broken": "broken = there_is_no_such_module:Plugin",
        "one": "twice = acme_module:Plugin",
        "two": "twice = acme_module:Misnamed",
    }.items():
        folder = tmp_path / f"{name}-1.2.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(METADATA.format(name=name))
        (folder / "entry_points.txt").write_text(f"[cti.plugins]\n{points}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import acme_module  # type: ignore[import-not-found]  # noqa: PLC0415  (written above)

    yield acme_module
    del sys.modules["acme_module"]


def config(*plugins: str, **tables: dict[str, Any]) -> dict[str, Any]:
    return {"cti": {"plugins": list(plugins)}, "plugins": tables}


async def test_hook_on_startup_and_on_shutdown_in_order(installed: Any) -> None:
    """Plugins start in the config's order and stop in reverse; one plugin may be enabled under two names."""
    host = Host.from_config(
        config("a", "b", a={"plugin": "acme", "name": "a"}, b={"plugin": "acme", "name": "b"})
    )
    async with host:
        assert host.running
        assert installed.log == ["start a", "start b"]
    assert installed.log == ["start a", "start b", "stop b", "stop a"]


async def test_plugins_can_wait_until_all_are_started(clock: Any) -> None:
    """`started` is set after the last plugin's start, and no more once the first one is stopped."""
    seen: list[bool] = []

    class Looks:
        @hookimpl
        def on_startup(self, host: Host) -> None:
            seen.append(host.started.is_set())

        @hookimpl
        def on_shutdown(self) -> None:
            seen.append(host.started.is_set())

    host = Host.from_config({"cti": {"plugins": []}}, clock=clock)
    host.register(Looks())
    async with host:
        assert host.started.is_set()
    assert seen == [False, False]


async def test_a_host_may_start_again(installed: Any) -> None:
    """A stopped host starts again; a running one does not."""
    host = Host.from_config(config("acme"))
    for _ in range(2):
        async with host:
            with pytest.raises(RuntimeError, match="running already"):
                await host.__aenter__()
    assert installed.log == ["start plain", "stop plain"] * 2


async def test_a_failing_start_stops_what_had_started(installed: Any) -> None:
    """The failure is raised with its plugin's name; what had started is stopped, the rest left alone."""
    names = ("a", "fails", "c")
    host = Host.from_config(config(*names, **{name: {"plugin": "acme", "name": name} for name in names}))
    with pytest.raises(OSError, match="no socket") as raised:
        async with host:
            pytest.fail("it started")
    assert "'fails'" in raised.value.__notes__[0]
    assert installed.log == ["start a", "stop a"]
    assert not host.running


async def test_a_failing_stop_stops_nobody_else(installed: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A plugin that fails to stop is logged with its distribution, and the others are stopped."""
    names = ("a", "b")
    tables = {"a": {"plugin": "acme", "name": "a"}, "b": {"plugin": "acme", "name": "fails to stop"}}
    async with Host.from_config(config(*names, **tables)):
        pass
    assert installed.log[-2:] == ["stop fails to stop", "stop a"]
    assert "plugin 'b'" in caplog.text


async def test_drain_seconds_bound_each_stop() -> None:
    """A plugin that will not stop is given drain_seconds."""

    class Slow:
        @hookimpl
        async def on_shutdown(self) -> None:
            await asyncio.sleep(3600)

    host = Host.from_config({"cti": {"plugins": [], "drain_seconds": 3}})
    host.register(Slow())
    async with host:
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began == pytest.approx(3, abs=0.1)


@pytest.fixture
def elsewhere() -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """Runs coroutines on the event loop of another thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


def test_hooks_are_called_on_the_hosts_loop_only(
    elsewhere: Callable[[Coroutine[Any, Any, Any]], Any],
) -> None:
    """On another loop nobody would hear: the error names what asks from another thread, and that works."""
    heard: list[str] = []

    class Hears:
        @hookimpl
        async def on_agent_ready(self, agent: Agent) -> None:
            heard.append(agent.id)

    host = Host.from_config({"cti": {"plugins": []}})
    host.register(Hears())
    elsewhere(host.__aenter__())
    with pytest.raises(HookUsageError, match="run_coroutine_threadsafe"):
        asyncio.run(host.hooks.all("on_agent_ready", agent=Agent(id="alice")))
    assert heard == []
    assert host.hooks.loop is not None
    bob = host.hooks.all("on_agent_ready", agent=Agent(id="bob"))
    asyncio.run_coroutine_threadsafe(bob, host.hooks.loop).result(5)
    assert heard == ["bob"]
    elsewhere(host.__aexit__(None, None, None))
    asyncio.run(host.hooks.all("on_agent_ready", agent=Agent(id="carol")))
    assert heard == ["bob", "carol"]


async def test_register_puts_a_plugin_in_front(installed: Any) -> None:
    """A registered object comes before those of the config; after the start it is too late."""

    class First:
        @hookimpl
        def on_startup(self, host: Host) -> None:
            installed.log.append(f"first of {host.name}")

    host = Host.from_config({**config("acme"), "cti": {"plugins": ["acme"], "name": "tests"}})
    host.register(First())
    with pytest.raises(ValueError, match="already registered"):
        host.register(First())
    async with host:
        assert installed.log == ["first of tests", "start plain"]
        with pytest.raises(RuntimeError, match="while the host is running"):
            host.register(First(), "second")
    with pytest.raises(PluginError):
        host.register(First)
    assert list(host.plugins) == ["First", "acme"]
    assert host.origin(host.plugins["acme"]) == "module acme_module"


def test_a_host_carries_clock_and_chance(clock: Any) -> None:
    """Clock and random are the host's, for every plugin."""
    random = Random(1)
    host = Host.from_config({"cti": {"plugins": []}}, clock=clock, random=random)
    assert host.clock is clock
    assert host.random is random


BAD: list[tuple[Any, list[str]]] = [
    ({"cti": {"plugin": []}}, ['cti.plugin: unknown key; did you mean "plugins"?']),
    ({"ct": {}, "cti": {"plugins": []}}, ['[ct]: unknown table; did you mean "cti"?']),
    ({"cti": 7}, ["cti: must be a table"]),
    (config("acme", "acme"), ['"acme" is there twice']),
    (config("acmee"), ['no plugin "acmee" is installed; did you mean "acme"?']),
    (config("x", x={"plugin": "acmee"}), ['plugins.x.plugin: no plugin "acmee"']),
    (config("x", x={"plugin": 7}), ["plugins.x.plugin: must be a text"]),
    ({"cti": {"plugins": []}, "plugins": {"x": 7}}, ["plugins.x: must be a table"]),
    (config("broken"), ["plugins.broken: broken 1.2 cannot be imported: ModuleNotFoundError"]),
    (config("bare"), ["plugins.bare: acme 1.2 is called with its settings", "def __init__(self, settings)"]),
    (config("twice"), ["two distributions bring it: "]),
    (config("misnamed"), ["plugins.misnamed: plugin 'misnamed'", 'did you mean "on_agent_ready"']),
    (
        config("acme", acme={"crash": 1}),
        ["plugins.acme: acme 1.2 refused its settings: KeyError: 'no ***23'"],
    ),
    (
        config("acme", "acmee", "broken", acme={"bad": 1}),
        ["4 problems", "plugins.acme.bad: is bad", "plugins.acme.worse", '"acmee"', "plugins.broken"],
    ),
    ({"cti": {"plugins": [], "drain_seconds": -1}}, ["cti.drain_seconds"]),
]


@pytest.mark.parametrize(("tables", "told"), BAD, ids=[one[1][0] for one in BAD])
@pytest.mark.usefixtures("installed")
def test_every_problem_is_told_at_once(tables: dict[str, Any], told: list[str]) -> None:
    """Whatever is wrong with a config is told with its key and the nearest right word, all of it at once."""
    with pytest.raises(ConfigError) as raised:
        Host.from_config(tables)
    for part in told:
        assert part in str(raised.value)


def test_a_file_is_read(tmp_path: Path) -> None:
    """A TOML file is read, and relative paths start in its folder; the service's table is kept for it."""
    path = tmp_path / "cti.toml"
    path.write_text('[cti]\nplugins = []\nname = "n"\n[service]\nport = 1\n')
    host = Host.from_config(path)
    assert (host.name, host.directory, host.tables["service"]) == ("n", tmp_path, {"port": 1})


@pytest.mark.parametrize(
    ("write", "told"),
    [
        (lambda path: None, "cannot be read"),
        (lambda path: path.write_text("[cti"), "is not TOML"),
        (lambda path: path.write_bytes(b"\xff"), "is not TOML"),
        (lambda path: path.mkdir(), "cannot be read"),
    ],
    ids=["no file", "no TOML", "no UTF-8", "a folder"],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, write: Callable[[Path], None], told: str
) -> None:
    """A file that cannot be used is named, with why."""
    path = tmp_path / "cti.toml"
    write(path)
    with pytest.raises(ConfigError, match=r"cti\.toml") as raised:
        Host.from_config(str(path))
    assert told in str(raised.value)
