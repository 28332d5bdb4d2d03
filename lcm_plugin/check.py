"""`lcm-plugin check`: is this config file good, and does its LCM answer?"""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import asdict, frozen

from cti_hooks import Agent, ConfigError, Health, Host, described, health_of, printable
from lcm_plugin import lacking
from lcm_plugin.desk.dialer_wanted import dialer_health
from lcm_plugin.errors import LcmError, LcmRejected
from lcm_plugin.lcm.catalogue.non_pewc import CALL_COUNT
from lcm_plugin.lcm.meanings import call_count
from lcm_plugin.next_contact import reviewed
from lcm_plugin.plugin import LcmPlugin, lcm_of
from lcm_plugin.presentation import as_text
from lcm_plugin.sample import contacts_in
from lcm_plugin.service import load
from lcm_plugin.service.phones import wrong_endpoint


@frozen(kw_only=True)
class Finding:
    """One thing that was checked: what, whether it is good, and what was seen."""

    what: str
    good: bool
    seen: str
    detail: Any = None
    warns: bool = False
    """Whether it is a warning: perhaps it is meant so, and no reason to call the file bad."""

    def as_json(self) -> dict[str, Any]:
        """The finding as a JSON object."""
        return asdict(self)

    def __str__(self) -> str:
        word = "BAD " if not self.good else "WARN" if self.warns else "ok  "
        seen = self.seen if self.detail is not None else printable(self.seen)  # JSON has lines of its own
        return f"{word} {printable(self.what)}: {seen}"


NOBODY: Final = Agent(id="check")
"""Who asks the LCM, if no agent is named."""


async def check(
    config: Path, *, agent: Agent | None, sample: bytes | None, probe: str | None
) -> list[Finding]:
    """Everything that can be told of a config file, and of an agent.

    With `sample`, a reply, it tells the contact that comes of it, and asks no LCM. With `probe`, it fetches a
    contact for that agent, so give a test agent's id.
    """
    try:
        host, _ = load(config, observes=True)
        lcm_of(host)
    except ConfigError as error:
        return [
            Finding(what="settings", good=False, seen=f"{config}: {problem}") for problem in error.problems
        ]
    found = [Finding(what="settings", good=True, seen=f"{config}")]
    found += [
        Finding(what=f"plugin {name}", good=True, seen=host.origin(plugin))
        for name, plugin in host.plugins.items()
    ]
    return [*found, *[finding async for finding in _running(host, agent, sample, probe)]]


async def _running(
    host: Host, agent: Agent | None, sample: bytes | None, probe: str | None
) -> AsyncIterator[Finding]:
    """What is found with the plugins started: policies, too, read their files only then."""
    try:
        async with host:
            yield Finding(what="plugins start", good=True, seen="all of them")
            if sample is not None:
                yield await _sample(host, agent or NOBODY, sample)
                return
            async for finding in _asked(host, agent, probe):
                yield finding
    except Exception as error:  # noqa: BLE001  (whatever a plugin's start raises is what was found)
        yield Finding(what="plugins start", good=False, seen=f"{described(error)} {_notes(error)}".strip())


async def _asked(host: Host, agent: Agent | None, probe: str | None) -> AsyncIterator[Finding]:
    lcm = lcm_of(host)
    for one in health_of(await host.hook.report_health()):
        yield _found(one)
    dialer = dialer_health(lcm.desks.site, lcm.settings)
    if dialer and not dialer.good:
        yield Finding(what=dialer.what, good=True, warns=True, seen=f"{dialer.seen} (`next` needs none)")
    if callid := lacking.callid(lcm.settings):
        yield Finding(what="screen_pop", good=True, warns=True, seen=callid)
    async for finding in _lcm(lcm, agent or NOBODY):
        yield finding
    if agent:
        yield await _agent(lcm_of(host), agent)
        if wrong := wrong_endpoint(host.hooks, agent):
            yield Finding(what="endpoint", good=False, seen=wrong)
    if probe:
        yield await _probe(lcm_of(host), Agent(id=probe))


def _found(health: Health) -> Finding:
    return Finding(what=health.what, good=health.good, seen=health.seen)


def _notes(error: Exception) -> str:
    return " ".join(getattr(error, "__notes__", []))


async def _lcm(lcm: LcmPlugin, agent: Agent) -> AsyncIterator[Finding]:
    """Whether the LCM answers at all. That it refuses this agent proves that it is alive, and no more."""
    try:
        groups = await lcm.client.campaign_groups(agent)
    except LcmRejected as error:
        yield Finding(what="LCM", good=error.status not in {401, 403}, seen=f"answers, and says: {error}")
    except LcmError as error:
        yield Finding(what="LCM", good=False, seen=str(error))
    else:
        yield _groups(lcm, agent, groups)
        for one in await lacking.reserved_message(lcm.client, agent):
            yield _found(one)


def _groups(lcm: LcmPlugin, agent: Agent, groups: Sequence[str]) -> Finding:
    missing = sorted(set(lcm.settings.campaign_groups) - set(groups))
    if missing:
        lacks, has = ", ".join(missing), ", ".join(groups) or "none"
        return Finding(
            what="LCM", good=False, seen=f"no campaign group {lacks} for agent {agent.id}; it has: {has}"
        )
    return Finding(what="LCM", good=True, seen=f"answers; campaign groups: {', '.join(groups) or 'none'}")


async def _agent(lcm: LcmPlugin, agent: Agent) -> Finding:
    """An agent's three names side by side, and what the LCM has waiting: nothing under a wrong name."""
    names = f"host id {agent.id}, LCM AgentID {agent.lcm_id or agent.id}, endpoint {agent.endpoint or 'none'}"
    try:
        count = call_count(await lcm.client.ask(CALL_COUNT, agent, user=agent))
    except LcmRejected as error:
        return Finding(what="agent", good=False, seen=f"{names}; {error}")
    except LcmError as error:
        return Finding(what="agent", good=False, seen=f"{names}; what waits for them is unknown: {error}")
    waits = (
        f"{_number(count.personal_callbacks)} personal and {_number(count.regular_callbacks)} other callbacks"
    )
    holds = {True: "a contact is reserved", False: "nothing is reserved", None: "reserved or not is not said"}
    return Finding(what="agent", good=True, seen=f"{names}; the LCM says: {waits}, {holds[count.reserved]}")


def _number(count: int | None) -> str:
    return "an unknown number of" if count is None else str(count)


async def _probe(lcm: LcmPlugin, agent: Agent) -> Finding:
    """Whether a fresh download reserves: the LCM's pages do not say it, and settling doubt relies on it."""
    what = "reservation"
    try:
        groups = await lcm.campaign_groups(agent)
        contact = await lcm.client.next_contact(agent, groups[0]) if groups else None
        if contact is None:
            return Finding(
                what=what, good=False, seen="no contact now, so nothing can be told; try again later"
            )
        reserved = await lcm.client.reserved.all(agent, groups[0])
    except LcmError as error:
        return Finding(what=what, good=False, seen=str(error))
    if contact.key in {one.key for one in reserved}:
        return Finding(what=what, good=True, seen=f"a fresh download reserves: {contact.key} is {agent.id}'s")
    seen = f"{contact.key} was downloaded but is not among the reserved; a lost reply may lose a contact"
    return Finding(what=what, good=False, seen=seen)


async def _sample(host: Host, agent: Agent, reply: bytes) -> Finding:
    """The contact a reply becomes, enriched and reviewed; the LCM is not asked."""
    try:
        contacts = contacts_in(reply, lcm_of(host))
    except LcmError as error:
        return Finding(what="sample", good=False, seen=str(error))
    shown = [await reviewed(lcm_of(host).desks, agent, contact) for contact in contacts]
    return Finding(what="sample", good=True, seen=as_text(shown), detail=shown)
