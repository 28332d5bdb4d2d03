"""Nothing that carries a plugin's text shows a number: not its exceptions, nor what is made of them."""

import traceback
from collections.abc import Callable, Generator
from typing import Any

import pytest

from cti_hooks import (
    Answer,
    CallEvent,
    Check,
    Health,
    Hooks,
    Refusal,
    hookimpl,
)

Plug = Callable[..., Hooks]
Facts = Callable[[str], dict[str, Any]]

NUMBER = "+12125550123"


def shown(error: BaseException) -> str:
    """All that may be shown of an exception."""
    return f"{error} {error!r} {error.args} {''.join(traceback.format_exception(error))}".replace("-", "")


class TooLong(ValueError):
    """A plugin's own class, told by its type and by a fact."""

    def __init__(self, number: str) -> None:
        super().__init__(f"{number} is too long")
        self.digits = len(number)


CARELESS: list[Exception] = [
    KeyError(f"no {NUMBER}"),
    LookupError(2125550123),
    ValueError({"phone": NUMBER}),
    OSError(2, f"no line to {NUMBER}", f"/spool/{NUMBER}"),
    TooLong(NUMBER),
    ExceptionGroup("two", [KeyError(NUMBER), OSError(NUMBER)]),
]


@pytest.mark.parametrize("error", CARELESS, ids=lambda error: type(error).__name__)
async def test_an_answers_error_is_still_itself_and_shows_no_number(
    plug: Plug, facts: Facts, error: Exception
) -> None:
    """What a plugin put into its exception is masked in the answer, which has its type and its facts."""

    async def careless() -> None:
        error.add_note(f"while asking for {NUMBER}")
        raise error from RuntimeError(f"inner {NUMBER}")

    (answer,) = await plug({"on_agent_ready": careless}).all("on_agent_ready", **facts("on_agent_ready"))
    assert answer.error is error
    assert "5550123" not in shown(error) + repr(answer)
    if isinstance(error, TooLong):
        assert (str(error), error.digits) == ("***23 is too long", 12)


async def test_what_is_masked_in_an_exception_keeps_its_type_and_value(plug: Plug, facts: Facts) -> None:
    """Texts stay texts, bytes bytes, a key is still found and a path opened, though masked where shown."""
    raised: list[Exception] = [
        KeyError(12345678),
        OSError(2, "no file", f"/spool/{NUMBER}"),
        ValueError(b"no " + NUMBER.encode()),
    ]

    async def careless() -> None:
        raise raised.pop(0)

    hooks = plug({"on_agent_ready": careless})
    seen: list[Any] = []
    while raised:
        (answer,) = await hooks.all("on_agent_ready", **facts("on_agent_ready"))
        seen.append(answer.error)
    key, file, text = seen
    assert (key.args, file.filename, text.args) == ((12345678,), f"/spool/{NUMBER}", (b"no ***23",))
    assert not any(number in shown(one) for one in seen for number in ("5550123", "12345678"))


async def test_a_groups_own_text_is_masked_in_the_log(
    plug: Plug, facts: Facts, caplog: pytest.LogCaptureFixture
) -> None:
    """The message of an exception group cannot be replaced: what is logged of it is masked."""

    async def careless() -> None:
        raise ExceptionGroup(f"calling {NUMBER}", [KeyError(NUMBER)])

    await plug({"on_agent_ready": careless}).all("on_agent_ready", **facts("on_agent_ready"))
    assert "calling ***" in caplog.text
    assert "5550123" not in caplog.text


async def test_what_a_hook_raises_shows_no_number(plug: Plug, facts: Facts) -> None:
    """A failure that ends a question is raised to the host as it is logged: masked."""

    async def careless() -> None:
        raise TooLong(NUMBER)

    with pytest.raises(TooLong) as raised:
        await plug({"make_call": careless}).first("make_call", **facts("make_call"))
    assert "5550123" not in shown(raised.value)


async def test_what_a_wrapper_raises_shows_no_number(plug: Plug, facts: Facts) -> None:
    """Before its yield and after it."""

    @hookimpl(wrapper=True)
    def before() -> Generator[None, Any, Any]:
        raise KeyError(NUMBER)
        yield

    @hookimpl(wrapper=True)
    def after() -> Generator[None, Any, Any]:
        yield
        raise KeyError(NUMBER)

    for wraps in (before, after):
        with pytest.raises(KeyError) as raised:
            await plug({"make_call": wraps}).first("make_call", **facts("make_call"))
        assert "5550123" not in shown(raised.value)


async def test_no_repr_of_what_a_plugin_says_shows_a_number(clock: Any) -> None:
    """Reasons, evidence, health, texts of engines and answers: each may be logged by a host as it is."""
    said = [
        Answer(plugin="p", error=KeyError(NUMBER)),
        Answer(plugin="p", value=[NUMBER]),
        Refusal(rule="r", reason=f"{NUMBER} is listed", evidence={"number": NUMBER}),
        Check(rule="r", passed=False, reason=f"{NUMBER} is listed"),
        Health(what="pbx", good=False, seen=f"no line to {NUMBER}"),
        CallEvent(kind="failed", call_id="c", at=clock.now(), text=f"sip:{NUMBER}@pbx"),
    ]
    assert "5550123" not in repr(said)
