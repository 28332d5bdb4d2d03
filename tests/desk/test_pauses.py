"""Attempt ids, and how long a desk waits."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from lcm_plugin.config import LcmSettings
from lcm_plugin.desk.pauses import LONGEST_AFTER_ERROR, Pauses
from lcm_plugin.ledger.ids import new_attempt_id

NOW = datetime(2026, 1, 30, 12, tzinfo=UTC)


def pauses() -> Pauses:
    return Pauses(LcmSettings(url="http://127.0.0.1", source="s", timezone="UTC"), Random(1))


@given(st.integers(), st.datetimes(timezones=st.just(UTC)).filter(lambda moment: 1970 < moment.year < 3000))
def test_attempt_ids_are_uuids_of_version_7(seed: int, moment: datetime) -> None:
    """An attempt id is a valid UUIDv7 that tells its millisecond."""
    made = UUID(new_attempt_id(moment, Random(seed)))
    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == int(moment.timestamp() * 1000)


def test_attempt_ids_sort_by_time() -> None:
    """Later attempts sort behind earlier ones."""
    random = Random(1)
    ids = [new_attempt_id(NOW + timedelta(milliseconds=n), random) for n in range(50)]
    assert ids == sorted(ids)


def test_the_same_seed_makes_the_same_id() -> None:
    """Clock and seed repeat a run, ids included."""
    assert new_attempt_id(NOW, Random(7)) == new_attempt_id(NOW, Random(7))


def test_refusals_double_the_pause_and_the_fifth_stops() -> None:
    """Each refusal in a row doubles the pause from 1 s; after five, fetching stops."""
    waiting = pauses()
    assert [waiting.after_refusal() for _ in range(5)] == [1, 2, 4, 8, None]


def test_a_new_ready_forgets_refusals() -> None:
    """The next ready starts with the shortest pause again."""
    waiting = pauses()
    waiting.after_refusal()
    waiting.reset()
    assert waiting.after_refusal() == 1


def test_no_contact_is_polled_in_1_to_5_seconds_with_jitter() -> None:
    """Agents without a contact ask again in 1 to 5 s, each at another moment."""
    waiting = pauses()
    seen = [waiting.before_next_look() for _ in range(200)]
    assert min(seen) >= 1
    assert max(seen) <= 5
    assert len({round(pause, 3) for pause in seen}) > 150


def test_errors_grow_the_pause_up_to_a_bound() -> None:
    """An LCM that fails is asked less and less often, but every 15 s at least, so recovery is quick."""
    waiting = pauses()
    seen = [waiting.after_error(None) for _ in range(100)]
    assert seen[0] <= 2
    assert LONGEST_AFTER_ERROR / 2 < max(seen) <= LONGEST_AFTER_ERROR


def test_a_longer_wish_of_the_lcm_is_granted() -> None:
    """Retry-After longer than the own pause is kept."""
    assert pauses().after_error(60) == 60
