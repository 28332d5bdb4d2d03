"""Whom a rule does not hold for: who asked to be called back, and who gave consent."""

from typing import Final, Literal

from cti_hooks import CallType, Consent, Contact

Exemption = Literal["callback_requested", "consent_given"]
CALLBACKS: Final = {CallType.PERSONAL_CALLBACK, CallType.REGULAR_CALLBACK}
_SAID: Final = {
    "callback_requested": "a callback that was asked for: it does not hold",
    "consent_given": "consent was given: it does not hold",
}


def exemptions(unless: tuple[Exemption, ...], contact: Contact) -> tuple[Exemption, ...]:
    """Which of these exemptions are this contact's."""
    given = {
        "callback_requested": contact.call_type in CALLBACKS,
        "consent_given": contact.consent is Consent.GIVEN,
    }
    return tuple(one for one in unless if given[one])


def said(exemption: Exemption) -> str:
    """Why a rule does not hold, in words."""
    return _SAID[exemption]
