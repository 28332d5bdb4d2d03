"""A line in the log for each step of a contact's way; none for a question that brings nothing."""

import logging

from cti_hooks import Attempt, masked_text

log = logging.getLogger("lcm_plugin.desk")


def say(attempt: Attempt) -> None:
    """What has become of it, and why."""
    if attempt.contact:
        reason = masked_text(attempt.reason)
        log.info("attempt %s of agent %s is %s: %s", attempt.id, attempt.agent.id, attempt.state, reason)
