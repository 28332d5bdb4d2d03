"""Arguments that a hook got later than its callers."""

import pluggy
import pytest

from cti_hooks import Declaration, Hooks, HookUsageError, PluginError, Way, hookimpl, hookspec, register, spec


class Specs:
    """A third party's hook, which had one argument once."""

    @staticmethod
    @hookspec(Declaration(way=Way.ALL))
    def greet(name: str, language: str = "en") -> str | None:
        """Say hello."""


class OfYesterday:
    @hookimpl
    def greet(self, name: str) -> str:
        return f"hello {name}"


class OfToday:
    @hookimpl
    def greet(self, name: str, language: str) -> str:
        return f"{language}: {name}"


@pytest.fixture
def hooks() -> Hooks:
    pm = pluggy.PluginManager("cti")
    pm.add_hookspecs(spec)
    pm.add_hookspecs(Specs)
    register(pm, OfYesterday(), "yesterday")
    register(pm, OfToday(), "today")
    return Hooks(pm)


async def test_a_caller_of_yesterday_leaves_it_out(hooks: Hooks) -> None:
    """An implementation that names the argument is given the hook's default; any other is called as ever."""
    answers = await hooks.all("greet", name="Alice")
    assert [answer.value for answer in answers] == ["en: Alice", "hello Alice"]


async def test_a_caller_of_today_gives_it(hooks: Hooks) -> None:
    """The argument given is what implementations get."""
    answers = await hooks.all("greet", name="Alice", language="de")
    assert [answer.value for answer in answers] == ["de: Alice", "hello Alice"]


async def test_what_it_takes_is_told_with_its_defaults(hooks: Hooks) -> None:
    """Arguments that are none, or needed and missing, are an error that shows what may be left out."""
    for arguments in ({"nam": "Alice"}, {"language": "de"}, {"name": "Alice", "tongue": "de"}):
        with pytest.raises(HookUsageError, match=r"greet takes \(name, language='en'\), not \("):
            await hooks.all("greet", **arguments)


def test_an_implementation_takes_no_other(hooks: Hooks) -> None:
    """A misspelt optional argument is refused at load, with the nearest right word."""

    class Misspelt:
        @hookimpl
        def greet(self, name: str, langage: str) -> str:
            return name + langage

    with pytest.raises(PluginError, match="no argument 'langage'; did you mean \"language\""):
        register(hooks.pm, Misspelt(), "misspelt")
