"""A host: the config file becomes loaded plugins, in order, started and stopped."""

import asyncio
import random as chance
from collections.abc import Mapping
from enum import StrEnum
from os import PathLike
from types import TracebackType
from typing import Any, Self

import pluggy

from cti_hooks import spec
from cti_hooks.clock import Clock, SystemClock
from cti_hooks.config_file import ConfigFile, read_config
from cti_hooks.dispatch import Hooks
from cti_hooks.errors import ConfigError, PluginError, Problem
from cti_hooks.loading import load_plugins
from cti_hooks.markers import PROJECT
from cti_hooks.origin import origin_of
from cti_hooks.registration import register
from cti_hooks.typed_hooks import TypedHooks


class Phase(StrEnum):
    """How far a host is. From `stopping` it comes back to `loaded`, and may be started once more."""

    LOADED = "loaded"
    """The plugins are there, and nothing is opened: more can be registered."""
    STARTING = "starting"
    """They start, one after another: those before in call order are there."""
    STARTED = "started"
    """All of them are there."""
    STOPPING = "stopping"
    """They stop, in reverse: those after in call order are gone."""


class Role(StrEnum):
    """What a host is there for."""

    RUNS = "runs"
    """It serves agents and places calls."""
    OBSERVES = "observes"
    """It looks only, beside a running host of the same config, which owns the engines: plugins take over no
    connection of that host, place no call and hang up none."""


class Host:
    """The plugins a config file enables, and the hooks to call them by.

    `async with host:` starts the plugins in call order and stops them in reverse.

    Attributes:
        hooks: the dispatcher.
        hook: the hooks, with a typed method for each hook: `await host.hook.clear_call(call=call)`.
        clock: where instants come from.
        random: where chance comes from; with a clock and a loop on virtual time, one seed repeats a run.
        name: the host's name in logs.
        directory: where relative paths of the config file start.
        tables: the config file's tables, for an embedded host's own.
        phase: how far it is.
        role: whether it runs, or observes a running one.
        started: set while its phase is `started`, for whoever has to wait for that.
    """

    def __init__(
        self,
        config: ConfigFile,
        *,
        clock: Clock | None = None,
        random: chance.Random | None = None,
        observes: bool = False,
    ) -> None:
        self.clock = clock or SystemClock()
        self.random = random or chance.Random()  # noqa: S311  (jitter, no secret)
        self.name = config.cti.name
        self.directory = config.directory
        self.tables = config.tables
        self.role = Role.OBSERVES if observes else Role.RUNS
        self.phase = Phase.LOADED
        self.started = asyncio.Event()
        self._drain_seconds = config.cti.drain_seconds
        self._not_started: set[str] = set()
        self._pm = pluggy.PluginManager(PROJECT)
        self._pm.add_hookspecs(spec)
        self._brought: dict[str, object] = {}
        self.hooks = Hooks(self._pm, clock=self.clock)
        self._load(config)  # checks each plugin as it registers it
        self.hook = TypedHooks(self.hooks)

    @classmethod
    def from_config(
        cls,
        source: str | PathLike[str] | Mapping[str, Any],
        *,
        clock: Clock | None = None,
        random: chance.Random | None = None,
        observes: bool = False,
    ) -> Self:
        """Load and validate a config file, or a mapping of its shape. No I/O but reading the file.

        With `observes`, it may be started beside a running host of the same file, and leaves it its calls.

        Raises:
            ConfigError: with every problem of the file and of all its plugins at once.
        """
        return cls(read_config(source), clock=clock, random=random, observes=observes)

    @property
    def running(self) -> bool:
        """Whether it is started, or on the way there or back."""
        return self.phase is not Phase.LOADED

    @property
    def observes(self) -> bool:
        """Whether its role is to observe."""
        return self.role is Role.OBSERVES

    @property
    def plugins(self) -> Mapping[str, object]:
        """The plugin objects by name, in call order."""
        return dict(reversed(self._pm.list_name_plugin()))

    def origin(self, plugin: object) -> str:
        """The distribution a plugin comes from: `acme-cti 1.2`."""
        return origin_of(self._pm, plugin)

    def register(self, plugin: object, name: str | None = None) -> None:
        """Add a plugin object without an entry point, in front of the others, as in pluggy.

        Raises:
            RuntimeError: the host is running.
            PluginError: the object is no plugin of this contract; the text says why.
            ValueError: the object or the name is registered already.
        """
        if self.running:
            raise RuntimeError("a plugin cannot be added while the host is running")
        name = name or str(getattr(plugin, "__name__", type(plugin).__name__))
        if (hooks := getattr(plugin, "hookspecs", None)) is not None:
            self._add_hookspecs(hooks, name)
        register(self._pm, plugin, name)

    async def __aenter__(self) -> Self:
        if self.running:
            raise RuntimeError("the host is running already")
        self.phase = Phase.STARTING
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def _start(self) -> None:
        self.started = asyncio.Event()  # of the loop that runs now
        self.hooks.loop = asyncio.get_running_loop()
        self._not_started = {one.plugin_name for one in self._pm.hook.on_startup.get_hookimpls()}
        async for answer in self.hooks.each("on_startup", host=self):
            if answer.error:
                answer.error.add_note(f"while plugin {answer.plugin!r} started")
                raise answer.error
            self._not_started.discard(answer.plugin)
        self.phase = Phase.STARTED
        self.started.set()

    async def _stop(self) -> None:
        self.phase = Phase.STOPPING
        self.started.clear()
        stopping = self.hooks.each("on_shutdown", leave_out=self._not_started, limit=self._drain_seconds)
        async for _ in stopping:
            pass  # a failure is in the log, and the next one is stopped all the same
        self.hooks.loop = None
        self.phase = Phase.LOADED

    def _load(self, config: ConfigFile) -> None:
        loaded = load_plugins(config)
        problems = [*config.problems, *loaded.problems]
        for name, hooks in loaded.hooks.items():
            try:
                self._add_hookspecs(hooks, name)
            except PluginError as error:
                problems.append(Problem(f"plugins.{name}", str(error)))
        for name, plugin in reversed(loaded.plugins.items()):  # pluggy calls the last one registered first
            try:
                if loaded.complete:
                    register(self._pm, plugin, name)
            except PluginError as error:
                problems.append(Problem(f"plugins.{name}", str(error)))
        if problems:
            raise ConfigError(problems, config.source)

    def _add_hookspecs(self, hooks: Any, name: str) -> None:
        """The hooks that the plugin of this name brings; one of its kind is there already, or is not."""
        other = next((known for known, brought in self._brought.items() if brought is hooks), None)
        if other is not None:
            raise PluginError(
                f"brings the same hooks as plugin {other!r}, and a host has each hook once;"
                " enable one of them, or give the second a host of its own"
            )
        self._pm.add_hookspecs(hooks)
        self._brought[name] = hooks
