"""What may be put into a dial string."""

import re
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcm_plugin.dialers.asterisk_ami.manager import _block as ami_block
from lcm_plugin.dialers.freeswitch.event_socket import _block as esl_block
from lcm_plugin.dialers.numbers import channel_variables, dialable, display_name, endpoint_of, word_of

HOSTILE = st.text(st.sampled_from("0123456789+-.() @/&,|;'\"{}[]$<>\\\r\n\0äx१"), max_size=12)


@given(HOSTILE)
def test_a_number_is_digits_or_refused(number: str) -> None:
    """Whatever comes, what is dialed is ASCII digits after at most one plus, and the same digits as came."""
    bare = re.sub(r"[-.() ]", "", number)
    if re.fullmatch(r"\+?[0-9]+", bare, re.ASCII) and not re.match(r"[ (+]*[-.)]", number):
        assert dialable(number) == bare
        return
    with pytest.raises(ValueError, match="no telephone number") as refused:
        dialable(number)
    assert len(number) < 3 or number not in str(refused.value)


@pytest.mark.parametrize(
    "number", ["-1", "+-1", "(-1)", ".5", ")1", "1" * 33, "+" + "1" * 33, "1" + " " * 900_000]
)
def test_what_is_only_nearly_a_number_is_none(number: str) -> None:
    """A minus is no separator before the first digit, and nobody has a number of more than 32 digits."""
    with pytest.raises(ValueError, match="no telephone number"):
        dialable(number)


@pytest.mark.parametrize(
    "number", ["+1 (212) 555-0100", "(212) 555.0100", " 0012125550100 ", "9" * 32, "+(1)2"]
)
def test_as_people_write_them_numbers_are_dialed(number: str) -> None:
    """Brackets, blanks, dots and dashes between digits are for people."""
    assert dialable(number) == re.sub(r"[-.() ]", "", number)


@given(HOSTILE)
def test_an_endpoint_has_nothing_that_begins_another(endpoint: str) -> None:
    """No separator, quote, bracket, blank or newline gets through, from an endpoint or an agent's id."""
    for find in (partial(word_of, "1", endpoint), partial(endpoint_of, endpoint, None, "user/{agent}")):
        try:
            where = find()
        except ValueError:
            continue
        assert not set(where) & set(" &,|;'\"{}[]()$<>\\\r\n\0")
        assert not where.startswith("-")


@pytest.mark.parametrize(
    ("template", "endpoint", "allowed"),
    [
        ("PJSIP/{agent}", "PJSIP/1001", ()),
        ("PJSIP/{agent}", "PJSIP/desk-1.north", ()),
        ("Local/{agent}@agents", "Local/1001@agents", ()),
        ("user/{agent}", "user/1001@branch", ("user/*@branch",)),
        ("PJSIP/{agent}", "Local/7@agents/n", ("SIP/*", "Local/*@agents/n")),
    ],
)
def test_an_endpoint_may_be_one_the_template_makes_or_the_site_allows(
    template: str, endpoint: str, allowed: tuple[str, ...]
) -> None:
    """An agent's phone is told as the template would make it, or fits a pattern of agent_endpoints."""
    assert endpoint_of("alice", endpoint, template, allowed) == endpoint


@pytest.mark.parametrize(
    ("template", "endpoint"),
    [
        ("PJSIP/{agent}", "PJSIP/+19005550100@trunk"),
        ("PJSIP/{agent}", "PJSIP/trunk/sip:+19005550100@carrier.example"),
        ("PJSIP/{agent}", "Local/911"),
        ("Local/{agent}@agents", "Local/911@from-internal"),
        ("user/{agent}", "sofia/gateway/gw/+19005550100"),
    ],
)
def test_an_endpoint_by_another_route_is_refused(template: str, endpoint: str) -> None:
    """Who tells an agent's endpoint chooses no trunk; the text says what would be right."""
    like = template.replace("{agent}", "1001")
    with pytest.raises(ValueError, match=f"none like {like}; agent_endpoints allows others"):
        endpoint_of("alice", endpoint, template)
    with pytest.raises(ValueError, match=f"none like {like}"):
        endpoint_of("1001@trunk", None, template)


@given(HOSTILE)
def test_a_name_loses_what_an_engine_acts_upon(name: str) -> None:
    """Quotes, commas, brackets and newlines become blanks."""
    assert not set(display_name(name)) & set("@/&,|;'\"{}[]()$<>\\\r\n\0")


@given(HOSTILE, HOSTILE)
def test_variables_are_plain_or_refused(name: str, value: str) -> None:
    """A variable that is let through can end neither its value nor its list."""
    try:
        channel_variables({name: value})
    except ValueError:
        return
    assert re.fullmatch(r"\w+", name, re.ASCII)
    assert not set(value) & set("&,|;'\"{}[]()$<>\\\r\n\0")


def test_a_variable_has_a_size() -> None:
    """A value of more than 256 characters is refused."""
    assert channel_variables({"campaign": "x" * 256})
    with pytest.raises(ValueError, match="no channel variable"):
        channel_variables({"campaign": "x" * 257})


@given(st.text(), st.text())
def test_no_value_begins_a_header_or_a_command(first: str, second: str) -> None:
    """On the wire there are as many lines as headers were given, whatever their values."""
    if not set(first + second) & set("\r\n\0"):
        assert ami_block("Ping", "1", {"A": first}, [second]).count(b"\r\n") == 5
        assert esl_block([first, second]).count(b"\n") == 3
        return
    with pytest.raises(ValueError, match="newline"):
        ami_block("Ping", "1", {"A": first}, [second])
    if set(first + second) & set("\r\n"):
        with pytest.raises(ValueError, match="newline"):
            esl_block([first, second])
