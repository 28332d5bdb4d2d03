"""What a desk asks of the site: the hooks it calls, typed, and the only place that names them."""

from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import Final

from attrs import define, evolve, field, frozen

from cti_hooks import (
    Activity,
    Agent,
    AgentState,
    Answer,
    Attempt,
    Call,
    CannotTellError,
    Contact,
    Dial,
    HasEngines,
    Hooks,
    KnowsEngines,
    Refusal,
    TypedHooks,
)
from lcm_plugin.errors import LcmError


@define(kw_only=True, eq=False)
class Errand:
    """What a desk asks all sources of contacts for.

    Attributes:
        attempt_id: what their contact is for.
        to_lcm: whether the LCM is asked as well.
        error: how that failed: told to the desk, which says it once, and not in the log for each question.
    """

    attempt_id: str
    to_lcm: bool
    error: LcmError | None = None


_errand: Final[ContextVar[Errand | None]] = ContextVar("errand", default=None)


@frozen
class Site:
    """The hooks of the host a desk works in; `own` is the plugin this desk is of, by name."""

    hooks: Hooks
    own: str

    hook: TypedHooks = field(init=False)
    """The hooks, each by a typed method."""

    @hook.default
    def _typed(self) -> TypedHooks:
        return TypedHooks(self.hooks)

    async def campaign_groups(self, agent: Agent) -> Sequence[str] | None:
        """The groups the site chose for this agent, or None."""
        return await self.hook.select_campaign_groups(agent=agent)

    async def next_contact(
        self, agent: Agent, campaign_group: str, errand: Errand | None = None
    ) -> Contact | None:
        """The next contact, from whichever source has one, which it names; whatever that source set.

        `errand` is a desk's: this plugin, asked as one of the sources, knows it again.
        """
        asked = {"agent": agent, "campaign_group": campaign_group}
        token = _errand.set(errand)
        try:
            answer = await self.hooks.first_answer("request_next_contact", **asked)
        finally:
            _errand.reset(token)
        if answer is None:
            if errand and errand.error:
                raise errand.error
            return None
        contact: Contact = answer.value
        return contact if answer.plugin == self.own else evolve(contact, source=answer.plugin)

    @staticmethod
    def errand() -> Errand | None:
        """What a desk asks `request_next_contact` for; None if it is not a desk that asks."""
        return _errand.get()

    @property
    def has_sources(self) -> bool:
        """Whether other plugins give contacts, too."""
        implementations = self.hooks.pm.hook.request_next_contact.get_hookimpls()
        return any(one.plugin_name != self.own for one in implementations)

    async def enriched(self, contact: Contact, agent: Agent) -> Contact:
        """The contact as the site completes it."""
        return await self.hook.enrich_contact(contact=contact, agent=agent)

    async def refusals(self, agent: Agent, contact: Contact, moment: datetime) -> tuple[Refusal, ...]:
        """Every reason not to call; a policy that fails is one too (fail closed)."""
        answers = await self.hook.review_contact(agent=agent, contact=contact, moment=moment)
        return tuple(refusal for answer in answers if (refusal := _refusal(answer)))

    async def make_call(self, attempt: Attempt, dial: Dial) -> Call | None:
        """The call, or None when no dialer took it. An exception leaves open whether something rang."""
        return await self.hook.make_call(attempt=attempt, dial=dial)

    async def find_call(self, attempt_id: str) -> list[Answer]:
        """What each dialer sees of this attempt; None is no proof that nothing rang."""
        return await self.hook.find_call(attempt_id=attempt_id)

    @property
    def dialers(self) -> list[str]:
        """The plugins that place calls, by name, in the order they are asked."""
        return [one.plugin_name for one in reversed(self.hooks.pm.hook.make_call.get_hookimpls())]

    def is_loaded(self, plugin: str) -> bool:
        """Whether there is a plugin of this name."""
        return self.hooks.pm.has_plugin(plugin)

    def engines_missing(self, plugin: str, calls: Iterable[Call]) -> set[str]:
        """The engines of these calls that the dialer does not have any more; one without names has one."""
        dialer = self.hooks.pm.get_plugin(plugin)
        if not isinstance(dialer, HasEngines):
            return set()
        return {call.engine for call in calls if call.engine} - set(dialer.engines)

    def leaves_open(self, answer: Answer, attempt: Attempt) -> bool:
        """Whether this attempt's call may be at an engine that the dialer could not ask."""
        if not isinstance(answer.error, CannotTellError):
            return answer.error is not None
        silent = answer.error.engines
        if told := {call.engine for call in attempt.calls if call.engine}:
            return not told.isdisjoint(silent)
        dialer = self.hooks.pm.get_plugin(answer.plugin)
        return not isinstance(dialer, KnowsEngines) or dialer.engine_of(attempt.agent) in silent

    async def request_not_ready(self, agent: Agent, reason: str) -> bool:
        """Ask the host to put the agent into not ready. Whether it did so."""
        return await self.request_state(agent, AgentState.NOT_READY, reason)

    async def request_state(self, agent: Agent, state: AgentState, reason: str) -> bool:
        """Ask the host to put the agent into this state, which is the host's. Whether it did so."""
        return await self.hook.request_agent_state(agent=agent, state=state, reason=reason) is True

    async def tell_offered(self, attempt: Attempt) -> None:
        """Announce an offer."""
        await self.hook.on_contact_offered(attempt=attempt)

    async def tell_activity(self, agent: Agent, activity: Activity) -> None:
        """Announce what an agent does now."""
        await self.hook.on_agent_activity(agent=agent, activity=activity)

    async def tell_callback_due(self, agent: Agent, at: datetime) -> None:
        """Announce an agent's own callback."""
        await self.hook.on_callback_due(agent=agent, at=at)

    async def tell_changed(self, attempt: Attempt) -> None:
        """Announce an attempt's change."""
        await self.hook.on_attempt_changed(attempt=attempt)


def is_foreign(attempt: Attempt) -> bool:
    """Whether another source gave its contact: the LCM knows nothing of it, and its ids say nothing of it."""
    return attempt.contact is not None and bool(attempt.contact.source)


def _refusal(answer: Answer) -> Refusal | None:
    if answer.error is None:
        return answer.value if isinstance(answer.value, Refusal) else None
    return Refusal(
        rule="review_failed",
        reason=f"the review of plugin {answer.plugin!r} failed, so nobody said yes",
        evidence={"plugin": answer.plugin, "error": type(answer.error).__name__},
    )
