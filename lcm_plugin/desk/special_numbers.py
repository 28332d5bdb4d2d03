"""Numbers no list has to call: emergency and short numbers, and those that cost whoever calls them.

Whatever policies are enabled, and whoever dials: who can write into a list chooses what is dialed.
"""

from fnmatch import fnmatchcase
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberType, shortnumberinfo

from cti_hooks import Check, Contact, Refusal
from lcm_plugin.config import LcmSettings
from lcm_plugin.ledger import GONE

SPECIAL_NUMBER: Final = "special_number"
LONGEST_SHORT: Final = 6
"""Digits: a longer number is a subscriber's number. An emergency number has three, with a prefix four."""


def special_number_refusal(contact: Contact, settings: LcmSettings) -> Refusal | None:
    """Why nobody dials this contact's number, or None; also None if the number has been erased."""
    why = _objection(contact.e164 or contact.phone_number, settings)
    return Refusal(rule=SPECIAL_NUMBER, reason=why) if why else None


def special_number_check(contact: Contact, settings: LcmSettings) -> Check:
    """The same, passed or not."""
    why = _objection(contact.e164 or contact.phone_number, settings)
    told = why or "it is no emergency, short or premium-rate number"
    return Check(rule=SPECIAL_NUMBER, passed=not why, reason=told)


def _objection(number: str, settings: LcmSettings) -> str:
    if number == GONE:
        return ""
    plus = "+" if number.strip().startswith("+") else ""
    digits = plus + phonenumbers.normalize_digits_only(number)
    if shortnumberinfo.connects_to_emergency_number(digits, settings.default_region):
        named = digits in settings.allowed_short_numbers  # by itself: no pattern means it
        return (
            "" if named else "it is an emergency number; allowed_short_numbers names those that may be called"
        )
    if len(digits.removeprefix("+")) <= LONGEST_SHORT:
        allowed = any(fnmatchcase(digits, pattern) for pattern in settings.allowed_short_numbers)
        return "" if allowed else "it is a short number; allowed_short_numbers names those that may be called"
    if _costs(digits, settings.default_region) and not settings.allow_premium_rate:
        return "it is a premium-rate number; allow_premium_rate = true lets such numbers be called"
    return ""


def _costs(digits: str, region: str) -> bool:
    try:
        parsed = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.number_type(parsed) == PhoneNumberType.PREMIUM_RATE
