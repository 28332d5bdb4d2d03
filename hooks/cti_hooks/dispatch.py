"""An async dispatcher over a plain `pluggy.PluginManager`.

pluggy calls hooks but awaits nothing, and its `firstresult` takes any coroutine for a result. So `Hooks`
walks the implementations itself, in pluggy's order, the way each hookspec declares:

- `all`: concurrently; one `Answer` each; one failure never stops the others.
- `first`: in turn, until the first result that is not None; the rest never start. A failing implementation
  is logged and the next is asked; if nobody answers and one failed, that failure is raised, so None always
  means none. If the hook is declared `once`, a failure ends the question and is raised.
- `chain`: in turn, each result other than None replaces the argument the hook names.
- `each`: in turn, all of them; for the host's own start and stop.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Container
from typing import Any

import pluggy

from cti_hooks import spec
from cti_hooks.asking import Asker
from cti_hooks.clock import Clock, SystemClock
from cti_hooks.errors import HookUsageError, PluginError
from cti_hooks.markers import PROJECT, Way, declaration_of
from cti_hooks.question import Question, Questions
from cti_hooks.registration import problems_of
from cti_hooks.values import Answer
from cti_hooks.wrapping import Wrapping


class Hooks:
    """Calls the hooks of the contract, awaiting what must be awaited.

    Arguments:
        pm: a manager whose project name is `cti` and that has `cti_hooks.spec` added. Plugins that are
            registered already are checked here; register others with `cti_hooks.register`.
        clock: tells the present moment, for hooks whose time limit is an instant.
        stopwatch: tells the seconds a plain function takes, in real time, whatever the event loop's time is.

    Attributes:
        loop: the event loop that the plugins live on, set while a host runs; only there are hooks called.

    Raises:
        HookUsageError: the manager is not for this contract.
        PluginError: a plugin registered already cannot be used; all problems at once.
    """

    def __init__(
        self,
        pm: pluggy.PluginManager,
        *,
        clock: Clock | None = None,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.pm = pm
        self.loop: asyncio.AbstractEventLoop | None = None
        self._asker = Asker(pm, clock or SystemClock(), stopwatch)
        self._questions = Questions(pm)
        _refuse_foreign(pm)
        self.verify()

    def verify(self) -> None:
        """Check every registered plugin; for managers whose plugins come and go.

        Raises:
            PluginError: with one line for each problem, naming the plugin.
        """
        problems = [
            problem
            for name, plugin in self.pm.list_name_plugin()
            if plugin is not None
            for problem in problems_of(self.pm, plugin, name, may_be_idle=True)
        ]
        if problems:
            raise PluginError("\n".join(problems))

    async def all(self, hook: str, /, **arguments: Any) -> list[Answer]:
        """Ask every implementation at once; their answers in call order."""
        asked = self._asked(hook, Way.ALL, arguments)
        return await self._wrapped(asked, self._all)  # type: ignore[no-any-return]  # wrappers are checked

    async def first(self, hook: str, /, **arguments: Any) -> Any:
        """Ask in turn; the first result that is not None, or None when nobody has one."""
        answer = await self.first_answer(hook, **arguments)
        return None if answer is None else answer.value

    async def first_answer(self, hook: str, /, **arguments: Any) -> Answer | None:
        """As `first`, and who answered: the outermost wrapper, if only wrappers did."""
        asked = self._asked(hook, Way.FIRST, arguments)
        answered: Answer | None = None

        async def ask(asked: Question) -> Any:
            nonlocal answered
            answered = await self._first(asked)
            return None if answered is None else answered.value

        value = await self._wrapped(asked, ask)
        if value is None:
            return None
        return Answer(plugin=answered.plugin if answered else asked.wrappers[0].plugin_name, value=value)

    async def chain(self, hook: str, /, **arguments: Any) -> Any:
        """Pass the hook's chained argument through the implementations; what it has become."""
        return await self._wrapped(self._asked(hook, Way.CHAIN, arguments), self._chain)

    async def each(
        self, hook: str, /, *, leave_out: Container[str] = (), limit: float | None = None, **arguments: Any
    ) -> AsyncIterator[Answer]:
        """Ask one after another, going on only when the caller takes the next answer.

        Arguments:
            hook: the hook's name.
            leave_out: names of plugins that are not asked.
            limit: seconds each may take, instead of the declared ones.
            arguments: those of the hook.
        """
        asked = self._asked(hook, Way.EACH, arguments)
        backwards = asked.declaration.backwards
        for one in reversed(asked.implementations) if backwards else asked.implementations:
            if one.plugin_name not in leave_out:
                yield await self._asker.answer(asked, one, limit)

    def _asked(self, hook: str, way: Way, arguments: dict[str, Any]) -> Question:
        if self.loop not in (None, asyncio.get_running_loop()):
            raise HookUsageError(
                f"{hook} is called on another event loop than the host's, where nobody would hear it: "
                f"use asyncio.run_coroutine_threadsafe(hooks.{way}({hook!r}, ...), hooks.loop)"
            )
        return self._questions.question(hook, way, arguments)

    async def _wrapped(self, asked: Question, ask: Callable[[Question], Awaitable[Any]]) -> Any:
        if not asked.wrappers:
            return await ask(asked)
        return await Wrapping(self._asker, asked).around(lambda: ask(asked))

    async def _all(self, asked: Question) -> list[Answer]:
        begun = [self._asker.begin(asked, one) for one in asked.implementations]
        waits = [one for one in begun if not isinstance(one, Answer)]
        if not waits:
            return begun  # type: ignore[return-value]  # all of them are answers
        came = iter(await self._asker.end(asked, waits))
        return [one if isinstance(one, Answer) else next(came) for one in begun]

    async def _first(self, asked: Question) -> Answer | None:
        failure: Exception | None = None
        for one in asked.implementations:
            answer = await self._asker.answer(asked, one)
            if answer.value is not None:
                return answer
            failure = failure or answer.error
            if failure and asked.declaration.once:
                break
        if failure:
            raise failure
        return None

    async def _chain(self, asked: Question) -> Any:
        argument = asked.declaration.on
        for one in asked.implementations:
            answer = await self._asker.answer(asked, one)
            if answer.value is not None:
                asked = asked.evolve(argument, answer.value)
        return asked.arguments[argument]


def _refuse_foreign(pm: pluggy.PluginManager) -> None:
    if pm.project_name != PROJECT:
        raise HookUsageError(
            f"the manager's project name is {pm.project_name!r}, not {PROJECT!r}: "
            f"make one for the contract's plugins, pluggy.PluginManager({PROJECT!r}), beside your own"
        )
    declared = {
        name: value for name, value in vars(spec).items() if callable(value) and declaration_of(value)
    }
    for name, function in declared.items():
        caller = getattr(pm.hook, name, None)
        if caller is None or caller.spec is None or caller.spec.function is not function:
            raise HookUsageError(
                "the manager lacks the contract's hooks: call pm.add_hookspecs(cti_hooks.spec)"
            )
