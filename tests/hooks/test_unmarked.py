"""Methods that look like hooks and would never be asked, and arguments that would never be given."""

from collections.abc import Callable
from functools import cache, cached_property, partial, partialmethod
from typing import Any

import pluggy
import pytest

from cti_hooks import (
    Contact,
    Declaration,
    Hooks,
    PluginError,
    Refusal,
    Way,
    hookimpl,
    hookspec,
    not_a_hook,
    register,
    spec,
)

NO = Refusal(rule="r", reason="x")


def manager() -> pluggy.PluginManager:
    pm = pluggy.PluginManager("cti")
    pm.add_hookspecs(spec)
    return pm


def told(plugin: object) -> list[str]:
    """What a plugin is refused for."""
    with pytest.raises(PluginError) as raised:
        register(manager(), plugin, "acme")
    return str(raised.value).splitlines()


class Policy:
    """A policy with one hook marked."""

    @hookimpl
    def on_startup(self) -> None: ...


class Forgot(Policy):
    def review_contact(self, contact: Contact) -> Refusal:
        return NO


class ForgotAsync(Policy):
    async def review_contact(self, contact: Contact) -> Refusal:
        return NO


class Static(Policy):
    @staticmethod
    def review_contact(contact: Contact) -> Refusal:
        return NO


class OfTheClass(Policy):
    @classmethod
    def review_contact(cls, contact: Contact) -> Refusal:
        return NO


class Partly(Policy):
    def _review(self, rule: str, contact: Contact) -> Refusal:
        return NO

    review_contact = partialmethod(_review, "r")


class Decorated(Policy):
    review_contact = cache(hookimpl(lambda self, contact: NO))
    """A decorator that is no function hides the mark."""


class Kept(Policy):
    def __init__(self) -> None:
        self.review_contact = partial(lambda rule, contact: NO, "r")


class Overridden(Policy):
    def on_startup(self) -> None: ...


FORGOTTEN: list[type[Any]] = [Forgot, ForgotAsync, Static, OfTheClass, Partly, Decorated, Kept]


@pytest.mark.parametrize("plugin", FORGOTTEN)
def test_a_hook_whose_mark_was_forgotten_is_refused(plugin: type[Any]) -> None:
    """A policy that would never be asked is refused, with the marker and the way to say that it is meant."""
    (line,) = told(plugin())
    assert line.startswith("plugin 'acme': review_contact has a hook's name and no @hookimpl")
    assert "@not_a_hook" in line


def test_an_override_without_the_mark_is_refused() -> None:
    """What replaces a marked method of a base class needs the mark again."""
    (line,) = told(Overridden())
    assert "on_startup has a hook's name and no @hookimpl" in line


@pytest.mark.parametrize(
    ("name", "hook"),
    [
        ("revew_contact", "review_contact"),
        ("reviewContact", "review_contact"),
        ("on_agent_redy", "on_agent_ready"),
        ("agent_ready", "on_agent_ready"),
        ("on_start_up", "on_startup"),
        ("request_contact", "request_next_contact"),
    ],
)
def test_a_slip_in_the_name_of_an_unmarked_hook_is_refused(name: str, hook: str) -> None:
    """A method whose name is nearly a hook's is told with that hook's name."""
    (line,) = told(type("Slip", (Policy,), {name: lambda self: None})())
    assert f"{name} has no @hookimpl, and nearly the name of the hook {hook!r}" in line


def test_a_slip_in_a_hook_of_a_plugins_own_is_refused() -> None:
    """Hooks of third parties are looked after as the contract's are."""

    class Specs:
        @staticmethod
        @hookspec(Declaration(way=Way.FIRST))
        def acme_colour() -> str | None: ...

    pm = manager()
    pm.add_hookspecs(Specs)
    with pytest.raises(PluginError, match="nearly the name of the hook 'acme_colour'"):
        register(pm, type("Slip", (Policy,), {"acme_color": lambda self: None})(), "acme")


def test_all_forgotten_marks_are_told_at_once() -> None:
    """Forgotten marks stand beside the other mistakes, and in place of the word that there is no hook."""
    unmarked = type("Nothing", (), {"review_contact": lambda self: NO, "on_startup": lambda self: None})
    assert [line.split()[2] for line in told(unmarked())] == ["on_startup", "review_contact"]


def test_what_is_meant_to_be_no_hook_is_left_alone() -> None:
    """A method marked with @not_a_hook may have any name, in whatever order the decorators stand."""

    class Meant(Policy):
        @not_a_hook
        def review_contact(self) -> None: ...

        @not_a_hook
        @staticmethod
        def make_calls() -> None: ...

        @classmethod
        @not_a_hook
        def find_call(cls) -> None: ...

    pm = manager()
    register(pm, Meant(), "acme")
    assert [caller.name for caller in pm.get_hookcallers(pm.get_plugin("acme")) or ()] == ["on_startup"]


def test_what_only_resembles_a_hook_from_afar_is_left_alone() -> None:
    """Data, private methods, nested classes, and names that only share words with a hook's are no slips."""

    class Plain(Policy):
        on_agent_ready = None
        make_call = "PJSIP"

        class ReviewContact: ...

        def __init__(self) -> None:
            self.find_call: dict[str, str] = {}

        def _review_contact(self) -> None: ...

        def campaign_groups(self) -> None: ...

        def past_calls(self) -> None: ...

        def answer(self) -> None: ...

        @hookimpl(specname="review_contact")
        def review_contacts(self) -> None: ...

    register(manager(), Plain(), "acme")


def test_properties_are_not_evaluated() -> None:
    """A property may raise until the host has started, whatever its name; nobody asks it at load."""
    asked: list[str] = []

    class Lazy(Policy):
        @property
        def clients(self) -> None:
            asked.append("clients")
            raise RuntimeError("not started")

        @property
        def find_call(self) -> None:
            asked.append("find_call")
            raise RuntimeError("not started")

        @cached_property
        def review_contact(self) -> None:
            asked.append("review_contact")

    pm = manager()
    register(pm, Lazy(), "acme")
    Hooks(pm)
    assert asked == []


def test_hookspecs_of_a_plugin_object_are_no_hooks_of_its_own() -> None:
    """An object that declares hooks by its own methods does not forget to mark them."""

    class Both(Policy):
        @staticmethod
        @hookspec(Declaration(way=Way.ALL))
        def acme_news() -> object: ...

    pm = manager()
    pm.add_hookspecs(Both)
    register(pm, Both(), "acme")


def test_forgotten_marks_of_a_sites_own_manager_are_told() -> None:
    """A plugin that is registered already, and forgets one mark of two, is told too."""
    pm = manager()
    pm.register(type("Slip", (Policy,), {"review_contact": lambda self: NO})(), "acme")
    with pytest.raises(PluginError, match="plugin 'acme': review_contact has a hook's name"):
        Hooks(pm)


def test_a_sites_own_object_without_hooks_may_stay() -> None:
    """What a site keeps in its manager for other ends is none of the contract's business."""
    pm = manager()
    pm.register(object(), "other")
    names = ["find_calls", "on_start", "make_call", "make_caller", "clear_calls", "agent_ready"]
    pm.register(type("Softphone", (), {name: lambda self: None for name in names})(), "softphone")
    Hooks(pm)


ARGUMENTS: list[tuple[Callable[..., object], str]] = [
    (
        lambda self, **facts: NO,
        "review_contact takes **facts, but is given only what it names: (agent, contact, moment)",
    ),
    (lambda self, *facts: NO, "review_contact takes *facts, but is given only what it names"),
    (lambda self, contact=None: NO, "contact has a default, so it would not be given: take the default out"),
    (lambda self, contct=None: NO, "review_contact has no argument 'contct'; did you mean \"contact\"?"),
    (lambda self, *, contact: NO, "contact is keyword-only"),
]


@pytest.mark.parametrize(("function", "said"), ARGUMENTS, ids=[one[1] for one in ARGUMENTS])
def test_arguments_that_would_not_be_given_are_refused(function: Callable[..., object], said: str) -> None:
    """Arguments by * or **, with a default or by keyword only are never given: they are told at load."""
    (line,) = told(type("Greedy", (), {"review_contact": hookimpl(function)})())
    assert said in line
