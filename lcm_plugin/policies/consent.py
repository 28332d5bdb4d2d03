"""`consent`: no call at all to contacts without the consent the site wants.

Without this plugin such contacts are offered, and wait for a person to dial them:
docs/architecture.md#offers-and-consent.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from attrs import field, frozen, validators

from cti_hooks import Check, Consent, Contact
from cti_hooks import settings as plugin_settings
from lcm_plugin.policies.dialed import dialed_modes
from lcm_plugin.policies.policy import Policy

RULE: Final = "consent"


@frozen(kw_only=True)
class ConsentSettings:
    """The `[plugins.consent]` table. Without names it is for all contacts."""

    allow: tuple[Consent, ...] = field(default=(Consent.GIVEN,), validator=validators.min_len(1))
    """Consents that may be called; `["given", "unknown"]` refuses only a no."""
    campaigns: tuple[str, ...] = ()
    campaign_groups: tuple[str, ...] = ()
    """Only contacts of one of these campaigns or groups."""
    modes: tuple[str, ...] = ()
    """Only numbers of these modes, by id or description."""


class ConsentPolicy(Policy):
    """The plugin."""

    def __init__(self, table: Mapping[str, object]) -> None:
        self.settings = plugin_settings.read(ConsentSettings, table)

    async def checks(self, contact: Contact, moment: datetime) -> list[Check]:  # noqa: ARG002  (consent is timeless)
        return [consent_check(self.settings, contact)]


def consent_check(settings: ConsentSettings, contact: Contact) -> Check:
    """Whether the contact's consent is allowed, and the number's own, if it has one."""
    modes = dialed_modes(contact)
    evidence = {"consent": str(contact.consent), "consent_raw": contact.consent_raw}
    if not _is_for(settings, contact):
        return Check(rule=RULE, passed=True, reason="it is not for this contact", evidence=evidence)
    own = {mode.id: mode.consent for mode in modes if mode.consent is not Consent.UNKNOWN}
    evidence |= {f"consent of mode {name}": str(consent) for name, consent in own.items()}
    refused = [consent for consent in (contact.consent, *own.values()) if consent not in settings.allow]
    wanted = " or ".join(settings.allow)
    reason = f"consent is {refused[0]}, not {wanted}" if refused else f"consent is {contact.consent}"
    return Check(rule=RULE, passed=not refused, reason=reason, evidence=evidence)


def _is_for(settings: ConsentSettings, contact: Contact) -> bool:
    modes = [contact.mode, *(name for mode in dialed_modes(contact) for name in (mode.id, mode.description))]
    in_campaign = _named(settings.campaigns, [contact.campaign])
    in_group = _named(settings.campaign_groups, [contact.campaign_group])
    everywhere = not settings.campaigns and not settings.campaign_groups
    return (everywhere or in_campaign or in_group) and (not settings.modes or _named(settings.modes, modes))


def _named(wanted: Iterable[str], names: Iterable[str]) -> bool:
    return not {name.strip().casefold() for name in wanted}.isdisjoint(
        name.strip().casefold() for name in names
    )
