"""The hook reference: current, complete, and every example runs."""

import importlib.util
import inspect
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest

from cti_hooks import Call, Check, Contact, Health, Hooks, Refusal, Way, hookimpl, spec
from cti_hooks.markers import declaration_of

FOLDER = Path(spec.__file__).parent.parent
Plug = Callable[..., Hooks]
Facts = Callable[[str], dict[str, Any]]
HOOKS = [name for name, value in vars(spec).items() if inspect.isfunction(value) and declaration_of(value)]


def _load() -> ModuleType:
    found = importlib.util.spec_from_file_location("reference", FOLDER / "reference.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


REFERENCE = _load()
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")


def test_the_page_is_current() -> None:
    """hooks/README.md is what `python hooks/reference.py` writes now."""
    assert REFERENCE.reference() == PAGE


def test_every_hook_is_documented_with_its_exact_signature() -> None:
    """Each hook has a heading with its exact signature, in the order of spec.py."""
    headings = re.findall(r"(?m)^### `(.*)`$", PAGE)
    assert [heading.partition("(")[0] for heading in headings] == HOOKS
    for name, heading in zip(HOOKS, headings, strict=True):
        arguments = list(inspect.signature(getattr(spec, name)).parameters)
        assert re.findall(r"[(,] ?(\w+):", heading) == arguments


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_says_what_its_results_mean(name: str) -> None:
    """When it fires, who calls it, what None or a value and an exception mean, and what each argument is."""
    text = inspect.getdoc(getattr(spec, name)) or ""
    assert "Called by" in text
    assert "- An exception" in text
    assert re.search(r"- (None|A value|True|A `?\w+)", text)
    for argument in inspect.signature(getattr(spec, name)).parameters:
        assert re.search(rf"(?m)^    {argument}: ", text)


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_tells_its_time_limit(name: str) -> None:
    """In seconds, or by the setting or the deadline that it is."""
    section = PAGE.partition(f"### `{name}(")[2].partition("\n### ")[0]
    declaration = declaration_of(getattr(spec, name))
    assert declaration is not None
    if callable(declaration.limit) or name == "on_shutdown":
        assert re.search(r"time limit too|`drain_seconds` each", section)
    else:
        assert re.search(rf"[Ll]imit {declaration.limit:g} s", section)


@pytest.mark.parametrize("name", HOOKS)
async def test_every_example_runs(plug: Plug, facts: Facts, name: str) -> None:
    """Each example is a plugin that can be registered, and whose hook answers as the hook allows."""
    block = re.search(rf"(?s)### `{name}\(.*?```python\n(.*?)```", PAGE)
    assert block is not None
    known: dict[str, Any] = {
        "attrs": attrs, "hookimpl": hookimpl, "Contact": Contact, "Call": Call, "Refusal": Refusal,
        "Check": Check, "Health": Health, "timedelta": timedelta,
    }  # fmt: skip
    exec(block[1], known)  # noqa: S102  (our own example)
    made = next(
        value for value in known.values() if inspect.isclass(value) and value.__module__ == "builtins"
    )
    hooks, declaration = plug(made()), declaration_of(getattr(spec, name))
    assert declaration is not None
    if declaration.way is Way.EACH:
        assert [answer.error async for answer in hooks.each(name, **facts(name))] == [None]
    else:
        result = await getattr(hooks, declaration.way)(name, **facts(name))
        assert not (declaration.way is Way.ALL and result[0].error)


async def test_the_ten_lines_run(plug: Plug, facts: Facts, clock: Any) -> None:
    """The first example of the page refuses on a Sunday, and only then."""
    block = re.search(r"(?s)```python\n(.*?)```", PAGE)
    assert block is not None
    known: dict[str, Any] = {}
    exec(block[1], known)  # noqa: S102  (our own example)
    hooks = plug(known["QuietSundays"]({}))
    day = clock.start
    days = [day + timedelta(days=n) for n in range(7)]
    answers = [
        await hooks.all("review_contact", **{**facts("review_contact"), "moment": one}) for one in days
    ]
    assert [bool(answer[0].value) for answer in answers] == [one.isoweekday() == 7 for one in days]


def test_the_example_of_what_is_no_hook_can_be_registered(plug: Plug) -> None:
    """The page's example of @not_a_hook is a plugin that is taken."""
    block = re.search(r"(?s)```python\n([^`]*not_a_hook\n.*?)```", PAGE)
    assert block is not None
    known: dict[str, Any] = {}
    exec(block[1], known)  # noqa: S102  (our own example)
    plug(known["Pbx"]())


def test_every_hook_is_named_by_a_test() -> None:
    """Each hook is the subject of a test in this folder."""
    tests = "\n".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    for name in HOOKS:
        assert re.search(rf"\b{name}\b", tests)
