"""What a site wants done with a contact that its rules refuse: `on_refusal`."""

import logging
from collections.abc import Mapping
from typing import Final

from attrs import define

from cti_hooks import Attempt, AttemptState, Disposition, Refusal
from lcm_plugin.desk.disposing import Disposing
from lcm_plugin.desk.site import is_foreign
from lcm_plugin.errors import InvalidError

log = logging.getLogger("lcm_plugin.desk")

HOLD: Final = "hold"
REFUSE: Final = "refuse"
"""What may be wished, besides an outcome id."""


@define(kw_only=True, eq=False)
class OnRefusal:
    """The wishes, by the rule's name, and how they are followed."""

    wishes: Mapping[str, str]
    disposing: Disposing

    def wish(self, attempt: Attempt, refusals: tuple[Refusal, ...]) -> str:
        """What the site wants done: an outcome id before all, and held only if every rule may change."""
        if attempt.state is not AttemptState.OFFERED:
            return REFUSE
        wishes = [self.wishes.get(one.rule, REFUSE) for one in refusals]
        if is_foreign(attempt):  # the ids are the LCM's
            wishes = [REFUSE if wish != HOLD else wish for wish in wishes]
        outcome_id = next((wish for wish in wishes if wish not in {HOLD, REFUSE}), None)
        return outcome_id or (HOLD if set(wishes) == {HOLD} else REFUSE)

    async def disposed(self, attempt: Attempt, outcome_id: str, refusals: tuple[Refusal, ...]) -> bool:
        """Dispose of it with this outcome; whether that could be followed."""
        disposition = Disposition(outcome_id=outcome_id)
        try:
            await self.disposing.dispose(attempt, disposition, "auto", refusals=refusals)
        except InvalidError as error:
            log.error("on_refusal cannot be followed for attempt %s: %s", attempt.id, error)  # noqa: TRY400  (no trace)
            return False
        return True
