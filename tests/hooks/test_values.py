"""What crosses the seam: frozen, keyword-only, and discreet."""

from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cti_hooks
from cti_hooks import (
    Agent,
    Answer,
    Attempt,
    Call,
    Contact,
    Dial,
    Disposition,
    Mode,
    Refusal,
    SystemClock,
    described,
    masked,
    masked_text,
)

NOW = datetime(2026, 1, 30, tzinfo=UTC)
VALUES = [value for value in vars(cti_hooks).values() if isinstance(value, type) and attrs.has(value)]
numbers = st.from_regex(r"\+?[1-9][0-9]{6,14}", fullmatch=True)
written = st.sampled_from(["{}", "call {} now", "({}", "{}.", "number={}", '"{}"', "tel:{}"])


@pytest.mark.parametrize("value", [one for one in VALUES if one.__module__ == "cti_hooks.values"])
def test_values_are_frozen_and_keyword_only(value: Any) -> None:
    """Nothing that crosses the seam can be changed, or built by position."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(value.__new__(value), attrs.fields(value)[0].name, None)
    assert all(field.kw_only for field in attrs.fields(value))


@given(numbers, st.text(alphabet="abcdefghij", min_size=6, max_size=12))
def test_no_repr_shows_a_number_or_a_name(number: str, name: str) -> None:
    """A repr holds neither a phone number nor a name in full, not even inside another value."""
    contact = Contact(
        key="k",
        phone_number=number,
        e164=number,
        modes=[Mode(id="1", phone_number=number)],
        extra={"n": number},
    )
    agent = Agent(id="1", name=name)
    attempt = Attempt(
        id="a", agent=agent, contact=contact, state="offered", campaign_group="G", opened_at=NOW
    )
    dial = Dial(to=number, not_after=NOW, caller_id=number, display_name=name)
    shown = repr(
        [contact, agent, attempt, dial, Disposition(comments=number), Answer(plugin="p", value=contact)]
    )
    assert number not in shown
    assert name not in shown


def test_values_can_be_keys() -> None:
    """Values are hashable, whatever is in their mappings."""
    assert (
        len(
            {
                Contact(key="k", phone_number="1", extra={"a": []}),
                Refusal(rule="r", reason="x", evidence={"a": []}),
            }
        )
        == 2
    )


def test_extra_cannot_be_changed() -> None:
    """Not by who handed it in, and not by who reads it."""
    given = {"a": 1}
    contact = Contact(key="k", phone_number="1", extra=given)
    given["a"] = 2
    assert contact.extra["a"] == 1
    with pytest.raises(TypeError):
        contact.extra["a"] = 3  # type: ignore[index]  # that is the point


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Contact(key="k", phone_number="1", expires_at=datetime(2026, 1, 1)), "needs a time zone"),  # noqa: DTZ001
        (lambda: Dial(to="1", not_after=datetime(2026, 1, 1)), "needs a time zone"),  # noqa: DTZ001
        (lambda: Contact(key="", phone_number="1"), "key"),
        (lambda: Contact(key="k", phone_number=""), "phone_number"),
        (lambda: Contact(key="k", phone_number="1", consent="maybe"), "maybe"),
        (lambda: Call(id="c", attempt_id="a", state="ringing"), "ringing"),
    ],
    ids=["naive expiry", "naive deadline", "no key", "no number", "no consent", "no state"],
)
def test_what_makes_no_sense_cannot_be_built(make: Any, said: str) -> None:
    """Naive instants, empty keys and unknown words are refused."""
    with pytest.raises(ValueError, match=said):
        make()


def test_one_name_is_not_a_sequence_of_names() -> None:
    """A group name in place of a sequence is told, not taken letter by letter."""
    with pytest.raises(TypeError, match="a sequence of names"):
        Agent(id="1", campaign_groups="AD")


@given(numbers, written)
def test_numbers_in_texts_are_masked(number: str, text: str) -> None:
    """A run of seven or more digits does not pass, however it is embedded."""
    assert number.lstrip("+") not in masked_text(text.format(number))


@pytest.mark.parametrize(
    "number",
    [
        "+1 (212) 555-0123", "212-555-0123", "212.555.0123", "1 800 555 0123", "+49 30 123456",
        "0708-12-34-56", "0170-12-34567", "1970-12-34567", "2012-10-12-56", "2012-10-12.5678",
        "x212-555-0123", "212-555-0123x", "n212-555-0123n", "_212-555-0123_", "212\u2011555\u20110123",
        "212\u2010555\u20100123", "212\u2013555\u20130123", "212\u2015555\u20150123",
    ],
)  # fmt: skip
def test_written_numbers_are_masked(number: str) -> None:
    """Separators do not hide a number from the mask."""
    shown = masked_text(f"no customer {number}!")
    assert sum(letter.isdigit() for letter in shown) <= 2


@pytest.mark.parametrize(
    "text",
    [
        "0193a2f4-7b1c-7123-8456-123456789012",
        "2026-11-24 03:45:12",
        "2026-11-24T03:45",
        "2026-11-24T03:45:12.123456+00:00",
        "2026-11-24T03:45:12-05:00",
        "from 2026-11-24 to 2026-12-31.",
        "('2026-11-24', 3)",
        "attempt_0193a2f4-7b1c-7123-8456-123456789012",
        "agent 1001 0193a2f4-7b1c-7123-8456-123456789012",
        "lcm.example:8443",
        "192.168.100.200:8088",
        "0|0|000|0|0|00|1234",
        "took 1234 ms",
    ],
)
def test_what_is_no_number_stays_readable(text: str) -> None:
    """Attempt ids, dates, addresses and LCM keys stay in the log as they are."""
    assert masked_text(text) == text


def test_masked_shows_two_characters_at_most() -> None:
    """Long ones keep their end, short ones nothing."""
    assert [masked(text) for text in ("+12125550123", "12345", "", None)] == ["***23", "***", "", ""]


def test_errors_are_described_in_one_line() -> None:
    """Type and masked text, without line breaks."""
    assert described(ValueError("a\n b +12125550123")) == "ValueError: a b ***23"
    assert described(KeyError()) == "KeyError"


def test_the_system_clock_tells_utc() -> None:
    """Instants have their zone."""
    assert SystemClock().now().utcoffset() == UTC.utcoffset(None)
