"""Who answered, of the hooks whose first answer counts."""

from collections.abc import Callable, Generator
from typing import Any

import attrs
import pytest

from cti_hooks import Contact, hookimpl

MINE = Contact(key="k", phone_number="+12125550123")
Facts = Callable[[str], dict[str, Any]]


def gives(agent: Any) -> Contact:
    return MINE


def has_none(agent: Any) -> None:
    return None


@hookimpl(wrapper=True)
def lends(agent: Any) -> Generator[None, Any, Any]:
    found = yield
    return found or attrs.evolve(MINE, key="lent")


@hookimpl(wrapper=True)
def renames(agent: Any) -> Generator[None, Any, Any]:
    found = yield
    return found and attrs.evolve(found, campaign="C")


CASES = [
    ("the second plugin", [has_none, gives, gives], "p2", "k"),
    ("a plugin, and a wrapper that completed it", [renames, has_none, gives], "p3", "k"),
    ("a wrapper only", [lends, renames, has_none], "p1", "lent"),
]


@pytest.mark.parametrize(
    ("functions", "who", "key"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
async def test_who_answered(plug: Any, facts: Facts, functions: list[Any], who: str, key: str) -> None:
    """`first_answer` is the answer that `first` gives, with the name of the plugin that gave it."""
    hooks = plug(*({"request_next_contact": one} for one in functions))
    asked = facts("request_next_contact")
    answer = await hooks.first_answer("request_next_contact", **asked)
    assert (answer.plugin, answer.value.key) == (who, key)
    assert await hooks.first("request_next_contact", **asked) == answer.value


async def test_nobody_answered(plug: Any, facts: Facts) -> None:
    """If nobody has an answer there is none, and a failure is raised as by `first`."""
    hooks = plug({"request_next_contact": has_none})
    assert await hooks.first_answer("request_next_contact", **facts("request_next_contact")) is None

    def fails(agent: Any) -> None:
        raise LookupError("no line")

    hooks = plug({"request_next_contact": fails}, {"request_next_contact": has_none})
    with pytest.raises(LookupError, match="no line"):
        await hooks.first_answer("request_next_contact", **facts("request_next_contact"))
