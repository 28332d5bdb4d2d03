"""A plugin's settings: what its table may hold, and everything that is wrong with it at once."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal

import pytest
from attrs import field, frozen, validators
from hypothesis import given
from hypothesis import strategies as st

from cti_hooks import ConfigError
from cti_hooks.settings import SECRET, read


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@frozen(kw_only=True)
class Inner:
    size: int
    label: str = ""


@frozen(kw_only=True)
class Settings:
    url: str
    retries: int = field(default=3, validator=validators.ge(0))
    seconds: float = 1.0
    quiet: bool = False
    colour: Colour = Colour.RED
    mode: Literal["fast", "slow"] = "fast"
    names: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(factory=dict)
    inner: Inner | None = None
    either: int | str = 0
    anything: Any = None
    token: str = field(default="", metadata=SECRET, validator=validators.max_len(3))

    def __attrs_post_init__(self) -> None:
        if self.quiet and self.retries:
            raise ValueError("quiet has no retries")


def test_a_whole_table_is_read() -> None:
    """Each kind of value becomes what its field says; the rest has its default."""
    table = {
        "url": "u", "retries": 0, "seconds": 2, "quiet": True, "colour": "blue", "mode": "slow",
        "names": ["a", "b"], "weights": {"x": 1}, "inner": {"size": 4}, "either": "text", "anything": [1],
    }  # fmt: skip
    assert read(Settings, table) == Settings(
        url="u", retries=0, seconds=2.0, quiet=True, colour=Colour.BLUE, mode="slow", names=("a", "b"),
        weights={"x": 1.0}, inner=Inner(size=4), either="text", anything=[1],
    )  # fmt: skip
    assert read(Settings, {"url": "u", "inner": None}) == Settings(url="u")


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["url: is required"]),
    ({"ulr": "u"}, ['ulr: unknown key; did you mean "url"?']),
    ({"url": 7}, ["url: must be a text (it is 7)"]),
    ({"retries": "3"}, ["retries: must be a whole number"]),
    ({"retries": True}, ["retries: must be a whole number"]),
    ({"retries": -1}, ["retries: 'retries' must be >= 0"]),
    ({"seconds": "1"}, ["seconds: must be a number"]),
    ({"seconds": float("nan")}, ["seconds: must be a finite number"]),
    ({"quiet": 1}, ["quiet: must be true or false"]),
    ({"colour": "blu"}, ["colour: is not one of its values; did you mean \"blue\"? (it is 'blu')"]),
    ({"mode": "slwo"}, ['did you mean "slow"?']),
    ({"names": "a"}, ["names: must be a list"]),
    ({"names": ["a", 7]}, ["names: must be a text"]),
    ({"weights": []}, ["weights: must be a table"]),
    ({"weights": {"x": "heavy"}}, ["weights.x: must be a number"]),
    ({"inner": {"sice": 1}}, ['inner.sice: unknown key; did you mean "size"?']),
    ({"inner": 3}, ["inner: must be a table"]),
    ({"either": []}, ["either: must be a text"]),
    ({"quiet": True}, ["quiet has no retries"]),
]


@pytest.mark.parametrize(("table", "told"), WRONG, ids=[one[1][0] for one in WRONG])
def test_what_is_wrong_is_told(table: dict[str, Any], told: list[str]) -> None:
    """A wrong key or value is told with its key and the nearest right word."""
    given = table if table in ({}, {"ulr": "u"}) or "url" in table else {"url": "u", **table}
    with pytest.raises(ConfigError) as raised:
        read(Settings, given)
    for part in told:
        assert part in str(raised.value)


def test_everything_is_told_at_once() -> None:
    """All mistakes of a table are in one error."""
    with pytest.raises(ConfigError) as raised:
        read(Settings, {"retries": "x", "colour": "green", "nmaes": []})
    assert [problem.key for problem in raised.value.problems] == ["nmaes", "url", "retries", "colour"]
    assert str(raised.value).startswith("settings: 4 problems")


def test_a_secret_is_never_quoted() -> None:
    """What is marked secret is not in the error about it."""
    with pytest.raises(ConfigError) as raised:
        read(Settings, {"url": "u", "token": "s3cret"})
    assert "token" in str(raised.value)
    assert "s3cret" not in str(raised.value)


tables = st.dictionaries(
    st.sampled_from(["url", "retries", "names", "weights", "inner", "either", "colour"])
    | st.text(max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=6,
    ),
)


@given(tables)
def test_any_table_gives_settings_or_a_config_error(table: dict[str, Any]) -> None:
    """Whatever a file holds, it is settings or told as a problem, never another error."""
    try:
        assert isinstance(read(Settings, table), Settings)
    except ConfigError as error:
        assert error.problems  # noqa: PT017  (either is right)
