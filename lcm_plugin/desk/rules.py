"""What a site's settings say of the supply."""

from lcm_plugin.config import LcmSettings, RecoverMessage
from lcm_plugin.supply import Rules


def supply_rules(settings: LcmSettings) -> Rules:
    """The rules by which questions are granted."""
    return Rules(
        poll=(settings.poll_min_seconds, settings.poll_max_seconds),
        own_seconds=settings.own_question_seconds,
        shared=settings.shared_polling,
        reserved=settings.reserved_first,
        reserved_seconds=settings.reserved_every_seconds,
        by_group=settings.recover_with is RecoverMessage.SINGLE,
        at_once=settings.max_concurrency,
        per_second=settings.max_per_second,
        own_per_second=settings.reserved_per_second,
    )
