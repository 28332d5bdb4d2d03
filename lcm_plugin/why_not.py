"""`lcm-plugin explain`: every rule's word on a sample reply's contacts, or on an attempt of the ledger.

The host is started, because policies read their files then; without agents nothing is fetched or dialed.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cti_hooks import Agent, Check, Host, masked, masked_text, printable
from lcm_plugin.attempts import NoAttemptError
from lcm_plugin.explanation import Explanation, explained
from lcm_plugin.plugin import lcm_of
from lcm_plugin.sample import contacts_in


async def explain_sample(
    config: Path, reply: bytes, agent_id: str | None, moment: datetime | None
) -> list[Explanation]:
    """An explanation for each contact of a reply, as the site completes it.

    Raises:
        ConfigError: the settings cannot be used.
        LcmError: the reply has no usable contact.
    """
    agent = Agent(id=agent_id or "explain")
    host = Host.from_config(config, observes=True)
    contacts = contacts_in(reply, lcm_of(host))
    async with host:
        enriched = [await lcm_of(host).desks.site.enriched(contact, agent) for contact in contacts]
        return [await explained(host, agent, contact, moment) for contact in enriched]


async def explain_attempt(
    config: Path, attempt_id: str, agent_id: str | None, moment: datetime | None
) -> Explanation:
    """The explanation of an attempt's contact, for its own agent or another.

    Raises:
        ConfigError: the settings cannot be used.
        NoAttemptError: the ledger has none of this id, or it has no contact.
        LedgerUnavailable: the ledger cannot be read.
    """
    async with Host.from_config(config, observes=True) as host:
        attempt = await lcm_of(host).desks.ledger.get(attempt_id)
        if attempt is None:
            raise NoAttemptError(f"the ledger has no attempt {attempt_id}; `lcm-plugin attempts` lists them")
        if attempt.contact is None:
            raise NoAttemptError(f"attempt {attempt_id} has no contact to explain: it is {attempt.state}")
        agent = Agent(id=agent_id) if agent_id else attempt.agent
        return await explained(host, agent, attempt.contact, moment, attempt_id)


def told(explanation: Explanation) -> list[str]:
    """An explanation for people: numbers masked, a line for each fact, aligned."""
    contact, checks = explanation.contact, explanation.checks
    width = max((len(check.rule) for check in checks), default=0)
    lines = [
        f"contact  {printable(contact.key)}  {masked(contact.phone_number)}",
        f"agent    {explanation.agent.id}",
        f"at       {explanation.moment.isoformat(timespec='seconds')}",
        "",
    ]
    lines += [line for check in checks for line in _of(check, width)]
    return [*lines, "", _verdict(explanation)]


def _of(check: Check, width: int) -> Iterator[str]:
    indent = " " * (width + 7)
    yield f"{'ok ' if check.passed else 'NO '}  {check.rule:{width}}  {_shown(check.reason)}"
    if check.not_before:
        yield f"{indent}not before {_utc(check.not_before)}"
    if check.evidence:
        yield f"{indent}by {', '.join(_facts(check.evidence))}"


def _facts(evidence: Mapping[str, Any]) -> Iterator[str]:
    return (f"{name} {_fact(value)}" for name, value in evidence.items())


def _fact(value: Any) -> str:
    if isinstance(value, Mapping):
        return " and ".join(_facts(value))
    if isinstance(value, list | tuple):
        return " and ".join(map(_fact, value))
    return f"{value:.3g}" if isinstance(value, float) else _shown("-" if value in (None, "") else str(value))


def _verdict(explanation: Explanation) -> str:
    objections, rules = len(explanation.objections), len(explanation.checks)
    if not rules:
        return "no plugin has a rule: nothing speaks against it"
    if not objections:
        return f"all {rules} rules let it be called"
    when = f"; not before {_utc(explanation.not_before)}" if explanation.not_before else ""
    return f"{objections} of {rules} rules refuse it{when}"


def _shown(text: str) -> str:
    return printable(masked_text(text))


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
