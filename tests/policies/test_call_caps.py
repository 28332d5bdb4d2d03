"""The policy `call-caps`, loaded by its name, with a record of past calls in a small plugin."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from cti_hooks import Check, ConfigError, Contact, Outcome, PastCall, counts_as_attempt, hookimpl
from lcm_plugin.policies.caps import Basis, Cap, Measure, Whom, caps_checks, caps_of
from lcm_plugin.policies.limits import Limits, SiteLimits
from lcm_plugin.policies.rules import packaged

Police = Callable[..., Any]
Person = Callable[..., Contact]
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def call(
    hours_ago: float,
    outcome: Outcome | None = Outcome.NO_ANSWER,
    *,
    minutes: float = 0,
    number: bool = True,
    contact: bool = True,
) -> PastCall:
    at = NOW - hours_ago * HOUR
    return PastCall(
        attempt_id="a",
        at=at,
        outcome=outcome,
        ended_at=at + timedelta(minutes=minutes) if minutes else None,
        same_number=number,
        same_contact=contact,
    )


class Record:
    """Keeps the record, as the ledger does."""

    def __init__(self, calls: Sequence[PastCall] | Exception | None) -> None:
        self.calls = calls
        self.since: datetime | None = None

    @hookimpl
    async def list_past_calls(self, since: datetime) -> list[PastCall] | None:
        self.since = since
        if isinstance(self.calls, Exception):
            raise self.calls
        return None if self.calls is None else [one for one in self.calls if one.at >= since]


async def asked(policed: Any, contact: Contact, *calls: PastCall, when: datetime = NOW) -> list[Check]:
    policed.host.register(Record(calls), name="record")
    async with policed.host:
        return list(await policed.checks(contact, when))


def failed(checks: list[Check]) -> dict[str, datetime | None]:
    return {check.rule: check.not_before for check in checks if not check.passed}


DEFAULTS = [
    ("no calls", [], {}),
    ("two today", [call(2), call(3)], {}),
    ("three in 24 h", [call(2), call(3), call(23)], {"day": 1.0}),
    ("the first is 24 h ago", [call(2), call(3), call(24)], {}),
    ("four in 24 h", [call(2), call(3), call(4), call(5)], {"day": 20.0}),
    ("seven in 7 days", [call(25 + n) for n in range(7)], {"week": 168 - 31.0}),
    ("six in 7 days, one before", [*[call(25 + n) for n in range(6)], call(168)], {}),
    ("four minutes ago", [call(4 / 60)], {"gap": 1 / 60}),
    ("five minutes ago", [call(5 / 60)], {}),
    ("it ended a minute ago", [call(1, minutes=59)], {"gap": 4 / 60}),
    ("of which nothing is known", [call(2, None), call(3, Outcome.UNKNOWN), call(23)], {"day": 1.0}),
    ("on a clock that is ahead", [call(-0.01)], {"gap": 5 / 60 + 0.01}),
]


@pytest.mark.parametrize(("case", "calls", "refused"), DEFAULTS, ids=[row[0] for row in DEFAULTS])
async def test_the_limits_without_settings(
    police: Police, person: Person, case: str, calls: list[PastCall], refused: dict[str, float]
) -> None:
    """Three in 24 hours, seven in 168, five minutes apart, of the number and of the contact."""
    checks = await asked(police("call-caps"), person(), *calls)
    wanted = {
        f"call-caps-{whom}-{name}": NOW + hours * HOUR
        for whom in ("number", "contact")
        for name, hours in refused.items()
    }
    found = failed(checks)
    assert found.keys() == wanted.keys()
    assert all(abs(found[rule] - when) < timedelta(milliseconds=1) for rule, when in wanted.items())  # type: ignore[operator]
    assert all(check.evidence["rules"] == packaged().version for check in checks)


async def test_what_was_no_attempt_does_not_count(police: Police, person: Person) -> None:
    """What never reached the customer's phone uses nothing up; everything else does."""
    none = [outcome for outcome in Outcome if not counts_as_attempt(outcome)]
    assert len(none) == 5
    assert failed(await asked(police("call-caps"), person(), *[call(0.01, one) for one in none])) == {}
    counting = [outcome for outcome in Outcome if counts_as_attempt(outcome)]
    for outcome in counting:
        found = failed(await asked(police("call-caps"), person(), call(0.01, outcome)))
        assert set(found) == {"call-caps-number-gap", "call-caps-contact-gap"}


REG_F = {
    "rules": ["us-reg-f"],
    "per_number": {"per_day": "unlimited"},
    "per_contact": {"per_day": "unlimited"},
}
CALLBACK_CASES = [
    ("personal_callback", [call(2, Outcome.ANSWERED)], set()),
    ("regular_callback", [call(2, Outcome.ANSWERED)], set()),
    ("regular", [call(2, Outcome.ANSWERED)], {"conversation"}),
    ("unknown", [call(2, Outcome.ANSWERED)], {"conversation"}),
    ("personal_callback", [call(20 * n, Outcome.ANSWERED) for n in range(1, 8)], set()),
    ("personal_callback", [call(20 * n, Outcome.NO_ANSWER) for n in range(1, 8)], {"week"}),
    ("personal_callback", [call(167, Outcome.ANSWERED), *[call(20 * n) for n in range(1, 7)]], set()),
    ("personal_callback", [call(169, Outcome.ANSWERED), *[call(20 * n) for n in range(1, 8)]], {"week"}),
    ("personal_callback", [call(2, Outcome.ANSWERED, contact=False)], set()),
]


@pytest.mark.parametrize(("kind", "calls", "refused"), CALLBACK_CASES)
async def test_regulation_f_lets_the_callback_through_that_the_person_asked_for(
    police: Police, person: Person, kind: str, calls: list[PastCall], refused: set[str]
) -> None:
    """A callback within 7 days of the conversation in which it was asked for; any other call is refused."""
    checks = await asked(police("call-caps", **REG_F), person(call_type=kind), *calls)
    found = {rule for rule in failed(checks) if rule.startswith("us-reg-f")}
    assert found == {f"us-reg-f-contact-{name}" for name in refused}


async def test_a_callback_outside_regulation_fs_hours_is_refused(police: Police, person: Person) -> None:
    """Who asked to be called back is called at the hours of the rule all the same."""
    policed = police("calling-hours", window="00:00-24:00", rules=["us-reg-f"])
    refusal = await policed.refusal(
        person("America/New_York", call_type="personal_callback"), NOW + 12 * HOUR
    )
    assert refusal.rule == "us-reg-f"


async def test_number_and_contact_are_counted_apart(police: Police, person: Person) -> None:
    """Another contact's calls to this number, and this contact's to other numbers, each have their limits."""
    policed = police("call-caps", per_number={"per_day": 1}, per_contact={"per_day": 2})
    others = await asked(policed, person(), call(2, contact=False))
    assert set(failed(others)) == {"call-caps-number-day"}
    policed = police("call-caps", per_number={"per_day": 1}, per_contact={"per_day": 2})
    elsewhere = await asked(policed, person(), call(2, number=False), call(3, number=False))
    assert set(failed(elsewhere)) == {"call-caps-contact-day"}


async def test_a_wait_after_a_conversation(police: Police, person: Person) -> None:
    """From the end of an answered call on, however long it was."""
    policed = police("call-caps", per_number={"after_conversation_hours": 48})
    found = failed(await asked(policed, person(), call(49, Outcome.ANSWERED, minutes=120), call(47)))
    assert found == {"call-caps-number-conversation": NOW + HOUR}


async def test_the_record_is_asked_far_enough_back(police: Police, person: Person) -> None:
    """A conversation that was dialed before the span, and ended within it, is in what is asked for."""
    policed = police("call-caps", per_contact={"after_conversation_hours": 300})
    record = Record([])
    policed.host.register(record, name="record")
    async with policed.host:
        await policed.checks(person(), NOW)
    assert record.since == NOW - 324 * HOUR


async def test_the_next_moment_keeps_all_caps(police: Police, person: Person) -> None:
    """Each refusal names the moment at which no other cap refuses either."""
    policed = police("call-caps", per_number={"after_conversation_hours": 24}, per_contact={"per_day": 1})
    checks = await asked(policed, person(), call(10, Outcome.ANSWERED), call(2, number=False))
    assert failed(checks) == {
        "call-caps-number-conversation": NOW + 22 * HOUR,
        "call-caps-contact-day": NOW + 22 * HOUR,
    }


async def test_regulation_f(police: Police, person: Person) -> None:
    """Seven calls in seven days per debt, and seven days after a conversation; the source is told."""
    lenient = {"per_day": "unlimited", "per_week": "unlimited", "min_gap_seconds": 0}
    caps = {"per_number": lenient, "per_contact": lenient, "rules": ["us-reg-f"]}
    seven = [call(n, number=False) for n in range(1, 8)]
    week = await asked(police("call-caps", **caps), person(), *seven)
    assert failed(week) == {"us-reg-f-contact-week": NOW + 161 * HOUR}
    assert "1006.14(b)" in week[0].evidence["source"]
    talked = await asked(police("call-caps", **caps), person(), call(1, Outcome.ANSWERED))
    assert failed(talked) == {"us-reg-f-contact-conversation": NOW + 167 * HOUR}
    assert failed(await asked(police("call-caps", **caps), person(), *seven[:6])) == {}


async def test_a_states_caps_need_the_region(police: Police, person: Person) -> None:
    """They hold for who lives there, and refuse for whom it is unknown."""
    limits = {"per_number": {"per_day": "unlimited"}, "per_contact": {"per_day": "unlimited"}}
    three = [call(1), call(2), call(3)]

    async def told(region: str | None) -> set[str]:
        policed = police("call-caps", **limits, rules=["us-fl"])
        return set(failed(await asked(policed, person(extra={"region": region}), *three)))

    assert await told("FL") == {"us-fl-number-day", "us-fl-contact-day"}
    assert await told("GA") == set()
    assert await told(None) == {"call-caps-region"}


async def test_ofcoms_wait_after_an_abandoned_call(police: Police, person: Person) -> None:
    """72 hours after a call that was answered while no agent was there."""
    policed = police("call-caps", rules=["uk-ofcom"])
    found = failed(await asked(policed, person(e164="+442071838750"), call(71, Outcome.ABANDONED)))
    assert found == {"uk-ofcom-number-abandoned": NOW + HOUR}


CAPPED = [
    *(
        (
            f"us-{state}",
            state.upper(),
            [call(1), call(2), call(23)],
            {f"us-{state}-number-day", f"us-{state}-contact-day"},
        )
        for state in ("fl", "md", "ok")
    ),
    *((f"us-{state}", state.upper(), [call(1), call(2), call(24)], set()) for state in ("fl", "md", "ok")),
    ("us-reg-f", "FL", [call(28 * day) for day in range(7)], set()),
    ("us-reg-f", "FL", [call(20 * day + 1) for day in range(7)], {"us-reg-f-contact-week"}),
    ("uk-ofcom", "GB-LND", [call(71, Outcome.ABANDONED)], {"uk-ofcom-number-abandoned"}),
    ("uk-ofcom", "GB-LND", [call(72, Outcome.ABANDONED)], set()),
    ("us-ma-debt", "MA", [call(1, number=False), call(100, number=False)], {"us-ma-debt-contact-week"}),
    ("us-ma-debt", "MA", [call(1, number=False), call(169, number=False)], set()),
    ("fr", "FR-IDF", [call(24 * day) for day in (1, 9, 19, 29)], {"fr-number-30-days", "fr-contact-30-days"}),
    ("fr", "FR-IDF", [call(24 * day) for day in (1, 9, 19, 31)], set()),
]


@pytest.mark.parametrize(("rule", "region", "calls", "refused"), CAPPED)
async def test_caps_of_any_number_of_days(
    police: Police, person: Person, rule: str, region: str, calls: list[PastCall], refused: set[str]
) -> None:
    """As many calls as the law lets within its days, and no more."""
    none = {"per_day": "unlimited", "per_week": "unlimited", "min_gap_seconds": 0}
    policed = police("call-caps", per_number=none, per_contact=none, rules=[rule])
    assert set(failed(await asked(policed, person(extra={"region": region}), *calls))) == refused


async def test_consent_lifts_a_cap_and_the_check_says_so(police: Police, person: Person) -> None:
    """Who gave consent is not counted by the French rule."""
    policed = police("call-caps", rules=["fr"])
    contact = person(extra={"region": "FR-IDF"}, consent="given")
    checks = await asked(policed, contact, *(call(24 * day) for day in (8, 9, 19, 29)))
    told = {check.rule: check.evidence.get("exempt") for check in checks if check.rule.startswith("fr")}
    assert told == {"fr-number-30-days": "consent_given", "fr-contact-30-days": "consent_given"}
    assert failed(checks) == {}


async def test_one_exemption_hides_no_other(police: Police, person: Person) -> None:
    """Consent lets a callback through, however long ago it was asked for."""
    both = {"per_day": 1, "after_conversation_hours": 1, "unless": ["callback_requested", "consent_given"]}
    policed = police("call-caps", per_number=both, per_contact=both)
    contact = person(call_type="personal_callback", consent="given")
    assert failed(await asked(policed, contact, call(20, Outcome.ANSWERED))) == {}


def test_every_rule_with_caps_is_tested() -> None:
    """Each packaged rule with caps has a case here that it refuses and one that it lets pass."""
    cases = {(rule, bool(refused)) for rule, *_, refused in CAPPED}
    with_caps = [name for name, rule in packaged().rule.items() if rule.caps]
    assert [name for name in with_caps if not {(name, True), (name, False)} <= cases] == []


RULES_FILE = """
version = "1"
[rule.soon]
region = "US"
source = "s"
standing = "primary"
effective = 2026-11-25
expires = 2026-11-26
caps = { per_number = { per_week = 1 } }
"""


async def test_a_rule_caps_while_it_is_in_force(police: Police, person: Person, tmp_path: Path) -> None:
    """Not before its effective date, and no longer than until it expires."""
    (tmp_path / "r.toml").write_text(RULES_FILE)

    async def told(when: datetime) -> dict[str, datetime | None]:
        policed = police("call-caps", rules_file=str(tmp_path / "r.toml"), rules=["soon"])
        return failed(await asked(policed, person(), call(1), when=when))

    assert await told(NOW) == {}
    assert await told(NOW + 12 * HOUR) == {"soon-number-week": datetime(2026, 11, 26, tzinfo=UTC)}
    assert await told(NOW + 34 * HOUR) == {}


@pytest.mark.parametrize("calls", [None, OSError("disk on fire at +12125550123")], ids=["none", "error"])
async def test_without_a_record_there_is_no_call(police: Police, person: Person, calls: Any) -> None:
    """A record nobody keeps, or that cannot be read, refuses; nobody's number is told."""
    policed = police("call-caps")
    policed.host.register(Record(calls), name="record")
    async with policed.host:
        (check,) = await policed.checks(person(), NOW)
    assert (check.rule, check.passed, check.not_before) == ("call-caps-record", False, None)
    assert "5550123" not in check.reason


async def test_a_host_that_is_not_started_has_no_record(police: Police, person: Person) -> None:
    """A dry run without a started host refuses, and says why."""
    (check,) = await police("call-caps").checks(person(), NOW)
    assert (check.rule, check.passed) == ("call-caps-record", False)
    assert "not started" in check.reason


WRONG = [
    ({"per_number": {"per_day": 0}}, 'per_number.per_day: must be 1 or more, or "unlimited"'),
    ({"per_number": {"per_dya": 1}}, 'per_number.per_dya: unknown key; did you mean "per_day"?'),
    ({"per_contact": {"min_gap_seconds": -1}}, "per_contact.min_gap_seconds"),
    ({"rules": ["us-federal"]}, "rules[0]: 'us-federal' has no caps"),
]


@pytest.mark.parametrize(("table", "told"), WRONG)
def test_wrong_settings_are_told(police: Police, table: dict[str, Any], told: str) -> None:
    """A wrong setting is named, with what would be right."""
    with pytest.raises(ConfigError) as raised:
        police("call-caps", **table)
    assert told in str(raised.value)


some_limits = st.builds(
    Limits,
    per_day=st.integers(1, 4) | st.just("unlimited"),
    per_week=st.integers(1, 8) | st.just("unlimited"),
    after_conversation_hours=st.sampled_from([0.0, 12.0, 168.0]),
    after_abandoned_hours=st.sampled_from([0.0, 72.0]),
    min_gap_seconds=st.sampled_from([0.0, 300.0]),
)
some_calls = st.lists(
    st.builds(
        call,
        st.floats(0, 200),
        st.none() | st.sampled_from(Outcome),
        minutes=st.sampled_from([0, 1, 90]),
        number=st.booleans(),
        contact=st.booleans(),
    ),
    max_size=20,
)


@given(some_limits, some_limits, some_calls, st.integers(-3, 200))
def test_the_next_moment_is_allowed_and_the_first(
    by_number: Limits, by_contact: Limits, calls: list[PastCall], hours: int
) -> None:
    """At not_before every cap allows the call, and at no hour or instant before it do they all."""
    basis = Basis(rule="site")
    anybody = Contact(key="k", phone_number="1")
    caps = [
        *caps_of(by_number, Whom.NUMBER, basis, anybody),
        *caps_of(by_contact, Whom.CONTACT, basis, anybody),
    ]
    moment = NOW + hours * HOUR

    def refused(when: datetime) -> list[Check]:
        return [check for check in caps_checks(caps, calls, when) if not check.passed]

    for check in refused(moment):
        assert check.not_before is not None
        assert check.not_before > moment
        assert not refused(check.not_before)
        assert refused(check.not_before - timedelta(microseconds=1))
        grid = moment
        while grid < check.not_before:
            assert refused(grid)
            grid += HOUR


@given(some_calls)
def test_a_cap_counts_any_span(calls: list[PastCall]) -> None:
    """A limit of three allows one more if, and only if, fewer are in the last 24 hours."""
    cap = Cap(
        rule="r", whom=Whom.NUMBER, kind=Measure.ATTEMPTS, limit=3, span=24 * HOUR, basis=Basis(rule="r")
    )
    recent = [
        one
        for one in calls
        if one.same_number and counts_as_attempt(one.outcome) and one.at > NOW - timedelta(days=1)
    ]
    assert cap.allows(calls, NOW) == (len(recent) < 3)


def test_one_setting_leaves_the_others() -> None:
    """A site that sets one limit keeps the defaults of the rest."""
    assert evolve(SiteLimits(), per_day=5).per_week == 7
    assert SiteLimits().min_gap_seconds == 300
