"""The settings of [plugins.lcm]: what is wrong is told when the host loads, before anything is opened."""

from typing import Any

import pytest

from cti_hooks import ConfigError, Host

GOOD = {"url": "http://127.0.0.1/message", "source": "tests", "timezone": "America/New_York"}


def load(**table: Any) -> Host:
    given = {name: value for name, value in {**GOOD, **table}.items() if value is not None}
    return Host.from_config({"cti": {"plugins": ["lcm"]}, "plugins": {"lcm": given}})


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"url": None}, "plugins.lcm.url: is required"),
    ({"timezone": None}, "plugins.lcm.timezone: is required"),
    ({"source": ""}, "plugins.lcm.source"),
    ({"url": "lcm.example.com"}, "plugins.lcm.url: must start with http://"),
    ({"timezone": "New York"}, 'plugins.lcm.timezone: is no time zone; write one like "America/New_York"'),
    ({"timezone": "../etc/passwd"}, "plugins.lcm.timezone: is no time zone"),
    ({"datetime_formats": ["%m/%d/%Y", "%d/%m/%Y"]}, "plugins.lcm.datetime_formats: has both day orders"),
    ({"datetime_formats": []}, "plugins.lcm.datetime_formats: needs at least one format"),
    ({"default_region": "usa"}, "plugins.lcm.default_region"),
    (
        {"consent_words": {"Yes": "gven"}},
        'plugins.lcm.consent_words.Yes: is not one of its values; did you mean "given"?',
    ),
    ({"auth": {"type": "bearer"}}, "plugins.lcm.auth.token_env: is required with type = "),
    ({"auth": {"type": "baerer"}}, 'plugins.lcm.auth.type: is not one of its values; did you mean "bearer"?'),
    ({"try_seconds": 0}, "plugins.lcm.try_seconds"),
    (
        {"fetch_seconds": 60},
        "plugins.lcm.fetch_seconds: must be 19 or less: request_next_contact is cut off after 20 s",
    ),
    ({"try_seconds": 19.5}, "plugins.lcm.try_seconds: must be 19 or less"),
    ({"max_requests": 0}, "plugins.lcm.max_requests"),
    ({"max_per_second": 0.5}, "plugins.lcm.max_per_second"),
    ({"ring_seconds": 10}, "plugins.lcm.ring_seconds"),
    ({"poll_min_seconds": 9}, "plugins.lcm: poll_max_seconds is below poll_min_seconds"),
    ({"on_refusal": {"expired": "5"}}, "plugins.lcm.on_refusal: the rule 'expired' is called 'expiry' now"),
    ({"download_with": "GetDownloadContactForDialing"}, 'did you mean "GetDownloadContactsForDialing"?'),
]


@pytest.mark.parametrize(("table", "told"), WRONG, ids=[one[1] for one in WRONG])
def test_a_wrong_setting_is_told(table: dict[str, Any], told: str) -> None:
    """Each wrong setting is told with its key and the way out."""
    with pytest.raises(ConfigError) as raised:
        load(**table)
    assert told in str(raised.value)


def test_day_first_alone_is_fine() -> None:
    """A site whose LCM writes the day first says so."""
    assert load(datetime_formats=["%d/%m/%Y %H:%M:%S", "%Y-%m-%d %H:%M"])


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"auto_dispose": {"bussy": "3"}}, 'did you mean "busy"?'),
        ({"fetch_when": ["redy"]}, "none of"),
        ({"preview": {"on_timeout": "dail"}}, 'did you mean "dial"?'),
        ({"preview": {"seconds": -1}}, "preview.seconds"),
        ({"callback_time_zone": "Mars/Olympus"}, "is no time zone"),
        ({"lease_seconds": 10, "dial_seconds": 20}, "above dial_seconds"),
    ],
    ids=["outcome", "moment", "time-out", "seconds", "zone", "lease"],
)
def test_wrong_words_of_the_agents_flow_are_told(table: dict[str, Any], said: str) -> None:
    """A setting of offers, dispositions or the ledger that cannot be is named, with what would be right."""
    with pytest.raises(ConfigError) as raised:
        load(**table)
    assert said in str(raised.value)
