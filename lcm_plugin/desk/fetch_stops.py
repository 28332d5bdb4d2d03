"""While dialing is stopped, nothing is fetched either: a stop protects the lists, and empties none."""

import asyncio
import logging
import math
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import define, field

from cti_hooks import Agent, described
from lcm_plugin.errors import LcmError
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.ledger import DialingStoppedError, Ledger, Stop

log = logging.getLogger("lcm_plugin.desk")

_ASKED_AGAIN: Final = 60.0
"""Seconds after which an LCM that did not tell its groups' campaigns is asked once more."""


@define(kw_only=True, eq=False)
class FetchStops:
    """For all agents of one LCM. A stop holds from the next question on, and within a second at other hosts.

    A stopped campaign covers a campaign group of that name, and one all of whose campaigns, as the LCM lists
    them, are stopped. Contacts of a group with other campaigns besides are fetched; those of the stopped one
    are held.
    """

    ledger: Ledger
    client: LcmClient
    lists_seconds: float
    _campaigns: Mapping[str, frozenset[str]] = field(factory=dict, init=False)
    _known_until: float = field(default=-math.inf, init=False)
    _stops: list[Stop] = field(factory=list, init=False)
    _told: list[Stop] | None = field(default=None, init=False)
    _read_at: float = field(default=-math.inf, init=False)

    async def have_changed(self) -> bool:
        """Read where dialing is stopped; whether that is another place than when this was asked last.

        Raises:
            LedgerUnavailable: that cannot be told now.
        """
        before, self._told = self._told, await self._read()
        return before is not None and before != self._told

    def forget(self) -> None:
        """This host has stopped, or resumed, dialing somewhere: read it before the next question."""
        self._read_at = -math.inf

    async def _read(self) -> list[Stop]:
        at = asyncio.get_running_loop().time()
        self._stops, self._read_at = await self.ledger.dialing_stops(), at
        return self._stops

    async def campaigns(self, agent: Agent, *, read_within: float = 0.0) -> list[Stop]:
        """The campaigns that are stopped, as of now, or as they were read so many seconds ago.

        Raises:
            DialingStoppedError: the site is, or this agent, by whom and since when; or the clock cannot be
                believed, so that nothing could be dialed.
            LedgerUnavailable: that cannot be told now.
        """
        self.ledger.refuse_in_doubt()
        is_old = asyncio.get_running_loop().time() - self._read_at >= read_within
        found = await self._read() if is_old else self._stops
        for stop in found:
            if stop.kind == "site" or (stop.kind == "agent" and stop.name == agent.id):
                raise _stopped(stop)
        return [stop for stop in found if stop.kind == "campaign"]

    async def left(self, agent: Agent, groups: Sequence[str], found: Sequence[Stop]) -> Sequence[str]:
        """Of these groups, in order, those that the stopped campaigns do not cover.

        Raises:
            DialingStoppedError: they cover them all.
        """
        if not found or not groups:
            return groups
        names, campaigns = {stop.name for stop in found}, await self._listed(agent)
        left = [group for group in groups if not _covers(names, group, campaigns)]
        if not left:
            raise _stopped(found[0])
        return left

    async def _listed(self, agent: Agent) -> Mapping[str, frozenset[str]]:
        """Each group's campaigns; what the LCM does not tell is unknown."""
        now = asyncio.get_running_loop().time()
        if now >= self._known_until:
            self._known_until = now + _ASKED_AGAIN
            try:
                self._campaigns = await self.client.campaigns(agent)
                self._known_until = now + self.lists_seconds
            except LcmError as error:
                log.warning(
                    "which campaigns are stopped is known by their contacts only: %s", described(error)
                )
        return self._campaigns


def _stopped(stop: Stop) -> DialingStoppedError:
    return DialingStoppedError(f"{stop.said}: nothing is fetched until it is resumed")


def _covers(stopped: set[str], group: str, campaigns: Mapping[str, frozenset[str]]) -> bool:
    own = campaigns.get(group, frozenset())
    return group in stopped or bool(own and own <= stopped)
