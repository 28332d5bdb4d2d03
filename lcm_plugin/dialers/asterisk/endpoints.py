"""Dial strings: templates, and what is filled into them."""

import re
from collections.abc import Iterable
from typing import Final

from attrs import field, frozen

from cti_hooks import Agent
from lcm_plugin.dialers.numbers import dialable, endpoint_of

_ENDPOINT: Final = re.compile(r"(?P<technology>[A-Za-z][A-Za-z0-9]*)/(?P<resource>[\w.+@:/;=-]+)", re.ASCII)
"""No `&`, which would ring several; no comma, blank, `$` or `{`, which the dialplan reads as its own."""


def _checked(template: str, *places: str) -> None:
    if not any(place in template for place in places):
        raise ValueError(f"must have {' or '.join(places)} in it")
    filled = re.sub("|".join(map(re.escape, places)), "1", template)
    if not _ENDPOINT.fullmatch(filled):
        raise ValueError(f"must be like PJSIP/{places[0]}@trunk: a technology, a slash, a resource")


@frozen
class NumberEndpoint:
    """The customer's endpoint.

    Raises:
        ValueError: the template has no number in it, or could not be dialed.
    """

    template: str = field()

    @template.validator
    def _check(self, _: object, value: str) -> None:
        _checked(value, "{number}", "{digits}")

    def filled(self, number: str) -> str:
        """The dial string for a number.

        Raises:
            UndialableNumberError: the number has characters a dial string could be broken by.
        """
        dialed = dialable(number)
        return self.template.replace("{number}", dialed).replace("{digits}", dialed.removeprefix("+"))

    @property
    def pjsip_endpoint(self) -> str | None:
        """The PJSIP endpoint calls go out by; empty if the number is taken for one, None without PJSIP."""
        technology, _, resource = self.template.partition("/")
        if technology.upper() != "PJSIP":
            return None
        endpoint, slash, _ = resource.partition("/")
        return endpoint if slash else resource.partition("@")[2]


@frozen
class AgentEndpoint:
    """Where an agent's phone is, if the host tells no endpoint.

    Raises:
        ValueError: the template has no agent in it, or could not be dialed.
    """

    template: str = field()

    @template.validator
    def _check(self, _: object, value: str) -> None:
        _checked(value, "{agent}")

    def filled(self, agent: Agent, allowed: Iterable[str] = ()) -> str:
        """The dial string for an agent's phone; `allowed` are patterns of others than the template makes.

        Raises:
            UnsafeEndpointError: the host's endpoint, or the id, is none of these.
        """
        return endpoint_of(agent.id, agent.endpoint, self.template, allowed)
