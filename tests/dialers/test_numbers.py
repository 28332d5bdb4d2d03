"""Which numbers may be dialed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcm_plugin.dialers.numbers import UndialableNumberError, dialable

BREAKING = [
    "+1212@evil",
    "12/34",
    "12&34",
    "12\n34",
    "12,34",
    "${EXTEN}",
    "$[1]",
    "",
    "anonymous",
    "1;2",
    "١٢٣",
]


@pytest.mark.parametrize(
    ("number", "dialed"), [("+1 (212) 555-0123", "+12125550123"), ("2125550123", "2125550123"), ("1.2", "12")]
)
def test_a_number_is_dialed_without_what_is_for_the_eye(number: str, dialed: str) -> None:
    """Blanks, dots, dashes and brackets are left out; a plus stays."""
    assert dialable(number) == dialed


@pytest.mark.parametrize("number", BREAKING)
def test_what_could_break_a_dial_string_is_no_number(number: str) -> None:
    """Every other character is refused, and the number is not quoted."""
    with pytest.raises(UndialableNumberError, match="no telephone number") as raised:
        dialable(number)
    assert len(number) < 6 or number not in str(raised.value)


@given(st.text())
def test_a_number_is_digits_or_an_error(text: str) -> None:
    """Whatever comes in, what comes out are ASCII digits, perhaps after a plus."""
    try:
        dialed = dialable(text)
    except UndialableNumberError:
        return
    assert re.fullmatch(r"\+?[0-9]+", dialed)
