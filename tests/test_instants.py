"""Instants as people and programs write them."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcm_plugin.instants import instant_of

NOON = datetime(2024, 1, 30, 12, 0, tzinfo=UTC)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    "text",
    ["2024-01-30T12:00:00Z", "2024-01-30T07:00:00-05:00", "2024-01-30 12:00+00:00", "20240130T120000Z"],
)
def test_iso_8601_with_an_offset_is_an_instant(text: str) -> None:
    """Any of ISO 8601's spellings, as long as it says how far from UTC it is."""
    assert instant_of(text) == NOON


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no instant; write one like 2024-"),
        ("30.01.2024 12:00", "is no instant"),
        ("2024-02-30T12:00:00Z", "is no instant"),
        ("2024-01-30", "has no offset"),
        ("2024-01-30T12:00:00", "has no offset"),
        ("0001-01-01T00:00:00+14:00", "1970 to 2199"),
        ("9999-12-31T23:59:59-14:00", "1970 to 2199"),
    ],
)
def test_what_is_none_is_told(text: str, said: str) -> None:
    """What is no instant, has no offset or is out of all reason is told with what would be right."""
    with pytest.raises(ValueError, match=said):
        instant_of(text)


@given(st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=OFFSETS))  # noqa: DTZ001  (bounds are naive)
def test_what_is_written_is_read(moment: datetime) -> None:
    """Every instant comes back as it was written."""
    assert instant_of(moment.isoformat()) == moment


@given(st.text())
def test_any_text_is_an_instant_or_a_clear_error(text: str) -> None:
    """Whatever is given, it is an instant with an offset or a ValueError, and nothing else is raised."""
    with suppress(ValueError):
        assert instant_of(text).utcoffset() is not None
