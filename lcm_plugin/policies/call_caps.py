"""`call-caps`: no more calls to a number, or to an LCM contact, than the site and the rules it chose allow.

It counts what `list_past_calls` tells: whoever keeps the record of calls has to be enabled too. Without a
record there is no call.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Final

from attrs import field, frozen

from cti_hooks import Check, Contact, PastCall, described
from lcm_plugin.policies.caps import DAY, Basis, Cap, Whom, caps_checks, caps_of
from lcm_plugin.policies.limits import Caps, SiteLimits
from lcm_plugin.policies.ruled import RuledPolicy
from lcm_plugin.policies.rules import Part, Rule, RuleSettings

SITE: Final = "call-caps"
RECORD: Final = "call-caps-record"
REGION: Final = "call-caps-region"
_LONGEST_CALL: Final = DAY
"""A conversation counts from its end, and the record is asked by when calls were dialed."""


@frozen(kw_only=True)
class CallCapsSettings(RuleSettings):
    """The `[plugins.call-caps]` table."""

    per_number: SiteLimits = field(factory=SiteLimits)
    per_contact: SiteLimits = field(factory=SiteLimits)
    """Of the LCM's contact id in its campaign, under whatever number."""


class NoRecordError(RuntimeError):
    """Nobody keeps a record of past calls."""


class CallCaps(RuledPolicy[CallCapsSettings]):
    """The plugin."""

    part: Part = "caps"

    def __init__(self, table: Mapping[str, object]) -> None:
        super().__init__(CallCapsSettings, table)

    async def checks(self, contact: Contact, moment: datetime) -> list[Check]:
        chosen, unknown = self.rules.of(contact)
        if unknown:
            return [self.region_check(REGION, unknown)]
        caps = list(self._caps(chosen, contact))
        since = moment - max((cap.span for cap in caps), default=DAY) - _LONGEST_CALL
        try:
            calls = await self._past_calls(contact, since)
        except Exception as error:  # noqa: BLE001  (whatever the record's keeper raises)
            return [self._no_record(error)]
        return caps_checks(caps, calls, moment)

    def _caps(self, chosen: Mapping[str, Rule], contact: Contact) -> Iterator[Cap]:
        """The site's caps, and those of the rules that hold for the contact."""
        site = Basis(rule=SITE, evidence=self.version)
        yield from caps_of(self.settings.per_number, Whom.NUMBER, site, contact)
        yield from caps_of(self.settings.per_contact, Whom.CONTACT, site, contact)
        for name, rule in chosen.items():
            caps = rule.caps or Caps()
            basis = Basis(
                rule=name,
                evidence=rule.evidence(self.rules.book.version),
                effective=rule.effective,
                expires=rule.expires or date.max,
            )
            yield from caps_of(caps.per_number, Whom.NUMBER, basis, contact)
            yield from caps_of(caps.per_contact, Whom.CONTACT, basis, contact)

    async def _past_calls(self, contact: Contact, since: datetime) -> Sequence[PastCall]:
        if self.host is None:
            raise NoRecordError("the host is not started")
        calls = await self.host.hook.list_past_calls(contact=contact, since=since)
        if calls is None:
            raise NoRecordError("no plugin keeps one; enable one that implements list_past_calls")
        return calls

    def _no_record(self, error: Exception) -> Check:
        reason = f"there is no record of past calls, so nobody knows how many there were: {described(error)}"
        return Check(rule=RECORD, passed=False, reason=reason, evidence=self.version)
