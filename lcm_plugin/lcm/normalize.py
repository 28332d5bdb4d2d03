"""From a record of the LCM to a `Contact`. What has no field of its own stays in `extra`.

Dates without a zone, and numbers without a country: docs/architecture.md#times-and-numbers.
"""

import logging
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import phonenumbers
from attrs import define, field
from phonenumbers import PhoneNumber
from phonenumbers.timezone import time_zones_for_number

from cti_hooks import CallType, Consent, Contact, TimeZone
from lcm_plugin.config import LcmSettings
from lcm_plugin.errors import Fault, LcmBadReply
from lcm_plugin.lcm import spelling
from lcm_plugin.lcm.decode import Reply
from lcm_plugin.lcm.spelling import ALIASES, MISSING, Named, folded, pick

log = logging.getLogger("lcm_plugin.lcm")

UNREADABLE_EXPIRY: Final = "ExpiryTime"
"""Where `extra` keeps an expiry that could not be read."""
_CALL_TYPE_WORDS: Final = {
    "regular": CallType.REGULAR,
    "regularcallback": CallType.REGULAR_CALLBACK,
    "normalcallback": CallType.REGULAR_CALLBACK,
    "personalcallback": CallType.PERSONAL_CALLBACK,
}
"""The types the download page names, and GetCampaignsForMCDRequest's word for the second."""
_UNKNOWN_ZONE: Final = "Etc/Unknown"


@define
class Normalizer:
    """Reads records by a site's settings."""

    settings: LcmSettings
    _consent: dict[str, Consent] = field(init=False)
    _call_types: dict[str, CallType] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._consent = {folded(word): Consent(means) for word, means in self.settings.consent_words.items()}
        self._call_types = {folded(word): CallType(means) for word, means in self.settings.call_types.items()}

    def contact(self, record: Mapping[str, Any], *, campaign_group: str, reserved: bool) -> Contact:
        """The contact of a record.

        Raises:
            LcmBadReply: it has no key or no number.
        """
        named = Named(record)
        key, number = _key(named), _text(named, "phone_number").strip()
        if not key.strip() or not number:
            lacks = "number" if key.strip() else "key"
            raise LcmBadReply(f"the LCM's contact has no {lacks}", fault=Fault.UNUSABLE)
        e164, number_zones = self.number(number)
        extra = _unnamed(record)
        expires_at = self._instant(named, "expires_at", extra)
        consent_raw, call_type_raw = _text(named, "consent"), _text(named, "call_type")
        return Contact(
            key=key,
            phone_number=number,
            e164=e164,
            campaign=_text(named, "campaign"),
            campaign_group=_text(named, "campaign_group") or campaign_group,
            contact_id=_text(named, "contact_id"),
            mode=_text(named, "mode"),
            call_type=self._call_type(call_type_raw),
            call_type_raw=call_type_raw,
            consent=self.consent(consent_raw),
            consent_raw=consent_raw,
            expires_at=expires_at,
            callback_at=self._instant(named, "callback_at", extra),
            time_zones=_stated_zone(named) + number_zones,
            reserved=reserved,
            extra=extra,
        )

    def usable(
        self, records: Iterable[Mapping[str, Any]], agent_id: str, *, campaign_group: str, reserved: bool
    ) -> list[Contact]:
        """The contacts of these records. Others could not be dialed: a line for each reason counts them."""
        contacts, wrong = [], Counter[str]()
        for record in records:
            try:
                contacts.append(self.contact(record, campaign_group=campaign_group, reserved=reserved))
            except LcmBadReply as error:
                wrong[f"{error}"] += 1
        for why, count in wrong.items():
            many = f"{count} contacts" if count > 1 else "a contact"
            log.warning("%s of agent %s cannot be used: %s", many, agent_id, why)
        return contacts

    def consent(self, word: str) -> Consent:
        """What a word of the LCM means; a word that the site has not mapped is unknown."""
        return self._consent.get(folded(word), Consent.UNKNOWN)

    def number(self, text: str) -> tuple[str | None, tuple[TimeZone, ...]]:
        """A number in E.164, or None if it is no valid one, and the zones it may be in."""
        parsed = _parsed(text, self.settings.default_region)
        return _e164(parsed), _number_zones(parsed)

    def e164(self, text: str) -> str | None:
        """A number in E.164, or None if it is no valid one."""
        return _e164(_parsed(text, self.settings.default_region))

    def _call_type(self, raw: str) -> CallType:
        mapped = self._call_types.get(folded(raw))
        word = folded(raw).replace(" ", "").replace("_", "").replace("-", "")
        return mapped or _CALL_TYPE_WORDS.get(word, CallType.UNKNOWN)

    def _instant(self, record: Mapping[str, Any], name: str, extra: dict[str, Any]) -> datetime | None:
        """When it is, or None; what is there but cannot be read is kept in `extra`."""
        raw = spelling.field(record, name)
        if raw in (MISSING, None) or (isinstance(raw, str) and not raw.strip()):
            return None
        moment = self._read(raw) if isinstance(raw, str) else None
        if moment is None:
            extra[ALIASES[name][0]] = raw
        return moment

    def _read(self, raw: str) -> datetime | None:
        """In the configured zone; of two instants with the same wall time, the earlier."""
        for form in self.settings.datetime_formats:
            try:
                moment = datetime.strptime(raw.strip(), form)  # noqa: DTZ007  (the LCM states no zone)
                local = moment if moment.tzinfo else moment.replace(tzinfo=self.settings.zone)
                local.utctimetuple()  # a year the zone cannot tell raises here
            except (ValueError, OverflowError):
                continue
            return local
        return None


def unreadable_expiry(contact: Contact) -> str | None:
    """The text of an expiry that could not be read, or None."""
    raw = contact.extra.get(UNREADABLE_EXPIRY)
    return None if contact.expires_at or raw is None else str(raw)


def campaign_group_names(reply: Reply) -> tuple[str, ...]:
    """The groups GetCampaignGroups lists that run: status EXECUTING, or none stated."""
    return tuple(
        name.strip()
        for record in reply.records
        if isinstance(name := pick(record, "Name"), str)
        and name.strip()
        and folded(pick(record, "Status")) in {"executing", "", "none", folded(MISSING)}
    )


def campaigns_of_groups(reply: Reply) -> dict[str, frozenset[str]]:
    """Each group GetCampaignGroups lists, with the ids of its campaigns, if the LCM tells them."""
    return {
        name.strip(): frozenset(_campaign_ids(pick(record, "Campaigns")))
        for record in reply.records
        if isinstance(name := pick(record, "Name"), str)
    }


def _campaign_ids(listed: Any) -> Iterable[str]:
    for one in listed if isinstance(listed, list) else [listed]:
        if isinstance(one, Mapping) and (campaign := _as_text(pick(one, "ID"))):
            yield campaign


def _key(record: Mapping[str, Any]) -> str:
    """Byte for byte, blanks included: it goes back to the LCM as it came."""
    value = spelling.field(record, "key")
    return value if isinstance(value, str) else scalar(value)


def _text(record: Mapping[str, Any], name: str) -> str:
    return _as_text(spelling.field(record, name))


def _as_text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else scalar(value)


def scalar(value: Any) -> str:
    """A number or a truth value as text; what is neither has none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) and abs(value) < 1e30 else ""  # noqa: PLR2004  (an id)


_NAMED: Final = {folded(alias) for aliases in ALIASES.values() for alias in aliases}


def _unnamed(record: Mapping[str, Any]) -> dict[str, Any]:
    """Fields without a `Contact` attribute, and known fields whose value is an object or an array."""
    return {
        str(key): value
        for key, value in record.items()
        if folded(key) not in _NAMED or isinstance(value, list | dict)
    }


def _parsed(number: str, region: str) -> PhoneNumber | None:
    """The number, if it is a valid one."""
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    return parsed if phonenumbers.is_valid_number(parsed) else None


def _e164(parsed: PhoneNumber | None) -> str | None:
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) if parsed else None


def _stated_zone(record: Mapping[str, Any]) -> tuple[TimeZone, ...]:
    name = _text(record, "time_zone")
    return (TimeZone(name=name, evidence="lcm"),) if name else ()


def _number_zones(parsed: PhoneNumber | None) -> tuple[TimeZone, ...]:
    """Where the number was issued: a set, every one of which is a candidate."""
    names = time_zones_for_number(parsed) if parsed else ()
    return tuple(TimeZone(name=name, evidence="number") for name in names if name != _UNKNOWN_ZONE)
