"""What is wrong with a disposition before any list is looked at, by its fields."""

from collections.abc import Iterator
from datetime import datetime

from cti_hooks import Callback, Contact, Disposition
from lcm_plugin.config import LcmSettings


def wrong_in_shape(contact: Contact, disposition: Disposition, now: datetime) -> dict[str, str]:
    """What no disposition may have, whoever gave the contact."""
    return {**dict(_impossible(disposition, now)), **_no_such_mode(contact, disposition.callback)}


def wrong_for_lcm(disposition: Disposition, settings: LcmSettings) -> dict[str, str]:
    """What the LCM's messages would lack."""
    return dict(_lacking(disposition, settings))


def _impossible(disposition: Disposition, now: datetime) -> Iterator[tuple[str, str]]:
    if disposition.do_not_call_scope and not disposition.do_not_call:
        yield "do_not_call_scope", "says how far do_not_call reaches, which is not said"
    if disposition.do_not_call_until and not disposition.do_not_call:
        yield "do_not_call_until", "says until when do_not_call holds, which is not said"
    elif disposition.do_not_call_until and disposition.do_not_call_until <= now:
        yield "do_not_call_until", "is in the past; it ends later than now"
    if disposition.callback is None:
        return
    if disposition.do_not_call:
        yield "callback", "cannot be told with do_not_call: who is not to be called is not called back"
    if disposition.callback.starts_at <= now:
        yield "callback.starts_at", "is in the past; a callback starts later than now"
    if disposition.callback.ends_at <= disposition.callback.starts_at:
        yield "callback.ends_at", "is not after starts_at"


def _lacking(disposition: Disposition, settings: LcmSettings) -> Iterator[tuple[str, str]]:
    by_content = settings.disposition_message == "by_content"
    if not (disposition.outcome_id or disposition.business_outcome_id) and not (
        disposition.callback and by_content
    ):
        yield "outcome_id", "is needed, or business_outcome_id: what came of it, by the LCM's lists"
    if disposition.do_not_call and not disposition.outcome_id:
        yield "outcome_id", "is needed with do_not_call: SetDNC wants one"
    if disposition.do_not_call_until and settings.callback_time_zone is None:
        yield "do_not_call_until", "needs the setting callback_time_zone: the LCM's dates carry no zone"
    if disposition.callback is None:
        return
    if by_content and disposition.business_outcome_id and not disposition.outcome_id:
        yield "outcome_id", "is needed with business_outcome_id and a callback: the callback's outcome"
    if settings.callback_time_zone is None:
        yield "callback", "needs the setting callback_time_zone: the LCM's dates carry no zone"


def _no_such_mode(contact: Contact, callback: Callback | None) -> dict[str, str]:
    """What is wrong with a callback's number, if the LCM told which there are."""
    ids = {one.id for one in contact.modes}
    if not ids or callback is None or callback.mode_id is None or callback.mode_id in ids:
        return {}
    has = ", ".join(f"{one.id} {one.description}".strip() for one in contact.modes)
    return {"callback.mode_id": f"the contact has no number {callback.mode_id!r}; it has {has}"}
