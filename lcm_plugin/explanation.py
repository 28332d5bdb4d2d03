"""Why not? One contact, one moment, and every rule's word on it: for the command and for the API."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from attrs import frozen

from cti_hooks import Agent, Answer, Check, Contact, Hooks, Host, Refusal, TypedHooks, described


@frozen(kw_only=True)
class Explanation:
    """What every rule says of calling this contact at this moment."""

    attempt_id: str | None
    agent: Agent
    contact: Contact
    moment: datetime
    allowed: bool
    """Whether all checks passed."""
    not_before: datetime | None
    """The next moment at which no rule is known to object; None if that cannot be told."""
    checks: tuple[Check, ...]

    @property
    def objections(self) -> list[Check]:
        """The checks that did not pass."""
        return _objections(self.checks)


async def explained(
    host: Host, agent: Agent, contact: Contact, moment: datetime | None, attempt_id: str | None = None
) -> Explanation:
    """Ask every plugin of a running host; of the present if no moment is given. Nothing is dialed."""
    asked_of = moment or host.clock.now()
    checks = await explain(host.hooks, agent, contact, asked_of)
    return Explanation(
        attempt_id=attempt_id,
        agent=agent,
        contact=contact,
        moment=asked_of,
        allowed=not _objections(checks),
        not_before=_latest(check.not_before for check in _objections(checks)),
        checks=tuple(checks),
    )


async def explain(hooks: Hooks, agent: Agent, contact: Contact, moment: datetime) -> list[Check]:
    """What every plugin says of calling this contact at this moment, in the order of the host's config.

    A plugin that explains nothing is judged by its review alone. A review's refusal is always among the
    checks, explained or not: nothing is shown as allowed that a desk would refuse. A failure is a check that
    did not pass. The moment may be another than the present.
    """
    hook = TypedHooks(hooks)
    explained = await hook.explain_contact(agent=agent, contact=contact, moment=moment)
    reviewed = await hook.review_contact(agent=agent, contact=contact, moment=moment)
    return [
        check
        for name in _call_order(hooks)
        for check in _of_one(
            [answer for answer in explained if answer.plugin == name],
            [answer for answer in reviewed if answer.plugin == name],
        )
    ]


def _objections(checks: Iterable[Check]) -> list[Check]:
    return [check for check in checks if not check.passed]


def _latest(moments: Iterable[datetime | None]) -> datetime | None:
    """The latest, or None if one of them is not known."""
    told = list(moments)
    known = [moment for moment in told if moment is not None]
    return max(known) if known and len(known) == len(told) else None


def _call_order(hooks: Hooks) -> list[str]:
    """The plugin registered last is called first, as in pluggy."""
    return [name for name, _ in reversed(hooks.pm.list_name_plugin())]


def _of_one(explained: list[Answer], reviewed: list[Answer]) -> Iterator[Check]:
    told = [check for answer in explained for check in _explained(answer)]
    yield from told
    refused = {check.rule for check in told if not check.passed}
    for answer in reviewed:
        check = _reviewed(answer)
        if (check.passed and not told) or not (check.passed or check.rule in refused):
            yield check


def _explained(answer: Answer) -> list[Check]:
    if answer.error is not None:
        return [_failed("explain_failed", "explanation", answer.plugin, answer.error)]
    return list(answer.value or ())


def _reviewed(answer: Answer) -> Check:
    if answer.error is not None:
        return _failed("review_failed", "review", answer.plugin, answer.error)
    refusal: Refusal | None = answer.value
    if refusal is None:
        return Check(rule=answer.plugin, passed=True, reason="no objection")
    return Check(
        rule=refusal.rule,
        passed=False,
        reason=refusal.reason,
        not_before=refusal.not_before,
        evidence=refusal.evidence,
    )


def _failed(rule: str, what: str, plugin: str, error: Exception) -> Check:
    return Check(
        rule=rule,
        passed=False,
        reason=f"the {what} of plugin {plugin!r} failed, so nobody said yes",
        evidence={"plugin": plugin, "error": described(error)},
    )
