"""What may be put into a dial string: nothing that could break out of one ever reaches an engine."""

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Final

from cti_hooks import NotPlacedError, masked

_TEL: Final = re.compile(r"[ (]*\+?[ (]*[0-9][-.() 0-9]*")
_VISUAL: Final = re.compile(r"[-.() ]")
"""RFC 3966's visual separators and blanks: for people, not for dialing."""
LONGEST_NUMBER: Final = 32
"""Digits at the most: E.164 has 15, and prefixes come before them."""
_LONGEST_WRITTEN: Final = 2 * LONGEST_NUMBER
ENDPOINT: Final = re.compile(r"(?!-)[A-Za-z0-9_.:@%+/-]+")
"""Of an agent's phone. No dash begins it: a program would take it for an option."""
_AGENT: Final = r"(?!-)[A-Za-z0-9_.+-]+"
"""What `{agent}` of a template stands for."""
_UNSAFE_IN_NAMES: Final = re.compile(r"[^\w .+-]")

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VALUE: Final = re.compile(r"[A-Za-z0-9_ .:@+/-]{0,256}")


class UndialableNumberError(ValueError):
    """The number has characters that no telephone number has."""


class UnsafeEndpointError(NotPlacedError, ValueError):
    """The agent's endpoint is missing, or has characters that mean something in a dial string."""


class UnsafeVariableError(ValueError):
    """A variable of the dial has a name or a value that could break out of a dial string."""


def dialable(number: str) -> str:
    """The number as dialed: digits, and a plus sign if it has one.

    Raises:
        UndialableNumberError: it is no telephone number; none has `@`, `/`, `&`, newlines or `${...}`.
    """
    if len(number) > _LONGEST_WRITTEN or not _TEL.fullmatch(number):
        raise UndialableNumberError(f"no telephone number: {masked(number)}")
    dialed = _VISUAL.sub("", number)
    if len(dialed) > LONGEST_NUMBER + dialed.count("+"):
        raise UndialableNumberError(
            f"no telephone number, of more than {LONGEST_NUMBER} digits: {masked(number)}"
        )
    return dialed


def endpoint_of(agent_id: str, endpoint: str | None, template: str, allowed: Iterable[str] = ()) -> str:
    """Where the agent's phone is: the agent's own endpoint, else the template with `{agent}` filled in.

    Who may tell an agent's state tells the endpoint, and could call any trunk by it. So it has to be one that
    the template makes, or to fit one of the patterns that the site allows besides.

    Raises:
        UnsafeEndpointError: there is none, it is none of these, or it could break out of a dial string.
    """
    where = endpoint or template.replace("{agent}", agent_id)
    if not where:
        raise UnsafeEndpointError(f"agent {agent_id} has no endpoint: tell the host, or set agent_endpoint")
    like = template.replace("{agent}", "1001")
    what = "the endpoint is" if endpoint else "tell the agent's endpoint: the id makes"
    if not ENDPOINT.fullmatch(where):
        raise UnsafeEndpointError(
            f"agent {agent_id}: {what} none like {like}, but has characters no dial string may have"
        )
    if not _made_by(template, where) and not _fits(where, allowed):
        raise UnsafeEndpointError(f"agent {agent_id}: {what} none like {like}; agent_endpoints allows others")
    return where


def word_of(agent_id: str, endpoint: str | None) -> str:
    """The agent's endpoint, else the id, as a word that a program takes for no option and no command.

    Raises:
        UnsafeEndpointError: it has characters that no endpoint has, or a dash begins it.
    """
    what = "the endpoint has" if endpoint else "tell the agent's endpoint: the id has"
    if not ENDPOINT.fullmatch(endpoint or agent_id):
        raise UnsafeEndpointError(
            f"agent {agent_id}: {what} characters that no program is handed; "
            "letters, digits and _ . : @ % + / - may be, with no dash in front"
        )
    return endpoint or agent_id


def _made_by(template: str, where: str) -> bool:
    return bool(re.fullmatch(_AGENT.join(map(re.escape, template.split("{agent}"))), where))


def _fits(where: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(where, pattern) for pattern in patterns)


def display_name(name: str | None) -> str:
    """A name to show on a phone; what means something to an engine becomes a blank."""
    return " ".join(_UNSAFE_IN_NAMES.sub(" ", name or "").split())


def channel_variables(variables: Mapping[str, str]) -> Mapping[str, str]:
    """The dial's variables, for the customer's channel.

    Raises:
        UnsafeVariableError: a name or a value has other characters than these are made of.
    """
    for name, value in variables.items():
        if not _VARIABLE.fullmatch(name) or not _VALUE.fullmatch(value):
            raise UnsafeVariableError(f"{name!r} can be no channel variable: see its name and value")
    return variables
