"""Numbers in texts, however people and machines write them; and texts from outside on one line."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_hooks import described, masked_text, printable

SEPARATORS = [
    "", " ", "-", ".", "/", "_", ",", " - ", " / ", ") ", ") - ", "\u00a0", "\u00ad", "\u200b", "\u2060",
    "\ufeff", "\u2013", "\u2212", "\u00b7", "\u202f", " \u200b- ", "%20", "\\u200b", "\\xa0", "\\n", "\t",
]  # fmt: skip
DAY_OR_ADDRESS = re.compile(r"[12]\d{3}-\d\d-\d\d|\d\d/\d\d/[12]\d{3}|\d{1,3}(?:\.\d{1,3}){3}")
groups = st.lists(st.from_regex(r"[0-9]{1,4}", fullmatch=True), min_size=4, max_size=6)


@pytest.mark.parametrize(
    "number",
    [
        "212 - 555 - 0199", "212_555_0199", "(212) 555 - 0199", "212 / 555 / 0199", "212,555,0199",
        "212\u200b555\u200b0199", "2\u00ad1\u00ad2\u00ad5\u00ad5\u00ad5\u00ad0199", "12.34.56.78",
        "4111_1111_1111_1111", "4111 1111 1111 1111", "+45 12.34.56.78", "01.23.45.67.89", "212%20555%200199",
        "212  -  555  -  0199", "(212)  555  -  0199", "21.22.23.24", "+45 10.20.30.40", "10.20.30.40.50",
        "1732588800.42", "1,234,567",
        "+4930 / 123 - 45", "212\\u200b555\\u200b0199", "\u202a+1 212 555 0199\u202c", "+49 30.123.45.67",
    ],
)  # fmt: skip
def test_numbers_as_people_and_spreadsheets_write_them_are_masked(number: str) -> None:
    """Of each at most its last two digits are left."""
    shown = masked_text(f"no customer {number}!")
    assert sum(letter.isdigit() for letter in shown) <= 2, shown


@given(groups, st.lists(st.sampled_from(SEPARATORS), min_size=6, max_size=6), st.sampled_from(["", "+", "("]))
def test_no_separator_hides_a_number(parts: list[str], between: list[str], before: str) -> None:
    """Seven digits or more, grouped in any way by what stands between digits, are never shown whole."""
    digits = "".join(parts)
    number = before + "".join(f"{part}{sign}" for part, sign in zip(parts, between, strict=False))
    if len(digits) < 7 or masked_text(f" {number} ") != f" {number} ":
        return
    assert DAY_OR_ADDRESS.search(number), number


@given(st.uuids().map(str), st.dates().map(str), st.ip_addresses(v=4).map(str), st.text(" abc:", max_size=3))
def test_ids_days_and_addresses_stay_readable(uuid: str, day: str, address: str, between: str) -> None:
    """A UUID is kept whole, and so is a day of our times, and an address that can be no number."""
    assert uuid in masked_text(f"{between}{uuid}{between} x")
    if "1900" <= day < "2200":
        assert day in masked_text(f"at {day}")
    if address.startswith("10.") or not all(len(part) == 2 for part in address.split(".")):
        assert address in masked_text(f"from {address}:8088")


@pytest.mark.parametrize(
    "text",
    [
        "known: 1001, 1002, 1003",
        "10.0.0.7, 10.0.0.8",
        "10.10.10.10, 10.20.30.40:8088",
        "at 01/30/2026 10:00:00",
        "tried 3 times, 2026-11-25 12:00:00,123 ERROR",
        "127.0.0.1:8765 (2 of 3)",
    ],
)
def test_lists_and_moments_stay_readable(text: str) -> None:
    """What is no number is left as it is."""
    assert masked_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "1" * 200_000, "1 " * 100_000, "1    " * 40_000, "1     " * 40_000, "1      " * 30_000,
        "\u200b" * 200_000,
        "1.1.1.1." * 25_000, "\\u200b" * 33_000, "2026-11-25" * 20_000, "0193a2f4-7b1c-" * 14_000,
        "+" * 200_000, "12/12/20" * 25_000, "1" + " " * 200_000, ("12345" + " " * 5) * 20_000,
    ],
    ids=range(14),
)  # fmt: skip
def test_masking_takes_no_longer_than_a_text_is_long(text: str) -> None:
    """No text makes it slow: 200 kB of any take well under a second."""
    began = time.perf_counter()
    masked_text(text)
    assert time.perf_counter() - began < 2


@given(st.text())
def test_a_printable_text_is_one_line_and_steers_nothing(text: str) -> None:
    """Whatever comes, what is shown has no control in it; what can be shown is shown as it is."""
    shown = printable(text)
    assert shown.isprintable()
    assert shown == text or not text.isprintable()


def test_an_error_is_described_without_controls() -> None:
    """An exception's text may be someone's: it can neither begin a line of the log nor clear a screen."""
    shown = described(ValueError("x\n2026-11-25 ERROR forged \x1b[2J\u202e"))
    assert shown == "ValueError: x 2026-11-25 ERROR forged \\x1b[2J\\u202e"
